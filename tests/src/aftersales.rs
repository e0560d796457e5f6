//! What becomes of an order after it was placed: its customer authenticates its payment or cancels it, and
//! support gives part of its money back.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    api::{Answer, Call},
    eventually::{PATIENCE, eventually},
    shop::{Person, euro_cents},
    stack::Stack,
};

/// How long a refund may take. One that meets another of the same payment comes again when its queue hands
/// it out again, after three minutes, and may then meet a third.
pub const REFUND_PATIENCE: Duration = Duration::from_mins(7);

/// A card whose bank asks for the customer, and then pays.
const ASKS_AND_PAYS: &str = "4000002760003184";
/// A card whose bank asks for the customer, and then declines.
const ASKS_AND_DECLINES: &str = "4000008260003178";

/// The body of a refund of so many euro cents.
pub fn refund_of(cents: i64, reason: &str) -> Value {
    json!({"amount": euro_cents(cents), "reason": reason})
}

impl Stack {
    /// A card, new at the gateway, whose bank wants its customer to authenticate every payment.
    pub async fn three_d_secure_card(&self) -> String {
        self.gateway.new_card(ASKS_AND_PAYS).await
    }

    /// Another such card, which is declined once its customer has authenticated.
    pub async fn three_d_secure_card_without_money(&self) -> String {
        self.gateway.new_card(ASKS_AND_DECLINES).await
    }

    /// Waits until an order's saga waits for its customer. Answers the gateway's secret for them, as their
    /// page reads it from the payment.
    pub async fn client_secret(&self, buyer: &Person, order_id: &str) -> String {
        eventually(
            &format!("order {order_id} waits for its customer"),
            PATIENCE,
            async || {
                // There is no payment before the order comes to it.
                let payment = self.payment(buyer, order_id).await;
                let secret = (payment.status == 200)
                    .then(|| payment.json()["next_action"]["client_secret"].clone());
                let secret = secret.as_ref().and_then(Value::as_str);
                secret.map(ToOwned::to_owned).ok_or_else(|| payment.text())
            },
        )
        .await
    }

    /// Waits until the bank asks for an order's customer, whether or not the saga waits by then. Answers the
    /// intent.
    pub async fn intent_that_asks(&self, order_id: &str) -> Value {
        eventually(
            &format!("the bank asks for the customer of {order_id}"),
            PATIENCE,
            async || {
                let payment = self.payment_record(order_id).await.unwrap_or_default();
                let Some(intent) = payment["intent_id"].as_str() else {
                    return Err(payment.to_string());
                };
                let intent = self.gateway.intent(intent).await;
                if intent["status"] == "requires_action" {
                    Ok(intent)
                } else {
                    Err(intent.to_string())
                }
            },
        )
        .await
    }

    /// `POST /orders/{id}/cancel`
    pub async fn cancel(&self, person: &Person, order_id: &str) -> Answer {
        let call = self.api.post(&format!("/orders/{order_id}/cancel"));
        call.bearer(&person.token).send().await
    }

    /// A signed-in `POST /orders/{id}/refunds`, not sent yet.
    pub fn refund_call(&self, person: &Person, order_id: &str, key: &str, refund: &Value) -> Call {
        self.api
            .post(&format!("/orders/{order_id}/refunds"))
            .bearer(&person.token)
            .key(key)
            .json(refund)
    }

    /// Waits until no part of an order's payment is still to be given back.
    pub async fn await_refunds(&self, order_id: &str) {
        eventually(
            &format!("the refunds of {order_id} are made"),
            REFUND_PATIENCE,
            async || {
                let payment = self.payment_record(order_id).await.unwrap_or_default();
                let mut refunds = payment["refunds"].as_object().into_iter().flatten();
                match refunds.find(|(_, refund)| refund["status"] == "PENDING") {
                    None => Ok(()),
                    Some(_) => Err(payment.to_string()),
                }
            },
        )
        .await;
    }

    /// The record of an order's payment, if there is one.
    pub async fn payment_record(&self, order_id: &str) -> Option<Value> {
        let key = format!("PAYMENT#{order_id}");
        self.item("PAYMENTS_TABLE", &key).await
    }
}
