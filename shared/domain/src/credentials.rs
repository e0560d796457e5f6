//! What a user proves who they are with: an e-mail address and a password.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

/// An e-mail address in lower case, the form in which it is unique.
///
/// The syntax is the one of HTML's `input type=email`, with a dot required in the domain: wide enough
/// for every address in use, narrow enough to catch slips. Its `Debug` form hides it, so that it
/// can't get into a log by accident.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

/// The text can't be an e-mail address.
#[derive(Debug, thiserror::Error)]
#[error("must be an e-mail address")]
pub struct InvalidEmail;

impl Email {
    /// The longest address that mail can be sent to (RFC 5321, section 4.5.3.1.3).
    const MAX: usize = 254;

    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Email(…)")
    }
}

impl TryFrom<String> for Email {
    type Error = InvalidEmail;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let text = text.trim().to_ascii_lowercase();
        let (local, domain) = text.split_once('@').ok_or(InvalidEmail)?;
        let local_fits = (1..=64).contains(&local.len())
            && local.bytes().all(|byte| {
                byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte)
            });
        let label_fits = |label: &str| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let domain_fits = domain.contains('.') && domain.split('.').all(label_fits);
        if text.len() <= Self::MAX && local_fits && domain_fits {
            Ok(Self(text))
        } else {
            Err(InvalidEmail)
        }
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

/// A new password: 12 to 128 characters after normalisation.
///
/// Normalised with spaces mapped to U+0020, so that the same password typed on another keyboard is the
/// same (as in the `OpaqueString` profile of RFC 8265, section 4.2, but with NFKC, which also makes one
/// of wide and narrow forms). What counts are the characters as typed and as normalised: neither may be
/// too few. Its `Debug` form hides it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Password(String);

/// The text can't be a new password.
#[derive(Debug, thiserror::Error)]
#[error("must be 12 to 128 characters, none of them a control character")]
pub struct InvalidPassword;

impl Password {
    /// The normalised password, to be hashed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

impl TryFrom<String> for Password {
    type Error = InvalidPassword;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let typed = text.chars().count();
        let normal = PasswordAttempt::from(text).0;
        let fits = typed >= 12
            && (12..=128).contains(&normal.chars().count())
            && !normal.chars().any(char::is_control);
        if fits {
            Ok(Self(normal))
        } else {
            Err(InvalidPassword)
        }
    }
}

/// A password as somebody tries it: normalised as a [`Password`], but of any length, because a wrong
/// password is a wrong password and not an invalid request.
#[derive(Clone, Deserialize)]
#[serde(from = "String")]
pub struct PasswordAttempt(String);

impl PasswordAttempt {
    /// The normalised password, to be verified.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for PasswordAttempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordAttempt(…)")
    }
}

impl From<String> for PasswordAttempt {
    fn from(text: String) -> Self {
        Self(
            text.chars()
                .map(|letter| {
                    if letter.is_whitespace() && !letter.is_control() {
                        ' '
                    } else {
                        letter
                    }
                })
                .nfkc()
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(text: &str) -> Result<Email, InvalidEmail> {
        Email::try_from(text.to_owned())
    }

    #[test]
    fn addresses_that_differ_only_in_case_are_one() {
        assert_eq!(
            email("Ada@Example.ORG").unwrap(),
            email("ada@example.org").unwrap()
        );
    }

    #[test]
    fn slips_are_caught() {
        for bad in [
            "",
            "ada",
            "ada@",
            "@example.org",
            "ada@example",
            "a b@example.org",
            "ada@-x.org",
            "ada@x..org",
            "a@b@c.org",
        ] {
            assert!(email(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let password = Password::try_from("correct horse battery".to_owned()).unwrap();
        assert!(
            !format!("{password:?} {:?}", email("ada@example.org").unwrap())
                .contains(['c', 'h', 'x'])
        );
    }

    #[test]
    fn a_password_typed_in_another_form_is_the_same() {
        let composed = Password::try_from("pâté de campagne".to_owned()).unwrap();
        let decomposed = PasswordAttempt::from("pa\u{302}te\u{301} de\u{a0}campagne".to_owned());
        assert_eq!(composed.as_str(), decomposed.as_str());
    }

    #[test]
    fn one_character_that_normalises_to_many_is_no_password() {
        assert!(Password::try_from("\u{fdfa}".to_owned()).is_err());
    }

    #[test]
    fn a_password_has_12_to_128_characters() {
        for (length, fits) in [(11, false), (12, true), (128, true), (129, false)] {
            assert_eq!(
                Password::try_from("é".repeat(length)).is_ok(),
                fits,
                "{length}"
            );
        }
    }
}
