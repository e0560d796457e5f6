//! Answers one order of the caller.

fn main() -> std::process::ExitCode {
    oxcart_orders::functions::get_order()
}
