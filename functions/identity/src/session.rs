//! Refresh tokens: how a session's secret is made, written and recognised. When one is good is said
//! in `oxcart_domain::session`.
//!
//! A token is the ids of its user and its session and 256 random bits. The table holds only a hash of
//! the bits, so who reads the table can't use what they find.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use oxcart_domain::{CustomerId, session::RefreshTokenHash};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// The secret that a client keeps to stay signed in. Its `Debug` form hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct RefreshToken {
    /// Whose session it is for.
    pub user_id: CustomerId,
    /// Which session it is for.
    pub session_id: Uuid,
    secret: [u8; 32],
}

/// The text is no refresh token.
#[derive(Debug, thiserror::Error)]
#[error("is not a refresh token")]
pub struct InvalidRefreshToken;

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(…)")
    }
}

impl RefreshToken {
    /// A fresh token for a session of `user_id`.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn new(user_id: CustomerId, session_id: Uuid) -> Result<Self, getrandom::Error> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        Ok(Self {
            user_id,
            session_id,
            secret,
        })
    }

    /// What is stored of the token. The bits are random, so a plain hash can't be guessed back.
    #[must_use]
    pub fn hash(&self) -> RefreshTokenHash {
        RefreshTokenHash(BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(self.secret)))
    }
}

impl From<RefreshToken> for String {
    fn from(token: RefreshToken) -> Self {
        let ids = [token.user_id.uuid(), token.session_id];
        let bytes: Vec<u8> = ids
            .iter()
            .flat_map(|id| *id.as_bytes())
            .chain(token.secret)
            .collect();
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }
}

impl TryFrom<String> for RefreshToken {
    type Error = InvalidRefreshToken;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bytes = BASE64_URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| InvalidRefreshToken)?;
        let (user, rest) = bytes.split_first_chunk::<16>().ok_or(InvalidRefreshToken)?;
        let (session, secret) = rest.split_first_chunk::<16>().ok_or(InvalidRefreshToken)?;
        let secret = secret.try_into().map_err(|_| InvalidRefreshToken)?;
        Ok(Self {
            user_id: CustomerId::new(Uuid::from_bytes(*user)),
            session_id: Uuid::from_bytes(*session),
            secret,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> RefreshToken {
        RefreshToken::new(CustomerId::new(Uuid::from_u128(1)), Uuid::from_u128(2)).unwrap()
    }

    #[test]
    fn a_token_reads_back_as_it_was_written() {
        let token = token();
        assert!(RefreshToken::try_from(String::from(token.clone())).unwrap() == token);
    }

    #[test]
    fn two_tokens_of_one_session_differ() {
        assert_ne!(token().hash(), token().hash());
    }

    #[test]
    fn what_is_stored_of_a_token_is_not_the_token() {
        let token = token();
        let RefreshTokenHash(stored) = token.hash();
        assert!(!String::from(token).contains(&stored));
    }

    #[test]
    fn text_that_is_no_token_is_refused() {
        let short = String::from(token()).split_at(80).0.to_owned();
        for bad in [
            "",
            "garbage",
            &short,
            &format!("{}AAAA", String::from(token())),
        ] {
            assert!(RefreshToken::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
    }
}
