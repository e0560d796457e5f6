//! Support gives part of a payment back: once for each request, and never more than was taken.

use futures::future::{join, join_all};
use oxcart_tests::{
    aftersales::refund_of,
    api::Answer,
    shop::{BAD_CARD, GOOD_CARD, Person, euro_cents, new_key, order_of},
    stack::Stack,
    subscription::Subscription,
};
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test]
async fn support_gives_part_of_a_payment_back() {
    let stack = Stack::connect().await;
    let sold = Sold::order(&stack).await;

    let asked = sold.refund(&stack, 700, &new_key()).await.expect(202);
    assert_eq!(asked.header("Idempotent-Replay"), None);
    let asked = asked.json();
    assert_eq!(asked["order_id"], sold.id);
    assert_eq!(asked["amount"], euro_cents(700));
    assert_eq!(asked["reason"], "one was chipped");
    assert_eq!(asked["status"], "PENDING");
    let mut members: Vec<&String> = asked.as_object().unwrap().keys().collect();
    members.sort();
    assert_eq!(
        members,
        ["amount", "created_at", "id", "order_id", "reason", "status"]
    );

    stack.await_refunds(&sold.id).await;
    let refund = json!({
        "id": asked["id"],
        "amount": euro_cents(700),
        "reason": "one was chipped",
        "status": "DONE",
        "created_at": asked["created_at"],
    });
    for reader in [&sold.buyer, &sold.support] {
        let payment = stack.payment(reader, &sold.id).await.expect(200).json();
        assert_eq!(payment["status"], "CHARGED");
        assert_eq!(payment["amount"], euro_cents(3000));
        assert_eq!(payment["refunded"], euro_cents(700));
        assert_eq!(payment["refunds"], json!([refund]));
    }
    assert_eq!(sold.given_back(&stack).await, [700]);
    let order = stack.order(&sold.buyer, &sold.id).await.expect(200).json();
    assert_eq!(
        (&order["status"], &order["payment_status"]),
        (&json!("CONFIRMED"), &json!("CHARGED"))
    );
    stack.assert_figures_agree(&[&sold.sku]).await;
}

#[tokio::test]
async fn a_refund_that_is_asked_for_again_is_the_same_refund() {
    let stack = Stack::connect().await;
    let (sold, key) = (Sold::order(&stack).await, new_key());

    let answers = join_all((0..5).map(|_| sold.refund(&stack, 700, &key))).await;
    stack.await_refunds(&sold.id).await;
    let late = sold.refund(&stack, 700, &key).await;

    let first = answers
        .iter()
        .filter(|answer| answer.header("Idempotent-Replay").is_none())
        .count();
    assert_eq!(first, 1, "one answer is the first");
    assert_eq!(late.header("Idempotent-Replay"), Some("true"));
    for answer in answers.iter().chain([&late]) {
        assert_eq!(answer.status, 202, "{}", answer.text());
        assert_eq!(answer.body, late.body, "byte for byte");
    }
    assert_eq!(sold.given_back(&stack).await, [700]);
    stack.assert_figures_agree(&[&sold.sku]).await;
}

#[tokio::test]
async fn another_refund_under_the_same_key_is_refused_and_changes_nothing() {
    let stack = Stack::connect().await;
    let (sold, key) = (Sold::order(&stack).await, new_key());
    sold.refund(&stack, 700, &key).await.expect(202);
    stack.await_refunds(&sold.id).await;
    let before = stack.payment_record(&sold.id).await;

    for other in [
        refund_of(701, "one was chipped"),
        refund_of(700, "another reason"),
    ] {
        let call = stack.refund_call(&sold.support, &sold.id, &key, &other);
        call.send().await.problem(422, "idempotency-key-reused");
    }

    assert_eq!(stack.payment_record(&sold.id).await, before);
    // For another order, the same key is another one.
    let other = Sold::order(&stack).await;
    let answer = other.refund(&stack, 300, &key).await.expect(202);
    assert_eq!(answer.header("Idempotent-Replay"), None);
    stack.assert_figures_agree(&[&sold.sku, &other.sku]).await;
}

