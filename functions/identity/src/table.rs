//! The identity's table: its keys, attributes and conditions.
//!
//! | item | `pk` |
//! |---|---|
//! | user | `USER#<user id>` |
//! | credentials | `EMAIL#<e-mail in lower case>`: what a login needs, in one read |
//! | session | `SESSION#<session id>` |

use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
    Update,
};
use oxcart_domain::{
    CustomerId, Event, Timestamp,
    credentials::Email,
    session::{RefreshTokenHash, Session, SessionEpoch},
    user::{Role, User},
};
use oxcart_table::{
    KEY, Table, TableError, Transacted, Written, item, parse, put, transact, update, value,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{passwords::PasswordHash, session::RefreshToken};

/// When DynamoDB may delete an item. It only cleans up: what counts is checked.
const TTL: &str = "ttl";

/// The users and their sessions.
#[derive(Debug)]
pub struct Users {
    table: Table,
}

/// What a login needs to know.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Credentials {
    /// Whose they are.
    pub user_id: CustomerId,
    /// The user's password.
    pub password_hash: PasswordHash,
    /// What the user may do.
    pub role: Role,
    /// Which of the user's sessions count.
    #[serde(default)]
    pub session_epoch: SessionEpoch,
}

/// A user as they are stored.
#[derive(Debug, Clone, Deserialize)]
pub struct StoredUser {
    /// What the API shows.
    #[serde(flatten)]
    pub user: User,
    /// Which of the user's sessions count.
    #[serde(default)]
    pub session_epoch: SessionEpoch,
}

/// A session as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredSession {
    /// Which one.
    pub session_id: Uuid,
    /// Whose it is.
    pub user_id: CustomerId,
    /// Whether it is good.
    #[serde(flatten)]
    pub session: Session,
}

/// Whether a refresh token was spent for the next.
#[derive(Debug, PartialEq, Eq)]
pub enum Rotated {
    /// By this call.
    Now,
    /// Not by this call: the session or its user is no longer as it was read.
    Refused,
}

/// What became of a registration.
#[derive(Debug, PartialEq, Eq)]
pub enum Registered {
    /// The user is registered.
    Now,
    /// Somebody has the e-mail address.
    EmailTaken,
    /// Other writes were at the address at every try. Nobody was registered.
    Contended,
}

impl Users {
    /// The users in `table`.
    #[must_use]
    pub const fn new(table: Table) -> Self {
        Self { table }
    }

