//! Orders that nobody ends: `resume-stuck-orders` finds them and runs their sagas again, and leaves alone
//! what needs no help. Who asks for one order by its id is answered whether it is due or not.

use std::time::Duration;

use futures::future::join;
use oxcart_tests::{
    eventually::eventually,
    faults::{Action, Rule},
    shop::{BAD_CARD, GOOD_CARD, Person, euro_cents, order_of, story_of},
    stack::Stack,
};
use serde_json::{Value, json};
use uuid::Uuid;

/// A time at which no test is run any more: the order is open, and its turn is not yet.
const NOT_YET: &str = "2126-01-02T03:04:05.678Z";
/// A time that is over.
const LONG_AGO: &str = "2026-01-02T03:09:05.678Z";
/// How long the schedule may take to find an order and have it ended. It looks every minute.
const A_MINUTE_AND_MORE: Duration = Duration::from_secs(100);

#[tokio::test]
async fn an_order_whose_saga_never_began_is_sold_after_all() {
    let stack = Stack::connect().await;
    let order = Stuck::order(&stack).await;

    let answer = order.resume(&stack).await;

    assert_eq!(answer, json!({"resumed": [order.id], "running": []}));
    let settled = order.settled(&stack).await;
    assert_eq!(settled["status"], "CONFIRMED");
    assert_eq!(
        story_of(&settled),
        [
            "order.placed",
            "stock.reserved",
            "payment.charged",
            "order.confirmed"
        ]
    );
    assert_eq!(order.runs(&stack).await, [format!("{}-1", order.id)]);
    assert_eq!(stack.available(&order.sku).await, 2);
    stack.assert_figures_agree(&[&order.sku]).await;
}

#[tokio::test]
async fn an_order_that_was_never_to_be_looked_after_is_resumed_once_by_who_asks_for_it() {
    let stack = Stack::connect().await;
    let [id, customer] = [(); 2].map(|()| Uuid::new_v4().to_string());
    let (buyer, sku) = (
        stack.customer_with_id(&customer).await,
        stack.new_product(1250, 3).await,
    );
    stack.place_silently(&id, &customer, &sku).await;
    let order = Stuck { id, buyer, sku };
    assert_eq!(order.item(&stack).await["due_at"], Value::Null);

    let answers = join(order.resume(&stack), order.resume(&stack)).await;

    let resumed = |answer: &Value| answer["resumed"].as_array().unwrap().len();
    let times = resumed(&answers.0) + resumed(&answers.1);
    assert_eq!(order.settled(&stack).await["status"], "CONFIRMED");
    if stack.is_express() {
        // Nobody can ask whether such a saga is under way, so each who asks for it may have it run. It sells once.
        assert!((1..=2).contains(&times), "{answers:?}");
    } else {
        assert_eq!(times, 1, "{answers:?}");
        assert_eq!(order.runs(&stack).await, [format!("{}-1", order.id)]);
    }
    stack.assert_figures_agree(&[&order.sku]).await;
}

#[tokio::test]
async fn who_is_not_answered_that_they_took_an_order_on_resumes_it_all_the_same() {
    let stack = Stack::connect().await;
    let order = Stuck::order(&stack).await;
    let lost = Rule::write("resume-stuck-orders", &order.id, 0, Action::LoseAnswer);
    let lost = stack.faults().arm(lost).await;

    let answer = order.resume(&stack).await;

    assert_eq!(lost.disarm().await, 1);
    assert_eq!(answer, json!({"resumed": [order.id], "running": []}));
    assert_eq!(order.settled(&stack).await["status"], "CONFIRMED");
    stack.assert_figures_agree(&[&order.sku]).await;
}

