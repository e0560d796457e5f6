//! Runs the sagas of orders again that are open for too long.

use oxcart_orders::{resume_stuck_orders::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_lambda::serve_task(wiring::recovery, handle)
}
