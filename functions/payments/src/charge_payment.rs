//! Saga step: takes the customer's money for an order, once.
//!
//! Create the intent, record it, confirm it, store the outcome: killed anywhere, a retry goes on from the
//! record, and the intent's own state at the gateway makes the confirmation happen once. An intent that
//! nobody recorded is never confirmed, and takes no money.

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

    match service.payments.get(order_id).await? {
        Some(record) if record.state().charge_step() != ChargeStep::CreateIntent => {
            go_on(service, charge, &record).await
        }
        _ => create_and_confirm(service, charge, &payment_method).await,
    }
}

async fn create_and_confirm(
    service: &GatewayPayments,
    charge: Charge,
    method: &PaymentMethod,
) -> Result<StepDone, ChargeError> {
    let intent = match service.gateway.create_intent(charge, method).await? {
        NewIntent::Created(intent) => intent,
        NewIntent::Unpayable(code) => return unpayable(&service.payments, charge, code).await,
    };
    // The record names the intent that counts: ours, or that of an invocation that was quicker.
    let record = service.payments.open(charge, intent, clock::now()).await?;
    go_on(service, charge, &record).await
}

/// Goes on from the record as it stands.
async fn go_on(
    service: &GatewayPayments,
    charge: Charge,
    record: &StoredPayment,
) -> Result<StepDone, ChargeError> {
    match record.state().charge_step() {
        ChargeStep::Confirm(intent) => confirm(service, charge, &intent, record).await,
        ChargeStep::CreateIntent
        | ChargeStep::AlreadyCharged
        | ChargeStep::AlreadyDeclined
        | ChargeStep::Closed => answer(record),
    }
}

async fn confirm(
    service: &GatewayPayments,
    charge: Charge,
    intent: &str,
    record: &StoredPayment,
) -> Result<StepDone, ChargeError> {
    let status = service.gateway.confirm(intent).await?;
    match settle::<ChargeError>(service, record.clone(), charge, intent, status).await? {
        Settled::Stored(record) => answer(&record),
        Settled::Open(IntentStatus::NeedsAction) => Err(ChargeError::ActionRequired),
        Settled::Open(_) => Err(ChargeError::Processing),
    }
}

/// What became of an intent whose state at the gateway was learnt.
pub(crate) enum Settled {
    /// It is settled, and so is the payment, by this or something else: its record as it stands.
    Stored(StoredPayment),
    /// It is not settled yet.
    Open(IntentStatus),
}

/// Stores how an intent came out that stands so at the gateway, if it has come out; `record` was read before that
/// was asked.
///
/// # Errors
/// See [`GatewayError`] and [`TableError`].
pub(crate) async fn settle<E: From<GatewayError> + From<TableError>>(
    service: &GatewayPayments,
    mut record: StoredPayment,
    charge: Charge,
    intent: &str,
    status: IntentStatus,
) -> Result<Settled, E> {
    let payments = &service.payments;
    loop {
        let declined = match closed_for_customer(service, &record, intent, status.clone()).await? {
            IntentStatus::Succeeded => None,
            IntentStatus::Declined(code) => Some(code),
            // By us, for its customer's sake, or by the gateway itself; a refund has closed the record before, so that
            // nothing is stored then.
            IntentStatus::Cancelled => Some(DeclineCode::CANCELLED),
            open => return Ok(Settled::Open(open)),
        };
        let now = clock::now();
        let (is_stored, after) = match &declined {
            None => payments.store_charged(&record, charge, intent, now).await,
            Some(code) => {
                let stored = payments.store_declined(&record, charge, intent, code, now);
                stored.await
            }
        }?;
        if is_stored && declined.is_none() {
            count("PaymentsCharged").record();
        } else if is_stored {
            count("PaymentsDeclined").record();
        }
        let asked_meanwhile = after.status == PaymentStatus::Pending
            && after.customer_was_asked()
            && !record.customer_was_asked();
        if is_stored || !asked_meanwhile {
            return Ok(Settled::Stored(after));
        }
        // Whoever was asked holds what it takes to try again: what was learnt before may be so no more.
        record = after;
    }
}

/// Makes sure that a payment that was declined stays so. Whoever was asked to act holds what it takes to
/// try again with another card, at the gateway and unseen by us, until the intent is cancelled. Answers
/// where the intent then stands.
///
/// # Errors
/// See [`GatewayError`].
async fn closed_for_customer(
    service: &GatewayPayments,
    record: &StoredPayment,
    intent: &str,
    status: IntentStatus,
) -> Result<IntentStatus, GatewayError> {
    match status {
        IntentStatus::Declined(code) if record.customer_was_asked() => {
            match service.gateway.cancel(intent).await? {
                IntentStatus::Cancelled => Ok(IntentStatus::Declined(code)),
                IntentStatus::Declined(_) => Ok(IntentStatus::Processing),
                other => Ok(other),
            }
        }
        other => Ok(other),
    }
}

async fn unpayable(
    payments: &Payments,
    charge: Charge,
    code: DeclineCode,
) -> Result<StepDone, ChargeError> {
    let event = charge.declined(code.clone(), false, clock::now());
    let (is_stored, record) = payments.store_unpayable(charge, &code, event).await?;
    if is_stored {
        count("PaymentsDeclined").record();
    }
    answer(&record)
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
