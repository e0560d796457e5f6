//! Has what was given up tried again.

fn main() -> std::process::ExitCode {
    oxcart_operations::functions::redrive_dead_letters()
}
