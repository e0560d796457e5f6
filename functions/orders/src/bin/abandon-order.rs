//! Decides that an order will not be confirmed.

fn main() -> std::process::ExitCode {
    oxcart_orders::functions::abandon_order()
}
