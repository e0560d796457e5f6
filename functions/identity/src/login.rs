//! `POST /auth/login`.

use oxcart_domain::{
    Timestamp,
    credentials::{Email, PasswordAttempt},
    session::Session,
    user::Role,
};
use oxcart_http::{Answer, Kind, Problem, Request, StatusCode, json, json_body};
use oxcart_lambda::clock;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    passwords::PasswordHash,
    session::RefreshToken,
    table::Users,
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
    /// Who there is.
    pub users: Users,
    /// What signs their tokens.
    pub signer: TokenSigner,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Attempt {
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
/// 401 `invalid-credentials`: the same bytes and the same cost whether the account exists or not.
pub async fn handle(login: &Login, request: Request) -> Result<Answer, Problem> {
    let Attempt { email, password } = json_body(&request)?;
    let known = match Email::try_from(email) {
        Ok(email) => login.users.credentials(&email).await?,
        Err(_) => None,
    };
    let hash = known
        .as_ref()
        .map_or_else(PasswordHash::nobodys, |credentials| {
            credentials.password_hash.clone()
        });
    let fits = hash.fits(&password);
    let Some(credentials) = known.filter(|_| fits) else {
        return Err(Problem::new(INVALID_CREDENTIALS, "Check both and try again.").challenging());
    };

    let now = clock::now();
    let refresh_token = RefreshToken::new(credentials.user_id, Uuid::new_v4())
        .map_err(|error| Problem::internal(&error))?;
    let answer = tokens(&login.signer, credentials.role, &refresh_token, now).await?;
    let session = Session::begin(refresh_token.hash(), credentials.session_epoch, now);
    login.users.begin_session(&refresh_token, &session).await?;
    Ok(answer)
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
