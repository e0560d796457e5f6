//! Ends a session.

use oxcart_identity::{logout::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_http::serve(wiring::users, handle)
}
