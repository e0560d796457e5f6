//! The stand-in keeps to what Stripe documents, or what is tested against it would prove nothing.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::Value;

use super::{Call, Fault, Seen, StandIn};
use crate::{eventually::eventually, webhooks};

const KEY: &str = "sk_test_stand_in";
/// What a new intent needs.
const INTENT: [(&str, &str); 4] = [
    ("amount", "500"),
    ("currency", "eur"),
    ("payment_method", "pm_card_visa"),
    ("metadata[order_id]", "order-1"),
];

/// What came back.
#[derive(Debug, PartialEq)]
struct Answered {
    status: u16,
    replayed: bool,
    body: Value,
}

impl Answered {
    fn id(&self) -> &str {
        self.body["id"].as_str().expect("an object")
    }

    fn code(&self) -> &str {
        self.body["error"]["code"].as_str().expect("an error")
    }
}

/// Sends a form under a key, if there is one.
async fn send(
    url: &str,
    path: &str,
    key: Option<&str>,
    form: &[(&str, &str)],
) -> Result<Answered, reqwest::Error> {
    let request = reqwest::Client::new()
        .post(format!("{url}/v1/{path}"))
        .basic_auth(KEY, None::<&str>)
        .form(form);
    let request = match key {
        Some(key) => request.header("Idempotency-Key", key),
        None => request,
    };
    let response = request.send().await?;
    Ok(Answered {
        status: response.status().as_u16(),
        replayed: response.headers().contains_key("Idempotent-Replayed"),
        body: response.json().await?,
    })
}

async fn post(
    stand_in: &StandIn,
    path: &str,
    key: Option<&str>,
    form: &[(&str, &str)],
) -> Answered {
    let answered = send(stand_in.url(), path, key, form).await;
    answered.expect("an answer")
}

/// A new intent that this card pays for.
async fn intent(stand_in: &StandIn, card: &str) -> String {
    let form = [INTENT[0], INTENT[1], ("payment_method", card)];
    let created = post(stand_in, "payment_intents", None, &form).await;
    created.id().to_owned()
}

async fn confirm(stand_in: &StandIn, intent: &str) -> Answered {
    post(
        stand_in,
        &format!("payment_intents/{intent}/confirm"),
        None,
        &[],
    )
    .await
}

#[tokio::test]
async fn a_repeat_under_a_key_gets_the_first_answer_again() {
    let stand_in = StandIn::start(KEY).await;
    let first = post(&stand_in, "payment_intents", Some("one"), &INTENT).await;
    let again = post(&stand_in, "payment_intents", Some("one"), &INTENT).await;
    let other = post(&stand_in, "payment_intents", Some("two"), &INTENT).await;

    assert_eq!((first.status, first.replayed), (200, false));
    assert_eq!((again.status, again.replayed), (200, true));
    assert_eq!(again.body, first.body);
    assert_ne!(other.id(), first.id());
    assert_eq!(
        stand_in.requests()[1],
        Seen {
            call: Call::Create,
            intent: None,
            key: Some("one".to_owned()),
        }
    );
}

#[tokio::test]
async fn a_decline_and_a_failure_are_repeated_too() {
    let stand_in = StandIn::start(KEY).await;
    let intent = intent(&stand_in, "pm_card_chargeCustomerFail").await;
    let path = format!("payment_intents/{intent}/confirm");

    let declined = post(&stand_in, &path, Some("decline"), &[]).await;
    assert_eq!((declined.status, declined.code()), (402, "card_declined"));
    let again = post(&stand_in, &path, Some("decline"), &[]).await;
    assert_eq!((again.status, again.replayed), (402, true));

    stand_in.script(Call::Create, Fault::ErrorBeforeCommit);
    let failed = post(&stand_in, "payment_intents", Some("failure"), &INTENT).await;
    assert_eq!((failed.status, failed.replayed), (500, false));
    let again = post(&stand_in, "payment_intents", Some("failure"), &INTENT).await;
    assert_eq!((again.status, again.replayed), (500, true));
}

#[tokio::test]
async fn a_key_is_good_for_one_request() {
    let stand_in = StandIn::start(KEY).await;
    post(&stand_in, "payment_intents", Some("one"), &INTENT).await;

    let dearer = [("amount", "501"), INTENT[1], INTENT[2], INTENT[3]];
    let refused = post(&stand_in, "payment_intents", Some("one"), &dearer).await;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.body["error"]["type"], "idempotency_error");
}

#[tokio::test]
async fn a_key_is_taken_while_its_first_request_is_at_work() {
    let stand_in = StandIn::start(KEY).await;
    stand_in.script(Call::Create, Fault::Slow(Duration::from_secs(2)));
    let url = stand_in.url().to_owned();
    let first =
        tokio::spawn(async move { send(&url, "payment_intents", Some("one"), &INTENT).await });
    eventually(
        "the first came in",
        Duration::from_secs(10),
        async || match stand_in.calls(Call::Create) {
            0 => Err("nothing".to_owned()),
            _ => Ok(()),
        },
    )
    .await;

    // Who goes away does not stop it.
    first.abort();
    eventually("the first is done", Duration::from_secs(10), async || {
        let answered = post(&stand_in, "payment_intents", Some("one"), &INTENT).await;
        match answered.status {
            200 => Ok(()),
            409 => Err(answered.code().to_owned()),
            _ => panic!("{answered:?}"),
        }
    })
    .await;
    assert!(stand_in.calls(Call::Create) > 2, "some came too early");
    assert_eq!(stand_in.books().intents_for("order-1").len(), 1);
}

