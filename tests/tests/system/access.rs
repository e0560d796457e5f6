//! Who gets in, and who sees what.

use crate::accounts::NEW_PASSWORD;
use oxcart_tests::{
    aftersales::refund_of,
    api::{Answer, Call},
    shop::{GOOD_CARD, PASSWORD, euro_cents, new_key, order_of},
    stack::Stack,
    tokens::{Token, key_id},
};
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test]
async fn another_customers_order_and_payment_are_not_found() {
    let stack = Stack::connect().await;
    let (owner, sku) = (stack.new_customer().await, stack.new_product(1250, 3).await);
    let order = stack.buy(&owner, &order_of(&[(&sku, 1)], GOOD_CARD)).await;
    let id = order["id"].as_str().unwrap();
    stack.order(&owner, id).await.expect(200);
    stack.payment(&owner, id).await.expect(200);

    let nobodys = Uuid::new_v4().to_string();
    for other in [stack.new_customer().await, stack.admin().await] {
        let theirs = stack.order(&other, id).await;
        theirs.problem(404, "not-found");
        assert_eq!(
            untraced(&theirs, id),
            untraced(&stack.order(&other, &nobodys).await, &nobodys)
        );

        let theirs = stack.payment(&other, id).await;
        theirs.problem(404, "not-found");
        assert_eq!(
            untraced(&theirs, id),
            untraced(&stack.payment(&other, &nobodys).await, &nobodys)
        );
    }
}

#[tokio::test]
async fn an_id_that_is_none_is_not_found() {
    let stack = Stack::connect().await;
    let buyer = stack.new_customer().await;
    for id in ["1", "not-a-uuid", "ORDER%23x"] {
        stack.order(&buyer, id).await.problem(404, "not-found");
        stack.payment(&buyer, id).await.problem(404, "not-found");
    }
}

#[tokio::test]
async fn a_token_that_the_stack_did_not_sign_is_refused() {
    let stack = Stack::connect().await;
    let real = stack.new_customer().await.token;
    let mut admin = Token::read(&real);
    admin.claims["role"] = json!("admin");
    let token = Token::read(&real);
    let (mut no_algorithm, mut symmetric) = (token.clone(), token.clone());
    no_algorithm.header["alg"] = json!("none");
    symmetric.header["alg"] = json!("HS256");

    for (why, bad) in [
        ("signed by a stranger's key", token.signed_by_a_stranger()),
        ("unsigned, alg none", no_algorithm.unsigned()),
        ("unsigned", token.unsigned()),
        (
            "alg none under a real signature",
            no_algorithm.under_the_signature_of(&real),
        ),
        ("alg HS256", symmetric.under_the_signature_of(&real)),
        (
            "promoted under a real signature",
            admin.under_the_signature_of(&real),
        ),
        ("garbage", "garbage".to_owned()),
        ("dots", "a.b.c".to_owned()),
    ] {
        assert_unauthenticated(why, &stack.api.get("/users/me").bearer(&bad).send().await);
    }
    stack
        .api
        .get("/users/me")
        .bearer(&real)
        .send()
        .await
        .expect(200);
}

#[tokio::test]
async fn a_token_of_the_stack_with_a_claim_that_is_wrong_or_missing_is_refused() {
    let stack = Stack::connect().await;
    let token = Token::read(&stack.new_customer().await.token);
    let issued_at = token.claims["iat"]
        .as_i64()
        .expect("a token says when it was made");
    let changed = |claim: &str, value: Value| {
        let mut token = token.clone();
        token.claims[claim] = value;
        token
    };
    let mut misnamed = token.clone();
    misnamed.header["kid"] = json!(key_id(stack.token_keys()[1]));
    let mut from_the_future = changed("iat", json!(issued_at + 600));
    from_the_future.claims["exp"] = json!(issued_at + 900);

    let mut refused = vec![
        ("expired", changed("exp", json!(issued_at - 600))),
        ("good for too long", changed("exp", json!(issued_at + 901))),
        ("issued in the future", from_the_future),
        (
            "wrong issuer",
            changed("iss", json!("https://issuer.example")),
        ),
        ("wrong audience", changed("aud", json!("another"))),
        ("unknown role", changed("role", json!("owner"))),
        ("under the name of another key", misnamed),
    ];
    for claim in ["iss", "aud", "sub", "role", "iat", "exp", "jti"] {
        let mut incomplete = token.clone();
        incomplete.claims.as_object_mut().unwrap().remove(claim);
        refused.push((claim, incomplete));
    }
    for (why, bad) in refused {
        let bad = bad.signed_by(&stack).await;
        let answer = stack.api.get("/users/me").bearer(&bad).send().await;
        assert_unauthenticated(why, &answer);
    }
    let control = token.signed_by(&stack).await;
    stack
        .api
        .get("/users/me")
        .bearer(&control)
        .send()
        .await
        .expect(200);
}

