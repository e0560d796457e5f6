//! How the books are read: all of them by walking the tables, or some orders by their keys.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;
use oxcart_domain::{OrderId, Sku, Timestamp};
use serde::de::DeserializeOwned;

use super::books::{Books, GatewayBooks, Scope};
use crate::{
    cloud::Cloud,
    failure::Outcome,
    gateway::{Gateway, Intent},
    items::{Adjustment, Order, Payment, Product, Reservation, StockShard},
    tables::{Item, id_in},
};

/// How much earlier than the oldest order its intents may have been made, for all that clocks know, in seconds.
const EARLIER: i64 = 3600;

/// Reads the part of the books that is asked about. Orders first: what follows from them is then not older.
pub(super) async fn read(
    cloud: &Cloud,
    scope: &Scope,
    gateway: Option<&Gateway>,
) -> Outcome<Books> {
    let mut books = if scope.is_orders_alone() {
        read_orders(cloud, scope.orders.iter().copied()).await?
    } else {
        read_all(cloud).await?
    };
    if let Some(gateway) = gateway {
        let since = since(&books, scope);
        let (refunds, intents) =
            futures::try_join!(gateway.refunds(since), gateway.intents(since))?;
        books.gateway = Some(GatewayBooks::of(intents, refunds));
    }
    books.restrict(scope);
    Ok(books)
}

/// Reads one order again, and at the gateway the intents that were known of it, and the one that our record names
/// by now.
pub(super) async fn read_again(
    cloud: &Cloud,
    id: OrderId,
    before: &Books,
    gateway: Option<&Gateway>,
) -> Outcome<Books> {
    let mut books = read_orders(cloud, [id].into_iter()).await?;
    if let (Some(gateway), Some(known)) = (gateway, &before.gateway) {
        let mut ids: Vec<String> = known
            .intents_of(id)
            .iter()
            .map(|intent| intent.id.clone())
            .collect();
        let named = books
            .payments
            .get(&id)
            .and_then(|payment| payment.intent_id.clone());
        ids.extend(named);
        ids.sort();
        ids.dedup();
        let intents = try_join_all(ids.iter().map(|id| gateway.intent(id))).await?;
        let intents: Vec<Intent> = intents.into_iter().flatten().collect();
        let charged = intents.iter().filter(|intent| intent.is_charged());
        let refunds = try_join_all(charged.map(|intent| gateway.refunds_of(&intent.id))).await?;
        books.gateway = Some(GatewayBooks::of(intents, refunds.concat()));
    }
    Ok(books)
}

/// Reads the inventory again.
pub(super) async fn read_stock_again(cloud: &Cloud) -> Outcome<Books> {
    let mut books = Books::default();
    books.walk_inventory(cloud).await?;
    Ok(books)
}

async fn read_all(cloud: &Cloud) -> Outcome<Books> {
    let mut books = Books::default();
    cloud
        .walk("ORDERS_TABLE", |item| {
            if let Some((id, order)) = books.take_of::<Order>(item, "ORDER#") {
                books.orders.insert(id, order);
            }
        })
        .await?;
    books.walk_inventory(cloud).await?;
    cloud
        .walk("PAYMENTS_TABLE", |item| {
            if let Some((id, payment)) = books.take_of::<Payment>(item, "PAYMENT#") {
                books.payments.insert(id, payment);
            }
        })
        .await?;
    Ok(books)
}

/// Reads these orders, and what follows from them after them.
pub(super) async fn read_orders(
    cloud: &Cloud,
    ids: impl Iterator<Item = OrderId>,
) -> Outcome<Books> {
    let mut books = Books::default();
    let ids: Vec<OrderId> = ids.collect();
    let keys = |kind: &str| ids.iter().map(|id| format!("{kind}#{id}")).collect();
    let orders = cloud.items("ORDERS_TABLE", keys("ORDER")).await?;
    let (reservations, payments) = futures::try_join!(
        cloud.items("INVENTORY_TABLE", keys("RESERVATION")),
        cloud.items("PAYMENTS_TABLE", keys("PAYMENT")),
    )?;
    for item in orders {
        if let Some((id, order)) = books.take_of(item, "ORDER#") {
            books.orders.insert(id, order);
        }
    }
    for item in reservations {
        if let Some((id, reservation)) = books.take_of(item, "RESERVATION#") {
            books.reservations.insert(id, reservation);
        }
    }
    for item in payments {
        if let Some((id, payment)) = books.take_of(item, "PAYMENT#") {
            books.payments.insert(id, payment);
        }
    }
    Ok(books)
}

