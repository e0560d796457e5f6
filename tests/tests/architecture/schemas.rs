//! The domain events and their schemas.

use std::collections::BTreeSet;

use oxcart_tests::{schemas::Schemas, workspace};
use serde_json::json;

#[test]
fn every_domain_event_has_a_schema_and_the_reverse() {
    let schemas = Schemas::load();
    let described: BTreeSet<&str> = schemas.types().collect();
    let source = workspace::text("shared/domain/src/event.rs");
    let told: BTreeSet<&str> = source
        .split("serde(rename = \"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .filter(|name| name.contains('.') && name.starts_with(char::is_lowercase))
        .collect();
    assert_eq!(described, told);
}

#[test]
fn a_schema_takes_its_event_and_nothing_else() {
    let schemas = Schemas::load();
    let relay = workspace::json("events/start-order-saga.json");
    let good = serde_json::from_str(relay["Records"][0]["body"].as_str().unwrap()).unwrap();
    schemas.assert_valid(&good);

    for (pointer, value) in [
        ("/specversion", json!("2.0")),
        ("/id", json!("not-a-uuid")),
        ("/source", json!("/oxcart/payments")),
        ("/time", json!("2026-01-02 03:04:05")),
        ("/traceparent", json!("none")),
        ("/subject", json!("not-an-order")),
        ("/data/lines", json!([])),
        ("/data/lines/0/quantity", json!(0)),
        ("/data/expected_total/amount", json!(12.5)),
        ("/data/customer_id", json!(null)),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap() = value;
        assert!(!schemas.faults(&bad).is_empty(), "{pointer}");
    }
    for extra in ["/data", ""] {
        let mut bad = good.clone();
        bad.pointer_mut(extra).unwrap()["colour"] = json!("red");
        assert!(!schemas.faults(&bad).is_empty(), "{extra}");
    }
}
