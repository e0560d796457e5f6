//! What the functions write down: lines that say whose they are, and of nobody's secrets, and metrics that CloudWatch
//! can read.

use oxcart_tests::{
    aftersales::refund_of,
    eventually::{PATIENCE, eventually},
    logs::{Recorded, log_time, read_line, recorded_by},
    shop::{BAD_CARD, GOOD_CARD, PASSWORD, Person, euro_cents, new_key, new_user, order_of},
    stack::Stack,
    webhooks::failed_refund_of,
    workspace,
};
use serde_json::{Value, json};
use uuid::Uuid;

/// The functions that take part in what becomes of an order, each of them in the trace of the request that began it.
const IN_THE_WAY_OF_AN_ORDER: [&str; 14] = [
    "place-order",
    "cancel-order",
    "request-refund",
    "start-order-saga",
    "reserve-stock",
    "charge-payment",
    "confirm-order",
    "abandon-order",
    "refund-payment",
    "release-stock",
    "reject-order",
    "park-order",
    "make-refund",
    "receive-webhook",
];

/// How long a saga takes at most, in milliseconds.
const LONGEST: u64 = 10 * 60_000;

#[tokio::test]
async fn what_becomes_of_orders_is_counted_once() {
    let stack = Stack::connect().await;
    let (buyer, support) = (stack.new_customer().await, stack.support().await);
    let sku = stack.new_product(500, 5).await;
    let since = log_time();
    let key = new_key();

    let sold = Trace::new();
    let order = order_of(&[(&sku, 2)], GOOD_CARD);
    let placed = sold.places(&stack, &buyer, &key, &order).await;
    let id = placed["id"].as_str().unwrap();
    assert_eq!(stack.settled(&buyer, id).await["status"], "CONFIRMED");
    let found = sold
        .records(
            &stack,
            since,
            &[
                ("OrdersPlaced", None, 1),
                ("OrdersConfirmed", None, 0),
                ("PaymentsCharged", None, 1),
                ("OrdersConfirmed", None, 1),
                ("Revenue", Some(("Currency", "EUR")), 1000),
                ("SagaDuration", Some(("Outcome", "CONFIRMED")), LONGEST),
            ],
        )
        .await;
    assert!(
        found
            .iter()
            .all(|of| of.name != "SagaDuration" || of.value > 0)
    );

    let replayed = Trace::new();
    replayed.places(&stack, &buyer, &key, &order).await;
    let repeated = ("IdempotentReplays", Some(("Operation", "place-order")), 1);
    replayed.records(&stack, since, &[repeated]).await;

    let declined = Trace::new();
    let order = order_of(&[(&sku, 1)], BAD_CARD);
    let placed = declined.places(&stack, &buyer, &new_key(), &order).await;
    let rejected = placed["id"].as_str().unwrap();
    assert_eq!(stack.settled(&buyer, rejected).await["status"], "REJECTED");
    declined
        .records(
            &stack,
            since,
            &[
                ("OrdersPlaced", None, 1),
                ("PaymentsDeclined", None, 1),
                ("OrdersRejected", Some(("Reason", "payment-declined")), 1),
                ("SagaDuration", Some(("Outcome", "REJECTED")), LONGEST),
            ],
        )
        .await;

    let short = Trace::new();
    let order = order_of(&[(&sku, 6)], GOOD_CARD);
    short.places(&stack, &buyer, &new_key(), &order).await;
    short
        .records(
            &stack,
            since,
            &[
                ("OrdersPlaced", None, 1),
                ("StockOuts", None, 1),
                ("OrdersRejected", Some(("Reason", "out-of-stock")), 1),
                ("SagaDuration", Some(("Outcome", "REJECTED")), LONGEST),
            ],
        )
        .await;

    let late = Trace::new();
    let cancel = |id: &str| {
        let call = stack.api.post(&format!("/orders/{id}/cancel"));
        call.bearer(&buyer.token)
    };
    late.follows(cancel(rejected)).send().await.expect(409);
    let refused = ("Conflicts", Some(("Operation", "cancel-order")), 1);
    late.records(&stack, since, &[refused]).await;

    let refunded = Trace::new();
    let refund = stack.refund_call(&support, id, &new_key(), &refund_of(300, "chipped"));
    refunded.follows(refund).send().await.expect(202);
    let euros = Some(("Currency", "EUR"));
    refunded
        .records(
            &stack,
            since,
            &[("Refunds", None, 1), ("RefundedAmount", euros, 300)],
        )
        .await;

    let cancelled = Trace::new();
    cancelled.follows(cancel(id)).send().await.expect(202);
    cancelled
        .records(
            &stack,
            since,
            &[
                ("Refunds", None, 1),
                ("RefundedAmount", euros, 700),
                ("OrdersCancelled", None, 1),
                ("SagaDuration", Some(("Outcome", "CANCELLED")), LONGEST),
            ],
        )
        .await;
}

