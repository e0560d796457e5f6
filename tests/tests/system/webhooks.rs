//! The payment gateway's webhooks: nobody else may ring, and what a ring says is not believed but looked
//! into.

use oxcart_tests::{
    eventually::{PATIENCE, eventually},
    faults::{Action, Rule},
    shop::{BAD_CARD, GOOD_CARD, euro_cents, new_key, order_id, order_of},
    stack::Stack,
    subscription::Subscription,
    webhooks::{event_about, seconds_now, signature},
};
use serde_json::{Value, json};
use uuid::Uuid;

const SUCCEEDED: &str = "payment_intent.succeeded";
const FAILED: &str = "payment_intent.payment_failed";

#[tokio::test]
async fn what_the_gateway_did_not_sign_just_now_is_refused_and_changes_nothing() {
    let stack = Stack::connect().await;
    let lost = Lost::charge(&stack).await;
    let body = lost.event(SUCCEEDED).to_string();
    let (secret, now) = (stack.webhook_secret(), seconds_now());
    let good = signature(&body, secret, now);
    let (_, mac) = good.split_once(",v1=").expect("a signature");

    for (why, header) in [
        ("empty", String::new()),
        ("no signature", format!("t={now}")),
        ("no time", format!("v1={mac}")),
        ("garbage", "garbage".to_owned()),
        ("a stranger's", signature(&body, "whsec_stranger", now)),
        (
            "of another body",
            signature(&format!("{body} "), secret, now),
        ),
        ("of another time", format!("t={},v1={mac}", now - 1)),
        ("of another scheme", format!("t={now},v0={mac}")),
        ("cut off", good[..good.len() - 2].to_owned()),
        ("outdated", signature(&body, secret, now - 301)),
        ("of the future", signature(&body, secret, now + 3600)),
    ] {
        let call = stack.unsigned_webhook(&body);
        let answer = call.header("Stripe-Signature", &header).send().await;
        assert_eq!(answer.status, 400, "{why}: {}", answer.text());
        answer.problem(400, "invalid-signature");
    }
    let unsigned = stack.unsigned_webhook(&body).send().await;
    unsigned.problem(400, "invalid-signature");

    assert_eq!(lost.record(&stack).await, lost.prepared);
    let call = stack.unsigned_webhook(&body);
    let answer = call.header("Stripe-Signature", &good).send().await;
    answer.expect(204);
    assert_eq!(lost.record(&stack).await["status"], "CHARGED");
}

#[tokio::test]
async fn a_signature_of_minutes_ago_is_good_and_one_of_several_is_enough() {
    let stack = Stack::connect().await;
    let lost = Lost::charge(&stack).await;
    let body = lost.event(SUCCEEDED).to_string();
    // As while a secret is replaced, when the gateway signs with both.
    let good = signature(&body, stack.webhook_secret(), seconds_now() - 200);
    let (time, mac) = good.split_once(',').expect("a time");
    let header = format!("{time},v1={},{mac}", "0".repeat(64));

    let call = stack.unsigned_webhook(&body);
    let answer = call.header("Stripe-Signature", &header).send().await;

    assert!(answer.expect(204).body.is_empty());
    assert_eq!(lost.record(&stack).await["status"], "CHARGED");
}

#[tokio::test]
async fn a_webhook_that_is_about_nothing_of_ours_changes_nothing() {
    let stack = Stack::connect().await;
    let lost = Lost::charge(&stack).await;
    let unknown = Uuid::new_v4().to_string();
    let mut without_order = lost.event(SUCCEEDED);
    without_order["data"]["object"]["metadata"] = json!({});
    let mut of_no_order = lost.event(SUCCEEDED);
    of_no_order["data"]["object"]["metadata"] = json!({"order_id": "not-a-uuid"});

    for event in [
        event_about(SUCCEEDED, &lost.intent, &unknown),
        event_about(SUCCEEDED, "pi_another", &lost.order_id),
        lost.event("charge.succeeded"),
        lost.event("customer.created"),
        without_order,
        of_no_order,
        json!({"note": "no event"}),
        json!("no event"),
    ] {
        let answer = stack.ring(&event).await;
        assert_eq!(answer.status, 204, "{event}: {}", answer.text());
        assert_eq!(lost.record(&stack).await, lost.prepared, "{event}");
    }
    assert_eq!(stack.payment_record(&unknown).await, None);
}

