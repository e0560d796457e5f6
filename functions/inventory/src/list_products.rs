//! `GET /products`.

use oxcart_domain::{product::ProductName, text::InvalidText};
use oxcart_http::{Answer, Page, PageRequest, Problem, Request, StatusCode, filter, json};

use crate::{
    catalogue::{Catalogue, Reading},
    table::{Listing, ListingPlace, ProductPage},
};

/// Answers a page of products, sorted by name: all, or those whose name begins as asked.
///
/// # Errors
/// 400 for a limit, cursor or filter that can't be.
pub async fn handle(catalogue: &Catalogue, request: Request) -> Result<Answer, Problem> {
    let PageRequest { limit, after } = PageRequest::of(&request)?;
    let name_prefix = filter(&request, "name_prefix", beginning)?;
    let place = |text| {
        ListingPlace::named(text, name_prefix.as_deref()).ok_or_else(PageRequest::invalid_cursor)
    };
    let listing = Listing {
        limit,
        after: after.map(place).transpose()?,
        name_prefix,
    };
    let page = catalogue
        .page(listing, Reading::wanted_by(&request))
        .await?;
    let ProductPage { products, last } = page.value;
    Ok(json(StatusCode::OK, &Page::new(products, last.as_deref()))?
        .compressed_for(&request)
        .conditional(&request)
        .public(page.max_age))
}

/// What a name may begin with. A space at its end is part of it, as it wouldn't be of a whole name.
fn beginning(text: String) -> Result<String, InvalidText> {
    let beginning = text.trim_start().to_owned();
    ProductName::try_from(text).map(|_| beginning)
}
