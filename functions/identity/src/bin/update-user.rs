//! Changes one's own name or e-mail address.

use oxcart_identity::{update_user::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_http::serve(wiring::users, handle)
}
