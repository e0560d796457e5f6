//! Checks who knows an account's password, and makes guessing one slow.
//!
//! An attempt counts as failed before the password is looked at, by a conditional write, so that many
//! attempts at once can't outrun the count; a success clears it. What is counted is the account, or, where
//! it was signed in to before, the account at that place; and where the attempt comes from. Whatever the
//! outcome, one hash is computed and as many calls are made.

use oxcart_domain::{
    Timestamp,
    credentials::PasswordAttempt,
    lockout::{Locked, Lockout, Tally},
};
use oxcart_http::{Kind, Problem, StatusCode};
use oxcart_table::{TableError, pause};

use crate::{
    attempt::{Attempt, Counter},
    passwords::PasswordHash,
    table::{Counted, Credentials, Record, Users},
};

/// How long a place is known after the last login from there, in seconds: 90 days.
const KNOWN: i64 = 90 * 24 * 3600;

/// How often a count is tried when another attempt comes between.
const TRIES: u32 = 6;

const TOO_MANY_ATTEMPTS: Kind = Kind::new(
    "too-many-attempts",
    "Too many failed attempts",
    StatusCode::TOO_MANY_REQUESTS,
);

/// What checks passwords.
#[derive(Debug)]
pub struct Authenticator {
    /// Who there is.
    pub users: Users,
    /// How failures from one source are counted.
    pub per_source: Lockout,
}

/// Why nobody was authenticated.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// Nobody has this address, or it isn't their password.
    #[error("the password doesn't fit")]
    WrongPassword,
    /// There were too many failures before.
    #[error("there were too many failures")]
    Locked(Locked),
    /// The table failed.
    #[error(transparent)]
    Table(#[from] TableError),
}

impl Authenticator {
    /// The credentials of who has the attempt's address, if `password` is theirs.
    ///
    /// # Errors
    /// See [`Refused`].
    pub async fn authenticate(
        &self,
        attempt: &Attempt,
        password: &PasswordAttempt,
        now: Timestamp,
    ) -> Result<Credentials, Refused> {
        let record = self.users.record(attempt).await?;
        let admitted = self.admit(attempt, &record, now).await?;
        let hash = match &record.credentials {
            Some(credentials) => credentials.password_hash.clone(),
            None => PasswordHash::nobodys(),
        };
        let fits = hash.fits(password);
        match (admitted, record.credentials) {
            (Ok(counter), Some(credentials)) if fits => {
                self.forgive(attempt, counter, now).await?;
                Ok(credentials)
            }
            (admitted, _) => {
                self.count_at_source(attempt, record.source, now).await?;
                Err(admitted.map_or_else(Refused::Locked, |_| Refused::WrongPassword))
            }
        }
    }

    /// Counts the attempt as failed, and answers where, if it is admitted.
    async fn admit(
        &self,
        attempt: &Attempt,
        record: &Record,
        now: Timestamp,
    ) -> Result<Result<Counter, Locked>, TableError> {
        let (counter, remembered) = match &record.place {
            Some(place) if place.known_until > now => (Counter::Place, place.tally.as_ref()),
            _ => (Counter::Account, record.account.as_ref()),
        };
        let (refused_for, locked) = match record.source.as_ref().map(|tally| tally.admits(now)) {
            Some(Err(locked)) => (Counter::Source, locked),
            _ => match self.count(attempt, counter, remembered, now).await? {
                Ok(()) => return Ok(Ok(counter)),
                Err(locked) => (counter, locked),
            },
        };
        // Tells the operator how hard somebody tries, and costs as much as the count would have.
        self.users.note_refusal(attempt, refused_for).await?;
        Ok(Err(locked))
    }

    /// Counts a failure at where the attempt comes from. Of more at once than can be counted one after
    /// the other, some may go uncounted; the account's count, which nobody outruns, doesn't rely on this.
    async fn count_at_source(
        &self,
        attempt: &Attempt,
        remembered: Option<Tally>,
        now: Timestamp,
    ) -> Result<(), TableError> {
        let counted = self.count(attempt, Counter::Source, remembered.as_ref(), now);
        counted.await.map(drop)
    }

    async fn count(
        &self,
        attempt: &Attempt,
        counter: Counter,
        remembered: Option<&Tally>,
        now: Timestamp,
    ) -> Result<Result<(), Locked>, TableError> {
        let lockout = match counter {
            Counter::Account | Counter::Place => Lockout::ACCOUNT,
            Counter::Source => self.per_source,
        };
        let mut before = remembered.cloned();
        for _ in 0..TRIES {
            let after = match lockout.failure(before.as_ref(), now) {
                Ok(after) => after,
                Err(locked) => return Ok(Err(locked)),
            };
            let write = self.users.count(attempt, counter, before.as_ref(), &after);
            match write.await? {
                Counted::Now => return Ok(Ok(())),
                Counted::Stale(found) => before = found,
            }
            pause().await;
        }
        Ok(Err(Locked { seconds: 1 }))
    }

    /// Clears the count that a success was taken for a failure in, and remembers where it came from.
    async fn forgive(
        &self,
        attempt: &Attempt,
        counter: Counter,
        now: Timestamp,
    ) -> Result<(), TableError> {
        let know = self.users.know(attempt, now.plus_seconds(KNOWN));
        match counter {
            Counter::Place => know.await,
            Counter::Account | Counter::Source => {
                tokio::try_join!(know, self.users.forget(attempt)).map(drop)
            }
        }
    }
}

/// Tells how long to wait: 429 with `Retry-After`.
#[must_use]
pub fn too_many_attempts(locked: Locked) -> Problem {
    Problem::new(
        TOO_MANY_ATTEMPTS,
        format!("Try again in {} seconds.", locked.seconds),
    )
    .retry_after(locked.seconds)
}