#[tokio::test]
async fn a_webhook_about_a_payment_that_did_not_succeed_does_not_make_it_so() {
    let stack = Stack::connect().await;
    let order_id = Uuid::new_v4().to_string();
    let intent = stack.gateway.new_intent(&order_id, 2500, GOOD_CARD).await;
    let unconfirmed = Lost::prepare(&stack, order_id, intent).await;

    for kind in [SUCCEEDED, FAILED] {
        stack.ring(&unconfirmed.event(kind)).await.expect(204);
        assert_eq!(
            unconfirmed.record(&stack).await,
            unconfirmed.prepared,
            "{kind}"
        );
    }

    // Nor does it end the wait for a customer.
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(1250, 3).await);
    let card = stack.three_d_secure_card().await;
    let id = stack.place(&buyer, &order_of(&[(&sku, 1)], &card)).await;
    let secret = stack.client_secret(&buyer, &id).await;
    let waiting = stack.payment_record(&id).await.expect("a record");
    let intent = waiting["intent_id"].as_str().expect("an intent");

    for kind in [SUCCEEDED, FAILED] {
        let event = event_about(kind, intent, &id);
        stack.ring(&event).await.expect(204);
        let record = stack.payment_record(&id).await;
        assert_eq!(record.as_ref(), Some(&waiting), "{kind}");
    }
    let order = stack.order(&buyer, &id).await.expect(200).json();
    assert_ne!(order["next_action"], Value::Null, "{order}");
    if stack.is_express() {
        assert_eq!(
            stack.executions_of(&id).await.len(),
            1,
            "nobody runs it again"
        );
    } else {
        assert_eq!(stack.execution_status(&id).await.as_deref(), Ok("RUNNING"));
    }

    assert_eq!(stack.gateway.authenticate(&secret, true).await, 200);
    assert_eq!(stack.settled(&buyer, &id).await["status"], "CONFIRMED");
    stack.assert_figures_agree(&[&sku]).await;
}

#[tokio::test]
async fn a_webhook_of_a_failure_does_not_undo_a_charge() {
    let stack = Stack::connect().await;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(1250, 3).await);
    let order = stack.buy(&buyer, &order_of(&[(&sku, 1)], GOOD_CARD)).await;
    let id = order["id"].as_str().unwrap();
    let charged = stack.payment_record(id).await.expect("a record");
    let intent = charged["intent_id"].as_str().expect("an intent");

    let event = event_about(FAILED, intent, id);
    stack.ring(&event).await.expect(204);

    assert_eq!(stack.payment_record(id).await, Some(charged));
    assert_eq!(stack.order(&buyer, id).await.expect(200).json(), order);
    stack.assert_figures_agree(&[&sku]).await;
}

#[tokio::test]
async fn a_webhook_that_comes_twice_is_acted_on_once() {
    let stack = Stack::connect().await;
    let lost = Lost::charge(&stack).await;
    let event = lost.event(SUCCEEDED);

    stack.ring(&event).await.expect(204);
    assert_eq!(lost.record(&stack).await["status"], "CHARGED");
    // Were the second one acted on, it would show: the record is as before the first.
    stack.write_item("PAYMENTS_TABLE", &lost.prepared).await;
    stack.ring(&event).await.expect(204);
    assert_eq!(lost.record(&stack).await, lost.prepared);

    stack.ring(&lost.event(SUCCEEDED)).await.expect(204);
    assert_eq!(
        lost.record(&stack).await["status"],
        "CHARGED",
        "another event is acted on"
    );
}

