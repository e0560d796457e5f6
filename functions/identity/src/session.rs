//! Sessions: what a refresh token stands for.
//!
//! A refresh token is the session's id and 256 random bits. The table holds only a hash of the bits,
//! so who reads the table can't use what they find.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use oxcart_domain::{CustomerId, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// How long a session lasts without being refreshed, in seconds: 30 days.
const LIFETIME: i64 = 30 * 24 * 3600;

/// The secret that a client keeps to stay signed in. Its `Debug` form hides it.
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub struct RefreshToken(String);

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(…)")
    }
}

/// SHA-256 of a refresh token's random bits, in base64url. The bits are random, so a plain hash can't
/// be guessed back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RefreshTokenHash(String);

/// A session as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The session's id.
    pub session_id: Uuid,
    /// Whose it is.
    pub user_id: CustomerId,
    /// The one refresh token that it has now.
    pub token_hash: RefreshTokenHash,
    /// When it began.
    pub created_at: Timestamp,
    /// Until when its token can be used.
    pub expires_at: Timestamp,
    /// The same in seconds since the epoch, for DynamoDB's time to live, which only cleans up.
    pub ttl: i64,
}

impl Session {
    /// A new session of `user_id`, and the token that stands for it.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn begin(
        user_id: CustomerId,
        now: Timestamp,
    ) -> Result<(Self, RefreshToken), getrandom::Error> {
        let session_id = Uuid::new_v4();
        let mut bits = [0; 32];
        getrandom::fill(&mut bits)?;
        let secret = BASE64_URL_SAFE_NO_PAD.encode(bits);
        let token_hash = RefreshTokenHash(BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&secret)));
        let expires_at = now.plus_seconds(LIFETIME);
        let session = Self {
            session_id,
            user_id,
            token_hash,
            created_at: now,
            expires_at,
            ttl: expires_at.unix_seconds(),
        };
        Ok((session, RefreshToken(format!("{session_id}.{secret}"))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_token_is_not_what_is_stored_of_it() {
        let now = Timestamp::try_from("2026-03-01T09:30:00.000Z".to_owned()).unwrap();
        let (session, RefreshToken(token)) =
            Session::begin(CustomerId::new(Uuid::from_u128(1)), now).unwrap();

        let (id, secret) = token.split_once('.').unwrap();
        assert_eq!(id, session.session_id.to_string());
        assert_eq!(BASE64_URL_SAFE_NO_PAD.decode(secret).unwrap().len(), 32);
        assert!(!serde_json::to_string(&session).unwrap().contains(secret));
    }
}
