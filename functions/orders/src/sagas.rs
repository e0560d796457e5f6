//! The state machines that run orders' sagas.

use std::{str::FromStr, time::Duration};

use aws_sdk_sfn::{
    Client,
    config::{Builder as Override, timeout::TimeoutConfig},
    error::SdkError,
    operation::{
        describe_execution::DescribeExecutionError, start_execution::StartExecutionError,
        start_sync_execution::StartSyncExecutionError,
    },
    types::{ExecutionStatus, SyncExecutionStatus},
};
use oxcart_domain::{
    OrderId, Timestamp,
    order::OrderStatus,
    saga::{CancellationSaga, OrderSaga},
};
use oxcart_telemetry::{Unit, metric};
use serde::Serialize;

/// How long the end of an Express execution is waited for: a little longer than Step Functions lets it last.
const LONGEST_RUN: Duration = Duration::from_secs(305);

/// Of which type the state machines are, both of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SagaType {
    /// An execution has a name that is used once, may last for days, and can be asked about.
    Standard,
    /// An execution lasts five minutes at most, and can't be asked about. Who starts it may wait for its end.
    Express,
}

/// The template names a type that there isn't.
#[derive(Debug, thiserror::Error)]
#[error("a saga is STANDARD or EXPRESS")]
pub struct UnknownSagaType;

impl FromStr for SagaType {
    type Err = UnknownSagaType;

    fn from_str(text: &str) -> Result<Self, UnknownSagaType> {
        match text {
            "STANDARD" => Ok(Self::Standard),
            "EXPRESS" => Ok(Self::Express),
            _ => Err(UnknownSagaType),
        }
    }
}

/// The two sagas of an order: the one that sells it, and the one that undoes it.
#[derive(Debug)]
pub struct Sagas {
    client: Client,
    saga_type: SagaType,
    order_saga: String,
    cancellation_saga: String,
}

/// Why a saga was not started or seen through, or nobody knows whether it runs.
#[derive(Debug, thiserror::Error)]
pub enum SagaError {
    /// The input can't be written.
    #[error("the saga's input can't be written")]
    Input(#[from] serde_json::Error),
    /// Step Functions did not take it.
    #[error("the execution was not started")]
    NotStarted(#[source] Box<SdkError<StartExecutionError>>),
    /// Step Functions did not say how it ended.
    #[error("the execution was not seen through")]
    NotSeenThrough(#[source] Box<SdkError<StartSyncExecutionError>>),
    /// It ran, and the order is not at rest.
    #[error("the execution ended as {status}: {error}")]
    Failed {
        /// How it ended.
        status: SyncExecutionStatus,
        /// Why, as far as it is told.
        error: String,
    },
    /// Step Functions did not say.
    #[error("the execution was not described")]
    NotDescribed(#[source] Box<SdkError<DescribeExecutionError>>),
}

impl Sagas {
    /// The sagas as executions of these state machines.
    #[must_use]
    pub const fn new(
        client: Client,
        saga_type: SagaType,
        order_saga: String,
        cancellation_saga: String,
    ) -> Self {
        Self {
            client,
            saga_type,
            order_saga,
            cancellation_saga,
        }
    }

    /// Starts selling an order, in its so-many-th run. The first run of an Express saga is seen through.
    ///
    /// # Errors
    /// See [`SagaError`].
    pub async fn sell(&self, saga: &OrderSaga, run: u32) -> Result<(), SagaError> {
        self.begin(&self.order_saga, saga.order_id, run, saga).await
    }

    /// Starts undoing an order, in its so-many-th run. The first run of an Express saga is seen through.
    ///
    /// # Errors
    /// See [`SagaError`].
    pub async fn undo(&self, saga: &CancellationSaga, run: u32) -> Result<(), SagaError> {
        self.begin(&self.cancellation_saga, saga.order_id, run, saga)
            .await
    }

    /// Whether a saga of the order is known to be under way: its first run, or its so-many-th. Of an Express
    /// saga nobody knows; a run of it that began before the order was due is over, or nearly.
    ///
    /// # Errors
    /// See [`SagaError`].
    pub async fn is_running(&self, order: OrderId, run: u32) -> Result<bool, SagaError> {
        if self.saga_type == SagaType::Express {
            return Ok(false);
        }
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

    /// Who has a first run started by a message has the message again if the run fails. Later runs are started
    /// for many orders at a time; one that fails is found by its order's due time.
    async fn begin(
        &self,
        machine: &str,
        order: OrderId,
        run: u32,
        input: &impl Serialize,
    ) -> Result<(), SagaError> {
        let name = name(order, run);
        match (self.saga_type, run) {
            (SagaType::Express, 0) => self.see_through(machine, name, input).await,
            _ => self.start(machine, name, input).await,
        }
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

    /// Runs an Express execution to its end, which has to be a good one.
    async fn see_through(
        &self,
        machine: &str,
        name: String,
        input: &impl Serialize,
    ) -> Result<(), SagaError> {
        let patient = TimeoutConfig::builder()
            .operation_attempt_timeout(LONGEST_RUN)
            .build();
        let ended = self
            .client
            .start_sync_execution()
            .state_machine_arn(machine)
            .name(name)
            .input(serde_json::to_string(input)?)
            .customize()
            .config_override(Override::new().timeout_config(patient))
            .mutate_request(|request| {
                if let Some(uri) = without_prefix(request.uri()) {
                    // What it was before the prefix can be parsed again.
                    let _ = request.set_uri(uri);
                }
            })
            .send()
            .await
            .map_err(|error| SagaError::NotSeenThrough(Box::new(error)))?;
        match ended.status {
            SyncExecutionStatus::Succeeded => Ok(()),
            status => Err(SagaError::Failed {
                status,
                error: ended.error.unwrap_or_default(),
            }),
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

/// An address without the prefix of its host, if that is one too many. AWS answers this one call at a host of
/// its own, `sync-states.<region>.…`, so the SDK puts the prefix before every host; an endpoint that was set,
/// as that of the local cloud, has no such host.
fn without_prefix(uri: &str) -> Option<String> {
    let (scheme, rest) = uri.split_once("://")?;
    let host = rest.strip_prefix("sync-")?;
    (!host.starts_with("states.")).then(|| format!("{scheme}://{host}"))
}

/// The name of an order's execution: its first has the order's id.
fn name(order: OrderId, run: u32) -> String {
    match run {
        0 => order.to_string(),
        run => format!("{order}-{run}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_that_answers_synchronous_runs_on_aws_keeps_its_prefix() {
        for uri in [
            "https://sync-states.eu-central-1.amazonaws.com/",
            "https://sync-states.cn-north-1.amazonaws.com.cn/",
        ] {
            assert_eq!(without_prefix(uri), None, "{uri}");
        }
    }

    #[test]
    fn an_endpoint_that_was_set_is_asked_under_its_own_name() {
        assert_eq!(
            without_prefix("http://sync-127.0.0.1:4566/").as_deref(),
            Some("http://127.0.0.1:4566/")
        );
        assert_eq!(without_prefix("http://127.0.0.1:4566/"), None);
    }

    #[test]
    fn a_saga_is_of_one_of_the_two_types() {
        assert_eq!("STANDARD".parse::<SagaType>().unwrap(), SagaType::Standard);
        assert_eq!("EXPRESS".parse::<SagaType>().unwrap(), SagaType::Express);
        assert!("express".parse::<SagaType>().is_err());
    }
}
