//! Saga step: waits until a customer has acted on their payment.

use oxcart_payments::{await_action::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_lambda::serve_task(wiring::gateway_payments, handle)
}
