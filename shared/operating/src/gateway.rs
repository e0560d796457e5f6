//! The payment gateway's own books: what it says was taken and given back, whatever we believe. Reads only.

use std::time::Duration;

use aws_sdk_secretsmanager::error::ProvideErrorMetadata as _;
use oxcart_domain::OrderId;
use reqwest::{Client, StatusCode, redirect::Policy};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::time::sleep;

use crate::{
    cloud::Cloud,
    failure::{Explain as _, Failure, Outcome, chain},
};

/// How long one call may take, and how often it is tried.
const PATIENCE: Duration = Duration::from_secs(20);
const TRIES: u32 = 4;
/// How much of a list one call answers at most.
const PAGE: &str = "100";

/// The gateway.
#[derive(Debug)]
pub struct Gateway {
    http: Client,
    base: String,
    secret: SecretString,
}

/// An attempt to take money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the gateway")]
pub struct Intent {
    pub id: String,
    pub amount: i64,
    pub currency: String,
    pub status: String,
    /// In seconds since the epoch.
    #[serde(default)]
    pub created: i64,
    #[serde(default)]
    metadata: Option<IntentMetadata>,
    #[serde(default)]
    last_payment_error: Option<PaymentError>,
}

/// What we wrote on an intent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct IntentMetadata {
    #[serde(default)]
    order_id: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct PaymentError {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    decline_code: Option<String>,
}

impl Intent {
    /// The order that it is for. None if somebody else made it.
    #[must_use]
    pub fn order_id(&self) -> Option<OrderId> {
        self.metadata.as_ref()?.order_id.as_ref()?.parse().ok()
    }

    /// What was taken.
    #[must_use]
    pub fn charged(&self) -> i64 {
        if self.is_charged() { self.amount } else { 0 }
    }

    /// Whether the money was taken.
    #[must_use]
    pub fn is_charged(&self) -> bool {
        self.status == "succeeded"
    }

    /// Why it was declined last, if it was.
    #[must_use]
    pub fn declined_for(&self) -> Option<&str> {
        let error = self.last_payment_error.as_ref()?;
        error.decline_code.as_deref().or(error.code.as_deref())
    }

    /// One that was made for an order.
    #[cfg(test)]
    #[must_use]
    pub fn made_for(order: OrderId, id: &str, amount: i64, status: &str) -> Self {
        Self {
            id: id.to_owned(),
            amount,
            currency: "eur".to_owned(),
            status: status.to_owned(),
            created: 0,
            metadata: Some(IntentMetadata {
                order_id: Some(order.to_string()),
            }),
            last_payment_error: None,
        }
    }
}

/// Money given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the gateway")]
pub struct GivenBack {
    pub id: String,
    pub amount: i64,
    pub status: String,
    #[serde(default)]
    pub payment_intent: Option<String>,
    /// In seconds since the epoch.
    #[serde(default)]
    pub created: i64,
}

impl GivenBack {
    /// Whether the money is back or on its way.
    #[must_use]
    pub fn counts(&self) -> bool {
        !matches!(self.status.as_str(), "failed" | "canceled")
    }
}

#[derive(Debug, Deserialize)]
struct Page<T> {
    data: Vec<T>,
    #[serde(default)]
    has_more: bool,
}

/// Something in the gateway's lists.
trait Listed: DeserializeOwned {
    const PATH: &'static str;
    fn id(&self) -> &str;
    fn created(&self) -> i64;
}

impl Listed for Intent {
    const PATH: &'static str = "payment_intents";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}

impl Listed for GivenBack {
    const PATH: &'static str = "refunds";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}

impl Cloud {
    /// The gateway, as the functions reach it.
    ///
    /// Fails if its key can't be read, which not every operator may: then it is left out.
    pub async fn gateway(&self) -> Outcome<Gateway> {
        let what = "The payment gateway's key was not read";
        let arn = self.setting("PAYMENT_GATEWAY_SECRET_ARN")?;
        let secret = self.secrets.get_secret_value().secret_id(arn).send().await;
        let secret = secret.map_err(|error| match error.code() {
            Some("AccessDeniedException" | "AccessDenied") => {
                Failure::new("Your credentials have no right to read the payment gateway's key.")
            }
            _ => Failure::of_call(what, &error),
        })?;
        let secret = secret.secret_string.filter(|text| !text.is_empty());
        let secret = secret.ok_or_else(|| Failure::new("The payment gateway's key is not set."))?;
        let url = self.setting("PAYMENT_GATEWAY_URL")?.trim_end_matches('/');
        let http = Client::builder().timeout(PATIENCE).redirect(Policy::none());
        // A proxy has no business with this machine's own addresses.
        let http = if url.starts_with("http://127.0.0.1:") {
            http.no_proxy()
        } else {
            http
        };
        Ok(Gateway {
            http: http
                .build()
                .explain(|| "No client for the payment gateway".to_owned())?,
            base: format!("{url}/v1"),
            secret: secret.into(),
        })
    }
}

impl Gateway {
    /// An intent as it is now, if there is one.
    pub async fn intent(&self, id: &str) -> Outcome<Option<Intent>> {
        self.ask(&format!("payment_intents/{id}"), &[]).await
    }

