//! Ends an order whose steps are all undone.

fn main() -> std::process::ExitCode {
    oxcart_orders::functions::reject_order()
}
