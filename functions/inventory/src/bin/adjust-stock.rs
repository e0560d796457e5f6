//! Adds units of a product to stock, or takes some away.

use oxcart_inventory::{adjust_stock::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_http::serve(wiring::inventory, handle)
}
