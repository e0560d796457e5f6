//! Tells an order that it is paid and held.

fn main() -> std::process::ExitCode {
    oxcart_orders::functions::confirm_order()
}
