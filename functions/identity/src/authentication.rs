//! Checks who knows an account's password, and makes guessing one slow.
//!
//! An attempt counts as failed before the password is looked at, by conditional writes, so that many
//! attempts at once can't outrun the count; a success clears it. It counts with the account, and with the
//! account at the place it comes from; if that was signed in from before, the latter decides. Failures
//! also count with where they come from. Whatever the outcome, one hash is computed and as many calls are
//! made, and a wrong password is answered the same whether there is such an account or not.

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
    table::{Counted, Credentials, Users},
};

/// How long a place is known after the last login from there, in seconds: 200 days, which is longer than
/// a session goes on without one.
const KNOWN: i64 = 200 * 24 * 3600;

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
        let (with_account, at_place) = tokio::try_join!(
            Box::pin(self.count(attempt, Counter::Account, record.account.as_ref(), now)),
            Box::pin(self.count(attempt, Counter::Place, record.tally_of_place(), now)),
        )?;
        let of_source = record
            .source
            .as_ref()
            .map_or(Ok(()), |tally| tally.admits(now));
        let is_known = record.knows_place(now);
        let hash = match &record.credentials {
            Some(credentials) => credentials.password_hash.clone(),
            None => PasswordHash::nobodys(),
        };
        let fits = hash.fits(password);
        let admitted = if is_known {
            at_place
        } else {
            of_source.and(with_account)
        };
        match (admitted, record.credentials) {
            (Ok(()), Some(credentials)) if fits => {
                let know = self
                    .users
                    .know(attempt, credentials.user_id, now.plus_seconds(KNOWN));
                know.await?;
                // Of an account that is locked nothing was counted now, and who guesses elsewhere stays
                // locked out.
                if with_account.is_ok() {
                    self.users.forget(attempt).await?;
                }
                Ok(credentials)
            }
            _ => {
                self.count_at_source(attempt, record.source, now).await?;
                // The same for a known place as for any other, or it would tell of the account.
                match of_source.and(with_account).and(admitted) {
                    Ok(()) => Err(Refused::WrongPassword),
                    Err(locked) => Err(Refused::Locked(locked)),
                }
            }
        }
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

    /// Counts the attempt as failed, if it is admitted.
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
                Err(locked) => {
                    // Tells the operator how hard somebody tries, and costs as much as the count would.
                    self.users.note_refusal(attempt, counter).await?;
                    return Ok(Err(locked));
                }
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
