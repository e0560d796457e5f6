//! `POST /auth/refresh`.

use oxcart_domain::{
    DomainEvent, Event,
    session::{Refresh, RefreshTokenHash},
};
use oxcart_http::{Answer, Kind, Problem, Request, StatusCode, json_body};
use oxcart_lambda::clock;
use oxcart_table::pause;
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

    let mut tried: Option<(RefreshTokenHash, Answer)> = None;
    for _ in 0..TRIES {
        let now = clock::now();
        let (session, user) = with
            .users
            .session_and_user(shown.session_id, shown.user_id)
            .await?;
        let Some(session) = session.filter(|session| session.user_id == shown.user_id) else {
            return Err(refused());
        };
        // A try whose answer was lost may have come through.
        if let Some((_, answer)) = tried.take_if(|(hash, _)| *hash == session.session.token_hash) {
            return Ok(answer);
        }
        let epoch = user.as_ref().map(|user| user.session_epoch);
        match (session.session.refresh(&shown.hash(), epoch, now), user) {
            (Refresh::Rotate { expires_at }, Some(user)) => {
                let next = RefreshToken::new(shown.user_id, shown.session_id)
                    .map_err(|error| Problem::internal(&error))?;
                // Signed first: were it to fail after the rotation, the client would be left with a
                // spent token.
                let answer = tokens(&with.signer, user.user.role, &next, now).await?;
                let rotated =
                    with.users
                        .rotate(&shown, &next, session.session.epoch, expires_at, now);
                match rotated.await {
                    Ok(Rotated::Now) => return Ok(answer),
                    Ok(Rotated::Refused) => {}
                    Err(error) if error.is_transient() => tried = Some((next.hash(), answer)),
                    Err(error) => return Err(error.into()),
                }
                pause().await;
            }
            (Refresh::Reuse, _) => {
                end_for_reuse(with, &session).await?;
                return Err(refused());
            }
            (Refresh::Rotate { .. } | Refresh::Over, _) => return Err(refused()),
        }
    }
    Err(Problem::unavailable(&Contended))
}

/// Ends a session of which a spent token was shown, and tells of it.
async fn end_for_reuse(with: &Refreshing, session: &StoredSession) -> Result<(), Problem> {
    let now = clock::now();
    let event = DomainEvent::SessionReuseDetected {
        user_id: session.user_id,
        session_id: session.session_id,
    };
    with.users
        .revoke(session.session_id, None, Some(Event::once(event, now)), now)
        .await?;
    Ok(())
}

fn refused() -> Problem {
    Problem::new(INVALID_REFRESH_TOKEN, "Sign in again.").challenging()
}

/// Other writes were at the session at every try.
#[derive(Debug, thiserror::Error)]
#[error("the session is contended")]
struct Contended;
