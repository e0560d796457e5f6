//! The domain events, their schemas, and the AsyncAPI document that describes them.

use std::collections::{BTreeMap, BTreeSet};

use oxcart_tests::{
    schemas::Schemas,
    template::{resources, yaml},
    workspace,
};
use serde_json::{Map, Value, json};

const ASYNCAPI: &str = "infra/asyncapi.yaml";

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

#[test]
fn every_schema_is_a_message_of_the_asyncapi_document_and_the_reverse() {
    let (schemas, document) = (Schemas::load(), yaml(ASYNCAPI));
    let messages = messages(&document);
    let described: BTreeSet<&str> = messages.keys().map(String::as_str).collect();
    assert_eq!(described, schemas.types().collect::<BTreeSet<_>>());

    let mut carried = BTreeSet::new();
    for (kind, reference) in object(&document["channels"]["domain-events"]["messages"]) {
        let message = format!("#/components/messages/{kind}");
        assert_eq!(reference["$ref"], message, "{kind}");
        carried.insert(kind.as_str());
    }
    assert_eq!(carried, described, "the channel carries all of them");

    for (kind, message) in messages {
        let schema = format!("../events/schemas/{kind}.json");
        assert_eq!(message["name"], *kind, "{kind}");
        assert_eq!(message["payload"]["schema"]["$ref"], schema, "{kind}");
        let seen_by_filters = &message["headers"]["properties"]["type"]["const"];
        assert_eq!(seen_by_filters, kind.as_str(), "{kind}");
    }
}

#[test]
fn every_example_of_the_asyncapi_document_is_what_its_schema_says() {
    let (schemas, document) = (Schemas::load(), yaml(ASYNCAPI));
    for (kind, message) in messages(&document) {
        let examples = message["examples"].as_array().expect("examples");
        assert!(!examples.is_empty(), "{kind} has no example");
        for example in examples {
            assert_eq!(example["payload"]["type"], *kind, "{kind}");
            assert_eq!(example["headers"], json!({ "type": kind }), "{kind}");
            schemas.assert_valid(&example["payload"]);
        }
    }
}

#[test]
fn every_consumer_of_the_template_is_in_the_asyncapi_document_and_the_reverse() {
    let (document, consumed) = (yaml(ASYNCAPI), consumed());
    let operations = object(&document["operations"]);
    let received: BTreeMap<String, BTreeSet<String>> = operations
        .iter()
        .filter(|(_, operation)| operation["action"] == "receive")
        .map(|(function, operation)| {
            let messages = operation["messages"].as_array().expect("messages");
            let types = messages.iter().map(|message| {
                let reference = message["$ref"].as_str().expect("a reference");
                reference.replace("#/channels/domain-events/messages/", "")
            });
            (function.clone(), types.collect())
        })
        .collect();
    assert_eq!(received, consumed);

    let relay = &document["operations"]["relay-events"];
    assert_eq!(relay["action"], "send");
    let consumers = &relay["bindings"]["sns"]["consumers"];
    let delivered: BTreeSet<BTreeSet<String>> = consumers
        .as_array()
        .expect("consumers")
        .iter()
        .map(|consumer| texts(&consumer["filterPolicy"]["type"]))
        .collect();
    let wanted: BTreeSet<BTreeSet<String>> = consumed.into_values().collect();
    assert_eq!(delivered, wanted);
}

/// The messages of the AsyncAPI document, by their types.
fn messages(document: &Value) -> &Map<String, Value> {
    object(&document["components"]["messages"])
}

/// Which types the template's subscriptions bring to which function.
fn consumed() -> BTreeMap<String, BTreeSet<String>> {
    let template = yaml("infra/template.yaml");
    let functions = resources(&template, "AWS::Serverless::Function");
    let mut consumed = BTreeMap::new();
    for (id, subscription) in resources(&template, "AWS::SNS::Subscription") {
        let subscription = &subscription["Properties"];
        if subscription["TopicArn"]["Ref"] != "EventsTopic" {
            continue;
        }
        let queue = &subscription["Endpoint"]["Fn::GetAtt"][0];
        let reader = functions.iter().find(|(_, function)| {
            let sources = function["Properties"]["Events"].as_object();
            let mut sources = sources.into_iter().flat_map(Map::values);
            sources.any(|source| source["Properties"]["Queue"]["Fn::GetAtt"][0] == *queue)
        });
        let (_, function) = reader.unwrap_or_else(|| panic!("nobody reads what {id} brings"));
        let name = function["Properties"]["FunctionName"]["Fn::Sub"].as_str();
        let (_, name) = name
            .and_then(|name| name.split_once("}-"))
            .expect("a name behind that of the stack");
        // With Express sagas it is told of more, which the document says in words.
        let policy = &subscription["FilterPolicy"];
        let policy = match policy["Fn::If"].as_array().map(Vec::as_slice) {
            Some([condition, _, otherwise]) if condition == "Express" => otherwise,
            _ => policy,
        };
        let types = texts(&policy["type"]);
        consumed.insert(name.to_owned(), types);
    }
    consumed
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().expect("a mapping")
}

fn texts(list: &Value) -> BTreeSet<String> {
    let list = list.as_array().expect("a list");
    list.iter()
        .map(|text| text.as_str().expect("a text").to_owned())
        .collect()
}
