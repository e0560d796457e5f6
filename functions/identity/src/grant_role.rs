//! Operator's call: gives a user a role. It has no route; only IAM can reach it, which is how the
//! first admin comes to be.

use oxcart_domain::{
    credentials::Email,
    user::{Role, User},
};
use oxcart_lambda::TaskError;
use oxcart_table::TableError;
use serde::Deserialize;

use crate::table::Users;

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

/// Gives the role, which counts from the user's next login on, and answers the user.
///
/// # Errors
/// See [`GrantError`].
pub async fn handle(users: &Users, grant: GrantRole) -> Result<User, GrantError> {
    let credentials = users
        .credentials(&grant.email)
        .await?
        .ok_or(GrantError::UserNotFound)?;
    if !users
        .grant(&grant.email, credentials.user_id, grant.role)
        .await?
    {
        return Err(GrantError::UserNotFound);
    }
    users
        .user(credentials.user_id)
        .await?
        .ok_or(GrantError::UserNotFound)
}
