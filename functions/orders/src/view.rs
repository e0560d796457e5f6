//! Orders as the API shows them.

use oxcart_domain::{
    Money, OrderId, Quantity, Sku, Timestamp,
    order::{
        OrderLine, OrderLines, OrderPaymentStatus, OrderStatus, PlacedOrder, RejectionReason,
        TimelineEntry,
    },
};
use serde::Serialize;

use crate::table::StoredOrder;

/// An order as it was placed: the answer to `POST /orders`, the same for every repeat.
#[derive(Debug, Serialize)]
pub struct PlacedView {
    /// The order's id.
    pub id: OrderId,
    status: OrderStatus,
    lines: Vec<OrderLine>,
    created_at: Timestamp,
}

impl PlacedView {
    fn new(id: OrderId, lines: &OrderLines, created_at: Timestamp) -> Self {
        Self {
            id,
            status: OrderStatus::Pending,
            lines: lines.clone().into(),
            created_at,
        }
    }
}

impl From<&PlacedOrder> for PlacedView {
    fn from(order: &PlacedOrder) -> Self {
        Self::new(order.id, &order.request.lines, order.created_at)
    }
}

impl From<&StoredOrder> for PlacedView {
    fn from(order: &StoredOrder) -> Self {
        Self::new(order.id, &order.lines, order.created_at)
    }
}

/// An order as it stands.
#[derive(Debug, Serialize)]
pub struct OrderView {
    id: OrderId,
    status: OrderStatus,
    lines: Vec<LineView>,
    total: Option<Money>,
    reason: Option<RejectionReason>,
    payment_status: OrderPaymentStatus,
    created_at: Timestamp,
    updated_at: Timestamp,
    timeline: Vec<TimelineEntry>,
}

#[derive(Debug, Serialize)]
struct LineView {
    sku: Sku,
    quantity: Quantity,
    unit_price: Option<Money>,
}

impl From<StoredOrder> for OrderView {
    fn from(order: StoredOrder) -> Self {
        let priced = order.priced_lines.unwrap_or_default();
        let line = |line: &OrderLine| LineView {
            sku: line.sku.clone(),
            quantity: line.quantity,
            unit_price: priced
                .iter()
                .find(|priced| priced.sku == line.sku)
                .map(|priced| priced.unit_price),
        };
        Self {
            id: order.id,
            status: order.status,
            lines: order.lines.as_slice().iter().map(line).collect(),
            total: order.total,
            reason: order
                .reason
                .filter(|_| order.status == OrderStatus::Rejected),
            payment_status: order.payment_status,
            created_at: order.created_at,
            updated_at: order.updated_at,
            timeline: order.timeline,
        }
    }
}
