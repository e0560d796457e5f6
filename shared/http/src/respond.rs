//! Answers.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use lambda_http::{
    Body, Request, RequestExt as _, Response,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::{
    Kind, Problem, Wait,
    compression::{accepts, gzip},
    list::items,
};

/// The header of answers to what was done before.
pub(crate) const REPLAY: &str = "idempotent-replay";

/// An answer, to which headers may be added.
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
    Ok(answer(status, "application/json", Body::Text(body)))
}

/// Answers a body of this media type, not to be stored by caches. `read` has it as it is, under the name that is
/// empty, and may have it in some of `codings` (a coding, and its name there): the first that `request` takes
/// is read and answered, and nothing else is read.
///
/// # Errors
/// That of reading the body as it is.
pub fn content<E, const N: usize>(
    request: &Request,
    media_type: &'static str,
    codings: [(&'static str, &str); N],
    read: impl Fn(&str) -> Result<Vec<u8>, E>,
) -> Result<Answer, E> {
    let empty = answer(StatusCode::OK, media_type, Body::Empty).varying(header::ACCEPT_ENCODING);
    for (coding, name) in codings {
        if accepts(request, coding)
            && let Ok(body) = read(name)
        {
            return Ok(empty.encoded(coding, body));
        }
    }
    let body = Body::Binary(read("")?);
    Ok(Answer { body, ..empty })
}

fn answer(status: StatusCode, media_type: &'static str, body: Body) -> Answer {
    let headers = HeaderMap::from_iter([
        (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ]);
    Answer {
        status,
        headers,
        body,
    }
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
    /// Lets any cache keep the answer: for so many seconds and not a moment longer, or, if that is none, as
    /// long as it asks each time whether there is a newer one.
    #[must_use]
    pub fn public(self, max_age: u32) -> Self {
        let value = match max_age {
            0 => Ok(HeaderValue::from_static("no-cache")),
            // Without the second word a cache may go on when it can't ask (RFC 9111, section 4.2.4).
            _ => HeaderValue::try_from(format!("public, max-age={max_age}, must-revalidate")),
        };
        match value {
            Ok(value) => self.shared_as(value),
            Err(_) => self,
        }
    }

    /// Lets any cache keep the answer for ever: another version would have another address.
    #[must_use]
    pub fn immutable(self) -> Self {
        self.shared_as(HeaderValue::from_static(
            "public, max-age=31536000, immutable",
        ))
    }

    /// What a shared cache keeps for all. The gateway adds to it who may read it (CORS), so it isn't the same
    /// for every origin.
    fn shared_as(self, value: HeaderValue) -> Self {
        self.with(header::CACHE_CONTROL, value)
            .varying(header::ORIGIN)
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
            HeaderName::from_static(REPLAY),
            HeaderValue::from_static("true"),
        )
    }

    /// Says that the client's preference to wait was honoured (RFC 7240, section 3).
    #[must_use]
    pub fn waited(self, wait: Option<Wait>) -> Self {
        match wait.and_then(Wait::applied) {
            Some(value) => self.with(HeaderName::from_static("preference-applied"), value),
            None => self,
        }
    }

    /// Compresses the body if `request` takes that and it is worth its while. Not for answers that hold a
    /// secret beside anything that a client chooses: their length would tell of it (BREACH). Comes before
    /// [`conditional`](Self::conditional), because each coding is a representation with a tag of its own.
    #[must_use]
    pub fn compressed_for(self, request: &Request) -> Self {
        let answer = self.varying(header::ACCEPT_ENCODING);
        if !accepts(request, "gzip") {
            return answer;
        }
        match gzip(&answer.body) {
            Some(body) => answer.encoded("gzip", body),
            None => answer,
        }
    }

    /// Says that the answer depends on a header of the request (RFC 9110, section 12.5.5).
    fn varying(self, name: HeaderName) -> Self {
        let known = self.headers.get(header::VARY);
        let value = match known.and_then(|known| known.to_str().ok()) {
            Some(known) => HeaderValue::try_from(format!("{known}, {name}")),
            None => Ok(HeaderValue::from_name(name)),
        };
        match value {
            Ok(value) => self.with(header::VARY, value),
            Err(_) => self,
        }
    }

    fn encoded(mut self, coding: &'static str, body: Vec<u8>) -> Self {
        self.body = Body::Binary(body);
        self.with(header::CONTENT_ENCODING, HeaderValue::from_static(coding))
    }

    /// Adds a strong validator made from the body, lets the client keep the answer as long as it
    /// revalidates it, and leaves the body out where `request` already has it (RFC 9110, section 13).
    #[must_use]
    pub fn conditional(self, request: &Request) -> Self {
        let digest =
            BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&self.body).get(..16).unwrap_or_default());
        let tag = format!("\"{digest}\"");
        let unchanged = items(request, header::IF_NONE_MATCH)
            .any(|held| held == "*" || held.trim_start_matches("W/") == tag);
        let Ok(value) = HeaderValue::from_str(&tag) else {
            return self;
        };
        let mut answer = self.with(header::ETAG, value).with(
            header::CACHE_CONTROL,
            HeaderValue::from_static("private, no-cache"),
        );
        if unchanged {
            answer.status = StatusCode::NOT_MODIFIED;
            answer.body = Body::Empty;
            answer.headers.remove(header::CONTENT_TYPE);
            answer.headers.remove(header::CONTENT_ENCODING);
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
    fn each_coding_has_a_tag_of_its_own() {
        let long = "tea ".repeat(1000);
        let got = |accepted: &str| -> Response<Body> {
            let request = http::Request::builder()
                .header("accept-encoding", accepted)
                .body(Body::Empty)
                .unwrap();
            let answer = json(StatusCode::OK, &long).unwrap();
            answer.compressed_for(&request).conditional(&request).into()
        };

        let (plain, gzipped) = (got(""), got("gzip"));
        assert_eq!(gzipped.headers()[header::CONTENT_ENCODING], "gzip");
        assert!(plain.headers().get(header::CONTENT_ENCODING).is_none());
        for response in [&plain, &gzipped] {
            assert_eq!(response.headers()[header::VARY], "accept-encoding");
        }
        assert_ne!(
            plain.headers()[header::ETAG],
            gzipped.headers()[header::ETAG]
        );
        assert!(gzipped.body().len() < plain.body().len() / 10);
    }

    #[test]
    fn who_has_another_version_gets_this_one() {
        let response = get("\"other\"");
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(&response.body()[..], br#"["tea"]"#);
    }
}
