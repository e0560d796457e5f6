//! What a message in a queue of what was given up says: what it is about, and why it is there. Pure.

use oxcart_domain::{Event, EventId, OrderId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How much of a message is shown that isn't one of ours.
const GLIMPSE: usize = 60;

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Says {
    /// The event's type; else what kind of message it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is about.
    pub about: String,
    /// Why it is here, as far as it says so itself.
    pub cause: String,
    /// The order that it is about, if it is about one.
    #[serde(skip)]
    pub order: Option<OrderId>,
    /// The trace in which its event happened.
    #[serde(skip)]
    pub trace: Option<String>,
    /// What can be done with it.
    #[serde(skip)]
    pub holds: Held,
}

/// What a message holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// A domain event, or what was to be one.
    Event,
    /// An order that a saga gave up.
    Order(OrderId),
    /// Where a record is whose event could not be published.
    Record {
        /// The table that it is in.
        table: String,
        /// Its item's key.
        key: String,
        /// Which event it was, if it was one.
        event: Option<EventId>,
    },
    /// When the records were written whose events could not be published.
    Batch {
        /// The table that they are in.
        table: String,
        /// The time of the first one.
        first: Timestamp,
        /// The time of the last one.
        last: Timestamp,
        /// How many they are.
        records: u64,
    },
    /// Something else.
    Unknown,
}

#[derive(Deserialize)]
struct ParkedOrder {
    order_id: OrderId,
    state: String,
    error: String,
}

impl Says {
    /// Reads a message's body.
    #[must_use]
    pub fn read(body: &str) -> Self {
        let Ok(json) = serde_json::from_str::<Value>(body) else {
            return Self::unknown(body, "it is not JSON");
        };
        parked_order(&json)
            .or_else(|| event(&json, body))
            .or_else(|| batch(&json))
            .or_else(|| record(&json))
            .unwrap_or_else(|| Self::unknown(body, "it is no event of ours"))
    }

    fn unknown(body: &str, cause: &str) -> Self {
        Self {
            kind: "unknown".to_owned(),
            about: glimpse(body),
            cause: cause.to_owned(),
            order: None,
            trace: None,
            holds: Held::Unknown,
        }
    }
}

fn parked_order(json: &Value) -> Option<Says> {
    let parked = ParkedOrder::deserialize(json).ok()?;
    Some(Says {
        kind: "parked-order".to_owned(),
        about: format!("order {}", parked.order_id),
        cause: format!("{} kept failing with {}", parked.state, parked.error),
        order: Some(parked.order_id),
        trace: None,
        holds: Held::Order(parked.order_id),
    })
}

fn event(json: &Value, body: &str) -> Option<Says> {
    let text = |name: &str| json.get(name).and_then(Value::as_str);
    json.get("specversion")?;
    let cause = match serde_json::from_str::<Event>(body) {
        Ok(_) => "its consumer kept failing, and its logs say why, or nobody could hand it to the consumer".to_owned(),
        Err(error) => format!("it is malformed: {}", without_values(&error.to_string())),
    };
    Some(Says {
        kind: text("type").unwrap_or("unknown").to_owned(),
        about: text("subject").unwrap_or_default().to_owned(),
        cause,
        order: json
            .pointer("/data/order_id")
            .and_then(Value::as_str)
            .and_then(|id| id.parse().ok()),
        trace: text("traceparent").and_then(trace_in),
        holds: Held::Event,
    })
}

/// What `relay-events` parks: one record.
fn record(json: &Value) -> Option<Says> {
    let text = |pointer: &str| json.pointer(pointer).and_then(Value::as_str);
    let reason = text("/reason")?;
    let key = text("/keys/pk/S").or_else(|| text("/keys/pk"))?;
    let table = text("/event_source_arn")
        .and_then(table_in)
        .unwrap_or_default();
    Some(Says {
        kind: "parked-record".to_owned(),
        about: format!("{key} of {table}"),
        cause: reason.to_owned(),
        order: order_in(key),
        trace: None,
        holds: Held::Record {
            table: table.to_owned(),
            key: key.to_owned(),
            event: text("/event_id").and_then(|id| id.parse().ok()),
        },
    })
}

/// What Lambda parks: [the position of a batch](https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html)
/// that was tried for too long.
fn batch(json: &Value) -> Option<Says> {
    let info = json.get("DDBStreamBatchInfo")?;
    let text = |name: &str| info.get(name).and_then(Value::as_str);
    let time = |name: &str| Timestamp::try_from(text(name)?.to_owned()).ok();
    let table = text("streamArn").and_then(table_in)?;
    let first = time("approximateArrivalOfFirstRecord")?;
    let last = time("approximateArrivalOfLastRecord")?;
    let records = info.get("batchSize").and_then(Value::as_u64).unwrap_or(0);
    let condition = json.pointer("/requestContext/condition");
    Some(Says {
        kind: "parked-batch".to_owned(),
        about: format!("{records} records of {table}, {first} to {last}"),
        cause: condition
            .and_then(Value::as_str)
            .unwrap_or("unknown")
            .to_owned(),
        order: None,
        trace: None,
        holds: Held::Batch {
            table: table.to_owned(),
            first,
            last,
            records,
        },
    })
}

