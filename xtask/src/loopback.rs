//! HTTP to this machine: the local cloud, the payment stand-in and the shop's own API. No TLS, no proxy.

use std::time::{Duration, Instant};

use serde_json::Value;
use ureq::http::{Request, Response};
use ureq::{Agent, Body};

use crate::failure::{Explain, Outcome};

/// How long any one call may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// An HTTP client.
#[derive(Clone)]
pub(crate) struct Client {
    agent: Agent,
}

/// What a server said.
pub(crate) struct Answer {
    /// The status code.
    pub(crate) status: u16,
    /// The body as it came.
    pub(crate) text: String,
    /// The body, or null when it isn't JSON.
    pub(crate) json: Value,
    /// How long it took.
    pub(crate) took: Duration,
    response: Response<()>,
}

impl Client {
    /// A client whose calls may take at most `patience`.
    pub(crate) fn new() -> Self {
        // An answer is an answer, whatever its status. A proxy has no business with this machine's own addresses.
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .max_redirects(0)
            .timeout_global(Some(PATIENCE));
        Self {
            agent: config.build().into(),
        }
    }

    /// Sends a request and reads the whole answer.
    pub(crate) fn send(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Outcome<Answer> {
        let what = || format!("{method} {url} got no answer");
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let started = Instant::now();
        let response = if body.is_empty() {
            self.agent.run(request.body(()).explain(what)?)
        } else {
            self.agent.run(request.body(body).explain(what)?)
        };
        let (head, mut body): (_, Body) = response.explain(what)?.into_parts();
        let text = body.read_to_string().explain(what)?;
        Ok(Answer {
            status: head.status.as_u16(),
            json: serde_json::from_str(&text).unwrap_or_default(),
            text,
            took: started.elapsed(),
            response: Response::from_parts(head, ()),
        })
    }
}

impl Answer {
    /// The value of a header, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.response.headers().get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// A text out of the JSON body, or nothing.
    pub(crate) fn text_at(&self, pointer: &str) -> &str {
        self.json
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// A whole number out of the JSON body.
    pub(crate) fn number_at(&self, pointer: &str) -> Option<i64> {
        self.json.pointer(pointer).and_then(Value::as_i64)
    }
}
