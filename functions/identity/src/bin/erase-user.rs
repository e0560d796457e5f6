//! Erases one's own account.

fn main() -> std::process::ExitCode {
    oxcart_identity::functions::erase_user()
}
