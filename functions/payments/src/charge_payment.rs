//! Saga step: takes the customer's money for an order, once.
//!
//! Record, create the intent, store its id, confirm it, store the outcome: killed anywhere, a retry
//! goes on from the record, and the intent's own state at the gateway makes the confirmation happen
//! once.

use oxcart_domain::{
    order::TimelineEntry,
    payment::{Charge, ChargeStep, DeclineCode, PaymentMethod, PaymentStatus},
    saga::{ChargePayment, StepDone},
};
use oxcart_lambda::{TaskError, clock};
use oxcart_table::TableError;
use oxcart_telemetry::count;

use crate::{
    gateway::{GatewayError, IntentStatus, NewIntent},
    table::{Payments, StoredPayment},
    wiring::GatewayPayments,
};

/// Why the money was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ChargeError {
    /// The bank or card said no. Final.
    #[error("the payment was declined")]
    Declined,
    /// The payment was given up or given back: too late. Final.
    #[error("the payment is closed")]
    Closed,
    /// The bank wants the customer to act first. The saga waits for them, then charges again.
    #[error("the customer has to act")]
    ActionRequired,
    /// The bank has not answered yet.
    #[error("the payment is being processed")]
    Processing,
    /// The gateway failed.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// The table failed.
    #[error(transparent)]
    Table(#[from] TableError),
}

impl TaskError for ChargeError {
    fn error_type(&self) -> &'static str {
        match self {
            Self::Declined => "PaymentDeclined",
            Self::Closed => "PaymentClosed",
            Self::ActionRequired => "PaymentActionRequired",
            Self::Processing => "PaymentGatewayUnavailable",
            Self::Gateway(error) if error.is_transient() => "PaymentGatewayUnavailable",
            Self::Gateway(_) => "Internal",
            Self::Table(error) => error.error_type(),
        }
    }

    fn is_answer(&self) -> bool {
        match self {
            Self::Declined | Self::Closed | Self::ActionRequired => true,
            Self::Processing | Self::Gateway(_) | Self::Table(_) => false,
        }
    }
}

/// Charges the customer. Again → the same answer. After a refund → refused.
///
/// # Errors
/// See [`ChargeError`].
pub async fn handle(
    service: &GatewayPayments,
    order: ChargePayment,
) -> Result<StepDone, ChargeError> {
    let ChargePayment {
        order_id,
        customer_id,
        amount,
        payment_method,
    } = order;
    let charge = Charge {
        order_id,
        customer_id,
        amount,
    };

    let record = service.payments.open(charge, clock::now()).await?;
    match record.state().charge_step() {
        ChargeStep::CreateIntent => create_and_confirm(service, charge, &payment_method).await,
        ChargeStep::Confirm(intent) => confirm(service, charge, &intent, &record).await,
        ChargeStep::AlreadyCharged | ChargeStep::AlreadyDeclined | ChargeStep::Closed => {
            answer(&record)
        }
    }
}

async fn create_and_confirm(
    service: &GatewayPayments,
    charge: Charge,
    method: &PaymentMethod,
) -> Result<StepDone, ChargeError> {
    let intent = match service.gateway.create_intent(charge, method).await? {
        NewIntent::Created(intent) => intent,
        NewIntent::Unpayable(code) => return declined(service, charge, None, code).await,
    };
    let record = service
        .payments
        .store_intent(charge.order_id, &intent, clock::now())
        .await?;
    match record.state().charge_step() {
        // The record names the intent that counts: ours, or that of an invocation that was quicker.
        ChargeStep::Confirm(intent) => confirm(service, charge, &intent, &record).await,
        ChargeStep::CreateIntent
        | ChargeStep::AlreadyCharged
        | ChargeStep::AlreadyDeclined
        | ChargeStep::Closed => answer(&record),
    }
}

async fn confirm(
    service: &GatewayPayments,
    charge: Charge,
    intent: &str,
    record: &StoredPayment,
) -> Result<StepDone, ChargeError> {
    let status = service.gateway.confirm(intent).await?;
    match closed_for_customer(service, record, intent, status).await? {
        IntentStatus::Succeeded => answer(&store_charged(&service.payments, charge, intent).await?),
        IntentStatus::Declined(code) => declined(service, charge, Some(intent), code).await,
        IntentStatus::NeedsAction => Err(ChargeError::ActionRequired),
        // By the gateway itself, or by a refund: that one has closed the record before, so nothing is
        // stored then.
        IntentStatus::Cancelled => {
            declined(service, charge, Some(intent), DeclineCode::CANCELLED).await
        }
        IntentStatus::Processing | IntentStatus::Unconfirmed => Err(ChargeError::Processing),
    }
}

/// Makes sure that a payment that was declined stays so. Whoever was asked to act holds what it takes to
/// try again with another card, at the gateway and unseen by us, until the intent is cancelled. Answers
/// where the intent then stands.
///
/// # Errors
/// See [`GatewayError`].
pub(crate) async fn closed_for_customer(
    service: &GatewayPayments,
    record: &StoredPayment,
    intent: &str,
    status: IntentStatus,
) -> Result<IntentStatus, GatewayError> {
    match status {
        IntentStatus::Declined(code) if record.task_token.is_some() => {
            match service.gateway.cancel(intent).await? {
                IntentStatus::Cancelled => Ok(IntentStatus::Declined(code)),
                IntentStatus::Declined(_) => Ok(IntentStatus::Processing),
                other => Ok(other),
            }
        }
        other => Ok(other),
    }
}

/// Stores that the money was taken, and counts it if it is stored now. Answers the record as it then stands.
///
/// # Errors
/// See [`TableError`].
pub(crate) async fn store_charged(
    payments: &Payments,
    charge: Charge,
    intent: &str,
) -> Result<StoredPayment, TableError> {
    let event = charge.charged(clock::now());
    let (now, record) = payments
        .store_charged(charge.order_id, intent, event)
        .await?;
    if now {
        count("PaymentsCharged").record();
    }
    Ok(record)
}

/// Stores that the bank or card said no, and counts it if it is stored now. Answers the record as it then stands.
///
/// # Errors
/// See [`TableError`].
pub(crate) async fn store_declined(
    payments: &Payments,
    charge: Charge,
    intent: Option<&str>,
    code: DeclineCode,
) -> Result<StoredPayment, TableError> {
    let event = charge.declined(code.clone(), clock::now());
    let (now, record) = payments
        .store_declined(charge.order_id, intent, &code, event)
        .await?;
    if now {
        count("PaymentsDeclined").record();
    }
    Ok(record)
}

async fn declined(
    service: &GatewayPayments,
    charge: Charge,
    intent: Option<&str>,
    code: DeclineCode,
) -> Result<StepDone, ChargeError> {
    answer(&store_declined(&service.payments, charge, intent, code).await?)
}

/// What the record, as it stands, means to who wanted to charge.
fn answer(record: &StoredPayment) -> Result<StepDone, ChargeError> {
    match record.status {
        PaymentStatus::Charged => {
            let charged = TimelineEntry {
                at: record.updated_at,
                event: "payment.charged".to_owned(),
            };
            Ok(StepDone {
                timeline: vec![charged],
            })
        }
        PaymentStatus::Declined => Err(ChargeError::Declined),
        PaymentStatus::Refunding | PaymentStatus::Refunded | PaymentStatus::Cancelled => {
            Err(ChargeError::Closed)
        }
        PaymentStatus::Pending => Err(ChargeError::Processing),
    }
}
