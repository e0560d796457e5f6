//! Runs the saga of an open order again.

fn main() -> std::process::ExitCode {
    oxcart_operations::functions::resume_order()
}
