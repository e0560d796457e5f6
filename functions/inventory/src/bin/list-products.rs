//! Answers a page of the catalogue, sorted by name.

fn main() -> std::process::ExitCode {
    oxcart_inventory::functions::list_products()
}
