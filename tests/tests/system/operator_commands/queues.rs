//! What was given up: dead letters and parked things are shown, redriven and dropped.

use oxcart_tests::{
    eventually::{PATIENCE, eventually},
    shop::{GOOD_CARD, order_of},
    stack::Stack,
    subscription::Subscription,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{ALL, find, program::ops};

#[tokio::test]
async fn a_dead_letter_is_shown_left_alone_and_redriven_once_however_often() {
    const DEAD_LETTERS: &str = "placed-orders-dlq";
    let stack = Stack::connect().await;
    let [id, customer, sku] = [(); 3].map(|()| Uuid::new_v4().to_string());
    let event = stack.place_silently(&id, &customer, &sku).await.to_string();
    stack
        .send_messages("PLACED_ORDERS_DLQ_URL", std::slice::from_ref(&event))
        .await;

    let first = shown(&stack, DEAD_LETTERS, &id).await;
    assert_eq!(
        (&first["type"], &first["about"]),
        (&json!("order.placed"), &json!(id))
    );
    assert!(
        first["cause"].as_str().unwrap().contains("kept failing"),
        "{first}"
    );
    assert_eq!(first["body"], event);
    assert!(first["age_seconds"].as_u64().unwrap() < 600, "{first}");
    let again = shown(&stack, DEAD_LETTERS, &id).await;
    let [before, after] = [&first, &again].map(|shown| shown["receives"].as_u64().unwrap());
    assert!(after > before && before > 0, "{before} and then {after}");
    let listed = ops(&stack, &["dlq", "list", "--json"]).json();
    let queue = find(&listed, "name", &full_name(&stack, DEAD_LETTERS)).expect("the queue");
    assert!(queue["messages"].is_u64(), "{queue}");

    let message = first["id"].as_str().unwrap();
    let would = eventually("the message can be had", PATIENCE, async || {
        let words = [
            "dlq",
            "redrive",
            DEAD_LETTERS,
            "--id",
            message,
            "--dry-run",
            "--json",
        ];
        let done = ops(&stack, &words).json();
        done.get(0).cloned().ok_or_else(|| done.to_string())
    })
    .await;
    assert_eq!(would["gone"], false);
    let source = full_name(&stack, "placed-orders");
    assert_eq!(would["what"], format!("would go back to {source}"));
    let young = ["--older-than", "1d", "--dry-run", "--json"];
    let young = ops(
        &stack,
        &[&["dlq", "redrive", DEAD_LETTERS][..], &young].concat(),
    )
    .json();
    assert_eq!(find(&young, "id", message), None);
    assert!(
        stack.executions_of(&id).await.is_empty(),
        "nothing was done"
    );

    let done = redriven(&stack, DEAD_LETTERS, message).await;
    assert_eq!(done["gone"], true, "{done}");
    stack.saga_ends_well(&id).await;
    let once_more = ops(
        &stack,
        &["dlq", "redrive", DEAD_LETTERS, "--id", message, "--json"],
    );
    assert_eq!(
        once_more.json(),
        json!([]),
        "there is nothing left to redrive"
    );

    // As when somebody dies between sending and deleting.
    stack.send_messages("PLACED_ORDERS_DLQ_URL", &[event]).await;
    let copy = shown(&stack, DEAD_LETTERS, &id).await;
    redriven(&stack, DEAD_LETTERS, copy["id"].as_str().unwrap()).await;
    // By the time that this one has come through, the one before it has.
    let later = stack.place_silently(&customer, &customer, &sku).await;
    stack
        .send_messages("PLACED_ORDERS_QUEUE_URL", &[later.to_string()])
        .await;
    stack.saga_ends_well(&customer).await;
    stack.was_sold_in_one_run(&id).await;
}

#[tokio::test]
async fn a_message_is_dropped_by_who_says_yes_and_only_then() {
    let stack = Stack::connect().await;
    let marker = Uuid::new_v4().to_string();
    stack
        .send_messages("NOTIFICATIONS_DLQ_URL", &[format!("not JSON {marker}")])
        .await;
    let message = shown(&stack, "notifications-dlq", &marker).await;
    assert_eq!(message["cause"], "it is not JSON");
    let drop = [
        "dlq",
        "drop",
        "notifications-dlq",
        "--id",
        message["id"].as_str().unwrap(),
    ];
    let drop_if = |more: &[&str]| ops(&stack, &[&drop[..], more, &["--json"]].concat());

    // Somebody else may be looking at the queue.
    let what_of = async |more: &[&str]| {
        eventually("the message can be had", PATIENCE, async || {
            let ran = drop_if(more);
            let done: Value = serde_json::from_str(&ran.stdout).expect("JSON");
            let what = done[0]["what"].as_str().map(ToOwned::to_owned);
            what.map(|what| (ran.code, what)).ok_or(ran.stderr)
        })
        .await
    };

    let hesitant = drop_if(&[]);
    assert_eq!(hesitant.code, 1, "{hesitant:?}");
    assert!(hesitant.stderr.contains("--yes"), "{hesitant:?}");
    let dry = what_of(&["--dry-run", "--yes"]).await;
    assert_eq!(dry, (0, "would be dropped".to_owned()));
    shown(&stack, "notifications-dlq", &marker).await;

    let dropped = what_of(&["--yes"]).await;
    assert_eq!(dropped, (0, "dropped".to_owned()));
    let gone = drop_if(&["--yes"]);
    assert_eq!(gone.code, 1, "there is no such message: {gone:?}");
}

#[tokio::test]
async fn a_parked_event_goes_to_the_topic_after_all() {
    let stack = Stack::connect().await;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(1250, 3).await);
    let order = stack.buy(&buyer, &order_of(&[(&sku, 1)], GOOD_CARD)).await;
    let id = order["id"].as_str().unwrap();
    let mut listener = Subscription::open(&stack).await;
    let table = stack.setting("ORDERS_TABLE");
    let key = format!("ORDER#{id}");
    let item = stack.item("ORDERS_TABLE", &key).await.expect("the order");
    let confirmed = item["outbox"]["id"].as_str().expect("an event's id");
    let parked = |key: &str, event: &str| {
        json!({
            "reason": "SNS refuses it: InvalidParameter",
            "event_source_arn": format!("arn:aws:dynamodb:us-east-1:0:table/{table}/stream/now"),
            "sequence_number": "7",
            "event_id": event,
            "keys": {"pk": {"S": key}},
        })
        .to_string()
    };
    let lost = Uuid::new_v4();
    let messages = [
        parked(&key, confirmed),
        parked(&format!("ORDER#{lost}"), confirmed),
    ];
    stack
        .send_messages("PARKED_EVENTS_QUEUE_URL", &messages)
        .await;

    let message = shown(&stack, "events-parked", id).await;
    assert_eq!(message["cause"], "SNS refuses it: InvalidParameter");
    let done = redriven(&stack, "events-parked", message["id"].as_str().unwrap()).await;
    assert_eq!(done["what"], "order.confirmed was published", "{done}");
    listener.wait_for(id, &["order.confirmed"]).await;

    let lost = shown(&stack, "events-parked", &lost.to_string()).await;
    let lost = lost["id"].as_str().unwrap();
    let left = redriven(&stack, "events-parked", lost).await;
    assert_eq!(left["what"], "its item is gone, and was left", "{left}");
    eventually("it is dropped", PATIENCE, async || {
        let words = ["dlq", "drop", "events-parked", "--id", lost, "--yes"];
        let dropped = ops(&stack, &words);
        if dropped.code == 0 {
            Ok(())
        } else {
            Err(dropped.stderr)
        }
    })
    .await;
    listener.close().await;
}

