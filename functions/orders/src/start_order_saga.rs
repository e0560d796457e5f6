//! Queue consumer: starts the saga of every order that is placed, and of every one that is cancelled.
//!
//! An Express saga is seen through: a message is taken when its order is at rest, so the queue is what tries
//! again. Such a saga ends where it would have to wait for a customer; that they have acted is heard here, too.

use oxcart_domain::{
    DomainEvent, Event,
    order::RejectionReason,
    saga::{CancellationSaga, OrderSaga},
};
use oxcart_telemetry::TraceContext;

use crate::{
    resume_stuck_orders::{Recovery, ResumeError},
    sagas::SagaError,
};

/// Why a saga was not started, or not seen through. The message comes again.
#[derive(Debug, thiserror::Error)]
pub enum StartSagaError {
    /// The queue carries an event that is none of its business; the subscription's filter is at fault.
    #[error("{0} starts no saga")]
    WrongEvent(&'static str),
    /// The state machine did not take it, or did not end it well.
    #[error(transparent)]
    Saga(#[from] SagaError),
    /// The order that waits for its customer was not looked after.
    #[error(transparent)]
    Waiting(#[from] ResumeError),
}

/// Starts the saga of the order that `event` tells of. An order has one first run of each saga, however
/// often its event arrives.
///
/// # Errors
/// See [`StartSagaError`].
pub async fn handle(recovery: &Recovery, event: Event) -> Result<(), StartSagaError> {
    let sagas = &recovery.sagas;
    let traceparent = oxcart_telemetry::current().map(TraceContext::traceparent);
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
        DomainEvent::PaymentCharged { order_id, .. }
        | DomainEvent::PaymentDeclined { order_id, .. } => {
            Ok(recovery.customer_has_acted(order_id).await?)
        }
        other => Err(StartSagaError::WrongEvent(other.kind())),
    }
}