#[tokio::test]
async fn refunds_come_to_what_was_charged_and_not_to_a_cent_more() {
    let stack = Stack::connect().await;
    let sold = Sold::order(&stack).await;

    for (cents, status) in [
        (3001, 409),
        (i64::MAX, 409),
        (2000, 202),
        (1001, 409),
        (1000, 202),
        (1, 409),
    ] {
        let answer = sold.refund(&stack, cents, &new_key()).await;
        assert_eq!(answer.status, status, "{cents}: {}", answer.text());
        if status == 409 {
            answer.problem(409, "refund-exceeds-charge");
        }
        stack.await_refunds(&sold.id).await;
    }

    assert_eq!(sold.given_back(&stack).await, [1000, 2000]);
    stack.assert_figures_agree(&[&sold.sku]).await;
}

#[tokio::test]
async fn refunds_at_once_never_come_to_more_than_was_charged() {
    let stack = Stack::connect().await;
    let sold = Sold::order(&stack).await;
    let keys: Vec<String> = (0..20).map(|_| new_key()).collect();

    let thirds = keys.iter().map(|key| sold.refund(&stack, 1000, key));
    let answers = join_all(thirds).await;

    let accepted = answers.iter().filter(|answer| answer.status == 202).count();
    assert_eq!(accepted, 3);
    for answer in answers.iter().filter(|answer| answer.status != 202) {
        answer.problem(409, "refund-exceeds-charge");
    }
    stack.await_refunds(&sold.id).await;
    assert_eq!(sold.given_back(&stack).await, [1000, 1000, 1000]);
    let payment = stack
        .payment(&sold.buyer, &sold.id)
        .await
        .expect(200)
        .json();
    assert_eq!(payment["refunded"], euro_cents(3000));
    assert_eq!(payment["refunds"].as_array().unwrap().len(), 3);
    stack.assert_figures_agree(&[&sold.sku]).await;
}

#[tokio::test]
async fn a_refund_that_breaks_a_rule_is_refused_with_the_field_at_fault() {
    let stack = Stack::connect().await;
    let sold = Sold::order(&stack).await;
    let good = refund_of(700, "one was chipped");
    let with = |pointer: &str, value: Value| {
        let mut refund = good.clone();
        *refund.pointer_mut(pointer).expect("a field") = value;
        refund
    };
    let mut with_colour = good.clone();
    with_colour["colour"] = json!("red");

    for (refund, at_fault) in [
        (with("/amount/amount", json!(0)), "/amount/amount"),
        (with("/amount/amount", json!(-1)), "/amount/amount"),
        (with("/amount/amount", json!(1.5)), "/amount/amount"),
        (with("/amount/amount", json!("700")), "/amount/amount"),
        (with("/amount/currency", json!("USD")), "/amount/currency"),
        (with("/amount/currency", json!("euro")), "/amount/currency"),
        (with("/reason", json!("")), "/reason"),
        (with("/reason", json!("   ")), "/reason"),
        (with("/reason", json!("x".repeat(201))), "/reason"),
        (json!({"amount": euro_cents(700)}), "/reason"),
        (json!({"reason": "one was chipped"}), "/amount"),
        (with_colour, "/colour"),
    ] {
        let call = stack.refund_call(&sold.support, &sold.id, &new_key(), &refund);
        let answer = call.send().await;
        assert_eq!(answer.fields_at_fault(), [at_fault], "{}", answer.text());
    }
    let without_key = stack
        .api
        .post(&format!("/orders/{}/refunds", sold.id))
        .bearer(&sold.support.token)
        .json(&good)
        .send()
        .await;
    without_key.problem(400, "idempotency-key-required");

    assert!(sold.given_back(&stack).await.is_empty());
    stack.assert_figures_agree(&[&sold.sku]).await;
}

