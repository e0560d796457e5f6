//! What of a changed OpenAPI document would make a client fail that does as the earlier one says. `docs/api-policy.md`
//! says in words what is compared here.

mod schemas;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use schemas::{Side, Way};

/// The methods that an operation can have in a document.
const METHODS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];

/// The breaking changes from one document to another, a line for each.
pub fn changes(before: &Value, after: &Value) -> BTreeSet<String> {
    let mut comparison = Comparison::new(before, after);
    for (path, method) in operations(before) {
        let operation = |document: &Value| document["paths"][&path].get(&method).is_some();
        let label = format!("{} {path}", method.to_uppercase());
        if operation(after) {
            comparison.operation(&label, &path, &method);
        } else {
            comparison.add(&label, "is gone");
        }
    }
    comparison.security_schemes();
    comparison.found
}

/// The same of the events' schemas. A document has those of the types in `events`, and beside it what they refer to.
pub fn event_changes(before: &Value, after: &Value) -> BTreeSet<String> {
    let mut comparison = Comparison::new(before, after);
    for (kind, schema) in entries(before, &before["events"]) {
        match after["events"].get(kind) {
            Some(now) => comparison.schema(kind, schema, now, Way::Out),
            None => comparison.add(kind, "is gone"),
        }
    }
    comparison.found
}

fn operations(document: &Value) -> impl Iterator<Item = (String, String)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths.flat_map(|(path, item)| {
        let there = METHODS.iter().filter(|method| item.get(**method).is_some());
        there.map(|method| (path.clone(), (*method).to_owned()))
    })
}

/// What a reference leads to, or the value itself.
fn resolved<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    match value["$ref"].as_str().and_then(|to| to.strip_prefix('#')) {
        Some(pointer) => resolved(
            document,
            document
                .pointer(pointer)
                .unwrap_or_else(|| panic!("{pointer} leads nowhere")),
        ),
        None => value,
    }
}

/// The entries of an object by name, each resolved. None for what isn't there.
fn entries<'d>(document: &'d Value, object: &'d Value) -> BTreeMap<&'d str, &'d Value> {
    let entries = object.as_object().map(Map::iter).into_iter().flatten();
    entries
        .map(|(name, value)| (name.as_str(), resolved(document, value)))
        .collect()
}

struct Comparison<'d> {
    before: &'d Value,
    after: &'d Value,
    found: BTreeSet<String>,
}

impl<'d> Comparison<'d> {
    fn new(before: &'d Value, after: &'d Value) -> Self {
        Self {
            before,
            after,
            found: BTreeSet::new(),
        }
    }

    fn add(&mut self, place: &str, what: &str) {
        self.found.insert(format!("{place}: {what}"));
    }

    fn operation(&mut self, label: &str, path: &str, method: &str) {
        let (before, after) = (self.before, self.after);
        let items = (&before["paths"][path], &after["paths"][path]);
        let operations = (&items.0[method], &items.1[method]);
        if operations.0["operationId"] != operations.1["operationId"] {
            self.add(label, "has another operationId");
        }
        let ways = keys(after, operations.1);
        let is_kept = |way: &BTreeSet<_>| ways.iter().any(|now| now.is_subset(way));
        for way in keys(before, operations.0) {
            match (is_kept(&way), way.is_empty()) {
                (true, _) => {}
                (false, true) => self.add(label, "needs a token from now on"),
                (false, false) => self.add(label, &format!("lets nobody in by {way:?} any more")),
            }
        }
        let parameters = (
            parameters(before, items.0, operations.0),
            parameters(after, items.1, operations.1),
        );
        self.parameters(label, &parameters.0, &parameters.1);
        self.body(
            label,
            resolved(before, &operations.0["requestBody"]),
            resolved(after, &operations.1["requestBody"]),
        );
        let has = |of: &BTreeMap<_, &Value>, name: &str| of.values().any(|one| one["name"] == name);
        self.answers(
            label,
            &operations.0["responses"],
            &operations.1["responses"],
            |name| has(&parameters.1, name) && !has(&parameters.0, name),
        );
    }

    /// Clients go by the successes that they know. Another may come only for who sends a parameter that is new as well.
    fn answers(
        &mut self,
        label: &str,
        before: &'d Value,
        after: &'d Value,
        is_new: impl Fn(&str) -> bool,
    ) {
        let (answers, answers_now) = (entries(self.before, before), entries(self.after, after));
        for (status, answer) in &answers {
            let place = format!("{label} {status}");
            match answers_now.get(status) {
                Some(now) => self.answer(&place, answer, now),
                None => self.add(&place, "is no answer any more"),
            }
        }
        for (status, answer) in answers_now {
            let is_known = answers.contains_key(status) || only_with(answer).is_some_and(&is_new);
            if status.starts_with('2') && !is_known {
                self.add(&format!("{label} {status}"), "may come from now on");
            }
        }
    }

