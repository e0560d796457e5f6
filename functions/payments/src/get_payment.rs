//! `GET /orders/{id}/payment`.

use oxcart_domain::{Money, OrderId, Timestamp, payment::PaymentStatus};
use oxcart_http::{Answer, Caller, Problem, Request, StatusCode, json, path_parameter};
use serde::Serialize;

use crate::table::{Payments, StoredPayment};

#[derive(Debug, Serialize)]
struct PaymentView {
    order_id: OrderId,
    status: PaymentStatus,
    amount: Option<Money>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<StoredPayment> for PaymentView {
    fn from(payment: StoredPayment) -> Self {
        let StoredPayment {
            order_id,
            status,
            amount,
            created_at,
            updated_at,
            ..
        } = payment;
        Self {
            order_id,
            status,
            amount,
            created_at,
            updated_at,
        }
    }
}

/// Answers the payment of an order of the caller, or of anybody's to who may see all.
///
/// # Errors
/// 401; 404 also for another customer's order, and for one that has not come to its payment yet.
pub async fn handle(payments: &Payments, request: Request) -> Result<Answer, Problem> {
    let caller = Caller::of(&request)?;
    let id: OrderId = path_parameter(&request, "id", |text| text.parse().ok())?;
    let payment = payments
        .get(id)
        .await?
        .filter(|payment| caller.may_see_orders_of(payment.customer_id));
    json(
        StatusCode::OK,
        &PaymentView::from(payment.ok_or_else(Problem::not_found)?),
    )
}
