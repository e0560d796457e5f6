//! What became of an order, and of all orders of one customer.

use oxcart_tests::{
    shop::{BAD_CARD, GOOD_CARD, euro_cents, new_key, order_id, order_of},
    stack::Stack,
};
use serde_json::{Value, json};

#[tokio::test]
async fn orders_are_listed_newest_first_page_by_page() {
    let stack = Stack::connect().await;
    let buyer = stack.new_customer().await;
    let mut placed = Vec::new();
    for _ in 0..5 {
        placed.push(
            stack
                .place(&buyer, &order_of(&[("no-such-thing", 1)], GOOD_CARD))
                .await,
        );
    }
    placed.reverse();
    for id in &placed {
        stack.settled(&buyer, id).await;
    }

    let mut listed = Vec::new();
    for item in stack.listed("/orders", Some(&buyer)).await {
        let id = item["id"].as_str().unwrap().to_owned();
        let read = stack.order(&buyer, &id).await.expect(200).json();
        assert_eq!(item, read, "listed as it is read");
        listed.push(id);
    }
    assert_eq!(listed, placed);
}

#[tokio::test]
async fn a_customer_without_orders_has_an_empty_list() {
    let stack = Stack::connect().await;
    let buyer = stack.new_customer().await;
    let page = stack
        .api
        .get("/orders")
        .bearer(&buyer.token)
        .send()
        .await
        .expect(200)
        .json();
    assert_eq!(page, json!({"items": [], "next_cursor": null}));
}

#[tokio::test]
async fn a_page_of_orders_needs_a_sound_limit_and_ones_own_cursor() {
    let stack = Stack::connect().await;
    let (buyer, other) = (stack.new_customer().await, stack.new_customer().await);
    for _ in 0..2 {
        stack
            .place(&buyer, &order_of(&[("no-such-thing", 1)], GOOD_CARD))
            .await;
    }
    let list = |token: &str, name: &str, value: &str| {
        stack
            .api
            .get("/orders")
            .bearer(token)
            .query(&[(name, value)])
            .send()
    };

    let page = list(&buyer.token, "limit", "1").await.expect(200).json();
    let cursor = page["next_cursor"].as_str().expect("a second page");
    list(&buyer.token, "cursor", cursor).await.expect(200);
    list(&other.token, "cursor", cursor)
        .await
        .problem(400, "invalid-cursor");
    for forged in ["forged", "", "e30", &cursor[1..], &format!("{cursor}x")] {
        list(&buyer.token, "cursor", forged)
            .await
            .problem(400, "invalid-cursor");
    }
    for limit in ["0", "101", "-1", "ten"] {
        list(&buyer.token, "limit", limit)
            .await
            .problem(400, "invalid-limit");
    }
}

#[tokio::test]
async fn a_pending_order_shows_no_prices_yet() {
    let stack = Stack::connect().await;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(1250, 3).await);
    let key = new_key();
    let order = order_of(&[(&sku, 1)], GOOD_CARD);

    let placed = stack
        .order_call(&buyer, &key, &order)
        .send()
        .await
        .expect(202)
        .json();

    let mut members: Vec<&String> = placed.as_object().unwrap().keys().collect();
    members.sort();
    assert_eq!(members, ["created_at", "id", "lines", "status"]);
    let seen = stack
        .order(&buyer, placed["id"].as_str().unwrap())
        .await
        .expect(200)
        .json();
    assert_eq!(seen["created_at"], placed["created_at"]);
    if seen["status"] == "PENDING" {
        assert_eq!(
            seen["lines"],
            json!([{"sku": sku, "quantity": 1, "unit_price": null}])
        );
        assert_eq!(
            (&seen["total"], &seen["payment_status"]),
            (&Value::Null, &json!("PENDING"))
        );
    }
    stack.settled(&buyer, placed["id"].as_str().unwrap()).await;
}

#[tokio::test]
async fn the_total_that_the_customer_expects_must_hold() {
    let stack = Stack::connect().await;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(1250, 9).await);
    let mut order = order_of(&[(&sku, 3)], GOOD_CARD);

    order["expected_total"] = euro_cents(3750);
    let right = stack.buy(&buyer, &order).await;
    assert_eq!(
        (&right["status"], &right["total"]),
        (&json!("CONFIRMED"), &euro_cents(3750))
    );

    for wrong in [euro_cents(3749), json!({"amount": 3750, "currency": "USD"})] {
        order["expected_total"] = wrong;
        let settled = stack.buy(&buyer, &order).await;
        assert_eq!(
            (&settled["status"], &settled["reason"]),
            (&json!("REJECTED"), &json!("price-changed"))
        );
    }
    assert_eq!(stack.available(&sku).await, 6);
    stack.assert_figures_agree(&[&sku]).await;
}

