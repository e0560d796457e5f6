//! Sends the e-mails that events call for.

use oxcart_notifications::{send_notification::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_lambda::serve_queue(wiring::notifications, handle)
}
