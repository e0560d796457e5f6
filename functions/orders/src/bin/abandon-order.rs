//! Decides that an order will not be confirmed.

use oxcart_orders::{abandon_order::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_lambda::serve_task(wiring::orders, handle)
}
