//! Takes the units of an order out of stock.

use oxcart_inventory::{reserve_stock::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_lambda::serve_task(wiring::inventory, handle)
}
