//! Problem documents: how every refusal and failure is told ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)).

use lambda_http::{
    Body, Response,
    http::{HeaderName, HeaderValue, StatusCode, header},
};
use oxcart_table::TableError;
use oxcart_telemetry::Chain;
use serde::Serialize;

/// A type of problem. The name is part of the contract: clients match on `/problems/<name>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    name: &'static str,
    title: &'static str,
    status: StatusCode,
}

impl Kind {
    /// A problem type of one service.
    #[must_use]
    pub const fn new(name: &'static str, title: &'static str, status: StatusCode) -> Self {
        Self {
            name,
            title,
            status,
        }
    }

    /// The body is no JSON.
    pub const MALFORMED: Self = Self::new(
        "malformed-request",
        "The request is malformed",
        StatusCode::BAD_REQUEST,
    );
    /// The body is not said to be JSON.
    pub const MEDIA_TYPE: Self = Self::new(
        "unsupported-media-type",
        "The body must be application/json",
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
    );
    /// The body is over 64 KiB.
    pub const TOO_LARGE: Self = Self::new(
        "payload-too-large",
        "The body is too large",
        StatusCode::PAYLOAD_TOO_LARGE,
    );
    /// The body is JSON, but not what the operation takes.
    pub const INVALID: Self = Self::new(
        "invalid-request",
        "The request is invalid",
        StatusCode::UNPROCESSABLE_ENTITY,
    );
    /// Nobody is signed in, or the token is no good.
    pub const UNAUTHENTICATED: Self = Self::new(
        "unauthenticated",
        "Sign in to do this",
        StatusCode::UNAUTHORIZED,
    );
    /// The caller's role may not do this.
    pub const FORBIDDEN: Self = Self::new(
        "forbidden",
        "Your role may not do this",
        StatusCode::FORBIDDEN,
    );
    /// There is no such thing, or it isn't the caller's.
    pub const NOT_FOUND: Self =
        Self::new("not-found", "There is no such thing", StatusCode::NOT_FOUND);
    /// The operation needs an `Idempotency-Key` header.
    pub const KEY_REQUIRED: Self = Self::new(
        "idempotency-key-required",
        "An Idempotency-Key header is required",
        StatusCode::BAD_REQUEST,
    );
    /// The `Idempotency-Key` header can't be one.
    pub const KEY_INVALID: Self = Self::new(
        "idempotency-key-invalid",
        "The Idempotency-Key header is invalid",
        StatusCode::BAD_REQUEST,
    );
    /// The key was used for another request before.
    pub const KEY_REUSED: Self = Self::new(
        "idempotency-key-reused",
        "The idempotency key was used for another request",
        StatusCode::UNPROCESSABLE_ENTITY,
    );
    /// The cursor is not one that the caller was given.
    pub const INVALID_CURSOR: Self = Self::new(
        "invalid-cursor",
        "The cursor is invalid",
        StatusCode::BAD_REQUEST,
    );
    /// The limit is not a number from 1 to 100.
    pub const INVALID_LIMIT: Self = Self::new(
        "invalid-limit",
        "The limit is invalid",
        StatusCode::BAD_REQUEST,
    );
    /// A filter of a list can't be one.
    pub const INVALID_FILTER: Self = Self::new(
        "invalid-filter",
        "A filter is invalid",
        StatusCode::BAD_REQUEST,
    );
    /// Something that the operation needs is away for a moment.
    pub const UNAVAILABLE: Self = Self::new(
        "unavailable",
        "Try again in a moment",
        StatusCode::SERVICE_UNAVAILABLE,
    );
    /// Our fault.
    pub const INTERNAL: Self = Self::new(
        "internal",
        "Something went wrong on our side",
        StatusCode::INTERNAL_SERVER_ERROR,
    );
}

/// A refusal or failure on its way to the client.
#[derive(Debug)]
pub struct Problem {
    kind: Kind,
    detail: String,
    errors: Vec<FieldError>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

#[derive(Debug, Serialize)]
struct FieldError {
    #[serde(flatten)]
    place: Place,
    detail: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Place {
    /// In the body, as a JSON pointer (RFC 6901).
    Pointer(String),
    /// In the query.
    Parameter(&'static str),
}

#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    trace_id: String,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

impl Problem {
    /// A problem, with a sentence for the person who reads it. Never an internal message.
    #[must_use]
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            errors: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// Names a field at fault by its JSON pointer (RFC 6901).
    #[must_use]
    pub fn at(self, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        self.blaming(Place::Pointer(pointer.into()), detail.into())
    }

    /// Names a query parameter at fault.
    #[must_use]
    pub fn in_parameter(self, name: &'static str, detail: impl Into<String>) -> Self {
        self.blaming(Place::Parameter(name), detail.into())
    }

    fn blaming(mut self, place: Place, detail: String) -> Self {
        self.errors.push(FieldError { place, detail });
        self
    }

    /// Adds a response header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Says in how many seconds to try again (RFC 9110, section 10.2.3).
    #[must_use]
    pub fn retry_after(self, seconds: i64) -> Self {
        self.with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// Says that a bearer token would help, as every 401 has to (RFC 9110, section 15.5.2).
    #[must_use]
    pub fn challenging(self) -> Self {
        self.with_header(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static(r#"Bearer realm="oxcart""#),
        )
    }

    /// There is no such thing, or it isn't the caller's: the two look the same.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(Kind::NOT_FOUND, "It does not exist, or it is not yours.")
    }

    /// Something that the operation needs is away for a moment. The cause is logged here, once.
    #[must_use]
    pub fn unavailable(cause: &(dyn std::error::Error + 'static)) -> Self {
        tracing::warn!(error = %Chain(cause), "answered 503");
        Self::new(
            Kind::UNAVAILABLE,
            "Try again, with the same Idempotency-Key if the request has one.",
        )
        .retry_after(1)
    }

    /// Other writes were at the same things at every try, so this one is given up. That is counted.
    #[must_use]
    pub fn contended(cause: &(dyn std::error::Error + 'static)) -> Self {
        oxcart_telemetry::conflict();
        Self::unavailable(cause)
    }

    /// Our fault. The cause is logged here, once, and not told.
    #[must_use]
    pub fn internal(cause: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = %Chain(cause), "answered 500");
        Self::new(Kind::INTERNAL, "Please report this with the trace id.")
    }

    /// The problem's status code.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.kind.status
    }
}

impl From<TableError> for Problem {
    fn from(error: TableError) -> Self {
        if error.is_transient() {
            Self::unavailable(&error)
        } else {
            Self::internal(&error)
        }
    }
}

impl From<Problem> for Response<Body> {
    fn from(problem: Problem) -> Self {
        let document = Document {
            r#type: format!("/problems/{}", problem.kind.name),
            title: problem.kind.title,
            status: problem.kind.status.as_u16(),
            detail: &problem.detail,
            trace_id: oxcart_telemetry::current()
                .map(oxcart_telemetry::TraceContext::trace_id)
                .unwrap_or_default(),
            errors: &problem.errors,
        };
        // Strings and numbers can always be written as JSON.
        let body = serde_json::to_string(&document).unwrap_or_default();
        let mut response = Self::new(Body::Text(body));
        *response.status_mut() = problem.kind.status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.extend(problem.headers);
        response
    }
}
