//! Answers the caller's own account.

use oxcart_identity::{get_user::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_http::serve(wiring::users, handle)
}
