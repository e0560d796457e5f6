//! The words of the e-mails.

use html_escape::encode_text;
use oxcart_domain::user::PersonName;

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
#[must_use]
pub fn welcome(name: &PersonName) -> Message {
    let name = name.as_str();
    Message {
        subject: "Welcome to the shop".to_owned(),
        text: format!(
            "Hello {name},\n\nyour account is ready: sign in and have a look around.\n\n\
             If it was not you who registered, you need not do anything.\n"
        ),
        html: format!(
            "<!doctype html><html lang=\"en\"><body><p>Hello {},</p>\
             <p>your account is ready: sign in and have a look around.</p>\
             <p>If it was not you who registered, you need not do anything.</p></body></html>",
            encode_text(name)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_text_in_html_whatever_it_holds() {
        let name = PersonName::try_from("Ada <img src=x> & co".to_owned()).unwrap();
        let Message { text, html, .. } = welcome(&name);

        assert!(text.contains("Hello Ada <img src=x> & co,"));
        assert!(html.contains("Hello Ada &lt;img src=x&gt; &amp; co,"));
    }
}
