//! Says who issues our tokens.

use oxcart_identity::{describe_issuer::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_http::serve(wiring::issuer, handle)
}
