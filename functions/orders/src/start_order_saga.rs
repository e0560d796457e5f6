//! Queue consumer: starts the saga of every order that is placed.

use aws_sdk_sfn::{Client, error::SdkError, operation::start_execution::StartExecutionError};
use oxcart_domain::{DomainEvent, Event, saga::OrderSaga};

/// The state machine that runs orders' sagas.
#[derive(Debug)]
pub struct OrderSagas {
    client: Client,
    state_machine: String,
}

/// Why a saga was not started. The message comes again.
#[derive(Debug, thiserror::Error)]
pub enum StartSagaError {
    /// The queue carries an event that is none of its business; the subscription's filter is at fault.
    #[error("{0} is no order.placed")]
    WrongEvent(&'static str),
    /// The input can't be written.
    #[error("the saga's input can't be written")]
    Input(#[from] serde_json::Error),
    /// Step Functions did not take it.
    #[error("the execution was not started")]
    NotStarted(#[source] Box<SdkError<StartExecutionError>>),
}

impl OrderSagas {
    /// Sagas as executions of `state_machine`.
    #[must_use]
    pub const fn new(client: Client, state_machine: String) -> Self {
        Self {
            client,
            state_machine,
        }
    }

    /// Starts the saga. The execution has the order's id as its name, so an order has one such
    /// execution however often its event arrives: one that exists is a success.
    async fn start(&self, saga: &OrderSaga) -> Result<(), StartSagaError> {
        let started = self
            .client
            .start_execution()
            .state_machine_arn(&self.state_machine)
            .name(saga.order_id.to_string())
            .input(serde_json::to_string(saga)?)
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
            Err(error) => Err(StartSagaError::NotStarted(Box::new(error))),
        }
    }
}

/// Starts the saga of the order that `event` tells of.
///
/// # Errors
/// See [`StartSagaError`].
pub async fn handle(sagas: &OrderSagas, event: Event) -> Result<(), StartSagaError> {
    let traceparent = event.traceparent;
    match event.event {
        DomainEvent::OrderPlaced {
            order_id,
            customer_id,
            lines,
            payment_method,
            expected_total,
        } => {
            sagas
                .start(&OrderSaga {
                    order_id,
                    customer_id,
                    lines,
                    payment_method,
                    expected_total,
                    traceparent,
                })
                .await
        }
        other => Err(StartSagaError::WrongEvent(other.kind())),
    }
}
