//! Header fields that hold lists (RFC 9110, section 5.6.1).

use lambda_http::{Request, http::header::AsHeaderName};

/// The items of a list that may be spread over several fields of the request, without the white space around
/// them. A field that isn't text has none.
pub(crate) fn items(request: &Request, name: impl AsHeaderName) -> impl Iterator<Item = &str> {
    let fields = request.headers().get_all(name).into_iter();
    fields
        .filter_map(|field| field.to_str().ok())
        .flat_map(|list| list.split(','))
        .map(str::trim)
}
