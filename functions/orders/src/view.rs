//! Orders as the API shows them.

use oxcart_domain::{
    CustomerId, Money, OrderId, Quantity, Sku, Timestamp,
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
    /// What the customer has to do before the order can be paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_action: Option<NextAction>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    needs_attention: bool,
    created_at: Timestamp,
    updated_at: Timestamp,
    timeline: Vec<TimelineEntry>,
}

#[derive(Debug, Serialize)]
struct NextAction {
    r#type: &'static str,
    /// Where the payment says what the gateway's page needs.
    payment: String,
}

#[derive(Debug, Serialize)]
struct LineView {
    sku: Sku,
    quantity: Quantity,
    unit_price: Option<Money>,
}

impl LineView {
    /// The lines of an order, with their prices if they are known.
    fn all_of(order: &StoredOrder) -> Vec<Self> {
        let priced = order.priced_lines.as_deref().unwrap_or_default();
        let line = |line: &OrderLine| Self {
            sku: line.sku.clone(),
            quantity: line.quantity,
            unit_price: priced
                .iter()
                .find(|priced| priced.sku == line.sku)
                .map(|priced| priced.unit_price),
        };
        order.lines.as_slice().iter().map(line).collect()
    }
}

/// Why an order was not sold. A `PENDING` order's reason is a decision that its saga has yet to carry out.
fn reason_of(order: &StoredOrder) -> Option<RejectionReason> {
    order
        .reason
        .filter(|_| order.status != OrderStatus::Pending)
}

impl From<StoredOrder> for OrderView {
    fn from(order: StoredOrder) -> Self {
        let waits = order.waits_for_customer();
        Self {
            id: order.id,
            status: order.status,
            lines: LineView::all_of(&order),
            total: order.total,
            reason: reason_of(&order),
            payment_status: order.payment_status,
            next_action: waits.then(|| NextAction {
                r#type: "authenticate-payment",
                payment: format!("/orders/{}/payment", order.id),
            }),
            needs_attention: order.needs_attention,
            created_at: order.created_at,
            updated_at: order.updated_at,
            timeline: order.timeline,
        }
    }
}

/// An order among everybody's, as who looks after the shop sees it.
#[derive(Debug, Serialize)]
pub struct FoundOrderView {
    id: OrderId,
    customer_id: CustomerId,
    status: OrderStatus,
    lines: Vec<LineView>,
    total: Option<Money>,
    reason: Option<RejectionReason>,
    payment_status: OrderPaymentStatus,
    needs_attention: bool,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<StoredOrder> for FoundOrderView {
    fn from(order: StoredOrder) -> Self {
        Self {
            id: order.id,
            customer_id: order.customer_id,
            status: order.status,
            lines: LineView::all_of(&order),
            total: order.total,
            reason: reason_of(&order),
            payment_status: order.payment_status,
            needs_attention: order.needs_attention,
            created_at: order.created_at,
            updated_at: order.updated_at,
        }
    }
}