#[tokio::test]
async fn a_refund_that_failed_later_is_counted_once_if_money_is_missing() {
    let stack = Stack::connect().await;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(500, 5).await);
    let since = log_time();
    let sold = stack.buy(&buyer, &order_of(&[(&sku, 2)], GOOD_CARD)).await;
    let payment = stack.payment_record(text(&sold["id"])).await;
    let payment = payment.expect("a record");
    let intent = text(&payment["intent_id"]);
    let ring = async |event: &Value| {
        let ringing = Trace::new();
        let rung = ringing.follows(stack.webhook(event)).send().await;
        rung.expect(204);
        ringing
    };

    let as_it_should_be = ring(&failed_refund_of(intent)).await;

    let id = Uuid::new_v4().to_string();
    let believed = async |status: &str| {
        let part = json!({
            "amount": euro_cents(300),
            "reason": "chipped",
            "status": status,
            "created_at": payment["created_at"],
        });
        let mut believed = payment.clone();
        believed["refunds"] = json!({id.as_str(): part});
        stack.write_item("PAYMENTS_TABLE", &believed).await;
    };
    let failed = failed_refund_of(intent);
    // It may be the one that is being made, so the gateway is to ring again.
    believed("PENDING").await;
    stack
        .webhook(&failed)
        .send()
        .await
        .problem(503, "unavailable");
    believed("DONE").await;
    let missing = ring(&failed).await;
    missing
        .records(&stack, since, &[("RefundsFailed", None, 1)])
        .await;
    let repeated = ring(&failed).await;
    stack.write_item("PAYMENTS_TABLE", &payment).await;
    for none in [as_it_should_be, repeated] {
        let lines = none.lines(&stack, "receive-webhook", since).await;
        assert!(
            lines.iter().all(|line| line["RefundsFailed"].is_null()),
            "{lines:?}"
        );
    }
    stack.assert_figures_agree(&[&sku]).await;
}

#[tokio::test]
async fn the_relay_and_the_recovery_are_measured() {
    let stack = Stack::connect().await;
    let since = log_time();
    stack.new_product(500, 0).await;
    stack.answer_of("resume-stuck-orders", &json!({})).await;

    for (function, names) in [
        ("relay-events", ["EventsRelayed", "RelayLag"].as_slice()),
        ("resume-stuck-orders", &["OrdersStuck"]),
    ] {
        let what = format!("{function} records {names:?}");
        eventually(&what, PATIENCE, async || {
            let found = stack.recorded(function, since, "_aws").await;
            let has = |name: &str| found.iter().any(|recorded| recorded.name == name);
            if names.iter().all(|name| has(name)) {
                Ok(())
            } else {
                Err(format!("{found:?}"))
            }
        })
        .await;
    }
}

#[tokio::test]
async fn every_line_says_whose_it_is_and_nobodys_secrets() {
    let stack = Stack::connect().await;
    let since = log_time();
    let user = new_user();
    let session = stack.first_session(&user).await;
    let (token, email) = (text(&session["access_token"]), text(&user["email"]));
    let sku = stack.new_product(500, 5).await;
    let (bought, looked) = (Trace::new(), Trace::new());
    let read = looked.follows(stack.api.get(&format!("/products/{sku}")));
    read.send().await.expect(200);
    let order = order_of(&[(&sku, 1)], GOOD_CARD);
    let call = stack.api.post("/orders").bearer(token).key(&new_key());
    let placed = bought.follows(call.json(&order)).send().await;
    let placed = placed.expect(202).json();
    let id = text(&placed["id"]);

    // The last step has logged, so all have.
    for function in [
        "place-order",
        "start-order-saga",
        "reserve-stock",
        "charge-payment",
        "confirm-order",
    ] {
        for line in bought.lines(&stack, function, since).await {
            assert_says_whose(&stack, function, &line, &bought);
            if line.get("_aws").is_none() {
                assert_eq!(line["span"]["order_id"], id, "{line}");
            }
        }
    }
    for line in bought.lines(&stack, "place-order", since).await {
        if line.get("_aws").is_none() {
            assert!(line["span"]["user_id"].is_string(), "{line}");
        }
    }
    for line in looked.lines(&stack, "get-product", since).await {
        assert_says_whose(&stack, "get-product", &line, &looked);
        assert_eq!(line["span"]["sku"], sku, "{line}");
        if line["message"] == "invocation ended" {
            assert_eq!(line["status"], 200, "{line}");
        }
    }

    let functions = workspace::files("events", "json");
    for function in functions.iter().map(|file| workspace::stem(file)) {
        for line in stack.log_lines(&function, since, "").await {
            let read = read_line(&line);
            if recorded_by(&read).is_none() {
                for field in ["timestamp", "level", "message"] {
                    assert!(read[field].is_string(), "{function}: no {field}: {line}");
                }
            }
            let secrets = [PASSWORD, token, email, text(&session["refresh_token"])];
            for secret in secrets.into_iter().chain([GOOD_CARD, BAD_CARD]) {
                assert!(!line.contains(secret), "{function} tells {secret}: {line}");
            }
        }
    }
}

