//! Whether the stack says that it is well, and what it says when something it depends on is taken away.

use std::{collections::BTreeSet, time::Duration};

use futures::future::join_all;
use oxcart_tests::{
    api::Answer,
    eventually::{PATIENCE, eventually},
    faults::{Action, Armed, Rule},
    stack::Stack,
};
use serde_json::Value;
use tokio::sync::Mutex;

/// What nothing works without.
const HARD: [&str; 8] = [
    "cancellation-saga",
    "identity-table",
    "inventory-table",
    "order-saga",
    "orders-queue",
    "orders-table",
    "payments-table",
    "token-key",
];
/// What is waited for.
const SOFT: [&str; 2] = ["notifications-table", "payment-gateway"];

/// How many calls a rule may strike: more than there will be.
const ALWAYS: usize = 1000;
/// A probe that hangs for this long was not waited for.
const HANG: Duration = Duration::from_secs(20);

/// One test at a time: what is taken away is away for all who ask.
static ALONE: Mutex<()> = Mutex::const_new(());

#[tokio::test]
async fn a_running_stack_is_healthy_and_ready() {
    let _alone = ALONE.lock().await;
    let stack = Stack::connect().await;

    let health = says(&stack, "/health", 200, |report| {
        report["status"] == "healthy"
    })
    .await;
    let all: BTreeSet<&str> = HARD.into_iter().chain(SOFT).collect();
    assert_eq!(named(&health.json()), all);
    let ready = says(&stack, "/ready", 200, |report| {
        report["status"] == "healthy"
    })
    .await;
    assert_eq!(named(&ready.json()), HARD.into_iter().collect());

    for answer in [&health, &ready] {
        let head = stack.api.head(path_of(answer)).send().await;
        assert!(matches!(head.status, 200 | 503), "{}", head.what);
        assert!(head.body.is_empty(), "{}: {}", head.what, head.text());
        assert_eq!(head.header("Content-Type"), answer.header("Content-Type"));
        assert_eq!(head.header("Cache-Control"), Some("no-store"));
        for (name, found) in answer.json()["dependencies"].as_object().unwrap() {
            assert_eq!(found["status"], "healthy", "{name}");
            assert!(found["latency_ms"].is_u64(), "{name}: {found}");
        }
    }
}

#[tokio::test]
async fn without_what_is_needed_at_once_it_is_unhealthy_until_that_is_back() {
    let _alone = ALONE.lock().await;
    let stack = Stack::connect().await;
    let token_keys = stack.setting("TOKEN_KEY_ARNS").split(',');
    let signing = token_keys.map(ToOwned::to_owned).next().unwrap();
    let queue = stack.setting("PLACED_ORDERS_QUEUE_URL");
    let (_, queue) = queue.rsplit_once('/').unwrap();
    let away = [
        (
            "orders-table",
            stack.setting("ORDERS_TABLE"),
            Action::Refuse,
        ),
        ("orders-queue", queue, Action::Reset),
        (
            "order-saga",
            stack.setting("ORDER_SAGA_ARN"),
            Action::HangAfter(HANG),
        ),
        ("token-key", &signing, Action::Throttle),
    ];
    let outages = away.iter().map(async |(_, about, action)| {
        let rule = outage(about, false, *action);
        stack.faults().arm(rule).await
    });
    let outages: Vec<Armed> = join_all(outages).await;

    let taken: BTreeSet<&str> = away.iter().map(|(name, ..)| *name).collect();
    for path in ["/health", "/ready"] {
        let answer = says(&stack, path, 503, |report| {
            taken.is_subset(&unhealthy(report))
        })
        .await;
        let report = answer.json();
        assert_eq!(report["status"], "unhealthy", "{report}");
        assert_eq!(answer.header("Retry-After"), Some("5"));
        assert_eq!(answer.header("Content-Type"), Some("application/json"));
        assert_eq!(answer.header("Cache-Control"), Some("no-store"));
        // It was waited for until its time was over, and no longer.
        let waited = report["dependencies"]["order-saga"]["latency_ms"].as_u64();
        let waited = Duration::from_millis(waited.unwrap());
        assert!(
            waited >= Duration::from_secs(1) && waited < HANG / 2,
            "{waited:?}"
        );
        // Why is for the log.
        for word in ["Denied", "Throttl", "refused", "error", "arn:"] {
            assert!(!answer.text().contains(word), "{}", answer.text());
        }
    }

    for outage in outages {
        assert!(outage.disarm().await > 0, "nobody asked");
    }
    for path in ["/health", "/ready"] {
        says(&stack, path, 200, |report| unhealthy(report).is_empty()).await;
    }
}

