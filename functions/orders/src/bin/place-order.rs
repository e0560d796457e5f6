//! Places an order: one conditional write.

fn main() -> std::process::ExitCode {
    oxcart_orders::functions::place_order()
}
