//! The payment gateway: [Stripe's PaymentIntents API](https://docs.stripe.com/api/payment_intents).
//!
//! Knows the gateway's words and our own outcomes, and nothing of records or sagas.

mod answer;
mod secret;

use std::time::Duration;

use oxcart_domain::payment::{Charge, DeclineCode, PaymentMethod};
use reqwest::{Client, RequestBuilder, Response, StatusCode, redirect::Policy};
use secrecy::ExposeSecret as _;
pub use secret::{GatewaySecret, SecretError};
use serde::de::DeserializeOwned;

use self::answer::{ErrorAnswer, ErrorBody, IntentAnswer, RefundAnswer, RefundsAnswer};

/// The gateway.
#[derive(Debug)]
pub struct Gateway {
    client: Client,
    intents: String,
    refunds: String,
    secret: GatewaySecret,
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
    /// It refuses, since what it was asked doesn't fit where the intent stands.
    #[error("the payment gateway refuses: {code}")]
    Refused {
        /// The gateway's word for why.
        code: String,
    },
    /// Our secret can't be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
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
    /// When no HTTP client can be made.
    pub fn new(url: &str, secret: GatewaySecret) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .connect_timeout(Duration::from_secs(2))
            // Longer than banks take, short enough for two calls within the function's own timeout.
            .timeout(Duration::from_secs(8))
            .redirect(Policy::none())
            .build()?;
        let url = url.trim_end_matches('/');
        Ok(Self {
            client,
            intents: format!("{url}/v1/payment_intents"),
            refunds: format!("{url}/v1/refunds"),
            secret,
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
        let request = self.client.post(&self.intents).form(&form);
        match self.send::<IntentAnswer>(request).await {
            Ok(intent) => Ok(NewIntent::Created(intent.id)),
            Err(Failure::Answered(status, error)) if error.names_payment_method(status) => {
                Ok(NewIntent::Unpayable(error.decline_code()))
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// Confirms an intent, which takes the money. Answers where the intent then stands; one that was
    /// confirmed or cancelled before is read instead, since it can't be confirmed again: the intent's
    /// own state makes it happen once. (An idempotency key would not: the gateway answers a repeat
    /// under the same key with the first answer, were that a failure of its own.)
    ///
    /// # Errors
    /// See [`GatewayError`].
    pub async fn confirm(&self, intent: &str) -> Result<IntentStatus, GatewayError> {
        let request = self
            .client
            .post(format!("{}/{intent}/confirm", self.intents));
        match self.send::<IntentAnswer>(request).await {
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
        let request = self.client.get(format!("{}/{intent}", self.intents));
        Ok(self.send::<IntentAnswer>(request).await?.into())
    }

    /// Cancels an intent, after which no confirmation takes money. Answers where the intent then
    /// stands: one that went through before can't be cancelled.
    ///
    /// # Errors
    /// See [`GatewayError`].
    pub async fn cancel(&self, intent: &str) -> Result<IntentStatus, GatewayError> {
        let request = self
            .client
            .post(format!("{}/{intent}/cancel", self.intents));
        match self.send::<IntentAnswer>(request).await {
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
        let request = self
            .client
            .get(&self.refunds)
            .query(&[("payment_intent", intent), ("limit", "100")]);
        let refunds: RefundsAnswer = self.send(request).await?;
        Ok(refunds
            .data
            .iter()
            .filter(|refund| refund.counts())
            .map(|refund| refund.amount)
            .sum())
    }

    /// Gives an intent's money back, all of it, once per `idempotency_key`. Not every gateway honours
    /// the key or refuses to do it twice: ask [`refunded`](Self::refunded) first, and let nobody else
    /// ask at the same time.
    ///
    /// # Errors
    /// See [`GatewayError`].
    pub async fn refund(&self, intent: &str, idempotency_key: &str) -> Result<(), GatewayError> {
        let request = self
            .client
            .post(&self.refunds)
            .form(&[("payment_intent", intent)]);
        self.send::<RefundAnswer>(request.header("idempotency-key", idempotency_key))
            .await?;
        Ok(())
    }

    async fn send<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Failure> {
        let secret = self.secret.get().await.map_err(Failure::Secret)?;
        let request = request.basic_auth(secret.expose_secret(), Some(""));
        let response = request.send().await.map_err(Failure::unreachable)?;
        if response.status().is_success() {
            response.json().await.map_err(Failure::unreachable)
        } else {
            Err(Failure::read(response).await)
        }
    }
}

/// A call that was not a success, before its meaning is known.
enum Failure {
    Unavailable(Box<dyn std::error::Error + Send + Sync>),
    Answered(StatusCode, ErrorBody),
    Secret(SecretError),
}

#[derive(Debug, thiserror::Error)]
#[error("the gateway answered {0}")]
struct UnexpectedStatus(StatusCode);

impl Failure {
    /// The URL of a call holds ids only, but a log has no use for it.
    fn unreachable(error: reqwest::Error) -> Self {
        Self::Unavailable(Box::new(error.without_url()))
    }

    async fn read(response: Response) -> Self {
        let status = response.status();
        match status {
            StatusCode::BAD_REQUEST | StatusCode::PAYMENT_REQUIRED | StatusCode::NOT_FOUND => {
                let answer = response.json::<ErrorAnswer>().await.unwrap_or_default();
                Self::Answered(status, answer.error)
            }
            // Also 401 and 403: a wrong secret is ours to mend, not the customer's, and shows in the
            // logs as this status.
            _ => Self::Unavailable(Box::new(UnexpectedStatus(status))),
        }
    }
}

impl From<Failure> for GatewayError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unavailable(cause) => Self::Unavailable(cause),
            Failure::Answered(status, error) => Self::Refused {
                code: error.code.unwrap_or_else(|| status.to_string()),
            },
            Failure::Secret(error) => Self::Secret(error),
        }
    }
}
