//! Request bodies.

use lambda_http::{Body, Request, http::header};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_path_to_error::{Path, Segment};

use crate::{Kind, Problem};

/// The largest body that is read, in bytes.
const LIMIT: usize = 64 * 1024;

/// Reads the body as a `T`.
///
/// # Errors
/// 415 when it isn't said to be JSON, 413 over 64 KiB, 400 when it is no JSON, 422 naming the field
/// when it is JSON but no `T`.
pub fn json_body<T: DeserializeOwned>(request: &Request) -> Result<T, Problem> {
    let content_type = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    if !content_type.is_some_and(is_json) {
        return Err(Problem::new(
            Kind::MEDIA_TYPE,
            "Send the body as JSON, with Content-Type: application/json.",
        ));
    }
    let bytes = body_bytes(request)?;
    // Whether it is JSON at all comes first: what follows a wrong field may be no JSON any more.
    serde_json::from_slice::<IgnoredAny>(bytes).map_err(|error| malformed(&error))?;
    // serde takes an array for an object, its values in the order of the fields. We say names.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(misshapen().at("", "must be an object"));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    serde_path_to_error::deserialize(&mut json).map_err(|error| invalid(&error))
}

/// The body as it was sent, for who has to know every byte.
///
/// # Errors
/// 413 over 64 KiB.
pub fn body_bytes(request: &Request) -> Result<&[u8], Problem> {
    let bytes = match request.body() {
        Body::Text(text) => text.as_bytes(),
        Body::Binary(bytes) => bytes,
        // `Body` may gain forms; one that we don't know has no bytes for us.
        _ => &[],
    };
    if bytes.len() > LIMIT {
        return Err(Problem::new(
            Kind::TOO_LARGE,
            format!("The body has {} bytes; the most is {LIMIT}.", bytes.len()),
        ));
    }
    Ok(bytes)
}

fn is_json(content_type: &str) -> bool {
    content_type
        .split(';')
        .next()
        .is_some_and(|media| media.trim().eq_ignore_ascii_case("application/json"))
}

fn malformed(error: &serde_json::Error) -> Problem {
    let place = format!("line {}, column {}", error.line(), error.column());
    Problem::new(
        Kind::MALFORMED,
        format!("The body is not valid JSON: see {place}."),
    )
}

fn invalid(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let message = error.inner().to_string();
    let detail = without_position(&message);
    // A missing field has no place in the document, so the path ends at what it is missing from.
    let pointer = match missing_field(detail) {
        Some(field) => format!("{}/{field}", pointer(error.path())),
        None => pointer(error.path()),
    };
    misshapen().at(pointer, detail)
}

fn misshapen() -> Problem {
    Problem::new(
        Kind::INVALID,
        "The body does not have the form that this operation takes.",
    )
}

fn missing_field(message: &str) -> Option<&str> {
    message.strip_prefix("missing field `")?.strip_suffix('`')
}

/// `serde_json` ends its messages with the position, which says less than the pointer does.
fn without_position(message: &str) -> &str {
    message
        .rsplit_once(" at line ")
        .map_or(message, |(text, _)| text)
}

fn pointer(path: &Path) -> String {
    path.iter()
        .fold(String::new(), |pointer, segment| match segment {
            Segment::Seq { index } => format!("{pointer}/{index}"),
            Segment::Map { key } => {
                format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
            }
            Segment::Enum { variant } => format!("{pointer}/{variant}"),
            Segment::Unknown => pointer,
        })
}

#[cfg(test)]
mod tests {
    use lambda_http::http::{Request as Builder, StatusCode};
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wanted {
        #[expect(dead_code, reason = "only its parsing is of interest")]
        lines: Vec<Line>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Line {
        #[expect(dead_code, reason = "only its parsing is of interest")]
        quantity: oxcart_domain::Quantity,
    }

    fn refused(body: &str, content_type: &str) -> (StatusCode, serde_json::Value) {
        let request = Builder::builder()
            .header("content-type", content_type)
            .body(Body::from(body))
            .unwrap();
        let problem = json_body::<Wanted>(&request).unwrap_err();
        let response = lambda_http::Response::<Body>::from(problem);
        (
            response.status(),
            serde_json::from_slice(response.body()).unwrap(),
        )
    }

    #[test]
    fn what_is_no_json_is_400() {
        for body in ["", "{", "{\"lines\":[]} {}", "lines"] {
            assert_eq!(
                refused(body, "application/json").0,
                StatusCode::BAD_REQUEST,
                "{body:?}"
            );
        }
    }

    #[test]
    fn an_invalid_field_is_422_and_named() {
        let (status, document) = refused(
            r#"{"lines":[{"quantity":1},{"quantity":0}]}"#,
            "application/json; charset=utf-8",
        );
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(document["errors"][0]["pointer"], "/lines/1/quantity");
        assert_eq!(document["errors"][0]["detail"], "must be from 1 to 1000");
    }

    #[test]
    fn an_unknown_field_is_422_and_named() {
        let (status, document) = refused(
            r#"{"lines":[{"quantity":1,"colour":"red"}]}"#,
            "application/json",
        );
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(document["errors"][0]["pointer"], "/lines/0/colour");
    }

    #[test]
    fn a_missing_field_is_422_and_named() {
        let (status, document) = refused(r#"{"lines":[{}]}"#, "application/json");
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(document["errors"][0]["pointer"], "/lines/0/quantity");
    }

    #[test]
    fn what_is_no_object_is_422() {
        // The first would do, by the order of the fields.
        for body in ["[[]]", " [ ]", "null", "1", "\"lines\""] {
            let (status, document) = refused(body, "application/json");
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
            let error = serde_json::json!({"pointer": "", "detail": "must be an object"});
            assert_eq!(document["errors"][0], error, "{body}");
        }
    }

    #[test]
    fn another_content_type_is_415() {
        assert_eq!(
            refused("{}", "text/plain").0,
            StatusCode::UNSUPPORTED_MEDIA_TYPE
        );
    }

    #[test]
    fn a_body_over_64_kib_is_413() {
        let body = format!("{{\"lines\":[]{}}}", " ".repeat(LIMIT));
        assert_eq!(
            refused(&body, "application/json").0,
            StatusCode::PAYLOAD_TOO_LARGE
        );
    }
}
