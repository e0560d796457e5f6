//! `GET /.well-known/openid-configuration`.

use oxcart_http::{Answer, Problem, Request, StatusCode, json};
use serde::Serialize;

use crate::tokens::TokenIssuer;

/// How long a copy may be used, in seconds.
const MAX_AGE: u32 = 300;

/// Who issues our tokens, as libraries of `OpenID` Connect look it up
/// ([Discovery 1.0](https://openid.net/specs/openid-connect-discovery-1_0.html), section 3).
#[derive(Debug, Serialize)]
struct Description {
    issuer: String,
    jwks_uri: String,
    token_endpoint: String,
    response_types_supported: [&'static str; 1],
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: [&'static str; 1],
}

/// Answers who issues our tokens, and where the keys are.
///
/// # Errors
/// None of its own.
pub async fn handle(issuer: &TokenIssuer, request: Request) -> Result<Answer, Problem> {
    let issuer = issuer.address();
    let description = Description {
        issuer: issuer.to_owned(),
        jwks_uri: format!("{issuer}/.well-known/jwks.json"),
        token_endpoint: format!("{issuer}/auth/login"),
        response_types_supported: ["token"],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["ES256"],
    };
    Ok(json(StatusCode::OK, &description)?
        .conditional(&request)
        .public(MAX_AGE))
}
