//! Operator's call: gives a user a role. It has no route; only IAM can reach it, which is how the
//! first admin comes to be.

use oxcart_domain::{
    credentials::Email,
    user::{Role, User},
};
use oxcart_lambda::{TaskError, clock};
use oxcart_table::{TableError, pause};
use oxcart_telemetry::about;
use serde::Deserialize;

use crate::table::{Changed, Users};

/// Which user, and which role.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantRole {
    email: Email,
    role: Role,
}

/// Why the role was not given.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// Nobody is registered under the address.
    #[error("nobody is registered under this e-mail address")]
    UserNotFound,
    /// The table failed.
    #[error(transparent)]
    Table(#[from] TableError),
}

impl TaskError for GrantError {
    fn error_type(&self) -> &'static str {
        match self {
            Self::UserNotFound => "UserNotFound",
            Self::Table(error) => error.error_type(),
        }
    }

    fn is_answer(&self) -> bool {
        match self {
            Self::UserNotFound => true,
            Self::Table(_) => false,
        }
    }
}

/// How often the user is read anew when another write comes between.
const TRIES: u32 = 4;

/// Gives the role, which counts from the user's next login on, and answers the user.
///
/// # Errors
/// See [`GrantError`].
pub async fn handle(users: &Users, grant: GrantRole) -> Result<User, GrantError> {
    for _ in 0..TRIES {
        let credentials = users
            .credentials(&grant.email)
            .await?
            .ok_or(GrantError::UserNotFound)?;
        about("user_id", credentials.user_id);
        let before = users
            .user(credentials.user_id)
            .await?
            .ok_or(GrantError::UserNotFound)?;
        if before.user.role == grant.role {
            return Ok(before.user);
        }
        let after = User {
            role: grant.role,
            ..before.user.clone()
        };
        let event = after.updated(before.revision.next(), clock::now());
        match users.change(&before, &after, event).await? {
            Changed::Now => return Ok(after),
            // The address isn't changed, so that nobody can have taken it.
            Changed::EmailTaken | Changed::Stale => pause().await,
        }
    }
    Err(TableError::contended().into())
}
