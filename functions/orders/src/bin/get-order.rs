//! Answers one order of the caller.

use oxcart_orders::{get_order::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_http::serve(wiring::awaited_orders, handle)
}