#[tokio::test]
async fn customers_do_not_refund_themselves() {
    let stack = Stack::connect().await;
    let sold = Sold::order(&stack).await;
    let refund = refund_of(700, "I want it");

    for customer in [&sold.buyer, &stack.new_customer().await] {
        let call = stack.refund_call(customer, &sold.id, &new_key(), &refund);
        call.send().await.problem(403, "forbidden");
    }
    assert!(sold.given_back(&stack).await.is_empty());

    let admin = stack.admin().await;
    let call = stack.refund_call(&admin, &sold.id, &new_key(), &refund);
    call.send().await.expect(202);
    stack.assert_figures_agree(&[&sold.sku]).await;
}

#[tokio::test]
async fn what_was_not_charged_can_not_be_refunded() {
    let stack = Stack::connect().await;
    let support = stack.support().await;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(1000, 9).await);
    let refund = async |order_id: &str| {
        let refund = refund_of(700, "one was chipped");
        let call = stack.refund_call(&support, order_id, &new_key(), &refund);
        call.send().await
    };

    for nobodys in [&*Uuid::new_v4().to_string(), "not-a-uuid"] {
        refund(nobodys).await.problem(404, "not-found");
    }

    let declined = stack.buy(&buyer, &order_of(&[(&sku, 1)], BAD_CARD)).await;
    let answer = refund(declined["id"].as_str().unwrap()).await;
    answer.problem(409, "payment-not-refundable");

    let never_priced = stack
        .buy(&buyer, &order_of(&[("no-such-thing", 1)], GOOD_CARD))
        .await;
    let answer = refund(never_priced["id"].as_str().unwrap()).await;
    answer.problem(409, "payment-not-refundable");

    let card = stack.three_d_secure_card().await;
    let waiting = stack.place(&buyer, &order_of(&[(&sku, 1)], &card)).await;
    stack.client_secret(&buyer, &waiting).await;
    let answer = refund(&waiting).await;
    answer.problem(409, "payment-not-refundable");

    stack.cancel(&buyer, &waiting).await.expect(202);
    stack.settled(&buyer, &waiting).await;
    let answer = refund(&waiting).await;
    answer.problem(409, "payment-not-refundable");
    stack.assert_figures_agree(&[&sku]).await;
}

#[tokio::test]
async fn a_payment_is_given_back_in_a_hundred_parts_at_most() {
    let stack = Stack::connect().await;
    let sold = Sold::order(&stack).await;
    let key = format!("PAYMENT#{}", sold.id);
    let payment = stack.item("PAYMENTS_TABLE", &key).await.expect("a payment");
    let part = json!({
        "amount": euro_cents(1),
        "reason": "one was chipped",
        "status": "DONE",
        "created_at": payment["created_at"],
    });
    let parts = (0..100).map(|_| (Uuid::new_v4().to_string(), part.clone()));
    let mut full = payment.clone();
    full["refunds"] = Value::Object(parts.collect());
    stack.write_item("PAYMENTS_TABLE", &full).await;

    let refused = sold.refund(&stack, 1, &new_key()).await;
    let refused = refused.problem(409, "payment-not-refundable");
    assert_eq!(
        refused["detail"],
        "100 parts of it were asked for already. All the rest comes back if its customer cancels the order."
    );
    stack.write_item("PAYMENTS_TABLE", &payment).await;
    sold.refund(&stack, 1, &new_key()).await.expect(202);
    stack.assert_figures_agree(&[&sold.sku]).await;
}

