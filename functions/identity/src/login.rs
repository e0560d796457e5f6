//! `POST /auth/login`.

use oxcart_domain::{Timestamp, credentials::PasswordAttempt, session::Session, user::Role};
use oxcart_http::{Answer, Kind, Problem, Request, StatusCode, json, json_body, source_address};
use oxcart_lambda::clock;
use oxcart_telemetry::about;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    attempt::Attempt,
    authentication::{Authenticator, Refused, too_many_attempts},
    passwords::PasswordHash,
    session::RefreshToken,
    tokens::{LIFETIME, SignTokenError, TokenSigner},
};

const INVALID_CREDENTIALS: Kind = Kind::new(
    "invalid-credentials",
    "E-mail address or password is wrong",
    StatusCode::UNAUTHORIZED,
);

/// What logging in takes.
#[derive(Debug)]
pub struct Login {
    /// What knows whose password it is.
    pub authenticator: Authenticator,
    /// What signs their tokens.
    pub signer: TokenSigner,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    /// Not an [`Email`]: what can't be an address is simply not known.
    email: String,
    password: PasswordAttempt,
}

#[derive(Serialize)]
struct Tokens<'a> {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    refresh_token: &'a RefreshToken,
}

/// Begins a session: 200 with an access and a refresh token.
///
/// # Errors
/// 401 `invalid-credentials`, the same bytes and the same cost whether the account exists or not; 429
/// `too-many-attempts`.
pub async fn handle(login: &Login, request: Request) -> Result<Answer, Problem> {
    let Given { email, password } = json_body(&request)?;
    let attempt = Attempt::new(&email, source_address(&request));
    let now = clock::now();
    let authenticator = &login.authenticator;
    let credentials = match authenticator.authenticate(&attempt, &password, now).await {
        Ok(credentials) => credentials,
        Err(Refused::WrongPassword) => return Err(invalid_credentials()),
        Err(Refused::Locked(locked)) => return Err(too_many_attempts(locked)),
        Err(Refused::Table(error)) => return Err(error.into()),
    };
    about("user_id", credentials.user_id);
    if let Some(email) = attempt.email()
        && credentials.password_hash.is_outdated()
    {
        let renewed =
            PasswordHash::renewed(&password).map_err(|error| Problem::internal(&error))?;
        let rehashed = authenticator
            .users
            .rehash(email, &credentials.password_hash, &renewed);
        rehashed.await?;
    }
    let refresh_token = RefreshToken::new(credentials.user_id, Uuid::new_v4())
        .map_err(|error| Problem::internal(&error))?;
    let answer = tokens(&login.signer, credentials.role, &refresh_token, now).await?;
    let session = Session::begin(refresh_token.hash(), credentials.session_epoch, now);
    authenticator
        .users
        .begin_session(&refresh_token, &session)
        .await?;
    Ok(answer)
}

fn invalid_credentials() -> Problem {
    Problem::new(INVALID_CREDENTIALS, "Check both and try again.").challenging()
}

/// Answers a refresh token and an access token beside it.
///
/// # Errors
/// 503 when KMS doesn't sign.
pub async fn tokens(
    signer: &TokenSigner,
    role: Role,
    refresh_token: &RefreshToken,
    now: Timestamp,
) -> Result<Answer, Problem> {
    let access_token = signer
        .sign(refresh_token.user_id, role, now)
        .await
        .map_err(|error| refused(&error))?;
    let tokens = Tokens {
        access_token,
        token_type: "Bearer",
        expires_in: LIFETIME,
        refresh_token,
    };
    json(StatusCode::OK, &tokens)
}

fn refused(error: &SignTokenError) -> Problem {
    match error {
        SignTokenError::Kms(_) => Problem::unavailable(error),
        SignTokenError::NoSignature | SignTokenError::Unwritable(_) => Problem::internal(error),
    }
}
