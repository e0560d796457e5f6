//! Answers the payment of an order of the caller.

fn main() -> std::process::ExitCode {
    oxcart_payments::functions::get_payment()
}
