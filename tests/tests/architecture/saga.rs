//! The state machine: every task is retried, caught and timed, and speaks of errors that exist.

use std::collections::BTreeSet;

use oxcart_tests::{template::yaml, workspace};
use serde_json::{Map, Value};

const DEFINITION: &str = "statemachines/order-saga.asl.json";

#[test]
fn every_state_says_what_it_is_for() {
    let definition = workspace::json(DEFINITION);
    assert!(definition["Comment"].is_string());
    for (name, state) in states(&definition) {
        assert!(
            state["Comment"]
                .as_str()
                .is_some_and(|comment| !comment.is_empty()),
            "{name}"
        );
    }
}

#[test]
fn every_task_has_a_timeout_a_retry_and_a_catch_of_everything() {
    let definition = workspace::json(DEFINITION);
    for (name, state) in tasks(&definition) {
        assert!(state["TimeoutSeconds"].is_u64(), "{name} may hang");
        for rule in state["Retry"]
            .as_array()
            .unwrap_or_else(|| panic!("{name} is not retried"))
        {
            if rule["MaxAttempts"] != 0 {
                for setting in [
                    "IntervalSeconds",
                    "BackoffRate",
                    "MaxAttempts",
                    "MaxDelaySeconds",
                ] {
                    assert!(
                        rule[setting].is_number(),
                        "{name} is retried without {setting}"
                    );
                }
                assert_eq!(rule["JitterStrategy"], "FULL", "{name}");
            }
        }
        let caught = errors_in(state, "Catch");
        assert!(
            caught.contains("States.ALL"),
            "{name} catches only {caught:?}"
        );
    }
}

#[test]
fn every_step_is_a_function_of_the_template_that_bears_its_name() {
    let definition = workspace::json(DEFINITION);
    let template = yaml("infra/template.yaml");
    for (name, resource) in steps(&definition) {
        assert_eq!(resource, format!("${{{name}Arn}}"));
        assert_eq!(
            template["Resources"][name]["Type"], "AWS::Serverless::Function",
            "{name}"
        );
    }

    let text = workspace::text(DEFINITION);
    let used: BTreeSet<&str> = text
        .split("${")
        .skip(1)
        .map(|rest| rest.split('}').next().unwrap())
        .collect();
    let given = &template["Resources"]["OrderSaga"]["Properties"]["DefinitionSubstitutions"];
    let given: BTreeSet<&str> = given
        .as_object()
        .expect("substitutions")
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        used, given,
        "what the definition asks for and what the template puts in"
    );
}

#[test]
fn every_error_that_a_state_names_can_be_raised_by_its_function() {
    let definition = workspace::json(DEFINITION);
    for (name, _) in steps(&definition) {
        let raised = raised_by(name);
        for error in named_by(&definition["States"][name]) {
            assert!(
                raised.contains(&error),
                "{name} names {error}, which is never raised: {raised:?}"
            );
        }
    }
}

#[test]
fn every_error_that_a_function_raises_is_named_by_its_state_or_retried_whatever_it_is() {
    let definition = workspace::json(DEFINITION);
    for (name, _) in steps(&definition) {
        let state = &definition["States"][name];
        let named = named_by(state);
        let retries_all = errors_in(state, "Retry").contains("States.ALL");
        for error in raised_by(name) {
            // A fault of ours has no rule of its own: `States.ALL` catches it.
            let fault = ["Internal", "InvalidInput"].contains(&error.as_str());
            let handled = named.contains(&error) || retries_all || fault;
            assert!(
                handled,
                "{name} raises {error}, and its state names only {named:?}"
            );
        }
    }
}

/// The error names of the step's module, of its service's table and of what all services share.
fn raised_by(step: &str) -> BTreeSet<String> {
    let module = format!("{}.rs", snake_case(step));
    let services = workspace::folders("functions");
    let service = services
        .iter()
        .map(|service| service.join("src"))
        .find(|source| source.join(&module).is_file());
    let service = service.unwrap_or_else(|| panic!("no service has a {module}"));
    let own = [service.join(&module), service.join("table.rs")];
    let files = own
        .into_iter()
        .chain(workspace::files_below("shared", "rs"));
    files
        .flat_map(|file| error_types_in(&workspace::text(file)))
        .collect()
}

/// The names in quotes in the bodies of the functions `error_type`.
fn error_types_in(source: &str) -> BTreeSet<String> {
    let bodies = source
        .split("fn error_type(")
        .skip(1)
        .map(|rest| rest.split("\n    }\n").next().unwrap());
    let quoted = bodies.flat_map(|body| body.split('"').skip(1).step_by(2));
    quoted
        .filter(|name| name.starts_with(char::is_uppercase))
        .map(ToOwned::to_owned)
        .collect()
}

/// The errors of ours that a state names; the others are the platform's.
fn named_by(state: &Value) -> BTreeSet<String> {
    let mut named = errors_in(state, "Retry");
    named.extend(errors_in(state, "Catch"));
    named.retain(|error| {
        !["States.", "Lambda.", "Sandbox."]
            .iter()
            .any(|platform| error.starts_with(platform))
    });
    named
}

fn errors_in(state: &Value, rules: &str) -> BTreeSet<String> {
    let rules = state[rules]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let errors = rules
        .iter()
        .flat_map(|rule| rule["ErrorEquals"].as_array().expect("ErrorEquals"));
    errors
        .map(|error| error.as_str().expect("a name").to_owned())
        .collect()
}

fn states(definition: &Value) -> &Map<String, Value> {
    definition["States"].as_object().expect("states")
}

fn tasks(definition: &Value) -> impl Iterator<Item = (&String, &Value)> {
    states(definition)
        .iter()
        .filter(|(_, state)| state["Type"] == "Task")
}

/// The tasks that are functions of ours, and the resources they name.
fn steps(definition: &Value) -> Vec<(&str, &str)> {
    tasks(definition)
        .map(|(name, state)| {
            (
                name.as_str(),
                state["Resource"].as_str().expect("a resource"),
            )
        })
        .filter(|(name, resource)| {
            *resource == format!("${{{name}Arn}}")
                || !resource.contains("states:::") && *name != "ParkOrder"
        })
        .collect()
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}
