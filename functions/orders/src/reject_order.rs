//! Saga step, the last compensation: ends an order whose payment and units are all undone, as rejected
//! or, if that is why, as cancelled.

use oxcart_domain::{
    DomainEvent, Event,
    order::{OrderStatus, Repeat, repeat_of_reject},
    saga::RejectOrder,
};
use oxcart_lambda::clock;
use serde::Serialize;

use crate::table::{Decided, DecisionError, Orders, ends_as};

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
    match orders
        .reject(&order, Event::once(event, clock::now()))
        .await?
    {
        Decided::Now => Ok(OrderEnded { status }),
        Decided::Before(earlier) => match repeat_of_reject(earlier.status) {
            Repeat::AlreadyDone => Ok(OrderEnded {
                status: earlier.status,
            }),
            Repeat::TooLate => Err(DecisionError::NotPending(earlier.status)),
        },
    }
}
