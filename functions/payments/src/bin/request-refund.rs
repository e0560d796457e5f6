//! Has part of a payment given back.

fn main() -> std::process::ExitCode {
    oxcart_payments::functions::request_refund()
}
