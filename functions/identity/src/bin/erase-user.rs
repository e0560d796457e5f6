//! Erases one's own account.

use oxcart_identity::{erase_user::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_http::serve(wiring::users, handle)
}