#[tokio::test]
async fn an_order_of_a_thing_that_does_not_exist_is_rejected() {
    let stack = Stack::connect().await;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(1250, 9).await);

    let settled = stack
        .buy(
            &buyer,
            &order_of(&[(&sku, 1), ("no-such-thing", 1)], GOOD_CARD),
        )
        .await;

    assert_eq!(
        (&settled["status"], &settled["reason"]),
        (&json!("REJECTED"), &json!("unknown-product"))
    );
    assert_eq!(stack.available(&sku).await, 9);
    stack.assert_figures_agree(&[&sku]).await;
}

#[tokio::test]
async fn an_order_in_two_currencies_is_rejected() {
    let stack = Stack::connect().await;
    let buyer = stack.new_customer().await;
    let (euro, dollar) = (
        stack.new_product(1250, 9).await,
        stack.new_product_in("USD", 1250, 9).await,
    );

    let settled = stack
        .buy(&buyer, &order_of(&[(&euro, 1), (&dollar, 1)], GOOD_CARD))
        .await;

    assert_eq!(
        (&settled["status"], &settled["reason"]),
        (&json!("REJECTED"), &json!("mixed-currencies"))
    );
    assert_eq!(
        (stack.available(&euro).await, stack.available(&dollar).await),
        (9, 9)
    );
    stack.assert_figures_agree(&[&euro, &dollar]).await;
}

#[tokio::test]
async fn an_order_in_another_currency_is_charged_in_it() {
    let stack = Stack::connect().await;
    let (buyer, sku) = (
        stack.new_customer().await,
        stack.new_product_in("JPY", 4200, 2).await,
    );

    let settled = stack.buy(&buyer, &order_of(&[(&sku, 2)], GOOD_CARD)).await;

    assert_eq!(settled["total"], json!({"amount": 8400, "currency": "JPY"}));
    stack.assert_figures_agree(&[&sku]).await;
}

#[tokio::test]
async fn a_timeline_tells_what_happened_in_order() {
    let stack = Stack::connect().await;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(1250, 9).await);

    for card in [GOOD_CARD, BAD_CARD] {
        let settled = stack.buy(&buyer, &order_of(&[(&sku, 1)], card)).await;
        let timeline = settled["timeline"].as_array().unwrap();
        let times: Vec<&str> = timeline
            .iter()
            .map(|entry| entry["at"].as_str().unwrap())
            .collect();
        assert!(times.is_sorted(), "{times:?}");
        assert!(
            times.iter().all(|time| is_utc_with_milliseconds(time)),
            "{times:?}"
        );
        assert_eq!(settled["created_at"], times[0]);
        assert_eq!(settled["updated_at"], times[times.len() - 1]);
    }
}

#[tokio::test]
async fn the_payment_of_an_order_says_how_it_ended() {
    let stack = Stack::connect().await;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(1250, 9).await);

    for (card, status) in [(GOOD_CARD, "CHARGED"), (BAD_CARD, "DECLINED")] {
        let settled = stack.buy(&buyer, &order_of(&[(&sku, 2)], card)).await;
        let payment = stack
            .payment(&buyer, settled["id"].as_str().unwrap())
            .await
            .expect(200)
            .json();
        assert_eq!(
            (&payment["order_id"], &payment["status"]),
            (&settled["id"], &json!(status))
        );
        assert_eq!(payment["amount"], euro_cents(2500));
        let mut members: Vec<&String> = payment.as_object().unwrap().keys().collect();
        members.sort();
        assert_eq!(
            members,
            ["amount", "created_at", "order_id", "status", "updated_at"]
        );
    }
    let never_placed = order_id(&buyer.id, &new_key());
    stack
        .payment(&buyer, &never_placed)
        .await
        .problem(404, "not-found");
}

fn is_utc_with_milliseconds(time: &str) -> bool {
    time.len() == "2026-01-02T03:04:05.678Z".len()
        && time.as_bytes()[19] == b'.'
        && time.ends_with('Z')
}
