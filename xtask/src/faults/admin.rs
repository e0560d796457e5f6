//! How rules are armed and looked at.
//!
//! | call | does |
//! |---|---|
//! | `POST /rules` | arms the rule in the body (see [`Rule::read`]) and answers it with its `id` |
//! | `GET /rules/{id}` | says how often it struck (`hits`), whether it holds a call now (`holding`), and what the calls that it struck asked for |
//! | `GET /rules/{id}/exchanges` | what passed between the callers and the service in the calls that a rule watched (`exchanges`) |
//! | `POST /rules/{id}/release` | lets go what it holds |
//! | `DELETE /rules/{id}` | takes it off |
//! | `GET /rules`, `DELETE /rules` | the same for all |

use std::io::{BufReader, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::book::Book;
use super::message::Message;
use super::rule::Rule;

/// Serves whoever arms rules.
pub(super) fn answer(book: &Book, client: TcpStream) {
    let _ = client.set_nodelay(true);
    let mut client = BufReader::new(client);
    while let Ok(Some(request)) = Message::request(&mut client) {
        let (status, answer) = answer_to(book, &request);
        let content = ("content-type", "application/json");
        let response = Message::of_our_own(status, &[content], &answer.to_string());
        if client.get_mut().write_all(response.bytes()).is_err() || request.is_last() {
            return;
        }
    }
}

fn answer_to(book: &Book, request: &Message) -> (&'static str, Value) {
    let path: Vec<&str> = request.target().trim_matches('/').split('/').collect();
    match (request.method(), path.as_slice()) {
        ("GET", ["rules"]) => ("200 OK", json!({"rules": book.all()})),
        ("DELETE", ["rules"]) => {
            book.disarm_all();
            ("200 OK", json!({"rules": []}))
        }
        ("POST", ["rules"]) => {
            let given: Value = serde_json::from_slice(request.body()).unwrap_or_default();
            match Rule::read(&given) {
                Ok(rule) => found(book.look_up(book.arm(rule))),
                Err(why) => ("400 Bad Request", json!({"error": why})),
            }
        }
        ("GET", ["rules", id]) => found(number(id).and_then(|id| book.look_up(id))),
        ("GET", ["rules", id, "exchanges"]) => found(number(id).and_then(|id| book.exchanges(id))),
        ("DELETE", ["rules", id]) => found(number(id).and_then(|id| book.disarm(id))),
        ("POST", ["rules", id, "release"]) => found(number(id).and_then(|id| book.release(id))),
        _ => found(None),
    }
}

fn number(id: &str) -> Option<u64> {
    id.parse().ok()
}

fn found(rule: Option<Value>) -> (&'static str, Value) {
    match rule {
        Some(rule) => ("200 OK", rule),
        None => ("404 Not Found", json!({"error": "there is no such rule"})),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Book, Message, answer_to};

    fn call(book: &Book, method: &str, path: &str, body: &Value) -> (&'static str, Value) {
        let body = body.to_string();
        let length = body.len();
        let request = format!("{method} {path} HTTP/1.1\r\nContent-Length: {length}\r\n\r\n{body}");
        let request = Message::request(&mut request.as_bytes()).unwrap().unwrap();
        answer_to(book, &request)
    }

    #[test]
    fn a_rule_lives_from_being_armed_to_being_taken_off() {
        let book = Book::default();
        let none = Value::Null;
        let (status, armed) = call(&book, "POST", "/rules", &json!({"action": "kill"}));
        assert_eq!((status, &armed["hits"]), ("200 OK", &json!(0)));
        let path = format!("/rules/{}", armed["id"]);

        assert_eq!(call(&book, "GET", &path, &none).1, armed);
        let (_, released) = call(&book, "POST", &format!("{path}/release"), &none);
        assert_eq!(released["released"], true);
        assert_eq!(call(&book, "DELETE", &path, &none).0, "200 OK");
        assert_eq!(call(&book, "GET", &path, &none).0, "404 Not Found");
        assert_eq!(call(&book, "GET", "/rules", &none).1, json!({"rules": []}));
    }

    #[test]
    fn what_is_no_rule_is_not_armed() {
        let book = Book::default();
        let (status, why) = call(&book, "POST", "/rules", &json!({"action": "explode"}));
        assert_eq!(status, "400 Bad Request");
        assert!(why["error"].as_str().unwrap().contains("explode"));
    }
}
