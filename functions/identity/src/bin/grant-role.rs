//! Gives a user a role; reached by operators under IAM only.

use oxcart_identity::{grant_role::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_lambda::serve_task(wiring::users, handle)
}
