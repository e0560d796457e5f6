//! What the shop is for, told end to end.

use oxcart_tests::{
    shop::{
        BAD_CARD, GOOD_CARD, PASSWORD, euro_cents, new_key, new_sku, new_user, order_of, story_of,
    },
    stack::Stack,
};
use serde_json::{Value, json};

#[tokio::test]
async fn a_customer_registers_logs_in_and_gets_an_order_confirmed() {
    let stack = Stack::connect().await;
    let admin = stack.admin().await;

    let sku = new_sku();
    let product =
        json!({"name": "Blue mug", "description": "Holds tea.", "unit_price": euro_cents(1250)});
    let created = stack.put_product(&sku, &product).await.expect(201).json();
    assert_eq!(created["available"], 0);
    let stocked = stack
        .adjust_stock(&sku, 5, &new_key())
        .await
        .expect(200)
        .json();
    assert_eq!(stocked, json!({"sku": sku, "available": 5}));

    let user = new_user();
    let registered = stack.register(&user).await;
    assert_eq!(registered["role"], "customer");
    let session = stack
        .log_in(user["email"].as_str().unwrap(), PASSWORD)
        .await
        .expect(200)
        .json();
    let token = session["access_token"].as_str().unwrap();
    let me = stack
        .api
        .get("/users/me")
        .bearer(token)
        .send()
        .await
        .expect(200)
        .json();
    assert_eq!(me, registered);
    assert_ne!(me["id"], admin.id);

    let key = new_key();
    let order = order_of(&[(&sku, 2)], GOOD_CARD);
    let placed = stack
        .api
        .post("/orders")
        .bearer(token)
        .key(&key)
        .json(&order)
        .send()
        .await
        .expect(202);
    let id = placed.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(placed.json()["status"], "PENDING");
    assert_eq!(placed.json()["lines"], order["lines"]);
    assert_eq!(
        placed.header("Location"),
        Some(format!("/orders/{id}").as_str())
    );
    assert_eq!(placed.header("Idempotent-Replay"), None);

    let buyer = oxcart_tests::shop::Person {
        id: me["id"].as_str().unwrap().to_owned(),
        token: token.to_owned(),
    };
    let settled = stack.settled(&buyer, &id).await;
    assert_eq!(settled["status"], "CONFIRMED");
    assert_eq!(settled["payment_status"], "CHARGED");
    assert_eq!(settled["reason"], Value::Null);
    assert_eq!(settled["total"], euro_cents(2500));
    assert_eq!(
        settled["lines"],
        json!([{"sku": sku, "quantity": 2, "unit_price": euro_cents(1250)}])
    );
    assert_eq!(
        story_of(&settled),
        [
            "order.placed",
            "stock.reserved",
            "payment.charged",
            "order.confirmed"
        ]
    );

    assert_eq!(stack.available(&sku).await, 3);
    stack.assert_figures_agree(&[&sku]).await;
}

#[tokio::test]
async fn an_order_for_more_than_there_is_is_rejected_as_out_of_stock() {
    let stack = Stack::connect().await;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(1250, 3).await);

    let settled = stack.buy(&buyer, &order_of(&[(&sku, 4)], GOOD_CARD)).await;

    assert_eq!(settled["status"], "REJECTED");
    assert_eq!(settled["reason"], "out-of-stock");
    assert_eq!(settled["payment_status"], "CANCELLED");
    assert_eq!(settled["total"], Value::Null);
    assert_eq!(story_of(&settled), ["order.placed", "order.rejected"]);
    assert_eq!(stack.available(&sku).await, 3);
    stack.assert_figures_agree(&[&sku]).await;
}

#[tokio::test]
async fn a_declined_card_releases_the_stock() {
    let stack = Stack::connect().await;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(1250, 3).await);

    let settled = stack.buy(&buyer, &order_of(&[(&sku, 2)], BAD_CARD)).await;

    assert_eq!(settled["status"], "REJECTED");
    assert_eq!(settled["reason"], "payment-declined");
    assert_eq!(settled["payment_status"], "DECLINED");
    assert_eq!(settled["total"], euro_cents(2500));
    assert_eq!(
        story_of(&settled),
        [
            "order.placed",
            "stock.reserved",
            "payment.declined",
            "stock.released",
            "order.rejected"
        ]
    );
    assert_eq!(stack.available(&sku).await, 3);
    stack.assert_figures_agree(&[&sku]).await;
}

#[tokio::test]
async fn a_replayed_order_is_the_same_order() {
    let stack = Stack::connect().await;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(1250, 3).await);
    let (key, order) = (new_key(), order_of(&[(&sku, 1)], GOOD_CARD));

    let first = stack
        .order_call(&buyer, &key, &order)
        .send()
        .await
        .expect(202);
    let id = first.json()["id"].as_str().unwrap().to_owned();
    stack.settled(&buyer, &id).await;
    let second = stack
        .order_call(&buyer, &key, &order)
        .send()
        .await
        .expect(202);

    assert_eq!(
        second.body, first.body,
        "the order is answered as it was placed, whatever became of it"
    );
    assert_eq!(second.header("Location"), first.header("Location"));
    assert_eq!(second.header("Idempotent-Replay"), Some("true"));
    assert_eq!(stack.available(&sku).await, 2);
    stack.assert_figures_agree(&[&sku]).await;
}

#[tokio::test]
async fn an_order_of_several_lines_gets_all_of_them_or_none() {
    let stack = Stack::connect().await;
    let buyer = stack.new_customer().await;
    let (plenty, scarce) = (
        stack.new_product(300, 10).await,
        stack.new_product(450, 1).await,
    );

    let refused = stack
        .buy(&buyer, &order_of(&[(&plenty, 2), (&scarce, 2)], GOOD_CARD))
        .await;
    assert_eq!(refused["reason"], "out-of-stock");
    assert_eq!(
        (
            stack.available(&plenty).await,
            stack.available(&scarce).await
        ),
        (10, 1)
    );

    let granted = stack
        .buy(&buyer, &order_of(&[(&plenty, 2), (&scarce, 1)], GOOD_CARD))
        .await;
    assert_eq!(granted["status"], "CONFIRMED");
    assert_eq!(granted["total"], euro_cents(2 * 300 + 450));
    assert_eq!(
        (
            stack.available(&plenty).await,
            stack.available(&scarce).await
        ),
        (8, 0)
    );

    stack.assert_figures_agree(&[&plenty, &scarce]).await;
}
