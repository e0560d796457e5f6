//! `Prefer: wait`: one request that is answered when the order has come to rest, instead of many that ask
//! whether it has.

use std::time::Duration;

use futures::future::{join, join_all};
use oxcart_tests::{
    api::{Answer, Call},
    eventually::{PATIENCE, eventually},
    faults::{Action, Armed, Rule},
    shop::{BAD_CARD, GOOD_CARD, Person, new_key, new_sku, order_id, order_of},
    stack::Stack,
};
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

/// The longest that anybody waits.
const LONGEST: Duration = Duration::from_secs(20);
/// How often an order is read at most in that time.
const READS: usize = 16;

#[tokio::test]
async fn placing_an_order_answers_how_it_ended_to_who_waits() {
    let stack = Stack::connect().await;
    let (buyer, sku) = (
        stack.new_customer().await,
        stack.new_product(1250, 90).await,
    );

    for (card, status, reason) in [
        (GOOD_CARD, "CONFIRMED", Value::Null),
        (BAD_CARD, "REJECTED", json!("payment-declined")),
    ] {
        let (_, answer) = placed_and_at_rest(&stack, &buyer, &order_of(&[(&sku, 2)], card)).await;

        let order = answer.json();
        let id = order["id"].as_str().unwrap();
        assert_eq!(
            (&order["status"], &order["reason"]),
            (&json!(status), &reason)
        );
        assert_eq!(answer.header("Preference-Applied"), Some("wait=20"));
        let location = format!("/orders/{id}");
        assert_eq!(answer.header("Location"), Some(location.as_str()));
        assert_eq!(answer.header("Idempotent-Replay"), None);
        assert_eq!(answer.header("Cache-Control"), Some("no-store"));
        let read = stack.order(&buyer, id).await.expect(200).json();
        assert_eq!(order, read, "as the order is read");
    }
    stack.assert_figures_agree(&[&sku]).await;
}

#[tokio::test]
async fn placing_an_order_answers_at_once_to_who_does_not_wait() {
    let stack = Stack::connect().await;
    let buyer = stack.new_customer().await;
    let order = order_of(&[("no-such-thing", 1)], GOOD_CARD);

    for (preference, applied) in [
        (None, None),
        (Some("wait=0"), Some("wait=0")),
        (Some("respond-async"), None),
        (Some("wait=soon"), None),
    ] {
        let call = stack.order_call(&buyer, &new_key(), &order);
        let call = match preference {
            None => call,
            Some(preference) => call.header("Prefer", preference),
        };
        let answer = call.send().await.expect(202);
        assert_eq!(answer.json()["status"], "PENDING");
        assert_eq!(
            answer.header("Preference-Applied"),
            applied,
            "{preference:?}"
        );
    }
}

#[tokio::test]
async fn a_repeat_says_that_it_is_one_whether_it_waits_or_not() {
    let stack = Stack::connect().await;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(1250, 9).await);
    let (key, order) = (new_key(), order_of(&[(&sku, 1)], GOOD_CARD));
    let call = || stack.order_call(&buyer, &key, &order);
    let first = call().send().await.expect(202);
    let settled = stack.settled(&buyer, &order_id(&buyer.id, &key)).await;

    let waiting = waiting(call(), 20).send().await.expect(200);
    assert_eq!(waiting.json(), settled);
    let again = call().send().await.expect(202);
    assert_eq!(again.body, first.body, "byte for byte");
    assert_eq!(again.header("Preference-Applied"), None);
    for repeat in [&waiting, &again] {
        assert_eq!(repeat.header("Idempotent-Replay"), Some("true"));
        assert_eq!(repeat.header("Location"), first.header("Location"));
    }
    assert_eq!(waiting.header("Preference-Applied"), Some("wait=20"));
}

#[tokio::test]
async fn a_repeat_that_does_not_wait_gets_what_the_first_would_have_got_without() {
    let stack = Stack::connect().await;
    let (buyer, sku) = (
        stack.new_customer().await,
        stack.new_product(1250, 90).await,
    );
    let order = order_of(&[(&sku, 1)], GOOD_CARD);
    let (key, first) = placed_and_at_rest(&stack, &buyer, &order).await;
    let first = first.json();

    let repeats = join_all((0..2).map(|_| stack.order_call(&buyer, &key, &order).send())).await;
    for repeat in repeats {
        let repeat = repeat.expect(202);
        assert_eq!(repeat.header("Idempotent-Replay"), Some("true"));
        assert_eq!(
            repeat.json(),
            json!({
                "id": first["id"],
                "status": "PENDING",
                "lines": order["lines"],
                "created_at": first["created_at"],
            })
        );
    }
}

