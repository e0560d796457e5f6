//! Tells API Gateway who makes a request.

use oxcart_identity::{authorize_request::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_lambda::serve_task(wiring::token_verifier, handle)
}
