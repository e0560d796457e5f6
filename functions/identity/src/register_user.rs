//! `POST /users`.

use oxcart_domain::{
    CustomerId,
    credentials::{Email, Password},
    user::{PersonName, User},
};
use oxcart_http::{Answer, Kind, Problem, Request, StatusCode, json, json_body};
use oxcart_lambda::clock;
use oxcart_telemetry::about;
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    passwords::PasswordHash,
    table::{Registered, Users},
};

const EMAIL_TAKEN: Kind = Kind::new(
    "email-taken",
    "This e-mail address is registered",
    StatusCode::CONFLICT,
);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Registration {
    email: Email,
    password: Password,
    name: PersonName,
}

/// Registers a customer: 201.
///
/// # Errors
/// 409 `email-taken`; 422 for an invalid body.
pub async fn handle(users: &Users, request: Request) -> Result<Answer, Problem> {
    let Registration {
        email,
        password,
        name,
    } = json_body(&request)?;
    let hash = PasswordHash::of(&password).map_err(|error| Problem::internal(&error))?;
    let (user, event) = User::register(CustomerId::new(Uuid::new_v4()), email, name, clock::now());
    about("user_id", user.id);

    match users.register(&user, &hash, event).await? {
        Registered::Now => json(StatusCode::CREATED, &user)?.located_at("/users/me"),
        Registered::EmailTaken => Err(email_taken()),
        Registered::Contended => Err(Problem::contended(&Contended)),
    }
}

/// Somebody has the e-mail address: 409.
#[must_use]
pub fn email_taken() -> Problem {
    Problem::new(EMAIL_TAKEN, "Sign in, or use another address.").at("/email", "is registered")
}

/// Other writes were at the same items at every try.
#[derive(Debug, thiserror::Error)]
#[error("the e-mail address is contended")]
struct Contended;
