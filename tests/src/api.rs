//! The HTTP API as a caller sees it: requests, answers, problem documents. Knows no route.

use std::{io::Read as _, time::Duration};

use brotli_decompressor::Decompressor;
use flate2::read::GzDecoder;
use reqwest::{
    Client, Method, RequestBuilder,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::{canaries, eventually::PATIENCE};

/// The API at its base URL.
pub struct Api {
    base: String,
    http: Client,
}

impl Api {
    /// The API that answers under `base`.
    pub fn at(base: &str) -> Self {
        let http = Client::builder()
            .timeout(Duration::from_mins(1))
            .build()
            .expect("an HTTP client");
        Self {
            base: base.trim_end_matches('/').to_owned(),
            http,
        }
    }

    /// `HEAD path`
    pub fn head(&self, path: &str) -> Call {
        self.call(Method::HEAD, path)
    }

    /// `GET path`
    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    /// `POST path`
    pub fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }

    /// `PUT path`
    pub fn put(&self, path: &str) -> Call {
        self.call(Method::PUT, path)
    }

    /// `PATCH path`
    pub fn patch(&self, path: &str) -> Call {
        self.call(Method::PATCH, path)
    }

    /// `DELETE path`
    pub fn delete(&self, path: &str) -> Call {
        self.call(Method::DELETE, path)
    }

    /// A request of whatever method, for paths that aren't made for it.
    pub fn of_method(&self, method: &str, path: &str) -> Call {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        self.call(method, path)
    }

    fn call(&self, method: Method, path: &str) -> Call {
        Call {
            what: format!("{method} {path}"),
            request: self.http.request(method, format!("{}{path}", self.base)),
        }
    }
}

/// A request that is being put together.
#[must_use = "a call does nothing until it is sent"]
pub struct Call {
    what: String,
    request: RequestBuilder,
}

impl Call {
    /// Signed in with this access token.
    pub fn bearer(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    /// With this header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// With this `Idempotency-Key`.
    pub fn key(self, key: &str) -> Self {
        self.header("Idempotency-Key", key)
    }

    /// About things as they are now: products are otherwise shown as they were read a few seconds ago.
    pub fn anew(self) -> Self {
        self.header("Cache-Control", "no-cache")
    }

    /// With these query parameters.
    pub fn query(mut self, parameters: &[(&str, &str)]) -> Self {
        self.request = self.request.query(parameters);
        self
    }

    /// With this JSON body.
    pub fn json(self, body: &Value) -> Self {
        canaries::plant(body.to_string().as_bytes());
        self.body("application/json", body.to_string())
    }

    /// With this body of this type.
    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.request = self
            .request
            .header("Content-Type", content_type)
            .body(body.into());
        self
    }

    /// Sends it, and again as long as it is asked to come again later, as who uses the API does. For what does no harm
    /// twice: a read, a login that succeeds, what has a key.
    pub async fn served(self) -> Answer {
        let Self { what, request } = self;
        let began = Instant::now();
        loop {
            let again = Self {
                what: what.clone(),
                request: request.try_clone().expect("a body that is no stream"),
            };
            let answer = again.send().await;
            let later = answer
                .header("Retry-After")
                .and_then(|text| text.parse().ok());
            match later.map(Duration::from_secs) {
                Some(later) if answer.status == 503 && began.elapsed() < PATIENCE => {
                    sleep(later).await;
                }
                _ => return answer,
            }
        }
    }

    /// Sends it.
    pub async fn send(self) -> Answer {
        let what = self.what;
        let response = self
            .request
            .send()
            .await
            .unwrap_or_else(|error| panic!("{what} got no answer: {error:?}"));
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = response
            .bytes()
            .await
            .unwrap_or_else(|error| panic!("{what}: the answer broke off: {error}"))
            .to_vec();
        canaries::plant(&body);
        Answer {
            what,
            status,
            headers,
            body,
        }
    }
}

