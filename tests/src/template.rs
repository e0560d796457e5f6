//! The SAM template and the OpenAPI document as JSON: CloudFormation's short tags become the long
//! form, so `!Ref Orders` reads `{"Ref": "Orders"}`, and merges (`<<`) are carried out.

use saphyr::{LoadableYamlNode as _, Scalar, Yaml};
use serde_json::{Map, Value, json};

use crate::workspace;

/// A YAML file of the project as JSON.
pub fn yaml(path: &str) -> Value {
    let text = workspace::text(path);
    let documents =
        Yaml::load_from_str(&text).unwrap_or_else(|error| panic!("{path} is not YAML: {error}"));
    to_json(
        documents
            .first()
            .unwrap_or_else(|| panic!("{path} is empty")),
    )
}

/// The resources of one type in a template, by logical id.
pub fn resources<'t>(template: &'t Value, kind: &str) -> Vec<(&'t str, &'t Value)> {
    let resources = template["Resources"]
        .as_object()
        .expect("a template has Resources");
    resources
        .iter()
        .filter(|(_, resource)| resource["Type"] == kind)
        .map(|(id, resource)| (id.as_str(), resource))
        .collect()
}

fn to_json(node: &Yaml<'_>) -> Value {
    match node {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => json!(value),
        Yaml::Value(Scalar::Integer(value)) => json!(value),
        Yaml::Value(Scalar::FloatingPoint(value)) => json!(value.into_inner()),
        Yaml::Value(Scalar::String(value)) => json!(value),
        Yaml::Sequence(items) => items.iter().map(to_json).collect(),
        Yaml::Mapping(entries) => merged(
            entries
                .iter()
                .map(|(key, value)| (to_key(key), to_json(value))),
        ),
        Yaml::Tagged(tag, value) => long_form(&tag.suffix, to_json(value)),
        Yaml::Representation(..) | Yaml::Alias(_) | Yaml::BadValue => {
            panic!("unexpected YAML: {node:?}")
        }
    }
}

/// A mapping with `<<` replaced by what it merges in; the mapping's own entries win.
fn merged(entries: impl Iterator<Item = (String, Value)>) -> Value {
    let (mut own, mut inherited) = (Map::new(), Map::new());
    for (key, value) in entries {
        match (key.as_str(), value) {
            ("<<", Value::Object(more)) => inherited.extend(more),
            ("<<", other) => panic!("only a mapping can be merged in, not {other}"),
            (_, value) => {
                own.insert(key, value);
            }
        }
    }
    inherited.extend(own);
    Value::Object(inherited)
}

fn to_key(key: &Yaml<'_>) -> String {
    match to_json(key) {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn long_form(tag: &str, value: Value) -> Value {
    match (tag, value) {
        ("Ref" | "Condition", value) => json!({ tag: value }),
        ("GetAtt", Value::String(path)) => {
            let (resource, attribute) = path.split_once('.').expect("!GetAtt Resource.Attribute");
            json!({"Fn::GetAtt": [resource, attribute]})
        }
        (function, value) => json!({ format!("Fn::{function}"): value }),
    }
}
