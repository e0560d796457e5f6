//! The words of the e-mails.

/// An e-mail in both its forms.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    /// The subject line.
    pub subject: String,
    /// For readers of plain text.
    pub text: String,
    /// For everybody else.
    pub html: String,
}

/// Welcomes who has registered.
///
/// Says nothing that they wrote, not even their name: anybody can register anybody's address, and the
/// shop must not carry a stranger's words there.
#[must_use]
pub fn welcome() -> Message {
    Message {
        subject: "Welcome to the shop".to_owned(),
        text: "Hello,\n\nyour account is ready: sign in and have a look around.\n\n\
               If it was not you who registered, you need not do anything.\n"
            .to_owned(),
        html: "<!doctype html><html lang=\"en\"><body><p>Hello,</p>\
               <p>your account is ready: sign in and have a look around.</p>\
               <p>If it was not you who registered, you need not do anything.</p></body></html>"
            .to_owned(),
    }
}
