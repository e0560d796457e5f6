//! `DELETE /users/me`.

use oxcart_domain::user::User;
use oxcart_http::{Answer, Caller, Problem, Request, no_content};
use oxcart_lambda::clock;
use oxcart_table::{TableError, pause};

use crate::table::Users;

/// How often the user is read anew when another write comes between.
const TRIES: u32 = 4;

/// Erases what is known of the caller, ends their sessions and frees their e-mail address: 204, also
/// when it was done before.
///
/// # Errors
/// 401.
pub async fn handle(users: &Users, request: Request) -> Result<Answer, Problem> {
    let caller = Caller::of(&request)?;
    for _ in 0..TRIES {
        let Some(user) = users.user(caller.user_id).await? else {
            return Ok(no_content());
        };
        let now = clock::now();
        let event = User::erased(caller.user_id, now);
        if users.erase(&user, event, now).await? {
            return Ok(no_content());
        }
        pause().await;
    }
    Err(TableError::contended().into())
}
