//! Sessions: when a refresh token is good, and what a bad one means.
//!
//! A session has one refresh token at a time; refreshing spends it and gives the next. Whoever shows
//! a spent token, be it a thief or the robbed, ends the session, since the two can't be told apart
//! ([RFC 9700](https://www.rfc-editor.org/rfc/rfc9700), section 4.14.2). That goes for two refreshes
//! at once as well: one wins, the other one shows a spent token.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Until when a session can be refreshed since it last was, in seconds: 30 days.
const IDLE: i64 = 30 * 24 * 3600;
/// Until when it can be refreshed since it began, in seconds: 180 days.
const ABSOLUTE: i64 = 180 * 24 * 3600;

/// A hash of a refresh token, by which it is recognised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RefreshTokenHash(pub String);

/// How often all sessions of a user were ended. A session counts only in the epoch it began in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionEpoch(pub u64);

impl SessionEpoch {
    /// The epoch after all sessions of this one are ended.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// What there is to know of a session when a refresh token of it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The one token that is good.
    pub token_hash: RefreshTokenHash,
    /// In which of its user's epochs it began.
    pub epoch: SessionEpoch,
    /// When it began.
    pub created_at: Timestamp,
    /// Until when its token is good.
    pub expires_at: Timestamp,
    /// When it was ended, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

/// What showing a refresh token leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refresh {
    /// The token is good: it is spent, and the next one takes its place until then.
    Rotate {
        /// Until when the next one is good.
        expires_at: Timestamp,
    },
    /// The token is spent: the session is to be ended.
    Reuse,
    /// The session is over; there is nothing to do.
    Over,
}

impl Session {
    /// A session that begins now with this token.
    #[must_use]
    pub fn begin(token_hash: RefreshTokenHash, epoch: SessionEpoch, now: Timestamp) -> Self {
        Self {
            token_hash,
            epoch,
            created_at: now,
            expires_at: now.plus_seconds(IDLE),
            revoked_at: None,
        }
    }

    /// What showing the token of hash `shown` leads to, at `now` and in the user's epoch `epoch`, which
    /// a user who is gone doesn't have.
    #[must_use]
    pub fn refresh(
        &self,
        shown: &RefreshTokenHash,
        epoch: Option<SessionEpoch>,
        now: Timestamp,
    ) -> Refresh {
        if self.revoked_at.is_some() || self.expires_at <= now || epoch != Some(self.epoch) {
            Refresh::Over
        } else if self.token_hash == *shown {
            let expires_at = now
                .plus_seconds(IDLE)
                .min(self.created_at.plus_seconds(ABSOLUTE));
            Refresh::Rotate { expires_at }
        } else {
            Refresh::Reuse
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

    fn token(number: usize) -> RefreshTokenHash {
        RefreshTokenHash(number.to_string())
    }

    #[test]
    fn a_session_that_is_kept_busy_ends_all_the_same() {
        let mut session = Session::begin(token(0), SessionEpoch(0), at(0));
        let mut now = 0;
        while let Refresh::Rotate { expires_at } =
            session.refresh(&token(0), Some(SessionEpoch(0)), at(now))
        {
            session.expires_at = expires_at;
            now += IDLE - 1;
        }
        assert!((ABSOLUTE..ABSOLUTE + IDLE).contains(&now));
    }

    #[test]
    fn a_token_is_good_until_its_session_expires_and_not_longer() {
        let session = Session::begin(token(0), SessionEpoch(0), at(0));
        assert!(matches!(
            session.refresh(&token(0), Some(SessionEpoch(0)), at(IDLE - 1)),
            Refresh::Rotate { .. }
        ));
        assert_eq!(
            session.refresh(&token(0), Some(SessionEpoch(0)), at(IDLE)),
            Refresh::Over
        );
    }

    /// What a user, or a thief, does.
    #[derive(Debug, Clone)]
    enum Step {
        LogIn,
        /// Refresh with the token that was handed out as the so-many-th of all.
        Refresh(usize),
        LogOut(usize),
        ChangePassword,
        Wait(i64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            2 => Just(Step::LogIn),
            6 => (0usize..12).prop_map(Step::Refresh),
            1 => (0usize..12).prop_map(Step::LogOut),
            1 => Just(Step::ChangePassword),
            1 => (1i64..=IDLE).prop_map(Step::Wait),
        ]
    }

    /// What the rules say of one session, told in another way: the tokens it ever had, whether the
    /// last one was used up wrongly, and when it ends.
    struct Told {
        session: Session,
        tokens: Vec<usize>,
        alive: bool,
        ends: i64,
        began: i64,
    }

    proptest! {
        #[test]
        fn any_history_leaves_exactly_the_sessions_that_the_rules_say(steps in prop::collection::vec(step(), 0..60)) {
            let mut told: Vec<Told> = Vec::new();
            let (mut handed_out, mut now, mut epoch) = (0, 0, SessionEpoch(0));
            for step in steps {
                match step {
                    Step::LogIn => {
                        let session = Session::begin(token(handed_out), epoch, at(now));
                        told.push(Told { session, tokens: vec![handed_out], alive: true, ends: now + IDLE, began: now });
                        handed_out += 1;
                    }
                    Step::Refresh(shown) => {
                        let Some(one) = told.iter_mut().find(|one| one.tokens.contains(&shown)) else { continue };
                        let is_last = one.tokens.last() == Some(&shown);
                        match one.session.refresh(&token(shown), Some(epoch), at(now)) {
                            Refresh::Rotate { expires_at } => {
                                prop_assert!(one.alive && now < one.ends && is_last);
                                one.session.token_hash = token(handed_out);
                                one.session.expires_at = expires_at;
                                one.tokens.push(handed_out);
                                one.ends = (now + IDLE).min(one.began + ABSOLUTE);
                                handed_out += 1;
                            }
                            Refresh::Reuse => {
                                prop_assert!(one.alive && now < one.ends && !is_last);
                                one.session.revoked_at = Some(at(now));
                                one.alive = false;
                            }
                            Refresh::Over => prop_assert!(!one.alive || now >= one.ends),
                        }
                    }
                    Step::LogOut(shown) => {
                        let Some(one) = told.iter_mut().find(|one| one.tokens.last() == Some(&shown)) else { continue };
                        one.session.revoked_at.get_or_insert(at(now));
                        one.alive = false;
                    }
                    Step::ChangePassword => {
                        epoch = epoch.next();
                        for one in &mut told {
                            one.alive = false;
                        }
                    }
                    Step::Wait(seconds) => now += seconds,
                }
            }
            for one in &told {
                let last = token(*one.tokens.last().unwrap());
                let good = matches!(one.session.refresh(&last, Some(epoch), at(now)), Refresh::Rotate { .. });
                prop_assert_eq!(good, one.alive && now < one.ends);
            }
        }
    }
}
