//! The queue that starts sagas: duplicates start nothing, poison hurts nobody else.

use std::{cell::RefCell, time::Duration};

use oxcart_tests::{eventually::eventually, stack::Stack};
use serde_json::{Value, json};
use uuid::Uuid;

const QUEUE: &str = "PLACED_ORDERS_QUEUE_URL";
const DEAD_LETTERS: &str = "PLACED_ORDERS_DLQ_URL";

#[tokio::test]
async fn an_order_placed_message_delivered_three_times_is_as_good_as_one() {
    let stack = Stack::connect().await;
    let (message, later) = (order_placed(&stack).await, order_placed(&stack).await);
    let id = message["subject"].as_str().unwrap();

    let body = message.to_string();
    stack
        .send_messages(QUEUE, &[body.clone(), body.clone(), body])
        .await;
    stack.saga_ends_well(id).await;
    // By the time that this one has come through, all three before it have.
    stack.send_messages(QUEUE, &[later.to_string()]).await;
    stack
        .saga_ends_well(later["subject"].as_str().unwrap())
        .await;

    stack.was_sold_in_one_run(id).await;
    let order = stack.item("ORDERS_TABLE", &format!("ORDER#{id}")).await;
    let order = order.expect("the order");
    let story = order["timeline"].as_array().expect("a timeline").iter();
    let ends = story.filter(|told| told["event"] == "order.rejected");
    assert_eq!(ends.count(), 1, "{order}");
}

#[tokio::test]
async fn a_malformed_message_lands_alone_in_the_dead_letter_queue() {
    let stack = Stack::connect().await;
    let neighbours = [order_placed(&stack).await, order_placed(&stack).await];
    let marker = Uuid::new_v4().to_string();
    let mut without_lines = neighbours[0].clone();
    without_lines["data"] = json!({"order_id": marker});
    let mut poison = [
        format!("not JSON {marker}"),
        json!({"note": marker}).to_string(),
        without_lines.to_string(),
    ];

    let [first, second] = neighbours.each_ref().map(ToString::to_string);
    let [text, object, event] = poison.clone();
    stack
        .send_messages(QUEUE, &[text, first, object, second, event])
        .await;

    let ids = neighbours
        .each_ref()
        .map(|neighbour| neighbour["subject"].as_str().unwrap());
    for id in ids {
        stack.saga_ends_well(id).await;
    }
    let ours = |body: &str| body.contains(&marker) || ids.iter().any(|id| body.contains(id));
    let dead = RefCell::new(Vec::new());
    // Three receives must fail before a message is given up: thirty seconds apart, or as long as the run of an
    // Express saga may take.
    let given_up = Duration::from_secs(if stack.is_express() { 400 } else { 180 });
    eventually(
        "the malformed messages are given up",
        given_up,
        async || {
            let found = stack.take_messages(DEAD_LETTERS, ours).await;
            dead.borrow_mut().extend(found);
            let enough = dead.borrow().len() >= poison.len();
            if enough {
                Ok(())
            } else {
                Err(format!("{dead:?}"))
            }
        },
    )
    .await;

    let mut dead = dead.into_inner();
    dead.sort();
    poison.sort();
    assert_eq!(dead, poison, "and no neighbour is among them");
}

/// The message of an order whose saga has not begun; it will end it as `unknown-product`.
async fn order_placed(stack: &Stack) -> Value {
    let [id, customer, sku] = [(); 3].map(|()| Uuid::new_v4().to_string());
    stack.place_silently(&id, &customer, &sku).await
}