#[tokio::test]
async fn an_order_whose_saga_died_half_way_goes_on_and_is_charged_once() {
    let stack = Stack::connect().await;
    let order = Stuck::order(&stack).await;
    stack.answer_of("reserve-stock", &order.reserve()).await;
    stack.answer_of("charge-payment", &order.charge()).await;

    order.resume(&stack).await;

    assert_eq!(order.settled(&stack).await["status"], "CONFIRMED");
    assert_eq!(stack.gateway.books().await.intents_for(&order.id).len(), 1);
    assert_eq!(stack.available(&order.sku).await, 2);
    stack.assert_figures_agree(&[&order.sku]).await;
}

#[tokio::test]
async fn an_order_that_was_abandoned_is_only_undone() {
    let stack = Stack::connect().await;
    let order = Stuck::order(&stack).await;
    stack.answer_of("reserve-stock", &order.reserve()).await;
    let abandon = json!({"order_id": order.id, "reason": "payment-unavailable"});
    stack.answer_of("abandon-order", &abandon).await;
    assert_eq!(stack.available(&order.sku).await, 2);

    let answer = order.resume(&stack).await;

    assert_eq!(answer, json!({"resumed": [order.id], "running": []}));
    let settled = order.settled(&stack).await;
    assert_eq!(settled["status"], "REJECTED");
    assert_eq!(settled["reason"], "payment-unavailable");
    assert_eq!(
        story_of(&settled),
        ["order.placed", "stock.released", "order.rejected"]
    );
    assert_eq!(stack.available(&order.sku).await, 3, "the units are back");
    let books = stack.gateway.books().await;
    assert!(
        books.intents_for(&order.id).is_empty(),
        "nobody was charged first"
    );
    assert!(order.runs(&stack).await.is_empty(), "nobody tried to sell");
    stack.assert_figures_agree(&[&order.sku]).await;
}

#[tokio::test]
async fn a_cancellation_that_died_is_carried_through() {
    let stack = Stack::connect().await;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(1250, 3).await);
    let order = stack.buy(&buyer, &order_of(&[(&sku, 1)], GOOD_CARD)).await;
    let id = order["id"].as_str().unwrap().to_owned();
    stack.saga_ends_well(&id).await;
    let order = Stuck { id, buyer, sku };
    // What `cancel-order` writes, without the event that its saga begins with.
    let mut item = order.item(&stack).await;
    item["status"] = json!("CANCELLING");
    item["reason"] = json!("cancelled-by-customer");
    stack.write_item("ORDERS_TABLE", &item).await;
    stack.leave_open(&order.id, NOT_YET).await;

    let answer = order.resume(&stack).await;

    assert_eq!(answer, json!({"resumed": [order.id], "running": []}));
    let settled = order.settled(&stack).await;
    assert_eq!(settled["status"], "CANCELLED");
    assert_eq!(settled["payment_status"], "REFUNDED");
    assert_eq!(stack.available(&order.sku).await, 3);
    stack.assert_figures_agree(&[&order.sku]).await;
}

#[tokio::test]
async fn an_order_that_waits_for_its_customer_waits_on_whoever_looks_after_it() {
    let stack = Stack::connect().await;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(1250, 3).await);
    let card = stack.three_d_secure_card().await;
    let id = stack.place(&buyer, &order_of(&[(&sku, 1)], &card)).await;
    let secret = stack.client_secret(&buyer, &id).await;
    let order = Stuck { id, buyer, sku };

    for _ in 0..2 {
        let answer = order.resume(&stack).await;
        if stack.is_express() {
            // It is not under way while it waits. Run again, it comes to the same point, and waits on.
            assert_eq!(answer, json!({"resumed": [order.id], "running": []}));
        } else {
            assert_eq!(answer, json!({"resumed": [], "running": [order.id]}));
            assert_eq!(order.runs(&stack).await, [&*order.id]);
        }
    }
    assert_eq!(order.read(&stack).await["status"], "PENDING");

    assert_eq!(stack.gateway.authenticate(&secret, true).await, 200);
    assert_eq!(order.settled(&stack).await["status"], "CONFIRMED");
    stack.assert_figures_agree(&[&order.sku]).await;
}

