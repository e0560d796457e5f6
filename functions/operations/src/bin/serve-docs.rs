//! Answers the reference of the API, its description, and what its problems mean.

fn main() -> std::process::ExitCode {
    oxcart_operations::functions::serve_docs()
}