/// What the API answered.
#[derive(Debug)]
pub struct Answer {
    /// The request, for messages.
    pub what: String,
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

impl Answer {
    /// What a function answered that was asked as the gateway would ask it.
    pub fn of_function(what: String, answer: &Value) -> Self {
        let status = answer["statusCode"].as_u64().expect("a status code");
        let headers = answer["headers"].as_object().expect("headers");
        let headers = headers.iter().map(|(name, value)| {
            let value = value.as_str().expect("a header of text");
            (
                HeaderName::from_bytes(name.as_bytes()).expect("a header's name"),
                HeaderValue::from_str(value).expect("a header's value"),
            )
        });
        Self {
            what,
            status: u16::try_from(status).expect("a status code"),
            headers: headers.collect(),
            body: answer["body"].as_str().unwrap_or_default().into(),
        }
    }

    /// The answer, which must have this status.
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(
            self.status,
            status,
            "{} answered {}",
            self.what,
            self.text()
        );
        self
    }

    /// The body without its content coding.
    pub fn decoded(&self) -> Vec<u8> {
        let (coded, mut decoded) = (self.body.as_slice(), Vec::new());
        let read = match self.header("Content-Encoding") {
            None => return self.body.clone(),
            Some("gzip") => GzDecoder::new(coded).read_to_end(&mut decoded),
            Some("br") => Decompressor::new(coded, 4096).read_to_end(&mut decoded),
            Some(other) => panic!("{}: nobody asked for {other}", self.what),
        };
        read.unwrap_or_else(|error| panic!("{} broke off: {error}", self.what));
        decoded
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!(
                "{} answered {} with no JSON ({error}): {}",
                self.what,
                self.status,
                self.text()
            )
        })
    }

    /// A header, if it was sent.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("a header of text"))
    }

    /// All items of a header that is a list, in lower case, however many lines it was sent in.
    pub fn items_of(&self, name: &str) -> Vec<String> {
        let lines = self.headers.get_all(name).iter();
        lines
            .flat_map(|line| line.to_str().expect("a header of text").split(','))
            .map(|item| item.trim().to_ascii_lowercase())
            .filter(|item| !item.is_empty())
            .collect()
    }

    /// The body as the problem document that the contract asks for: this status, `/problems/<name>`.
    pub fn problem(&self, status: u16, name: &str) -> Value {
        let (what, text) = (&self.what, self.text());
        assert_eq!(self.status, status, "{what} answered {text}");
        let content_type = self.header("Content-Type").unwrap_or_default();
        assert!(
            content_type.starts_with("application/problem+json"),
            "{what} answered {status} as {content_type:?}: {text}"
        );
        let problem = self.json();
        assert_eq!(
            problem["type"],
            format!("/problems/{name}"),
            "{what} answered {text}"
        );
        assert_eq!(problem["status"], status, "{what} answered {text}");
        for member in ["title", "detail"] {
            let given = problem[member].as_str().unwrap_or_default();
            assert!(
                !given.is_empty(),
                "{what}: a problem without {member}: {text}"
            );
        }
        let trace_id = problem["trace_id"].as_str().unwrap_or_default();
        assert!(
            trace_id.len() == 32 && trace_id.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{what}: a problem without a trace id: {text}"
        );
        problem
    }

    /// The pointers of the fields at fault in a 422 `invalid-request`.
    pub fn fields_at_fault(&self) -> Vec<String> {
        let problem = self.problem(422, "invalid-request");
        let errors = problem["errors"]
            .as_array()
            .unwrap_or_else(|| panic!("{}: no errors in {problem}", self.what));
        errors
            .iter()
            .map(|error| {
                assert!(
                    error["detail"].is_string(),
                    "{}: no detail in {problem}",
                    self.what
                );
                error["pointer"].as_str().expect("a pointer").to_owned()
            })
            .collect()
    }

    /// The one query parameter at fault in a 400 of this type.
    pub fn parameter_at_fault(&self, name: &str) -> String {
        let problem = self.problem(400, name);
        let errors = problem["errors"].as_array();
        let Some([error]) = errors.map(Vec::as_slice) else {
            panic!("{}: not one error in {problem}", self.what);
        };
        assert!(error["detail"].is_string(), "{}: {problem}", self.what);
        assert_eq!(
            error["pointer"],
            Value::Null,
            "{}: a query has no pointers: {problem}",
            self.what
        );
        error["parameter"].as_str().expect("a parameter").to_owned()
    }
}
