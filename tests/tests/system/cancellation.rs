//! A customer takes an order back: nothing stays charged and nothing stays held, whatever its saga is at.

use futures::future::join_all;
use oxcart_tests::{
    eventually::{PATIENCE, eventually},
    shop::{BAD_CARD, GOOD_CARD, Person, euro_cents, order_of, story_of},
    stack::Stack,
};
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test]
async fn cancelling_a_confirmed_order_gives_the_money_and_the_units_back() {
    let stack = Stack::connect().await;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(1250, 3).await);
    let confirmed = stack.buy(&buyer, &order_of(&[(&sku, 2)], GOOD_CARD)).await;
    assert_eq!(confirmed["status"], "CONFIRMED");
    let id = id_of(&confirmed);

    let cancelled = stack.cancel(&buyer, id).await.expect(202).json();
    assert!(
        matches!(
            cancelled["status"].as_str(),
            Some("CANCELLING" | "CANCELLED")
        ),
        "{cancelled}"
    );
    assert_eq!(cancelled["reason"], "cancelled-by-customer");

    let settled = stack.settled(&buyer, id).await;
    assert_eq!(settled["status"], "CANCELLED");
    assert_eq!(settled["reason"], "cancelled-by-customer");
    assert_eq!(settled["payment_status"], "REFUNDED");
    assert_eq!(
        settled["total"],
        euro_cents(2500),
        "what it would have cost"
    );
    assert_eq!(settled["lines"], confirmed["lines"]);
    assert_eq!(
        story_of(&settled),
        [
            "order.placed",
            "stock.reserved",
            "payment.charged",
            "order.confirmed",
            "order.cancellation-requested",
            "payment.refunded",
            "stock.released",
            "order.cancelled"
        ]
    );
    let timeline = settled["timeline"].as_array().unwrap();
    let times: Vec<&str> = timeline
        .iter()
        .map(|entry| entry["at"].as_str().unwrap())
        .collect();
    assert!(times.is_sorted(), "{times:?}");

    let payment = stack.payment(&buyer, id).await.expect(200).json();
    assert_eq!(
        (&payment["status"], &payment["amount"]),
        (&json!("REFUNDED"), &euro_cents(2500))
    );
    assert_eq!(stack.available(&sku).await, 3);
    let books = stack.gateway.books().await;
    assert_eq!((books.charged(id), books.refunded(id)), (2500, 2500));
    stack.assert_figures_agree(&[&sku]).await;
}

#[tokio::test]
async fn cancelling_again_answers_the_order_and_changes_nothing() {
    let stack = Stack::connect().await;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(1250, 3).await);
    let order = stack.buy(&buyer, &order_of(&[(&sku, 1)], GOOD_CARD)).await;
    let id = id_of(&order);

    stack.cancel(&buyer, id).await.expect(202);
    // At once, while it is undone, and when that is done.
    stack.cancel(&buyer, id).await.expect(202);
    let settled = stack.settled(&buyer, id).await;
    let again = stack.cancel(&buyer, id).await.expect(202).json();

    assert_eq!(again, settled);
    assert_eq!(stack.order(&buyer, id).await.expect(200).json(), settled);
    assert_eq!(stack.gateway.books().await.refunds_for(id).len(), 1);
    stack.assert_figures_agree(&[&sku]).await;
}

#[tokio::test]
async fn an_order_that_is_cancelled_before_its_saga_begins_is_never_sold() {
    let stack = Stack::connect().await;
    let (id, sku) = (Uuid::new_v4().to_string(), stack.new_product(1250, 3).await);
    let buyer = stack.customer_with_id(&Uuid::new_v4().to_string()).await;
    let order_placed = stack.place_silently(&id, &buyer.id, &sku).await;

    let taken = stack.cancel(&buyer, &id).await.expect(202).json();
    assert_eq!(taken["id"], id);
    let settled = stack.settled(&buyer, &id).await;
    assert_eq!(settled["status"], "CANCELLED");
    assert_eq!(settled["reason"], "cancelled-by-customer");
    assert_eq!(settled["payment_status"], "CANCELLED");
    // Nothing was charged or held, so nothing is told of it.
    assert_eq!(
        story_of(&settled),
        [
            "order.placed",
            "order.cancellation-requested",
            "order.cancelled"
        ]
    );

    // Its own saga begins late, and finds that there is nothing to do.
    stack
        .send_messages("PLACED_ORDERS_QUEUE_URL", &[order_placed.to_string()])
        .await;
    stack.saga_ends_well(&id).await;
    assert_eq!(stack.order(&buyer, &id).await.expect(200).json(), settled);
    assert_eq!(stack.available(&sku).await, 3);
    assert_eq!(stack.gateway.books().await.charged(&id), 0);
    stack.assert_figures_agree(&[&sku]).await;
}