/// Reads these products.
pub(super) async fn read_products(cloud: &Cloud, skus: &BTreeSet<Sku>) -> Outcome<Books> {
    let mut books = Books::default();
    let keys = skus.iter().map(|sku| format!("PRODUCT#{sku}")).collect();
    for item in cloud.items("INVENTORY_TABLE", keys).await? {
        if let Some(product) = books.take::<Product>(item) {
            books.products.insert(product.sku.clone(), product);
        }
    }
    let further = books.products.values().flat_map(Product::further_shards);
    let mut shards = BTreeMap::new();
    for item in cloud.items("INVENTORY_TABLE", further.collect()).await? {
        let key = item.key().to_owned();
        shards.extend(books.take::<StockShard>(item).map(|shard| (key, shard)));
    }
    books.add_shards(&shards);
    Ok(books)
}

/// From when on the gateway's books matter, in seconds since the epoch; none if from their beginning.
fn since(books: &Books, scope: &Scope) -> Option<i64> {
    // Of an order that there is not, nobody knows when it might have been placed.
    let all_known = scope.orders.iter().all(|id| books.orders.contains_key(id));
    let oldest = books.orders.values().map(|order| order.created_at).min();
    oldest
        .filter(|_| scope.is_orders_alone() && all_known)
        .map(|oldest: Timestamp| oldest.unix_seconds() - EARLIER)
}

impl Books {
    async fn walk_inventory(&mut self, cloud: &Cloud) -> Outcome {
        let mut shards = BTreeMap::new();
        cloud
            .walk("INVENTORY_TABLE", |item| {
                let key = item.key().to_owned();
                if let Some(id) = id_in(&key, "RESERVATION#") {
                    if let Some(reservation) = self.take::<Reservation>(item) {
                        self.reservations.insert(id, reservation);
                    }
                } else if let Some(sku) = key.strip_prefix("PRODUCT#") {
                    let sku = Sku::try_from(sku.to_owned());
                    if let (Some(product), Ok(sku)) = (self.take::<Product>(item), sku) {
                        self.products.insert(sku, product);
                    }
                } else if key.starts_with("STOCK#") {
                    shards.extend(self.take::<StockShard>(item).map(|shard| (key, shard)));
                } else if key.starts_with("ADJUSTMENT#")
                    && let Some(adjustment) = self.take::<Adjustment>(item)
                {
                    self.adjust(adjustment);
                }
            })
            .await?;
        self.add_shards(&shards);
        Ok(())
    }

    /// Adds to the products what is in those shards of theirs that count.
    fn add_shards(&mut self, shards: &BTreeMap<String, StockShard>) {
        for product in self.products.values_mut() {
            let keys: Vec<_> = product.further_shards().collect();
            for shard in keys.iter().filter_map(|key| shards.get(key)) {
                product.add_shard(shard.available);
            }
        }
    }

    /// Reads an item of an order whose key begins like this, or notes that it can't be read.
    fn take_of<T: DeserializeOwned>(&mut self, item: Item, prefix: &str) -> Option<(OrderId, T)> {
        let id = id_in(item.key(), prefix)?;
        Some((id, self.take(item)?))
    }

    /// Reads an item, or notes that it can't be read.
    fn take<T: DeserializeOwned>(&mut self, item: Item) -> Option<T> {
        let key = item.key().to_owned();
        match item.read() {
            Ok(read) => Some(read),
            Err(failure) => {
                self.unreadable.insert(key, failure.to_string());
                None
            }
        }
    }
}
