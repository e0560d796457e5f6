//! Products in a stand-in for DynamoDB, put there as the inventory's functions do.

use oxcart_domain::{
    IdempotencyKey, RequestHash, Sku,
    product::{ProductDetails, StockAdjustment},
};
use oxcart_inventory::table::{Adjusted, Inventory};
use oxcart_lambda::clock;
use oxcart_table::Table;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{failure::Failure, store::Store, tables::INVENTORY};

/// The inventory in `store`.
pub(crate) fn inventory(store: &Store) -> Inventory {
    Inventory::new(Table::new(store.client(), INVENTORY.name.to_owned()))
}

/// Puts a product and so many units of it into `inventory`.
pub(crate) async fn put_in(
    inventory: &Inventory,
    sku: &str,
    product: &ProductDetails,
    units: u64,
) -> Result<(), Failure> {
    let now = clock::now();
    let sku: Sku = read(json!(sku))?;
    let event = product.changed(&sku, "bench", now);
    let put = inventory.put(&sku, product, event, now).await;
    put.map_err(Failure::service("put a product"))?;

    let added: StockAdjustment = read(json!({"delta": units, "reason": "bench"}))?;
    let hash = RequestHash::of(&added).map_err(Failure::service("hash a request"))?;
    let key = IdempotencyKey::try_from("bench".to_owned());
    let key = key.map_err(Failure::service("name an adjustment"))?;
    let (id, event) = added.of(&sku, &key, now);
    let adjusted = inventory.adjust(&sku, id, &added, &hash, event, now).await;
    match adjusted.map_err(Failure::service("add units"))? {
        Adjusted::Done { .. } => Ok(()),
        other => Err(Failure::Books(format!(
            "{units} units were to be added: {other:?}"
        ))),
    }
}

/// Reads what is written here as JSON, as the services read what they are sent.
pub(crate) fn read<T: DeserializeOwned>(json: Value) -> Result<T, Failure> {
    let what = format!("read {json}");
    serde_json::from_value(json).map_err(Failure::service(what))
}
