//! Password hashing: Argon2id with OWASP's parameters
//! ([Password Storage Cheat Sheet](https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html)):
//! 19 MiB of memory, 2 passes, 1 lane. The parameters stand in the hash, so they can rise later.

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc},
};
use oxcart_domain::credentials::{Password, PasswordAttempt};
use serde::{Deserialize, Serialize};

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// A hashed password in PHC string format. Its `Debug` form hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(String);

/// A password could not be hashed, or a stored hash is none.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// The parameters don't work, or there is no randomness.
    #[error("the password could not be hashed")]
    Hash(#[source] argon2::password_hash::Error),
    /// The parameters are out of range.
    #[error("the hash's parameters are out of range")]
    Parameters(#[source] argon2::Error),
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

impl PasswordHash {
    /// Hashes a new password with a fresh salt.
    ///
    /// # Errors
    /// See [`HashError`].
    pub fn of(password: &Password) -> Result<Self, HashError> {
        Self::hash(password.as_str())
    }

    /// Hashes a password that fits an older hash, with today's parameters.
    ///
    /// # Errors
    /// See [`HashError`].
    pub fn renewed(proven: &PasswordAttempt) -> Result<Self, HashError> {
        Self::hash(proven.as_str())
    }

    fn hash(password: &str) -> Result<Self, HashError> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(HashError::Parameters)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let hash: phc::PasswordHash = argon2
            .hash_password(password.as_bytes())
            .map_err(HashError::Hash)?;
        Ok(Self(hash.to_string()))
    }

    /// A hash that costs as much to check as a real one and that no known password fits: what an
    /// attempt on an unknown account is checked against, so that it takes as long as one on a known
    /// account.
    #[must_use]
    pub fn nobodys() -> Self {
        let (salt, output) = ("A".repeat(22), "A".repeat(43));
        Self(format!(
            "$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${output}"
        ))
    }

    /// Whether the hash is weaker than today's parameters make one.
    #[must_use]
    pub fn is_outdated(&self) -> bool {
        let Ok(hash) = phc::PasswordHash::new(&self.0) else {
            return false;
        };
        let weak = |parameters: Params| {
            parameters.m_cost() < MEMORY_KIB
                || parameters.t_cost() < PASSES
                || parameters.p_cost() < LANES
        };
        hash.algorithm.as_str() != "argon2id" || Params::try_from(&hash).is_ok_and(weak)
    }

    /// Whether `attempt` is the password.
    #[must_use]
    pub fn fits(&self, attempt: &PasswordAttempt) -> bool {
        // The parameters are those of the hash, whatever today's are.
        phc::PasswordHash::new(&self.0).is_ok_and(|hash| {
            Argon2::default()
                .verify_password(attempt.as_str().as_bytes(), &hash)
                .is_ok()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::try_from(text.to_owned()).unwrap()
    }

    fn attempt(text: &str) -> PasswordAttempt {
        PasswordAttempt::from(text.to_owned())
    }

    #[test]
    fn a_password_fits_its_hash_and_no_other_does() {
        let hash = PasswordHash::of(&password("correct horse battery")).unwrap();
        assert!(hash.fits(&attempt("correct horse battery")));
        assert!(!hash.fits(&attempt("correct horse batterx")));
        assert!(!hash.fits(&attempt("")));
    }

    #[test]
    fn two_hashes_of_one_password_differ() {
        let hash = || PasswordHash::of(&password("correct horse battery")).unwrap();
        assert_ne!(hash(), hash());
    }

    #[test]
    fn hashes_have_at_least_the_parameters_that_owasp_asks_for() {
        let PasswordHash(text) = PasswordHash::of(&password("correct horse battery")).unwrap();
        assert!(
            text.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{text}"
        );
    }

    #[test]
    fn nobodys_hash_is_one_to_be_checked_at_full_cost() {
        let PasswordHash(nobodys) = PasswordHash::nobodys();
        let PasswordHash(real) = PasswordHash::of(&password("correct horse battery")).unwrap();
        let shape = |text: &str| text.split('$').map(str::len).collect::<Vec<_>>();

        assert!(phc::PasswordHash::new(&nobodys).is_ok());
        assert_eq!(shape(&nobodys), shape(&real));
        assert_eq!(
            nobodys.split('$').take(4).collect::<Vec<_>>(),
            real.split('$').take(4).collect::<Vec<_>>()
        );
        assert!(!PasswordHash(nobodys).fits(&attempt("")));
    }

    #[test]
    fn a_hash_is_outdated_when_one_of_its_parameters_is_below_the_floor() {
        let with = |parameters: &str| {
            PasswordHash(format!(
                "$argon2id$v=19${parameters}${}${}",
                "A".repeat(22),
                "A".repeat(43)
            ))
        };
        for weak in ["m=19455,t=2,p=1", "m=19456,t=1,p=1", "m=8,t=1,p=1"] {
            assert!(with(weak).is_outdated(), "{weak}");
        }
        for strong in ["m=19456,t=2,p=1", "m=47104,t=3,p=2"] {
            assert!(!with(strong).is_outdated(), "{strong}");
        }
        let renewed = PasswordHash::renewed(&attempt("correct horse battery")).unwrap();
        assert!(!renewed.is_outdated() && renewed.fits(&attempt("correct horse battery")));
    }

    #[test]
    fn what_is_no_hash_fits_nothing() {
        assert!(!PasswordHash("plain text".to_owned()).fits(&attempt("plain text")));
    }
}
