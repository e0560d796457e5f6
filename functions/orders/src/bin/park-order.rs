//! Saga step: leaves an order to a person.

use oxcart_orders::{park_order::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_lambda::serve_task(wiring::orders, handle)
}
