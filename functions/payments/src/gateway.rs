//! The payment gateway: [Stripe's PaymentIntents API](https://docs.stripe.com/api/payment_intents).
//!
//! Knows the gateway's words and our own outcomes, and nothing of records or sagas.

mod answer;
mod calls;
mod secret;

use std::time::Duration;

use oxcart_domain::{
    OrderId,
    payment::{Charge, DeclineCode, PaymentMethod},
};
use reqwest::StatusCode;
pub use secret::{GatewaySecret, SecretError};

pub use self::calls::GatewayStartError;
use self::{
    answer::{IntentAnswer, RefundAnswer, RefundsAnswer},
    calls::{Calls, Failure, Repeat},
};

/// The gateway.
#[derive(Debug)]
pub struct Gateway {
    calls: Calls,
}

/// Where an intent stands at the gateway: the truth about the money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IntentStatus {
    /// Nothing was taken yet; a confirmation would take it.
    Unconfirmed,
    /// The bank or card said no.
    Declined(DeclineCode),
    /// The customer must act before anything is taken.
    NeedsAction,
    /// The bank has not answered yet.
    Processing,
    /// The money was taken.
    Succeeded,
    /// Nothing was taken, and nothing can be any more.
    Cancelled,
}

/// Why the gateway did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// It can't be reached, is overloaded or failed. What was asked may or may not have happened.
    #[error("the payment gateway is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It failed so often that it is left alone for a moment. What was asked has not happened.
    #[error("the payment gateway is left alone after too many failures")]
    Open,
    /// It refuses, since what it was asked doesn't fit where the intent stands.
    #[error("the payment gateway refuses: {code}")]
    Refused {
        /// The gateway's word for why.
        code: String,
    },
    /// It can't make sense of what it was asked: our bug.
    #[error("the payment gateway takes the request for invalid: {code}")]
    Invalid {
        /// The gateway's word for why.
        code: String,
    },
    /// Our secret can't be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

impl GatewayError {
    /// Whether waiting and trying again can help.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::Open | Self::Secret(_) => true,
            Self::Refused { .. } | Self::Invalid { .. } => false,
        }
    }
}

/// How the gateway took a request for a new intent.
#[derive(Debug, PartialEq, Eq)]
pub enum NewIntent {
    /// It stands, unconfirmed, under this id.
    Created(String),
    /// There is no such payment method, or it can't pay.
    Unpayable(DeclineCode),
}

impl Gateway {
    /// The gateway at `url`.
    ///
    /// # Errors
    /// See [`GatewayStartError`].
    pub fn new(url: &str, secret: GatewaySecret) -> Result<Self, GatewayStartError> {
        Self::with_pause(url, secret, calls::PAUSE)
    }

    /// The gateway at `url`, left alone for `pause` once it has failed too often in a row.
    ///
    /// # Errors
    /// See [`GatewayStartError`].
    pub fn with_pause(
        url: &str,
        secret: GatewaySecret,
        pause: Duration,
    ) -> Result<Self, GatewayStartError> {
        Ok(Self {
            calls: Calls::new(url, secret, pause)?,
        })
    }