#[tokio::test]
async fn a_webhook_that_comes_before_the_gateways_answer_settles_the_payment_once() {
    let stack = Stack::connect().await;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(500, 10).await);
    let key = new_key();
    let id = order_id(&buyer.id, &key);
    let hold_after = async |skip| {
        let rule = Rule {
            gateway_only: true,
            ..Rule::write("charge-payment", &id, skip, Action::HoldAnswer)
        };
        stack.faults().arm(rule).await
    };
    // The second thing that is asked of the gateway: create the intent, confirm it.
    let mut answer = hold_after(1).await;
    let order = order_of(&[(&sku, 1)], GOOD_CARD);
    let placed = stack.order_call(&buyer, &key, &order).send().await;
    placed.expect(202);

    let record = loop {
        answer.wait_until_held().await;
        if let Some(record) = stack.payment_record(&id).await {
            break record;
        }
        // On a busy machine the first answer may come too late, and the intent is created again.
        let next = hold_after(0).await;
        answer.release().await;
        answer = next;
    };
    let intent = record["intent_id"].as_str().expect("an intent");
    let ring = stack.ring(&event_about(SUCCEEDED, intent, &id)).await;
    ring.expect(204);
    let settled = stack.payment_record(&id).await.expect("a record");
    assert_eq!(settled["status"], "CHARGED");
    answer.release().await;

    assert_eq!(stack.settled(&buyer, &id).await["status"], "CONFIRMED");
    assert_eq!(stack.gateway.books().await.charged(&id), 500);
    stack.assert_figures_agree(&[&sku]).await;
}

#[tokio::test]
async fn a_webhook_tells_of_a_charge_whose_answer_was_lost() {
    let stack = Stack::connect().await;
    let mut listener = Subscription::open(&stack).await;
    let lost = Lost::charge(&stack).await;

    stack.ring(&lost.event(SUCCEEDED)).await.expect(204);

    let record = lost.record(&stack).await;
    assert_eq!(record["status"], "CHARGED");
    assert_eq!(record["intent_id"], lost.intent);
    let told = listener
        .wait_for(&lost.order_id, &["payment.charged"])
        .await;
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!(told[0]["data"]["amount"], euro_cents(2500));
    assert_eq!(told[0]["data"]["customer_id"], record["customer_id"]);
    assert_eq!(told[0]["data"]["action_requested"], Value::Null);
    listener.close().await;

    // The saga that asks again is told the same, and nothing is taken twice.
    let charge = json!({
        "order_id": lost.order_id,
        "customer_id": record["customer_id"],
        "amount": euro_cents(2500),
        "payment_method": GOOD_CARD,
    });
    let answer = stack.answer_of("charge-payment", &charge).await;
    assert_eq!(answer["timeline"][0]["event"], "payment.charged");
    assert_eq!(stack.gateway.books().await.charged(&lost.order_id), 2500);
}

#[tokio::test]
async fn who_asks_a_customer_while_their_payment_is_settled_is_told_that_it_is() {
    let stack = Stack::connect().await;
    let listener = Subscription::open(&stack).await;
    let lost = Lost::charge(&stack).await;

    lost.ring_while_asked(&stack, SUCCEEDED).await;

    assert_eq!(lost.record(&stack).await["status"], "CHARGED");
    lost.is_told_as_waited_for(listener, "payment.charged")
        .await;
}

#[tokio::test]
async fn who_was_asked_while_their_payment_was_declined_can_not_pay_any_more() {
    let stack = Stack::connect().await;
    let listener = Subscription::open(&stack).await;
    let order_id = Uuid::new_v4().to_string();
    let intent = stack.gateway.new_intent(&order_id, 2500, BAD_CARD).await;
    stack.gateway.confirm_in_vain(&intent).await;
    let refused = Lost::prepare(&stack, order_id, intent).await;

    refused.ring_while_asked(&stack, FAILED).await;

    assert_eq!(refused.record(&stack).await["status"], "DECLINED");
    let intent = stack.gateway.intent(&refused.intent).await;
    assert_eq!(intent["status"], "canceled", "{intent}");
    refused
        .is_told_as_waited_for(listener, "payment.declined")
        .await;
}

