//! Saga step: asks an order's customer to act.

use oxcart_orders::{request_action::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_lambda::serve_task(wiring::orders, handle)
}
