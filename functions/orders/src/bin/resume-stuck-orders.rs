//! Runs the sagas of orders again that are open for too long.

fn main() -> std::process::ExitCode {
    oxcart_orders::functions::resume_stuck_orders()
}
