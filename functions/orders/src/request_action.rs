//! Saga step: shows an order's customer that they have to act before it can be paid.

use oxcart_domain::{order::OrderStatus, saga::RequestAction};
use oxcart_lambda::{TaskError, clock};
use serde::Serialize;

use crate::table::{Decided, DecisionError, Orders};

/// The order shows it.
#[derive(Debug, Serialize)]
pub struct ActionRequested {}

/// Why it is not shown.
#[derive(Debug, thiserror::Error)]
pub enum RequestActionError {
    /// The customer was asked before, and has stayed away for too long.
    #[error("the customer has not acted in time")]
    Overdue,
    /// The order is not open to this.
    #[error(transparent)]
    Decision(#[from] DecisionError),
}

impl TaskError for RequestActionError {
    fn error_type(&self) -> &'static str {
        match self {
            Self::Overdue => "ActionOverdue",
            Self::Decision(error) => error.error_type(),
        }
    }

    fn is_answer(&self) -> bool {
        match self {
            Self::Overdue => true,
            Self::Decision(error) => error.is_answer(),
        }
    }
}

/// Shows it. Again → the same answer, for as long as the customer has to act. Abandoned, cancelled or
/// confirmed before → refused.
///
/// # Errors
/// See [`RequestActionError`].
pub async fn handle(
    orders: &Orders,
    order: RequestAction,
) -> Result<ActionRequested, RequestActionError> {
    match orders.request_action(order.order_id, clock::now()).await? {
        Decided::Now(_) => Ok(ActionRequested {}),
        Decided::Before(earlier) => match (earlier.status, earlier.reason) {
            (OrderStatus::Pending, None) => Err(RequestActionError::Overdue),
            (status, _) => Err(DecisionError::NotPending(status).into()),
        },
    }
}
