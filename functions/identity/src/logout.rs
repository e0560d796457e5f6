//! `POST /auth/logout`.

use oxcart_http::{Answer, Problem, Request, json_body, no_content};
use oxcart_lambda::clock;
use serde::Deserialize;

use crate::{refresh_session::end_for_reuse, session::RefreshToken, table::Users};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shown {
    refresh_token: String,
}

/// Ends the session that the refresh token is for: 204, also where there is nothing to end. A spent token
/// ends it as well, and is told of as when it is refreshed with: somebody has a newer one.
///
/// # Errors
/// 400, 413, 415 and 422 for a body that isn't `{"refresh_token": …}`.
pub async fn handle(users: &Users, request: Request) -> Result<Answer, Problem> {
    let Shown { refresh_token } = json_body(&request)?;
    let Ok(shown) = RefreshToken::try_from(refresh_token) else {
        return Ok(no_content());
    };
    let session = users.session(shown.session_id).await?;
    match session.filter(|session| session.user_id == shown.user_id) {
        Some(session) if session.session.token_hash != shown.hash() => {
            end_for_reuse(users, &session).await?;
        }
        Some(session) => users.revoke(session.session_id, None, clock::now()).await?,
        None => {}
    }
    Ok(no_content())
}
