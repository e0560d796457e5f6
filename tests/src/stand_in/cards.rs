//! The cards that [Stripe gives for tests](https://docs.stripe.com/testing), by their tokens.

use serde_json::{Map, Value, json};

/// What becomes of a charge to a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Card {
    /// It goes through.
    Pays,
    /// The bank wants the customer to act first.
    Authenticates,
    /// It does not.
    Declines(Decline),
}

/// Why a card is declined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decline {
    code: String,
    decline_code: Option<String>,
}

impl Card {
    /// The card behind a token.
    pub(super) fn behind(token: &str) -> Option<Self> {
        let card = token.strip_prefix("pm_card_")?;
        match card {
            "visa" | "visa_debit" | "mastercard" | "amex" => return Some(Self::Pays),
            "authenticationRequired" => return Some(Self::Authenticates),
            "chargeCustomerFail" => return Some(Self::declines("generic_decline")),
            "radarBlock" => return Some(Self::declines("fraudulent")),
            _ => {}
        }
        let card = card.strip_prefix("visa_").unwrap_or(card);
        let code = match card.strip_prefix("chargeDeclined")? {
            "" => "generic_decline",
            "ExpiredCard" => "expired_card",
            "Fraudulent" => "fraudulent",
            "IncorrectCvc" => "incorrect_cvc",
            "InsufficientFunds" => "insufficient_funds",
            "LostCard" => "lost_card",
            "ProcessingError" => "processing_error",
            "StolenCard" => "stolen_card",
            "VelocityLimitExceeded" => "card_velocity_exceeded",
            _ => return None,
        };
        Some(Self::declines(code))
    }

    fn declines(code: &str) -> Self {
        Self::Declines(Decline::coded(code))
    }
}

impl Decline {
    /// The decline with this code: some are error codes themselves, the others are the bank's words for
    /// `card_declined`.
    pub(super) fn coded(code: &str) -> Self {
        if matches!(
            code,
            "expired_card" | "incorrect_cvc" | "incorrect_number" | "processing_error"
        ) {
            Self {
                code: code.to_owned(),
                decline_code: None,
            }
        } else {
            Self {
                code: "card_declined".to_owned(),
                decline_code: Some(code.to_owned()),
            }
        }
    }

    /// The error object, as an answer and as the intent's last error show it.
    pub(super) fn error(&self) -> Map<String, Value> {
        let mut error = Map::new();
        error.insert("type".to_owned(), json!("card_error"));
        error.insert("code".to_owned(), json!(self.code));
        if let Some(decline_code) = &self.decline_code {
            error.insert("decline_code".to_owned(), json!(decline_code));
        }
        error.insert("message".to_owned(), json!("Your card was declined."));
        error
    }
}
