//! Says who issues our tokens.

fn main() -> std::process::ExitCode {
    oxcart_identity::functions::describe_issuer()
}
