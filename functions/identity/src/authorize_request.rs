//! Lambda authorizer of the HTTP API: hands verified claims on to the endpoints, or why there are none.
//!
//! It lets every request through that has an `Authorization` header, because an HTTP API turns its
//! "no" into a bare 403; the endpoint answers 401 with the reason (see `oxcart_http::Caller`).

use std::collections::HashMap;

use oxcart_http::AuthorizerContext;
use oxcart_lambda::TaskError;
use serde::{Deserialize, Serialize};

use crate::{
    keys::KeyError,
    tokens::{TokenRefused, TokenVerifier, VerifyError},
};

/// What API Gateway asks (payload format 2.0), as far as we read it.
#[derive(Debug, Deserialize)]
pub struct AuthorizerRequest {
    /// By lower-case name.
    headers: HashMap<String, String>,
}

/// What API Gateway is answered (simple response).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizerResponse {
    is_authorized: bool,
    context: AuthorizerContext,
}

/// The request was not judged. API Gateway answers 500, and the client tries again.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct NotJudged(#[from] KeyError);

impl TaskError for NotJudged {
    fn error_type(&self) -> &'static str {
        "KeyUnavailable"
    }

    fn is_answer(&self) -> bool {
        false
    }
}

/// Judges the request's bearer token.
///
/// # Errors
/// When the public key can't be read; never for what the caller sent.
pub async fn handle(
    verifier: &TokenVerifier,
    request: AuthorizerRequest,
) -> Result<AuthorizerResponse, NotJudged> {
    let context = match bearer(request.headers.get("authorization").map(String::as_str)) {
        None => refused("Send an access token: Authorization: Bearer <token>."),
        Some(token) => match verifier.verify(token).await {
            Ok(claims) => AuthorizerContext::Claims {
                user_id: claims.sub,
                role: claims.role,
            },
            Err(VerifyError::Refused(why @ (TokenRefused::Invalid | TokenRefused::Expired))) => {
                refused(&why)
            }
            Err(VerifyError::Key(error)) => return Err(error.into()),
        },
    };
    Ok(AuthorizerResponse {
        is_authorized: true,
        context,
    })
}

fn refused(why: &(impl ToString + ?Sized)) -> AuthorizerContext {
    AuthorizerContext::Refused {
        reason: why.to_string(),
    }
}

/// The token of a bearer header (RFC 6750, section 2.1); the scheme's case doesn't matter.
fn bearer(header: Option<&str>) -> Option<&str> {
    let (scheme, token) = header?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_follows_the_bearer_scheme() {
        assert_eq!(bearer(Some("Bearer abc")), Some("abc"));
        assert_eq!(bearer(Some("bearer abc")), Some("abc"));
        for none in [
            None,
            Some("abc"),
            Some("Basic abc"),
            Some("Bearer"),
            Some(""),
        ] {
            assert_eq!(bearer(none), None, "{none:?}");
        }
    }
}
