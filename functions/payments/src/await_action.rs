//! Saga step that waits for the customer to act on their payment: with a task token, where there is one.
//!
//! The token is stored with the payment, where the gateway's webhook finds it. If there is nothing to
//! wait for by then, because the customer or the webhook was quicker, the saga is woken right here.
//!
//! An Express saga can't wait and has no token: it is told to end, and is run again when the payment is
//! settled.

use oxcart_domain::{payment::PaymentStatus, saga::AwaitAction};
use oxcart_lambda::TaskError;
use oxcart_table::TableError;
use serde::Serialize;

use crate::{
    gateway::{GatewayError, IntentStatus},
    waiting::NotWoken,
    wiring::GatewayPayments,
};

/// The saga waits, was woken, or goes on.
#[derive(Debug, Serialize)]
pub struct Waiting {}

/// Why the saga can't wait, or would wait in vain.
#[derive(Debug, thiserror::Error)]
pub enum AwaitError {
    /// The customer has yet to act, and the saga has no token to wait with.
    #[error("the customer has yet to act")]
    CustomerAwaited,
    /// The gateway failed.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// The saga was not woken.
    #[error(transparent)]
    NotWoken(#[from] NotWoken),
    /// The table failed.
    #[error(transparent)]
    Table(#[from] TableError),
}

impl TaskError for AwaitError {
    fn error_type(&self) -> &'static str {
        match self {
            Self::CustomerAwaited => "CustomerAwaited",
            Self::Gateway(error) if error.is_transient() => "PaymentGatewayUnavailable",
            Self::Gateway(_) => "Internal",
            Self::NotWoken(_) => "Throttled",
            Self::Table(error) => error.error_type(),
        }
    }

    fn is_answer(&self) -> bool {
        match self {
            Self::CustomerAwaited => true,
            Self::Gateway(_) | Self::NotWoken(_) | Self::Table(_) => false,
        }
    }
}

/// Lets the saga wait. Again → the newer token counts, since Step Functions waits with that one.
///
/// # Errors
/// See [`AwaitError`].
pub async fn handle(service: &GatewayPayments, order: AwaitAction) -> Result<Waiting, AwaitError> {
    let token = order.task_token.as_ref();
    let record = service.payments.store_asked(order.order_id, token).await?;
    // Asked after that is stored: who acts from here on finds the token, or the order that shows it.
    let waits = match (&record.intent_id, record.status) {
        (Some(intent), PaymentStatus::Pending) => {
            service.gateway.read(intent).await? == IntentStatus::NeedsAction
        }
        _ => false,
    };
    match (waits, token) {
        (true, Some(_)) | (false, None) => Ok(Waiting {}),
        (true, None) => Err(AwaitError::CustomerAwaited),
        (false, Some(token)) => {
            service.waiting.wake(token).await?;
            Ok(Waiting {})
        }
    }
}
