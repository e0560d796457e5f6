//! Query parameters that choose which items a list holds.

use std::fmt::Display;

use lambda_http::{Request, RequestExt as _};

use crate::{Kind, Problem};

/// What `request` says about the query parameter `name`, parsed. Several values of it count as one with
/// commas between.
///
/// # Errors
/// 400 `invalid-filter` for a value that `parse` refuses.
pub fn filter<T, E: Display>(
    request: &Request,
    name: &'static str,
    parse: impl FnOnce(String) -> Result<T, E>,
) -> Result<Option<T>, Problem> {
    let query = request.query_string_parameters();
    let Some(values) = query.all(name) else {
        return Ok(None);
    };
    parse(values.join(","))
        .map(Some)
        .map_err(|error| invalid_filter(name, error.to_string()))
}

/// The answer to a filter that can't be.
#[must_use]
pub fn invalid_filter(name: &'static str, detail: impl Into<String>) -> Problem {
    Problem::new(
        Kind::INVALID_FILTER,
        format!("No item can be chosen by this {name}."),
    )
    .in_parameter(name, detail)
}