#[tokio::test]
async fn a_wait_changes_nothing_about_what_is_refused() {
    let stack = Stack::connect().await;
    let (buyer, other) = (stack.new_customer().await, stack.new_customer().await);
    let (key, order) = (new_key(), order_of(&[("no-such-thing", 1)], GOOD_CARD));
    stack
        .order_call(&buyer, &key, &order)
        .send()
        .await
        .expect(202);

    let changed = order_of(&[("no-such-thing", 2)], GOOD_CARD);
    let reused = waiting(stack.order_call(&buyer, &key, &changed), 20);
    let invalid = waiting(stack.order_call(&buyer, &new_key(), &json!({})), 20);
    let theirs = format!("/orders/{}", order_id(&buyer.id, &key));
    let nobodys = format!("/orders/{}", Uuid::new_v4());
    let [theirs, nobodys] = [theirs, nobodys].map(|path| {
        let call = stack.api.get(&path).bearer(&other.token);
        waiting(call, 20)
    });
    for (call, status, name) in [
        (reused, 422, "idempotency-key-reused"),
        (invalid, 422, "invalid-request"),
        (theirs, 404, "not-found"),
        (nobodys, 404, "not-found"),
    ] {
        let refusal = call.send().await;
        refusal.problem(status, name);
        assert_eq!(refusal.header("Preference-Applied"), None);
    }
}

#[tokio::test]
async fn reading_an_order_answers_when_it_has_come_to_rest() {
    let stack = Stack::connect().await;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(1250, 9).await);
    let key = new_key();
    let id = order_id(&buyer.id, &key);
    let held = hold_saga(&stack, &id).await;
    let order = order_of(&[(&sku, 1)], GOOD_CARD);
    let call = stack.order_call(&buyer, &key, &order);
    call.send().await.expect(202);
    held.wait_until_held().await;
    let pending = stack.order(&buyer, &id).await.expect(200);
    assert_eq!(pending.json()["status"], "PENDING");

    // The saga goes on once the order was looked at, so that the wait has begun.
    let looked_at = watch(&stack, "get-order", &id).await;
    let call = read_call(&stack, &buyer, &id);
    let call = call.header("If-None-Match", pending.header("ETag").unwrap());
    let release = async {
        looked_at.wait_until_hit().await;
        held.release().await;
    };
    let (first, ()) = join(waiting(call, 20).send(), release).await;

    // On a machine that is very busy, the first wait may be over too soon.
    let in_time = first.status == 200 && first.json()["status"] != "PENDING";
    let answer = if in_time {
        first
    } else {
        read_at_rest(&stack, &buyer, &id).await
    };
    let settled = answer.json();
    assert_eq!(settled["status"], "CONFIRMED", "{settled}");
    assert_eq!(answer.header("Preference-Applied"), Some("wait=20"));
    assert_ne!(answer.header("ETag"), pending.header("ETag"));
    let read = stack.order(&buyer, &id).await.expect(200);
    assert_eq!(read.json(), settled);
    assert_eq!(read.header("ETag"), answer.header("ETag"));
    stack.assert_figures_agree(&[&sku]).await;
}

#[tokio::test]
async fn an_order_that_is_being_cancelled_is_waited_for() {
    let stack = Stack::connect().await;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(1250, 9).await);
    let order = stack.buy(&buyer, &order_of(&[(&sku, 1)], GOOD_CARD)).await;
    let id = order["id"].as_str().unwrap();

    let cancelling = stack.cancel(&buyer, id).await.expect(202).json();
    assert_eq!(cancelling["status"], "CANCELLING");

    let cancelled = read_at_rest(&stack, &buyer, id).await.json();
    assert_eq!(cancelled["status"], "CANCELLED", "{cancelled}");
    stack.assert_figures_agree(&[&sku]).await;
}

#[tokio::test]
async fn who_has_waited_in_vain_is_told_how_the_order_stands() {
    let stack = Stack::connect().await;
    let (buyer, id) = an_order_that_nobody_sells(&stack).await;
    let read = || read_call(&stack, &buyer, &id);
    let pending = read().send().await.expect(200);
    let tag = pending.header("ETag").unwrap();

    for (call, status) in [(read(), 200), (read().header("If-None-Match", tag), 304)] {
        let began = Instant::now();
        let answer = waiting(call, 2).send().await.expect(status);
        let took = began.elapsed();

        assert!(took >= Duration::from_secs(2), "{took:?}");
        assert!(took < Duration::from_secs(10), "{took:?}");
        assert_eq!(answer.header("Preference-Applied"), Some("wait=2"));
        assert_eq!(answer.header("ETag"), Some(tag));
        let expected: &[u8] = if status == 200 { &pending.body } else { &[] };
        assert_eq!(answer.body, expected);
    }
}