#[tokio::test]
async fn a_cancellation_leaves_nothing_behind_whatever_the_saga_is_at() {
    let stack = Stack::connect().await;
    let (buyers, sku) = (stack.customers(16).await, stack.new_product(999, 16).await);
    let order = order_of(&[(&sku, 1)], GOOD_CARD);

    // Each looks at their order once more than the one before, so that the cancellations come upon orders
    // at every step.
    let placed_and_cancelled = buyers
        .iter()
        .enumerate()
        .map(|(looks, buyer)| place_and_cancel(&stack, buyer, &order, looks));
    let orders = join_all(placed_and_cancelled).await;

    for order in &orders {
        assert_eq!(order["status"], "CANCELLED", "{order}");
        assert_eq!(order["reason"], "cancelled-by-customer", "{order}");
        let story = story_of(order);
        let at = |event: &str| story.iter().position(|told| *told == event);
        assert_eq!(at("order.cancelled"), Some(story.len() - 1), "{order}");
        let requested = at("order.cancellation-requested");
        assert!(requested.is_some(), "{order}");
        if at("order.confirmed").is_some() {
            assert!(at("order.confirmed") < requested, "{order}");
            assert_eq!(order["payment_status"], "REFUNDED", "{order}");
        }
        stack.saga_ends_well(id_of(order)).await;
    }
    assert_eq!(stack.available(&sku).await, 16);
    stack.assert_figures_agree(&[&sku]).await;
}

#[tokio::test]
async fn an_order_that_ended_without_sale_can_not_be_cancelled() {
    let stack = Stack::connect().await;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(1250, 3).await);
    let rejected = stack.buy(&buyer, &order_of(&[(&sku, 1)], BAD_CARD)).await;
    assert_eq!(rejected["status"], "REJECTED");
    let id = id_of(&rejected);

    let answer = stack.cancel(&buyer, id).await;

    answer.problem(409, "order-not-cancellable");
    assert_eq!(stack.order(&buyer, id).await.expect(200).json(), rejected);
    assert!(stack.cancellations_of(id).await.is_empty());
}

#[tokio::test]
async fn an_order_that_was_abandoned_for_another_reason_can_not_be_cancelled() {
    let stack = Stack::connect().await;
    let [id, sku] = [(); 2].map(|()| Uuid::new_v4().to_string());
    let buyer = stack.customer_with_id(&Uuid::new_v4().to_string()).await;
    stack.place_silently(&id, &buyer.id, &sku).await;
    let abandon = json!({"order_id": id, "reason": "out-of-stock"});
    stack.answer_of("abandon-order", &abandon).await;

    let answer = stack.cancel(&buyer, &id).await;

    answer.problem(409, "order-not-cancellable");
    let order = stack.order(&buyer, &id).await.expect(200).json();
    assert_eq!(
        (&order["status"], &order["reason"]),
        (&json!("PENDING"), &Value::Null)
    );
}

#[tokio::test]
async fn an_order_is_cancelled_by_its_own_customer_only() {
    let stack = Stack::connect().await;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(1250, 3).await);
    let order = stack.buy(&buyer, &order_of(&[(&sku, 1)], GOOD_CARD)).await;
    let id = id_of(&order);

    for other in [stack.new_customer().await, stack.admin().await] {
        stack.cancel(&other, id).await.problem(404, "not-found");
    }
    let support = stack.support().await;
    stack.cancel(&support, id).await.problem(403, "forbidden");
    for nobodys in [&*Uuid::new_v4().to_string(), "not-a-uuid"] {
        let answer = stack.cancel(&buyer, nobodys).await;
        answer.problem(404, "not-found");
    }

    assert_eq!(stack.order(&buyer, id).await.expect(200).json(), order);
    stack.assert_figures_agree(&[&sku]).await;
}

#[tokio::test]
async fn many_cancellations_at_once_are_one() {
    let stack = Stack::connect().await;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(1250, 3).await);
    let order = stack.buy(&buyer, &order_of(&[(&sku, 1)], GOOD_CARD)).await;
    let id = id_of(&order);

    let answers = join_all((0..5).map(|_| stack.cancel(&buyer, id))).await;

    for answer in &answers {
        assert_eq!(answer.status, 202, "{}", answer.text());
    }
    let settled = stack.settled(&buyer, id).await;
    let requests = story_of(&settled)
        .into_iter()
        .filter(|event| *event == "order.cancellation-requested")
        .count();
    assert_eq!(requests, 1, "{settled}");
    eventually("one cancellation, ended well", PATIENCE, async || {
        let cancellations = stack.cancellations_of(id).await;
        if cancellations == [(id.to_owned(), "SUCCEEDED".to_owned())] {
            Ok(())
        } else {
            Err(format!("{cancellations:?}"))
        }
    })
    .await;
    assert_eq!(stack.gateway.books().await.refunds_for(id).len(), 1);
    stack.assert_figures_agree(&[&sku]).await;
}

/// Places an order, looks at it so many times, and cancels it. Answers how it ended.
async fn place_and_cancel(stack: &Stack, buyer: &Person, order: &Value, looks: usize) -> Value {
    let id = stack.place(buyer, order).await;
    for _ in 0..looks {
        stack.order(buyer, &id).await.expect(200);
    }
    stack.cancel(buyer, &id).await.expect(202);
    stack.settled(buyer, &id).await
}

fn id_of(order: &Value) -> &str {
    order["id"].as_str().unwrap()
}
