//! Answers a page of everybody's orders, newest first, to who looks after the shop.

fn main() -> std::process::ExitCode {
    oxcart_orders::functions::search_orders()
}
