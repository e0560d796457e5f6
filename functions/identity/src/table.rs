//! The identity's table: its keys, attributes and conditions.
//!
//! | item | `pk` |
//! |---|---|
//! | user | `USER#<user id>` |
//! | credentials | `EMAIL#<e-mail in lower case>`: what a login needs, in one read |
//! | session | `SESSION#<session id>` |

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use oxcart_domain::{
    CustomerId, Event,
    credentials::Email,
    user::{Role, User},
};
use oxcart_table::{KEY, Table, TableError, Transacted, Written, item, put, transact, value};
use serde::{Deserialize, Serialize};

use crate::{passwords::PasswordHash, session::Session};

/// How often a transaction is tried when other writes are at the same items.
const TRIES: u32 = 4;

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
        };
        let mut credentials = item(credentials)?;
        credentials.insert(KEY.to_owned(), text(email_key(&user.email)));
        let mut record = item(user)?;
        record.insert(KEY.to_owned(), text(user_key(user.id)));
        record.insert(
            oxcart_outbox::ATTRIBUTE.to_owned(),
            oxcart_outbox::attribute(event)?,
        );

        // Protects: an e-mail address has one user.
        let claim = Put::builder()
            .table_name(self.table.name())
            .set_item(Some(credentials))
            .condition_expression("attribute_not_exists(pk)")
            .build()?;
        // Protects: no user is overwritten, were ids ever to collide.
        let user = Put::builder()
            .table_name(self.table.name())
            .set_item(Some(record))
            .condition_expression("attribute_not_exists(pk)")
            .build()?;
        let writes = vec![
            TransactWriteItem::builder().put(claim).build(),
            TransactWriteItem::builder().put(user).build(),
        ];
        for _ in 0..TRIES {
            match transact(self.table.client(), writes.clone()).await? {
                Transacted::Done => return Ok(Registered::Now),
                Transacted::Refused(_) => return Ok(Registered::EmailTaken),
                Transacted::Conflict => {}
            }
        }
        Ok(Registered::Contended)
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
        for _ in 0..TRIES {
            match transact(self.table.client(), writes.clone()).await? {
                Transacted::Done => return Ok(true),
                Transacted::Refused(_) => return Ok(false),
                Transacted::Conflict => {}
            }
        }
        Err(TableError::Throttled)
    }

    /// Stores a new session.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn begin_session(&self, session: &Session) -> Result<(), TableError> {
        let mut record = item(session)?;
        record.insert(
            KEY.to_owned(),
            text(format!("SESSION#{}", session.session_id)),
        );
        // Protects: no session is overwritten, were ids ever to collide.
        let call = self
            .table
            .put_item()
            .set_item(Some(record))
            .condition_expression("attribute_not_exists(pk)");
        match put(call).await? {
            Written::Done(_) => Ok(()),
            Written::Refused(_) => Err(TableError::Throttled),
        }
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

fn email_key(email: &Email) -> String {
    format!("EMAIL#{}", email.as_str())
}

fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}