#[tokio::test]
async fn what_makes_no_sense_is_not_kept_under_its_key() {
    let stand_in = StandIn::start(KEY).await;
    for (form, code, parameter) in [
        (INTENT[1..].to_vec(), "parameter_missing", "amount"),
        (
            vec![("amount", "0"), INTENT[1]],
            "parameter_invalid_integer",
            "amount",
        ),
        (
            vec![INTENT[0], INTENT[1], ("colour", "red")],
            "parameter_unknown",
            "colour",
        ),
    ] {
        let refused = post(&stand_in, "payment_intents", Some("one"), &form).await;
        assert_eq!((refused.status, refused.code()), (400, code));
        assert_eq!(refused.body["error"]["param"], parameter);
    }
    let created = post(&stand_in, "payment_intents", Some("one"), &INTENT).await;
    assert_eq!((created.status, created.replayed), (200, false));
}

#[tokio::test]
async fn only_who_shows_the_key_is_let_in() {
    let stand_in = StandIn::start("sk_test_other").await;
    let refused = post(&stand_in, "payment_intents", None, &INTENT).await;
    assert_eq!(refused.status, 401);

    stand_in.accept_key(KEY);
    let created = post(&stand_in, "payment_intents", None, &INTENT).await;
    assert_eq!(created.status, 200);
}

#[tokio::test]
async fn no_more_is_given_back_than_was_taken() {
    let stand_in = StandIn::start(KEY).await;
    let intent = intent(&stand_in, "pm_card_visa").await;
    let refund = async |amount: &str| {
        let form = [("payment_intent", intent.as_str()), ("amount", amount)];
        post(&stand_in, "refunds", None, &form).await
    };

    assert_eq!(refund("1").await.code(), "payment_intent_unexpected_state");
    assert_eq!(confirm(&stand_in, &intent).await.status, 200);
    assert_eq!(refund("300").await.status, 200);
    assert_eq!(refund("201").await.code(), "amount_too_large");
    assert_eq!(refund("200").await.status, 200);
    assert_eq!(refund("1").await.code(), "charge_already_refunded");
}

#[tokio::test]
async fn an_intent_waits_for_its_customer() {
    let stand_in = StandIn::start(KEY).await;
    for (success, status) in [(true, "succeeded"), (false, "requires_payment_method")] {
        let intent = intent(&stand_in, "pm_card_authenticationRequired").await;
        let waiting = confirm(&stand_in, &intent).await.body;
        assert_eq!(waiting["status"], "requires_action");
        assert_eq!(waiting["next_action"]["type"], "use_stripe_sdk");
        assert!(waiting["client_secret"].is_string());

        assert_eq!(stand_in.authenticate(&intent, success)["status"], status);
    }
}

#[tokio::test]
async fn a_hook_runs_between_the_deed_and_its_answer() {
    let stand_in = Arc::new(StandIn::start(KEY).await);
    let intent = intent(&stand_in, "pm_card_visa").await;
    let told = Arc::new(Mutex::new(None));

    let (gateway, paid, teller) = (Arc::clone(&stand_in), intent.clone(), Arc::clone(&told));
    stand_in.before_answering(Call::Confirm, move || async move {
        let books = gateway.books();
        *teller.lock().unwrap() = Some(books.intent(&paid)["status"].clone());
    });
    assert_eq!(confirm(&stand_in, &intent).await.status, 200);
    assert_eq!(*told.lock().unwrap(), Some(Value::from("succeeded")));
}

#[tokio::test]
async fn a_connection_is_cut_before_or_after_the_deed() {
    for (fault, status) in [
        (Fault::ResetBeforeCommit, "requires_confirmation"),
        (Fault::ResetAfterCommit, "succeeded"),
    ] {
        let stand_in = StandIn::start(KEY).await;
        let intent = intent(&stand_in, "pm_card_visa").await;
        stand_in.script(Call::Confirm, fault);
        let path = format!("payment_intents/{intent}/confirm");
        let answered = send(stand_in.url(), &path, None, &[]).await;
        assert!(answered.is_err(), "{fault:?}: {answered:?}");
        assert_eq!(stand_in.books().intent(&intent)["status"], status);
    }
}

#[tokio::test]
async fn connections_are_counted_and_not_requests() {
    let stand_in = StandIn::start(KEY).await;
    let client = reqwest::Client::new();
    for _ in 0..3 {
        let request = client.get(format!("{}/v1/refunds", stand_in.url()));
        let response = request.basic_auth(KEY, None::<&str>).send().await.unwrap();
        let page: Value = response.json().await.unwrap();
        assert_eq!(page["has_more"], false);
    }
    assert_eq!(stand_in.calls(Call::Refunds), 3);
    assert_eq!(stand_in.connections(), 1);
}

#[tokio::test]
async fn an_event_is_signed_with_its_time() {
    let stand_in = StandIn::start(KEY).await;
    let intent = intent(&stand_in, "pm_card_visa").await;
    let at = 1_767_225_600;
    let (body, header) = stand_in.signed_event("payment_intent.created", &intent, "whsec_test", at);

    assert_eq!(header, webhooks::signature(&body, "whsec_test", at));
    let event: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(event["type"], "payment_intent.created");
    assert_eq!(event["data"]["object"]["id"], intent);
}

#[test]
fn a_signature_is_what_anybody_else_computes() {
    assert_eq!(
        webhooks::signature(r#"{"id":"evt_1"}"#, "whsec_test", 1_767_225_600),
        "t=1767225600,v1=45b40331de0325606dc5400202ade162460fbe48daf9401adfdcd0d7b4f35470"
    );
}
