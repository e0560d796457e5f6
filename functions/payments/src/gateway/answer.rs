//! The gateway's answers, as far as we read them.

use oxcart_domain::{OrderId, payment::DeclineCode};
use reqwest::StatusCode;
use serde::Deserialize;

use super::IntentStatus;

#[derive(Debug, Deserialize)]
pub(super) struct IntentAnswer {
    pub(super) id: String,
    status: Status,
    #[serde(default)]
    last_payment_error: Option<ErrorBody>,
    #[serde(default)]
    pub(super) client_secret: Option<String>,
    #[serde(default)]
    metadata: Option<IntentMetadata>,
}

/// What we wrote on an intent; others of the account have something else there.
#[derive(Debug, Deserialize)]
struct IntentMetadata {
    #[serde(default)]
    order_id: Option<String>,
}

impl IntentAnswer {
    /// The order that it pays, if it is one of ours.
    pub(super) fn order(&self) -> Option<OrderId> {
        self.metadata.as_ref()?.order_id.as_ref()?.parse().ok()
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    RequiresCapture,
    Processing,
    Succeeded,
    Canceled,
}

impl From<IntentAnswer> for IntentStatus {
    fn from(intent: IntentAnswer) -> Self {
        match intent.status {
            // We always give a method, so an intent without one has lost it to a decline.
            Status::RequiresPaymentMethod => {
                Self::Declined(intent.last_payment_error.unwrap_or_default().decline_code())
            }
            // We never ask for a separate capture; nothing was taken in either.
            Status::RequiresConfirmation | Status::RequiresCapture => Self::Unconfirmed,
            Status::RequiresAction => Self::NeedsAction,
            Status::Processing => Self::Processing,
            Status::Succeeded => Self::Succeeded,
            Status::Canceled => Self::Cancelled,
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct RefundsAnswer {
    pub(super) data: Vec<RefundAnswer>,
    #[serde(default)]
    pub(super) has_more: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct RefundAnswer {
    pub(super) id: String,
    pub(super) amount: u64,
    status: String,
    #[serde(default)]
    metadata: Option<RefundMetadata>,
}

/// What we wrote on a refund.
#[derive(Debug, Deserialize)]
struct RefundMetadata {
    #[serde(default)]
    key: Option<String>,
}

impl RefundAnswer {
    /// Whether the money is back or on its way.
    pub(super) fn counts(&self) -> bool {
        !matches!(self.status.as_str(), "failed" | "canceled")
    }

    /// Under which key we made it.
    pub(super) fn key(&self) -> Option<&str> {
        self.metadata.as_ref()?.key.as_deref()
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct ErrorAnswer {
    pub(super) error: ErrorBody,
}

/// The gateway's words for what went wrong. Its messages are for people who read its own pages, and
/// may quote what we sent, so they are not read.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ErrorBody {
    #[serde(default)]
    pub(super) code: Option<String>,
    #[serde(default)]
    decline_code: Option<String>,
    #[serde(default)]
    param: Option<String>,
}

impl ErrorBody {
    /// Whether a refused intent is the payment method's fault, or that of an amount that no method pays.
    pub(super) fn names_payment_method(&self, status: StatusCode) -> bool {
        if matches!(
            self.code.as_deref(),
            Some("amount_too_small" | "amount_too_large")
        ) {
            return true;
        }
        let missing =
            self.code.as_deref() == Some("resource_missing") || status == StatusCode::NOT_FOUND;
        status == StatusCode::PAYMENT_REQUIRED
            || missing
                && self
                    .param
                    .as_deref()
                    .is_none_or(|param| param == "payment_method")
    }

    /// Whether the request was well understood, but doesn't fit where things stand.
    pub(super) fn is_about_state(&self, status: StatusCode) -> bool {
        const STATES: [&str; 5] = [
            "payment_intent_unexpected_state",
            "charge_already_refunded",
            "amount_too_large",
            "resource_missing",
            "idempotency_key_in_use",
        ];
        status != StatusCode::BAD_REQUEST
            || self
                .code
                .as_deref()
                .is_some_and(|code| STATES.contains(&code))
    }

    pub(super) fn decline_code(self) -> DeclineCode {
        let code = self
            .decline_code
            .or(self.code)
            .and_then(|code| DeclineCode::try_from(code).ok());
        code.unwrap_or(DeclineCode::UNSPECIFIED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(json: &str) -> IntentStatus {
        serde_json::from_str::<IntentAnswer>(json).unwrap().into()
    }

    #[test]
    fn an_intent_without_a_method_was_declined() {
        let declined = status(
            r#"{"id":"pi_1","status":"requires_payment_method","last_payment_error":{"code":"card_declined","decline_code":"insufficient_funds"}}"#,
        );
        assert!(
            matches!(declined, IntentStatus::Declined(code) if code.as_str() == "insufficient_funds")
        );
    }

    #[test]
    fn an_intent_in_a_state_that_we_do_not_know_is_no_answer() {
        assert!(
            serde_json::from_str::<IntentAnswer>(r#"{"id":"pi_1","status":"paid_in_shells"}"#)
                .is_err()
        );
    }

    #[test]
    fn a_refund_that_failed_does_not_count() {
        let refunds: RefundsAnswer = serde_json::from_str(
            r#"{"data":[{"id":"re_1","amount":5,"status":"succeeded"},{"id":"re_2","amount":5,"status":"failed"}]}"#,
        )
        .unwrap();
        assert_eq!(
            refunds.data.iter().filter(|refund| refund.counts()).count(),
            1
        );
    }
}
