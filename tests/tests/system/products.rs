//! The catalogue and its stock.

use oxcart_tests::{
    shop::{euro_cents, new_key, new_sku},
    stack::Stack,
};
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test]
async fn a_product_is_created_once_and_changed_after() {
    let stack = Stack::connect().await;
    let sku = new_sku();
    let path = format!("/products/{sku}");
    stack.product(&sku).await.problem(404, "not-found");

    let described = json!({"name": "Mug", "description": "Blue.", "unit_price": euro_cents(1250)});
    let created = stack.put_product(&sku, &described).await.expect(201);
    assert_eq!(created.header("Location"), Some(path.as_str()));
    assert_eq!(stack.product(&sku).await.expect(200).json(), created.json());
    stack.adjust_stock(&sku, 7, &new_key()).await.expect(200);

    let plain = json!({"name": "Cup", "unit_price": euro_cents(999)});
    let changed = stack.put_product(&sku, &plain).await.expect(200).json();
    assert_eq!(
        (&changed["name"], &changed["unit_price"]),
        (&json!("Cup"), &euro_cents(999))
    );
    assert_eq!(
        changed["description"],
        Value::Null,
        "PUT replaces the description"
    );
    assert_eq!(changed["available"], 7, "PUT leaves the stock alone");
    let read = stack.product(&sku).await.expect(200).json();
    assert_eq!(read, changed);
    assert_eq!(read["sku"], sku);
}

#[tokio::test]
async fn a_product_that_has_not_changed_is_not_sent_again() {
    let stack = Stack::connect().await;
    let sku = stack.new_product(1250, 3).await;
    let path = format!("/products/{sku}");
    // Past what the execution environments have kept: read_cache.rs is about that.
    let get = |tag: &str| {
        let call = stack.api.get(&path).anew();
        call.header("If-None-Match", tag).send()
    };

    let first = stack.product(&sku).await.expect(200);
    let tag = first.header("ETag").expect("an ETag").to_owned();
    let again = get(&tag).await.expect(304);
    assert!(again.body.is_empty());
    assert_eq!(again.header("ETag"), Some(tag.as_str()));
    get(&format!("\"other\", {tag}")).await.expect(304);
    get("\"other\"").await.expect(200);

    stack.adjust_stock(&sku, -1, &new_key()).await.expect(200);
    let changed = get(&tag).await.expect(200);
    assert_ne!(
        changed.header("ETag"),
        Some(tag.as_str()),
        "the stock is part of what was sent"
    );
}

#[tokio::test]
async fn stock_never_goes_below_nought() {
    let stack = Stack::connect().await;
    let sku = stack.new_product(1250, 3).await;

    stack
        .adjust_stock(&sku, -4, &new_key())
        .await
        .problem(409, "insufficient-stock");
    assert_eq!(stack.available(&sku).await, 3);
    let emptied = stack
        .adjust_stock(&sku, -3, &new_key())
        .await
        .expect(200)
        .json();
    assert_eq!(emptied, json!({"sku": sku, "available": 0}));
    stack
        .adjust_stock(&sku, -1, &new_key())
        .await
        .problem(409, "insufficient-stock");
    stack.assert_figures_agree(&[&sku]).await;
}

#[tokio::test]
async fn an_adjustment_sent_twice_adjusts_once() {
    let stack = Stack::connect().await;
    let (admin, sku, key) = (
        stack.admin().await,
        stack.new_product(1250, 3).await,
        new_key(),
    );

    let first = stack.adjust_stock(&sku, 5, &key).await.expect(200);
    assert_eq!(first.header("Idempotent-Replay"), None);
    stack.adjust_stock(&sku, 1, &new_key()).await.expect(200);
    let again = stack.adjust_stock(&sku, 5, &key).await.expect(200);
    assert_eq!(again.header("Idempotent-Replay"), Some("true"));
    assert_eq!(
        again.json(),
        json!({"sku": sku, "available": 9}),
        "a replay answers the stock as it is now"
    );

    stack
        .adjust_stock(&sku, 6, &key)
        .await
        .problem(422, "idempotency-key-reused");
    let other_reason = stack
        .api
        .post(&format!("/products/{sku}/stock-adjustments"))
        .bearer(&admin.token)
        .key(&key)
        .json(&json!({"delta": 5, "reason": "another"}))
        .send()
        .await;
    other_reason.problem(422, "idempotency-key-reused");
    assert_eq!(stack.available(&sku).await, 9);
    stack.assert_figures_agree(&[&sku]).await;
}

