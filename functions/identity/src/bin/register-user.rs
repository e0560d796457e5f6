//! Registers a customer.

fn main() -> std::process::ExitCode {
    oxcart_identity::functions::register_user()
}
