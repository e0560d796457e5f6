//! State machines and their executions, as an operator sees them.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use aws_sdk_sfn::{
    operation::describe_execution::DescribeExecutionError,
    types::{HistoryEvent, TaskScheduledEventDetails},
};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::stack::Stack;

/// How often an execution is asked whether it has ended: at first, and when it takes long.
const INTERVAL: Duration = Duration::from_millis(250);
const LONG_INTERVAL: Duration = Duration::from_secs(1);
/// From when on it takes long.
const LONG: Duration = Duration::from_secs(5);

/// A state machine as it is deployed.
#[derive(Debug, Clone)]
pub struct Machine {
    /// Its name without the stack's and that of its type, which is also that of its file: `order-saga`.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// What it does, with the ARNs of what it calls put in.
    pub definition: Value,
}

/// A task that invokes a function of ours.
#[derive(Debug, Clone)]
pub struct Step {
    /// The state.
    pub state: String,
    /// The binary's name of the function.
    pub function: String,
    /// The errors of ours that the state catches by name.
    pub catches: Vec<String>,
}

/// An execution.
#[derive(Debug, Clone)]
pub struct Execution {
    /// Where it stands: `RUNNING`, `SUCCEEDED`, `FAILED`, …
    pub status: String,
    /// What it was started with.
    pub input: String,
}

/// One stay of an execution in a task, with all its retries.
#[derive(Debug, Clone)]
pub struct Visit {
    /// The state.
    pub state: String,
    /// What the function was given; null as long as it was not called.
    pub payload: Value,
    /// The errors that it failed with.
    pub errors: Vec<String>,
}

impl Stack {
    /// The stack's state machines.
    pub async fn machines(&self) -> Vec<Machine> {
        let prefix = format!("{}-", self.setting("STACK_NAME"));
        let mut listed = self
            .states
            .list_state_machines()
            .into_paginator()
            .items()
            .send();
        let mut machines = Vec::new();
        while let Some(machine) = listed.next().await {
            let machine = machine.expect("the operator may list state machines");
            let Some(name) = machine.name().strip_prefix(&prefix) else {
                continue;
            };
            let described = self
                .states
                .describe_state_machine()
                .state_machine_arn(machine.state_machine_arn())
                .send()
                .await
                .unwrap_or_else(|error| panic!("cannot look at {name}: {error:?}"));
            machines.push(Machine {
                name: name.trim_end_matches("-express").to_owned(),
                arn: machine.state_machine_arn().to_owned(),
                definition: serde_json::from_str(described.definition())
                    .unwrap_or_else(|error| panic!("{name} is not JSON: {error}")),
            });
        }
        machines
    }

    /// An execution; none if there is none under this ARN.
    pub async fn execution(&self, arn: &str) -> Option<Execution> {
        let described = self
            .states
            .describe_execution()
            .execution_arn(arn)
            .send()
            .await;
        match described {
            Ok(execution) => Some(Execution {
                status: execution.status().as_str().to_owned(),
                input: execution.input().unwrap_or_default().to_owned(),
            }),
            Err(error) => {
                let service = error.as_service_error();
                assert!(
                    service.is_some_and(DescribeExecutionError::is_execution_does_not_exist),
                    "cannot look at {arn}: {error:?}"
                );
                None
            }
        }
    }

    /// How an execution ends that has begun or is about to.
    pub async fn end_of(&self, arn: &str, within: Duration) -> String {
        let began = Instant::now();
        loop {
            let execution = self.execution(arn).await;
            match execution.map(|execution| execution.status) {
                Some(status) if status != "RUNNING" => return status,
                seen if began.elapsed() >= within => {
                    let visits = match seen {
                        Some(_) => self.visits(arn).await,
                        None => Vec::new(),
                    };
                    panic!("{arn} has not ended in time: {seen:?}, {visits:#?}");
                }
                _ if began.elapsed() < LONG => sleep(INTERVAL).await,
                _ => sleep(LONG_INTERVAL).await,
            }
        }
    }

    /// Starts a further execution with the input of another, under that one's name with a suffix. Answers
    /// its ARN.
    pub async fn run_again(&self, machine: &Machine, order_id: &str, suffix: &str) -> String {
        let first = machine.execution_of(order_id);
        let first = self.execution(&first).await;
        let input = first.expect("an execution of the order").input;
        let started = self
            .states
            .start_execution()
            .state_machine_arn(&machine.arn)
            .name(format!("{order_id}-{suffix}"))
            .input(input)
            .send()
            .await
            .unwrap_or_else(|error| panic!("cannot run {order_id} again: {error:?}"));
        started.execution_arn().to_owned()
    }

