//! The identity's table: its keys, attributes and conditions.
//!
//! | item | `pk` |
//! |---|---|
//! | user | `USER#<user id>`; of an erased one, a tombstone with `erased_at` |
//! | credentials | `EMAIL#<e-mail in lower case>`: what a login needs, in one read |
//! | session | `SESSION#<session id>` |
//! | failed attempts | `ATTEMPTS#…`, see [`Counter`] |

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update,
};
use oxcart_domain::{
    CustomerId, Event, Timestamp,
    credentials::Email,
    lockout::Tally,
    session::{Session, SessionEpoch},
    user::{Revision, Role, User},
};
use oxcart_table::{
    Item, KEY, Table, TableError, Transacted, Written, item, parse, put, transact, update, value,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    attempt::{Attempt, Counter},
    passwords::PasswordHash,
    session::RefreshToken,
};

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
    /// Moves on with every change of the item.
    pub revision: Revision,
}

/// What there is to know before an attempt to log in is judged.
#[derive(Debug)]
pub struct Record {
    /// Of who has the address, if somebody has.
    pub credentials: Option<Credentials>,
    /// The failures with the account, from wherever it isn't known.
    pub account: Option<Tally>,
    /// What is known of the account at where the attempt comes from.
    pub place: Option<Place>,
    /// The failures of where the attempt comes from, with whatever account.
    pub source: Option<Tally>,
}

/// An account at one source.
#[derive(Debug, Deserialize)]
pub struct Place {
    /// Who has signed in to it from there, which may not be who has the address by now.
    #[serde(default)]
    user_id: Option<CustomerId>,
    /// Until when the place counts as known for that.
    #[serde(default)]
    known_until: Option<Timestamp>,
    /// The failures with the account from there.
    #[serde(flatten)]
    tally: Option<Tally>,
}

impl Record {
    /// The failures with the account from where the attempt comes from.
    #[must_use]
    pub const fn tally_of_place(&self) -> Option<&Tally> {
        match &self.place {
            Some(place) => place.tally.as_ref(),
            None => None,
        }
    }

    /// Whether who has the account was signed in from where the attempt comes from.
    #[must_use]
    pub fn knows_place(&self, now: Timestamp) -> bool {
        self.credentials
            .as_ref()
            .zip(self.place.as_ref())
            .is_some_and(|(credentials, place)| {
                place.user_id == Some(credentials.user_id)
                    && place.known_until.is_some_and(|until| until > now)
            })
    }
}

/// Whether a failure was counted.
#[derive(Debug)]
pub enum Counted {
    /// By this call.
    Now,
    /// Not by this call: this is what is remembered by now.
    Stale(Option<Tally>),
}

/// What became of a change of a user.
#[derive(Debug, PartialEq, Eq)]
pub enum Changed {
    /// The user is changed.
    Now,
    /// Somebody else has the new e-mail address.
    EmailTaken,
    /// The user is no longer as they were read.
    Stale,
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

    /// A user, unless they are unknown or erased.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn user(&self, id: CustomerId) -> Result<Option<StoredUser>, TableError> {
        match self.table.get_item(user_key(id)).await? {
            Some(item) => present(item),
            None => Ok(None),
        }
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
        record.insert("revision".to_owned(), value(Revision::default())?);
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

