//! Says whether what orders need is there.

fn main() -> std::process::ExitCode {
    oxcart_operations::functions::check_health()
}
