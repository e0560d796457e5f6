//! The API's description: complete, true to its own schemas, and at one with the template, with the problem
//! types that the code knows and with the pages about them.

use std::collections::{BTreeMap, BTreeSet};

use oxcart_tests::{template::yaml, workspace};
use serde_json::{Value, json};

use crate::functions::camel_case;

#[test]
fn every_type_of_problem_is_raised_listed_shown_and_explained() {
    let document = yaml("infra/openapi.yaml");
    let raised = problems_in_the_code();
    let names: BTreeSet<&str> = raised.keys().map(String::as_str).collect();

    let listed = document["components"]["schemas"]["ProblemType"]["enum"].as_array();
    let listed: BTreeSet<&str> = listed.expect("types").iter().map(name_of_problem).collect();
    assert_eq!(listed, names, "those that are listed");

    let examples = document["components"]["examples"].as_object();
    let mut shown = BTreeSet::new();
    for (name, example) in examples.expect("examples") {
        if example["value"]["type"].is_null() || example["value"]["trace_id"].is_null() {
            continue;
        }
        assert_eq!(name_of_problem(&example["value"]["type"]), name);
        assert_eq!(example["value"]["title"], raised[name], "{name}");
        shown.insert(name.as_str());
    }
    assert_eq!(shown, names, "those that have an example");

    let pages = workspace::files("docs/problems", "md");
    let explained: Vec<String> = pages.iter().map(|page| workspace::stem(page)).collect();
    assert_eq!(
        explained,
        names.into_iter().collect::<Vec<_>>(),
        "those that have a page"
    );
}

#[test]
fn every_problem_is_shown_under_its_own_status() {
    let document = yaml("infra/openapi.yaml");
    for operation in operations(&document) {
        for (status, response) in operation.responses(&document) {
            for (name, problem) in examples(&document, &response["content"][PROBLEM]) {
                assert_eq!(
                    problem["status"].to_string(),
                    *status,
                    "{name} of {}",
                    operation.id
                );
            }
        }
    }
}

#[test]
fn every_body_of_json_or_html_has_an_example() {
    let document = yaml("infra/openapi.yaml");
    for operation in operations(&document) {
        for (what, media_type, body) in operation.bodies(&document) {
            let has_examples = !examples(&document, body).is_empty();
            let is_shown = [JSON, PROBLEM, "text/html"].contains(&media_type);
            assert!(has_examples || !is_shown, "{what}: {media_type}");
        }
    }
}

#[test]
fn every_example_is_what_its_schema_says() {
    let document = yaml("infra/openapi.yaml");
    for operation in operations(&document) {
        for (what, media_type, body) in operation.bodies(&document) {
            for (name, example) in examples(&document, body) {
                let faults = faults(&document, &body["schema"], example);
                assert!(
                    faults.is_empty(),
                    "{what}, {media_type}, {name}: {faults:#?}"
                );
            }
        }
        for parameter in operation.parameters(&document) {
            assert_example(&document, parameter, operation.id);
        }
        for (_, response) in operation.responses(&document) {
            for (name, header) in entries(&response["headers"]) {
                assert_example(&document, resolved(&document, header), name);
            }
        }
    }
}

#[test]
fn everything_is_described() {
    let document = yaml("infra/openapi.yaml");
    let tags: Vec<&Value> = document["tags"].as_array().expect("tags").iter().collect();
    for tag in &tags {
        assert_described(tag, &tag["name"].to_string());
    }
    for operation in operations(&document) {
        assert!(operation.content["summary"].is_string(), "{}", operation.id);
        assert_described(operation.content, operation.id);
        for tag in operation.content["tags"].as_array().expect("tags") {
            assert!(tags.iter().any(|known| known["name"] == *tag), "{tag}");
        }
        for parameter in operation.parameters(&document) {
            assert_described(parameter, &parameter["name"].to_string());
        }
        for (status, response) in operation.responses(&document) {
            assert_described(response, &format!("{status} of {}", operation.id));
            for (name, header) in entries(&response["headers"]) {
                assert_described(resolved(&document, header), name);
            }
        }
    }
    for (name, schema) in entries(&document["components"]["schemas"]) {
        assert_schema_described(&document, schema, name);
    }
}

#[test]
fn every_operation_says_how_it_is_throttled_and_how_it_fails() {
    let document = yaml("infra/openapi.yaml");
    let template = yaml("infra/template.yaml");
    for operation in operations(&document) {
        let role = format!("{}Role", camel_case(operation.function()));
        let mut expected = vec!["429", "500"];
        if calls_the_cloud(&template["Resources"][role]) {
            expected.push("503");
        }
        let statuses = operation.responses(&document);
        for status in expected {
            assert!(
                statuses.iter().any(|(known, _)| *known == status),
                "{} without {status}",
                operation.id
            );
        }
    }
}

