//! Hears from the payment gateway.

fn main() -> std::process::ExitCode {
    oxcart_payments::functions::receive_webhook()
}
