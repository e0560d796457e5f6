//! `GET /orders`.

use oxcart_domain::OrderId;
use oxcart_http::{Answer, Caller, Page, PageRequest, Problem, Request, StatusCode, json};

use crate::{
    filter::filter_of,
    table::{Listing, OrderPage, OrderPlace, Orders},
    view::OrderView,
};

/// Answers a page of the caller's orders, newest first: all, or those of some statuses or of some time.
///
/// # Errors
/// 401; 400 for a limit, cursor or filter that can't be, another customer's cursor among them.
pub async fn handle(orders: &Orders, request: Request) -> Result<Answer, Problem> {
    let caller = Caller::of(&request)?;
    let PageRequest { limit, after } = PageRequest::of(&request)?;
    let wanted = filter_of(&request)?;
    let after = match after {
        None => None,
        Some(id) => {
            let id: OrderId = id.parse().map_err(|_| PageRequest::invalid_cursor())?;
            let order = orders.order(id).await?;
            let own = order.filter(|order| order.customer_id == caller.user_id);
            let after = own.filter(|order| wanted.holds_time(order.created_at));
            let after = after.ok_or_else(PageRequest::invalid_cursor)?;
            Some(OrderPlace::from(&after))
        }
    };
    let OrderPage {
        orders: found,
        last,
    } = orders
        .list(Listing::Customer(caller.user_id), &wanted, limit, after)
        .await?;
    let last = last.map(|place| place.id.to_string());
    let views: Vec<_> = found.into_iter().map(OrderView::from).collect();
    Ok(json(StatusCode::OK, &Page::new(views, last.as_deref()))?
        .compressed_for(&request)
        .conditional(&request))
}
