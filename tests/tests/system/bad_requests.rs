//! What callers get wrong: each mistake has its status, its problem type and, where there is one, its
//! field.

use oxcart_tests::{
    api::Answer,
    shop::{GOOD_CARD, Person, euro_cents, new_key, new_sku, new_user, order_of},
    stack::Stack,
};
use serde_json::{Value, json};

#[tokio::test]
async fn an_order_that_breaks_a_rule_is_refused_with_the_field_at_fault() {
    let stack = Stack::connect().await;
    let buyer = stack.new_customer().await;
    let good = order_of(&[("tea", 1), ("cup", 2)], GOOD_CARD);
    let lines = |count: usize| -> Value {
        (0..count)
            .map(|n| json!({"sku": format!("sku-{n}"), "quantity": 1}))
            .collect()
    };

    for (pointer, value, at_fault) in [
        ("/colour", json!("red"), "/colour"),
        ("/lines/0/colour", json!("red"), "/lines/0/colour"),
        (
            "/expected_total",
            json!({"amount": 1, "currency": "EUR", "tax": 0}),
            "/expected_total/tax",
        ),
        (
            "/expected_total",
            json!({"amount": 1.5, "currency": "EUR"}),
            "/expected_total/amount",
        ),
        (
            "/expected_total",
            json!({"amount": -1, "currency": "EUR"}),
            "/expected_total/amount",
        ),
        (
            "/expected_total",
            json!({"amount": 1, "currency": "euro"}),
            "/expected_total/currency",
        ),
        ("/lines/1/quantity", json!(0), "/lines/1/quantity"),
        ("/lines/1/quantity", json!(-1), "/lines/1/quantity"),
        ("/lines/1/quantity", json!(1001), "/lines/1/quantity"),
        ("/lines/1/quantity", json!(u64::MAX), "/lines/1/quantity"),
        ("/lines/1/quantity", json!(1e30), "/lines/1/quantity"),
        ("/lines/1/quantity", json!(1.5), "/lines/1/quantity"),
        ("/lines/1/quantity", json!("1"), "/lines/1/quantity"),
        ("/lines/1/quantity", json!(null), "/lines/1/quantity"),
        ("/lines/0/sku", json!(""), "/lines/0/sku"),
        ("/lines/0/sku", json!("white space"), "/lines/0/sku"),
        ("/lines/0/sku", json!("x".repeat(65)), "/lines/0/sku"),
        ("/lines", json!([]), "/lines"),
        ("/lines", lines(51), "/lines"),
        ("/lines", json!("tea"), "/lines"),
        ("/payment_method", json!(""), "/payment_method"),
        (
            "/payment_method",
            json!("4242424242424242"),
            "/payment_method",
        ),
        ("/payment_method", json!(7), "/payment_method"),
    ] {
        let answer = place(&stack, &buyer, &with(&good, pointer, value)).await;
        assert_eq!(answer.fields_at_fault(), [at_fault], "{}", answer.text());
    }

    let twice = order_of(&[("tea", 1), ("cup", 1), ("tea", 2)], GOOD_CARD);
    let at_fault = place(&stack, &buyer, &twice).await.fields_at_fault();
    assert!(at_fault[0].starts_with("/lines"), "{at_fault:?}");

    for missing in ["lines", "payment_method"] {
        let mut order = good.clone();
        order.as_object_mut().unwrap().remove(missing);
        let answer = place(&stack, &buyer, &order).await;
        let at_fault = format!("/{missing}");
        assert_eq!(answer.fields_at_fault(), [at_fault], "{}", answer.text());
        assert!(answer.text().contains(missing), "{}", answer.text());
    }

    let listed = stack
        .api
        .get("/orders")
        .bearer(&buyer.token)
        .send()
        .await
        .expect(200)
        .json();
    assert_eq!(listed["items"], json!([]), "nothing of that was taken down");
}

#[tokio::test]
async fn an_order_at_the_limits_is_taken() {
    let stack = Stack::connect().await;
    let buyer = stack.new_customer().await;
    let lines: Vec<Value> = (0..50)
        .map(|n| json!({"sku": format!("none-{n}"), "quantity": 1000}))
        .collect();
    let order =
        json!({"lines": lines, "payment_method": GOOD_CARD, "expected_total": euro_cents(0)});
    let key: String = "k".repeat(255);

    let id = stack
        .order_call(&buyer, &key, &order)
        .send()
        .await
        .expect(202)
        .json()["id"]
        .clone();
    assert_eq!(
        stack.settled(&buyer, id.as_str().unwrap()).await["reason"],
        "unknown-product"
    );

    let charset = stack
        .api
        .post("/orders")
        .bearer(&buyer.token)
        .key(&new_key())
        .body("application/json; charset=utf-8", order.to_string())
        .send()
        .await;
    assert_eq!(charset.status, 202, "{}", charset.text());
}

#[tokio::test]
async fn a_body_that_is_not_json_is_malformed() {
    let stack = Stack::connect().await;
    let buyer = stack.new_customer().await;
    let order = order_of(&[("tea", 1)], GOOD_CARD).to_string();
    let (cut_off, twice) = (order.replace('}', ""), format!("{order} {order}"));

    for body in [
        b"".as_slice(),
        b"not JSON",
        cut_off.as_bytes(),
        twice.as_bytes(),
        b"{\"lines\": \xff}",
    ] {
        let call = stack
            .api
            .post("/orders")
            .bearer(&buyer.token)
            .key(&new_key());
        call.body("application/json", body)
            .send()
            .await
            .problem(400, "malformed-request");
    }
}

