//! Says whether what orders need is there.

use oxcart_operations::{check_health::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_http::serve(wiring::health, handle)
}