#[tokio::test]
async fn an_order_that_does_not_end_in_time_is_answered_as_taken_down() {
    let stack = Stack::connect().await;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(1250, 9).await);
    let (key, order) = (new_key(), order_of(&[(&sku, 1)], GOOD_CARD));
    let id = order_id(&buyer.id, &key);
    let held = hold_saga(&stack, &id).await;

    let began = Instant::now();
    let call = waiting(stack.order_call(&buyer, &key, &order), 2);
    let answer = call.send().await.expect(202);
    let took = began.elapsed();

    assert!(took >= Duration::from_secs(2), "{took:?}");
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert_eq!(answer.header("Preference-Applied"), Some("wait=2"));
    let location = format!("/orders/{id}");
    assert_eq!(answer.header("Location"), Some(location.as_str()));
    assert_eq!(answer.header("Idempotent-Replay"), None);
    let again = stack.order_call(&buyer, &key, &order).send().await;
    assert_eq!(again.expect(202).body, answer.body, "byte for byte");

    held.release().await;
    assert_eq!(stack.settled(&buyer, &id).await["status"], "CONFIRMED");
    stack.assert_figures_agree(&[&sku]).await;
}

#[tokio::test]
async fn an_order_that_waits_for_its_customer_is_not_waited_for() {
    let stack = Stack::connect().await;
    let (buyer, sku) = (
        stack.new_customer().await,
        stack.new_product(1250, 90).await,
    );
    let order = order_of(&[(&sku, 1)], &stack.three_d_secure_card().await);

    let (_, placed) = placed_and_at_rest(&stack, &buyer, &order).await;

    let placed = placed.json();
    let id = placed["id"].as_str().unwrap();
    let next_action =
        json!({"type": "authenticate-payment", "payment": format!("/orders/{id}/payment")});
    let read = at_rest_at_once(&stack, &buyer, id).await.json();
    for order in [&placed, &read] {
        assert_eq!(order["status"], "PENDING", "{order}");
        assert_eq!(order["next_action"], next_action, "{order}");
    }

    stack.cancel(&buyer, id).await.expect(202);
    let cancelled = read_at_rest(&stack, &buyer, id).await.json();
    assert_eq!(cancelled["status"], "CANCELLED", "{cancelled}");
}

#[tokio::test]
async fn an_order_that_waits_for_somebody_of_the_shop_is_not_waited_for() {
    let stack = Stack::connect().await;
    let (buyer, id) = an_order_that_nobody_sells(&stack).await;
    let parking = json!({"order_id": id, "state": "RefundPayment", "error": "Internal"});
    assert_eq!(stack.answer_of("park-order", &parking).await, json!({}));

    let order = at_rest_at_once(&stack, &buyer, &id).await.json();

    assert_eq!(order["status"], "PENDING");
    assert_eq!(order["needs_attention"], true);
}

#[tokio::test]
async fn a_preference_is_taken_as_far_as_it_can_be_and_never_refused() {
    let stack = Stack::connect().await;
    let buyer = stack.new_customer().await;
    let settled = stack
        .buy(&buyer, &order_of(&[("no-such-thing", 1)], GOOD_CARD))
        .await;
    let id = settled["id"].as_str().unwrap();

    for (preference, applied) in [
        ("wait=0", Some("wait=0")),
        ("wait=7", Some("wait=7")),
        ("wait=20", Some("wait=20")),
        ("wait=21", Some("wait=20")),
        ("wait=999", Some("wait=20")),
        ("wait=99999999999999999999999", Some("wait=20")),
        ("Wait=7", Some("wait=7")),
        ("respond-async, wait=7", Some("wait=7")),
        ("wait=7, return=minimal", Some("wait=7")),
        ("wait=7, wait=3", Some("wait=7")),
        ("wait", None),
        ("wait=", None),
        ("wait=-1", None),
        ("wait=1.5", None),
        ("wait=soon", None),
        ("waiting=3", None),
        ("respond-async", None),
        ("", None),
    ] {
        let call = read_call(&stack, &buyer, id).header("Prefer", preference);
        let answer = call.send().await.expect(200);
        assert_eq!(
            answer.header("Preference-Applied"),
            applied,
            "{preference:?}"
        );
        assert_eq!(answer.json(), settled, "{preference:?}");
    }
}