    /// What was given back of an intent that was charged.
    pub async fn refunds_of(&self, intent: &str) -> Outcome<Vec<GivenBack>> {
        self.pages(&[("payment_intent", intent)], None).await
    }

    /// All intents, or those made at `since` (seconds since the epoch) or later, and maybe some earlier ones.
    pub async fn intents(&self, since: Option<i64>) -> Outcome<Vec<Intent>> {
        self.pages(&[], since).await
    }

    /// All refunds, or those made at `since` or later, and maybe some earlier ones.
    pub async fn refunds(&self, since: Option<i64>) -> Outcome<Vec<GivenBack>> {
        self.pages(&[], since).await
    }

    async fn pages<T: Listed>(
        &self,
        query: &[(&str, &str)],
        since: Option<i64>,
    ) -> Outcome<Vec<T>> {
        let mut all: Vec<T> = Vec::new();
        loop {
            let last = all.last().map(|last| last.id().to_owned());
            let mut query = query.to_vec();
            query.push(("limit", PAGE));
            query.extend(last.as_deref().map(|last| ("starting_after", last)));
            let page: Option<Page<T>> = self.ask(T::PATH, &query).await?;
            let page = page
                .ok_or_else(|| Failure::new(format!("The payment gateway has no {}.", T::PATH)))?;
            let ends = page.data.is_empty() || !page.has_more || is_before(&page.data, since);
            all.extend(page.data);
            if ends {
                return Ok(all);
            }
        }
    }

    /// Asks, again if that can help. None if there is no such thing.
    async fn ask<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Outcome<Option<T>> {
        let what = || format!("The payment gateway was not asked for {path}");
        let mut tried = 1;
        loop {
            let request = self.http.get(format!("{}/{path}", self.base)).query(query);
            let request = request.basic_auth(self.secret.expose_secret(), Some(""));
            let why = match request.send().await {
                Ok(answer) if answer.status().is_success() => {
                    return answer.json().await.map(Some).explain(what);
                }
                Ok(answer) => match answer.status() {
                    StatusCode::NOT_FOUND => return Ok(None),
                    StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                        return Err(Failure::new(format!(
                            "The payment gateway refuses the key that is in Secrets Manager ({}).",
                            answer.status()
                        )));
                    }
                    status => format!("it answered {status}"),
                },
                Err(error) => chain(&error.without_url()),
            };
            if tried == TRIES {
                return Err(Failure::new(format!("{}: {why}.", what())));
            }
            sleep(Duration::from_millis(250 << tried)).await;
            tried += 1;
        }
    }
}

/// Whether a page of a list, newest first, ends before `since`. A list that is in another order, as that of a
/// stand-in may be, is read to its end.
fn is_before<T: Listed>(page: &[T], since: Option<i64>) -> bool {
    match (page.first(), page.last(), since) {
        (Some(first), Some(last), Some(since)) => {
            first.created() > last.created() && last.created() < since
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refund(created: i64) -> GivenBack {
        GivenBack {
            id: created.to_string(),
            amount: 1,
            status: "succeeded".to_owned(),
            payment_intent: None,
            created,
        }
    }

    #[test]
    fn reading_ends_where_all_that_follows_is_older() {
        let newest_first = [refund(30), refund(20)];
        assert!(is_before(&newest_first, Some(25)));
        assert!(!is_before(&newest_first, Some(20)));
        assert!(!is_before(&newest_first, None));
        let oldest_first = [refund(20), refund(30)];
        assert!(!is_before(&oldest_first, Some(40)));
        assert!(!is_before::<GivenBack>(&[], Some(40)));
    }

    #[test]
    fn an_intent_without_our_mark_is_not_ours() {
        let intent = |metadata: &str| -> Intent {
            let json = format!(
                r#"{{"id":"pi_1","amount":5,"currency":"eur","status":"succeeded","metadata":{metadata}}}"#
            );
            serde_json::from_str(&json).unwrap()
        };
        for not_ours in ["null", "{}", r#"{"order_id":"1234"}"#] {
            assert_eq!(intent(not_ours).order_id(), None);
        }
        let ours = intent(r#"{"order_id":"00000000-0000-0000-0000-000000000001"}"#);
        assert!(ours.order_id().is_some());
        assert_eq!(ours.charged(), 5);
    }
}
