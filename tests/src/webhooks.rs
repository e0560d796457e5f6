//! Webhooks as the payment gateway sends them: events under
//! [a signature](https://docs.stripe.com/webhooks#verify-manually) of the time and the body, made with the
//! secret that it shares with the stack.

use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use uuid::Uuid;

use crate::{
    api::{Answer, Call},
    stack::Stack,
};

/// An event that tells of an order's intent, as far as anybody reads it. No other has its id.
pub fn event_about(kind: &str, intent: &str, order_id: &str) -> Value {
    json!({
        "id": format!("evt_{}", Uuid::new_v4().simple()),
        "object": "event",
        "type": kind,
        "data": {
            "object": {
                "id": intent,
                "object": "payment_intent",
                "metadata": {"order_id": order_id},
            },
        },
    })
}

/// An event that tells of a refund that had been taken and failed later.
pub fn failed_refund_of(intent: &str) -> Value {
    let id = Uuid::new_v4().simple();
    json!({
        "id": format!("evt_{id}"),
        "object": "event",
        "type": "refund.failed",
        "data": {
            "object": {"id": format!("re_{id}"), "object": "refund", "payment_intent": intent},
        },
    })
}

/// The `Stripe-Signature` of a body, made with `secret` so many seconds after the Unix epoch.
pub fn signature(body: &str, secret: &str, at: i64) -> String {
    let key = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
    let mut mac = key.expect("a key of any length");
    mac.update(format!("{at}.{body}").as_bytes());
    format!("t={at},v1={}", hex::encode(mac.finalize().into_bytes()))
}

/// Now, in seconds since the Unix epoch.
#[expect(
    clippy::disallowed_methods,
    reason = "a signature holds for minutes, by the clock on the wall"
)]
pub fn seconds_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = since.expect("a time after the epoch").as_secs();
    i64::try_from(seconds).expect("a time within reach")
}

impl Stack {
    /// What the gateway signs its webhooks with.
    pub fn webhook_secret(&self) -> &str {
        self.setting("PAYMENT_WEBHOOK_SECRET")
    }

    /// `POST /webhooks/payments` with this body and without a signature, not sent yet.
    pub fn unsigned_webhook(&self, body: &str) -> Call {
        let call = self.api.post("/webhooks/payments");
        call.body("application/json; charset=utf-8", body)
    }

    /// The webhook that tells of this event, signed just now, not sent yet.
    pub fn webhook(&self, event: &Value) -> Call {
        let body = event.to_string();
        let signature = signature(&body, self.webhook_secret(), seconds_now());
        self.unsigned_webhook(&body)
            .header("Stripe-Signature", &signature)
    }

    /// Tells the stack of this event, as the gateway would: again, as long as it is told to come again.
    pub async fn ring(&self, event: &Value) -> Answer {
        self.webhook(event).served().await
    }
}