#[tokio::test]
async fn a_long_wait_reads_the_order_a_few_times_only() {
    let stack = Stack::connect().await;
    let (buyer, id) = an_order_that_nobody_sells(&stack).await;
    let reads = watch(&stack, "get-order", &id).await;

    let began = Instant::now();
    let call = waiting(read_call(&stack, &buyer, &id), 20);
    let answer = call.send().await.expect(200);

    assert!(began.elapsed() >= LONGEST, "{:?}", began.elapsed());
    assert_eq!(answer.json()["status"], "PENDING");
    let calls = reads.calls().await;
    assert!(calls.iter().all(|call| call == "GetItem"), "{calls:?}");
    assert!(calls.len() > 1, "it can't have known without looking");
    assert!(calls.len() <= READS, "{} reads: {calls:?}", calls.len());
}

#[tokio::test]
async fn reads_that_hang_do_not_prolong_the_wait() {
    let stack = Stack::connect().await;
    let (buyer, id) = an_order_that_nobody_sells(&stack).await;
    // The first read is the answer's; those that come after it hang for longer than anybody may wait.
    let rule = Rule {
        skip: 1,
        ..every_call("get-order", &id, Action::HangAfter(LONGEST * 2))
    };
    let _armed = stack.faults().arm(rule).await;

    let began = Instant::now();
    let call = waiting(read_call(&stack, &buyer, &id), 2);
    let answer = call.send().await.expect(200);

    assert!(began.elapsed() < LONGEST, "{:?}", began.elapsed());
    assert_eq!(answer.json()["status"], "PENDING");
    assert_eq!(answer.header("Preference-Applied"), Some("wait=2"));
}

/// A call that prefers to be answered when there is something to tell.
fn waiting(call: Call, seconds: u32) -> Call {
    call.header("Prefer", &format!("wait={seconds}"))
}

fn read_call(stack: &Stack, buyer: &Person, id: &str) -> Call {
    let call = stack.api.get(&format!("/orders/{id}"));
    call.bearer(&buyer.token)
}

/// Places such an order, and answers its key and what who waits is told of it when it has come to rest. On a
/// machine that is very busy not every order does so in time: then another one is placed.
async fn placed_and_at_rest(stack: &Stack, buyer: &Person, order: &Value) -> (String, Answer) {
    eventually(
        "an order comes to rest while it is waited for",
        PATIENCE,
        async || {
            let key = new_key();
            let call = waiting(stack.order_call(buyer, &key, order), 20);
            let answer = call.send().await;
            match answer.status {
                200 => Ok((key, answer)),
                202 => Err(answer.text()),
                _ => panic!("{} answered {}", answer.what, answer.text()),
            }
        },
    )
    .await
}

/// An order that is waited for until it has ended, however often that takes.
async fn read_at_rest(stack: &Stack, buyer: &Person, id: &str) -> Answer {
    eventually(&format!("order {id} ends"), PATIENCE, async || {
        let call = waiting(read_call(stack, buyer, id), 20);
        let answer = call.send().await.expect(200);
        match answer.json()["status"].as_str() {
            Some("CONFIRMED" | "REJECTED" | "CANCELLED") => Ok(answer),
            _ => Err(answer.text()),
        }
    })
    .await
}

/// An order that is at rest, so that who would wait needn't.
async fn at_rest_at_once(stack: &Stack, buyer: &Person, id: &str) -> Answer {
    let began = Instant::now();
    let call = waiting(read_call(stack, buyer, id), 20);
    let answer = call.send().await.expect(200);
    assert!(began.elapsed() < LONGEST, "{:?}", began.elapsed());
    assert_eq!(answer.header("Preference-Applied"), Some("wait=20"));
    answer
}

/// An order that stays as it is, since no saga knows of it. Answers its buyer and its id.
async fn an_order_that_nobody_sells(stack: &Stack) -> (Person, String) {
    let (buyer, id) = (stack.new_customer().await, Uuid::new_v4().to_string());
    stack.place_silently(&id, &buyer.id, &new_sku()).await;
    (buyer, id)
}

/// Keeps an order's saga from its first step until it is released.
async fn hold_saga(stack: &Stack, order_id: &str) -> Armed {
    arm(stack, "reserve-stock", order_id, Action::Hold).await
}

/// Writes down what a function asks for about an order.
async fn watch(stack: &Stack, function: &str, order_id: &str) -> Armed {
    arm(stack, function, order_id, Action::Watch).await
}

async fn arm(stack: &Stack, function: &str, order_id: &str, action: Action) -> Armed {
    stack
        .faults()
        .arm(every_call(function, order_id, action))
        .await
}

fn every_call(function: &str, order_id: &str, action: Action) -> Rule {
    Rule {
        function: Some(function.to_owned()),
        about: order_id.to_owned(),
        gateway_only: false,
        writes_only: false,
        skip: 0,
        times: 1000,
        action,
    }
}
