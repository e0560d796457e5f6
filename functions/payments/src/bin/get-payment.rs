//! Answers the payment of an order of the caller.

use oxcart_payments::{get_payment::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_http::serve(wiring::gateway_payments, handle)
}