#[tokio::test]
async fn an_order_that_has_ended_is_not_looked_after() {
    let stack = Stack::connect().await;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(1250, 3).await);
    let confirmed = stack.buy(&buyer, &order_of(&[(&sku, 1)], GOOD_CARD)).await;
    let rejected = stack.buy(&buyer, &order_of(&[(&sku, 1)], BAD_CARD)).await;
    let cancelled = stack.buy(&buyer, &order_of(&[(&sku, 1)], GOOD_CARD)).await;
    let id = cancelled["id"].as_str().unwrap();
    stack.cancel(&buyer, id).await.expect(202);
    let cancelled = stack.settled(&buyer, id).await;

    for (order, status) in [
        (confirmed, "CONFIRMED"),
        (rejected, "REJECTED"),
        (cancelled, "CANCELLED"),
    ] {
        assert_eq!(order["status"], status);
        let id = order["id"].as_str().unwrap();
        let item = stack.item("ORDERS_TABLE", &format!("ORDER#{id}")).await;
        let item = item.expect("the order");
        assert_eq!(item["open"], Value::Null, "{status}: not in the index");
        assert_eq!(item["due_at"], Value::Null, "{status}: not in the index");
        assert_not_open(&stack, id).await;
        let after = stack.item("ORDERS_TABLE", &format!("ORDER#{id}")).await;
        assert_eq!(after, Some(item));
    }
    assert_not_open(&stack, &Uuid::new_v4().to_string()).await;
    stack.assert_figures_agree(&[&sku]).await;
}

#[tokio::test]
async fn a_parked_order_says_so_and_waits_for_a_person() {
    let stack = Stack::connect().await;
    let order = Stuck::order(&stack).await;
    let seen = order.read(&stack).await;
    assert_eq!(seen["needs_attention"], Value::Null);
    assert_ne!(order.item(&stack).await["open"], Value::Null);

    for _ in 0..2 {
        order.park(&stack).await;
    }

    let seen = order.read(&stack).await;
    assert_eq!(seen["status"], "PENDING");
    assert_eq!(seen["needs_attention"], true);
    let item = order.item(&stack).await;
    assert_eq!(item["open"], Value::Null, "no longer in the index");
    assert_eq!(
        (&item["parked"]["state"], &item["parked"]["error"]),
        (&json!("RefundPayment"), &json!("Internal"))
    );

    let answer = order.resume(&stack).await;
    assert_eq!(answer, json!({"resumed": [order.id], "running": []}));
    let settled = order.settled(&stack).await;
    assert_eq!(settled["status"], "CONFIRMED");
    assert_eq!(settled["needs_attention"], Value::Null);
    let late = stack.error_of("park-order", &order.parking()).await;
    assert_eq!(late, "OrderNotPending", "it has ended");
    stack.assert_figures_agree(&[&order.sku]).await;
}

#[tokio::test]
async fn a_parked_order_that_its_customer_cancels_needs_nobody_any_more() {
    let stack = Stack::connect().await;
    let order = Stuck::order(&stack).await;
    order.park(&stack).await;

    let cancelled = stack.cancel(&order.buyer, &order.id).await.expect(202);
    assert_eq!(cancelled.json()["needs_attention"], Value::Null);

    assert_eq!(order.settled(&stack).await["status"], "CANCELLED");
    stack.assert_figures_agree(&[&order.sku]).await;
}