    /// Creates an intent without confirming it: no money moves, so one too many does no harm.
    ///
    /// # Errors
    /// See [`GatewayError`].
    pub async fn create_intent(
        &self,
        charge: Charge,
        method: &PaymentMethod,
    ) -> Result<NewIntent, GatewayError> {
        let form = [
            ("amount", charge.amount.amount.to_string()),
            (
                "currency",
                charge.amount.currency.to_string().to_lowercase(),
            ),
            ("payment_method", method.as_str().to_owned()),
            ("payment_method_types[]", "card".to_owned()),
            ("metadata[order_id]", charge.order_id.to_string()),
        ];
        // Of this call, not of the order: under the key of a call that it failed at, the gateway goes on
        // failing for a day.
        let key = format!("{}-intent-{:016x}", charge.order_id, fastrand::u64(..));
        let request = self
            .calls
            .post("payment_intents", &form)
            .header("idempotency-key", key);
        match self.calls.send::<IntentAnswer>(request, Repeat::Safe).await {
            Ok(intent) => Ok(NewIntent::Created(intent.id)),
            Err(Failure::Answered(status, error)) if error.names_payment_method(status) => {
                Ok(NewIntent::Unpayable(error.decline_code()))
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// Confirms an intent, which takes the money. Answers where the intent then stands; one that was
    /// confirmed or cancelled before is read instead, since it can't be confirmed again: the intent's
    /// own state makes it happen once, so that repeating it is safe. (An idempotency key would not: the
    /// gateway answers a repeat under the same key with the first answer, were that a failure of its
    /// own.)
    ///
    /// # Errors
    /// See [`GatewayError`].
    pub async fn confirm(&self, intent: &str) -> Result<IntentStatus, GatewayError> {
        let request = self
            .calls
            .post(&format!("payment_intents/{intent}/confirm"), &[]);
        match self.calls.send::<IntentAnswer>(request, Repeat::Safe).await {
            Ok(intent) => Ok(intent.into()),
            Err(Failure::Answered(StatusCode::PAYMENT_REQUIRED, error)) => {
                Ok(IntentStatus::Declined(error.decline_code()))
            }
            Err(Failure::Answered(StatusCode::BAD_REQUEST, _)) => self.read(intent).await,
            Err(failure) => Err(failure.into()),
        }
    }

    /// Where an intent stands.
    ///
    /// # Errors
    /// See [`GatewayError`].
    pub async fn read(&self, intent: &str) -> Result<IntentStatus, GatewayError> {
        Ok(self.intent(intent).await?.into())
    }

    /// What the customer's page needs to let them act on an intent that waits for them. None if it
    /// doesn't. It is a secret between the gateway and the customer, to be shown to nobody else.
    ///
    /// # Errors
    /// See [`GatewayError`].
    pub async fn client_secret(&self, intent: &str) -> Result<Option<String>, GatewayError> {
        let intent = self.intent(intent).await?;
        let secret = intent.client_secret.clone();
        match IntentStatus::from(intent) {
            IntentStatus::NeedsAction => Ok(secret),
            _ => Ok(None),
        }
    }

    /// The order that an intent pays. None if it is not one of ours.
    ///
    /// # Errors
    /// See [`GatewayError`].
    pub async fn order_of(&self, intent: &str) -> Result<Option<OrderId>, GatewayError> {
        Ok(self.intent(intent).await?.order())
    }

    async fn intent(&self, intent: &str) -> Result<IntentAnswer, GatewayError> {
        let request = self.calls.get(&format!("payment_intents/{intent}"), &[]);
        Ok(self.calls.send(request, Repeat::Safe).await?)
    }

    /// Cancels an intent, after which no confirmation takes money. Answers where the intent then
    /// stands: one that went through before can't be cancelled.
    ///
    /// # Errors
    /// See [`GatewayError`].
    pub async fn cancel(&self, intent: &str) -> Result<IntentStatus, GatewayError> {
        let request = self
            .calls
            .post(&format!("payment_intents/{intent}/cancel"), &[]);
        match self.calls.send::<IntentAnswer>(request, Repeat::Safe).await {
            Ok(intent) => Ok(intent.into()),
            Err(Failure::Answered(StatusCode::BAD_REQUEST, _)) => self.read(intent).await,
            Err(failure) => Err(failure.into()),
        }
    }

    /// How much of an intent was given back, in minor units.
    ///
    /// # Errors
    /// See [`GatewayError`].
    pub async fn refunded(&self, intent: &str) -> Result<u64, GatewayError> {
        let refunds = self.refunds(intent).await?;
        Ok(refunds.iter().map(|refund| refund.amount).sum())
    }

    /// Whether a refund that was made under a key that starts with `prefix` is among those of an intent.
    ///
    /// # Errors
    /// See [`GatewayError`].
    pub async fn is_refunded(&self, intent: &str, prefix: &str) -> Result<bool, GatewayError> {
        let refunds = self.refunds(intent).await?;
        let mut keys = refunds.iter().filter_map(RefundAnswer::key);
        Ok(keys.any(|key| key.starts_with(prefix)))
    }

    /// The refunds of an intent that count, all pages of them.
    async fn refunds(&self, intent: &str) -> Result<Vec<RefundAnswer>, GatewayError> {
        let mut refunds: Vec<RefundAnswer> = Vec::new();
        loop {
            let last = refunds.last().map(|refund| refund.id.clone());
            let mut query = vec![("payment_intent", intent), ("limit", "100")];
            query.extend(last.as_deref().map(|last| ("starting_after", last)));
            let request = self.calls.get("refunds", &query);
            let page: RefundsAnswer = self.calls.send(request, Repeat::Safe).await?;
            let ends = page.data.is_empty() || !page.has_more;
            refunds.extend(page.data);
            if ends {
                refunds.retain(RefundAnswer::counts);
                return Ok(refunds);
            }
        }
    }

    /// Gives so much of an intent's money back, once per `key`. Not every gateway honours the key or
    /// refuses to do it twice: ask [`refunded`](Self::refunded) or [`is_refunded`](Self::is_refunded)
    /// first, and let nobody else ask at the same time. For the same reason it is not repeated here.
    ///
    /// # Errors
    /// See [`GatewayError`].
    pub async fn refund(&self, intent: &str, amount: u64, key: &str) -> Result<(), GatewayError> {
        let form = [
            ("payment_intent", intent.to_owned()),
            ("amount", amount.to_string()),
            ("metadata[key]", key.to_owned()),
        ];
        let request = self
            .calls
            .post("refunds", &form)
            .header("idempotency-key", key);
        let made: RefundAnswer = self.calls.send(request, Repeat::Unsafe).await?;
        if made.counts() {
            Ok(())
        } else {
            let code = "refund_failed".to_owned();
            Err(GatewayError::Refused { code })
        }
    }
}
