//! Ends a session.

fn main() -> std::process::ExitCode {
    oxcart_identity::functions::logout()
}
