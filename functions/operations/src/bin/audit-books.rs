//! Says whether the books of a day agree.

fn main() -> std::process::ExitCode {
    oxcart_operations::functions::audit_books()
}
