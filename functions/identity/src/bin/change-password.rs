//! Gives oneself another password.

fn main() -> std::process::ExitCode {
    oxcart_identity::functions::change_password()
}
