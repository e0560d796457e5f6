//! Ends an order whose steps are all undone.

use oxcart_orders::{reject_order::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_lambda::serve_task(wiring::orders, handle)
}
