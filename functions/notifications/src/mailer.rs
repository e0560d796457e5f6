//! E-mail through Amazon SES.

use aws_sdk_sesv2::{
    Client,
    error::{BuildError, SdkError},
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
    /// SES did not take it.
    #[error("SES did not take the e-mail")]
    NotTaken(#[source] Box<SdkError<SendEmailError>>),
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
            .map_err(|error| MailError::NotTaken(Box::new(error)))
    }
}