#[tokio::test]
async fn every_route_behind_the_login_refuses_a_stranger() {
    let stack = Stack::connect().await;
    let forged = Token::read(&stack.admin().await.token).signed_by_a_stranger();

    for call in protected_calls(&stack) {
        assert_unauthenticated("a forged token", &call.bearer(&forged).send().await);
    }
    for call in protected_calls(&stack) {
        assert_unauthenticated(
            "another scheme",
            &call
                .header("Authorization", "Basic dXNlcjpwYXNz")
                .send()
                .await,
        );
    }
    for call in protected_calls(&stack) {
        // No header at all: the gateway refuses this itself, in its own words.
        let answer = call.send().await;
        assert_eq!(answer.status, 401, "{answer:?}");
    }
}

#[tokio::test]
async fn a_customer_on_an_admin_route_is_forbidden() {
    let stack = Stack::connect().await;
    let (customer, sku) = (stack.new_customer().await, stack.new_product(1250, 3).await);
    let product = json!({"name": "Cheaper", "unit_price": euro_cents(1)});

    let put = stack
        .api
        .put(&format!("/products/{sku}"))
        .bearer(&customer.token)
        .json(&product)
        .send()
        .await;
    put.problem(403, "forbidden");
    let adjusted = stack
        .api
        .post(&format!("/products/{sku}/stock-adjustments"))
        .bearer(&customer.token)
        .key(&new_key())
        .json(&json!({"delta": 100, "reason": "mine"}))
        .send()
        .await;
    adjusted.problem(403, "forbidden");

    let unchanged = stack.product(&sku).await.expect(200).json();
    assert_eq!(
        (&unchanged["unit_price"], &unchanged["available"]),
        (&euro_cents(1250), &json!(3))
    );
}

/// One call for each route that asks for a login, without one.
fn protected_calls(stack: &Stack) -> Vec<Call> {
    let id = Uuid::new_v4();
    vec![
        stack.api.get("/users/me"),
        stack.api.patch("/users/me").json(&json!({"name": "Eve"})),
        stack
            .api
            .post("/users/me/password")
            .json(&json!({"current_password": PASSWORD, "new_password": NEW_PASSWORD})),
        stack.api.delete("/users/me"),
        stack
            .api
            .put("/products/tea")
            .json(&json!({"name": "Tea", "unit_price": euro_cents(1)})),
        stack
            .api
            .post("/products/tea/stock-adjustments")
            .key(&new_key())
            .json(&json!({"delta": 1, "reason": "x"})),
        stack
            .api
            .post("/orders")
            .key(&new_key())
            .json(&order_of(&[("tea", 1)], GOOD_CARD)),
        stack.api.get("/orders"),
        stack.api.get(&format!("/orders/{id}")),
        stack.api.post(&format!("/orders/{id}/cancel")),
        stack.api.get(&format!("/orders/{id}/payment")),
        stack
            .api
            .post(&format!("/orders/{id}/refunds"))
            .key(&new_key())
            .json(&refund_of(1, "x")),
    ]
}

fn assert_unauthenticated(why: &str, answer: &Answer) {
    assert_eq!(
        answer.status,
        401,
        "{why}: {} answered {}",
        answer.what,
        answer.text()
    );
    answer.problem(401, "unauthenticated");
    let challenge = answer.header("WWW-Authenticate").unwrap_or_default();
    assert!(challenge.starts_with("Bearer"), "{why}: {challenge:?}");
}

/// The body without what differs from request to request.
fn untraced(answer: &Answer, id: &str) -> String {
    let mut body = answer.json();
    body["trace_id"] = json!(null);
    body.to_string().replace(id, "<id>")
}