/// The only test that has all orders looked after which are due: what it leaves to the schedule, nobody
/// else may find first.
#[tokio::test]
async fn due_orders_are_found_by_the_schedule_and_run_once_however_many_look() {
    let stack = Stack::connect().await;

    let order = Stuck::order(&stack).await;
    stack.leave_open(&order.id, LONG_AGO).await;
    eventually("the schedule finds it", A_MINUTE_AND_MORE, async || {
        let order = order.read(&stack).await;
        if order["status"] == "CONFIRMED" {
            Ok(())
        } else {
            Err(order.to_string())
        }
    })
    .await;
    assert_eq!(order.item(&stack).await["resumes"], 1);

    let (order, parked, later) = (
        Stuck::order(&stack).await,
        Stuck::order(&stack).await,
        Stuck::order(&stack).await,
    );
    parked.park(&stack).await;
    let mut item = parked.item(&stack).await;
    item["due_at"] = json!(LONG_AGO);
    stack.write_item("ORDERS_TABLE", &item).await;
    stack.leave_open(&order.id, LONG_AGO).await;
    let all = json!({});
    let (one, other) = join(
        stack.answer_of("resume-stuck-orders", &all),
        stack.answer_of("resume-stuck-orders", &all),
    )
    .await;

    let settled = order.settled(&stack).await;
    assert_eq!(settled["status"], "CONFIRMED");
    stack.assert_figures_agree(&[&order.sku]).await;
    assert_eq!(order.item(&stack).await["resumes"], 1, "{one} {other}");
    let runs = order.runs(&stack).await;
    assert_eq!(runs.len(), 1, "{runs:?}");
    for passed_over in [&parked, &later] {
        for answer in [&one, &other] {
            let listed = answer.to_string().contains(&passed_over.id);
            assert!(!listed, "{answer}");
        }
        assert!(passed_over.runs(&stack).await.is_empty());
        passed_over.resume(&stack).await;
        passed_over.settled(&stack).await;
    }
}

async fn assert_not_open(stack: &Stack, order_id: &str) {
    let resume = json!({"order_id": order_id});
    let refused = stack.error_of("resume-stuck-orders", &resume).await;
    assert_eq!(refused, "OrderNotOpen");
}

/// An order of one of three units at 12.50 EUR that is open, and that no saga ends.
struct Stuck {
    id: String,
    buyer: Person,
    sku: String,
}

impl Stuck {
    /// One whose saga has never begun. It is not due yet.
    async fn order(stack: &Stack) -> Self {
        let [id, customer] = [(); 2].map(|()| Uuid::new_v4().to_string());
        let buyer = stack.customer_with_id(&customer).await;
        let sku = stack.new_product(1250, 3).await;
        stack.place_silently(&id, &customer, &sku).await;
        stack.leave_open(&id, NOT_YET).await;
        Self { id, buyer, sku }
    }

    /// Has it looked after as an operator does, by its id.
    async fn resume(&self, stack: &Stack) -> Value {
        stack.resume(&self.id).await
    }

    async fn settled(&self, stack: &Stack) -> Value {
        stack.settled(&self.buyer, &self.id).await
    }

    async fn read(&self, stack: &Stack) -> Value {
        stack.order(&self.buyer, &self.id).await.expect(200).json()
    }

    async fn item(&self, stack: &Stack) -> Value {
        let key = format!("ORDER#{}", self.id);
        stack.item("ORDERS_TABLE", &key).await.expect("the order")
    }

    /// The names of the executions that were to sell it.
    async fn runs(&self, stack: &Stack) -> Vec<String> {
        let executions = stack.executions_of(&self.id).await;
        executions.into_iter().map(|(name, _)| name).collect()
    }

    async fn park(&self, stack: &Stack) {
        assert_eq!(
            stack.answer_of("park-order", &self.parking()).await,
            json!({})
        );
    }

    fn parking(&self) -> Value {
        json!({"order_id": self.id, "state": "RefundPayment", "error": "Internal"})
    }

    fn reserve(&self) -> Value {
        json!({"order_id": self.id, "lines": [{"sku": self.sku, "quantity": 1}], "expected_total": null})
    }

    fn charge(&self) -> Value {
        json!({
            "order_id": self.id,
            "customer_id": self.buyer.id,
            "amount": euro_cents(1250),
            "payment_method": GOOD_CARD,
        })
    }
}