/// A message whose body holds `marker`, as `dlq show` tells of it. Somebody else may be looking at the queue, and then
/// it can't be had for a moment.
pub(super) async fn shown(stack: &Stack, queue: &str, marker: &str) -> Value {
    eventually(&format!("{marker} is in {queue}"), PATIENCE, async || {
        let words = ["dlq", "show", queue, "--body", "--json", ALL[0], ALL[1]];
        let shown = ops(stack, &words).json();
        let mut messages = shown.as_array().expect("messages").iter();
        let holds = |message: &&Value| message["body"].as_str().unwrap().contains(marker);
        messages
            .find(holds)
            .cloned()
            .ok_or_else(|| shown.to_string())
    })
    .await
}

/// What became of a message that was redriven, as soon as it could be had.
pub(super) async fn redriven(stack: &Stack, queue: &str, message: &str) -> Value {
    eventually(&format!("{message} is redriven"), PATIENCE, async || {
        let ran = ops(stack, &["dlq", "redrive", queue, "--id", message, "--json"]);
        let done: Value = serde_json::from_str(&ran.stdout).map_err(|_| format!("{ran:?}"))?;
        done.get(0).cloned().ok_or_else(|| done.to_string())
    })
    .await
}

pub(super) fn full_name(stack: &Stack, queue: &str) -> String {
    format!("{}-{queue}", stack.setting("STACK_NAME"))
}
