//! Gives part of a payment back that was asked for.

use oxcart_payments::{make_refund::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_lambda::serve_queue(wiring::gateway_payments, handle)
}
