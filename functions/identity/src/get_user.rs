//! `GET /users/me`.

use oxcart_http::{Answer, Caller, Problem, Request, StatusCode, json};

use crate::table::Users;

/// Answers the caller's own account.
///
/// # Errors
/// 401; 404 when the account is gone.
pub async fn handle(users: &Users, request: Request) -> Result<Answer, Problem> {
    let caller = Caller::of(&request)?;
    let user = users
        .user(caller.user_id)
        .await?
        .ok_or_else(Problem::not_found)?;
    json(StatusCode::OK, &user.user)
}
