//! Places an order: one conditional write.

use oxcart_orders::{place_order::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_http::serve(wiring::awaited_orders, handle)
}
