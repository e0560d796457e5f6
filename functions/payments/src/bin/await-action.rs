//! Saga step: waits until a customer has acted on their payment.

fn main() -> std::process::ExitCode {
    oxcart_payments::functions::await_action()
}
