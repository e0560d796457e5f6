//! Cards whose bank asks for its customer (3-D Secure): the order waits for them, however they come to it,
//! and for nobody else.

use futures::future::join_all;
use oxcart_tests::{
    faults::{Action, Rule},
    shop::{Person, order_of, story_of},
    stack::Stack,
    webhooks::event_about,
};
use serde_json::{Value, json};

/// A time that is over.
const LONG_AGO: &str = "2026-01-02T03:09:05.678Z";

#[tokio::test]
async fn a_customer_who_authenticates_gets_their_order() {
    let stack = Stack::connect().await;
    let order = Waiting::place(&stack, &stack.three_d_secure_card().await).await;

    let waiting = order.read(&stack).await;
    assert_eq!(waiting["status"], "PENDING");
    assert_eq!(waiting["payment_status"], "PENDING");
    assert_eq!(
        waiting["next_action"],
        json!({"type": "authenticate-payment", "payment": format!("/orders/{}/payment", order.id)})
    );
    let payment = stack.payment(&order.buyer, &order.id).await.expect(200);
    assert_eq!(payment.json()["status"], "PENDING");
    assert_eq!(
        payment.json()["next_action"],
        json!({"type": "authenticate-payment", "client_secret": order.secret})
    );
    assert_eq!(stack.gateway.books().await.charged(&order.id), 0);

    // The gateway's webhook tells of it about a second later.
    assert_eq!(stack.gateway.authenticate(&order.secret, true).await, 200);
    let settled = stack.settled(&order.buyer, &order.id).await;
    assert_eq!(settled["status"], "CONFIRMED");
    assert_eq!(settled["payment_status"], "CHARGED");
    assert_eq!(settled["next_action"], Value::Null);
    assert_eq!(
        story_of(&settled),
        [
            "order.placed",
            "stock.reserved",
            "payment.charged",
            "order.confirmed"
        ]
    );
    let payment = stack.payment(&order.buyer, &order.id).await.expect(200);
    assert_eq!(payment.json()["status"], "CHARGED");
    assert_eq!(payment.json()["next_action"], Value::Null);
    assert_eq!(stack.gateway.books().await.intents_for(&order.id).len(), 1);
    stack.saga_ends_well(&order.id).await;
    stack.assert_figures_agree(&[&order.sku]).await;
}

#[tokio::test]
async fn the_gateways_secret_is_shown_to_its_customer_and_kept_nowhere() {
    let stack = Stack::connect().await;
    let order = Waiting::place(&stack, &stack.three_d_secure_card().await).await;

    let support = stack.support().await;
    let seen = stack.payment(&support, &order.id).await.expect(200);
    assert_eq!(seen.json()["status"], "PENDING");
    assert!(!seen.text().contains("secret"), "{}", seen.text());
    let stranger = stack.new_customer().await;
    stack
        .payment(&stranger, &order.id)
        .await
        .problem(404, "not-found");

    let record = stack.payment_record(&order.id).await.expect("a record");
    assert!(!record.to_string().contains("secret"), "{record}");
    let item = order.item(&stack).await;
    assert!(!item.to_string().contains("secret"), "{item}");

    stack.cancel(&order.buyer, &order.id).await.expect(202);
    stack.settled(&order.buyer, &order.id).await;
    let payment = stack.payment(&order.buyer, &order.id).await.expect(200);
    assert!(!payment.text().contains("secret"), "{}", payment.text());
}

#[tokio::test]
async fn a_customer_who_fails_to_authenticate_keeps_their_money() {
    let stack = Stack::connect().await;
    let order = Waiting::place(&stack, &stack.three_d_secure_card().await).await;

    assert_eq!(stack.gateway.authenticate(&order.secret, false).await, 200);
    // The gateway itself would ring now. Its stand-in does so only when a bank has decided.
    let event = event_about("payment_intent.payment_failed", order.intent(), &order.id);
    stack.ring(&event).await.expect(204);

    let settled = stack.settled(&order.buyer, &order.id).await;
    order.assert_declined(&stack, &settled).await;
}

