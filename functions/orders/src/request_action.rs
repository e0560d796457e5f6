//! Saga step: shows an order's customer that they have to act before it can be paid.

use oxcart_domain::saga::RequestAction;
use oxcart_lambda::clock;
use serde::Serialize;

use crate::table::{Decided, DecisionError, Orders};

/// The order shows it.
#[derive(Debug, Serialize)]
pub struct ActionRequested {}

/// Shows it. Again → the same answer. Abandoned, cancelled or confirmed before → refused.
///
/// # Errors
/// See [`DecisionError`].
pub async fn handle(
    orders: &Orders,
    order: RequestAction,
) -> Result<ActionRequested, DecisionError> {
    match orders.request_action(order.order_id, clock::now()).await? {
        Decided::Now(_) => Ok(ActionRequested {}),
        Decided::Before(earlier) => Err(DecisionError::NotPending(earlier.status)),
    }
}
