//! What the shop tells the world: one event for each transition, each as its schema says, all in the
//! trace of the request that set them off.

use crate::sessions;
use oxcart_tests::{
    aftersales::refund_of,
    schemas::Schemas,
    shop::{BAD_CARD, GOOD_CARD, euro_cents, new_key, order_id, order_of},
    stack::Stack,
    subscription::Subscription,
};
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test]
async fn every_transition_is_told_once_and_as_its_schema_says() {
    let stack = Stack::connect().await;
    let mut listener = Subscription::open(&stack).await;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(1250, 9).await);

    let confirmed = stack.buy(&buyer, &order_of(&[(&sku, 2)], GOOD_CARD)).await;
    let declined = stack.buy(&buyer, &order_of(&[(&sku, 2)], BAD_CARD)).await;
    let unknown = stack
        .buy(&buyer, &order_of(&[("no-such-thing", 1)], GOOD_CARD))
        .await;
    let cancelled = stack.buy(&buyer, &order_of(&[(&sku, 1)], GOOD_CARD)).await;
    stack.cancel(&buyer, id_of(&cancelled)).await.expect(202);
    let refunded = refund_a_charge(&stack, &buyer.id).await;
    let partly_refunded = refund_a_part_of_a_charge(&stack, &buyer.id).await;
    let gone = change_and_erase(&stack).await;
    let spent = sessions::new_session(&stack).await;
    sessions::refresh(&stack, &spent).await.expect(200);
    sessions::refresh(&stack, &spent).await.expect(401);
    let session = sessions::session_of(&spent);

    let stories: [(&str, &[&str]); 10] = [
        (&buyer.id, &["user.registered"]),
        (&gone, &["user.registered", "user.updated", "user.erased"]),
        (&session, &["session.reuse-detected"]),
        (&sku, &["product.changed", "product.changed"]),
        (
            id_of(&confirmed),
            &[
                "order.placed",
                "stock.reserved",
                "payment.charged",
                "order.confirmed",
            ],
        ),
        (
            id_of(&declined),
            &[
                "order.placed",
                "stock.reserved",
                "payment.declined",
                "stock.released",
                "order.rejected",
            ],
        ),
        // Nothing was held or charged, so nothing is told of it.
        (id_of(&unknown), &["order.placed", "order.rejected"]),
        (
            id_of(&cancelled),
            &[
                "order.placed",
                "stock.reserved",
                "payment.charged",
                "order.confirmed",
                "order.cancellation-requested",
                "payment.refunded",
                "stock.released",
                "order.cancelled",
            ],
        ),
        (&refunded, &["payment.charged", "payment.refunded"]),
        (
            &partly_refunded,
            &[
                "payment.charged",
                "payment.refund-requested",
                "payment.refunded",
            ],
        ),
    ];
    for (subject, story) in stories {
        listener.wait_for(subject, story).await;
    }
    for (subject, story) in stories {
        assert_eq!(types_of(&listener.about(subject)), story);
    }

    let ending = |order: &Value| listener.about(id_of(order)).pop().unwrap()["data"].clone();
    assert_eq!(ending(&confirmed)["lines"], confirmed["lines"]);
    assert_eq!(ending(&confirmed)["total"], confirmed["total"]);
    assert_eq!(ending(&declined)["reason"], "payment-declined");
    assert_eq!(ending(&unknown)["reason"], "unknown-product");
    let part = listener.about(&partly_refunded).pop().unwrap()["data"].clone();
    assert_eq!(part["amount"], euro_cents(200));

    // What each says was looked at when it was heard; here, that none was left out.
    let mut seen = types_of(listener.heard());
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(
        seen,
        Schemas::load().types().collect::<Vec<_>>(),
        "every type that has a schema was seen, and no other"
    );
    listener.close().await;
}

#[tokio::test]
async fn the_events_of_an_order_stay_in_the_trace_of_its_request() {
    let stack = Stack::connect().await;
    let mut listener = Subscription::open(&stack).await;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(1250, 9).await);
    let (key, trace_id) = (new_key(), Uuid::new_v4().simple().to_string());

    let call = stack.order_call(&buyer, &key, &order_of(&[(&sku, 2)], GOOD_CARD));
    call.header("traceparent", &format!("00-{trace_id}-b7ad6b7169203331-01"))
        .send()
        .await
        .expect(202);

    let story = [
        "order.placed",
        "stock.reserved",
        "payment.charged",
        "order.confirmed",
    ];
    for event in listener.wait_for(&order_id(&buyer.id, &key), &story).await {
        let traceparent = event["traceparent"].as_str().unwrap_or_default();
        assert!(
            traceparent.starts_with(&format!("00-{trace_id}-")),
            "{event:#}"
        );
        assert!(
            !traceparent.contains("b7ad6b7169203331"),
            "a span of its own: {event:#}"
        );
    }
    listener.close().await;
}

