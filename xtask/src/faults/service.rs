//! What the two services behind the proxy are asked for: which calls write, and how each says no.

use super::message::Message;

/// A service that functions call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    /// The local cloud.
    Cloud,
    /// The payment gateway.
    Gateway,
}

/// The operations of the cloud that write, besides those that end a task.
const WRITES: [&str; 10] = [
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "TransactWriteItems",
    "BatchWriteItem",
    "SendMessage",
    "SendMessageBatch",
    "StartExecution",
    "StartSyncExecution",
    "PublishBatch",
];

/// The operations of the cloud that end a task, or keep it waiting.
const TASK: &str = "SendTask";

impl Service {
    /// Its name in the admin interface.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Cloud => "cloud",
            Self::Gateway => "gateway",
        }
    }

    /// What a request asks for, without ids.
    pub(super) fn call(self, request: &Message) -> String {
        match self {
            Self::Cloud => operation(request),
            Self::Gateway => {
                let path = request.target().split('?').next().unwrap_or_default();
                let path: Vec<&str> = path
                    .split('/')
                    .map(|part| if is_intent(part) { "{intent}" } else { part })
                    .collect();
                format!("{} {}", request.method(), path.join("/"))
            }
        }
    }

    /// Whether a request changes something.
    pub(super) fn is_write(self, request: &Message) -> bool {
        match self {
            Self::Cloud => {
                let operation = operation(request);
                WRITES.contains(&operation.as_str()) || operation.starts_with(TASK)
            }
            Self::Gateway => request.method() == "POST",
        }
    }

    /// A refusal that a client doesn't answer by asking again: of the cloud, that access is denied; of
    /// the gateway, that it failed.
    pub(super) fn refusal(self, request: &Message) -> Message {
        const WHY: &str = "refused by a rule of the fault proxy";
        match self {
            Self::Gateway => {
                let body = format!(r#"{{"error":{{"type":"api_error","message":"{WHY}"}}}}"#);
                Message::of_our_own("500 Internal Server Error", &[JSON], &body)
            }
            Self::Cloud if is_form(request) => {
                let body = format!(
                    "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>\
                     <Message>{WHY}</Message></Error><RequestId>fault</RequestId></ErrorResponse>"
                );
                let content = ("content-type", "text/xml");
                Message::of_our_own("403 Forbidden", &[content], &body)
            }
            Self::Cloud => {
                let body = format!(r#"{{"__type":"AccessDeniedException","message":"{WHY}"}}"#);
                let headers = [
                    ("content-type", "application/x-amz-json-1.0"),
                    ("x-amzn-errortype", "AccessDeniedException"),
                ];
                Message::of_our_own("400 Bad Request", &headers, &body)
            }
        }
    }

    /// That there were too many requests.
    pub(super) fn throttle(self) -> Message {
        match self {
            Self::Gateway => {
                let body = r#"{"error":{"type":"invalid_request_error","code":"rate_limit"}}"#;
                Message::of_our_own("429 Too Many Requests", &[JSON, ("retry-after", "1")], body)
            }
            Self::Cloud => {
                let body = r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#;
                let headers = [
                    ("content-type", "application/x-amz-json-1.0"),
                    ("x-amzn-errortype", "ThrottlingException"),
                ];
                Message::of_our_own("400 Bad Request", &headers, body)
            }
        }
    }
}

const JSON: (&str, &str) = ("content-type", "application/json");

/// The ids of payment intents in a text.
pub(super) fn intents(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .filter(|word| is_intent(word))
}

fn is_intent(word: &str) -> bool {
    word.starts_with("pi_")
}

/// The operation that a request to the cloud names: in a header, in its form, or else by method and path.
fn operation(request: &Message) -> String {
    if let Some(target) = request.header("x-amz-target") {
        let operation = target.rsplit('.').next().unwrap_or(target);
        return operation.to_owned();
    }
    if is_form(request) {
        let form = String::from_utf8_lossy(request.body());
        let action = form
            .split('&')
            .find_map(|pair| pair.strip_prefix("Action="));
        if let Some(action) = action {
            return action.to_owned();
        }
    }
    format!("{} {}", request.method(), request.target())
}

fn is_form(request: &Message) -> bool {
    let form = |value: &str| value.starts_with("application/x-www-form-urlencoded");
    request.header("content-type").is_some_and(form)
}

#[cfg(test)]
mod tests {
    use super::{Message, Service, intents};

    fn request(text: &str) -> Message {
        Message::request(&mut text.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn what_changes_something_is_a_write() {
        let write =
            request("POST / HTTP/1.1\r\nX-Amz-Target: DynamoDB_20120810.UpdateItem\r\n\r\n");
        let read = request("POST / HTTP/1.1\r\nX-Amz-Target: DynamoDB_20120810.GetItem\r\n\r\n");
        let task =
            request("POST / HTTP/1.1\r\nX-Amz-Target: AWSStepFunctions.SendTaskSuccess\r\n\r\n");
        assert!(Service::Cloud.is_write(&write) && Service::Cloud.is_write(&task));
        assert!(!Service::Cloud.is_write(&read));
        assert!(Service::Gateway.is_write(&request("POST /v1/refunds HTTP/1.1\r\n\r\n")));
        assert!(!Service::Gateway.is_write(&request("GET /v1/refunds HTTP/1.1\r\n\r\n")));
    }

    #[test]
    fn a_form_names_its_action() {
        let head = "POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 38\r\n\r\n";
        let publish = request(&format!("{head}Action=PublishBatch&Version=2010-03-31"));
        assert_eq!(Service::Cloud.call(&publish), "PublishBatch");
        assert!(Service::Cloud.is_write(&publish));
    }

    #[test]
    fn a_call_of_the_gateway_is_told_without_its_intent() {
        let confirm = request("POST /v1/payment_intents/pi_1a2b/confirm HTTP/1.1\r\n\r\n");
        assert_eq!(
            Service::Gateway.call(&confirm),
            "POST /v1/payment_intents/{intent}/confirm"
        );
    }

    #[test]
    fn intents_are_found_in_paths_and_forms() {
        let found = |text| intents(text).collect::<Vec<_>>();
        assert_eq!(found("/v1/payment_intents/pi_1a2b/confirm"), ["pi_1a2b"]);
        assert_eq!(found("payment_intent=pi_3c&limit=100"), ["pi_3c"]);
        assert!(found("metadata[order_id]=api_key").is_empty());
    }
}
