//! Takes the customer's money for an order.

use oxcart_payments::{charge_payment::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_lambda::serve_task(wiring::gateway_payments, handle)
}