#[tokio::test]
async fn a_payment_whose_intent_was_cancelled_after_its_customer_failed_is_declined() {
    let stack = Stack::connect().await;
    let listener = Subscription::open(&stack).await;
    let order_id = Uuid::new_v4().to_string();
    let intent = stack.gateway.new_intent(&order_id, 2500, GOOD_CARD).await;
    // As who did that was killed before they could write it down.
    stack.gateway.cancel(&intent).await;
    let lost = Lost::prepare(&stack, order_id, intent).await;
    stack.write_item("PAYMENTS_TABLE", &lost.asked()).await;

    stack.ring(&lost.event(FAILED)).await.expect(204);

    assert_eq!(lost.record(&stack).await["status"], "DECLINED");
    lost.is_told_as_waited_for(listener, "payment.declined")
        .await;
}

/// A payment of 25.00 EUR of which our record says `PENDING`, as it does when what came of it at the gateway
/// was lost on the way.
struct Lost {
    order_id: String,
    intent: String,
    /// The record.
    prepared: Value,
}

impl Lost {
    /// One that went through. The gateway has told of it by itself, before there was a record.
    async fn charge(stack: &Stack) -> Self {
        let order_id = Uuid::new_v4().to_string();
        let intent = stack.gateway.new_intent(&order_id, 2500, GOOD_CARD).await;
        stack.gateway.confirm(&intent).await;
        let told = stack.gateway.told_of(&intent).await;
        let [event] = told.as_slice() else {
            panic!("told once of a success: {told:#?}")
        };
        assert_eq!(event["type"], SUCCEEDED, "{event}");
        let heard = format!("WEBHOOK#{}", event["id"].as_str().expect("an id"));
        eventually("the gateway's own ring", PATIENCE, async || {
            let heard = stack.item("PAYMENTS_TABLE", &heard).await;
            heard.ok_or_else(|| "not heard".to_owned())
        })
        .await;
        Self::prepare(stack, order_id, intent).await
    }

    /// One of which an intent stands at the gateway.
    async fn prepare(stack: &Stack, order_id: String, intent: String) -> Self {
        let at = "2026-01-02T03:04:05.678Z";
        let record = json!({
            "pk": format!("PAYMENT#{order_id}"),
            "order_id": order_id,
            "customer_id": Uuid::new_v4(),
            "status": "PENDING",
            "amount": euro_cents(2500),
            "intent_id": intent,
            "refund_total": 0,
            "refunds": {},
            "created_at": at,
            "updated_at": at,
        });
        stack.write_item("PAYMENTS_TABLE", &record).await;
        Self {
            order_id,
            intent,
            prepared: record,
        }
    }

    /// An event about it, which nobody has told before.
    fn event(&self, kind: &str) -> Value {
        event_about(kind, &self.intent, &self.order_id)
    }

    /// The record as it is once the customer was asked to act.
    fn asked(&self) -> Value {
        let mut asked = self.prepared.clone();
        asked["asked"] = json!(true);
        asked
    }

    /// Tells of it, and has the customer asked to act just before what the gateway says is stored.
    async fn ring_while_asked(&self, stack: &Stack, kind: &str) {
        let settling = Rule::write("receive-webhook", &self.order_id, 0, Action::Hold);
        let settling = stack.faults().arm(settling).await;
        let event = self.event(kind);
        let ask = async {
            settling.wait_until_held().await;
            stack.write_item("PAYMENTS_TABLE", &self.asked()).await;
            settling.release().await;
        };
        let (ring, ()) = futures::join!(stack.ring(&event), ask);
        ring.expect(204);
    }

    /// This event tells of it, and that a wait for its customer is over.
    async fn is_told_as_waited_for(&self, mut listener: Subscription<'_>, kind: &str) {
        let told = listener.wait_for(&self.order_id, &[kind]).await;
        assert_eq!(told[0]["data"]["action_requested"], json!(true));
        listener.close().await;
    }

    async fn record(&self, stack: &Stack) -> Value {
        let record = stack.payment_record(&self.order_id).await;
        record.expect("a record")
    }
}
