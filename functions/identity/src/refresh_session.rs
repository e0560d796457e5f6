//! `POST /auth/refresh`.

use oxcart_domain::{DomainEvent, Event, session::Refresh};
use oxcart_http::{Answer, Kind, Problem, Request, StatusCode, json_body};
use oxcart_lambda::clock;
use oxcart_table::{TableError, pause};
use oxcart_telemetry::about;
use serde::Deserialize;

use crate::{
    login::tokens,
    session::RefreshToken,
    table::{Rotated, StoredSession, Users},
    tokens::TokenSigner,
};

const INVALID_REFRESH_TOKEN: Kind = Kind::new(
    "invalid-refresh-token",
    "The refresh token is not valid",
    StatusCode::UNAUTHORIZED,
);

/// How often the session is read anew when another write comes between.
const TRIES: u32 = 4;

/// What going on with a session takes.
#[derive(Debug)]
pub struct Refreshing {
    /// The users and their sessions.
    pub users: Users,
    /// What signs their tokens.
    pub signer: TokenSigner,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shown {
    /// Not a [`RefreshToken`]: what can't be one is simply not valid.
    refresh_token: String,
}

/// Spends the refresh token and answers a new pair: 200. The role is the user's of now.
///
/// # Errors
/// 401 `invalid-refresh-token`, whatever is wrong with it. A spent token ends its session.
pub async fn handle(with: &Refreshing, request: Request) -> Result<Answer, Problem> {
    let Shown { refresh_token } = json_body(&request)?;
    let shown = RefreshToken::try_from(refresh_token).map_err(|_| refused())?;

    // One for all tries: a try whose answer was lost may have come through.
    let next = RefreshToken::new(shown.user_id, shown.session_id)
        .map_err(|error| Problem::internal(&error))?;
    for _ in 0..TRIES {
        match spend(with, &shown, &next).await {
            Ok(Some(answer)) => return Ok(answer),
            Ok(None) => pause().await,
            Err(error) => return Err(error),
        }
    }
    Err(Problem::contended(&Contended))
}

/// Spends `shown` for `next`. None if another write came between, or nobody knows whether it is done.
async fn spend(
    with: &Refreshing,
    shown: &RefreshToken,
    next: &RefreshToken,
) -> Result<Option<Answer>, Problem> {
    let now = clock::now();
    let found = with.users.session_and_user(shown.session_id, shown.user_id);
    let (session, user) = match found.await {
        Ok(found) => found,
        Err(error) if error.is_transient() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let (Some(session), Some(user)) = (session, user) else {
        return Err(refused());
    };
    if session.user_id != shown.user_id {
        return Err(refused());
    }
    about("user_id", session.user_id);
    // Signed first: were it to fail after the rotation, the client would be left with a spent token.
    let answer = async || {
        tokens(&with.signer, user.user.role, next, now)
            .await
            .map(Some)
    };
    if session.session.token_hash == next.hash() {
        return answer().await;
    }
    let epoch = Some(user.session_epoch);
    match session.session.refresh(&shown.hash(), epoch, now) {
        Refresh::Rotate { expires_at } => {
            let answer = answer().await?;
            let epoch = session.session.epoch;
            match with.users.rotate(shown, next, epoch, expires_at, now).await {
                Ok(Rotated::Now) => Ok(answer),
                Ok(Rotated::Refused) => Ok(None),
                Err(error) if error.is_transient() => Ok(None),
                Err(error) => Err(error.into()),
            }
        }
        Refresh::Reuse => {
            end_for_reuse(&with.users, &session).await?;
            Err(refused())
        }
        Refresh::Over => Err(refused()),
    }
}

/// Ends a session of which a spent token was shown, and tells of it.
///
/// # Errors
/// See [`TableError`].
pub async fn end_for_reuse(users: &Users, session: &StoredSession) -> Result<(), TableError> {
    let now = clock::now();
    let event = DomainEvent::SessionReuseDetected {
        user_id: session.user_id,
        session_id: session.session_id,
    };
    let event = Event::once(event, now);
    users.revoke(session.session_id, Some(event), now).await
}

fn refused() -> Problem {
    Problem::new(INVALID_REFRESH_TOKEN, "Sign in again.").challenging()
}

/// Other writes were at the session at every try.
#[derive(Debug, thiserror::Error)]
#[error("the session is contended")]
struct Contended;
