//! Publishes the keys that our tokens are verified with.

use oxcart_identity::{publish_keys::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_http::serve(wiring::token_keys, handle)
}
