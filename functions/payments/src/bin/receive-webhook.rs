//! Hears from the payment gateway.

use oxcart_payments::{receive_webhook::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_http::serve(wiring::webhooks, handle)
}
