//! Exchanges a refresh token for the next pair of tokens.

fn main() -> std::process::ExitCode {
    oxcart_identity::functions::refresh_session()
}