#[tokio::test]
async fn adjustments_at_once_with_one_key_adjust_once() {
    let stack = Stack::connect().await;
    let (sku, key) = (stack.new_product(1250, 3).await, new_key());

    let answers =
        futures::future::join_all((0..10).map(|_| stack.adjust_stock(&sku, 5, &key))).await;

    assert!(
        answers.iter().all(|answer| answer.status == 200),
        "{answers:#?}"
    );
    assert_eq!(
        answers
            .iter()
            .filter(|answer| answer.header("Idempotent-Replay").is_none())
            .count(),
        1
    );
    assert_eq!(stack.available(&sku).await, 8);
    stack.assert_figures_agree(&[&sku]).await;
}

#[tokio::test]
async fn one_key_may_adjust_two_products() {
    let stack = Stack::connect().await;
    let (tea, cup, key) = (
        stack.new_product(300, 0).await,
        stack.new_product(450, 0).await,
        new_key(),
    );

    for sku in [&tea, &cup] {
        let adjusted = stack.adjust_stock(sku, 2, &key).await.expect(200);
        assert_eq!(adjusted.header("Idempotent-Replay"), None);
        assert_eq!(stack.available(sku).await, 2);
    }
}

#[tokio::test]
async fn the_stock_of_nothing_is_not_adjusted() {
    let stack = Stack::connect().await;
    let sku = new_sku();
    stack
        .adjust_stock(&sku, 1, &new_key())
        .await
        .problem(404, "not-found");
    stack.product(&sku).await.problem(404, "not-found");
}

#[tokio::test]
async fn the_list_of_products_is_complete_and_in_the_order_of_names() {
    let stack = Stack::connect().await;
    let family = Uuid::new_v4();
    let mut own = Vec::new();
    for letter in ["c", "a", "b"] {
        let sku = new_sku();
        let product =
            json!({"name": format!("Family {family} {letter}"), "unit_price": euro_cents(5)});
        own.push((
            letter,
            stack.put_product(&sku, &product).await.expect(201).json(),
        ));
    }
    own.sort_by_key(|(letter, _)| *letter);
    let own: Vec<Value> = own.into_iter().map(|(_, product)| product).collect();

    let mut listed = stack.listed("/products", None).await;
    listed.retain(|item| item["name"].as_str().unwrap().contains(&family.to_string()));
    assert_eq!(listed, own);
}

#[tokio::test]
async fn a_page_of_products_needs_a_sound_limit_and_cursor() {
    let stack = Stack::connect().await;
    let _product = stack.new_product(5, 0).await;

    for limit in ["0", "101", "-1", "ten", "1.5", ""] {
        let answer = stack
            .api
            .get("/products")
            .query(&[("limit", limit)])
            .send()
            .await;
        answer.problem(400, "invalid-limit");
    }
    for cursor in ["forged", "", "e30", "eyJwayI6IlBST0RVQ1QjeCJ9", "%00"] {
        let answer = stack
            .api
            .get("/products")
            .query(&[("cursor", cursor)])
            .send()
            .await;
        answer.problem(400, "invalid-cursor");
    }
    for limit in ["1", "100"] {
        stack
            .api
            .get("/products")
            .query(&[("limit", limit)])
            .send()
            .await
            .expect(200);
    }
}
