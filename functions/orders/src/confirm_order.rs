//! Saga step, the pivot: tells an order that it is paid and held. From here on it goes through.

use oxcart_domain::{
    DomainEvent, Event, Money,
    order::{OrderStatus, Repeat, repeat_of_confirm},
    saga::ConfirmOrder,
};
use oxcart_lambda::clock;
use oxcart_telemetry::{Unit, count, metric};
use serde::Serialize;

use crate::{
    sagas::saga_ended,
    table::{Decided, DecisionError, Orders},
};

/// The order stands confirmed.
#[derive(Debug, Serialize)]
pub struct OrderConfirmed {
    status: OrderStatus,
}

/// Confirms the order. Again → the same answer. Abandoned or rejected before → refused.
///
/// # Errors
/// See [`DecisionError`].
pub async fn handle(orders: &Orders, order: ConfirmOrder) -> Result<OrderConfirmed, DecisionError> {
    let event = DomainEvent::OrderConfirmed {
        order_id: order.order_id,
        customer_id: order.customer_id,
        lines: order.lines.clone(),
        total: order.total,
    };
    let confirmed = OrderConfirmed {
        status: OrderStatus::Confirmed,
    };
    let now = clock::now();
    match orders.confirm(&order, Event::once(event, now)).await? {
        Decided::Now(settled) => {
            count("OrdersConfirmed").record();
            let Money { amount, currency } = order.total;
            metric("Revenue", Unit::None, amount)
                .by("Currency", currency.to_string())
                .record();
            if let Some(settled) = settled {
                saga_ended(OrderStatus::Confirmed, settled.created_at, now);
            }
            Ok(confirmed)
        }
        Decided::Before(earlier) => match repeat_of_confirm(earlier.status) {
            Repeat::AlreadyDone => Ok(confirmed),
            Repeat::TooLate => Err(DecisionError::NotPending(earlier.status)),
        },
    }
}
