//! `GET /products`.

use oxcart_domain::Sku;
use oxcart_http::{Answer, Page, PageRequest, Problem, Request, StatusCode, json};

use crate::table::Inventory;

/// Answers a page of products, sorted by name.
///
/// # Errors
/// 400 for a limit or cursor that can't be.
pub async fn handle(inventory: &Inventory, request: Request) -> Result<Answer, Problem> {
    let PageRequest { limit, after } = PageRequest::of(&request)?;
    let after = match after {
        None => None,
        Some(sku) => {
            let sku = Sku::try_from(sku).map_err(|_| PageRequest::invalid_cursor())?;
            Some(
                inventory
                    .listing_of(&sku)
                    .await?
                    .ok_or_else(PageRequest::invalid_cursor)?,
            )
        }
    };
    let (products, more) = inventory.list(limit, after).await?;
    let last = products
        .last()
        .filter(|_| more)
        .map(|product| product.sku.to_string());
    json(StatusCode::OK, &Page::new(products, last.as_deref()))
}
