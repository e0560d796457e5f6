//! The state machines that run orders' sagas.

use aws_sdk_sfn::{
    Client,
    error::SdkError,
    operation::{describe_execution::DescribeExecutionError, start_execution::StartExecutionError},
    types::ExecutionStatus,
};
use oxcart_domain::{
    OrderId, Timestamp,
    order::OrderStatus,
    saga::{CancellationSaga, OrderSaga},
};
use oxcart_telemetry::{Unit, metric};
use serde::Serialize;

/// The two sagas of an order: the one that sells it, and the one that undoes it.
#[derive(Debug)]
pub struct Sagas {
    client: Client,
    order_saga: String,
    cancellation_saga: String,
}

/// Why a saga was not started, or nobody knows whether it runs.
#[derive(Debug, thiserror::Error)]
pub enum SagaError {
    /// The input can't be written.
    #[error("the saga's input can't be written")]
    Input(#[from] serde_json::Error),
    /// Step Functions did not take it.
    #[error("the execution was not started")]
    NotStarted(#[source] Box<SdkError<StartExecutionError>>),
    /// Step Functions did not say.
    #[error("the execution was not described")]
    NotDescribed(#[source] Box<SdkError<DescribeExecutionError>>),
}

impl Sagas {
    /// The sagas as executions of these state machines.
    #[must_use]
    pub const fn new(client: Client, order_saga: String, cancellation_saga: String) -> Self {
        Self {
            client,
            order_saga,
            cancellation_saga,
        }
    }

    /// Starts selling an order, in its so-many-th run.
    ///
    /// # Errors
    /// See [`SagaError`].
    pub async fn sell(&self, saga: &OrderSaga, run: u32) -> Result<(), SagaError> {
        let name = name(saga.order_id, run);
        self.start(&self.order_saga, name, saga).await
    }

    /// Starts undoing an order, in its so-many-th run.
    ///
    /// # Errors
    /// See [`SagaError`].
    pub async fn undo(&self, saga: &CancellationSaga, run: u32) -> Result<(), SagaError> {
        let name = name(saga.order_id, run);
        self.start(&self.cancellation_saga, name, saga).await
    }

    /// Whether a saga of the order is under way: its first run, or its so-many-th.
    ///
    /// # Errors
    /// See [`SagaError`].
    pub async fn is_running(&self, order: OrderId, run: u32) -> Result<bool, SagaError> {
        let mut runs = vec![0, run];
        runs.dedup();
        for machine in [&self.order_saga, &self.cancellation_saga] {
            for run in &runs {
                if self.runs(machine, name(order, *run)).await? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    async fn runs(&self, machine: &str, name: String) -> Result<bool, SagaError> {
        let execution = machine.replacen(":stateMachine:", ":execution:", 1);
        let described = self
            .client
            .describe_execution()
            .execution_arn(format!("{execution}:{name}"))
            .send()
            .await;
        match described {
            Ok(execution) => Ok(execution.status == ExecutionStatus::Running),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DescribeExecutionError::is_execution_does_not_exist) =>
            {
                Ok(false)
            }
            Err(error) => Err(SagaError::NotDescribed(Box::new(error))),
        }
    }

    /// Starts an execution. One that exists is a success: its name says which run of which order it is.
    async fn start(
        &self,
        machine: &str,
        name: String,
        input: &impl Serialize,
    ) -> Result<(), SagaError> {
        let started = self
            .client
            .start_execution()
            .state_machine_arn(machine)
            .name(name)
            .input(serde_json::to_string(input)?)
            .send()
            .await;
        match started {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(StartExecutionError::is_execution_already_exists) =>
            {
                Ok(())
            }
            Err(error) => Err(SagaError::NotStarted(Box::new(error))),
        }
    }
}

/// Records how long an order took to end like this, counted from `since`.
pub(crate) fn saga_ended(outcome: OrderStatus, since: Timestamp, now: Timestamp) {
    let took = since.duration_until(now).unwrap_or_default();
    let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    metric("SagaDuration", Unit::Milliseconds, milliseconds)
        .by("Outcome", outcome.as_str())
        .record();
}

/// The name of an order's execution: its first has the order's id.
fn name(order: OrderId, run: u32) -> String {
    match run {
        0 => order.to_string(),
        run => format!("{order}-{run}"),
    }
}
