//! [Webhooks](https://docs.stripe.com/webhooks): events as the gateway tells them, signed.

use serde_json::{Value, json};
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
