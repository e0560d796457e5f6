//! Exchanges an e-mail address and a password for tokens.

use oxcart_identity::{login::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_http::serve(wiring::login, handle)
}
