//! Creates or changes a product.

fn main() -> std::process::ExitCode {
    oxcart_inventory::functions::put_product()
}
