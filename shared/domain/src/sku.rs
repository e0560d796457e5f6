//! Stock keeping units: how a shop names its products.

use serde::{Deserialize, Serialize};

/// A product's name in the warehouse: 1 to 64 letters, digits, dots, hyphens and underscores (ASCII).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sku(String);

/// The text can't be a sku.
#[derive(Debug, thiserror::Error)]
#[error("must be 1 to 64 letters, digits, '.', '-' or '_'")]
pub struct InvalidSku;

impl Sku {
    /// The sku as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Sku {
    type Error = InvalidSku;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let fits = (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
        if fits {
            Ok(Self(text))
        } else {
            Err(InvalidSku)
        }
    }
}

impl From<Sku> for String {
    fn from(sku: Sku) -> Self {
        sku.0
    }
}

impl std::fmt::Display for Sku {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sku_is_safe_in_a_path_and_in_a_key() {
        for bad in ["", "a/b", "a b", "a#b", "é", "..%2f", &"x".repeat(65)] {
            assert!(Sku::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
        assert!(Sku::try_from("Tea_7.kg-A".to_owned()).is_ok());
    }
}
