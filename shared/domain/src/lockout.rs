//! Lockout: how failed attempts to prove who one is make the next one wait.
//!
//! The wait doubles with every failure and has an end, and an attempt that is refused for it changes
//! nothing: nobody is locked out for ever, however long somebody else goes on guessing.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// The first wait, in seconds.
const FIRST_WAIT: i64 = 10;
/// The longest wait, in seconds: a quarter of an hour, so about a hundred guesses a day.
const LONGEST_WAIT: i64 = 15 * 60;
/// How long a failure is remembered, in seconds: a day, so that letting it be forgotten gains a guesser
/// nothing over waiting.
const MEMORY: i64 = 24 * 3600;

/// How many failures are free of a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lockout {
    /// The first so many failures; the last of them brings the first wait.
    pub free: u32,
}

/// The failures that are remembered, of an account or of where attempts come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// How many there were, one after the other.
    pub failures: u32,
    /// Until when no attempt is admitted.
    pub locked_until: Timestamp,
    /// From when on they are forgotten.
    pub expires_at: Timestamp,
}

/// An attempt is not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Locked {
    /// In how many seconds one is: 1 to 900.
    pub seconds: i64,
}

impl Lockout {
    /// How failures with one account are counted.
    pub const ACCOUNT: Self = Self { free: 5 };

    /// What is remembered once an attempt at `now` has failed, `before` being remembered so far.
    ///
    /// # Errors
    /// [`Locked`] when the attempt is not admitted.
    pub fn failure(self, before: Option<&Tally>, now: Timestamp) -> Result<Tally, Locked> {
        if let Some(before) = before {
            before.admits(now)?;
        }
        let failures = before
            .filter(|before| before.expires_at > now)
            .map_or(0, |before| before.failures)
            .saturating_add(1);
        Ok(Tally {
            failures,
            locked_until: now.plus_seconds(self.wait(failures)),
            expires_at: now.plus_seconds(MEMORY),
        })
    }

    /// How long the next attempt has to wait after so many failures, in seconds.
    fn wait(self, failures: u32) -> i64 {
        match failures.checked_sub(self.free) {
            None => 0,
            Some(doublings) => 2_i64
                .checked_pow(doublings)
                .and_then(|factor| factor.checked_mul(FIRST_WAIT))
                .map_or(LONGEST_WAIT, |wait| wait.min(LONGEST_WAIT)),
        }
    }
}

impl Tally {
    /// Whether an attempt at `now` is admitted.
    ///
    /// # Errors
    /// [`Locked`] when it isn't.
    pub fn admits(&self, now: Timestamp) -> Result<(), Locked> {
        match now.seconds_until(self.locked_until) {
            seconds if seconds > 0 => Err(Locked { seconds }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::try_from("2026-03-01T09:30:00.000Z".to_owned())
            .unwrap()
            .plus_seconds(seconds)
    }

    /// What is remembered after so many failures, each as soon as it is admitted; and when that is.
    fn after(failures: u32) -> (Tally, i64) {
        let mut now = 0;
        let mut tally = Lockout::ACCOUNT.failure(None, at(now)).unwrap();
        for _ in 1..failures {
            if let Err(locked) = tally.admits(at(now)) {
                now += locked.seconds;
            }
            tally = Lockout::ACCOUNT.failure(Some(&tally), at(now)).unwrap();
        }
        (tally, now)
    }

    #[test]
    fn the_wait_doubles_from_the_fifth_failure_on_up_to_a_quarter_of_an_hour() {
        let waits: Vec<i64> = (1..=14)
            .map(|failures| {
                let (tally, now) = after(failures);
                tally
                    .admits(at(now))
                    .map_or_else(|locked| locked.seconds, |()| 0)
            })
            .collect();
        assert_eq!(
            waits,
            [0, 0, 0, 0, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900]
        );
    }

    #[test]
    fn failures_are_forgotten_a_day_after_the_last() {
        let (tally, now) = after(9);
        let soon = Lockout::ACCOUNT.failure(Some(&tally), at(now + MEMORY - 1));
        let late = Lockout::ACCOUNT.failure(Some(&tally), at(now + MEMORY));
        assert_eq!((soon.unwrap().failures, late.unwrap().failures), (10, 1));
    }

    proptest! {
        #[test]
        fn however_somebody_tries_the_rate_is_bounded_and_the_wait_ends(gaps in prop::collection::vec(0i64..3600, 1..400)) {
            let (mut tally, mut now, mut admitted) = (None::<Tally>, 0, Vec::new());
            for gap in gaps {
                now += gap;
                match Lockout::ACCOUNT.failure(tally.as_ref(), at(now)) {
                    Ok(next) => {
                        admitted.push(now);
                        tally = Some(next);
                    }
                    Err(locked) => prop_assert!((1..=LONGEST_WAIT).contains(&locked.seconds)),
                }
            }
            // As fast as can be: five at once, then after 10, 20, 40 … 640 seconds, then every 900.
            for start in &admitted {
                let within = admitted.iter().filter(|at| (*start..start + 24 * 3600).contains(at)).count();
                prop_assert!(within <= 12 + (24 * 3600 - 1270) / 900, "{within} guesses in a day");
            }
        }
    }
}