    /// A user.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn user(&self, id: CustomerId) -> Result<Option<User>, TableError> {
        self.table.get(user_key(id)).await
    }

    /// The credentials of who has an e-mail address.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn credentials(&self, email: &Email) -> Result<Option<Credentials>, TableError> {
        self.table.get(email_key(email)).await
    }

    /// Stores a new user and claims their e-mail address, both or neither.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn register(
        &self,
        user: &User,
        hash: &PasswordHash,
        event: Event,
    ) -> Result<Registered, TableError> {
        let credentials = Credentials {
            user_id: user.id,
            password_hash: hash.clone(),
            role: user.role,
            session_epoch: SessionEpoch::default(),
        };
        let mut credentials = item(credentials)?;
        credentials.insert(KEY.to_owned(), text(email_key(&user.email)));
        let mut record = item(user)?;
        record.insert(KEY.to_owned(), text(user_key(user.id)));
        record.insert("session_epoch".to_owned(), value(SessionEpoch::default())?);
        record.insert(
            oxcart_outbox::ATTRIBUTE.to_owned(),
            oxcart_outbox::attribute(event)?,
        );

        // Protects: an e-mail address has one user.
        let claim = Put::builder()
            .table_name(self.table.name())
            .set_item(Some(credentials))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()?;
        // Protects: no user is overwritten, were ids ever to collide.
        let profile = Put::builder()
            .table_name(self.table.name())
            .set_item(Some(record))
            .condition_expression("attribute_not_exists(pk)")
            .build()?;
        let writes = vec![
            TransactWriteItem::builder().put(claim).build(),
            TransactWriteItem::builder().put(profile).build(),
        ];
        let outcome = transact(self.table.client(), writes).await?;
        if let Some(claimed) = outcome.refused_at(0) {
            let by: Credentials = parse(claimed.clone())?;
            // A try whose answer was lost may have come through.
            return Ok(if by.user_id == user.id {
                Registered::Now
            } else {
                Registered::EmailTaken
            });
        }
        Ok(match outcome {
            Transacted::Done => Registered::Now,
            Transacted::Refused(_) => Registered::EmailTaken,
            Transacted::Conflict => Registered::Contended,
        })
    }

    /// Gives a user a role, in both places where it stands. Answers whether it is done; if not, the
    /// address has changed hands.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn grant(
        &self,
        email: &Email,
        id: CustomerId,
        role: Role,
    ) -> Result<bool, TableError> {
        // Protects: the role goes to the user who was looked up, not to who has the address by now.
        let credentials = self
            .role_update(email_key(email), role)?
            .condition_expression("user_id = :id")
            .expression_attribute_values(":id", value(id)?)
            .build()?;
        let user = self
            .role_update(user_key(id), role)?
            .condition_expression("attribute_exists(pk)")
            .build()?;
        let writes = vec![
            TransactWriteItem::builder().update(credentials).build(),
            TransactWriteItem::builder().update(user).build(),
        ];
        match transact(self.table.client(), writes).await? {
            Transacted::Done => Ok(true),
            Transacted::Refused(_) => Ok(false),
            Transacted::Conflict => Err(TableError::Throttled),
        }
    }

    /// Stores a new session, of which `token` is the first refresh token.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn begin_session(
        &self,
        token: &RefreshToken,
        session: &Session,
    ) -> Result<(), TableError> {
        let mut record = item(StoredSession {
            session_id: token.session_id,
            user_id: token.user_id,
            session: session.clone(),
        })?;
        record.insert(KEY.to_owned(), text(session_key(token.session_id)));
        record.insert(TTL.to_owned(), value(session.expires_at.unix_seconds())?);
        // Protects: no session is overwritten, were ids ever to collide.
        let call = self
            .table
            .put_item()
            .set_item(Some(record))
            .condition_expression("attribute_not_exists(pk)");
        match put(call).await? {
            Written::Done(_) => Ok(()),
            // A try whose answer was lost may have come through.
            Written::Refused(earlier) => match parse::<StoredSession>(earlier)? {
                ours if ours.session.token_hash == session.token_hash => Ok(()),
                _ => Err(TableError::Throttled),
            },
        }
    }

    /// A session and a user as they stand now: one round trip.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn session_and_user(
        &self,
        session_id: Uuid,
        user_id: CustomerId,
    ) -> Result<(Option<StoredSession>, Option<StoredUser>), TableError> {
        let key = session_key(session_id);
        let found = self.table.get_all([key.clone(), user_key(user_id)]).await?;
        let (sessions, users): (Vec<_>, Vec<_>) = found
            .into_iter()
            .partition(|item| item.get(KEY).and_then(|pk| pk.as_s().ok()) == Some(&key));
        let session = sessions.into_iter().next().map(parse).transpose()?;
        Ok((session, users.into_iter().next().map(parse).transpose()?))
    }

    /// Spends the refresh token `shown` for `next`, good until `expires_at`.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn rotate(
        &self,
        shown: &RefreshToken,
        next: &RefreshToken,
        epoch: SessionEpoch,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<Rotated, TableError> {
        // Protects: a refresh token is spent once, and only one of a session that goes on.
        let session = Update::builder()
            .table_name(self.table.name())
            .key(KEY, text(session_key(shown.session_id)))
            .update_expression("SET token_hash = :next, expires_at = :expires_at, #ttl = :ttl")
            .condition_expression(
                "token_hash = :shown AND expires_at > :now AND attribute_not_exists(revoked_at)",
            )
            .expression_attribute_names("#ttl", TTL)
            .expression_attribute_values(":next", value(next.hash())?)
            .expression_attribute_values(":shown", value(shown.hash())?)
            .expression_attribute_values(":expires_at", value(expires_at)?)
            .expression_attribute_values(":ttl", value(expires_at.unix_seconds())?)
            .expression_attribute_values(":now", value(now)?)
            .build()?;
        // Protects: no session outlives the end of all its user's sessions.
        let user = ConditionCheck::builder()
            .table_name(self.table.name())
            .key(KEY, text(user_key(shown.user_id)))
            .condition_expression("session_epoch = :epoch")
            .expression_attribute_values(":epoch", value(epoch)?)
            .build()?;
        let writes = vec![
            TransactWriteItem::builder().update(session).build(),
            TransactWriteItem::builder().condition_check(user).build(),
        ];
        match transact(self.table.client(), writes).await? {
            Transacted::Done => Ok(Rotated::Now),
            Transacted::Refused(_) | Transacted::Conflict => Ok(Rotated::Refused),
        }
    }

    /// Ends a session, if it goes on, and tells of it where there is an event. With `token` it is ended
    /// only if that is its token.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn revoke(
        &self,
        session_id: Uuid,
        token: Option<&RefreshTokenHash>,
        event: Option<Event>,
        now: Timestamp,
    ) -> Result<(), TableError> {
        // Protects: a session is ended once, so its end is told of once.
        let open = "attribute_exists(pk) AND attribute_not_exists(revoked_at)";
        let call = self
            .table
            .update_item(session_key(session_id))
            .expression_attribute_values(":now", value(now)?);
        let call = match event {
            Some(event) => call
                .update_expression("SET revoked_at = :now, outbox = :event")
                .expression_attribute_values(":event", oxcart_outbox::attribute(event)?),
            None => call.update_expression("SET revoked_at = :now"),
        };
        let call = match token {
            Some(token) => call
                .condition_expression(format!("{open} AND token_hash = :token"))
                .expression_attribute_values(":token", value(token)?),
            None => call.condition_expression(open),
        };
        update(call).await.map(drop)
    }

    fn role_update(
        &self,
        key: String,
        role: Role,
    ) -> Result<aws_sdk_dynamodb::types::builders::UpdateBuilder, TableError> {
        Ok(Update::builder()
            .table_name(self.table.name())
            .key(KEY, text(key))
            .update_expression("SET #role = :role")
            .expression_attribute_names("#role", "role")
            .expression_attribute_values(":role", value(role)?))
    }
}

fn user_key(id: CustomerId) -> String {
    format!("USER#{id}")
}

fn session_key(id: Uuid) -> String {
    format!("SESSION#{id}")
}

fn email_key(email: &Email) -> String {
    format!("EMAIL#{}", email.as_str())
}

fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}
