//! Gives the customer's money back, or makes sure that none is taken.

fn main() -> std::process::ExitCode {
    oxcart_payments::functions::refund_payment()
}
