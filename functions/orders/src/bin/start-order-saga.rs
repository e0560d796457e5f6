//! Starts the saga of every order that is placed.

fn main() -> std::process::ExitCode {
    oxcart_orders::functions::start_order_saga()
}
