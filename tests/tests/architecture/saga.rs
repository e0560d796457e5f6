//! The state machines: every task is retried, caught and timed, and speaks of errors that exist.

use std::collections::BTreeSet;

use oxcart_tests::{
    template::{resources, yaml},
    workspace,
};
use serde_json::{Map, Value};

#[test]
fn every_state_machine_of_the_template_has_a_definition_and_the_reverse() {
    let mut deployed = definitions();
    deployed.sort();
    let files = workspace::files("statemachines", "json");
    let found: Vec<String> = files
        .iter()
        .map(|file| {
            format!(
                "statemachines/{}",
                file.file_name().unwrap().to_string_lossy()
            )
        })
        .collect();
    assert_eq!(deployed, found);
}

#[test]
fn every_state_says_what_it_is_for() {
    for path in definitions() {
        let definition = workspace::json(&path);
        assert!(definition["Comment"].is_string(), "{path}");
        for (name, state) in states(&definition) {
            assert!(
                state["Comment"]
                    .as_str()
                    .is_some_and(|comment| !comment.is_empty()),
                "{path}: {name}"
            );
        }
    }
}

#[test]
fn every_task_has_a_timeout_a_retry_and_a_catch_of_everything() {
    for path in definitions() {
        for (name, state) in tasks(&workspace::json(&path)) {
            let name = format!("{path}: {name}");
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
}

#[test]
fn every_step_is_a_function_of_the_template_that_bears_its_name() {
    let template = yaml("infra/template.yaml");
    for (machine, properties) in machines(&template) {
        let path = definition_of(properties);
        for (name, resource) in steps(&workspace::json(&path)) {
            assert_eq!(resource, format!("${{{name}Arn}}"), "{machine}");
            assert_eq!(
                template["Resources"][&name]["Type"], "AWS::Serverless::Function",
                "{machine}: {name}"
            );
        }

        let text = workspace::text(&path);
        let used: BTreeSet<&str> = text
            .split("${")
            .skip(1)
            .map(|rest| rest.split('}').next().unwrap())
            .collect();
        let given = properties["DefinitionSubstitutions"]
            .as_object()
            .expect("substitutions");
        let given: BTreeSet<&str> = given.keys().map(String::as_str).collect();
        assert_eq!(
            used, given,
            "what {path} asks for and what the template puts in"
        );
    }
}

#[test]
fn every_state_machine_may_invoke_its_steps_and_nothing_else() {
    let template = yaml("infra/template.yaml");
    for (machine, properties) in machines(&template) {
        let role = properties["Role"]["Fn::GetAtt"][0].as_str();
        let role = role.expect("a role of the template");
        assert_eq!(role, format!("{machine}Role"));
        let statements = &template["Resources"][role]["Properties"]["Policies"][0];
        let statements = statements["PolicyDocument"]["Statement"].as_array();
        let invoking = statements
            .expect("statements")
            .iter()
            .find(|statement| statement["Action"] == "lambda:InvokeFunction");
        let allowed = invoking.expect("steps")["Resource"].as_array();
        let allowed: BTreeSet<String> = allowed
            .expect("functions")
            .iter()
            .map(|arn| {
                arn["Fn::GetAtt"][0]
                    .as_str()
                    .expect("a function")
                    .to_owned()
            })
            .collect();
        let definition = workspace::json(definition_of(properties));
        let steps: BTreeSet<String> = steps(&definition)
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(steps, allowed, "{machine}");
    }
}

#[test]
fn every_error_that_a_state_names_can_be_raised_by_its_function() {
    for path in definitions() {
        let definition = workspace::json(&path);
        for (name, _) in steps(&definition) {
            let raised = raised_by(&name);
            for error in named_by(&definition["States"][&name]) {
                assert!(
                    raised.contains(&error),
                    "{path}: {name} names {error}, which is never raised: {raised:?}"
                );
            }
        }
    }
}

#[test]
fn every_error_that_a_function_raises_is_named_by_its_state_or_retried_whatever_it_is() {
    for path in definitions() {
        let definition = workspace::json(&path);
        for (name, _) in steps(&definition) {
            let state = &definition["States"][&name];
            let named = named_by(state);
            let retries_all = errors_in(state, "Retry").contains("States.ALL");
            for error in raised_by(&name) {
                // A fault of ours has no rule of its own: `States.ALL` catches it.
                let fault = ["Internal", "InvalidInput"].contains(&error.as_str());
                let handled = named.contains(&error) || retries_all || fault;
                assert!(
                    handled,
                    "{path}: {name} raises {error}, and its state names only {named:?}"
                );
            }
        }
    }
}

/// The state machines of the template, with their properties.
fn machines(template: &Value) -> Vec<(&str, &Value)> {
    let machines = resources(template, "AWS::Serverless::StateMachine");
    assert!(!machines.is_empty());
    machines
        .into_iter()
        .map(|(name, machine)| (name, &machine["Properties"]))
        .collect()
}

/// Where the state machines are defined.
fn definitions() -> Vec<String> {
    let template = yaml("infra/template.yaml");
    let machines = machines(&template);
    machines
        .into_iter()
        .map(|(_, properties)| definition_of(properties))
        .collect()
}

fn definition_of(properties: &Value) -> String {
    let uri = properties["DefinitionUri"].as_str().expect("a definition");
    uri.trim_start_matches("../").to_owned()
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

/// The tasks that are functions of ours, and which function each names: by itself, or in its arguments
/// where it is invoked with a task token.
fn steps(definition: &Value) -> Vec<(String, String)> {
    tasks(definition)
        .filter(|(_, state)| state["Resource"] != "${SendMessageArn}")
        .map(|(name, state)| {
            let function = match state["Resource"].as_str() {
                Some("${InvokeAndWaitArn}") => &state["Arguments"]["FunctionName"],
                _ => &state["Resource"],
            };
            let function = function.as_str().expect("a function").to_owned();
            (name.clone(), function)
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
