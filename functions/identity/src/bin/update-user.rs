//! Changes one's own name or e-mail address.

fn main() -> std::process::ExitCode {
    oxcart_identity::functions::update_user()
}
