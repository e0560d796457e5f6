//! Starts the saga of every order that is placed.

use oxcart_orders::{start_order_saga::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_lambda::serve_queue(wiring::sagas, handle)
}
