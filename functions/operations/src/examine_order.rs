//! `GET /operations/orders/{id}`: what happened to an order, across the services.

use oxcart_domain::{
    CustomerId, Money, OrderId, Quantity, Sku, Timestamp,
    order::{OrderLine, OrderPaymentStatus, OrderStatus, PricedLine, RejectionReason},
    payment::PaymentStatus,
    reservation::ReservationStatus,
    user::Role,
};
use oxcart_http::{Answer, Caller, Problem, Request, StatusCode, json, path_parameter};
use oxcart_operating::{
    Cloud,
    items::{Order, Parked, Payment, Refund, Reservation},
    order::Known,
    sagas::{Run, Visit},
    story::Entry,
};
use oxcart_telemetry::about;
use serde::Serialize;

use crate::refusal::refused;

/// What is known of an order, as the API shows it: nothing that pays with it or leads to a person.
#[derive(Debug, Serialize)]
struct ExaminedOrder {
    id: OrderId,
    order: Option<OrderView>,
    reservation: Option<ReservationView>,
    payment: Option<PaymentView>,
    /// Whether the runs left no history: Express sagas don't.
    runs_forgotten: bool,
    runs: Vec<RunView>,
    story: Vec<Entry>,
}

#[derive(Debug, Serialize)]
struct OrderView {
    customer_id: CustomerId,
    status: OrderStatus,
    lines: Vec<LineView>,
    total: Option<Money>,
    /// Also of an order that is still to be undone.
    reason: Option<RejectionReason>,
    payment_status: OrderPaymentStatus,
    waits_for_customer: bool,
    needs_attention: bool,
    parked: Option<Parked>,
    due_at: Option<Timestamp>,
    resumes: u32,
    trace_id: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Debug, Serialize)]
struct LineView {
    sku: Sku,
    quantity: Quantity,
    unit_price: Option<Money>,
}

#[derive(Debug, Serialize)]
struct ReservationView {
    status: ReservationStatus,
    lines: Option<Vec<PricedLine>>,
    total: Option<Money>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Debug, Serialize)]
struct PaymentView {
    status: PaymentStatus,
    amount: Option<Money>,
    intent_id: Option<String>,
    decline_code: Option<String>,
    refunds: Vec<Refund>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Debug, Serialize)]
struct RunView {
    saga: &'static str,
    number: u32,
    name: String,
    status: String,
    started: Timestamp,
    ended: Option<Timestamp>,
    error: Option<String>,
    visits: Vec<Visit>,
}

/// Answers what is known of anybody's order.
///
/// # Errors
/// 401; 403 for a customer; 404 when nothing is known of it.
pub async fn handle(cloud: &Cloud, request: Request) -> Result<Answer, Problem> {
    Caller::who_may(Role::may_examine_orders, &request)?;
    let id: OrderId = path_parameter(&request, "id", |text| text.parse().ok())?;
    about("order_id", id);
    let known = Box::pin(cloud.known_of(id)).await.map_err(refused)?;
    let known = known.ok_or_else(Problem::not_found)?;
    Ok(json(StatusCode::OK, &ExaminedOrder::from(known))?
        .compressed_for(&request)
        .conditional(&request))
}

impl From<Known> for ExaminedOrder {
    fn from(known: Known) -> Self {
        Self {
            id: known.id,
            order: known.order.map(OrderView::from),
            reservation: known.reservation.map(ReservationView::from),
            payment: known.payment.map(PaymentView::from),
            runs_forgotten: known.runs_forgotten,
            runs: known.runs.into_iter().map(RunView::from).collect(),
            story: known.story,
        }
    }
}

