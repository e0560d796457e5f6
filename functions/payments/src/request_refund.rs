//! `POST /orders/{id}/refunds`.

use oxcart_domain::{
    Money, OrderId, Timestamp,
    payment::{PaymentStatus, Refund, RefundId, RefundReason, RefundStatus},
    user::Role,
};
use oxcart_http::{
    Answer, Caller, Kind, Problem, Request, StatusCode, idempotency_key, json, json_body,
    path_parameter,
};
use oxcart_lambda::clock;
use oxcart_telemetry::about;
use serde::{Deserialize, Serialize};

use crate::table::{MOST_REFUNDS, Payments};

const NOT_REFUNDABLE: Kind = Kind::new(
    "payment-not-refundable",
    "The payment can't be refunded",
    StatusCode::CONFLICT,
);
const EXCEEDS_CHARGE: Kind = Kind::new(
    "refund-exceeds-charge",
    "More than is left can't be refunded",
    StatusCode::CONFLICT,
);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    amount: Money,
    reason: RefundReason,
}

#[derive(Debug, Serialize)]
struct RefundView<'a> {
    id: RefundId,
    order_id: OrderId,
    amount: Money,
    reason: &'a RefundReason,
    /// As it was asked for: the answer is the same for every repeat.
    status: RefundStatus,
    created_at: Timestamp,
}

/// Has part of an order's payment given back: 202. In the sum never more than was charged.
///
/// # Errors
/// 400 without an `Idempotency-Key`; 401; 403; 404; 409 `payment-not-refundable` and
/// `refund-exceeds-charge`; 422 for an invalid body and for a key that was used for another refund.
pub async fn handle(payments: &Payments, request: Request) -> Result<Answer, Problem> {
    Caller::who_may(Role::may_refund, &request)?;
    let order_id: OrderId = path_parameter(&request, "id", |text| text.parse().ok())?;
    about("order_id", order_id);
    let key = idempotency_key(&request)?;
    let Wanted { amount, reason } = json_body(&request)?;
    if amount.amount == 0 {
        return Err(invalid("/amount/amount", "must be at least 1"));
    }

    let payment = payments
        .get(order_id)
        .await?
        .ok_or_else(Problem::not_found)?;
    let charge = payment.charge().ok_or_else(not_refundable)?;
    let charged = charge.amount;
    if charged.currency != amount.currency {
        return Err(invalid(
            "/amount/currency",
            "is not the currency of the payment",
        ));
    }
    if amount.amount > charged.amount {
        return Err(exceeds_charge());
    }
    let id = RefundId::derive(order_id, &key);
    let refund = Refund {
        amount,
        reason,
        status: RefundStatus::Pending,
        created_at: clock::now(),
    };
    let event = charge.refund_requested(id, &refund);
    let (written, now) = payments.request_refund(charge, id, &refund, event).await?;
    match now.refunds.get(&id) {
        Some(ours) if written => answer(order_id, id, ours),
        Some(earlier) if earlier.amount == refund.amount && earlier.reason == refund.reason => {
            Ok(answer(order_id, id, earlier)?.replayed())
        }
        Some(_) => Err(Problem::new(
            Kind::KEY_REUSED,
            "Use a new key for another refund.",
        )),
        None if now.status != PaymentStatus::Charged => Err(not_refundable()),
        None if now.refunds.len() >= MOST_REFUNDS => Err(too_many_parts()),
        None => Err(exceeds_charge()),
    }
}

fn answer(order_id: OrderId, id: RefundId, refund: &Refund) -> Result<Answer, Problem> {
    let view = RefundView {
        id,
        order_id,
        amount: refund.amount,
        reason: &refund.reason,
        status: RefundStatus::Pending,
        created_at: refund.created_at,
    };
    json(StatusCode::ACCEPTED, &view)
}

fn not_refundable() -> Problem {
    Problem::new(
        NOT_REFUNDABLE,
        "Nothing was charged, or all of it is given back.",
    )
}

fn too_many_parts() -> Problem {
    Problem::new(
        NOT_REFUNDABLE,
        format!(
            "{MOST_REFUNDS} parts of it were asked for already. All the rest comes back if its customer cancels the order."
        ),
    )
}

fn exceeds_charge() -> Problem {
    Problem::new(EXCEEDS_CHARGE, "Less than that is left of the payment.")
}

fn invalid(pointer: &str, detail: &str) -> Problem {
    Problem::new(Kind::INVALID, "The refund is not possible like this.").at(pointer, detail)
}
