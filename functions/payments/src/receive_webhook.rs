//! `POST /webhooks/payments`: the gateway's doorbell.
//!
//! A webhook is not believed: it may be early, late, repeated or out of order. Its signature says that
//! the gateway rang; then the gateway is asked for the truth, and what is stored of that is guarded by
//! the same conditions as everywhere.

use std::time::Duration;

use oxcart_domain::{OrderId, payment::PaymentStatus};
use oxcart_http::{Answer, Kind, Problem, Request, StatusCode, body_bytes, no_content};
use oxcart_lambda::clock;
use oxcart_telemetry::{about, count};
use secrecy::ExposeSecret as _;
use serde::Deserialize;

use crate::{
    charge_payment::{Settled, settle},
    gateway::{GatewayError, GatewaySecret, IntentStatus, SecretError},
    signature::{Signature, TOLERANCE},
    table::StoredPayment,
    wiring::GatewayPayments,
};

/// How often at most a webhook that doesn't fit has the secret read anew.
const RENEWAL: Duration = Duration::from_mins(1);

/// The event of a refund that the gateway had taken, and that failed later.
const REFUND_FAILED: &str = "refund.failed";

const INVALID_SIGNATURE: Kind = Kind::new(
    "invalid-signature",
    "The webhook's signature is not valid",
    StatusCode::BAD_REQUEST,
);

/// What webhooks are checked with and lead to.
#[derive(Debug)]
pub struct Webhooks {
    /// The payments.
    pub service: GatewayPayments,
    /// What the gateway signs with.
    pub secret: GatewaySecret,
}

#[derive(Debug, thiserror::Error)]
#[error("a refund of the payment is under way")]
struct RefundUnderWay;

/// An event of the gateway, as far as it is read.
#[derive(Debug, Deserialize)]
struct Ring {
    id: String,
    r#type: String,
    data: Data,
}

#[derive(Debug, Deserialize)]
struct Data {
    object: Object,
}

#[derive(Debug, Deserialize)]
struct Object {
    id: String,
    /// Of a refund: the intent whose money it gives back.
    #[serde(default)]
    payment_intent: Option<String>,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Debug, Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    order_id: Option<OrderId>,
}

/// Looks after the payment that the webhook is about: 204, also when there is nothing to do.
///
/// # Errors
/// 400 `invalid-signature` for what the gateway didn't sign within the last minutes; 503 when the gateway
/// or the table is away: the gateway rings again.
pub async fn handle(webhooks: &Webhooks, request: Request) -> Result<Answer, Problem> {
    let body = body_bytes(&request)?;
    verify(webhooks, &request, body).await?;
    // Signed, so it is the gateway's, but of a kind that is none of our business.
    let Ok(ring) = serde_json::from_slice::<Ring>(body) else {
        return Ok(no_content());
    };
    let service = &webhooks.service;
    if ring.r#type == REFUND_FAILED {
        refund_failed(service, &ring).await?;
    } else if ring.r#type.starts_with("payment_intent.") {
        payment_changed(service, &ring).await?;
    }
    Ok(no_content())
}

/// Looks after the payment of an intent that has come to another state.
async fn payment_changed(service: &GatewayPayments, ring: &Ring) -> Result<(), Problem> {
    let Some(order) = ring.data.object.metadata.order_id else {
        return Ok(());
    };
    about("order_id", order);
    // The ring that follows every ordinary charge: there is nothing to do, and nothing to write down.
    let lately = service.payments.get_lately(order).await?;
    if lately.as_ref().is_some_and(is_over) {
        return Ok(());
    }
    // It may be earlier than what it tells of is to be read everywhere.
    let payment = service.payments.get(order).await?;
    if payment.as_ref().is_some_and(is_over) {
        return Ok(());
    }
    // Protects: a ring that is repeated is answered, not acted on.
    if service.payments.has_heard(&ring.id).await? {
        return Ok(());
    }
    let intent = &ring.data.object.id;
    if let Some(payment) = payment.filter(|payment| payment.is_paid_with(intent)) {
        look_after(service, payment, intent).await?;
    }
    remember(service, ring).await
}

