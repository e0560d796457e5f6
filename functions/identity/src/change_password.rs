//! `POST /users/me/password`.

use oxcart_domain::credentials::{Email, Password, PasswordAttempt};
use oxcart_http::{
    Answer, Caller, Kind, Problem, Request, StatusCode, json_body, no_content, source_address,
};
use oxcart_lambda::clock;
use oxcart_table::TableError;
use serde::Deserialize;

use crate::{
    attempt::Attempt,
    authentication::{Authenticator, Refused, too_many_attempts},
    passwords::PasswordHash,
    table::Users,
};

const WRONG_PASSWORD: Kind = Kind::new(
    "wrong-password",
    "The current password is wrong",
    StatusCode::UNPROCESSABLE_ENTITY,
);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    current_password: PasswordAttempt,
    new_password: Password,
}

/// Gives the caller another password and ends all their sessions: 204.
///
/// # Errors
/// 401; 404 when the account is gone; 422 `wrong-password`; 429 `too-many-attempts`: who has stolen an
/// access token is not to guess the password with it.
pub async fn handle(authenticator: &Authenticator, request: Request) -> Result<Answer, Problem> {
    let caller = Caller::of(&request)?;
    let Change {
        current_password,
        new_password,
    } = json_body(&request)?;
    let users = &authenticator.users;
    let user = users
        .user(caller.user_id)
        .await?
        .ok_or_else(Problem::not_found)?;
    let email = user.user.email;
    let attempt = Attempt::of_user(caller.user_id, &email, source_address(&request));
    let proven = authenticator.authenticate(&attempt, &current_password, clock::now());
    let credentials = match proven.await {
        Ok(credentials) if credentials.user_id == caller.user_id => credentials,
        // The address has changed hands since the user was read.
        Ok(_) => return Err(TableError::contended().into()),
        // A try whose answer was lost may have come through.
        Err(Refused::WrongPassword) if is_set(users, &email, &new_password).await? => {
            return Ok(no_content());
        }
        Err(Refused::WrongPassword) => return Err(wrong_password()),
        Err(Refused::Locked(locked)) => return Err(too_many_attempts(locked)),
        Err(Refused::Table(error)) => return Err(error.into()),
    };
    let hash = PasswordHash::of(&new_password).map_err(|error| Problem::internal(&error))?;
    if users.change_password(&email, &credentials, &hash).await? {
        Ok(no_content())
    } else {
        Err(TableError::contended().into())
    }
}

/// Whether the new password is the one that counts already.
async fn is_set(users: &Users, email: &Email, new: &Password) -> Result<bool, Problem> {
    let credentials = users.credentials(email).await?;
    let attempt = PasswordAttempt::from(new.as_str().to_owned());
    Ok(credentials.is_some_and(|credentials| credentials.password_hash.fits(&attempt)))
}

fn wrong_password() -> Problem {
    Problem::new(WRONG_PASSWORD, "Nothing was changed.")
        .at("/current_password", "is not the current password")
}
