//! Answers one product.

fn main() -> std::process::ExitCode {
    oxcart_inventory::functions::get_product()
}
