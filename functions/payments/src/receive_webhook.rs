//! `POST /webhooks/payments`: the gateway's doorbell.
//!
//! A webhook is not believed: it may be early, late, repeated or out of order. Its signature says that
//! the gateway rang; then the gateway is asked for the truth, and what is stored of that is guarded by
//! the same conditions as everywhere.

use oxcart_domain::{
    OrderId,
    payment::{Charge, PaymentStatus},
};
use oxcart_http::{Answer, Kind, Problem, Request, StatusCode, body_bytes, no_content};
use oxcart_lambda::clock;
use secrecy::ExposeSecret as _;
use serde::Deserialize;

use crate::{
    gateway::{GatewayError, GatewaySecret, IntentStatus},
    signature::{Signature, TOLERANCE},
    table::StoredPayment,
    wiring::GatewayPayments,
};

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
    let (true, Some(order)) = (
        ring.r#type.starts_with("payment_intent."),
        ring.data.object.metadata.order_id,
    ) else {
        return Ok(no_content());
    };
    // Protects: a ring that is repeated is answered, not acted on.
    if service.payments.has_heard(&ring.id).await? {
        return Ok(no_content());
    }
    if let Some(payment) = service.payments.get(order).await?
        && payment.intent_id.as_deref() == Some(&ring.data.object.id)
    {
        look_after(service, &payment, &ring.data.object.id).await?;
    }
    let until = clock::now().plus_seconds(2 * TOLERANCE);
    service.payments.remember_heard(&ring.id, until).await?;
    Ok(no_content())
}

async fn verify(webhooks: &Webhooks, request: &Request, body: &[u8]) -> Result<(), Problem> {
    let refused = || Problem::new(INVALID_SIGNATURE, "Only the payment gateway may call this.");
    let header = request.headers().get("stripe-signature");
    let signature = header
        .and_then(|value| value.to_str().ok())
        .and_then(Signature::parse)
        .ok_or_else(refused)?;
    let now = clock::now();
    let secret = webhooks
        .secret
        .get()
        .await
        .map_err(|error| Problem::unavailable(&error))?;
    if signature.fits(body, secret.expose_secret(), now) {
        return Ok(());
    }
    // Not read anew for each forgery: a secret that was changed is read by the next environment, and the
    // gateway signs with the old one as well for as long as it was told to.
    Err(refused())
}

/// Stores where a pending payment stands at the gateway by now, and wakes its saga if that waits.
async fn look_after(
    service: &GatewayPayments,
    payment: &StoredPayment,
    intent: &str,
) -> Result<(), Problem> {
    if payment.status != PaymentStatus::Pending {
        return Ok(());
    }
    let truth = service
        .gateway
        .read(intent)
        .await
        .map_err(|error| failed(&error))?;
    let charge = payment.amount.map(|amount| Charge {
        order_id: payment.order_id,
        customer_id: payment.customer_id,
        amount,
    });
    let (payments, id) = (&service.payments, payment.order_id);
    match (truth, charge) {
        (IntentStatus::Succeeded, Some(charge)) => {
            let event = charge.charged(clock::now());
            payments.store_charged(id, intent, event).await?;
        }
        (IntentStatus::Declined(code), Some(charge)) => {
            let event = charge.declined(code.clone(), clock::now());
            payments
                .store_declined(id, Some(intent), &code, event)
                .await?;
        }
        (IntentStatus::NeedsAction, _) => return Ok(()),
        // The saga learns by itself how it goes on.
        _ => {}
    }
    if let Some(token) = &payment.task_token {
        let woken = service.waiting.wake(token).await;
        woken.map_err(|error| Problem::unavailable(&error))?;
    }
    Ok(())
}

fn failed(error: &GatewayError) -> Problem {
    if error.is_transient() {
        Problem::unavailable(error)
    } else {
        Problem::internal(error)
    }
}
