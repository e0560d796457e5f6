//! What an operator types at 3 a.m.: the program behind `cargo xtask ops`, run against the stack. Every test names its
//! own orders, products and messages, so that none hides or moves what another one waits for.

mod books;
mod program;
mod queues;

use oxcart_tests::{
    eventually::{PATIENCE, eventually},
    shop::{BAD_CARD, Person, order_of},
    stack::Stack,
};
use serde_json::{Value, json};
use uuid::Uuid;

use self::{
    program::ops,
    queues::{full_name, redriven, shown},
};

/// A time at which no test is run any more: the order is open, and its turn is not yet.
const NOT_YET: &str = "2126-01-02T03:04:05.678Z";
/// A time that is over.
const LONG_AGO: &str = "2026-01-02T03:09:05.678Z";
/// More messages, and more orders, than the tests leave behind.
const ALL: [&str; 2] = ["--limit", "1000"];

#[tokio::test]
async fn an_order_that_was_declined_shows_how_it_was_undone_in_the_order_of_time() {
    let stack = Stack::connect().await;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(1250, 3).await);
    let order = stack.buy(&buyer, &order_of(&[(&sku, 1)], BAD_CARD)).await;
    let id = order["id"].as_str().unwrap();
    stack.saga_ends_well(id).await;

    let report = ops(&stack, &["order", id, "--json"]).json();

    assert_eq!(report["order"]["status"], "REJECTED");
    assert_eq!(report["payment"]["status"], "DECLINED");
    assert_eq!(report["gateway"]["asked"], "yes", "{}", report["gateway"]);
    assert_eq!(report["runs_forgotten"], stack.is_express());
    if stack.is_express() {
        assert_eq!(report["runs"], json!([]));
    } else {
        assert_eq!(report["runs"][0]["status"], "SUCCEEDED");
    }
    let story = report["story"].as_array().unwrap();
    let times: Vec<&str> = story
        .iter()
        .map(|told| told["at"].as_str().unwrap())
        .collect();
    assert!(times.is_sorted(), "{times:?}");
    assert_in_this_order(
        &stack,
        story,
        &[
            ("orders", "order.placed"),
            ("order-saga", "starts"),
            ("order-saga", "ReserveStock entered"),
            ("inventory", "stock.reserved"),
            ("order-saga", "ChargePayment entered"),
            ("payments", "12.50 EUR to be charged"),
            ("payments", "payment.declined: card_declined"),
            (
                "order-saga",
                "ChargePayment attempt 1 failed: PaymentDeclined",
            ),
            ("order-saga", "AbandonOrder entered"),
            ("order-saga", "RefundPayment entered"),
            ("order-saga", "ReleaseStock entered"),
            ("inventory", "stock.released"),
            ("order-saga", "RejectOrder entered"),
            ("orders", "order.rejected"),
            ("order-saga", "SUCCEEDED"),
        ],
    );

    let text = ops(&stack, &["order", id]).text();
    let forgotten = "its runs leave no history";
    assert_eq!(text.contains(forgotten), stack.is_express(), "{text}");
    for shown in [
        "REJECTED: payment-declined",
        "card_declined",
        "+0.000 s",
        "stock.released",
    ] {
        assert!(text.contains(shown), "no {shown} in:\n{text}");
    }
    for hidden in [BAD_CARD, "\u{1b}["] {
        assert!(!text.contains(hidden), "{hidden:?} in:\n{text}");
    }
}