    fn security_schemes(&mut self) {
        let of =
            |document: &'d Value| entries(document, &document["components"]["securitySchemes"]);
        let schemes = of(self.after);
        for (name, scheme) in of(self.before) {
            // The operations tell when it is gone.
            let now = schemes.get(name).copied().unwrap_or(scheme);
            for keyword in ["type", "scheme", "in", "name"] {
                if scheme[keyword] != now[keyword] {
                    self.add(name, &format!("has another {keyword}"));
                }
            }
        }
    }

    fn parameters(
        &mut self,
        label: &str,
        before: &BTreeMap<String, &'d Value>,
        after: &BTreeMap<String, &'d Value>,
    ) {
        for (name, parameter) in after {
            let was_required = before.get(name).is_some_and(|was| was["required"] == true);
            if parameter["required"] == true && !was_required {
                self.add(&format!("{label}, {name}"), "is required from now on");
            }
        }
        for (name, parameter) in before {
            let place = format!("{label}, {name}");
            let Some(now) = after.get(name) else {
                self.add(&place, "is gone");
                continue;
            };
            for keyword in ["style", "explode"] {
                if parameter[keyword] != now[keyword] {
                    self.add(&place, &format!("has another {keyword}"));
                }
            }
            self.schema(&place, &parameter["schema"], &now["schema"], Way::In);
        }
    }

    fn body(&mut self, label: &str, before: &'d Value, after: &'d Value) {
        let place = format!("{label}, body");
        if after["required"] == true && before["required"] != true {
            self.add(&place, "is required from now on");
        }
        if before.is_object() && after.is_null() {
            self.add(&place, "is gone");
            return;
        }
        self.content(&place, &before["content"], &after["content"], Way::In);
    }

    fn answer(&mut self, place: &str, before: &'d Value, after: &'d Value) {
        let headers = entries(self.after, &after["headers"]);
        for (name, header) in entries(self.before, &before["headers"]) {
            let place = format!("{place}, {name}");
            let Some(now) = headers.get(name) else {
                self.add(&place, "is gone");
                continue;
            };
            if header["required"] == true && now["required"] != true {
                self.add(&place, "may be missing from now on");
            }
            self.schema(&place, &header["schema"], &now["schema"], Way::Out);
        }
        self.content(place, &before["content"], &after["content"], Way::Out);
    }

    fn content(&mut self, place: &str, before: &'d Value, after: &'d Value, way: Way) {
        let (types, types_now) = (entries(self.before, before), entries(self.after, after));
        for (media_type, content) in &types {
            let place = format!("{place}, {media_type}");
            match types_now.get(media_type) {
                Some(now) => self.schema(&place, &content["schema"], &now["schema"], way),
                None => self.add(&place, "is gone"),
            }
        }
        let more = types_now.keys().filter(|name| !types.contains_key(*name));
        for media_type in more.filter(|_| way == Way::Out) {
            self.add(&format!("{place}, {media_type}"), "may come from now on");
        }
    }

    fn schema(&mut self, place: &str, before: &'d Value, after: &'d Value, way: Way) {
        let before = Side::new(self.before, before);
        let after = Side::new(self.after, after);
        for (pointer, what) in schemas::changes(&before, &after, way) {
            let separator = if pointer.is_empty() { "" } else { " " };
            self.add(&format!("{place}{separator}{pointer}"), &what);
        }
    }
}

/// What lets a caller in, each way by the names of what it takes. To be let in with nothing is one of the ways.
fn keys<'d>(document: &'d Value, operation: &'d Value) -> BTreeSet<BTreeSet<&'d str>> {
    let security = operation.get("security").unwrap_or(&document["security"]);
    let ways = security.as_array().into_iter().flatten();
    let mut ways: BTreeSet<_> = ways
        .map(|way| way.as_object().into_iter().flat_map(Map::keys))
        .map(|names| names.map(String::as_str).collect())
        .collect();
    if ways.is_empty() {
        ways.insert(BTreeSet::new());
    }
    ways
}

/// The parameter without which an answer doesn't come, if its description says so: "Only with `wait`", or `wait=10`.
fn only_with(answer: &Value) -> Option<&str> {
    let (_, rest) = answer["description"].as_str()?.split_once("Only with `")?;
    rest.split(['`', ':', '=']).next()
}

/// The parameters of an operation, its path's among them, by where they are and what they are called.
fn parameters<'d>(
    document: &'d Value,
    item: &'d Value,
    operation: &'d Value,
) -> BTreeMap<String, &'d Value> {
    let of = |value: &'d Value| value["parameters"].as_array().into_iter().flatten();
    of(item)
        .chain(of(operation))
        .map(|parameter| {
            let parameter = resolved(document, parameter);
            let text = |name: &str| parameter[name].as_str().unwrap_or_default();
            (format!("{} {}", text("in"), text("name")), parameter)
        })
        .collect()
}

#[cfg(test)]
mod tests;
