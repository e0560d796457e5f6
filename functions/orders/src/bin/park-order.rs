//! Saga step: leaves an order to a person.

fn main() -> std::process::ExitCode {
    oxcart_orders::functions::park_order()
}
