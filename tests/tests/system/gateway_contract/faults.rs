//! What becomes of a call that the gateway is slow with, fails at, leaves without an answer or refuses.

use std::{
    fmt::Debug,
    time::{Duration, Instant},
};

use oxcart_payments::gateway::{GatewayError, IntentStatus, NewIntent};
use oxcart_tests::{
    eventually::eventually,
    shop::{BAD_CARD, GOOD_CARD},
    stand_in::{Call, Fault, StandIn},
};
use tokio::time::timeout;

use super::{
    PRICE, assert_unavailable, charge_of, given_back, intent_for, method, new_charge, stand_in,
    taken,
};

/// Who calls can't tell from these whether it was done.
const AMBIGUOUS: [Fault; 4] = [
    Fault::ErrorBeforeCommit,
    Fault::ErrorAfterCommit,
    Fault::ResetBeforeCommit,
    Fault::ResetAfterCommit,
];
/// Longer than any call may take with all its repeats.
const LONG: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_slow_answer_is_waited_for() {
    let (stand_in, adapter) = stand_in().await;
    let charge = new_charge();
    let intent = intent_for(&adapter, charge, GOOD_CARD).await;

    stand_in.script(Call::Confirm, Fault::Slow(Duration::from_secs(3)));
    let status = adapter.confirm(&intent).await.unwrap();
    assert_eq!(status, IntentStatus::Succeeded);
    assert_eq!(stand_in.calls(Call::Confirm), 1);
}

#[tokio::test]
async fn a_confirmation_without_an_answer_takes_the_money_once() {
    let (stand_in, adapter) = stand_in().await;
    let charge = new_charge();
    let intent = intent_for(&adapter, charge, GOOD_CARD).await;

    stand_in.script(Call::Confirm, Fault::HangAfterCommit);
    let outcome = timeout(LONG, adapter.confirm(&intent)).await;
    let outcome = outcome.expect("it gives up by itself");
    assert!(
        matches!(
            outcome,
            Ok(IntentStatus::Succeeded) | Err(GatewayError::Unavailable(_))
        ),
        "{outcome:?}"
    );
    let status = adapter.confirm(&intent).await.unwrap();
    assert_eq!(status, IntentStatus::Succeeded);
    assert_eq!(taken(&stand_in.books(), charge), PRICE);
}

#[tokio::test]
async fn a_confirmation_that_failed_takes_the_money_once() {
    for fault in AMBIGUOUS {
        let (stand_in, adapter) = stand_in().await;
        let charge = new_charge();
        let intent = intent_for(&adapter, charge, GOOD_CARD).await;

        stand_in.script(Call::Confirm, fault);
        let outcome = adapter.confirm(&intent).await;
        assert!(
            matches!(
                outcome,
                Ok(IntentStatus::Succeeded | IntentStatus::Unconfirmed)
                    | Err(GatewayError::Unavailable(_))
            ),
            "{fault:?}: {outcome:?}"
        );
        let status = adapter.confirm(&intent).await.unwrap();
        assert_eq!(status, IntentStatus::Succeeded, "{fault:?}");
        assert_eq!(taken(&stand_in.books(), charge), PRICE, "{fault:?}");
    }
}

#[tokio::test]
async fn a_cancellation_that_failed_is_made_up_for() {
    for fault in AMBIGUOUS {
        let (stand_in, adapter) = stand_in().await;
        let charge = new_charge();
        let intent = intent_for(&adapter, charge, GOOD_CARD).await;

        stand_in.script(Call::Cancel, fault);
        let outcome = adapter.cancel(&intent).await;
        assert!(
            matches!(
                outcome,
                Ok(IntentStatus::Cancelled | IntentStatus::Unconfirmed)
                    | Err(GatewayError::Unavailable(_))
            ),
            "{fault:?}: {outcome:?}"
        );
        for status in [
            adapter.cancel(&intent).await.unwrap(),
            adapter.confirm(&intent).await.unwrap(),
        ] {
            assert_eq!(status, IntentStatus::Cancelled, "{fault:?}");
        }
        assert_eq!(taken(&stand_in.books(), charge), 0, "{fault:?}");
    }
}