#[test]
fn the_limits_that_are_described_are_those_of_the_template() {
    let document = yaml("infra/openapi.yaml");
    let template = yaml("infra/template.yaml");
    let stage = &template["Resources"]["HttpApiStage"]["Properties"];
    let limits = |settings: &Value| {
        let [rate, burst] = ["ThrottlingRateLimit", "ThrottlingBurstLimit"]
            .map(|name| by_default(&template, &settings[name]));
        [
            format!("{rate} requests a second"),
            format!("up to {burst} at once"),
        ]
    };

    let general = document["info"]["description"].as_str().expect("prose");
    for limit in limits(&stage["DefaultRouteSettings"]) {
        assert!(general.contains(&limit), "{limit}");
    }
    for operation in operations(&document) {
        let described = operation.content["description"].as_str().expect("prose");
        match stage["RouteSettings"].get(&operation.route) {
            Some(settings) => {
                for limit in limits(settings) {
                    assert!(described.contains(&limit), "{}: {limit}", operation.id);
                }
            }
            None => assert!(!described.contains("requests a second"), "{}", operation.id),
        }
    }
}

#[test]
fn an_operation_asks_for_a_token_exactly_if_its_route_has_the_authorizer() {
    let document = yaml("infra/openapi.yaml");
    let template = yaml("infra/template.yaml");
    for operation in operations(&document) {
        let route = format!("{}Route", camel_case(operation.id));
        let route = &template["Resources"][route]["Properties"];
        let asks = operation.content.get("security").is_none();
        assert!(asks || operation.content["security"] == json!([]));
        let authorizer = if asks { "CUSTOM" } else { "NONE" };
        assert_eq!(route["AuthorizationType"], authorizer, "{}", operation.id);
        let refuses = |status| {
            let mut statuses = operation.responses(&document).into_iter();
            statuses.any(|(known, _)| known == status)
        };
        assert!(!asks || refuses("401"), "{} without 401", operation.id);
        assert!(asks || !refuses("403"), "{} with 403", operation.id);
    }
}

#[test]
fn what_is_deprecated_says_so_in_its_answers() {
    let mut document = yaml("infra/openapi.yaml");
    assert_eq!(silently_deprecated(&document), Vec::<String>::new());

    let operation = &mut document["paths"]["/products"]["get"];
    operation["deprecated"] = json!(true);
    let limit = &mut document["components"]["parameters"]["Limit"];
    limit["deprecated"] = json!(true);
    assert_eq!(
        silently_deprecated(&document),
        ["list-orders", "list-products", "search-orders"]
    );

    for path in ["/products", "/orders", "/operations/orders"] {
        let headers = &mut document["paths"][path]["get"]["responses"]["200"]["headers"];
        headers["Deprecation"] = json!({});
        headers["Sunset"] = json!({});
    }
    assert_eq!(silently_deprecated(&document), Vec::<String>::new());
}

const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";

/// One operation of the document.
struct Operation<'d> {
    id: &'d str,
    /// Its method and path, as a route's key has them.
    route: String,
    content: &'d Value,
    path: &'d Value,
}

impl<'d> Operation<'d> {
    /// The function that serves it.
    fn function(&self) -> &'d str {
        self.content["x-function"].as_str().unwrap_or(self.id)
    }

    /// Its own parameters, and those of its path.
    fn parameters(&self, document: &'d Value) -> Vec<&'d Value> {
        let lists = [&self.content["parameters"], &self.path["parameters"]];
        let parameters = lists.into_iter().filter_map(Value::as_array).flatten();
        parameters
            .map(|parameter| resolved(document, parameter))
            .collect()
    }

    /// Its responses by status.
    fn responses(&self, document: &'d Value) -> Vec<(&'d String, &'d Value)> {
        entries(&self.content["responses"])
            .map(|(status, response)| (status, resolved(document, response)))
            .collect()
    }

    /// All that it may take or answer: whose body it is, its media type, and what is said of it.
    fn bodies(&self, document: &'d Value) -> Vec<(String, &'d str, &'d Value)> {
        let request = resolved(document, &self.content["requestBody"]);
        let mut messages = vec![(format!("{}'s request", self.id), request)];
        for (status, response) in self.responses(document) {
            messages.push((format!("{}'s {status}", self.id), response));
        }
        let bodies = messages.into_iter().flat_map(|(what, message)| {
            entries(&message["content"])
                .map(move |(media_type, body)| (what.clone(), media_type.as_str(), body))
        });
        bodies.collect()
    }
}

fn operations(document: &Value) -> Vec<Operation<'_>> {
    let mut operations = Vec::new();
    for (path, item) in entries(&document["paths"]) {
        for (method, content) in entries(item) {
            if let Some(id) = content["operationId"].as_str() {
                operations.push(Operation {
                    id,
                    route: format!("{} {path}", method.to_uppercase()),
                    content,
                    path: item,
                });
            }
        }
    }
    assert!(!operations.is_empty());
    operations
}