#[tokio::test]
async fn without_what_can_be_waited_for_it_is_degraded_and_ready() {
    let _alone = ALONE.lock().await;
    let stack = Stack::connect().await;
    for (name, about, of_gateway, action) in [
        ("payment-gateway", "/", true, Action::Refuse),
        ("payment-gateway", "/", true, Action::Reset),
        (
            "notifications-table",
            stack.setting("NOTIFICATIONS_TABLE"),
            false,
            Action::Refuse,
        ),
    ] {
        let rule = outage(about, of_gateway, action);
        let outage = stack.faults().arm(rule).await;

        let is_away = |report: &Value| unhealthy(report) == BTreeSet::from([name]);
        let answer = says(&stack, "/health", 200, is_away).await;
        assert_eq!(answer.json()["status"], "degraded", "{}", answer.text());
        let ready = says(&stack, "/ready", 200, |_| true).await;
        assert_eq!(ready.json()["status"], "healthy", "{}", ready.text());
        assert_eq!(named(&ready.json()), HARD.into_iter().collect());

        assert!(outage.disarm().await > 0, "nobody asked");
        says(&stack, "/health", 200, |report| {
            unhealthy(report).is_empty()
        })
        .await;
    }
}

#[tokio::test]
async fn whoever_asks_again_and_again_is_told_what_was_found_before() {
    let _alone = ALONE.lock().await;
    let stack = Stack::connect().await;
    let table = stack.setting("ORDERS_TABLE");
    let watched = stack
        .faults()
        .arm(outage(table, false, Action::Watch))
        .await;

    let mut reports = BTreeSet::new();
    let asked = 40;
    for _ in 0..asked {
        let report = stack.api.get("/health").send().await.json();
        reports.insert(report["timestamp"].as_str().unwrap().to_owned());
    }

    // Each execution environment has looked for itself, and again after five seconds.
    assert!(reports.len() <= asked / 2, "{reports:?}");
    let calls = watched.calls().await;
    assert!(calls.len() <= asked / 2, "{calls:?}");
    assert!(
        calls.iter().all(|call| call == "DescribeTable"),
        "{calls:?}"
    );
}

/// Strikes what `check-health` asks of a dependency.
fn outage(about: &str, of_gateway: bool, action: Action) -> Rule {
    Rule {
        function: Some("check-health".to_owned()),
        about: about.to_owned(),
        gateway_only: of_gateway,
        writes_only: false,
        skip: 0,
        times: ALWAYS,
        action,
    }
}

/// Asks until the answer has this status, and says what is expected. A report is kept for some seconds, by each execution
/// environment its own.
async fn says(stack: &Stack, path: &str, status: u16, expected: impl Fn(&Value) -> bool) -> Answer {
    eventually(&format!("{path} answers {status}"), PATIENCE, async || {
        let answer = stack.api.get(path).send().await;
        if answer.status == status && expected(&answer.json()) {
            Ok(answer)
        } else {
            Err(format!("{} {}", answer.status, answer.text()))
        }
    })
    .await
}

fn path_of(answer: &Answer) -> &str {
    let (_, path) = answer.what.split_once(' ').expect("a method and a path");
    path
}

/// The dependencies that a report is about.
fn named(report: &Value) -> BTreeSet<&str> {
    let dependencies = report["dependencies"].as_object().expect("dependencies");
    dependencies.keys().map(String::as_str).collect()
}

/// Those that are away.
fn unhealthy(report: &Value) -> BTreeSet<&str> {
    let dependencies = report["dependencies"].as_object().expect("dependencies");
    let away = dependencies
        .iter()
        .filter(|(_, found)| found["status"] == "unhealthy");
    away.map(|(name, _)| name.as_str()).collect()
}