    /// The tasks that an execution has been in, in order.
    pub async fn visits(&self, arn: &str) -> Vec<Visit> {
        let mut events = self
            .states
            .get_execution_history()
            .execution_arn(arn)
            .into_paginator()
            .items()
            .send();
        let mut visits = Vec::new();
        while let Some(event) = events.next().await {
            let event = event.unwrap_or_else(|error| panic!("no history of {arn}: {error:?}"));
            if event.r#type().as_str() == "TaskStateEntered" {
                let entered = event.state_entered_event_details();
                visits.push(Visit {
                    state: entered.expect("what was entered").name().to_owned(),
                    payload: Value::Null,
                    errors: Vec::new(),
                });
            } else if let Some(visit) = visits.last_mut() {
                note(visit, &event);
            }
        }
        visits
    }
}

impl Machine {
    /// The first execution for an order, which bears its id.
    pub fn execution_of(&self, order_id: &str) -> String {
        let arn = self.arn.replacen(":stateMachine:", ":execution:", 1);
        format!("{arn}:{order_id}")
    }

    /// The tasks that invoke functions of the stack.
    pub fn steps(&self, stack: &Stack) -> Vec<Step> {
        let prefix = format!("{}-", stack.setting("STACK_NAME"));
        let tasks = self.states().filter(|(_, state)| state["Type"] == "Task");
        tasks
            .filter_map(|(name, state)| {
                let function = function_of(state)?.strip_prefix(&prefix)?;
                Some(Step {
                    state: name.clone(),
                    function: function.to_owned(),
                    catches: caught_by_name(state),
                })
            })
            .collect()
    }

    /// The states that can come after `state`, and itself.
    pub fn from_here_on(&self, state: &str) -> BTreeSet<String> {
        let states: BTreeMap<&String, &Value> = self.states().collect();
        let mut reached = BTreeSet::new();
        let mut next = vec![state.to_owned()];
        while let Some(name) = next.pop() {
            let Some(state) = states.get(&name) else {
                continue;
            };
            if reached.insert(name) {
                let ways = ["Catch", "Choices"].into_iter().flat_map(|rules| {
                    let rules = state[rules].as_array().map(Vec::as_slice);
                    rules.unwrap_or_default().iter().map(|rule| &rule["Next"])
                });
                let ways = ways.chain([&state["Next"], &state["Default"]]);
                next.extend(ways.filter_map(Value::as_str).map(ToOwned::to_owned));
            }
        }
        reached
    }

    fn states(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.definition["States"]
            .as_object()
            .expect("a machine has states")
            .iter()
    }
}

/// The deployed name of the function that a task invokes, if it invokes one.
fn function_of(state: &Value) -> Option<&str> {
    let resource = state["Resource"].as_str()?;
    let arn = if resource.contains(":states:::lambda:invoke") {
        state["Arguments"]["FunctionName"].as_str()?
    } else {
        resource
    };
    let (_, name) = arn.split_once(":function:")?;
    // A version may follow.
    name.split(':').next()
}

/// Without the platform's own errors.
fn caught_by_name(state: &Value) -> Vec<String> {
    let catchers = state["Catch"].as_array().map(Vec::as_slice);
    let errors = catchers
        .unwrap_or_default()
        .iter()
        .filter_map(|catcher| catcher["ErrorEquals"].as_array())
        .flatten()
        .filter_map(Value::as_str);
    errors
        .filter(|error| {
            !["States.", "Lambda."]
                .iter()
                .any(|own| error.starts_with(own))
        })
        .map(ToOwned::to_owned)
        .collect()
}

/// Adds to a visit what an event tells of it. AWS tells of functions that are invoked directly by events
/// of their own, the local cloud by those of any task.
fn note(visit: &mut Visit, event: &HistoryEvent) {
    let task = event.task_scheduled_event_details();
    let function = event.lambda_function_scheduled_event_details();
    let given = function
        .and_then(|function| function.input())
        .or_else(|| task.map(TaskScheduledEventDetails::parameters));
    if let Some(given) = given {
        let given: Value = serde_json::from_str(given).unwrap_or_default();
        // A task that waits for a token invokes its function by name, and gives it this.
        visit.payload = given.get("Payload").cloned().unwrap_or(given);
    }
    let task = event.task_failed_event_details();
    let function = event.lambda_function_failed_event_details();
    let error = function
        .and_then(|function| function.error())
        .or_else(|| task.and_then(|task| task.error()));
    visit.errors.extend(error.map(ToOwned::to_owned));
}
