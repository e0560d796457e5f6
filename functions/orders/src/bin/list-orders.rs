//! Answers a page of the caller's orders, newest first.

use oxcart_orders::{list_orders::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_http::serve(wiring::orders, handle)
}