#[tokio::test]
async fn the_events_of_a_cancellation_are_in_the_trace_of_its_own_request() {
    let stack = Stack::connect().await;
    let mut listener = Subscription::open(&stack).await;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(1250, 9).await);
    let order = stack.buy(&buyer, &order_of(&[(&sku, 2)], GOOD_CARD)).await;
    let trace_id = Uuid::new_v4().simple().to_string();

    let call = stack.api.post(&format!("/orders/{}/cancel", id_of(&order)));
    call.bearer(&buyer.token)
        .header("traceparent", &format!("00-{trace_id}-b7ad6b7169203331-01"))
        .send()
        .await
        .expect(202);

    let story = [
        "order.cancellation-requested",
        "payment.refunded",
        "stock.released",
        "order.cancelled",
    ];
    let told = listener.wait_for(id_of(&order), &story).await;
    for event in &told {
        let traceparent = event["traceparent"].as_str().unwrap_or_default();
        let kind = event["type"].as_str().unwrap();
        assert_eq!(
            traceparent.starts_with(&format!("00-{trace_id}-")),
            story.contains(&kind),
            "{event:#}"
        );
    }
    listener.close().await;
}

#[tokio::test]
async fn a_problem_names_the_trace_of_its_request() {
    let stack = Stack::connect().await;
    let trace_id = Uuid::new_v4().simple().to_string();
    let answer = stack
        .api
        .get("/products/no-such-thing")
        .header("traceparent", &format!("00-{trace_id}-b7ad6b7169203331-01"))
        .send()
        .await;
    assert_eq!(answer.problem(404, "not-found")["trace_id"], trace_id);
}

#[tokio::test]
async fn a_change_of_a_product_tells_what_changed() {
    let stack = Stack::connect().await;
    let mut listener = Subscription::open(&stack).await;
    let sku = oxcart_tests::shop::new_sku();
    let described = json!({"name": "Mug", "description": "Blue.", "unit_price": euro_cents(1250)});

    stack.put_product(&sku, &described).await.expect(201);
    stack.adjust_stock(&sku, 4, &new_key()).await.expect(200);

    let both = listener
        .wait_for(&sku, &["product.changed", "product.changed"])
        .await;
    assert_eq!(both[0]["data"], json!({"sku": sku, "product": described}));
    assert_eq!(
        both[1]["data"],
        json!({"sku": sku, "stock_adjustment": {"delta": 4, "reason": "stocktaking"}})
    );
    listener.close().await;
}

/// Charges and refunds an order of its own, as a saga does that fails to confirm.
async fn refund_a_charge(stack: &Stack, customer_id: &str) -> String {
    let order_id = charge(stack, customer_id).await;
    let refund = json!({"order_id": order_id, "customer_id": customer_id});
    stack.answer_of("refund-payment", &refund).await;
    order_id
}

/// Charges an order of its own, and has support give a part back.
async fn refund_a_part_of_a_charge(stack: &Stack, customer_id: &str) -> String {
    let order_id = charge(stack, customer_id).await;
    let (support, refund) = (stack.support().await, refund_of(200, "one was chipped"));
    let call = stack.refund_call(&support, &order_id, &new_key(), &refund);
    call.send().await.expect(202);
    order_id
}

async fn charge(stack: &Stack, customer_id: &str) -> String {
    let order_id = Uuid::new_v4().to_string();
    let charge = json!({
        "order_id": order_id,
        "customer_id": customer_id,
        "amount": euro_cents(700),
        "payment_method": GOOD_CARD,
    });
    stack.answer_of("charge-payment", &charge).await;
    order_id
}

/// Changes and erases a user who is nobody's buyer. Answers their id.
async fn change_and_erase(stack: &Stack) -> String {
    let person = stack.new_customer().await;
    let changes = json!({"name": "Ada Lovelace"});
    stack.update_user(&person, &changes).await.expect(200);
    stack.erase_user(&person).await.expect(204);
    person.id
}

fn types_of(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect()
}

fn id_of(order: &Value) -> &str {
    order["id"].as_str().unwrap()
}
