//! Adds units of a product to stock, or takes some away.

fn main() -> std::process::ExitCode {
    oxcart_inventory::functions::adjust_stock()
}
