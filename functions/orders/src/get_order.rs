//! `GET /orders/{id}`.

use oxcart_domain::OrderId;
use oxcart_http::{Answer, Caller, Problem, Request, StatusCode, Wait, json, path_parameter};
use oxcart_telemetry::about;
use tokio::time::Instant;

use crate::{
    view::OrderView,
    waiting::{AwaitedOrders, until_at_rest},
};

/// Answers an order of the caller, or anybody's to who may see all; with `Prefer: wait` once it is at rest, or
/// as it stands when the time is over.
///
/// # Errors
/// 401; 404 also for another customer's order.
pub async fn handle(awaited: &AwaitedOrders, request: Request) -> Result<Answer, Problem> {
    let begun = Instant::now();
    let caller = Caller::of(&request)?;
    let id: OrderId = path_parameter(&request, "id", |text| text.parse().ok())?;
    about("order_id", id);
    let wait = Wait::of(&request, awaited.longest_wait);
    let orders = &awaited.orders;
    let mut order = orders
        .order(id)
        .await?
        .filter(|order| caller.may_see_orders_of(order.customer_id));
    if let (Some(_), Some(wait)) = (&order, wait) {
        order = until_at_rest(orders, id, order, begun, wait.duration()).await;
    }
    let order = order.ok_or_else(Problem::not_found)?;
    Ok(json(StatusCode::OK, &OrderView::from(order))?
        .compressed_for(&request)
        .conditional(&request)
        .waited(wait))
}