impl From<Order> for OrderView {
    fn from(order: Order) -> Self {
        let waits_for_customer = order.action_requested
            && order.status == OrderStatus::Pending
            && order.reason.is_none();
        let trace_id = order.trace().map(ToOwned::to_owned);
        let priced = order.priced_lines.unwrap_or_default();
        let line = |line: OrderLine| LineView {
            unit_price: priced
                .iter()
                .find(|priced| priced.sku == line.sku)
                .map(|priced| priced.unit_price),
            sku: line.sku,
            quantity: line.quantity,
        };
        Self {
            customer_id: order.customer_id,
            status: order.status,
            lines: order.lines.into_iter().map(line).collect(),
            total: order.total,
            reason: order.reason,
            payment_status: order.payment_status,
            waits_for_customer,
            needs_attention: order.needs_attention,
            parked: order.parked,
            due_at: order.due_at,
            resumes: order.resumes,
            trace_id,
            created_at: order.created_at,
            updated_at: order.updated_at,
        }
    }
}

impl From<Reservation> for ReservationView {
    fn from(reservation: Reservation) -> Self {
        Self {
            status: reservation.status,
            lines: reservation.lines,
            total: reservation.total,
            created_at: reservation.created_at,
            updated_at: reservation.updated_at,
        }
    }
}

impl From<Payment> for PaymentView {
    fn from(payment: Payment) -> Self {
        let mut refunds: Vec<Refund> = payment.refunds.into_values().collect();
        refunds.sort_by_key(|refund| refund.created_at);
        Self {
            status: payment.status,
            amount: payment.amount,
            intent_id: payment.intent_id,
            decline_code: payment.decline_code,
            refunds,
            created_at: payment.created_at,
            updated_at: payment.updated_at,
        }
    }
}

impl From<Run> for RunView {
    fn from(run: Run) -> Self {
        Self {
            saga: run.saga.as_str(),
            number: run.number,
            name: run.name,
            status: run.status,
            started: run.started,
            ended: run.ended,
            error: run.error,
            visits: run.visits,
        }
    }
}

#[cfg(test)]
mod tests {
    use oxcart_operating::sagas::Saga;
    use serde_json::{Value, json};

    use super::*;

    const ID: &str = "00000000-0000-4000-8000-000000000001";
    const AT: &str = "2026-03-01T09:30:00.250Z";

    fn known() -> Known {
        let price = json!({"amount": 1250, "currency": "EUR"});
        let order = json!({
            "id": ID, "customer_id": ID, "status": "PENDING", "reason": "payment-declined",
            "lines": [{"sku": "tea", "quantity": 1}, {"sku": "cup", "quantity": 2}],
            "priced_lines": [{"sku": "tea", "quantity": 1, "unit_price": price}],
            "payment_method": "pm_card_visa", "payment_status": "PENDING", "timeline": [],
            "outbox": {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
            "created_at": AT, "updated_at": AT,
        });
        let run = Run {
            saga: Saga::Cancellation,
            number: 2,
            name: format!("{ID}-2"),
            arn: "arn:aws:states:eu-central-1:1:execution:shop:1".to_owned(),
            status: "RUNNING".to_owned(),
            started: Timestamp::try_from(AT.to_owned()).unwrap(),
            ended: None,
            error: None,
            visits: Vec::new(),
        };
        Known {
            id: ID.parse().unwrap(),
            order: Some(serde_json::from_value(order).unwrap()),
            reservation: None,
            payment: None,
            runs_forgotten: false,
            runs: vec![run],
            story: Vec::new(),
        }
    }

    fn shown() -> Value {
        serde_json::to_value(ExaminedOrder::from(known())).unwrap()
    }

    #[test]
    fn an_order_shows_what_is_known_and_says_what_is_not() {
        let shown = shown();
        let order = &shown["order"];
        assert_eq!(order["reason"], "payment-declined", "before it is undone");
        assert_eq!(order["lines"][0]["unit_price"]["amount"], 1250);
        assert_eq!(order["lines"][1]["unit_price"], Value::Null);
        assert_eq!(order["trace_id"], "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(
            (&shown["payment"], &shown["story"]),
            (&Value::Null, &json!([]))
        );
        assert_eq!(shown["runs"][0]["saga"], "cancellation-saga");
    }

    #[test]
    fn neither_what_it_is_paid_with_nor_where_things_are_is_shown() {
        let text = shown().to_string();
        for hidden in ["pm_card", "arn:aws"] {
            assert!(!text.contains(hidden), "{hidden} in {text}");
        }
    }
}
