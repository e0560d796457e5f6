//! The same request again, at once or later, is the same order; another one under its key is refused.

use futures::future::join_all;
use oxcart_tests::{
    shop::{GOOD_CARD, new_key, order_id, order_of},
    stack::Stack,
};

#[tokio::test]
async fn twenty_posts_at_once_with_one_key_are_one_order_with_one_answer() {
    let stack = Stack::connect().await;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(800, 50).await);
    let (key, order) = (new_key(), order_of(&[(&sku, 3)], GOOD_CARD));

    let answers = join_all((0..20).map(|_| stack.order_call(&buyer, &key, &order).served())).await;

    let first = answers
        .iter()
        .filter(|answer| answer.header("Idempotent-Replay").is_none())
        .count();
    assert_eq!(
        first, 1,
        "one answer is the first, the others say that they are replays"
    );
    for answer in &answers {
        assert_eq!(answer.status, 202, "{}", answer.text());
        assert_eq!(answer.body, answers[0].body, "byte for byte");
        assert_eq!(answer.header("Location"), answers[0].header("Location"));
    }

    let id = order_id(&buyer.id, &key);
    assert_eq!(answers[0].json()["id"], id);
    assert_eq!(stack.settled(&buyer, &id).await["status"], "CONFIRMED");
    let listed = stack
        .api
        .get("/orders")
        .bearer(&buyer.token)
        .send()
        .await
        .expect(200)
        .json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert_eq!(stack.available(&sku).await, 47);
    stack.assert_figures_agree(&[&sku]).await;
    stack.was_sold_in_one_run(&id).await;
}

#[tokio::test]
async fn another_body_under_the_same_key_is_refused_and_changes_nothing() {
    let stack = Stack::connect().await;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(800, 50).await);
    let key = new_key();

    let first = stack
        .order_call(&buyer, &key, &order_of(&[(&sku, 3)], GOOD_CARD))
        .send()
        .await
        .expect(202);
    let id = first.json()["id"].as_str().unwrap().to_owned();
    let mut with_expected_total = order_of(&[(&sku, 3)], GOOD_CARD);
    with_expected_total["expected_total"] = oxcart_tests::shop::euro_cents(2400);
    for other in [
        order_of(&[(&sku, 4)], GOOD_CARD),
        order_of(&[(&sku, 3)], "pm_card_mastercard"),
        with_expected_total,
    ] {
        let answer = stack.order_call(&buyer, &key, &other).send().await;
        answer.problem(422, "idempotency-key-reused");
    }

    assert_eq!(stack.settled(&buyer, &id).await["lines"][0]["quantity"], 3);
    assert_eq!(stack.available(&sku).await, 47);
}

#[tokio::test]
async fn two_customers_may_use_the_same_key() {
    let stack = Stack::connect().await;
    let (buyers, sku) = (stack.customers(2).await, stack.new_product(800, 50).await);
    let (key, order) = (new_key(), order_of(&[(&sku, 1)], GOOD_CARD));

    for buyer in &buyers {
        let placed = stack
            .order_call(buyer, &key, &order)
            .send()
            .await
            .expect(202);
        assert_eq!(placed.header("Idempotent-Replay"), None);
        assert_eq!(placed.json()["id"], order_id(&buyer.id, &key));
        stack.settled(buyer, &order_id(&buyer.id, &key)).await;
    }
    assert_eq!(stack.available(&sku).await, 48);
}

#[tokio::test]
async fn another_spelling_of_the_same_order_is_the_same_order() {
    let stack = Stack::connect().await;
    let buyer = stack.new_customer().await;
    let key = new_key();
    let post = |body: &'static str| {
        let call = stack.api.post("/orders").bearer(&buyer.token).key(&key);
        call.body("application/json", body).send()
    };

    let first = post(r#"{"lines":[{"sku":"none","quantity":1}],"payment_method":"pm_card_visa"}"#)
        .await
        .expect(202);
    let again = post(
        r#"{ "payment_method": "pm_card_visa", "expected_total": null,
             "lines": [ { "quantity": 1, "sku": "n\u006fne" } ] }"#,
    );

    let again = again.await.expect(202);
    assert_eq!(again.body, first.body);
    assert_eq!(again.header("Idempotent-Replay"), Some("true"));
}
