//! [Webhooks](https://docs.stripe.com/webhooks): events as the gateway tells them, signed.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use uuid::Uuid;

/// The body of an event about an intent.
pub(super) fn event(kind: &str, intent: &Value, at: i64) -> String {
    let event = json!({
        "id": format!("evt_{}", Uuid::new_v4().simple()),
        "object": "event",
        "created": at,
        "data": {"object": intent},
        "livemode": false,
        "pending_webhooks": 1,
        "type": kind,
    });
    event.to_string()
}

/// The `Stripe-Signature` of a body that is sent at this time.
pub(super) fn signature(body: &str, secret: &str, at: i64) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key may have any length");
    mac.update(format!("{at}.{body}").as_bytes());
    let digest = mac.finalize().into_bytes();
    format!("t={at},v1={}", hex::encode(digest))
}