/// The members of an object; none of anything else.
fn entries(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flatten()
}

/// What stands here, or where the reference leads that stands here.
fn resolved<'d>(document: &'d Value, node: &'d Value) -> &'d Value {
    let Some(reference) = node["$ref"].as_str() else {
        return node;
    };
    let target = document.pointer(reference.trim_start_matches('#'));
    resolved(
        document,
        target.unwrap_or_else(|| panic!("{reference} leads nowhere")),
    )
}

/// The examples of a body, by name.
fn examples<'d>(document: &'d Value, body: &'d Value) -> Vec<(&'d String, &'d Value)> {
    entries(&body["examples"])
        .map(|(name, example)| (name, &resolved(document, example)["value"]))
        .collect()
}

/// Where a value is not what a schema of the document says.
fn faults(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    // Schemas refer to each other by where they stand in the document.
    let schema = json!({"components": document["components"], "allOf": [schema]});
    let validator = jsonschema::options()
        .should_validate_formats(true)
        .offline()
        .build(&schema)
        .unwrap_or_else(|error| panic!("no schema: {error}"));
    validator
        .iter_errors(value)
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect()
}

/// Fails the test unless the example of a parameter or header, if it has one, is what its schema says.
fn assert_example(document: &Value, described: &Value, what: &str) {
    if let Some(example) = described.get("example") {
        let faults = faults(document, &described["schema"], example);
        assert!(faults.is_empty(), "{what}: {faults:#?}");
    }
}

fn assert_described(node: &Value, what: &str) {
    let description = node["description"].as_str().unwrap_or_default();
    assert!(!description.is_empty(), "{what} has no description");
}

/// Fails the test unless a schema and its properties are described, each where it stands or where its
/// reference leads.
fn assert_schema_described(document: &Value, schema: &Value, what: &str) {
    assert_described(resolved(document, schema), what);
    for (name, property) in entries(&schema["properties"]) {
        assert_schema_described(document, property, &format!("{what}.{name}"));
    }
}

/// The operations of which something is deprecated, whatever it is, and whose successes don't say so in
/// `Deprecation` (RFC 9745) and `Sunset` (RFC 8594).
fn silently_deprecated(document: &Value) -> Vec<String> {
    let mut silent = Vec::new();
    for operation in operations(document) {
        let mut parts = operation.parameters(document);
        parts.push(operation.content);
        if parts.iter().all(|part| part["deprecated"] != true) {
            continue;
        }
        let responses = operation.responses(document);
        let mut successes = responses
            .iter()
            .filter(|(status, _)| status.starts_with('2'));
        let says_so = successes.all(|(_, response)| {
            ["Deprecation", "Sunset"].map(|name| response["headers"].get(name).is_some())
                == [true, true]
        });
        if !says_so {
            silent.push(operation.id.to_owned());
        }
    }
    silent.sort();
    silent
}

/// Whether a role of the template allows more than to log.
fn calls_the_cloud(role: &Value) -> bool {
    let policies = role["Properties"]["Policies"].as_array();
    let statements = policies
        .expect("a role has policies")
        .iter()
        .filter_map(|policy| policy["PolicyDocument"]["Statement"].as_array());
    statements
        .flatten()
        .any(|statement| !statement["Action"].to_string().contains("logs:"))
}

/// A number of the template, or the default of the parameter that stands for it.
fn by_default(template: &Value, value: &Value) -> String {
    match value["Ref"].as_str() {
        Some(parameter) => template["Parameters"][parameter]["Default"].to_string(),
        None => value.to_string(),
    }
}

fn name_of_problem(kind: &Value) -> &str {
    let kind = kind.as_str().expect("a type of problem");
    kind.strip_prefix("/problems/").expect("where its page is")
}

/// The titles of the types of problems that the code knows, by name.
fn problems_in_the_code() -> BTreeMap<String, String> {
    let mut files = workspace::files_below("functions", "rs");
    files.extend(workspace::files_below("shared/http/src", "rs"));
    let mut found = BTreeMap::new();
    for file in files {
        let text = workspace::text(&file);
        let source = text.split("#[cfg(test)]").next().unwrap();
        let own = source.contains("impl Kind {").then_some("Self::new(");
        for constructor in ["Kind::new("].into_iter().chain(own) {
            for arguments in source.split(constructor).skip(1) {
                // Other types have a `new` too, which begins with something else.
                let Some(arguments) = arguments.trim_start().strip_prefix('"') else {
                    continue;
                };
                let mut texts = arguments.split('"').step_by(2);
                let name = texts.next().unwrap().to_owned();
                let title = texts.next().unwrap().to_owned();
                let earlier = found.insert(name.clone(), title);
                assert_eq!(earlier, None, "{name} is made twice");
            }
        }
    }
    found
}