#[tokio::test]
async fn an_order_is_confirmed_though_the_webhook_died_before_it_told_the_saga() {
    let stack = Stack::connect().await;
    let order = Waiting::place(&stack, &stack.three_d_secure_card().await).await;
    let write = Rule::write("receive-webhook", &order.id, 0, Action::KillAfter);
    let fault = stack.faults().arm(write).await;
    assert_eq!(stack.gateway.authenticate(&order.secret, true).await, 200);
    fault.wait_until_hit().await;
    fault.disarm().await;
    let record = stack.payment_record(&order.id).await.expect("a record");
    assert_eq!(record["status"], "CHARGED");
    assert_eq!(order.read(&stack).await["status"], "PENDING");

    // The gateway rings again until it is heard. Its stand-in doesn't.
    let event = event_about("payment_intent.succeeded", order.intent(), &order.id);
    stack.ring(&event).await.expect(204);

    let settled = stack.settled(&order.buyer, &order.id).await;
    assert_eq!(settled["status"], "CONFIRMED");
    stack.assert_figures_agree(&[&order.sku]).await;
}

#[tokio::test]
async fn a_card_that_is_declined_after_its_customer_authenticated_is_declined() {
    let stack = Stack::connect().await;
    let card = stack.three_d_secure_card_without_money().await;
    let order = Waiting::place(&stack, &card).await;

    assert_eq!(stack.gateway.authenticate(&order.secret, true).await, 402);

    let settled = stack.settled(&order.buyer, &order.id).await;
    order.assert_declined(&stack, &settled).await;
}

#[tokio::test]
async fn a_customer_who_stays_away_has_not_paid_and_can_not_pay_later() {
    let stack = Stack::connect().await;
    let order = Waiting::place(&stack, &stack.three_d_secure_card().await).await;

    order.time_is_over(&stack).await;

    let settled = stack.settled(&order.buyer, &order.id).await;
    assert_eq!(settled["status"], "REJECTED");
    assert_eq!(settled["reason"], "payment-declined");
    assert_eq!(settled["payment_status"], "CANCELLED");
    assert_eq!(
        story_of(&settled),
        [
            "order.placed",
            "stock.reserved",
            "stock.released",
            "order.rejected"
        ]
    );
    order.assert_nothing_can_be_taken(&stack).await;
    stack.saga_ends_well(&order.id).await;
}

#[tokio::test]
async fn a_customer_has_as_long_to_act_however_often_the_saga_is_run_again() {
    let stack = Stack::connect().await;
    let order = Waiting::place(&stack, &stack.three_d_secure_card().await).await;
    let asked = order.item(&stack).await["act_by"].clone();
    assert!(asked.is_string(), "{asked}");
    assert_eq!(order.item(&stack).await["due_at"], asked);

    let again = json!({"order_id": order.id});
    assert_eq!(stack.answer_of("request-action", &again).await, json!({}));
    assert_eq!(order.item(&stack).await["act_by"], asked);

    let mut item = order.item(&stack).await;
    item["act_by"] = json!(LONG_AGO);
    stack.write_item("ORDERS_TABLE", &item).await;
    let late = stack.error_of("request-action", &again).await;
    assert_eq!(late, "ActionOverdue");
    assert_eq!(order.item(&stack).await, item);

    // Who has acted by then has paid, whenever the saga comes to see it.
    assert_eq!(stack.gateway.authenticate(&order.secret, true).await, 200);
    let settled = stack.settled(&order.buyer, &order.id).await;
    assert_eq!(settled["status"], "CONFIRMED");
    stack.assert_figures_agree(&[&order.sku]).await;
}

#[tokio::test]
async fn an_order_that_is_cancelled_while_it_waits_ends_at_once() {
    let stack = Stack::connect().await;
    let order = Waiting::place(&stack, &stack.three_d_secure_card().await).await;

    let cancelled = stack.cancel(&order.buyer, &order.id).await.expect(202);
    assert_eq!(
        cancelled.json()["next_action"],
        Value::Null,
        "nobody is asked to pay for it any more"
    );
    let settled = stack.settled(&order.buyer, &order.id).await;
    assert_eq!(settled["status"], "CANCELLED");
    assert_eq!(settled["reason"], "cancelled-by-customer");
    assert_eq!(settled["payment_status"], "CANCELLED");
    // Both sagas undo it, and the quicker one tells what it knows of.
    let story = story_of(&settled);
    assert!(
        story.starts_with(&["order.placed", "order.cancellation-requested"]),
        "{story:?}"
    );
    assert!(
        story.ends_with(&["stock.released", "order.cancelled"]),
        "{story:?}"
    );

    order.assert_nothing_can_be_taken(&stack).await;
    // Its own saga doesn't wait for the rest of the 15 minutes.
    stack.saga_ends_well(&order.id).await;
    assert_eq!(order.read(&stack).await, settled);
}

