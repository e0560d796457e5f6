//! Takes the customer's money for an order.

fn main() -> std::process::ExitCode {
    oxcart_payments::functions::charge_payment()
}
