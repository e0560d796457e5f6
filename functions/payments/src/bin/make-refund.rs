//! Gives part of a payment back that was asked for.

fn main() -> std::process::ExitCode {
    oxcart_payments::functions::make_refund()
}
