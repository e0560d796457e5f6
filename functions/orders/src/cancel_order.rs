//! `POST /orders/{id}/cancel`.

use oxcart_domain::{
    DomainEvent, Event, OrderId,
    order::{CancelStep, OrderStatus},
    user::Role,
};
use oxcart_http::{Answer, Caller, Kind, Problem, Request, StatusCode, json, path_parameter};
use oxcart_lambda::clock;
use oxcart_telemetry::about;

use crate::{
    table::{Decided, DecisionError, Orders, StoredOrder},
    view::OrderView,
};

const NOT_CANCELLABLE: Kind = Kind::new(
    "order-not-cancellable",
    "The order can't be cancelled",
    StatusCode::CONFLICT,
);

/// How often the order is read anew when another write comes between.
const TRIES: u32 = 4;

/// Decides that an order of the caller is not to be sold: 202 with the order as it then stands. Its
/// saga undoes whatever was done.
///
/// # Errors
/// 401; 403 for a role that may not buy; 404 also for another customer's order; 409
/// `order-not-cancellable` for one that ends without sale anyway.
pub async fn handle(orders: &Orders, request: Request) -> Result<Answer, Problem> {
    let caller = Caller::who_may(Role::may_buy, &request)?;
    let id: OrderId = path_parameter(&request, "id", |text| text.parse().ok())?;
    about("order_id", id);
    let mut order = orders
        .order(id)
        .await?
        .filter(|order| order.customer_id == caller.user_id)
        .ok_or_else(Problem::not_found)?;
    for _ in 0..TRIES {
        let from = match CancelStep::of(order.status, order.reason) {
            CancelStep::Abandon => OrderStatus::Pending,
            CancelStep::TakeBack => OrderStatus::Confirmed,
            CancelStep::AlreadyDone => return json(StatusCode::ACCEPTED, &OrderView::from(order)),
            CancelStep::Refuse => return Err(not_cancellable()),
        };
        order = decide(orders, order, from).await?;
    }
    Err(Problem::contended(&Contended))
}

/// Takes the decision if the order still stands where it was found, and answers the order as it stands.
async fn decide(
    orders: &Orders,
    order: StoredOrder,
    from: OrderStatus,
) -> Result<StoredOrder, Problem> {
    let event = DomainEvent::OrderCancellationRequested {
        order_id: order.id,
        customer_id: order.customer_id,
    };
    let event = Event::once(event, clock::now());
    match orders.cancel(order.id, from, event).await {
        Ok(Decided::Now(Some(order)) | Decided::Before(order)) => Ok(*order),
        Ok(Decided::Now(None)) => Ok(orders
            .order(order.id)
            .await?
            .ok_or_else(Problem::not_found)?),
        Err(DecisionError::Table(error)) => Err(error.into()),
        Err(DecisionError::Unknown | DecisionError::NotPending(_)) => Err(Problem::not_found()),
    }
}

fn not_cancellable() -> Problem {
    Problem::new(
        NOT_CANCELLABLE,
        "It ends, or has ended, without a sale anyway.",
    )
}

/// Other writes were at the order at every try.
#[derive(Debug, thiserror::Error)]
#[error("the order is contended")]
struct Contended;
