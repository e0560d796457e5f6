//! Saga step: decides that an order will not be confirmed, before anything is undone.
//!
//! The order stays PENDING until everything is undone, but from here on `confirm-order` is refused.
//! Without this decision two runs of one order's saga could end it both ways: one confirming it while
//! the other gives the money back.

use oxcart_domain::{
    order::{Repeat, repeat_of_reject},
    saga::{AbandonOrder, OrderAbandoned},
};
use oxcart_lambda::clock;

use crate::table::{Decided, DecisionError, Orders};

/// Abandons the order. The reason that was decided first stays. Confirmed before → refused.
///
/// # Errors
/// See [`DecisionError`].
pub async fn handle(orders: &Orders, order: AbandonOrder) -> Result<OrderAbandoned, DecisionError> {
    match orders.abandon(&order, clock::now()).await? {
        Decided::Now(_) => Ok(OrderAbandoned {
            reason: order.reason,
        }),
        Decided::Before(earlier) => match (earlier.reason, repeat_of_reject(earlier.status)) {
            // Abandoned already, or even rejected: what is left to undo is undone under its reason.
            (Some(reason), _) => Ok(OrderAbandoned { reason }),
            (None, Repeat::AlreadyDone) => Ok(OrderAbandoned {
                reason: order.reason,
            }),
            (None, Repeat::TooLate) => Err(DecisionError::NotPending(earlier.status)),
        },
    }
}
