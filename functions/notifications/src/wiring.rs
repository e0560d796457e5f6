//! From the environment to what the handlers need.

use oxcart_lambda::{Cloud, Service, StartError};
use oxcart_table::Table;

use crate::{mailer::Mailer, table::Sent};

/// What sends notifications, and what remembers that they were sent.
#[derive(Debug)]
pub struct Notifications {
    /// The memory.
    pub sent: Sent,
    /// The sender.
    pub mailer: Mailer,
}

/// The notifications' table and the e-mail service.
///
/// # Errors
/// When the template doesn't name the table or the sender's address.
pub fn notifications(cloud: &Cloud) -> Result<Notifications, StartError> {
    let table = Table::new(
        aws_sdk_dynamodb::Client::new(cloud.config(Service::DynamoDb)),
        cloud.variable("NOTIFICATIONS_TABLE")?,
    );
    let mailer = Mailer::new(
        aws_sdk_sesv2::Client::new(cloud.config(Service::Ses)),
        cloud.variable("SENDER_ADDRESS")?,
    );
    Ok(Notifications {
        sent: Sent::new(table),
        mailer,
    })
}
