//! The shop's own HTTP API, as a client sees it.

use serde_json::Value;

use crate::failure::{Failure, Outcome};
use crate::loopback::{Answer, Client};

/// The shop.
pub(crate) struct Shop {
    client: Client,
    base: String,
}

/// One call of the API.
pub(crate) struct Call {
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Shop {
    /// The shop at `base`.
    pub(crate) fn at(base: &str) -> Self {
        Self {
            client: Client::new(),
            base: base.to_owned(),
        }
    }

    /// Makes a call. Anything but one of the `expected` status codes is a failure.
    pub(crate) fn call(&self, call: &Call, expected: &[u16]) -> Outcome<Answer> {
        let headers: Vec<_> = call
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let answer = self.client.send(
            call.method,
            &format!("{}{}", self.base, call.path),
            &headers,
            &call.body,
        )?;
        if expected.contains(&answer.status) {
            return Ok(answer);
        }
        let what = format!(
            "{call} answered {} where {} was due: {}",
            answer.status,
            expected
                .iter()
                .map(u16::to_string)
                .collect::<Vec<_>>()
                .join(" or "),
            answer.text
        );
        Err(Failure::new(what).advice("The functions' own words: cargo xtask logs"))
    }

    /// Signs in and answers the access token.
    pub(crate) fn sign_in(&self, email: &str, password: &str) -> Outcome<Answer> {
        let body = serde_json::json!({"email": email, "password": password});
        self.call(&Call::new("POST", "/auth/login").with_body(&body), &[200])
    }
}

impl Call {
    /// A call without anything.
    pub(crate) fn new(method: &'static str, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            headers: Vec::new(),
            body: String::new(),
        }
    }

    /// Made by whom this access token was given to.
    pub(crate) fn by(self, token: &str) -> Self {
        self.with("authorization", format!("Bearer {token}"))
    }

    /// Done once, however often it is made.
    pub(crate) fn once(self, key: &str) -> Self {
        self.with("idempotency-key", key.to_owned())
    }

    /// About things as they are now: products are otherwise shown as they were read a few seconds ago.
    pub(crate) fn anew(self) -> Self {
        self.with("cache-control", "no-cache".to_owned())
    }

    /// With a JSON body.
    pub(crate) fn with_body(mut self, body: &Value) -> Self {
        self.body = body.to_string();
        self.with("content-type", "application/json".to_owned())
    }

    fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}
