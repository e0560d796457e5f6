//! The payment gateway's own books: what it says was charged and refunded, whatever we believe.

use serde_json::Value;

/// The stand-in for Stripe, asked with the secret key.
pub struct Gateway {
    base: String,
    secret_key: String,
    http: reqwest::Client,
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

    async fn list(&self, what: &str) -> Vec<Value> {
        let response = self
            .http
            .get(format!("{}/v1/{what}", self.base))
            // The stand-in knows no upper limit, so one page holds all.
            .query(&[("limit", "1000000")])
            .basic_auth(&self.secret_key, None::<&str>)
            .send()
            .await
            .unwrap_or_else(|error| panic!("the payment gateway gave no answer: {error}"));
        assert!(
            response.status().is_success(),
            "the payment gateway: {}",
            response.status()
        );
        let page: Value = response.json().await.expect("the gateway speaks JSON");
        page["data"].as_array().expect("a list").clone()
    }
}

/// The gateway's intents and refunds at one moment.
pub struct Books {
    intents: Vec<Value>,
    refunds: Vec<Value>,
}

impl Books {
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
