//! Answers a page of the caller's orders, newest first.

fn main() -> std::process::ExitCode {
    oxcart_orders::functions::list_orders()
}
