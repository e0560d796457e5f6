//! Exchanges an e-mail address and a password for tokens.

fn main() -> std::process::ExitCode {
    oxcart_identity::functions::login()
}