/// Calls for a person if less of a payment has come back to its customer than its record says: a refund fails later
/// because there is no way back, such as to a card whose account is closed, so making it again won't help.
async fn refund_failed(service: &GatewayPayments, ring: &Ring) -> Result<(), Problem> {
    let Some(intent) = &ring.data.object.payment_intent else {
        return Ok(());
    };
    if service.payments.has_heard(&ring.id).await? {
        return Ok(());
    }
    let Some(order) = service.gateway.order_of(intent).await? else {
        return Ok(());
    };
    about("order_id", order);
    // Before the record is read: what was made since then would hide what is missing.
    let came_back = service.gateway.refunded(intent).await?;
    let payment = service.payments.get(order).await?;
    let Some(payment) = payment.filter(|payment| payment.is_paid_with(intent)) else {
        return Ok(());
    };
    if payment.is_being_refunded() {
        // The failed one may be the one that isn't noted yet. The gateway rings again.
        return Err(Problem::unavailable(&RefundUnderWay));
    }
    if came_back < payment.given_back() {
        tracing::error!("a refund has failed at the payment gateway");
        count("RefundsFailed").record();
    }
    remember(service, ring).await
}

async fn remember(service: &GatewayPayments, ring: &Ring) -> Result<(), Problem> {
    let until = clock::now().plus_seconds(2 * TOLERANCE);
    service.payments.remember_heard(&ring.id, until).await?;
    Ok(())
}

/// Whether a payment is settled, and nobody waits for it: it stays so, since nobody begins to wait for one that is.
fn is_over(payment: &StoredPayment) -> bool {
    payment.status != PaymentStatus::Pending && payment.task_token.is_none()
}

async fn verify(webhooks: &Webhooks, request: &Request, body: &[u8]) -> Result<(), Problem> {
    let refused = || Problem::new(INVALID_SIGNATURE, "Only the payment gateway may call this.");
    let header = request.headers().get("stripe-signature");
    let signature = header
        .and_then(|value| value.to_str().ok())
        .and_then(Signature::parse)
        .ok_or_else(refused)?;
    let now = clock::now();
    let unavailable = |error: SecretError| Problem::unavailable(&error);
    let secret = webhooks.secret.get().await.map_err(unavailable)?;
    if signature.fits(body, secret.expose_secret(), now) {
        return Ok(());
    }
    // It may have been replaced. Forgeries don't have it read anew more often than this.
    let newer = webhooks.secret.newer(&secret, RENEWAL).await;
    let newer = newer.map_err(unavailable)?;
    if signature.fits(body, newer.expose_secret(), now) {
        return Ok(());
    }
    Err(refused())
}

/// Stores where a payment stands at the gateway by now, if it is pending, and wakes its saga if that waits:
/// also one whose payment is settled, since who settled it may have been killed before waking it.
async fn look_after(
    service: &GatewayPayments,
    payment: StoredPayment,
    intent: &str,
) -> Result<(), Problem> {
    let payment = match payment.status {
        PaymentStatus::Pending => match settled(service, payment, intent).await? {
            Some(payment) => payment,
            None => return Ok(()),
        },
        _ => payment,
    };
    // The token as it stands now: the saga may wait with another one than before.
    if let Some(token) = &payment.task_token {
        let woken = service.waiting.wake(token).await;
        woken.map_err(|error| Problem::unavailable(&error))?;
    }
    Ok(())
}

/// The payment's record after the gateway's truth was stored in it. None while the customer has to act.
async fn settled(
    service: &GatewayPayments,
    payment: StoredPayment,
    intent: &str,
) -> Result<Option<StoredPayment>, Problem> {
    let truth = service.gateway.read(intent).await?;
    let Some(charge) = payment.charge() else {
        return Ok(Some(payment));
    };
    match settle::<Problem>(service, payment.clone(), charge, intent, truth).await? {
        Settled::Stored(payment) => Ok(Some(payment)),
        Settled::Open(IntentStatus::NeedsAction) => Ok(None),
        // The saga learns by itself how it goes on.
        Settled::Open(_) => Ok(Some(payment)),
    }
}

impl From<GatewayError> for Problem {
    fn from(error: GatewayError) -> Self {
        if error.is_transient() {
            Self::unavailable(&error)
        } else {
            Self::internal(&error)
        }
    }
}
