//! Answers what no route takes.

use oxcart_operations::{answer_unrouted::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_http::serve(wiring::routes, handle)
}
