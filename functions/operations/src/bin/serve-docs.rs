//! Answers the reference of the API, its description, and what its problems mean.

use oxcart_operations::{serve_docs::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_http::serve(wiring::site, handle)
}
