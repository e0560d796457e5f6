//! `PATCH /users/me`.

use oxcart_domain::{
    credentials::Email,
    user::{PersonName, User},
};
use oxcart_http::{Answer, Caller, Problem, Request, StatusCode, json, json_body};
use oxcart_lambda::clock;
use oxcart_table::{TableError, pause};
use serde::{Deserialize, Deserializer};

use crate::{
    register_user::email_taken,
    table::{Changed, Users},
};

/// How often the user is read anew when another write comes between.
const TRIES: u32 = 4;

/// What to change. What is absent stays as it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Changes {
    #[serde(default, deserialize_with = "present")]
    name: Option<PersonName>,
    #[serde(default, deserialize_with = "present")]
    email: Option<Email>,
}

/// Changes the caller's name or e-mail address: 200 with the user as they are now. Sessions go on.
///
/// # Errors
/// 401; 404 when the account is gone; 409 `email-taken`; 422 for an invalid body.
pub async fn handle(users: &Users, request: Request) -> Result<Answer, Problem> {
    let caller = Caller::of(&request)?;
    let Changes { name, email } = json_body(&request)?;
    for _ in 0..TRIES {
        let before = users
            .user(caller.user_id)
            .await?
            .ok_or_else(Problem::not_found)?;
        let after = User {
            name: name.clone().unwrap_or_else(|| before.user.name.clone()),
            email: email.clone().unwrap_or_else(|| before.user.email.clone()),
            ..before.user.clone()
        };
        if after == before.user {
            return json(StatusCode::OK, &after);
        }
        let event = after.updated(before.revision.next(), clock::now());
        match users.change(&before, &after, event).await? {
            Changed::Now => return json(StatusCode::OK, &after),
            Changed::EmailTaken => return Err(email_taken()),
            Changed::Stale => pause().await,
        }
    }
    Err(TableError::contended().into())
}

/// A member that is there: `null` is no way to leave it out.
fn present<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}