/// The order in the key of its item, of its reservation or of its payment.
fn order_in(key: &str) -> Option<OrderId> {
    let (kind, id) = key.split_once('#')?;
    let is_of_order = ["ORDER", "RESERVATION", "PAYMENT"].contains(&kind);
    id.parse().ok().filter(|_| is_of_order)
}

/// The trace's id in a `traceparent`.
fn trace_in(traceparent: &str) -> Option<String> {
    let trace = traceparent.split('-').nth(1)?;
    let is_one = trace.len() == 32 && trace.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_one.then(|| trace.to_owned())
}

/// The table in the ARN of its stream.
fn table_in(arn: &str) -> Option<&str> {
    arn.split_once(":table/")?.1.split('/').next()
}

/// A parser's words without what it quotes, which may be somebody's address.
fn without_values(words: &str) -> String {
    let said = words.split('"').step_by(2);
    said.collect::<Vec<_>>().join("…")
}

/// The beginning of a text, on one line.
fn glimpse(text: &str) -> String {
    let line = |letter: char| if letter.is_control() { ' ' } else { letter };
    let mut glimpse: String = text.chars().take(GLIMPSE).map(line).collect();
    if text.chars().count() > GLIMPSE {
        glimpse.push('…');
    }
    glimpse
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ORDER: &str = "00000000-0000-0000-0000-000000000001";
    const STREAM: &str =
        "arn:aws:dynamodb:us-east-1:1:table/shop-Orders-1/stream/2026-01-01T00:00:00.000";

    fn says(message: &Value) -> Says {
        Says::read(&message.to_string())
    }

    #[test]
    fn a_parked_order_says_what_kept_failing() {
        let says = says(&json!({
            "order_id": ORDER, "execution_arn": "arn", "state": "RefundPayment", "error": "Internal",
        }));
        assert_eq!(says.holds, Held::Order(ORDER.parse().unwrap()));
        assert_eq!(says.cause, "RefundPayment kept failing with Internal");
    }

    #[test]
    fn an_event_says_what_is_wrong_with_it() {
        let mut event = json!({
            "specversion": "1.0", "id": ORDER, "source": "/oxcart/orders", "type": "order.cancelled",
            "subject": ORDER, "time": "2026-03-01T09:30:00.250Z", "datacontenttype": "application/json",
            "data": {"order_id": ORDER, "customer_id": ORDER},
        });
        let whole = says(&event);
        assert!(whole.cause.contains("consumer kept failing"), "{whole:?}");
        assert_eq!((&*whole.kind, &*whole.about), ("order.cancelled", ORDER));
        assert_eq!((whole.order, whole.trace), (ORDER.parse().ok(), None));
        event["traceparent"] = json!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        let traced = says(&event).trace;
        assert_eq!(traced.as_deref(), Some("0af7651916cd43dd8448eb211c80319c"));

        event["data"] = json!({"order_id": ORDER});
        let broken = says(&event);
        assert_eq!(broken.kind, "order.cancelled");
        assert!(broken.cause.contains("customer_id"), "{broken:?}");

        event["time"] = json!("ada@example.org");
        let broken = says(&event);
        assert!(!broken.cause.contains("ada"), "{broken:?}");
    }

    #[test]
    fn what_is_parked_of_an_order_names_it() {
        for (key, order) in [
            (format!("ORDER#{ORDER}"), ORDER.parse().ok()),
            (format!("PAYMENT#{ORDER}"), ORDER.parse().ok()),
            (format!("USER#{ORDER}"), None),
            ("PRODUCT#tea".to_owned(), None),
        ] {
            let keys = json!({"pk": {"S": key}});
            let record = says(&json!({"reason": "?", "event_source_arn": STREAM, "keys": keys}));
            assert_eq!(record.order, order, "{key}");
        }
    }

    #[test]
    fn parked_records_and_batches_say_where_they_are() {
        let record = says(&json!({
            "reason": "the outbox holds no event", "event_source_arn": STREAM, "sequence_number": "7",
            "event_id": ORDER,
            "keys": {"pk": {"S": "ORDER#1"}},
        }));
        let (table, key) = ("shop-Orders-1".to_owned(), "ORDER#1".to_owned());
        let event = ORDER.parse().ok();
        assert_eq!(record.holds, Held::Record { table, key, event });
        assert_eq!(record.cause, "the outbox holds no event");

        let batch = says(&json!({
            "requestContext": {"condition": "MaximumRecordAgeExceeded"},
            "DDBStreamBatchInfo": {
                "approximateArrivalOfFirstRecord": "2026-03-01T09:30:00Z",
                "approximateArrivalOfLastRecord": "2026-03-01T09:30:05Z",
                "batchSize": 3,
                "streamArn": STREAM,
            },
        }));
        assert_eq!(batch.cause, "MaximumRecordAgeExceeded");
        assert!(matches!(batch.holds, Held::Batch { table, .. } if table == "shop-Orders-1"));
    }

    #[test]
    fn of_what_is_not_ours_a_glimpse_is_shown() {
        let text = Says::read(&format!("not JSON\n{}", "x".repeat(100)));
        assert_eq!(text.cause, "it is not JSON");
        assert_eq!(text.about.chars().count(), GLIMPSE + 1);
        assert!(!text.about.contains('\n'));
        assert_eq!(says(&json!({"note": 1})).cause, "it is no event of ours");
    }
}
