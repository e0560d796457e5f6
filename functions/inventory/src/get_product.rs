//! `GET /products/{sku}`.

use oxcart_domain::Sku;
use oxcart_http::{Answer, Problem, Request, StatusCode, json, path_parameter};

use crate::table::Inventory;

/// Answers the product, with an `ETag` that changes with its details, its price and its stock.
///
/// # Errors
/// 404.
pub async fn handle(inventory: &Inventory, request: Request) -> Result<Answer, Problem> {
    let sku = path_parameter(&request, "sku", |text| Sku::try_from(text).ok())?;
    let product = inventory
        .product(&sku)
        .await?
        .ok_or_else(Problem::not_found)?;
    Ok(json(StatusCode::OK, &product)?.conditional(&request))
}
