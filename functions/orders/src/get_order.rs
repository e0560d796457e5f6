//! `GET /orders/{id}`.

use oxcart_domain::OrderId;
use oxcart_http::{Answer, Caller, Problem, Request, StatusCode, json, path_parameter};

use crate::{table::Orders, view::OrderView};

/// Answers an order of the caller, or anybody's to who may see all.
///
/// # Errors
/// 401; 404 also for another customer's order.
pub async fn handle(orders: &Orders, request: Request) -> Result<Answer, Problem> {
    let caller = Caller::of(&request)?;
    let id: OrderId = path_parameter(&request, "id", |text| text.parse().ok())?;
    let order = orders
        .order(id)
        .await?
        .filter(|order| caller.may_see_orders_of(order.customer_id))
        .ok_or_else(Problem::not_found)?;
    Ok(json(StatusCode::OK, &OrderView::from(order))?.conditional(&request))
}
