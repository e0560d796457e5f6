//! Answers one product.

use oxcart_inventory::{get_product::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_http::serve(wiring::catalogue, handle)
}
