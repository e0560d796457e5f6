//! Queue consumer: starts the saga of every order that is placed, and of every one that is cancelled.

use oxcart_domain::{
    DomainEvent, Event,
    order::RejectionReason,
    saga::{CancellationSaga, OrderSaga},
};

use crate::sagas::{SagaError, Sagas};

/// Why a saga was not started. The message comes again.
#[derive(Debug, thiserror::Error)]
pub enum StartSagaError {
    /// The queue carries an event that is none of its business; the subscription's filter is at fault.
    #[error("{0} starts no saga")]
    WrongEvent(&'static str),
    /// The state machine did not take it.
    #[error(transparent)]
    Saga(#[from] SagaError),
}

/// Starts the saga of the order that `event` tells of. An order has one first run of each saga, however
/// often its event arrives.
///
/// # Errors
/// See [`StartSagaError`].
pub async fn handle(sagas: &Sagas, event: Event) -> Result<(), StartSagaError> {
    let traceparent = event.traceparent;
    match event.event {
        DomainEvent::OrderPlaced {
            order_id,
            customer_id,
            lines,
            payment_method,
            expected_total,
        } => {
            let saga = OrderSaga {
                order_id,
                customer_id,
                lines,
                payment_method,
                expected_total,
                traceparent,
            };
            Ok(sagas.sell(&saga, 0).await?)
        }
        DomainEvent::OrderCancellationRequested {
            order_id,
            customer_id,
        } => {
            let saga = CancellationSaga {
                order_id,
                customer_id,
                reason: RejectionReason::CancelledByCustomer,
                traceparent,
            };
            Ok(sagas.undo(&saga, 0).await?)
        }
        other => Err(StartSagaError::WrongEvent(other.kind())),
    }
}
