//! From the tables' streams to the topic: what can't be published is put aside, and the rest flows on.

use oxcart_tests::{
    eventually::{PATIENCE, eventually},
    shop::{GOOD_CARD, order_of},
    stack::Stack,
    subscription::Subscription,
};
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test]
async fn a_record_that_cannot_be_published_is_parked_and_the_next_events_flow() {
    let stack = Stack::connect().await;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(700, 5).await);
    let mut listener = Subscription::open(&stack).await;
    let poison = [
        json!({"id": Uuid::new_v4(), "note": "no envelope"}),
        json!({
            "specversion": "1.0",
            "id": Uuid::new_v4(),
            "source": "/oxcart/orders",
            "type": "order.exploded",
            "subject": Uuid::new_v4(),
            "time": "2026-01-02T03:04:05.678Z",
            "datacontenttype": "application/json",
            "data": {},
        }),
    ];
    let keys = poison
        .each_ref()
        .map(|_| format!("POISON#{}", Uuid::new_v4()));

    for (key, outbox) in keys.iter().zip(&poison) {
        stack
            .write_item("ORDERS_TABLE", &json!({"pk": key, "outbox": outbox}))
            .await;
    }
    let order = stack.buy(&buyer, &order_of(&[(&sku, 1)], GOOD_CARD)).await;

    assert_eq!(
        order["status"], "CONFIRMED",
        "the order's events came through after the poison"
    );
    let id = order["id"].as_str().unwrap();
    listener
        .wait_for(id, &["order.placed", "order.confirmed"])
        .await;
    for key in &keys {
        let parked = eventually(&format!("{key} is parked"), PATIENCE, async || {
            let mut found = stack
                .take_messages("PARKED_EVENTS_QUEUE_URL", |body| body.contains(key))
                .await;
            found.pop().ok_or_else(|| "nothing".to_owned())
        })
        .await;
        let parked: Value = serde_json::from_str(&parked).expect("what is parked is JSON");
        assert!(parked.is_object(), "{parked}");
    }
    listener.close().await;
}