#[tokio::test]
async fn a_create_that_is_repeated_carries_its_key_and_makes_one_intent() {
    for fault in [Fault::ResetBeforeCommit, Fault::ResetAfterCommit] {
        let (stand_in, adapter) = stand_in().await;
        let charge = new_charge();

        stand_in.script(Call::Create, fault);
        intent_for(&adapter, charge, GOOD_CARD).await;

        let order = charge.order_id.to_string();
        let keys = keys_of(&stand_in, Call::Create);
        assert_eq!(keys.len(), 2, "{fault:?}: {keys:?}");
        assert!(keys[0].contains(&order), "{fault:?}: {keys:?}");
        assert!(
            keys.iter().all(|key| *key == keys[0]),
            "{fault:?}: {keys:?}"
        );
        assert_eq!(stand_in.books().intents_for(&order).len(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_create_that_is_still_at_work_is_not_made_twice() {
    let (stand_in, adapter) = stand_in().await;
    let charge = new_charge();

    // Longer than an attempt may take: the repeat finds the key taken.
    stand_in.script(Call::Create, Fault::Slow(Duration::from_secs(10)));
    let outcome = timeout(LONG, adapter.create_intent(charge, &method(GOOD_CARD))).await;
    let outcome = outcome.expect("it gives up by itself");
    assert!(
        matches!(
            outcome,
            Ok(NewIntent::Created(_)) | Err(GatewayError::Unavailable(_))
        ),
        "{outcome:?}"
    );
    eventually("the intent is there", LONG, async || {
        let outcome = adapter.create_intent(charge, &method(GOOD_CARD)).await;
        match outcome {
            Ok(NewIntent::Created(_)) => Ok(()),
            Err(GatewayError::Unavailable(_)) => Err(format!("{outcome:?}")),
            other => panic!("{other:?}"),
        }
    })
    .await;
    let order = charge.order_id.to_string();
    assert_eq!(stand_in.books().intents_for(&order).len(), 1);
}

/// The gateway repeats a 500 for as long as it remembers the key that it answered with it.
#[tokio::test]
async fn a_create_that_the_gateway_failed_at_does_not_fail_for_ever() {
    for fault in [Fault::ErrorBeforeCommit, Fault::ErrorAfterCommit] {
        let (stand_in, adapter) = stand_in().await;
        let charge = new_charge();

        stand_in.script(Call::Create, fault);
        let outcome = adapter.create_intent(charge, &method(GOOD_CARD)).await;
        assert!(
            matches!(
                outcome,
                Ok(NewIntent::Created(_)) | Err(GatewayError::Unavailable(_))
            ),
            "{fault:?}: {outcome:?}"
        );
        let intent = intent_for(&adapter, charge, GOOD_CARD).await;
        let status = adapter.confirm(&intent).await.unwrap();
        assert_eq!(status, IntentStatus::Succeeded, "{fault:?}");
        assert_eq!(taken(&stand_in.books(), charge), PRICE, "{fault:?}");
    }
}

#[tokio::test]
async fn a_refund_that_failed_is_not_repeated_before_somebody_asks() {
    for (fault, made) in [
        (Fault::ErrorBeforeCommit, false),
        (Fault::ErrorAfterCommit, true),
        (Fault::ResetBeforeCommit, false),
        (Fault::ResetAfterCommit, true),
        (Fault::HangAfterCommit, true),
    ] {
        let (stand_in, adapter) = stand_in().await;
        let charge = new_charge();
        let intent = intent_for(&adapter, charge, GOOD_CARD).await;
        adapter.confirm(&intent).await.unwrap();

        stand_in.script(Call::Refund, fault);
        let [first, second] = [1, 2].map(|number| format!("{}-refund-{number}", charge.order_id));
        let outcome = timeout(LONG, adapter.refund(&intent, PRICE, &first)).await;
        assert_unavailable(&outcome.expect("it gives up by itself"));
        assert_eq!(stand_in.calls(Call::Refund), 1, "{fault:?}");
        assert_eq!(keys_of(&stand_in, Call::Refund), [first], "{fault:?}");

        let back = adapter.refunded(&intent).await.unwrap();
        assert_eq!(back, if made { PRICE } else { 0 }, "{fault:?}");
        if back < PRICE {
            let rest = PRICE - back;
            adapter.refund(&intent, rest, &second).await.unwrap();
        }
        assert_eq!(adapter.refunded(&intent).await.unwrap(), PRICE, "{fault:?}");
        assert_eq!(given_back(&stand_in.books(), charge), PRICE, "{fault:?}");
    }
}

#[tokio::test]
async fn a_refund_of_more_than_was_taken_is_refused() {
    let (stand_in, adapter) = stand_in().await;
    let charge = new_charge();
    let intent = intent_for(&adapter, charge, GOOD_CARD).await;
    adapter.confirm(&intent).await.unwrap();

    for (amount, refusal) in [
        (PRICE + 1, Some("amount_too_large")),
        (PRICE, None),
        (1, Some("charge_already_refunded")),
    ] {
        let key = format!("{}-{amount}", charge.order_id);
        match (adapter.refund(&intent, amount, &key).await, refusal) {
            (Ok(()), None) => {}
            (Err(GatewayError::Refused { code }), Some(refusal)) => assert_eq!(code, refusal),
            (outcome, _) => panic!("{amount}: {outcome:?}"),
        }
    }
    assert_eq!(given_back(&stand_in.books(), charge), PRICE);
}

#[tokio::test]
async fn what_is_safe_to_repeat_waits_as_long_as_the_gateway_asks() {
    let (stand_in, adapter) = stand_in().await;
    let charge = new_charge();
    let card = method(GOOD_CARD);

    let create = adapter.create_intent(charge, &card);
    let NewIntent::Created(intent) = waited(&stand_in, Call::Create, create).await else {
        panic!("no intent");
    };
    let keys = keys_of(&stand_in, Call::Create);
    assert_eq!(keys[0], keys[1]);

    waited(&stand_in, Call::Read, adapter.read(&intent)).await;
    adapter.confirm(&intent).await.unwrap();
    waited(&stand_in, Call::Refunds, adapter.refunded(&intent)).await;
}

/// What a call answers that is throttled once, for a second.
async fn waited<T: Debug>(
    stand_in: &StandIn,
    call: Call,
    asking: impl Future<Output = Result<T, GatewayError>>,
) -> T {
    let second = Duration::from_secs(1);
    let throttled = Fault::Throttled {
        retry_after: second,
    };
    stand_in.script(call, throttled);
    let before = stand_in.calls(call);
    let began = Instant::now();
    let outcome = asking.await;
    let took = began.elapsed();
    assert!(took >= second, "{call:?} was repeated after {took:?}");
    assert_eq!(stand_in.calls(call) - before, 2, "{call:?}");
    outcome.unwrap_or_else(|error| panic!("{call:?}: {error:?}"))
}

#[tokio::test]
async fn the_bank_has_the_last_word_on_a_good_card() {
    let (stand_in, adapter) = stand_in().await;
    let charge = new_charge();
    let intent = intent_for(&adapter, charge, GOOD_CARD).await;

    stand_in.script(Call::Confirm, Fault::Declined("do_not_honor"));
    match adapter.confirm(&intent).await {
        Ok(IntentStatus::Declined(code)) => assert_eq!(code.as_str(), "do_not_honor"),
        other => panic!("it should be declined: {other:?}"),
    }
    assert_eq!(taken(&stand_in.books(), charge), 0);
}

#[tokio::test]
async fn a_parameter_that_we_got_wrong_is_our_fault_and_not_tried_again() {
    let (stand_in, adapter) = stand_in().await;

    let outcome = adapter
        .create_intent(charge_of(0), &method(GOOD_CARD))
        .await;
    match outcome {
        Err(GatewayError::Invalid { code }) => assert_eq!(code, "parameter_invalid_integer"),
        other => panic!("it should be invalid: {other:?}"),
    }
    assert_eq!(stand_in.calls(Call::Create), 1);
}

#[tokio::test]
async fn an_intent_that_is_not_there_is_refused() {
    let (stand_in, adapter) = stand_in().await;
    let outcome = adapter.read("pi_nobody_made_this").await;
    assert!(
        matches!(&outcome, Err(GatewayError::Refused { code }) if code == "resource_missing"),
        "{outcome:?}"
    );
    assert_eq!(stand_in.calls(Call::Read), 1);
}

#[tokio::test]
async fn a_decline_is_an_answer_and_not_tried_again() {
    let (stand_in, adapter) = stand_in().await;
    let intent = intent_for(&adapter, new_charge(), BAD_CARD).await;
    let status = adapter.confirm(&intent).await.unwrap();
    assert!(matches!(status, IntentStatus::Declined(_)), "{status:?}");
    assert_eq!(stand_in.calls(Call::Confirm), 1);
}

#[tokio::test]
async fn ten_calls_in_a_row_use_one_connection() {
    let (stand_in, adapter) = stand_in().await;
    let intent = intent_for(&adapter, new_charge(), GOOD_CARD).await;
    for _ in 0..9 {
        adapter.read(&intent).await.unwrap();
    }
    assert_eq!(stand_in.requests().len(), 10);
    assert_eq!(stand_in.connections(), 1);
}

/// The keys of the calls of this kind, each of which must have one.
fn keys_of(stand_in: &StandIn, call: Call) -> Vec<String> {
    let requests = stand_in.requests().into_iter();
    requests
        .filter(|seen| seen.call == call)
        .map(|seen| seen.key.expect("an idempotency key"))
        .collect()
}
