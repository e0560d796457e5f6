//! `GET /operations/queues/{queue}/messages`: what was given up, and why. The messages stay where they are.

use oxcart_domain::{OrderId, Timestamp, user::Role};
use oxcart_http::{Answer, Caller, Problem, Request, StatusCode, json};
use oxcart_operating::{
    Cloud,
    message::{Held, Says},
    queues::Message,
};
use serde::Serialize;

use crate::{
    list_queues::{List, queue_of},
    refusal::refused,
};

/// How many messages are looked at.
const LOOK: usize = 20;

/// A message as the API shows it: never its body, which may hold an e-mail address.
#[derive(Debug, Serialize)]
struct DeadLetter {
    id: String,
    sent_at: Option<Timestamp>,
    receives: u32,
    #[serde(flatten)]
    says: SaysView,
}

/// What it says, as far as it may be shown.
#[derive(Debug, Serialize)]
struct SaysView {
    event_type: Option<String>,
    order_id: Option<OrderId>,
    subject: Option<String>,
    cause: Option<String>,
    trace_id: Option<String>,
}

/// Answers some of a queue's messages, the oldest first.
///
/// # Errors
/// 401; 403 for all but admins; 404 for a queue that there is not.
pub async fn handle(cloud: &Cloud, request: Request) -> Result<Answer, Problem> {
    Caller::who_may(Role::may_operate, &request)?;
    let queue = queue_of(cloud, &request)?;
    let messages = cloud.look(&queue, LOOK).await.map_err(refused)?;
    let items: Vec<DeadLetter> = messages.into_iter().map(DeadLetter::from).collect();
    Ok(json(StatusCode::OK, &List { items })?
        .compressed_for(&request)
        .conditional(&request))
}

impl From<Message> for DeadLetter {
    fn from(message: Message) -> Self {
        Self {
            says: SaysView::from(message.says()),
            id: message.id,
            sent_at: message.sent_at,
            receives: message.receives,
        }
    }
}

impl From<Says> for SaysView {
    fn from(says: Says) -> Self {
        let (event_type, subject) = match says.holds {
            Held::Event => (Some(says.kind), Some(says.about)),
            Held::Order(id) => (None, Some(id.to_string())),
            Held::Record { .. } | Held::Batch { .. } => (None, Some(says.about)),
            // What it is about is the beginning of its body.
            Held::Unknown => (None, None),
        };
        Self {
            event_type: event_type.and_then(without_address),
            order_id: says.order,
            subject: subject.and_then(without_address),
            cause: without_address(says.cause),
            trace_id: says.trace,
        }
    }
}

/// A text that says something and holds no e-mail address: in a message that is malformed, any may.
fn without_address(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty() && !text.contains('@'))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ID: &str = "00000000-0000-4000-8000-000000000001";

    fn shown(body: &str) -> Value {
        serde_json::to_value(SaysView::from(Says::read(body))).unwrap()
    }

    fn registered(subject: &str) -> String {
        json!({
            "specversion": "1.0", "id": ID, "source": "/oxcart/identity", "type": "user.registered",
            "subject": subject, "time": "2026-03-01T09:30:00.250Z", "datacontenttype": "application/json",
            "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "data": {"user_id": ID, "email": "ada@example.org", "name": "Ada", "role": "customer"},
        })
        .to_string()
    }

    #[test]
    fn an_event_shows_its_type_its_subject_and_its_trace() {
        let shown = shown(&registered(ID));
        assert_eq!(shown["event_type"], "user.registered");
        assert_eq!(
            (&shown["subject"], &shown["order_id"]),
            (&json!(ID), &Value::Null)
        );
        assert_eq!(shown["trace_id"], "0af7651916cd43dd8448eb211c80319c");
        assert!(shown["cause"].as_str().unwrap().contains("consumer"));
    }

    #[test]
    fn a_parked_order_shows_which_one_it_is() {
        let parked = json!({"order_id": ID, "state": "RefundPayment", "error": "Internal"});
        let shown = shown(&parked.to_string());
        assert_eq!(shown["order_id"], ID);
        assert_eq!(shown["event_type"], Value::Null);
        assert_eq!(shown["cause"], "RefundPayment kept failing with Internal");
    }

    #[test]
    fn no_address_gets_out_of_a_message() {
        for body in [
            registered("ada@example.org"),
            registered(ID).replace("user.registered", "ada@example.org"),
            registered(ID).replace("customer", "ada@example.org"),
            "ada@example.org is no JSON".to_owned(),
            json!({"to": "ada@example.org"}).to_string(),
            json!({"reason": "ada@example.org", "keys": {"pk": {"S": "EMAIL#ada@example.org"}}})
                .to_string(),
        ] {
            let shown = shown(&body).to_string();
            assert!(!shown.contains("ada"), "{shown}");
        }
    }
}
