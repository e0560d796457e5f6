//! `PUT /products/{sku}`.

use oxcart_domain::{Sku, product::ProductDetails, user::Role};
use oxcart_http::{Answer, Caller, Problem, Request, StatusCode, json, json_body, path_parameter};
use oxcart_lambda::clock;
use oxcart_telemetry::about;
use uuid::Uuid;

use crate::{adjust_stock::Contended, table::Inventory};

/// Creates the product (201) or replaces its details (200). Stock is not touched.
///
/// # Errors
/// 401, 403 unless an admin, 404 for what can't be a sku, 422 for invalid details.
pub async fn handle(inventory: &Inventory, request: Request) -> Result<Answer, Problem> {
    Caller::who_may(Role::may_keep_the_catalogue, &request)?;
    let sku = path_parameter(&request, "sku", |text| Sku::try_from(text).ok())?;
    about("sku", &sku);
    let details: ProductDetails = json_body(&request)?;
    let now = clock::now();
    let event = details.changed(&sku, &Uuid::new_v4().to_string(), now);

    let put = inventory.put(&sku, &details, event, now).await?;
    let (product, is_new) = put.ok_or_else(|| Problem::contended(&Contended))?;
    if is_new {
        json(StatusCode::CREATED, &product)?.located_at(&format!("/products/{sku}"))
    } else {
        json(StatusCode::OK, &product)
    }
}
