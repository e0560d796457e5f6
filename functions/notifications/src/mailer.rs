//! E-mail through Amazon SES.

use aws_sdk_sesv2::{
    Client,
    error::{BuildError, ProvideErrorMetadata as _, SdkError},
    operation::send_email::SendEmailError,
    types::{Body, Content, Destination, EmailContent, Message as SesMessage},
};
use oxcart_domain::credentials::Email;

use crate::message::Message;

/// What sends e-mail.
#[derive(Debug)]
pub struct Mailer {
    client: Client,
    sender: String,
}

/// Why an e-mail was not sent.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// SES did not take it, for this reason: its error code. Its own words name the address.
    #[error("SES did not take the e-mail: {0}")]
    NotTaken(String),
    /// Nobody knows whether SES took it.
    #[error("SES did not answer")]
    NoAnswer(#[source] Box<SdkError<SendEmailError>>),
    /// The call was put together wrongly.
    #[error("the call is incomplete")]
    Incomplete(#[from] BuildError),
}

impl Mailer {
    /// Sends from the address `sender`.
    #[must_use]
    pub const fn new(client: Client, sender: String) -> Self {
        Self { client, sender }
    }

    /// Sends `message`, as text and as HTML.
    ///
    /// # Errors
    /// See [`MailError`].
    pub async fn send(&self, to: &Email, message: &Message) -> Result<(), MailError> {
        let content = |data: &str| Content::builder().data(data).charset("UTF-8").build();
        let body = Body::builder()
            .text(content(&message.text)?)
            .html(content(&message.html)?)
            .build();
        let message = SesMessage::builder()
            .subject(content(&message.subject)?)
            .body(body)
            .build();
        self.client
            .send_email()
            .from_email_address(&self.sender)
            .destination(Destination::builder().to_addresses(to.as_str()).build())
            .content(EmailContent::builder().simple(message).build())
            .send()
            .await
            .map(drop)
            .map_err(MailError::from)
    }
}

impl From<SdkError<SendEmailError>> for MailError {
    fn from(error: SdkError<SendEmailError>) -> Self {
        match error {
            SdkError::ServiceError(refusal) => {
                let code = refusal.err().code();
                Self::NotTaken(code.unwrap_or("without a code").to_owned())
            }
            error => Self::NoAnswer(Box::new(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sesv2::{
        config::http::HttpResponse,
        error::{DisplayErrorContext, ErrorMetadata},
        types::error::MessageRejected,
    };

    use super::*;

    #[test]
    fn a_refusal_tells_why_and_not_whose_mail_it_was() {
        let refusal = MessageRejected::builder()
            .message("Email address is not verified: ada@example.com")
            .meta(ErrorMetadata::builder().code("MessageRejected").build())
            .build();
        let answer = HttpResponse::new(400.try_into().unwrap(), "ada@example.com".into());
        let error = SdkError::service_error(SendEmailError::MessageRejected(refusal), answer);

        let told = DisplayErrorContext(MailError::from(error)).to_string();
        assert!(told.contains("MessageRejected"), "{told}");
        assert!(!told.contains("ada@example.com"), "{told}");
    }
}
