//! The runs of an order's sagas, and what happened in each. Those of Express sagas are forgotten when they end. Knows
//! how `functions/orders/src/sagas.rs` names executions: the first one by the order's id, the next ones with the number
//! of the run.

use aws_sdk_sfn::{
    operation::describe_execution::DescribeExecutionError,
    types::{ExecutionStatus, HistoryEvent},
};
use futures::future::try_join_all;
use oxcart_domain::{OrderId, Timestamp};
use serde::Serialize;

use crate::{
    cloud::Cloud,
    failure::{Failure, Outcome},
    moment,
};

/// Of an order that was run again more often than this, only so many of the last runs are looked for.
const LAST_RUNS: u32 = 20;
/// How many events of a history one call reads, which is enough to learn where its execution is: hours of retries lie
/// between two states.
const RECENT: i32 = 1000;

/// Which saga.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Saga {
    /// The one that sells an order.
    Order,
    /// The one that undoes it.
    Cancellation,
}

impl Saga {
    const ALL: [Self; 2] = [Self::Order, Self::Cancellation];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Order => "order-saga",
            Self::Cancellation => "cancellation-saga",
        }
    }

    const fn setting(self) -> &'static str {
        match self {
            Self::Order => "ORDER_SAGA_ARN",
            Self::Cancellation => "CANCELLATION_SAGA_ARN",
        }
    }
}

/// One execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are those of an execution")]
pub struct Run {
    pub saga: Saga,
    /// The so-many-th run, from 0 on.
    pub number: u32,
    pub name: String,
    pub arn: String,
    pub status: String,
    pub started: Timestamp,
    pub ended: Option<Timestamp>,
    pub error: Option<String>,
    /// The states that it has been in.
    pub visits: Vec<Visit>,
}

impl Run {
    /// Whether it has not ended yet.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.status == ExecutionStatus::Running.as_str()
    }
}

/// One stay of an execution in a state, with all its retries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are those of an execution")]
pub struct Visit {
    pub state: String,
    pub entered: Timestamp,
    /// None if it is still there, or ended there.
    pub left: Option<Timestamp>,
    /// What its attempts failed with.
    pub failures: Vec<Failed>,
}

/// An attempt that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are those of an execution")]
pub struct Failed {
    pub at: Timestamp,
    pub error: String,
}

/// What one event of a history tells of the states.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Told {
    Entered(String),
    Failed(String),
    Left(String),
}

impl Cloud {
    /// All runs of an order's sagas that there were, in the order in which they started, each with its
    /// history.
    pub async fn runs(&self, order: OrderId, resumes: u32) -> Outcome<Vec<Run>> {
        if self.forgets_runs() {
            return Ok(Vec::new());
        }
        let wanted = Saga::ALL
            .into_iter()
            .flat_map(|saga| run_numbers(resumes).map(move |run| (saga, run)));
        let found = wanted.map(async |(saga, run)| {
            let Some(mut found) = self.run(saga, order, run).await? else {
                return Ok(None);
            };
            found.visits = visits(self.history(&found.arn, false).await?);
            Ok::<_, Failure>(Some(found))
        });
        let mut runs: Vec<Run> = try_join_all(found).await?.into_iter().flatten().collect();
        runs.sort_by_key(|run| run.started);
        Ok(runs)
    }

    /// The run of an order's sagas that started last, with the state that it was in last.
    pub async fn last_run(&self, order: OrderId, resumes: u32) -> Outcome<Option<Run>> {
        if self.forgets_runs() {
            return Ok(None);
        }
        let mut wanted = vec![0, resumes];
        wanted.dedup();
        let wanted = Saga::ALL
            .into_iter()
            .flat_map(|saga| wanted.iter().map(move |run| (saga, *run)));
        let found = wanted.map(async |(saga, run)| self.run(saga, order, run).await);
        let runs = try_join_all(found).await?.into_iter().flatten();
        let Some(mut last) = runs.max_by_key(|run| (run.is_running(), run.started)) else {
            return Ok(None);
        };
        let mut recent = self.history(&last.arn, true).await?;
        recent.reverse();
        last.visits = visits(recent);
        Ok(Some(last))
    }

    /// A run without its history, if there was one.
    async fn run(&self, saga: Saga, order: OrderId, run: u32) -> Outcome<Option<Run>> {
        let name = name(order, run);
        let machine = self.setting(saga.setting())?;
        let arn = machine.replacen(":stateMachine:", ":execution:", 1);
        let arn = format!("{arn}:{name}");
        let described = self.sfn.describe_execution().execution_arn(&arn);
        let execution = match described.send().await {
            Ok(execution) => execution,
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DescribeExecutionError::is_execution_does_not_exist) =>
            {
                return Ok(None);
            }
            Err(error) => {
                let what = format!("The execution {name} of the {} was not read", saga.as_str());
                return Err(Failure::of_call(&what, &error));
            }
        };
        let Some(started) = moment::of(&execution.start_date) else {
            return Ok(None);
        };
        Ok(Some(Run {
            saga,
            number: run,
            name,
            status: execution.status.as_str().to_owned(),
            started,
            ended: execution.stop_date.as_ref().and_then(moment::of),
            error: execution.error,
            arn,
            visits: Vec::new(),
        }))
    }

    /// What a history tells of the states, or only the last of it, last things first.
    async fn history(&self, arn: &str, recent: bool) -> Outcome<Vec<(Timestamp, Told)>> {
        let what = |error| Failure::of_call(&format!("The history of {arn} was not read"), &error);
        let call = self
            .sfn
            .get_execution_history()
            .execution_arn(arn)
            .include_execution_data(false);
        let mut told = Vec::new();
        if recent {
            let page = call.reverse_order(true).max_results(RECENT).send().await;
            let page = page.map_err(what)?;
            told.extend(page.events.iter().filter_map(told_by));
            return Ok(told);
        }
        // As much at once as there can be: of hours of retries there is much to read.
        let mut events = call.max_results(RECENT).into_paginator().items().send();
        while let Some(event) = events.next().await {
            told.extend(told_by(&event.map_err(what)?));
        }
        Ok(told)
    }
}