#[tokio::test]
async fn an_order_shows_all_runs_of_both_its_sagas() {
    let stack = Stack::connect().await;
    let order = Planted::open(&stack, NOT_YET).await;

    let resumed = ops(&stack, &["resume", &order.id]);
    assert_eq!(resumed.text(), "The order's saga runs again.\n");
    assert_eq!(order.settled(&stack).await["status"], "CONFIRMED");
    stack.cancel(&order.buyer, &order.id).await.expect(202);
    eventually("it is cancelled", PATIENCE, async || {
        let order = stack
            .order(&order.buyer, &order.id)
            .await
            .expect(200)
            .json();
        match order["status"].as_str() {
            Some("CANCELLED") => Ok(()),
            _ => Err(order.to_string()),
        }
    })
    .await;

    let report = ops(&stack, &["order", &order.id, "--json"]).json();
    let runs = report["runs"].as_array().unwrap();
    let runs: Vec<(&str, &str)> = runs
        .iter()
        .map(|run| (run["saga"].as_str().unwrap(), run["name"].as_str().unwrap()))
        .collect();
    let again = format!("{}-1", order.id);
    if stack.is_express() {
        assert!(runs.is_empty(), "{runs:?}");
    } else {
        assert_eq!(runs, [("order", &*again), ("cancellation", &*order.id)]);
    }
    assert_in_this_order(
        &stack,
        report["story"].as_array().unwrap(),
        &[
            ("order-saga", "starts again, run 1"),
            ("orders", "order.confirmed"),
            ("orders", "order.cancellation-requested"),
            ("cancellation-saga", "RefundPayment entered"),
            ("payments", "payment.refunded"),
            ("inventory", "stock.released"),
            ("orders", "order.cancelled"),
        ],
    );
    assert_eq!(report["gateway"]["refunds"][0]["amount"], 1250);

    let ended = ops(&stack, &["resume", &order.id]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert_eq!(ended.stdout, "There is no such order that is open.\n");
    stack.assert_figures_agree(&[&order.sku]).await;
}

#[tokio::test]
async fn what_there_is_not_is_said_so() {
    let stack = Stack::connect().await;
    let id = Uuid::new_v4().to_string();

    let order = ops(&stack, &["order", &id]);
    assert_eq!(order.code, 1, "{order:?}");
    assert!(
        order.stderr.contains(&format!("no order {id}")),
        "{order:?}"
    );

    let queue = ops(&stack, &["dlq", "show", "lost-and-found"]);
    assert_eq!(queue.code, 1, "{queue:?}");
    let other = full_name(&stack, "refunds-dlq");
    assert!(queue.stderr.contains(&other), "{queue:?}");

    let other = ops(&stack, &["stuck", "--stack-name", "elsewhere"]);
    assert_eq!(other.code, 1, "{other:?}");
    assert!(other.stderr.contains("elsewhere"), "{other:?}");
}

#[tokio::test]
async fn stuck_orders_are_listed_with_what_is_wrong_with_them() {
    let stack = Stack::connect().await;
    let waiting = Planted::open(&stack, NOT_YET).await;
    let parked = Planted::open(&stack, NOT_YET).await;
    parked.park(&stack).await;

    // The schedule may find an overdue order first, once a minute.
    let (mut tries, mut orders) = (0, Vec::new());
    let overdue = loop {
        let overdue = Planted::open(&stack, LONG_AGO).await;
        orders.push(overdue);
        let report = ops(&stack, &["stuck", "--json", ALL[0], ALL[1]]).json();
        let id = &orders.last().unwrap().id;
        let found = |id: &str| find(&report["orders"], "id", id);
        if let (Some(overdue), Some(waiting), Some(parked)) =
            (found(id), found(&waiting.id), found(&parked.id))
        {
            assert_eq!(waiting["state"], "in-time", "{waiting}");
            assert_eq!(parked["state"], "parked", "{parked}");
            assert_eq!(overdue["saga"], Value::Null, "{overdue}");
            if overdue["state"] == "overdue" {
                break overdue.clone();
            }
        }
        tries += 1;
        assert!(tries < 5, "an overdue order is listed: {report}");
    };
    assert_eq!(overdue["status"], "PENDING");
    assert_eq!(overdue["due_at"], LONG_AGO);
    assert_eq!(overdue["resumes"], 0);
    assert!(overdue["age_seconds"].as_u64().unwrap() > 0);
    let text = ops(&stack, &["stuck", ALL[0], ALL[1]]).text();
    assert!(text.contains(&waiting.id), "{text}");

    for order in orders.iter().chain([&waiting]) {
        // By now the schedule may have been at it.
        ops(&stack, &["resume", &order.id]);
        assert_eq!(order.settled(&stack).await["status"], "CONFIRMED");
    }
    redrive_parked_order(&stack, &parked).await;
}

/// The message that tells of a parked order resumes it, and is gone then.
async fn redrive_parked_order(stack: &Stack, parked: &Planted) {
    let shown = shown(stack, "saga-parked", &parked.id).await;
    assert_eq!(shown["type"], "parked-order", "{shown}");
    assert_eq!(shown["cause"], "RefundPayment kept failing with Internal");
    let message = shown["id"].as_str().unwrap();

    let done = redriven(stack, "saga-parked", message).await;
    assert_eq!(
        (&done["gone"], &done["what"]),
        (&json!(true), &json!("resumed"))
    );
    assert_eq!(parked.settled(stack).await["status"], "CONFIRMED");
}

/// An order of one of three units at 12.50 EUR that is open, and whose saga has not begun.
struct Planted {
    id: String,
    buyer: Person,
    sku: String,
}

impl Planted {
    async fn open(stack: &Stack, due_at: &str) -> Self {
        let [id, customer] = [(); 2].map(|()| Uuid::new_v4().to_string());
        let buyer = stack.customer_with_id(&customer).await;
        let sku = stack.new_product(1250, 3).await;
        stack.place_silently(&id, &customer, &sku).await;
        stack.leave_open(&id, due_at).await;
        Self { id, buyer, sku }
    }

    /// Leaves it to a person, as its saga does when nothing helps.
    async fn park(&self, stack: &Stack) {
        let failure = json!({"order_id": self.id, "state": "RefundPayment", "error": "Internal"});
        stack.answer_of("park-order", &failure).await;
        let mut message = failure;
        message["execution_arn"] =
            json!("arn:aws:states:us-east-1:0:execution:oxcart-order-saga:1");
        stack
            .send_messages("PARKED_ORDERS_QUEUE_URL", &[message.to_string()])
            .await;
    }

    async fn settled(&self, stack: &Stack) -> Value {
        stack.settled(&self.buyer, &self.id).await
    }
}

fn find(list: &Value, name: &str, value: &str) -> Option<Value> {
    let mut list = list.as_array().expect("a list").iter();
    list.find(|element| element[name] == value).cloned()
}

/// Checks that a story tells these things one after the other, whatever else it tells in between. What the
/// sagas themselves tell of is missing where they are Express ones.
fn assert_in_this_order(stack: &Stack, story: &[Value], wanted: &[(&str, &str)]) {
    let mut told = story.iter();
    let forgotten = |place: &str| stack.is_express() && place.ends_with("-saga");
    for (place, what) in wanted.iter().filter(|(place, _)| !forgotten(place)) {
        let is_it = |told: &Value| {
            told["place"] == *place
                && told["what"]
                    .as_str()
                    .is_some_and(|told| told.starts_with(what))
        };
        assert!(
            told.any(is_it),
            "no {place}: {what} where it belongs in {story:#?}"
        );
    }
}
