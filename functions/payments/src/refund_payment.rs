//! Saga step (compensation): gives the customer's money back, or makes sure that none is taken.
//!
//! Asks the gateway for the truth and acts on that. Who asks holds a lease on the record, since two
//! who ask at once could both find no refund and both make one.

use oxcart_domain::{
    Money, Timestamp,
    order::TimelineEntry,
    payment::{RefundStep, SettledPayment},
    saga::{PaymentSettled, RefundPayment},
};
use oxcart_lambda::{TaskError, clock};
use oxcart_table::TableError;
use oxcart_telemetry::{Chain, Unit, count, metric};

use crate::{
    gateway::{GatewayError, IntentStatus},
    table::{Settlement, StoredPayment},
    wiring::GatewayPayments,
};

/// How long one invocation may be at work, in seconds: twice the function's timeout, so that nothing
/// that it sent is still under way when the next one begins.
pub(crate) const LEASE: i64 = 60;
/// How often the record is read anew when another write comes between.
const TRIES: u32 = 4;

/// Why the money is not back.
#[derive(Debug, thiserror::Error)]
pub enum RefundError {
    /// Another invocation is at work, or was killed at it less than the lease ago.
    #[error("another refund of this payment is at work")]
    InProgress,
    /// The bank has not answered yet.
    #[error("the payment is being processed")]
    Processing,
    /// The payment was charged, but the record doesn't say how much.
    #[error("the payment's record has no amount")]
    NoAmount,
    /// The gateway failed.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// The table failed.
    #[error(transparent)]
    Table(#[from] TableError),
}

impl TaskError for RefundError {
    fn error_type(&self) -> &'static str {
        match self {
            Self::InProgress => "RefundInProgress",
            Self::Processing => "PaymentGatewayUnavailable",
            Self::Gateway(error) if error.is_transient() => "PaymentGatewayUnavailable",
            Self::NoAmount | Self::Gateway(_) => "Internal",
            Self::Table(error) => error.error_type(),
        }
    }

    fn is_answer(&self) -> bool {
        match self {
            Self::InProgress
            | Self::Processing
            | Self::NoAmount
            | Self::Gateway(_)
            | Self::Table(_) => false,
        }
    }
}

/// Refunds the customer. Again → the same answer. Before a charge → a tombstone, so that the late
/// charge is refused.
///
/// # Errors
/// See [`RefundError`].
pub async fn handle(
    service: &GatewayPayments,
    order: RefundPayment,
) -> Result<PaymentSettled, RefundError> {
    for _ in 0..TRIES {
        let now = clock::now();
        let Some(record) = service.payments.get(order.order_id).await? else {
            if service
                .payments
                .close(order.order_id, order.customer_id, now)
                .await?
            {
                return Ok(settled(SettledPayment::Cancelled, now));
            }
            continue;
        };
        match record.state().refund_step(now) {
            RefundStep::Settled(how) => return Ok(settled(how, record.updated_at)),
            RefundStep::InProgress => return Err(RefundError::InProgress),
            RefundStep::TakeLease => {
                let until = now.plus_seconds(LEASE);
                if let Some(leased) = service
                    .payments
                    .lease_for_refund(order.order_id, now, until)
                    .await?
                {
                    let how = settle(service, &leased, until).await?;
                    let settled = store(service, &leased, how, until).await?;
                    wake(service, &leased).await;
                    return Ok(settled);
                }
            }
        }
    }
    Err(RefundError::InProgress)
}

/// Brings the intent to where nothing of the customer's is kept, and says how.
async fn settle(
    service: &GatewayPayments,
    record: &StoredPayment,
    lease: Timestamp,
) -> Result<SettledPayment, RefundError> {
    // No intent is stored, and from now on none will be: there is nothing to undo at the gateway.
    let Some(intent) = &record.intent_id else {
        return Ok(SettledPayment::Cancelled);
    };

    let mut truth = service.gateway.read(intent).await?;
    if matches!(
        truth,
        IntentStatus::Unconfirmed | IntentStatus::NeedsAction | IntentStatus::Declined(_)
    ) {
        truth = service.gateway.cancel(intent).await?;
    }
    match truth {
        IntentStatus::Cancelled => Ok(SettledPayment::Cancelled),
        IntentStatus::Succeeded => {
            let amount = record.amount.ok_or(RefundError::NoAmount)?.amount;
            // Parts of it may have been given back before, or all of it by an invocation that was killed.
            let refunded = service.gateway.refunded(intent).await?;
            if let Some(left @ 1..) = amount.checked_sub(refunded) {
                let key = format!("{}-refund-{lease}", record.order_id);
                service.gateway.refund(intent, left, &key).await?;
            }
            Ok(SettledPayment::Refunded)
        }
        IntentStatus::Unconfirmed
        | IntentStatus::NeedsAction
        | IntentStatus::Declined(_)
        | IntentStatus::Processing => Err(RefundError::Processing),
    }
}

/// Wakes the saga that waits for the customer to act: there is nothing to wait for any more. If that
/// fails, its time is over by itself.
async fn wake(service: &GatewayPayments, record: &StoredPayment) {
    if let Some(token) = &record.task_token
        && let Err(error) = service.waiting.wake(token).await
    {
        tracing::warn!(error = %Chain(&error), "the waiting saga was not woken");
    }
}

async fn store(
    service: &GatewayPayments,
    record: &StoredPayment,
    how: SettledPayment,
    lease: Timestamp,
) -> Result<PaymentSettled, TableError> {
    let now = clock::now();
    let (settlement, refunded) = match (how, record.charge()) {
        (SettledPayment::Refunded, Some(charge)) => {
            let left = record.left(charge.amount);
            let event = Box::new(charge.refunded(left, now));
            (Settlement::Refunded(event), Some(left))
        }
        (SettledPayment::Refunded | SettledPayment::Cancelled | SettledPayment::Declined, _) => {
            (Settlement::Cancelled, None)
        }
    };
    let is_stored = service
        .payments
        .store_settled(record.order_id, settlement, lease, now)
        .await?;
    if let Some(amount) = refunded.filter(|_| is_stored) {
        count_refund(amount);
    }
    Ok(settled(how, now))
}

/// Counts money that was given back just now. None is left to give back where it all went in parts.
pub(crate) fn count_refund(refunded: Money) {
    let Money { amount, currency } = refunded;
    if amount > 0 {
        count("Refunds").record();
        metric("RefundedAmount", Unit::None, amount)
            .by("Currency", currency.to_string())
            .record();
    }
}

fn settled(how: SettledPayment, at: Timestamp) -> PaymentSettled {
    let event = match how {
        SettledPayment::Declined => Some("payment.declined"),
        SettledPayment::Refunded => Some("payment.refunded"),
        SettledPayment::Cancelled => None,
    };
    let timeline = event
        .map(|event| TimelineEntry {
            at,
            event: event.to_owned(),
        })
        .into_iter()
        .collect();
    PaymentSettled {
        payment_status: how,
        timeline,
    }
}
