//! `GET /orders/{id}/payment`.

use oxcart_domain::{
    Money, OrderId, Timestamp,
    payment::{PaymentStatus, Refund, RefundId},
};
use oxcart_http::{Answer, Caller, Problem, Request, StatusCode, json, path_parameter};
use oxcart_telemetry::about;
use serde::Serialize;

use crate::{table::StoredPayment, wiring::GatewayPayments};

#[derive(Debug, Serialize)]
struct PaymentView {
    order_id: OrderId,
    status: PaymentStatus,
    amount: Option<Money>,
    /// What was given back in parts, or is about to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    refunded: Option<Money>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refunds: Vec<RefundView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_action: Option<NextAction>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Debug, Serialize)]
struct RefundView {
    id: RefundId,
    #[serde(flatten)]
    refund: Refund,
}

/// What the customer has to do before the payment can be made.
#[derive(Serialize)]
struct NextAction {
    r#type: &'static str,
    client_secret: String,
}

impl std::fmt::Debug for NextAction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NextAction(…)")
    }
}

/// Answers the payment of an order of the caller, or of anybody's to who may see all.
///
/// # Errors
/// 401; 404 also for another customer's order, and for one that has not come to its payment yet; 503 when
/// the gateway is away and the customer has to act, which only it can say how.
pub async fn handle(service: &GatewayPayments, request: Request) -> Result<Answer, Problem> {
    let caller = Caller::of(&request)?;
    let id: OrderId = path_parameter(&request, "id", |text| text.parse().ok())?;
    about("order_id", id);
    let payment = service
        .payments
        .get(id)
        .await?
        .filter(|payment| caller.may_see_orders_of(payment.customer_id))
        .ok_or_else(Problem::not_found)?;
    // The gateway's secret for the customer is shown to nobody else, and kept nowhere.
    let next_action = if payment.customer_id == caller.user_id {
        next_action(service, &payment).await?
    } else {
        None
    };
    json(StatusCode::OK, &view(payment, next_action))
}

async fn next_action(
    service: &GatewayPayments,
    payment: &StoredPayment,
) -> Result<Option<NextAction>, Problem> {
    let (PaymentStatus::Pending, Some(intent), true) = (
        payment.status,
        &payment.intent_id,
        payment.customer_was_asked(),
    ) else {
        return Ok(None);
    };
    let secret = service.gateway.client_secret(intent).await;
    let secret = secret.map_err(|error| Problem::unavailable(&error))?;
    Ok(secret.map(|client_secret| NextAction {
        r#type: "authenticate-payment",
        client_secret,
    }))
}

fn view(payment: StoredPayment, next_action: Option<NextAction>) -> PaymentView {
    let refunded = payment.amount.filter(|_| payment.refund_total > 0);
    PaymentView {
        order_id: payment.order_id,
        status: payment.status,
        amount: payment.amount,
        refunded: refunded.map(|amount| Money {
            amount: payment.refund_total,
            ..amount
        }),
        refunds: payment
            .refunds
            .into_iter()
            .map(|(id, refund)| RefundView { id, refund })
            .collect(),
        next_action,
        created_at: payment.created_at,
        updated_at: payment.updated_at,
    }
}