/// A metric, its dimension with that one's value, and its own value.
type Expected<'e> = (&'e str, Option<(&'e str, &'e str)>, u64);

/// What happens because of one request.
struct Trace(String);

impl Trace {
    fn new() -> Self {
        Self(Uuid::new_v4().simple().to_string())
    }

    /// The request that begins it.
    fn follows(&self, call: oxcart_tests::api::Call) -> oxcart_tests::api::Call {
        let traceparent = format!("00-{}-b7ad6b7169203331-01", self.0);
        call.header("traceparent", &traceparent)
    }

    /// Places an order in it.
    async fn places(&self, stack: &Stack, buyer: &Person, key: &str, order: &Value) -> Value {
        let call = self.follows(stack.order_call(buyer, key, order));
        call.send().await.expect(202).json()
    }

    /// Waits until these metrics were recorded for it, each as often as it is listed, and answers them. The value of a
    /// duration is what it may come to at most. Other metrics tell of what befell the stack meanwhile.
    async fn records(&self, stack: &Stack, since: i64, expected: &[Expected<'_>]) -> Vec<Recorded> {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let mut expected: Vec<Recorded> = expected
            .iter()
            .map(|(name, by, value)| Recorded {
                name: (*name).to_owned(),
                by: by.map(owned),
                value: *value,
            })
            .collect();
        expected.sort();
        eventually(&format!("{expected:?}"), PATIENCE, async || {
            let mut found = Vec::new();
            for function in IN_THE_WAY_OF_AN_ORDER {
                found.extend(stack.recorded(function, since, &self.0).await);
            }
            found.retain(|found| expected.iter().any(|of| of.name == found.name));
            found.sort();
            let fits = |(found, expected): (&Recorded, &Recorded)| {
                let same = (&found.name, &found.by) == (&expected.name, &expected.by);
                let duration = found.name == "SagaDuration" && found.value <= expected.value;
                same && (found.value == expected.value || duration)
            };
            let all = found.len() == expected.len() && found.iter().zip(&expected).all(fits);
            if all {
                Ok(found)
            } else {
                Err(format!("{found:?}"))
            }
        })
        .await
    }

    /// What a function has logged in it, once that is there.
    async fn lines(&self, stack: &Stack, function: &str, since: i64) -> Vec<Value> {
        let what = format!("{function} has logged");
        eventually(&what, PATIENCE, async || {
            let lines = stack.log_lines(function, since, &self.0).await;
            let lines: Vec<Value> = lines.iter().map(|line| read_line(line)).collect();
            let ended = |line: &Value| line["message"] == "invocation ended";
            if lines.iter().any(ended) {
                Ok(lines)
            } else {
                Err(format!("{lines:?}"))
            }
        })
        .await
    }
}

/// Fails the test unless a line names its function, its invocation and its trace.
fn assert_says_whose(stack: &Stack, function: &str, line: &Value, trace: &Trace) {
    let is_metric = recorded_by(line).is_some();
    let says = if is_metric { line } else { &line["span"] };
    assert_eq!(says["function"], stack.function(function), "{line}");
    assert_eq!(says["trace_id"], trace.0, "{line}");
    let request_id = says["request_id"].as_str().unwrap_or_default();
    assert!(!request_id.is_empty(), "{line}");
    assert!(is_metric || says["cold_start"].is_boolean(), "{line}");
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}
