//! Text that people write, with bounds.

use serde::{Deserialize, Serialize};

/// Trimmed text of 1 to `MAX` characters without control characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Text<const MAX: usize>(String);

/// The text is empty, too long or holds control characters.
#[derive(Debug, thiserror::Error)]
#[error("must be 1 to {max} characters, none of them a control character")]
pub struct InvalidText {
    max: usize,
}

impl<const MAX: usize> Text<MAX> {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> TryFrom<String> for Text<MAX> {
    type Error = InvalidText;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let text = text.trim();
        if (1..=MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidText { max: MAX })
        }
    }
}

impl<const MAX: usize> From<Text<MAX>> for String {
    fn from(text: Text<MAX>) -> Self {
        text.0
    }
}
