//! Takes the units of an order out of stock.

fn main() -> std::process::ExitCode {
    oxcart_inventory::functions::reserve_stock()
}
