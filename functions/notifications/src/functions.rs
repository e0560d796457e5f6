//! Each function of the service: its wiring and its handler.
//!
//! Here and not in the binaries, so that what they have in common is compiled once, in this crate: the body of an `async`
//! function is compiled wherever it is first run.

use std::process::ExitCode;

use crate::{send_notification, wiring};

/// Sends the e-mails that events call for.
#[must_use]
pub fn send_notification() -> ExitCode {
    oxcart_lambda::serve_queue(wiring::notifications, send_notification::handle)
}