#[tokio::test]
async fn cancelling_after_a_refund_gives_the_rest_back() {
    let stack = Stack::connect().await;
    let mut listener = Subscription::open(&stack).await;
    let sold = Sold::order(&stack).await;
    sold.refund(&stack, 700, &new_key()).await.expect(202);
    stack.await_refunds(&sold.id).await;

    stack.cancel(&sold.buyer, &sold.id).await.expect(202);
    let settled = stack.settled(&sold.buyer, &sold.id).await;

    assert_eq!(settled["status"], "CANCELLED");
    assert_eq!(settled["payment_status"], "REFUNDED");
    assert_eq!(sold.given_back(&stack).await, [700, 2300]);
    let told = listener
        .wait_for(&sold.id, &["payment.refunded", "payment.refunded"])
        .await;
    let amounts: Vec<&Value> = told
        .iter()
        .filter(|event| event["type"] == "payment.refunded")
        .map(|event| &event["data"]["amount"])
        .collect();
    assert_eq!(amounts, [&euro_cents(700), &euro_cents(2300)]);
    listener.close().await;

    let late = sold.refund(&stack, 1, &new_key()).await;
    late.problem(409, "payment-not-refundable");
    stack.assert_figures_agree(&[&sold.sku]).await;
}

#[tokio::test]
async fn a_refund_and_a_cancellation_at_once_give_the_money_back_once() {
    let stack = Stack::connect().await;
    let sold = Sold::orders(&stack, 6).await;

    let both = sold.iter().map(|sold| sold.refund_and_cancel(&stack));
    let settled = join_all(both).await;

    for (sold, settled) in sold.iter().zip(&settled) {
        assert_eq!(settled["status"], "CANCELLED", "{settled}");
        assert_eq!(settled["payment_status"], "REFUNDED", "{settled}");
        // A refund that came late is given back with the rest.
        stack.await_refunds(&sold.id).await;
        let given_back: i64 = sold.given_back(&stack).await.iter().sum();
        assert_eq!(given_back, 3000, "{settled}");
        stack.assert_figures_agree(&[&sold.sku]).await;
    }
}

#[tokio::test]
async fn a_refund_whose_message_comes_twice_is_made_once() {
    let stack = Stack::connect().await;
    let mut listener = Subscription::open(&stack).await;
    let sold = Sold::order(&stack).await;
    sold.refund(&stack, 700, &new_key()).await.expect(202);
    let story = ["payment.refund-requested", "payment.refunded"];
    let told = listener.wait_for(&sold.id, &story).await;
    let requested = told
        .iter()
        .find(|event| event["type"] == "payment.refund-requested");
    let message = in_a_queue(requested.expect("the request"));
    listener.close().await;

    let (one, other) = join(
        stack.answer_of("make-refund", &message),
        stack.answer_of("make-refund", &message),
    )
    .await;

    let done = json!({"batchItemFailures": []});
    assert_eq!((&one, &other), (&done, &done));
    assert_eq!(sold.given_back(&stack).await, [700]);
    stack.assert_figures_agree(&[&sold.sku]).await;
}

#[tokio::test]
async fn a_refund_whose_message_is_taken_twice_at_once_is_made_once() {
    let stack = Stack::connect().await;
    let sold = Sold::order(&stack).await;
    let (record, requested) = sold.refund_that_nobody_heard_of(&stack).await;
    stack.write_item("PAYMENTS_TABLE", &record).await;
    let message = in_a_queue(&requested);

    join_all((0..4).map(|_| stack.answer_of("make-refund", &message))).await;

    // Who met another at work has failed, and would come again.
    let again = stack.answer_of("make-refund", &message).await;
    assert_eq!(again, json!({"batchItemFailures": []}));
    assert_eq!(sold.given_back(&stack).await, [700]);
    stack.assert_figures_agree(&[&sold.sku]).await;
}

#[tokio::test]
async fn a_refund_that_was_made_and_not_noted_is_noted_and_not_made_again() {
    let stack = Stack::connect().await;
    let sold = Sold::order(&stack).await;
    let (record, requested) = sold.refund_that_nobody_heard_of(&stack).await;
    stack.write_item("PAYMENTS_TABLE", &record).await;
    let message = in_a_queue(&requested);
    stack.answer_of("make-refund", &message).await;
    assert_eq!(sold.given_back(&stack).await, [700]);

    // As it is when the consumer is killed between the gateway's answer and its own note, and its lease is
    // over.
    stack.write_item("PAYMENTS_TABLE", &record).await;
    let again = stack.answer_of("make-refund", &message).await;

    assert_eq!(again, json!({"batchItemFailures": []}));
    assert_eq!(sold.given_back(&stack).await, [700]);
    stack.assert_figures_agree(&[&sold.sku]).await;
}

