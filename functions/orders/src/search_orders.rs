//! `GET /operations/orders`.

use oxcart_domain::{CustomerId, Sku, Timestamp, order::OrderFilter, user::Role};
use oxcart_http::{
    Answer, Caller, Page, PageRequest, Problem, Request, StatusCode, filter, invalid_filter, json,
};
use oxcart_lambda::clock;

use crate::{
    filter::filter_of,
    table::{Listing, OrderPage, OrderPlace, Orders},
    view::FoundOrderView,
};

/// How long before its end the time begins that is searched, unless the request says so: 31 days.
const SPAN: i64 = 31 * 24 * 60 * 60;

/// Answers a page of everybody's orders, newest first: those of some statuses, with some product, of some customer,
/// of some time.
///
/// # Errors
/// 401; 403 for customers; 400 for a limit, cursor or filter that can't be.
pub async fn handle(orders: &Orders, request: Request) -> Result<Answer, Problem> {
    Caller::who_may(Role::may_examine_orders, &request)?;
    let PageRequest { limit, after } = PageRequest::of(&request)?;
    let search = Search::of(&request, clock::now())?;
    let after = after.map(|text| search.place(text)).transpose()?;
    let OrderPage {
        orders: found,
        last,
    } = if after.is_some_and(|place| place.at < search.from) {
        // A month that ends now has moved on since the page before.
        OrderPage::default()
    } else {
        let Search {
            listing, filter, ..
        } = &search;
        orders.list(*listing, filter, limit, after).await?
    };
    let last = last.map(|place| place.to_string());
    let views: Vec<_> = found.into_iter().map(FoundOrderView::from).collect();
    Ok(json(StatusCode::OK, &Page::new(views, last.as_deref()))?
        .compressed_for(&request)
        .conditional(&request))
}

/// What is searched for.
struct Search {
    listing: Listing,
    filter: OrderFilter,
    from: Timestamp,
    before: Timestamp,
}

impl Search {
    fn of(request: &Request, now: Timestamp) -> Result<Self, Problem> {
        let asked = filter_of(request)?;
        let before = asked.before.unwrap_or(now);
        let from = asked.from.unwrap_or_else(|| before.plus_seconds(-SPAN));
        if from >= before {
            return Err(invalid_filter("created_from", "must be in the past"));
        }
        let customer = filter(request, "customer_id", |text| {
            text.parse::<CustomerId>().map_err(|_| "must be a UUID")
        })?;
        Ok(Self {
            listing: customer.map_or(
                Listing::Days {
                    // Nobody has ordered tomorrow.
                    newest: before.min(now),
                    oldest: from,
                },
                Listing::Customer,
            ),
            filter: OrderFilter {
                sku: filter(request, "sku", Sku::try_from)?,
                from: Some(from),
                before: Some(before),
                ..asked
            },
            from,
            before,
        })
    }

    /// The place that a cursor names. Nothing is read for it: who makes one up begins in the midst of what they
    /// may read.
    fn place(&self, text: String) -> Result<OrderPlace, Problem> {
        OrderPlace::try_from(text)
            .ok()
            .filter(|place| place.at < self.before)
            .ok_or_else(PageRequest::invalid_cursor)
    }
}
