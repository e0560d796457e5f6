//! Puts the units of an order back into stock.

fn main() -> std::process::ExitCode {
    oxcart_inventory::functions::release_stock()
}
