//! Shows what was given up, and why.

fn main() -> std::process::ExitCode {
    oxcart_operations::functions::list_dead_letters()
}
