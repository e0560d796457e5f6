//! Sends the e-mails that events call for.

fn main() -> std::process::ExitCode {
    oxcart_notifications::functions::send_notification()
}
