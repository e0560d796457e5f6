//! `POST /orders`.

use oxcart_domain::{
    order::{OrderRequest, PlacedOrder},
    user::Role,
};
use oxcart_http::{
    Answer, Caller, Kind, Problem, Request, StatusCode, idempotency_key, json, json_body,
};
use oxcart_lambda::clock;

use crate::{
    table::{Orders, Placed},
    view::PlacedView,
};

/// Places the order, once per customer and idempotency key: 202, and its saga starts. A repeat of the
/// request gets the same bytes again.
///
/// # Errors
/// 401, 403 for support, 400 without a key, 422 for an invalid body or a key that was used for another order.
pub async fn handle(orders: &Orders, request: Request) -> Result<Answer, Problem> {
    let caller = Caller::who_may(Role::may_buy, &request)?;
    let key = idempotency_key(&request)?;
    let wanted: OrderRequest = json_body(&request)?;
    let (order, event) = PlacedOrder::place(caller.user_id, &key, wanted, clock::now())
        .map_err(|error| Problem::internal(&error))?;

    match orders.place(&order, event).await? {
        Placed::Now => accepted(&PlacedView::from(&order)),
        Placed::Before(earlier) if earlier.request_hash == order.request_hash => {
            Ok(accepted(&PlacedView::from(&*earlier))?.replayed())
        }
        Placed::Before(_) => Err(Problem::new(
            Kind::KEY_REUSED,
            "Use a fresh key for another order, or repeat this one as it was.",
        )),
    }
}

fn accepted(order: &PlacedView) -> Result<Answer, Problem> {
    json(StatusCode::ACCEPTED, order)?.located_at(&format!("/orders/{}", order.id))
}
