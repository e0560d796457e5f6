//! Creates or changes a product.

use oxcart_inventory::{put_product::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_http::serve(wiring::inventory, handle)
}