/// The name of an order's execution.
fn name(order: OrderId, run: u32) -> String {
    match run {
        0 => order.to_string(),
        run => format!("{order}-{run}"),
    }
}

/// The runs that there may be of an order that was run again so often.
fn run_numbers(resumes: u32) -> impl Iterator<Item = u32> {
    let first_of_last = resumes.saturating_sub(LAST_RUNS - 1).max(1);
    std::iter::once(0).chain(first_of_last..=resumes)
}

/// AWS tells of functions that are invoked directly by events of their own, the local cloud by those of any
/// task.
fn told_by(event: &HistoryEvent) -> Option<(Timestamp, Told)> {
    let at = moment::of(event.timestamp())?;
    let kind = event.r#type().as_str();
    let told = if kind.ends_with("StateEntered") {
        Told::Entered(event.state_entered_event_details()?.name().to_owned())
    } else if kind.ends_with("StateExited") {
        Told::Left(event.state_exited_event_details()?.name().to_owned())
    } else {
        Told::Failed(error_in(event, kind)?)
    };
    Some((at, told))
}

fn error_in(event: &HistoryEvent, kind: &str) -> Option<String> {
    let error = match kind {
        "TaskFailed" => event.task_failed_event_details()?.error(),
        "TaskTimedOut" => event.task_timed_out_event_details()?.error(),
        "TaskStartFailed" => event.task_start_failed_event_details()?.error(),
        "TaskSubmitFailed" => event.task_submit_failed_event_details()?.error(),
        "LambdaFunctionFailed" => event.lambda_function_failed_event_details()?.error(),
        "LambdaFunctionTimedOut" => event.lambda_function_timed_out_event_details()?.error(),
        "LambdaFunctionScheduleFailed" => event
            .lambda_function_schedule_failed_event_details()?
            .error(),
        "LambdaFunctionStartFailed" => event.lambda_function_start_failed_event_details()?.error(),
        _ => return None,
    };
    Some(error.unwrap_or(kind).to_owned())
}

fn visits(told: Vec<(Timestamp, Told)>) -> Vec<Visit> {
    let mut visits: Vec<Visit> = Vec::new();
    for (at, told) in told {
        match (told, visits.last_mut()) {
            (Told::Entered(state), _) => visits.push(Visit {
                state,
                entered: at,
                left: None,
                failures: Vec::new(),
            }),
            (Told::Failed(error), Some(visit)) => visit.failures.push(Failed { at, error }),
            (Told::Left(state), Some(visit)) if visit.state == state => visit.left = Some(at),
            // Of a visit that began before the part of the history that was read.
            (Told::Failed(_) | Told::Left(_), _) => {}
        }
    }
    visits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        let start = Timestamp::try_from("2026-03-01T09:30:00.000Z".to_owned()).unwrap();
        start.plus_seconds(seconds)
    }

    #[test]
    fn each_stay_in_a_state_has_its_retries() {
        let told = [
            (0, Told::Failed("Throttled".to_owned())),
            (1, Told::Left("ReserveStock".to_owned())),
            (1, Told::Entered("ChargePayment".to_owned())),
            (2, Told::Failed("PaymentGatewayUnavailable".to_owned())),
            (5, Told::Failed("PaymentDeclined".to_owned())),
            (5, Told::Left("ChargePayment".to_owned())),
            (6, Told::Entered("AbandonOrder".to_owned())),
        ];
        let visits = visits(told.map(|(seconds, told)| (at(seconds), told)).into());

        let [charge, abandon] = visits.as_slice() else {
            panic!("{visits:?}")
        };
        assert_eq!(
            (&*charge.state, charge.left),
            ("ChargePayment", Some(at(5)))
        );
        let errors: Vec<&str> = charge
            .failures
            .iter()
            .map(|failed| &*failed.error)
            .collect();
        assert_eq!(errors, ["PaymentGatewayUnavailable", "PaymentDeclined"]);
        assert_eq!((&*abandon.state, abandon.left), ("AbandonOrder", None));
    }

    #[test]
    fn the_first_run_and_the_last_ones_are_looked_for() {
        assert_eq!(run_numbers(0).collect::<Vec<_>>(), [0]);
        assert_eq!(run_numbers(2).collect::<Vec<_>>(), [0, 1, 2]);
        let many: Vec<u32> = run_numbers(300).collect();
        assert_eq!(many.len(), 21);
        assert_eq!(
            (many.first(), many.get(1), many.last()),
            (Some(&0), Some(&281), Some(&300))
        );
    }
}
