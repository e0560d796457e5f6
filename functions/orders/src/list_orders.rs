//! `GET /orders`.

use oxcart_domain::OrderId;
use oxcart_http::{Answer, Caller, Page, PageRequest, Problem, Request, StatusCode, json};

use crate::{
    table::{Orders, StoredOrder},
    view::OrderView,
};

/// Answers a page of the caller's orders, newest first.
///
/// # Errors
/// 401; 400 for a limit or cursor that can't be, another customer's cursor among them.
pub async fn handle(orders: &Orders, request: Request) -> Result<Answer, Problem> {
    let caller = Caller::of(&request)?;
    let PageRequest { limit, after } = PageRequest::of(&request)?;
    let after = match after {
        None => None,
        Some(id) => {
            let id: OrderId = id.parse().map_err(|_| PageRequest::invalid_cursor())?;
            Some(
                orders
                    .order(id)
                    .await?
                    .filter(|order| order.customer_id == caller.user_id)
                    .ok_or_else(PageRequest::invalid_cursor)?,
            )
        }
    };
    let (found, more) = orders.list(caller.user_id, limit, after.as_ref()).await?;
    let last = found
        .last()
        .filter(|_| more)
        .map(|order: &StoredOrder| order.id.to_string());
    json(
        StatusCode::OK,
        &Page::new(
            found.into_iter().map(OrderView::from).collect(),
            last.as_deref(),
        ),
    )
}
