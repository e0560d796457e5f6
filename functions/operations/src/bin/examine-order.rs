//! Tells what happened to an order, across the services.

fn main() -> std::process::ExitCode {
    oxcart_operations::functions::examine_order()
}
