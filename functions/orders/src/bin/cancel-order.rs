//! Cancels one of the caller's own orders.

use oxcart_orders::{cancel_order::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_http::serve(wiring::orders, handle)
}
