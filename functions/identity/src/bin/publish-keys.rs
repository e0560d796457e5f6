//! Publishes the keys that our tokens are verified with.

fn main() -> std::process::ExitCode {
    oxcart_identity::functions::publish_keys()
}
