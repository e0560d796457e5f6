//! Puts the units of an order back into stock.

use oxcart_inventory::{release_stock::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_lambda::serve_task(wiring::inventory, handle)
}
