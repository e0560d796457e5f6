//! Saga step: asks an order's customer to act.

fn main() -> std::process::ExitCode {
    oxcart_orders::functions::request_action()
}