#[tokio::test]
async fn a_body_of_another_type_is_unsupported() {
    let stack = Stack::connect().await;
    let buyer = stack.new_customer().await;
    let order = order_of(&[("tea", 1)], GOOD_CARD).to_string();

    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/xml",
        "application/jsonx",
    ] {
        let call = stack
            .api
            .post("/orders")
            .bearer(&buyer.token)
            .key(&new_key());
        call.body(content_type, order.clone())
            .send()
            .await
            .problem(415, "unsupported-media-type");
    }
}

#[tokio::test]
async fn a_body_over_64_kib_is_too_large() {
    let stack = Stack::connect().await;
    let buyer = stack.new_customer().await;
    let mut order = order_of(&[("tea", 1)], GOOD_CARD);
    order["payment_method"] = json!(format!("pm_{}", "x".repeat(65 * 1024)));

    let answer = place(&stack, &buyer, &order).await;
    answer.problem(413, "payload-too-large");

    let mut user = new_user();
    user["name"] = json!("x".repeat(65 * 1024));
    stack
        .api
        .post("/users")
        .json(&user)
        .send()
        .await
        .problem(413, "payload-too-large");
}

#[tokio::test]
async fn an_order_needs_an_idempotency_key_of_visible_characters() {
    let stack = Stack::connect().await;
    let buyer = stack.new_customer().await;
    let order = order_of(&[("tea", 1)], GOOD_CARD);

    let without = stack
        .api
        .post("/orders")
        .bearer(&buyer.token)
        .json(&order)
        .send()
        .await;
    without.problem(400, "idempotency-key-required");
    for bad in ["k".repeat(256), "two words".to_owned()] {
        let answer = stack.order_call(&buyer, &bad, &order).send().await;
        answer.problem(400, "idempotency-key-invalid");
    }
}

#[tokio::test]
async fn a_registration_that_breaks_a_rule_is_refused_with_the_field_at_fault() {
    let stack = Stack::connect().await;
    let good = new_user();

    for (pointer, value, at_fault) in [
        ("/role", json!("admin"), "/role"),
        ("/email", json!("no-at-sign"), "/email"),
        ("/email", json!("two@at@signs.example"), "/email"),
        ("/email", json!(""), "/email"),
        (
            "/email",
            json!(format!("{}@example.com", "x".repeat(255))),
            "/email",
        ),
        ("/password", json!("x".repeat(11)), "/password"),
        ("/password", json!("x".repeat(129)), "/password"),
        ("/password", json!(123_456_789_012_u64), "/password"),
        ("/name", json!(""), "/name"),
        ("/name", json!(null), "/name"),
    ] {
        let answer = stack
            .api
            .post("/users")
            .json(&with(&good, pointer, value))
            .send()
            .await;
        assert_eq!(answer.fields_at_fault(), [at_fault], "{}", answer.text());
    }
}

#[tokio::test]
async fn a_product_that_breaks_a_rule_is_refused_with_the_field_at_fault() {
    let stack = Stack::connect().await;
    let sku = new_sku();
    let good = json!({"name": "Mug", "description": "Blue", "unit_price": euro_cents(1250)});

    for (pointer, value, at_fault) in [
        ("/available", json!(7), "/available"),
        ("/name", json!(""), "/name"),
        ("/unit_price", json!(12.5), "/unit_price"),
        ("/unit_price/amount", json!(12.5), "/unit_price/amount"),
        ("/unit_price/amount", json!(-1), "/unit_price/amount"),
        ("/unit_price/currency", json!("eur"), "/unit_price/currency"),
    ] {
        let answer = stack.put_product(&sku, &with(&good, pointer, value)).await;
        let found = answer.fields_at_fault();
        assert!(
            found.len() == 1 && found[0].starts_with(at_fault),
            "{}",
            answer.text()
        );
    }
    stack.product(&sku).await.problem(404, "not-found");

    let answer = stack.put_product("white%20space", &good).await;
    assert!(matches!(answer.status, 404 | 422), "{}", answer.text());
}

#[tokio::test]
async fn a_stock_adjustment_that_breaks_a_rule_is_refused_with_the_field_at_fault() {
    let stack = Stack::connect().await;
    let (admin, sku) = (stack.admin().await, stack.new_product(100, 5).await);
    let path = format!("/products/{sku}/stock-adjustments");
    let good = json!({"delta": 1, "reason": "found one"});

    for (pointer, value, at_fault) in [
        ("/delta", json!(0), "/delta"),
        ("/delta", json!(1.5), "/delta"),
        ("/delta", json!(u64::MAX), "/delta"),
        ("/reason", json!(""), "/reason"),
        ("/reason", json!("x".repeat(201)), "/reason"),
        ("/colour", json!("red"), "/colour"),
    ] {
        let body = with(&good, pointer, value);
        let answer = stack
            .api
            .post(&path)
            .bearer(&admin.token)
            .key(&new_key())
            .json(&body)
            .send()
            .await;
        assert_eq!(answer.fields_at_fault(), [at_fault], "{}", answer.text());
    }
    let without_key = stack
        .api
        .post(&path)
        .bearer(&admin.token)
        .json(&good)
        .send()
        .await;
    without_key.problem(400, "idempotency-key-required");
    assert_eq!(stack.available(&sku).await, 5);
}

async fn place(stack: &Stack, buyer: &Person, order: &Value) -> Answer {
    stack.order_call(buyer, &new_key(), order).send().await
}

/// The body with one value put where the pointer says.
fn with(body: &Value, pointer: &str, value: Value) -> Value {
    let mut body = body.clone();
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    let parent = body.pointer_mut(parent).expect("a place to put it");
    match name.parse::<usize>() {
        Ok(index) => parent[index] = value,
        Err(_) => parent[name] = value,
    }
    body
}
