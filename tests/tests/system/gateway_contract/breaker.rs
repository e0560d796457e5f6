//! The circuit breaker: a gateway that keeps failing is left alone for a while.

use std::time::{Duration, Instant};

use oxcart_payments::gateway::{Gateway, GatewayError, IntentStatus};
use oxcart_tests::{
    eventually::eventually,
    shop::{BAD_CARD, GOOD_CARD, new_key},
    stand_in::{Call, Fault, StandIn},
};

use super::{
    PRICE, assert_open, assert_unavailable, intent_for, method, new_charge, stand_in,
    stand_in_with_pause, taken,
};

/// Short enough to wait for, and long enough that it is not over before it was seen.
const PAUSE: Duration = Duration::from_secs(2);
/// How long it may take until the pause is over and somebody notices.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn five_failures_in_a_row_open_the_breaker() {
    let (stand_in, adapter) = stand_in().await;
    let intent = intent_for(&adapter, new_charge(), GOOD_CARD).await;

    fail(&stand_in, &adapter, 5).await;
    let seen = (stand_in.requests().len(), stand_in.connections());
    let began = Instant::now();
    assert_open(&adapter.read(&intent).await);
    assert_open(
        &adapter
            .create_intent(new_charge(), &method(GOOD_CARD))
            .await,
    );
    let took = began.elapsed();
    assert!(took < Duration::from_secs(1), "it took {took:?}");
    assert_eq!(
        (stand_in.requests().len(), stand_in.connections()),
        seen,
        "the gateway hears nothing of it"
    );
}

#[tokio::test]
async fn a_success_in_between_keeps_the_breaker_closed() {
    let (stand_in, adapter) = stand_in().await;
    let intent = intent_for(&adapter, new_charge(), GOOD_CARD).await;
    for _ in 0..3 {
        fail(&stand_in, &adapter, 4).await;
        adapter.read(&intent).await.unwrap();
    }
}

#[tokio::test]
async fn what_the_gateway_says_no_to_keeps_the_breaker_closed() {
    let (_stand_in, adapter) = stand_in().await;
    let good = intent_for(&adapter, new_charge(), GOOD_CARD).await;
    let mut bad = Vec::new();
    for _ in 0..6 {
        bad.push(intent_for(&adapter, new_charge(), BAD_CARD).await);
    }

    for intent in bad {
        let status = adapter.confirm(&intent).await.unwrap();
        assert!(matches!(status, IntentStatus::Declined(_)), "{status:?}");
    }
    for _ in 0..6 {
        let outcome = adapter.read("pi_nobody_made_this").await;
        assert!(
            matches!(outcome, Err(GatewayError::Refused { .. })),
            "{outcome:?}"
        );
    }
    let status = adapter.read(&good).await.unwrap();
    assert_eq!(status, IntentStatus::Unconfirmed);
}

#[tokio::test]
async fn after_the_pause_one_call_is_let_through_and_closes_the_breaker() {
    let (stand_in, adapter) = stand_in_with_pause(PAUSE).await;
    let intent = intent_for(&adapter, new_charge(), GOOD_CARD).await;
    fail(&stand_in, &adapter, 5).await;

    // Slow, so that the other call comes while it is on its way.
    stand_in.script(Call::Read, Fault::Slow(Duration::from_secs(1)));
    let outcomes = eventually("a call is let through", PATIENCE, async || {
        match tokio::join!(adapter.read(&intent), adapter.read(&intent)) {
            (Err(GatewayError::Open), Err(GatewayError::Open)) => Err("neither".to_owned()),
            (one, other) => Ok([one, other]),
        }
    })
    .await;
    let open = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Err(GatewayError::Open)))
        .count();
    let answered = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!((answered, open), (1, 1), "{outcomes:?}");
    assert_eq!(stand_in.calls(Call::Read), 1);

    let (one, other) = tokio::join!(adapter.read(&intent), adapter.read(&intent));
    assert_eq!(one.unwrap(), IntentStatus::Unconfirmed);
    assert_eq!(other.unwrap(), IntentStatus::Unconfirmed);
}

#[tokio::test]
async fn a_failure_after_the_pause_opens_the_breaker_again() {
    let (stand_in, adapter) = stand_in_with_pause(PAUSE).await;
    let intent = intent_for(&adapter, new_charge(), GOOD_CARD).await;
    fail(&stand_in, &adapter, 5).await;

    stand_in.script(Call::Refund, Fault::ErrorBeforeCommit);
    let outcome = eventually("a call is let through", PATIENCE, async || {
        match adapter.refund(&intent, 1, &new_key()).await {
            Err(GatewayError::Open) => Err("it is open".to_owned()),
            other => Ok(other),
        }
    })
    .await;
    assert_unavailable(&outcome);
    assert_open(&adapter.read(&intent).await);

    eventually("the breaker closes", PATIENCE, async || {
        adapter
            .read(&intent)
            .await
            .map_err(|error| format!("{error:?}"))
    })
    .await;
}

/// That the breaker is open says that nothing was done. It must not be said of a call whose own failure
/// opened it.
#[tokio::test]
async fn a_call_that_opens_the_breaker_is_not_told_as_never_made() {
    let (stand_in, adapter) = stand_in().await;
    let charge = new_charge();
    let intent = intent_for(&adapter, charge, GOOD_CARD).await;

    fail(&stand_in, &adapter, 4).await;
    stand_in.script(Call::Confirm, Fault::ErrorAfterCommit);
    assert_unavailable(&adapter.confirm(&intent).await);
    assert_eq!(taken(&stand_in.books(), charge), PRICE);
}

/// Fails so often. Each is one request, since refunds are not repeated.
async fn fail(stand_in: &StandIn, adapter: &Gateway, times: usize) {
    for _ in 0..times {
        stand_in.script(Call::Refund, Fault::ErrorBeforeCommit);
        assert_unavailable(&adapter.refund("pi_any", 1, &new_key()).await);
    }
}
