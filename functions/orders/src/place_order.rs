//! `POST /orders`.

use oxcart_domain::{
    order::{OrderRequest, PlacedOrder},
    user::Role,
};
use oxcart_http::{
    Answer, Caller, Kind, Problem, Request, StatusCode, Wait, idempotency_key, json, json_body,
};
use oxcart_lambda::clock;
use oxcart_telemetry::{Unit, about, count, metric};
use tokio::time::Instant;

use crate::{
    table::{Placed, StoredOrder},
    view::{OrderView, PlacedView},
    waiting::{AwaitedOrders, until_at_rest},
};

/// Places the order, once per customer and idempotency key: 202, and its saga starts. A repeat of the
/// request gets the same bytes again. With `Prefer: wait` 200 and the whole order, if it comes to rest in
/// time.
///
/// # Errors
/// 401, 403 for support, 400 without a key, 422 for an invalid body or a key that was used for another order.
pub async fn handle(awaited: &AwaitedOrders, request: Request) -> Result<Answer, Problem> {
    let begun = Instant::now();
    let caller = Caller::who_may(Role::may_buy, &request)?;
    let key = idempotency_key(&request)?;
    let wanted: OrderRequest = json_body(&request)?;
    let (order, event) = PlacedOrder::place(caller.user_id, &key, wanted, clock::now())
        .map_err(|error| Problem::internal(&error))?;
    about("order_id", order.id);

    let (placed, earlier) = match awaited.orders.place(&order, event).await? {
        Placed::Now => {
            count("OrdersPlaced").record();
            // An alarm compares the two, and what is never recorded can't be compared.
            metric("OrdersConfirmed", Unit::Count, 0).record();
            (PlacedView::from(&order), None)
        }
        Placed::Before(earlier) if earlier.request_hash == order.request_hash => {
            (PlacedView::from(&*earlier), Some(*earlier))
        }
        Placed::Before(_) => {
            return Err(Problem::new(
                Kind::KEY_REUSED,
                "Use a fresh key for another order, or repeat this one as it was.",
            ));
        }
    };
    let is_replay = earlier.is_some();
    let wait = Wait::of(&request, awaited.longest_wait);
    let settled = match wait.map(Wait::duration) {
        Some(limit) if !limit.is_zero() => {
            let order = until_at_rest(&awaited.orders, order.id, earlier, begun, limit).await;
            order.filter(StoredOrder::is_at_rest)
        }
        _ => None,
    };
    let answer = match settled {
        Some(order) => json(StatusCode::OK, &OrderView::from(order))?,
        None => json(StatusCode::ACCEPTED, &placed)?,
    };
    let answer = answer
        .located_at(&format!("/orders/{}", order.id))?
        .waited(wait);
    Ok(if is_replay { answer.replayed() } else { answer })
}
