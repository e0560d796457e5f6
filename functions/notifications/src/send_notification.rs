//! Queue consumer: sends the e-mails that events call for, once per event.
//!
//! SES knows no idempotency key, so an e-mail is claimed before it is sent. Killed between sending and
//! storing that, it is sent again when the claim ends: twice rather than never, and that only then.

use oxcart_domain::{DomainEvent, Event};
use oxcart_lambda::clock;
use oxcart_table::TableError;

use crate::{mailer::MailError, message::welcome, table::Claim, wiring::Notifications};

/// How long one invocation may be at an e-mail, in seconds: longer than the function's timeout, and
/// shorter than the queue's visibility timeout, so that the next delivery finds the claim ended.
const CLAIM: i64 = 20;

/// Why an e-mail was not sent. The message comes again.
#[derive(Debug, thiserror::Error)]
pub enum NotificationError {
    /// The queue carries an event that calls for no e-mail; the subscription's filter is at fault.
    #[error("{0} calls for no e-mail")]
    WrongEvent(&'static str),
    /// Another invocation is at it, or was killed at it a moment ago.
    #[error("another invocation is sending this e-mail")]
    InProgress,
    /// The e-mail service failed.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// The table failed.
    #[error(transparent)]
    Table(#[from] TableError),
}

/// Sends the e-mail that `event` calls for, unless it was sent.
///
/// # Errors
/// See [`NotificationError`].
pub async fn handle(service: &Notifications, event: Event) -> Result<(), NotificationError> {
    let (to, message) = match &event.event {
        DomainEvent::UserRegistered { email, .. } => (email, welcome()),
        other => return Err(NotificationError::WrongEvent(other.kind())),
    };
    let now = clock::now();
    match service
        .sent
        .claim(event.id, now, now.plus_seconds(CLAIM))
        .await?
    {
        Claim::AlreadySent => {
            tracing::info!(event_id = %event.id, "sent before");
            Ok(())
        }
        Claim::InProgress => Err(NotificationError::InProgress),
        Claim::Ours => {
            service.mailer.send(to, &message).await?;
            service.sent.done(event.id).await?;
            tracing::info!(event_id = %event.id, kind = event.event.kind(), "notification sent");
            Ok(())
        }
    }
}