/// What a queue hands to its consumer.
fn in_a_queue(event: &Value) -> Value {
    json!({
        "Records": [{
            "messageId": Uuid::new_v4(),
            "body": event.to_string(),
            "attributes": {},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
        }],
    })
}

/// An order of three units at 10.00 EUR that is confirmed, and somebody of the support.
struct Sold {
    buyer: Person,
    support: Person,
    sku: String,
    id: String,
}

impl Sold {
    async fn order(stack: &Stack) -> Self {
        let (buyer, support) = (stack.new_customer().await, stack.support().await);
        let sku = stack.new_product(1000, 3).await;
        let order = stack.buy(&buyer, &order_of(&[(&sku, 3)], GOOD_CARD)).await;
        assert_eq!(order["status"], "CONFIRMED", "{order}");
        Self {
            buyer,
            support,
            sku,
            id: order["id"].as_str().expect("an id").to_owned(),
        }
    }

    async fn orders(stack: &Stack, count: usize) -> Vec<Self> {
        join_all((0..count).map(|_| Self::order(stack))).await
    }

    async fn refund(&self, stack: &Stack, cents: i64, key: &str) -> Answer {
        let refund = refund_of(cents, "one was chipped");
        let call = stack.refund_call(&self.support, &self.id, key, &refund);
        call.send().await
    }

    /// Refunds a part and cancels the order at once. Answers how the order ended.
    async fn refund_and_cancel(&self, stack: &Stack) -> Value {
        let key = new_key();
        let (refunded, cancelled) = join(
            self.refund(stack, 700, &key),
            stack.cancel(&self.buyer, &self.id),
        )
        .await;
        cancelled.expect(202);
        if refunded.status != 202 {
            refunded.problem(409, "payment-not-refundable");
        }
        stack.settled(&self.buyer, &self.id).await
    }

    /// What the gateway has given back, in the order in which it did.
    async fn given_back(&self, stack: &Stack) -> Vec<i64> {
        let books = stack.gateway.books().await;
        let refunds = books.refunds_for(&self.id);
        let amounts = refunds.iter().map(|refund| refund["amount"].as_i64());
        let amounts = amounts.map(|amount| amount.expect("an amount"));
        // The gateway lists those of one second in no order of its own.
        let mut amounts: Vec<i64> = amounts.collect();
        amounts.sort_unstable();
        amounts
    }

    /// The payment's record with a refund of 7.00 EUR that was asked for, and the event that tells of it,
    /// which has not come to anybody yet.
    async fn refund_that_nobody_heard_of(&self, stack: &Stack) -> (Value, Value) {
        let mut record = stack.payment_record(&self.id).await.expect("a record");
        let (refund_id, at) = (Uuid::new_v4().to_string(), "2026-01-02T03:04:05.678Z");
        record["refund_total"] = json!(700);
        record["refunds"][&*refund_id] = json!({
            "amount": euro_cents(700),
            "reason": "one was chipped",
            "status": "PENDING",
            "created_at": at,
        });
        let requested = json!({
            "specversion": "1.0",
            "id": Uuid::new_v4(),
            "source": "/oxcart/payments",
            "type": "payment.refund-requested",
            "subject": self.id,
            "time": at,
            "datacontenttype": "application/json",
            "data": {
                "order_id": self.id,
                "customer_id": self.buyer.id,
                "refund_id": refund_id,
                "amount": euro_cents(700),
                "reason": "one was chipped",
            },
        });
        (record, requested)
    }
}
