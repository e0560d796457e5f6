//! Saga step, the last compensation: ends an order whose payment and units are all undone, as rejected
//! or, if that is why, as cancelled.

use oxcart_domain::{
    DomainEvent, Event, Timestamp,
    order::{OrderStatus, RejectionReason, Repeat, repeat_of_reject},
    saga::RejectOrder,
};
use oxcart_lambda::clock;
use oxcart_telemetry::count;
use serde::Serialize;

use crate::{
    sagas::saga_ended,
    table::{Decided, DecisionError, Orders, StoredOrder, ends_as},
};

/// The order has ended without sale.
#[derive(Debug, Serialize)]
pub struct OrderEnded {
    status: OrderStatus,
}

/// Ends the order. Again → the same answer. Confirmed before, and not cancelled since → refused.
///
/// # Errors
/// See [`DecisionError`].
pub async fn handle(orders: &Orders, order: RejectOrder) -> Result<OrderEnded, DecisionError> {
    let RejectOrder {
        order_id,
        customer_id,
        reason,
        ..
    } = order;
    let status = ends_as(reason);
    let event = match status {
        OrderStatus::Cancelled => DomainEvent::OrderCancelled {
            order_id,
            customer_id,
        },
        _ => DomainEvent::OrderRejected {
            order_id,
            customer_id,
            reason,
        },
    };
    let now = clock::now();
    match orders.reject(&order, Event::once(event, now)).await? {
        Decided::Now(ended) => {
            if let Some(ended) = ended {
                measure(&ended, reason, now);
            }
            Ok(OrderEnded { status })
        }
        Decided::Before(earlier) => match repeat_of_reject(earlier.status) {
            Repeat::AlreadyDone => Ok(OrderEnded {
                status: earlier.status,
            }),
            Repeat::TooLate => Err(DecisionError::NotPending(earlier.status)),
        },
    }
}

/// Counts an order that has ended just now. A sale is taken back from when its customer said so.
fn measure(order: &StoredOrder, reason: RejectionReason, now: Timestamp) {
    if order.status == OrderStatus::Cancelled {
        count("OrdersCancelled").record();
        if let Some(asked) = order.cancellation_requested_at() {
            saga_ended(order.status, asked, now);
        }
    } else {
        count("OrdersRejected")
            .by("Reason", reason.as_str())
            .record();
        saga_ended(order.status, order.created_at, now);
    }
}
