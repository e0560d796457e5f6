//! `POST /operations/orders/{id}/resume`: runs the saga of an open order again.

use oxcart_domain::{OrderId, user::Role};
use oxcart_http::{Answer, Caller, Problem, Request, StatusCode, json, path_parameter};
use oxcart_operating::{Cloud, resume::Resumption};
use oxcart_telemetry::about;
use serde::Serialize;

use crate::refusal::refused;

#[derive(Debug, Serialize)]
struct Resumed {
    outcome: Resumption,
    says: &'static str,
}

/// Answers what became of the order. Doing it again does no harm: a saga that is under way is left alone, and every
/// step of one may be repeated.
///
/// # Errors
/// 401; 403 for all but admins; 404 for an order that there is not.
pub async fn handle(cloud: &Cloud, request: Request) -> Result<Answer, Problem> {
    Caller::who_may(Role::may_operate, &request)?;
    let id: OrderId = path_parameter(&request, "id", |text| text.parse().ok())?;
    about("order_id", id);
    let outcome = cloud.resume(id).await.map_err(refused)?;
    // An order that has ended and one that there never was are both not open.
    if outcome == Resumption::NotOpen {
        let order = cloud.order(id).await.map_err(refused)?;
        order.ok_or_else(Problem::not_found)?;
    }
    let says = match outcome {
        Resumption::NotOpen => "The order has ended.",
        _ => outcome.says(),
    };
    json(StatusCode::OK, &Resumed { outcome, says })
}
