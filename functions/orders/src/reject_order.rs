//! Saga step, the last compensation: ends an order whose payment and units are all undone.

use oxcart_domain::{
    DomainEvent, Event,
    order::{OrderStatus, Repeat, repeat_of_reject},
    saga::RejectOrder,
};
use oxcart_lambda::clock;
use serde::Serialize;

use crate::table::{Decided, DecisionError, Orders};

/// The order stands rejected.
#[derive(Debug, Serialize)]
pub struct OrderRejected {
    status: OrderStatus,
}

/// Rejects the order. Again → the same answer. Confirmed before → refused.
///
/// # Errors
/// See [`DecisionError`].
pub async fn handle(orders: &Orders, order: RejectOrder) -> Result<OrderRejected, DecisionError> {
    let event = DomainEvent::OrderRejected {
        order_id: order.order_id,
        customer_id: order.customer_id,
        reason: order.reason,
    };
    let rejected = OrderRejected {
        status: OrderStatus::Rejected,
    };
    match orders
        .reject(&order, Event::once(event, clock::now()))
        .await?
    {
        Decided::Now => Ok(rejected),
        Decided::Before(earlier) => match repeat_of_reject(earlier.status) {
            Repeat::AlreadyDone => Ok(rejected),
            Repeat::TooLate => Err(DecisionError::NotPending(earlier.status)),
        },
    }
}
