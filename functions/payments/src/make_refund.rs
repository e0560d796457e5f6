//! Queue consumer: gives part of a payment back that was asked for.
//!
//! Who asks the gateway holds the lease on the record, as for a refund of all of it, and asks first
//! whether an invocation that was killed has done it before.

use oxcart_domain::{
    DomainEvent, Event, OrderId, Timestamp,
    payment::{PaymentStatus, RefundId, RefundStatus},
};
use oxcart_lambda::clock;
use oxcart_table::{TableError, pause};

use crate::{
    gateway::GatewayError,
    refund_payment::{LEASE, count_refund},
    table::StoredPayment,
    wiring::GatewayPayments,
};

/// How often the lease is asked for: for some five seconds, in which others give back many parts.
const TRIES: u32 = 60;

/// Why the money is not back yet. The message comes again.
#[derive(Debug, thiserror::Error)]
pub enum MakeRefundError {
    /// The queue carries an event that is none of its business; the subscription's filter is at fault.
    #[error("{0} asks for no refund")]
    WrongEvent(&'static str),
    /// There is no such refund, though its event came from the record.
    #[error("the payment has no such refund")]
    Unknown,
    /// Another invocation is at work, or was killed at it less than the lease ago.
    #[error("another refund of this payment is at work")]
    InProgress,
    /// The gateway failed.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// The table failed.
    #[error(transparent)]
    Table(#[from] TableError),
}

/// Gives the part back that `event` asks for, once however often it arrives.
///
/// # Errors
/// See [`MakeRefundError`].
pub async fn handle(service: &GatewayPayments, event: Event) -> Result<(), MakeRefundError> {
    let (order, id) = match event.event {
        DomainEvent::PaymentRefundRequested {
            order_id,
            refund_id,
            ..
        } => (order_id, refund_id),
        other => return Err(MakeRefundError::WrongEvent(other.kind())),
    };
    let payment = service.payments.get(order).await?;
    let payment = payment.ok_or(MakeRefundError::Unknown)?;
    let refund = payment.refunds.get(&id).ok_or(MakeRefundError::Unknown)?;
    if refund.status != RefundStatus::Pending {
        return Ok(());
    }
    if payment.status != PaymentStatus::Charged {
        // All that is left is given back, and this part with it.
        return Ok(service.payments.supersede_part(order, id).await?);
    }
    give_back(service, order, id).await
}

/// Takes the lease on the payment, waiting some seconds for others who give back parts of it.
async fn lease(
    service: &GatewayPayments,
    order: OrderId,
) -> Result<(StoredPayment, Timestamp), MakeRefundError> {
    for _ in 0..TRIES {
        let now = clock::now();
        let until = now.plus_seconds(LEASE);
        if let Some(leased) = service.payments.lease_for_part(order, now, until).await? {
            return Ok((leased, until));
        }
        pause().await;
    }
    Err(MakeRefundError::InProgress)
}

async fn give_back(
    service: &GatewayPayments,
    order: OrderId,
    id: RefundId,
) -> Result<(), MakeRefundError> {
    let (leased, until) = lease(service, order).await?;
    let (Some(intent), Some(charge), Some(refund)) =
        (&leased.intent_id, leased.charge(), leased.refunds.get(&id))
    else {
        return Err(MakeRefundError::Unknown);
    };
    let (gateway, part, name) = (&service.gateway, refund.amount, id.to_string());
    if refund.status == RefundStatus::Pending && !gateway.is_refunded(intent, &name).await? {
        // Another key for another try: under one that it failed at, the gateway goes on failing.
        let key = format!("{name}-{until}");
        gateway.refund(intent, part.amount, &key).await?;
    }
    let event = charge.partly_refunded(id, part, clock::now());
    if service.payments.store_part(order, id, event, until).await? {
        if refund.status == RefundStatus::Pending {
            count_refund(part);
        }
        Ok(())
    } else {
        Err(MakeRefundError::InProgress)
    }
}
