//! `GET /orders`.

use oxcart_domain::{
    OrderId, Timestamp,
    order::{OrderFilter, OrderStatus, UnknownStatus},
};
use oxcart_http::{
    Answer, Caller, Page, PageRequest, Problem, Request, StatusCode, filter, invalid_filter, json,
};

use crate::{
    table::{OrderPage, Orders},
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
            Some(after.ok_or_else(PageRequest::invalid_cursor)?)
        }
    };
    let OrderPage {
        orders: found,
        last,
    } = orders
        .list(caller.user_id, &wanted, limit, after.as_ref())
        .await?;
    let last = last.map(|id| id.to_string());
    let views: Vec<_> = found.into_iter().map(OrderView::from).collect();
    Ok(json(StatusCode::OK, &Page::new(views, last.as_deref()))?
        .compressed_for(&request)
        .conditional(&request))
}

fn filter_of(request: &Request) -> Result<OrderFilter, Problem> {
    let statuses = filter(request, "status", |text| -> Result<_, UnknownStatus> {
        text.split(',').map(str::parse::<OrderStatus>).collect()
    })?;
    let wanted = OrderFilter {
        statuses: statuses.unwrap_or_default(),
        from: filter(request, "created_from", Timestamp::try_from)?,
        before: filter(request, "created_before", Timestamp::try_from)?,
    };
    match (wanted.from, wanted.before) {
        (Some(from), Some(before)) if from >= before => Err(invalid_filter(
            "created_before",
            "must be later than created_from",
        )),
        _ => Ok(wanted),
    }
}
