//! `POST /products/{sku}/stock-adjustments`.

use oxcart_domain::{RequestHash, Sku, product::StockAdjustment, user::Role};
use oxcart_http::{
    Answer, Caller, Kind, Problem, Request, StatusCode, idempotency_key, json, json_body,
    path_parameter,
};
use oxcart_lambda::clock;
use oxcart_telemetry::about;
use serde::Serialize;

use crate::table::{Adjusted, Inventory};

const INSUFFICIENT_STOCK: Kind = Kind::new(
    "insufficient-stock",
    "There are not enough units to take away",
    StatusCode::CONFLICT,
);

/// What is in stock after an adjustment.
#[derive(Debug, Serialize)]
struct StockLevel {
    sku: Sku,
    available: u64,
}

/// Adds units to stock, or takes some away, once per idempotency key. A repeat answers what is in
/// stock by then.
///
/// # Errors
/// 401, 403 unless an admin, 404, 400 without a key, 409 `insufficient-stock`, 422 for an invalid body
/// or a key that was used for another adjustment.
pub async fn handle(inventory: &Inventory, request: Request) -> Result<Answer, Problem> {
    Caller::who_may(Role::may_keep_the_catalogue, &request)?;
    let sku = path_parameter(&request, "sku", |text| Sku::try_from(text).ok())?;
    about("sku", &sku);
    let key = idempotency_key(&request)?;
    let adjustment: StockAdjustment = json_body(&request)?;
    let hash = RequestHash::of(&adjustment).map_err(|error| Problem::internal(&error))?;
    let now = clock::now();
    let (id, event) = adjustment.of(&sku, &key, now);

    let adjusted = inventory
        .adjust(&sku, id, &adjustment, &hash, event, now)
        .await?;
    let level = |available| {
        json(
            StatusCode::OK,
            &StockLevel {
                sku: sku.clone(),
                available,
            },
        )
    };
    match adjusted {
        Adjusted::Done { available } => level(available),
        Adjusted::Repeated { available } => Ok(level(available)?.replayed()),
        Adjusted::KeyReused => Err(Problem::new(
            Kind::KEY_REUSED,
            "Use a fresh key for another adjustment, or repeat this one as it was.",
        )),
        Adjusted::UnknownProduct => Err(Problem::not_found()),
        Adjusted::Insufficient { available } => {
            let detail = format!(
                "{available} units are in stock, {} would be taken away.",
                adjustment.delta.needed()
            );
            Err(Problem::new(INSUFFICIENT_STOCK, detail)
                .at("/delta", "takes away more than is there"))
        }
        Adjusted::Contended => Err(Problem::contended(&Contended)),
    }
}

/// Orders were at the product at every try.
#[derive(Debug, thiserror::Error)]
#[error("the product's stock is contended")]
pub(crate) struct Contended;
