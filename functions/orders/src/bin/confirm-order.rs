//! Tells an order that it is paid and held.

use oxcart_orders::{confirm_order::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_lambda::serve_task(wiring::orders, handle)
}
