//! The notifications' table: its keys, attributes and conditions.
//!
//! | item | `pk` |
//! |---|---|
//! | notification | `NOTIFICATION#<event id>` |

use aws_sdk_dynamodb::types::AttributeValue;
use oxcart_domain::{EventId, Timestamp};
use oxcart_table::{Table, TableError, Written, parse, update, value};
use serde::Deserialize;

/// How long it is remembered that a notification was sent, in seconds: 30 days, longer than any
/// message stays in a queue.
const MEMORY: i64 = 30 * 24 * 3600;

/// Which notifications were sent.
#[derive(Debug)]
pub struct Sent {
    table: Table,
}

/// Who is to send a notification.
#[derive(Debug, PartialEq, Eq)]
pub enum Claim {
    /// We are, and nobody else until the claim ends.
    Ours,
    /// Somebody else is at it.
    InProgress,
    /// Nobody: it was sent.
    AlreadySent,
}

#[derive(Deserialize)]
struct Notification {
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Status {
    Sending,
    Sent,
}

impl Sent {
    /// Remembers in `table`.
    #[must_use]
    pub const fn new(table: Table) -> Self {
        Self { table }
    }

    /// Claims the notification of an event until `until`.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn claim(
        &self,
        event: EventId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Claim, TableError> {
        // Protects: a notification is sent by one invocation at a time, and not after it was sent.
        let call = self
            .table
            .update_item(key(event))
            .update_expression("SET #status = :sending, claimed_until = :until, #ttl = :ttl")
            .condition_expression(
                "attribute_not_exists(pk) OR (#status = :sending AND claimed_until <= :now)",
            )
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":sending", text("SENDING"))
            .expression_attribute_values(":until", value(until)?)
            .expression_attribute_values(":now", value(now)?)
            .expression_attribute_values(":ttl", value(now.plus_seconds(MEMORY).unix_seconds())?);
        match update(call).await? {
            Written::Done(_) => Ok(Claim::Ours),
            Written::Refused(earlier) => match parse::<Notification>(earlier)?.status {
                Status::Sending => Ok(Claim::InProgress),
                Status::Sent => Ok(Claim::AlreadySent),
            },
        }
    }

    /// Remembers that the notification of an event was sent.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn done(&self, event: EventId) -> Result<(), TableError> {
        let call = self
            .table
            .update_item(key(event))
            .update_expression("SET #status = :sent REMOVE claimed_until")
            // Protects: nothing is remembered of a notification that nobody claimed.
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":sent", text("SENT"));
        update(call).await.map(drop)
    }
}

fn key(event: EventId) -> String {
    format!("NOTIFICATION#{event}")
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}
