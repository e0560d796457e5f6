//! Answers the caller's own account.

fn main() -> std::process::ExitCode {
    oxcart_identity::functions::get_user()
}
