//! What the stand-in for AWS and the payment gateway answers to each function: `replies/<function>.json`.

use std::{collections::BTreeMap, fs, path::Path};

use hyper::body::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::failure::Failure;

/// How a function's sample event is to go.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Play {
    /// The HTTP status of the success path, where it isn't below 400.
    pub(crate) status: Option<u64>,
    /// The replies by operation; see [`Replies`].
    pub(crate) replies: BTreeMap<String, Value>,
}

impl Play {
    /// That of the function `name`. Without a file of its own it needs no replies but empty ones.
    pub(crate) fn read(folder: &Path, name: &str) -> Result<Self, Failure> {
        let file = folder.join(format!("{name}.json"));
        match fs::read(&file) {
            Ok(text) => serde_json::from_slice(&text).map_err(Failure::file(&file)),
            Err(_) => Ok(Self::default()),
        }
    }

    /// Whether `answer` to `event` is that of the success path.
    pub(crate) fn is_success(&self, event: &Value, answer: &Value) -> bool {
        if event["routeKey"].is_string() && event["type"].is_null() {
            let status = answer["statusCode"].as_u64();
            return match self.status {
                Some(expected) => status == Some(expected),
                None => status.is_some_and(|status| status < 400),
            };
        }
        answer["batchItemFailures"]
            .as_array()
            .is_none_or(Vec::is_empty)
    }
}

/// The replies as they are sent.
///
/// An operation is named as the AWS SDK names it (`GetItem`), and by method and path where the protocol has no names
/// (`POST /v1/payment_intents`). A list holds the replies to the first, second, … call of an invocation, the last of
/// them also to those after it; a text is sent as it is; everything else is sent as JSON, with the items of a table in
/// DynamoDB's own spelling.
pub(crate) struct Replies {
    by_operation: BTreeMap<String, Vec<Bytes>>,
}

impl Replies {
    /// Those of `play`.
    pub(crate) fn new(play: &Play) -> Self {
        let sent = |reply: &Value| match reply {
            Value::String(text) => Bytes::from(text.clone()),
            json => Bytes::from(spelt(json).to_string()),
        };
        let by_operation = play.replies.iter().map(|(operation, reply)| {
            let replies = match reply {
                Value::Array(replies) => replies.iter().map(sent).collect(),
                reply => vec![sent(reply)],
            };
            (operation.clone(), replies)
        });
        Self {
            by_operation: by_operation.collect(),
        }
    }

    /// The reply to the call of `operation` that `earlier` ones of the same invocation precede. Writes that hold no
    /// surprise are answered with nothing.
    pub(crate) fn to(&self, operation: &str, earlier: usize) -> Bytes {
        let replies = self.by_operation.get(operation);
        let reply = replies.and_then(|replies| replies.get(earlier).or(replies.last()));
        reply.cloned().unwrap_or_else(|| Bytes::from_static(b"{}"))
    }
}

/// A reply with the items in it as DynamoDB spells them: `{"S": "text"}`.
fn spelt(reply: &Value) -> Value {
    let Value::Object(fields) = reply else {
        return reply.clone();
    };
    let field = |(name, value): (&String, &Value)| {
        let value = match (name.as_str(), value) {
            ("Item" | "Attributes", Value::Object(item)) if item.contains_key("pk") => {
                spelt_item(item)
            }
            ("Items", items) => spelt_items(items),
            ("Responses", Value::Object(tables)) => {
                let table = |(name, items): (&String, &Value)| (name.clone(), spelt_items(items));
                tables.iter().map(table).collect()
            }
            (_, value) => value.clone(),
        };
        (name.clone(), value)
    };
    fields.iter().map(field).collect()
}

fn spelt_items(items: &Value) -> Value {
    let items = items.as_array().into_iter().flatten();
    items.filter_map(Value::as_object).map(spelt_item).collect()
}

fn spelt_item(item: &Map<String, Value>) -> Value {
    let attribute = |(name, value): (&String, &Value)| (name.clone(), spelt_value(value));
    item.iter().map(attribute).collect()
}

fn spelt_value(value: &Value) -> Value {
    match value {
        Value::Null => json!({"NULL": true}),
        Value::Bool(truth) => json!({"BOOL": truth}),
        Value::Number(number) => json!({"N": number.to_string()}),
        Value::String(text) => json!({"S": text}),
        Value::Array(values) => json!({"L": values.iter().map(spelt_value).collect::<Value>()}),
        Value::Object(map) => json!({"M": spelt_item(map)}),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn replies(json: &Value) -> Replies {
        Replies::new(&serde_json::from_value(json!({"replies": json})).unwrap())
    }

    #[test]
    fn a_list_of_replies_is_gone_through_and_ends_with_its_last() {
        let replies = replies(&json!({"GetItem": [{"a": 1}, {"b": 2}]}));
        assert_eq!(replies.to("GetItem", 0), r#"{"a":1}"#);
        assert_eq!(replies.to("GetItem", 1), r#"{"b":2}"#);
        assert_eq!(replies.to("GetItem", 7), r#"{"b":2}"#);
    }

    #[test]
    fn items_are_spelt_as_dynamodb_does_and_nothing_else_is() {
        let item =
            json!({"pk": "A", "price": {"amount": 5}, "tags": ["x"], "open": true, "end": null});
        let replies = replies(&json!({
            "GetItem": {"Item": item},
            "BatchGetItem": {"Responses": {"table": [{"pk": "A"}]}},
            "GetQueueAttributes": {"Attributes": {"QueueArn": "arn"}},
        }));
        let sent = |operation| serde_json::from_slice::<Value>(&replies.to(operation, 0)).unwrap();
        let spelt = json!({
            "pk": {"S": "A"},
            "price": {"M": {"amount": {"N": "5"}}},
            "tags": {"L": [{"S": "x"}]},
            "open": {"BOOL": true},
            "end": {"NULL": true},
        });
        assert_eq!(sent("GetItem"), json!({"Item": spelt}));
        assert_eq!(
            sent("BatchGetItem"),
            json!({"Responses": {"table": [{"pk": {"S": "A"}}]}})
        );
        assert_eq!(
            sent("GetQueueAttributes"),
            json!({"Attributes": {"QueueArn": "arn"}})
        );
    }

    #[test]
    fn what_no_reply_is_written_for_is_answered_with_nothing() {
        assert_eq!(replies(&json!({})).to("PutItem", 0), "{}");
    }

    #[test]
    fn an_http_answer_is_a_success_below_400_or_as_written() {
        let event = json!({"routeKey": "GET /"});
        let answer = |status: u64| json!({"statusCode": status});
        let play = Play::default();
        assert!(play.is_success(&event, &answer(202)));
        assert!(!play.is_success(&event, &answer(503)));
        let refusing = Play {
            status: Some(404),
            ..Play::default()
        };
        assert!(refusing.is_success(&event, &answer(404)));
        assert!(!refusing.is_success(&event, &answer(200)));
    }

    #[test]
    fn a_batch_is_a_success_when_no_message_comes_again() {
        let play = Play::default();
        let event = json!({"Records": []});
        assert!(play.is_success(&event, &json!({"batchItemFailures": []})));
        assert!(!play.is_success(
            &event,
            &json!({"batchItemFailures": [{"itemIdentifier": "1"}]})
        ));
    }
}
