//! Saga step that waits with a task token: until the customer has acted on their payment.
//!
//! The token is stored with the payment, where the gateway's webhook finds it. If there is nothing to
//! wait for by then, because the customer or the webhook was quicker, the saga is woken right here.

use oxcart_domain::{payment::PaymentStatus, saga::AwaitAction};
use oxcart_lambda::TaskError;
use oxcart_table::TableError;
use serde::Serialize;

use crate::{
    gateway::{GatewayError, IntentStatus},
    waiting::NotWoken,
    wiring::GatewayPayments,
};

/// The saga waits, or was woken.
#[derive(Debug, Serialize)]
pub struct Waiting {}

/// Why the saga would wait in vain.
#[derive(Debug, thiserror::Error)]
pub enum AwaitError {
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
            Self::Gateway(error) if error.is_transient() => "PaymentGatewayUnavailable",
            Self::Gateway(_) => "Internal",
            Self::NotWoken(_) => "Throttled",
            Self::Table(error) => error.error_type(),
        }
    }

    fn is_answer(&self) -> bool {
        match self {
            Self::Gateway(_) | Self::NotWoken(_) | Self::Table(_) => false,
        }
    }
}

/// Lets the saga wait. Again → the newer token counts, since Step Functions waits with that one.
///
/// # Errors
/// See [`AwaitError`].
pub async fn handle(service: &GatewayPayments, order: AwaitAction) -> Result<Waiting, AwaitError> {
    let token = &order.task_token;
    let record = service.payments.store_token(order.order_id, token).await?;
    // Asked after the token is stored: who acts from here on finds it.
    let waits = match (&record.intent_id, record.status) {
        (Some(intent), PaymentStatus::Pending) => {
            service.gateway.read(intent).await? == IntentStatus::NeedsAction
        }
        _ => false,
    };
    if !waits {
        service.waiting.wake(token).await?;
    }
    Ok(Waiting {})
}
