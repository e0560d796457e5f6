//! Counts what was given up.

fn main() -> std::process::ExitCode {
    oxcart_operations::functions::list_queues()
}
