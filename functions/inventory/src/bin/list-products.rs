//! Answers a page of the catalogue, sorted by name.

use oxcart_inventory::{list_products::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_http::serve(wiring::catalogue, handle)
}
