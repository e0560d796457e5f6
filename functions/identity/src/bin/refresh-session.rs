//! Exchanges a refresh token for the next pair of tokens.

use oxcart_identity::{refresh_session::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_http::serve(wiring::refreshing, handle)
}
