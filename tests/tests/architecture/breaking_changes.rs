//! The API's document and the events' schemas against the baseline: clients and subscribers that were written by that
//! one go on to work.

use std::{collections::BTreeSet, path::Path};

use oxcart_tests::{breaking, template::yaml, workspace};
use serde_json::{Value, json};

#[test]
fn nothing_breaks_a_client_of_the_baseline() {
    let (before, after) = (
        yaml("infra/released/openapi.yaml"),
        yaml("infra/openapi.yaml"),
    );
    assert_none(&breaking::changes(&before, &after));
}

#[test]
fn nothing_breaks_a_subscriber_of_the_baseline() {
    let (before, after) = (events("infra/released/events"), events("events/schemas"));
    assert_ne!(before["events"], json!({}), "the baseline has events");
    assert_none(&breaking::event_changes(&before, &after));
}

fn assert_none(changes: &BTreeSet<String>) {
    let lines: Vec<_> = changes.iter().map(String::as_str).collect();
    assert!(
        lines.is_empty(),
        "docs/api-policy.md says how else it can be done:\n{}",
        lines.join("\n")
    );
}

/// The schemas in a folder and the parts that they share, as one document.
fn events(folder: &str) -> Value {
    let schemas = |folder: &str, place: &str| -> Value {
        let files = workspace::files(folder, "json");
        let named = files.iter().map(|file| {
            let (name, mut schema) = (workspace::stem(file), workspace::json(file));
            refer_within(&mut schema, &format!("{place}/{name}"));
            (name, schema)
        });
        named.collect()
    };
    json!({
        "events": schemas(folder, "events"),
        "parts": schemas(&format!("{folder}/parts"), "parts"),
    })
}

/// Makes references to files such to places in the one document. `place` is where the schema itself stands in it.
fn refer_within(schema: &mut Value, place: &str) {
    if let Some(to) = schema.get("$ref").and_then(Value::as_str) {
        let (file, pointer) = to.split_once('#').unwrap_or((to, ""));
        let place = if file.is_empty() {
            place.to_owned()
        } else {
            format!("parts/{}", workspace::stem(Path::new(file)))
        };
        schema["$ref"] = json!(format!("#/{place}{pointer}"));
    }
    match schema {
        Value::Array(several) => several
            .iter_mut()
            .for_each(|inner| refer_within(inner, place)),
        Value::Object(members) => members
            .values_mut()
            .for_each(|inner| refer_within(inner, place)),
        _ => {}
    }
}
