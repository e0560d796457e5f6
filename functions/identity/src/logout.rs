//! `POST /auth/logout`.

use oxcart_http::{Answer, Problem, Request, json_body, no_content};
use oxcart_lambda::clock;
use serde::Deserialize;

use crate::{session::RefreshToken, table::Users};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shown {
    refresh_token: String,
}

/// Ends the session that the refresh token is for: 204, also where there is nothing to end.
///
/// # Errors
/// 400, 413, 415 and 422 for a body that isn't `{"refresh_token": …}`.
pub async fn handle(users: &Users, request: Request) -> Result<Answer, Problem> {
    let Shown { refresh_token } = json_body(&request)?;
    if let Ok(shown) = RefreshToken::try_from(refresh_token) {
        users
            .revoke(shown.session_id, Some(&shown.hash()), None, clock::now())
            .await?;
    }
    Ok(no_content())
}
