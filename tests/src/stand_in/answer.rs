//! What the gateway answers, before it becomes HTTP: an object, or an error in Stripe's envelope.

use std::time::Duration;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use super::cards::Decline;

/// An answer that can be given more than once.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    status: StatusCode,
    body: Value,
    retry_after: Option<u64>,
    replayed: bool,
}

impl Answer {
    /// The same answer to a repeat.
    pub(super) fn replayed(mut self) -> Self {
        self.replayed = true;
        self
    }
}

impl From<Result<Value, Refusal>> for Answer {
    fn from(outcome: Result<Value, Refusal>) -> Self {
        match outcome {
            Ok(body) => Self {
                status: StatusCode::OK,
                body,
                retry_after: None,
                replayed: false,
            },
            Err(refusal) => refusal.into(),
        }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        Self {
            status: refusal.status,
            body: json!({"error": refusal.error}),
            retry_after: refusal.retry_after,
            replayed: false,
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        let headers = response.headers_mut();
        if self.replayed {
            headers.insert("idempotent-replayed", HeaderValue::from_static("true"));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// A no, or a failure.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    error: Map<String, Value>,
    retry_after: Option<u64>,
}

impl Refusal {
    /// The request makes no sense, or not as things stand.
    pub(super) fn invalid(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request_error", message)
    }

    /// There is no object of this kind under this id; a parameter named it.
    pub(super) fn no_such(kind: &str, id: &str, parameter: &str) -> Self {
        Self::invalid(&format!("No such {kind}: '{id}'"))
            .code("resource_missing")
            .parameter(parameter)
    }

    /// There is no object of this kind under this id; the address named it.
    pub(super) fn not_found(kind: &str, id: &str, parameter: &str) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            ..Self::no_such(kind, id, parameter)
        }
    }

    /// There is nothing at this address.
    pub(super) fn no_such_address(method: &str, path: &str) -> Self {
        let message = format!("Unrecognized request URL ({method}: {path}).");
        Self::new(StatusCode::NOT_FOUND, "invalid_request_error", &message)
    }

    /// The secret key is missing or wrong.
    pub(super) fn unauthorised() -> Self {
        let message = "Invalid API Key provided.";
        Self::new(StatusCode::UNAUTHORIZED, "invalid_request_error", message)
    }

    /// The card or its bank said no.
    pub(super) fn declined(decline: &Decline) -> Self {
        Self {
            status: StatusCode::PAYMENT_REQUIRED,
            error: decline.error(),
            retry_after: None,
        }
    }

    /// Too many requests.
    pub(super) fn throttled(retry_after: Duration) -> Self {
        let message = "Request rate limit exceeded.";
        let refusal = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "invalid_request_error",
            message,
        );
        Self {
            retry_after: Some(retry_after.as_secs()),
            ..refusal.code("rate_limit")
        }
    }

    /// The gateway itself failed.
    pub(super) fn broken() -> Self {
        let message = "An unknown error occurred.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "api_error", message)
    }

    /// The key's first request is still at work.
    pub(super) fn key_in_use() -> Self {
        let message = "There is currently another in-progress request using this idempotency key.";
        Self::new(StatusCode::CONFLICT, "idempotency_error", message).code("idempotency_key_in_use")
    }

    /// The key's first request was another one.
    pub(super) fn key_reused() -> Self {
        let message = "Keys for idempotent requests can only be used with the same endpoint and the \
                       same parameters they were first used with.";
        Self::new(StatusCode::BAD_REQUEST, "idempotency_error", message)
    }

    /// With Stripe's word for it.
    pub(super) fn code(self, code: &str) -> Self {
        self.with("code", code)
    }

    /// With the parameter that is at fault.
    pub(super) fn parameter(self, name: &str) -> Self {
        self.with("param", name)
    }

    /// With a further member.
    pub(super) fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.error.insert(member.to_owned(), value.into());
        self
    }

    fn new(status: StatusCode, kind: &str, message: &str) -> Self {
        let refusal = Self {
            status,
            error: Map::new(),
            retry_after: None,
        };
        refusal.with("type", kind).with("message", message)
    }
}
