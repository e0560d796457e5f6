//! A shop with one product, and its books.

use dynoxide::{AttributeValue, Item};
use oxcart_domain::{product::ProductDetails, saga::ReserveStock};
use oxcart_inventory::{
    reserve_stock::{self, ReserveError},
    table::Inventory,
};
use serde_json::json;
use uuid::Uuid;

use crate::{
    failure::Failure,
    stock,
    store::{Counts, Pace, Store},
    tables::INVENTORY,
};

const SKU: &str = "hot-item";

/// An inventory that sells one product, in a store of its own.
pub(super) struct Shop {
    store: Store,
    inventory: Inventory,
    put_in: u64,
}

/// The product, its stock split into so many shards.
pub(super) fn product(shards: u32) -> Result<ProductDetails, Failure> {
    let name = "Concert ticket";
    let unit_price = json!({"amount": 4900, "currency": "EUR"});
    let details = match shards {
        // What is not split doesn't say so.
        1 => json!({"name": name, "unit_price": unit_price}),
        shards => json!({"name": name, "unit_price": unit_price, "stock_shards": shards}),
    };
    let what = format!("split a product's stock into {shards} shards");
    serde_json::from_value(details).map_err(Failure::service(what))
}

impl Shop {
    /// Opens one that has so many units of `product`.
    pub(super) async fn open(product: &ProductDetails, units: u64) -> Result<Self, Failure> {
        let store = Store::start(Pace::DYNAMODB, &[INVENTORY]).await?;
        let inventory = stock::inventory(&store);
        stock::put_in(&inventory, SKU, product, units).await?;
        let shop = Self {
            store,
            inventory,
            put_in: units,
        };
        let left = shop.left()?;
        if left == units {
            return Ok(shop);
        }
        let wrong = format!("{units} units were put in, {left} are there");
        Err(Failure::Books(wrong))
    }

    /// Orders one unit.
    pub(super) fn order() -> Result<ReserveStock, Failure> {
        stock::read(json!({
            "order_id": Uuid::new_v4(),
            "lines": [{"sku": SKU, "quantity": 1}],
            "expected_total": {"amount": 4900, "currency": "EUR"},
        }))
    }

    /// Reserves what an order wants, as the step of the saga does.
    pub(super) async fn reserve(&self, order: ReserveStock) -> Result<(), ReserveError> {
        reserve_stock::handle(&self.inventory, order)
            .await
            .map(drop)
    }

    /// What was asked of the store since the last time that this was called.
    pub(super) fn take_counts(&self) -> Counts {
        self.store.take_counts()
    }

    /// The units that no order holds.
    pub(super) fn left(&self) -> Result<u64, Failure> {
        Ok(left(&self.store.items(INVENTORY)?))
    }

    /// Answers how many units orders hold. Fails if a unit was lost or sold twice, or if not as many orders hold one as
    /// were told so.
    pub(super) fn balanced(&self, told: usize) -> Result<u64, Failure> {
        let items = self.store.items(INVENTORY)?;
        let (held, left, put_in) = (held(&items), left(&items), self.put_in);
        if held + left == put_in && usize::try_from(held).is_ok_and(|held| held == told) {
            return Ok(held);
        }
        Err(Failure::Books(format!(
            "{put_in} units were put in; orders hold {held}, {told} orders were told so, and {left} are left"
        )))
    }
}

/// The units in the product itself and in the further shards of its stock.
fn left(items: &[Item]) -> u64 {
    let (product, shard) = (format!("PRODUCT#{SKU}"), format!("STOCK#{SKU}#"));
    let is_stock = |item: &&Item| key(item) == product || key(item).starts_with(&shard);
    let units = items.iter().filter(is_stock);
    units.map(|item| number(item.get("available"))).sum()
}

/// The units in the reservations that stand.
fn held(items: &[Item]) -> u64 {
    let is_held = |item: &&Item| {
        let status = AttributeValue::S("HELD".to_owned());
        key(item).starts_with("RESERVATION#") && item.get("status") == Some(&status)
    };
    let reservations = items.iter().filter(is_held);
    let lines = reservations.flat_map(|item| match item.get("lines") {
        Some(AttributeValue::L(lines)) => lines.as_slice(),
        _ => &[],
    });
    let quantities = lines.map(|line| match line {
        AttributeValue::M(line) => number(line.get("quantity")),
        _ => 0,
    });
    quantities.sum()
}

fn key(item: &Item) -> &str {
    match item.get("pk") {
        Some(AttributeValue::S(key)) => key,
        _ => "",
    }
}

fn number(value: Option<&AttributeValue>) -> u64 {
    match value {
        Some(AttributeValue::N(number)) => number.parse().unwrap_or_default(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn item(json: &Value) -> Item {
        serde_json::from_value(json.clone()).unwrap()
    }

    #[test]
    fn the_books_count_every_shard_and_every_reservation_that_stands() {
        let reservation = |id: u32, status: &str| {
            let lines =
                json!({"L": [{"M": {"quantity": {"N": "2"}}}, {"M": {"quantity": {"N": "1"}}}]});
            item(
                &json!({"pk": {"S": format!("RESERVATION#{id}")}, "status": {"S": status}, "lines": lines}),
            )
        };
        let stock = |key: &str| item(&json!({"pk": {"S": key}, "available": {"N": "7"}}));
        let items = [
            reservation(1, "HELD"),
            reservation(2, "RELEASED"),
            stock("PRODUCT#hot-item"),
            stock("STOCK#hot-item#1"),
            stock("STOCK#hot-item#12"),
            stock("PRODUCT#another"),
            stock("STOCK#hot-item-2#1"),
        ];
        assert_eq!((left(&items), held(&items)), (21, 3));
    }
}