    /// Makes the user `after`, in every place where it stands, and tells of it.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn change(
        &self,
        before: &StoredUser,
        after: &User,
        event: Event,
    ) -> Result<Changed, TableError> {
        // Protects: a change is made of the user who was read, who is not erased.
        let user = Update::builder()
            .table_name(self.table.name())
            .key(KEY, text(user_key(after.id)))
            .update_expression(
                "SET email = :email, #name = :name, #role = :role, revision = :next, outbox = :event",
            )
            .condition_expression("revision = :revision")
            .expression_attribute_names("#name", "name")
            .expression_attribute_names("#role", "role")
            .expression_attribute_values(":email", value(&after.email)?)
            .expression_attribute_values(":name", value(&after.name)?)
            .expression_attribute_values(":role", value(after.role)?)
            .expression_attribute_values(":revision", value(before.revision)?)
            .expression_attribute_values(":next", value(before.revision.next())?)
            .expression_attribute_values(":event", oxcart_outbox::attribute(event)?)
            .build()?;
        let mut writes = vec![TransactWriteItem::builder().update(user).build()];
        if before.user.email != after.email {
            let Some(credentials) = self.credentials(&before.user.email).await? else {
                return Ok(Changed::Stale);
            };
            writes.extend(self.moved(&before.user.email, after, credentials)?);
            writes.extend(
                self.moved_failures(&before.user.email, &after.email)
                    .await?,
            );
        } else if before.user.role != after.role {
            // Protects: the role goes to the user who was read, not to who has the address by now.
            let credentials = Update::builder()
                .table_name(self.table.name())
                .key(KEY, text(email_key(&after.email)))
                .update_expression("SET #role = :role")
                .condition_expression("user_id = :id")
                .expression_attribute_names("#role", "role")
                .expression_attribute_values(":role", value(after.role)?)
                .expression_attribute_values(":id", value(after.id)?)
                .build()?;
            writes.push(TransactWriteItem::builder().update(credentials).build());
        }
        let outcome = transact(self.table.client(), writes).await?;
        if let Some(claimed) = outcome.refused_at(1)
            && let Ok(by) = parse::<Credentials>(claimed.clone())
            && by.user_id != after.id
        {
            return Ok(Changed::EmailTaken);
        }
        Ok(match outcome {
            Transacted::Done => Changed::Now,
            Transacted::Refused(_) | Transacted::Conflict => Changed::Stale,
        })
    }

    /// The writes that move `credentials` from the address `from` to that of `user`: the claim of the
    /// new address first.
    fn moved(
        &self,
        from: &Email,
        user: &User,
        credentials: Credentials,
    ) -> Result<[TransactWriteItem; 2], TableError> {
        // Protects: what is moved is what was read; no password or role set meanwhile is lost.
        let release = Delete::builder()
            .table_name(self.table.name())
            .key(KEY, text(email_key(from)))
            .condition_expression(
                "user_id = :id AND password_hash = :hash AND #role = :role AND session_epoch = :epoch",
            )
            .expression_attribute_names("#role", "role")
            .expression_attribute_values(":id", value(user.id)?)
            .expression_attribute_values(":hash", value(&credentials.password_hash)?)
            .expression_attribute_values(":role", value(credentials.role)?)
            .expression_attribute_values(":epoch", value(credentials.session_epoch)?)
            .build()?;
        let mut credentials = item(Credentials {
            role: user.role,
            ..credentials
        })?;
        credentials.insert(KEY.to_owned(), text(email_key(&user.email)));
        // Protects: an e-mail address has one user.
        let claim = Put::builder()
            .table_name(self.table.name())
            .set_item(Some(credentials))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()?;
        Ok([
            TransactWriteItem::builder().put(claim).build(),
            TransactWriteItem::builder().delete(release).build(),
        ])
    }

    /// The write that moves the failed logins with the address `from` to the address `to`: who guesses
    /// has not got a new account to guess at.
    async fn moved_failures(
        &self,
        from: &Email,
        to: &Email,
    ) -> Result<Option<TransactWriteItem>, TableError> {
        let key = |email: &Email| Attempt::new(email.as_str(), None).key(Counter::Account);
        let Some(mut failures) = self.table.get_item(key(from)).await? else {
            return Ok(None);
        };
        failures.insert(KEY.to_owned(), text(key(to)));
        let write = Put::builder()
            .table_name(self.table.name())
            .set_item(Some(failures))
            .build()?;
        Ok(Some(TransactWriteItem::builder().put(write).build()))
    }

    /// Gives the user another password than that of `credentials` and ends all their sessions. Answers
    /// whether it is done; if not, the user or their password is no longer as it was read.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn change_password(
        &self,
        email: &Email,
        credentials: &Credentials,
        hash: &PasswordHash,
    ) -> Result<bool, TableError> {
        let epoch = value(credentials.session_epoch)?;
        let next = value(credentials.session_epoch.next())?;
        // Protects: a password is set over the one that was proven, by its user.
        let secret = Update::builder()
            .table_name(self.table.name())
            .key(KEY, text(email_key(email)))
            .update_expression("SET password_hash = :hash, session_epoch = :next")
            .condition_expression("user_id = :id AND password_hash = :proven")
            .expression_attribute_values(":hash", value(hash)?)
            .expression_attribute_values(":next", next.clone())
            .expression_attribute_values(":id", value(credentials.user_id)?)
            .expression_attribute_values(":proven", value(&credentials.password_hash)?)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()?;
        // Protects: the end of the sessions is not undone by a write that read them before.
        let user = Update::builder()
            .table_name(self.table.name())
            .key(KEY, text(user_key(credentials.user_id)))
            .update_expression("SET session_epoch = :next ADD revision :one")
            .condition_expression("session_epoch = :epoch AND attribute_not_exists(erased_at)")
            .expression_attribute_values(":next", next)
            .expression_attribute_values(":epoch", epoch)
            .expression_attribute_values(":one", value(1)?)
            .build()?;
        let writes = vec![
            TransactWriteItem::builder().update(secret).build(),
            TransactWriteItem::builder().update(user).build(),
        ];
        let outcome = transact(self.table.client(), writes).await?;
        if let Some(found) = outcome.refused_at(0)
            && let Ok(found) = parse::<Credentials>(found.clone())
        {
            // A try whose answer was lost may have come through.
            return Ok(found.password_hash == *hash);
        }
        Ok(outcome == Transacted::Done)
    }

    /// Replaces the hash of a password by a better one of the same password, unless it has changed.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn rehash(
        &self,
        email: &Email,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<(), TableError> {
        // Protects: no password that was set meanwhile is overwritten.
        let call = self
            .table
            .update_item(email_key(email))
            .update_expression("SET password_hash = :new")
            .condition_expression("password_hash = :old")
            .expression_attribute_values(":new", value(new)?)
            .expression_attribute_values(":old", value(old)?);
        update(call).await.map(drop)
    }

    /// Leaves a tombstone where the user was, frees their e-mail address, ends all their sessions, and
    /// tells of it. Answers whether it is done; if not, the user is no longer as they were read.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn erase(
        &self,
        user: &StoredUser,
        event: Event,
        now: Timestamp,
    ) -> Result<bool, TableError> {
        let id = user.user.id;
        let tombstone = HashMap::from([
            (KEY.to_owned(), text(user_key(id))),
            ("id".to_owned(), value(id)?),
            ("erased_at".to_owned(), value(now)?),
            (
                "session_epoch".to_owned(),
                value(user.session_epoch.next())?,
            ),
            (
                oxcart_outbox::ATTRIBUTE.to_owned(),
                oxcart_outbox::attribute(event)?,
            ),
        ]);
        // Protects: who is erased stays so: no later change finds a revision.
        let tombstone = Put::builder()
            .table_name(self.table.name())
            .set_item(Some(tombstone))
            .condition_expression("revision = :revision")
            .expression_attribute_values(":revision", value(user.revision)?)
            .build()?;
        // Protects: nobody else's credentials go.
        let credentials = Delete::builder()
            .table_name(self.table.name())
            .key(KEY, text(email_key(&user.user.email)))
            .condition_expression("user_id = :id")
            .expression_attribute_values(":id", value(id)?)
            .build()?;
        let writes = vec![
            TransactWriteItem::builder().put(tombstone).build(),
            TransactWriteItem::builder().delete(credentials).build(),
        ];
        Ok(transact(self.table.client(), writes).await? == Transacted::Done)
    }

    /// What there is to know before `attempt` is judged: one round trip.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn record(&self, attempt: &Attempt) -> Result<Record, TableError> {
        let [account, place, source] =
            [Counter::Account, Counter::Place, Counter::Source].map(|which| attempt.key(which));
        let credentials = attempt.email().map(email_key);
        let keys = [account.clone(), place.clone(), source.clone()];
        let found = self
            .table
            .get_all(keys.into_iter().chain(credentials.clone()));
        let mut found = by_key(found.await?);
        Ok(Record {
            credentials: credentials
                .and_then(|key| found.remove(&key))
                .map(parse)
                .transpose()?,
            account: found.remove(&account).map(parse).transpose()?,
            place: found.remove(&place).map(parse).transpose()?,
            source: found.remove(&source).map(parse).transpose()?,
        })
    }

    /// Remembers `after` as the failures where `before` was.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn count(
        &self,
        attempt: &Attempt,
        counter: Counter,
        before: Option<&Tally>,
        after: &Tally,
    ) -> Result<Counted, TableError> {
        let set = "SET failures = :failures, locked_until = :locked_until, expires_at = :expires_at, \
                   attempt = :attempt, #ttl = ";
        // A place that is known is kept for longer than its failures.
        let ttl = match counter {
            Counter::Place => "if_not_exists(#ttl, :ttl)",
            Counter::Account | Counter::Source => ":ttl",
        };
        let call = self
            .table
            .update_item(attempt.key(counter))
            .update_expression(format!("{set}{ttl}"))
            .expression_attribute_names("#ttl", TTL)
            .expression_attribute_values(":ttl", value(after.expires_at.unix_seconds())?)
            .expression_attribute_values(":attempt", value(attempt.id)?)
            .expression_attribute_values(":failures", value(after.failures)?)
            .expression_attribute_values(":locked_until", value(after.locked_until)?)
            .expression_attribute_values(":expires_at", value(after.expires_at)?);
        // Protects: of many attempts at once each is counted, and none is admitted that shouldn't be.
        let call = match before {
            None => call.condition_expression("attribute_not_exists(failures)"),
            Some(before) => call
                .condition_expression("failures = :before AND locked_until = :until")
                .expression_attribute_values(":before", value(before.failures)?)
                .expression_attribute_values(":until", value(before.locked_until)?),
        };
        Ok(match update(call).await? {
            Written::Done(_) => Counted::Now,
            // A try whose answer was lost may have come through.
            Written::Refused(found) if found.get("attempt") == Some(&value(attempt.id)?) => {
                Counted::Now
            }
            Written::Refused(found) => Counted::Stale(parse(found).ok()),
        })
    }

    /// Notes that an attempt was refused for the failures that `counter` counts.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn note_refusal(
        &self,
        attempt: &Attempt,
        counter: Counter,
    ) -> Result<(), TableError> {
        let call = self
            .table
            .update_item(attempt.key(counter))
            .update_expression("ADD refused :one")
            .condition_expression("attribute_exists(failures)")
            .expression_attribute_values(":one", value(1)?);
        update(call).await.map(drop)
    }

    /// Forgets the failures with the attempt's account.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn forget(&self, attempt: &Attempt) -> Result<(), TableError> {
        let call = self
            .table
            .client()
            .delete_item()
            .table_name(self.table.name())
            .key(KEY, text(attempt.key(Counter::Account)));
        call.send().await.map_err(TableError::unavailable)?;
        Ok(())
    }

    /// Remembers the attempt's place, and forgets the failures there.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn know(
        &self,
        attempt: &Attempt,
        user: CustomerId,
        known_until: Timestamp,
    ) -> Result<(), TableError> {
        let call = self
            .table
            .put_item()
            .item(KEY, text(attempt.key(Counter::Place)))
            .item("user_id", value(user)?)
            .item("known_until", value(known_until)?)
            .item(TTL, value(known_until.unix_seconds())?);
        put(call).await.map(drop)
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
        let (session, user) = (session_key(session_id), user_key(user_id));
        let found = self.table.get_all([session.clone(), user.clone()]).await?;
        let mut found = by_key(found);
        let user = match found.remove(&user) {
            Some(item) => present(item)?,
            None => None,
        };
        Ok((found.remove(&session).map(parse).transpose()?, user))
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

    /// A session as it is stored.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn session(&self, id: Uuid) -> Result<Option<StoredSession>, TableError> {
        self.table.get(session_key(id)).await
    }

    /// Ends a session, if it goes on, and tells of it where there is an event.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn revoke(
        &self,
        session_id: Uuid,
        event: Option<Event>,
        now: Timestamp,
    ) -> Result<(), TableError> {
        // Protects: a session is ended once, so its end is told of once.
        let call = self
            .table
            .update_item(session_key(session_id))
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(revoked_at)")
            .expression_attribute_values(":now", value(now)?);
        let call = match event {
            Some(event) => call
                .update_expression("SET revoked_at = :now, outbox = :event")
                .expression_attribute_values(":event", oxcart_outbox::attribute(event)?),
            None => call.update_expression("SET revoked_at = :now"),
        };
        update(call).await.map(drop)
    }
}

/// The user in an item, unless it is a tombstone.
fn present(item: Item) -> Result<Option<StoredUser>, TableError> {
    if item.contains_key("erased_at") {
        return Ok(None);
    }
    parse(item).map(Some)
}

/// Items by their keys.
fn by_key(items: Vec<Item>) -> HashMap<String, Item> {
    let keyed = items.into_iter().filter_map(|item| {
        let key = item.get(KEY)?.as_s().ok()?.clone();
        Some((key, item))
    });
    keyed.collect()
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
