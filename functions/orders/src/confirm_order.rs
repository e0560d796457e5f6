//! Saga step, the pivot: tells an order that it is paid and held. From here on it goes through.

use oxcart_domain::{
    DomainEvent, Event,
    order::{OrderStatus, Repeat, repeat_of_confirm},
    saga::ConfirmOrder,
};
use oxcart_lambda::clock;
use serde::Serialize;

use crate::table::{Decided, DecisionError, Orders};

/// The order stands confirmed.
#[derive(Debug, Serialize)]
pub struct OrderConfirmed {
    status: OrderStatus,
}

/// Confirms the order. Again → the same answer. Abandoned or rejected before → refused.
///
/// # Errors
/// See [`DecisionError`].
pub async fn handle(orders: &Orders, order: ConfirmOrder) -> Result<OrderConfirmed, DecisionError> {
    let event = DomainEvent::OrderConfirmed {
        order_id: order.order_id,
        customer_id: order.customer_id,
        lines: order.lines.clone(),
        total: order.total,
    };
    let confirmed = OrderConfirmed {
        status: OrderStatus::Confirmed,
    };
    match orders
        .confirm(&order, Event::once(event, clock::now()))
        .await?
    {
        Decided::Now => Ok(confirmed),
        Decided::Before(earlier) => match repeat_of_confirm(earlier.status) {
            Repeat::AlreadyDone => Ok(confirmed),
            Repeat::TooLate => Err(DecisionError::NotPending(earlier.status)),
        },
    }
}
