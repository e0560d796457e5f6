//! Registers a customer.

use oxcart_identity::{register_user::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_http::serve(wiring::users, handle)
}
