//! Idempotency keys, and the hash that tells a repeated request from a different one under the same key.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A caller's name for one intended effect: 1 to 255 visible ASCII characters.
///
/// The `Idempotency-Key` header of draft-ietf-httpapi-idempotency-key-header; a UUID is a good one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

/// The text can't be an idempotency key.
#[derive(Debug, thiserror::Error)]
#[error("must be 1 to 255 visible ASCII characters")]
pub struct InvalidIdempotencyKey;

impl IdempotencyKey {
    /// The key as the caller sent it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for IdempotencyKey {
    type Error = InvalidIdempotencyKey;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let fits =
            (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits {
            Ok(Self(text))
        } else {
            Err(InvalidIdempotencyKey)
        }
    }
}

/// SHA-256 of a request's meaning, in hex. Two spellings of the same JSON have the same hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestHash(String);

impl RequestHash {
    /// The hash of a parsed request. `request` must serialise the same way for the same meaning, so
    /// it is the parsed command, not the bytes that the caller happened to send.
    ///
    /// # Errors
    /// When `request` can't be written as JSON.
    pub fn of(request: &impl Serialize) -> Result<Self, serde_json::Error> {
        use std::fmt::Write as _;

        let digest = Sha256::digest(serde_json::to_vec(request)?);
        Ok(Self(digest.iter().fold(
            String::with_capacity(64),
            |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}"); // writing to a String can't fail
                hex
            },
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_1_to_255_visible_characters() {
        for bad in ["", " ", "a b", "naïve", &"x".repeat(256)] {
            assert!(IdempotencyKey::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
        assert!(IdempotencyKey::try_from("x".repeat(255)).is_ok());
    }

    #[test]
    fn requests_with_another_meaning_have_another_hash() {
        assert_eq!(
            RequestHash::of(&("a", 1)).unwrap(),
            RequestHash::of(&("a", 1)).unwrap()
        );
        assert_ne!(
            RequestHash::of(&("a", 1)).unwrap(),
            RequestHash::of(&("a", 2)).unwrap()
        );
    }
}