#[tokio::test]
async fn customers_who_are_quicker_than_the_saga_are_not_missed() {
    let stack = Stack::connect().await;
    let (buyers, sku) = (stack.customers(6).await, stack.new_product(1250, 6).await);
    let order = order_of(&[(&sku, 1)], &stack.three_d_secure_card().await);

    let quick = buyers
        .iter()
        .map(|buyer| buy_quickly(&stack, buyer, &order));
    let settled = join_all(quick).await;

    for order in &settled {
        assert_eq!(order["status"], "CONFIRMED", "{order}");
        assert_eq!(
            story_of(order),
            [
                "order.placed",
                "stock.reserved",
                "payment.charged",
                "order.confirmed"
            ]
        );
    }
    assert_eq!(stack.available(&sku).await, 0);
    stack.assert_figures_agree(&[&sku]).await;
}

/// Buys with a card whose bank asks for its customer, who authenticates as soon as it does. The gateway
/// tells of that at once, and again a second later.
async fn buy_quickly(stack: &Stack, buyer: &Person, order: &Value) -> Value {
    let id = stack.place(buyer, order).await;
    let intent = stack.intent_that_asks(&id).await;
    let secret = intent["client_secret"].as_str().expect("a secret");
    assert_eq!(stack.gateway.authenticate(secret, true).await, 200);
    let intent = intent["id"].as_str().expect("an id");
    let event = event_about("payment_intent.succeeded", intent, &id);
    stack.ring(&event).await.expect(204);
    stack.settled(buyer, &id).await
}

/// An order of two of three units at 12.50 EUR that waits for its customer to authenticate.
struct Waiting {
    buyer: Person,
    sku: String,
    id: String,
    secret: String,
}

impl Waiting {
    async fn place(stack: &Stack, card: &str) -> Self {
        let (buyer, sku) = (stack.new_customer().await, stack.new_product(1250, 3).await);
        let id = stack.place(&buyer, &order_of(&[(&sku, 2)], card)).await;
        let secret = stack.client_secret(&buyer, &id).await;
        Self {
            buyer,
            sku,
            id,
            secret,
        }
    }

    /// The intent, which its secret names.
    fn intent(&self) -> &str {
        let (intent, _) = self.secret.split_once("_secret_").expect("whose secret");
        intent
    }

    /// The customer has 15 minutes. What happens when they are over, the operator has happen now.
    async fn time_is_over(&self, stack: &Stack) {
        if stack.is_express() {
            let mut item = self.item(stack).await;
            item["act_by"] = json!(LONG_AGO);
            stack.write_item("ORDERS_TABLE", &item).await;
            let resumed = stack.resume(&self.id).await;
            assert_eq!(resumed, json!({"resumed": [self.id], "running": []}));
            return;
        }
        let record = stack.payment_record(&self.id).await.expect("a record");
        stack
            .states
            .send_task_failure()
            .task_token(record["task_token"].as_str().expect("a token"))
            .error("States.Timeout")
            .send()
            .await
            .expect("the operator may end the wait");
    }

    async fn read(&self, stack: &Stack) -> Value {
        stack.order(&self.buyer, &self.id).await.expect(200).json()
    }

    async fn item(&self, stack: &Stack) -> Value {
        let key = format!("ORDER#{}", self.id);
        stack.item("ORDERS_TABLE", &key).await.expect("the order")
    }

    async fn assert_declined(&self, stack: &Stack, settled: &Value) {
        assert_eq!(settled["status"], "REJECTED");
        assert_eq!(settled["reason"], "payment-declined");
        assert_eq!(settled["payment_status"], "DECLINED");
        assert_eq!(settled["next_action"], Value::Null);
        assert_eq!(
            story_of(settled),
            [
                "order.placed",
                "stock.reserved",
                "payment.declined",
                "stock.released",
                "order.rejected"
            ]
        );
        // Else their page could try another card with it, for an order that has ended.
        let intent = stack.gateway.intent(self.intent()).await;
        assert_eq!(intent["status"], "canceled", "{intent}");
        assert_eq!(stack.available(&self.sku).await, 3);
        assert_eq!(stack.gateway.books().await.charged(&self.id), 0);
        stack.assert_figures_agree(&[&self.sku]).await;
    }

    /// The gateway has cancelled the intent: a customer who comes now is too late.
    async fn assert_nothing_can_be_taken(&self, stack: &Stack) {
        let intent = stack.gateway.intent(self.intent()).await;
        assert_eq!(intent["status"], "canceled", "{intent}");
        assert_eq!(stack.gateway.authenticate(&self.secret, true).await, 400);
        assert_eq!(stack.gateway.books().await.charged(&self.id), 0);
        assert_eq!(stack.available(&self.sku).await, 3);
        stack.assert_figures_agree(&[&self.sku]).await;
    }
}
