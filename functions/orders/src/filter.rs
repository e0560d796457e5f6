//! What the parameters of a list of orders choose.

use oxcart_domain::{
    Timestamp,
    order::{OrderFilter, OrderStatus, UnknownStatus},
};
use oxcart_http::{Problem, Request, filter, invalid_filter};

/// The statuses and the time that `request` asks for.
///
/// # Errors
/// 400 for a status or a time that can't be, and for a time that ends before it begins.
pub fn filter_of(request: &Request) -> Result<OrderFilter, Problem> {
    let statuses = filter(request, "status", |text| -> Result<_, UnknownStatus> {
        text.split(',').map(str::parse::<OrderStatus>).collect()
    })?;
    let wanted = OrderFilter {
        statuses: statuses.unwrap_or_default(),
        sku: None,
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
