//! Tells API Gateway who makes a request.

fn main() -> std::process::ExitCode {
    oxcart_identity::functions::authorize_request()
}
