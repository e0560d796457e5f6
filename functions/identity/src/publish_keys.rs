//! `GET /.well-known/jwks.json`.

use oxcart_http::{Answer, Problem, Request, StatusCode, json};
use serde::Serialize;

use crate::keys::{Jwk, TokenKeys};

/// How long a copy may be used, in seconds. A new key has to be published for longer before it signs.
const MAX_AGE: u32 = 300;

/// The set of keys ([RFC 7517](https://www.rfc-editor.org/rfc/rfc7517), section 5).
#[derive(Debug, Serialize)]
struct KeySet {
    keys: Vec<Jwk>,
}

/// Answers the public keys that access tokens are verified with.
///
/// # Errors
/// 503 when they can't be read.
pub async fn handle(published: &TokenKeys, request: Request) -> Result<Answer, Problem> {
    let keys = published
        .jwks()
        .await
        .map_err(|error| Problem::unavailable(&error))?;
    Ok(json(StatusCode::OK, &KeySet { keys })?
        .conditional(&request)
        .public(MAX_AGE))
}
