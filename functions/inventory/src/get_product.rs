//! `GET /products/{sku}`.

use oxcart_domain::Sku;
use oxcart_http::{Answer, Problem, Request, StatusCode, json, path_parameter};
use oxcart_telemetry::about;

use crate::catalogue::{Catalogue, Reading};

/// Answers the product, with an `ETag` that changes with its details, its price and its stock, as it was at
/// most a few seconds ago.
///
/// # Errors
/// 404.
pub async fn handle(catalogue: &Catalogue, request: Request) -> Result<Answer, Problem> {
    let sku = path_parameter(&request, "sku", |text| Sku::try_from(text).ok())?;
    about("sku", &sku);
    let product = catalogue
        .product(&sku, Reading::wanted_by(&request))
        .await?
        .ok_or_else(Problem::not_found)?;
    Ok(json(StatusCode::OK, &product.value)?
        .compressed_for(&request)
        .conditional(&request)
        .public(product.max_age))
}
