//! Gives the customer's money back, or makes sure that none is taken.

use oxcart_payments::{refund_payment::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_lambda::serve_task(wiring::gateway_payments, handle)
}
