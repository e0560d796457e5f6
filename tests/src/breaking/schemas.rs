//! The part of it that is about schemas. What a request may be must not become less, what an answer may be not more.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::resolved;

/// What says of an enum, in its description, that clients have to bear more values.
const MAY_GROW: [&str; 2] = ["may be added", "may grow"];

const BOUNDS: [&str; 10] = [
    "minLength",
    "minimum",
    "exclusiveMinimum",
    "minItems",
    "minProperties",
    "maxLength",
    "maximum",
    "exclusiveMaximum",
    "maxItems",
    "maxProperties",
];

/// Which way the values go that a schema describes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// In a request.
    In,
    /// In an answer.
    Out,
}

/// A schema of one of the documents, with all that it is made of in one object.
pub(super) struct Side<'d> {
    document: &'d Value,
    schema: Map<String, Value>,
}

impl<'d> Side<'d> {
    pub(super) fn new(document: &'d Value, schema: &Value) -> Self {
        Self {
            document,
            schema: flat(document, schema),
        }
    }

    fn get(&self, keyword: &str) -> &Value {
        self.schema.get(keyword).unwrap_or(&Value::Null)
    }

    fn part(&self, schema: &Value) -> Self {
        Self::new(self.document, schema)
    }

    fn types(&self) -> BTreeSet<&str> {
        match self.get("type") {
            Value::String(one) => [one.as_str()].into(),
            Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
            _ => BTreeSet::new(),
        }
    }

    fn names(&self, keyword: &str) -> BTreeSet<&str> {
        let list = self.get(keyword).as_array().into_iter().flatten();
        list.filter_map(Value::as_str).collect()
    }

    fn values(&self) -> Option<Vec<&Value>> {
        match (self.schema.get("const"), self.get("enum").as_array()) {
            (Some(only), _) => Some(vec![only]),
            (None, Some(values)) => Some(values.iter().collect()),
            (None, None) => None,
        }
    }

    fn may_grow(&self) -> bool {
        let description = self.get("description").as_str().unwrap_or_default();
        MAY_GROW.iter().any(|words| description.contains(words))
    }
}

/// A schema with its reference and its `allOf` carried out. Bounds and enums of one thing hold together; of two other
/// words on it the later counts. An alternative that is null becomes a type.
fn flat(document: &Value, schema: &Value) -> Map<String, Value> {
    let mut whole = Map::new();
    if schema.get("$ref").is_some() {
        whole = flat(document, resolved(document, schema));
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        merge(&mut whole, flat(document, part));
    }
    let own = schema.as_object().into_iter().flatten();
    let own = own.filter(|(keyword, _)| !matches!(keyword.as_str(), "$ref" | "allOf"));
    let own: Map<String, Value> = own
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let alternatives = own.get("oneOf").and_then(Value::as_array);
    if let Some([value, null]) = alternatives.map(Vec::as_slice)
        && null["type"] == "null"
    {
        let mut nullable = flat(document, value);
        let mut types = nullable
            .remove("type")
            .map_or_else(Vec::new, |own| match own {
                Value::Array(several) => several,
                one => vec![one],
            });
        types.push(json!("null"));
        nullable.insert("type".to_owned(), types.into());
        merge(&mut whole, nullable);
        let rest = own.into_iter().filter(|(keyword, _)| keyword != "oneOf");
        merge(&mut whole, rest.collect());
    } else {
        merge(&mut whole, own);
    }
    whole
}

fn merge(whole: &mut Map<String, Value>, part: Map<String, Value>) {
    for (keyword, value) in part {
        match (keyword.as_str(), whole.get_mut(&keyword), value) {
            ("properties", Some(Value::Object(known)), Value::Object(more)) => {
                for (name, schema) in more {
                    let both = match known.remove(&name) {
                        Some(earlier) => json!({"allOf": [earlier, schema]}),
                        None => schema,
                    };
                    known.insert(name, both);
                }
            }
            ("required", Some(Value::Array(known)), Value::Array(more)) => known.extend(more),
            ("enum", Some(Value::Array(known)), Value::Array(more)) => {
                known.retain(|value| more.contains(value));
            }
            (bound, Some(known), value)
                if BOUNDS.contains(&bound)
                    && tightness(bound, known) > tightness(bound, &value) => {}
            (_, _, value) => {
                whole.insert(keyword, value);
            }
        }
    }
}

