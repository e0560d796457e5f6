//! Cancels one of the caller's own orders.

fn main() -> std::process::ExitCode {
    oxcart_orders::functions::cancel_order()
}
