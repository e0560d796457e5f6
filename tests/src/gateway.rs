//! The payment gateway's own books: what it says was charged and refunded, whatever we believe.

use reqwest::{RequestBuilder, Response};
use serde_json::Value;

/// The stand-in for Stripe, asked with the secret key.
pub struct Gateway {
    base: String,
    secret_key: String,
    pub(crate) http: reqwest::Client,
}

impl Gateway {
    /// The gateway that answers under `base`.
    pub fn at(base: &str, secret_key: &str) -> Self {
        Self {
            base: base.trim_end_matches('/').to_owned(),
            secret_key: secret_key.to_owned(),
            http: reqwest::Client::new(),
        }
    }

    /// A copy of the books as they are now.
    pub async fn books(&self) -> Books {
        // Refunds are read first: one made in between is then missing beside its charge, which
        // shows, and not the other way round, which could hide a charge.
        let refunds = self.list("refunds").await;
        let intents = self.list("payment_intents").await;
        Books { intents, refunds }
    }

    /// The token of a new payment method: the card with this number.
    pub async fn new_card(&self, number: &str) -> String {
        let card = [
            ("type", "card"),
            ("card[number]", number),
            ("card[exp_month]", "12"),
            ("card[exp_year]", "2030"),
            ("card[cvc]", "123"),
        ];
        let request = self.http.post(format!("{}/v1/payment_methods", self.base));
        let method = self.ask(request.form(&card)).await;
        method["id"].as_str().expect("a token").to_owned()
    }

    /// An intent as it is now.
    pub async fn intent(&self, id: &str) -> Value {
        let request = self
            .http
            .get(format!("{}/v1/payment_intents/{id}", self.base));
        self.ask(request).await
    }

    /// The customer shows who they are, if they are asked to by now. Answers whether they were.
    pub async fn act(&self, intent: &str) -> bool {
        let intent = self.intent(intent).await;
        let asked = intent["status"] == "requires_action";
        if asked {
            let secret = intent["client_secret"].as_str().expect("a secret");
            self.authenticate(secret, true).await;
        }
        asked
    }

    /// An intent to take this many euro cents for an order, not confirmed yet. Answers its id.
    pub async fn new_intent(&self, order_id: &str, cents: i64, card: &str) -> String {
        let amount = cents.to_string();
        let intent = [
            ("amount", amount.as_str()),
            ("currency", "eur"),
            ("payment_method", card),
            ("metadata[order_id]", order_id),
        ];
        let request = self.http.post(format!("{}/v1/payment_intents", self.base));
        let intent = self.ask(request.form(&intent)).await;
        intent["id"].as_str().expect("an id").to_owned()
    }

    /// Takes an intent's money.
    pub async fn confirm(&self, intent: &str) {
        let url = format!("{}/v1/payment_intents/{intent}/confirm", self.base);
        let intent = self.ask(self.http.post(url)).await;
        assert_eq!(intent["status"], "succeeded", "{intent}");
    }

    /// Asks for an intent's money to no avail: its card is declined.
    pub async fn confirm_in_vain(&self, intent: &str) {
        let url = format!("{}/v1/payment_intents/{intent}/confirm", self.base);
        let response = self.send(self.http.post(url)).await;
        assert_eq!(response.status().as_u16(), 402);
    }

    /// Cancels an intent.
    pub async fn cancel(&self, intent: &str) {
        let url = format!("{}/v1/payment_intents/{intent}/cancel", self.base);
        let intent = self.ask(self.http.post(url)).await;
        assert_eq!(intent["status"], "canceled", "{intent}");
    }

    /// The customer shows who they are, or fails to, on the gateway's own page. Answers its status code:
    /// 402 says that the bank declines after all, 400 that the intent doesn't ask for the customer.
    pub async fn authenticate(&self, client_secret: &str, success: bool) -> u16 {
        let (intent, _) = client_secret.split_once("_secret_").expect("whose secret");
        let shown = [
            ("client_secret", client_secret),
            ("success", if success { "true" } else { "false" }),
        ];
        let url = format!("{}/v1/payment_intents/{intent}/_authenticate", self.base);
        let response = self.send(self.http.post(url).form(&shown)).await;
        response.status().as_u16()
    }

    /// The events in which the gateway told of an intent.
    pub async fn told_of(&self, intent: &str) -> Vec<Value> {
        let mut events = self.list("events").await;
        events.retain(|event| event["data"]["object"]["id"] == intent);
        events
    }

    async fn list(&self, what: &str) -> Vec<Value> {
        let request = self.http.get(format!("{}/v1/{what}", self.base));
        // The stand-in knows no upper limit, so one page holds all.
        let page = self.ask(request.query(&[("limit", "1000000")])).await;
        page["data"].as_array().expect("a list").clone()
    }

    async fn send(&self, request: RequestBuilder) -> Response {
        let request = request.basic_auth(&self.secret_key, None::<&str>);
        let response = request.send().await;
        response.unwrap_or_else(|error| panic!("the payment gateway gave no answer: {error}"))
    }

    async fn ask(&self, request: RequestBuilder) -> Value {
        let response = self.send(request).await;
        assert!(
            response.status().is_success(),
            "the payment gateway: {}",
            response.status()
        );
        response.json().await.expect("the gateway speaks JSON")
    }
}

/// The gateway's intents and refunds at one moment.
pub struct Books {
    intents: Vec<Value>,
    refunds: Vec<Value>,
}

impl Books {
    /// The books that hold these.
    pub(crate) fn of(intents: Vec<Value>, refunds: Vec<Value>) -> Self {
        Self { intents, refunds }
    }

    /// The intents made for an order, by the order id in their metadata.
    pub fn intents_for(&self, order_id: &str) -> Vec<&Value> {
        self.intents
            .iter()
            .filter(|intent| intent["metadata"]["order_id"] == order_id)
            .collect()
    }

    /// The intent with this id.
    pub fn intent(&self, id: &str) -> &Value {
        self.intents
            .iter()
            .find(|intent| intent["id"] == id)
            .unwrap_or_else(|| panic!("the gateway has no intent {id}"))
    }

    /// What was taken for an order, over all its intents.
    pub fn charged(&self, order_id: &str) -> i64 {
        self.intents_for(order_id)
            .iter()
            .filter(|intent| intent["status"] == "succeeded")
            .map(|intent| intent["amount"].as_i64().expect("an amount"))
            .sum()
    }

    /// What was given back for an order, over all its intents.
    pub fn refunded(&self, order_id: &str) -> i64 {
        self.refunds_for(order_id)
            .iter()
            .map(|refund| refund["amount"].as_i64().expect("an amount"))
            .sum()
    }

    /// The refunds of an order, over all its intents.
    pub fn refunds_for(&self, order_id: &str) -> Vec<&Value> {
        let intents = self.intents_for(order_id);
        self.refunds
            .iter()
            .filter(|refund| {
                intents
                    .iter()
                    .any(|intent| intent["id"] == refund["payment_intent"])
            })
            .collect()
    }
}
