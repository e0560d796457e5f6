//! Gives oneself another password.

use oxcart_identity::{change_password::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_http::serve(wiring::authenticator, handle)
}