/// The breaking changes from one schema to another: where, as a pointer into the values, and what.
pub(super) fn changes(before: &Side<'_>, after: &Side<'_>, way: Way) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut here = |what: String| found.push((String::new(), what));
    types(before, after, way, &mut here);
    values(before, after, way, &mut here);
    forms(before, after, way, &mut here);
    bounds(before, after, way, &mut here);
    alternatives(before, after, way, &mut here);
    let (were, are) = (before.names("required"), after.names("required"));
    match way {
        Way::In => are
            .difference(&were)
            .for_each(|name| here(format!("{name} is required from now on"))),
        Way::Out => were
            .difference(&are)
            .for_each(|name| here(format!("{name} may be missing from now on"))),
    }
    if way == Way::In
        && after.get("additionalProperties") == &json!(false)
        && before.get("additionalProperties") != &json!(false)
    {
        here("other members are refused from now on".to_owned());
    }
    let now = after.get("properties");
    for (name, schema) in before.get("properties").as_object().into_iter().flatten() {
        match now.get(name) {
            Some(member) => {
                let inner = changes(&before.part(schema), &after.part(member), way);
                let below = |(pointer, what)| (format!("/{name}{pointer}"), what);
                found.extend(inner.into_iter().map(below));
            }
            None => found.push((format!("/{name}"), "is gone".to_owned())),
        }
    }
    let items = (before.get("items"), after.get("items"));
    // A list that says nothing of its items may hold any.
    if !items.0.is_null() || !items.1.is_null() {
        let inner = changes(&before.part(items.0), &after.part(items.1), way);
        let below = |(pointer, what)| (format!("/*{pointer}"), what);
        found.extend(inner.into_iter().map(below));
    }
    found
}

fn types(before: &Side<'_>, after: &Side<'_>, way: Way, found: &mut impl FnMut(String)) {
    let (wide, narrow) = match way {
        Way::In => (after, before),
        Way::Out => (before, after),
    };
    let (wide, narrow) = (wide.types(), narrow.types());
    let fits = |kind: &&str| wide.contains(kind) || (*kind == "integer" && wide.contains("number"));
    // A schema without a type is one for any.
    if !wide.is_empty() && (narrow.is_empty() || !narrow.iter().all(fits)) {
        let (was, is) = (before.types(), after.types());
        found(format!("is {is:?} and was {was:?}"));
    }
}

/// What clients have to bear is what they were told before: a change can't excuse itself.
fn values(before: &Side<'_>, after: &Side<'_>, way: Way, found: &mut impl FnMut(String)) {
    match (before.values(), after.values(), way) {
        (None, Some(_), Way::In) => found("takes certain values only from now on".to_owned()),
        (Some(_), None, Way::Out) if !before.may_grow() => {
            found("may have any value from now on".to_owned());
        }
        (Some(were), Some(are), Way::In) => were
            .iter()
            .filter(|value| !are.contains(value))
            .for_each(|value| found(format!("{value} is refused from now on"))),
        (Some(were), Some(are), Way::Out) if !before.may_grow() => are
            .iter()
            .filter(|value| !were.contains(value))
            .for_each(|value| found(format!("may be {value} from now on"))),
        _ => {}
    }
}

/// What can't be said to be wider or narrower, only to be the same.
fn forms(before: &Side<'_>, after: &Side<'_>, way: Way, found: &mut impl FnMut(String)) {
    for keyword in [
        "pattern",
        "format",
        "not",
        "uniqueItems",
        "multipleOf",
        "default",
    ] {
        let (was, is) = (before.get(keyword), after.get(keyword));
        // What isn't there bounds nothing, in a request as in an answer.
        let is_free = match way {
            Way::In => is.is_null() && keyword != "default",
            Way::Out => was.is_null() || keyword == "default",
        };
        if was != is && !is_free {
            found(format!("has another {keyword}: {is}, not {was}"));
        }
    }
}

fn bounds(before: &Side<'_>, after: &Side<'_>, way: Way, found: &mut impl FnMut(String)) {
    for keyword in BOUNDS {
        let (was, is) = (before.get(keyword), after.get(keyword));
        let (then, now) = (tightness(keyword, was), tightness(keyword, is));
        match way {
            Way::In if now > then => found(format!("has a narrower {keyword}: {is}, not {was}")),
            Way::Out if now < then => found(format!("has a wider {keyword}: {is}, not {was}")),
            _ => {}
        }
    }
}

/// The more, the less a bound lets through. One that isn't there lets through all, and nothing is shorter or fewer than
/// nothing.
fn tightness(keyword: &str, bound: &Value) -> f64 {
    let bound = bound.as_f64();
    match keyword {
        "minLength" | "minItems" | "minProperties" => bound.unwrap_or(0.0),
        "minimum" | "exclusiveMinimum" => bound.unwrap_or(f64::NEG_INFINITY),
        _ => -bound.unwrap_or(f64::INFINITY),
    }
}

/// Each alternative that there has to be must fit one of those on the other side.
fn alternatives(before: &Side<'_>, after: &Side<'_>, way: Way, found: &mut impl FnMut(String)) {
    for keyword in ["oneOf", "anyOf"] {
        let (were, are) = (
            before.get(keyword).as_array(),
            after.get(keyword).as_array(),
        );
        let fits =
            |was: &Value, is: &Value| changes(&before.part(was), &after.part(is), way).is_empty();
        let is_kept = match (were, are, way) {
            (None, None, _) | (Some(_), None, Way::In) | (None, Some(_), Way::Out) => true,
            (None, Some(_), Way::In) | (Some(_), None, Way::Out) => false,
            (Some(were), Some(are), Way::In) => {
                were.iter().all(|was| are.iter().any(|is| fits(was, is)))
            }
            (Some(were), Some(are), Way::Out) => {
                are.iter().all(|is| were.iter().any(|was| fits(was, is)))
            }
        };
        if !is_kept {
            found(format!("has other alternatives ({keyword})"));
        }
    }
}
