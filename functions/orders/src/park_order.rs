//! Saga step, where all else has failed for hours: leaves an order to a person.

use oxcart_domain::saga::ParkOrder;
use oxcart_lambda::clock;
use oxcart_telemetry::count;
use serde::Serialize;

use crate::table::{Decided, DecisionError, Orders};

/// The order says that it needs attention.
#[derive(Debug, Serialize)]
pub struct OrderParked {}

/// Parks the order. Again → the same answer. Ended by another run before → refused.
///
/// # Errors
/// See [`DecisionError`].
pub async fn handle(orders: &Orders, order: ParkOrder) -> Result<OrderParked, DecisionError> {
    match orders.park(&order, clock::now()).await? {
        Decided::Now(_) => {
            count("OrdersParked").record();
            Ok(OrderParked {})
        }
        Decided::Before(earlier) => Err(DecisionError::NotPending(earlier.status)),
    }
}
