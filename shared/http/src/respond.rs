//! Answers.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use lambda_http::{
    Body, Request, RequestExt as _, Response,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::{Kind, Problem};

/// A JSON answer, to which headers may be added.
#[derive(Debug)]
pub struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Body,
}

/// Answers `value` as JSON, not to be stored by caches.
///
/// # Errors
/// 500 when `value` can't be written as JSON.
pub fn json(status: StatusCode, value: &impl Serialize) -> Result<Answer, Problem> {
    let body = serde_json::to_string(value).map_err(|error| Problem::internal(&error))?;
    let headers = HeaderMap::from_iter([
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ]);
    Ok(Answer {
        status,
        headers,
        body: Body::Text(body),
    })
}

/// Answers that it is done and that there is nothing to say.
#[must_use]
pub fn no_content() -> Answer {
    let headers =
        HeaderMap::from_iter([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))]);
    Answer {
        status: StatusCode::NO_CONTENT,
        headers,
        body: Body::Empty,
    }
}

impl Answer {
    /// Lets any cache keep the answer for so many seconds.
    #[must_use]
    pub fn public(self, max_age: u32) -> Self {
        match HeaderValue::from_str(&format!("public, max-age={max_age}")) {
            Ok(value) => self.with(header::CACHE_CONTROL, value),
            Err(_) => self,
        }
    }

    /// Sets a response header.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Says where the new thing is.
    ///
    /// # Errors
    /// 500 when `path` can't be a header's value.
    pub fn located_at(self, path: &str) -> Result<Self, Problem> {
        let path = HeaderValue::from_str(path).map_err(|error| Problem::internal(&error))?;
        Ok(self.with(header::LOCATION, path))
    }

    /// Says that this is the answer to an earlier request under the same idempotency key.
    #[must_use]
    pub fn replayed(self) -> Self {
        self.with(
            HeaderName::from_static("idempotent-replay"),
            HeaderValue::from_static("true"),
        )
    }

    /// Adds a strong validator made from the body, lets caches keep the answer as long as they
    /// revalidate it, and leaves the body out where `request` already has it (RFC 9110, section 13).
    #[must_use]
    pub fn conditional(self, request: &Request) -> Self {
        let digest =
            BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&self.body).get(..16).unwrap_or_default());
        let tag = format!("\"{digest}\"");
        let held = request
            .headers()
            .get_all(header::IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok());
        let unchanged = held.flat_map(|list| list.split(',')).any(|held| {
            let held = held.trim();
            held == "*" || held.trim_start_matches("W/") == tag
        });
        let Ok(value) = HeaderValue::from_str(&tag) else {
            return self;
        };
        let mut answer = self
            .with(header::ETAG, value)
            .with(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if unchanged {
            answer.status = StatusCode::NOT_MODIFIED;
            answer.body = Body::Empty;
            answer.headers.remove(header::CONTENT_TYPE);
        }
        answer
    }
}

impl From<Answer> for Response<Body> {
    fn from(answer: Answer) -> Self {
        let mut response = Self::new(answer.body);
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        response
    }
}

/// A parameter of the request's path, parsed. One that can't be what it names is not found.
///
/// # Errors
/// 404.
pub fn path_parameter<T>(
    request: &Request,
    name: &str,
    parse: impl FnOnce(String) -> Option<T>,
) -> Result<T, Problem> {
    let parameters = request.path_parameters();
    let text = parameters.first(name).ok_or_else(Problem::not_found)?;
    parse(text.to_owned())
        .ok_or_else(|| Problem::new(Kind::NOT_FOUND, format!("Nothing can have this {name}.")))
}

#[cfg(test)]
mod tests {
    use lambda_http::http;

    use super::*;

    fn get(if_none_match: &str) -> Response<Body> {
        let request = http::Request::builder()
            .header("if-none-match", if_none_match)
            .body(Body::Empty)
            .unwrap();
        json(StatusCode::OK, &["tea"])
            .unwrap()
            .conditional(&request)
            .into()
    }

    #[test]
    fn who_has_it_already_is_told_so_without_a_body() {
        let tag = get("\"other\"").headers()[header::ETAG]
            .to_str()
            .unwrap()
            .to_owned();

        for held in [
            tag.clone(),
            format!("W/{tag}"),
            format!("\"other\", {tag}"),
            "*".to_owned(),
        ] {
            let response = get(&held);
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{held}");
            assert!(response.body().is_empty(), "{held}");
            assert_eq!(response.headers()[header::ETAG], tag.as_str());
        }
    }

    #[test]
    fn who_has_another_version_gets_this_one() {
        let response = get("\"other\"");
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(&response.body()[..], br#"["tea"]"#);
    }
}
