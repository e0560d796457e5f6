//! How the books are read: all of them by walking the tables, or some orders by their keys.

use futures::future::try_join_all;
use oxcart_domain::{OrderId, Sku, Timestamp};
use serde::de::DeserializeOwned;

use super::books::{Books, GatewayBooks, Scope};
use crate::{
    cloud::Cloud,
    failure::Outcome,
    gateway::{Gateway, Intent},
    items::{Adjustment, Order, Payment, Product, Reservation},
    tables::{Item, id_in},
};

/// How much earlier than the oldest order its intents may have been made, for all that clocks know, in seconds.
const EARLIER: i64 = 3600;
/// How many orders are read at once.
const AT_ONCE: usize = 25;

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
            if let Some(id) = id_in(item.key(), "ORDER#")
                && let Some(order) = books.take::<Order>(item)
            {
                books.orders.insert(id, order);
            }
        })
        .await?;
    books.walk_inventory(cloud).await?;
    cloud
        .walk("PAYMENTS_TABLE", |item| {
            if let Some(id) = id_in(item.key(), "PAYMENT#")
                && let Some(payment) = books.take::<Payment>(item)
            {
                books.payments.insert(id, payment);
            }
        })
        .await?;
    Ok(books)
}

async fn read_orders(cloud: &Cloud, ids: impl Iterator<Item = OrderId>) -> Outcome<Books> {
    let mut books = Books::default();
    let ids: Vec<OrderId> = ids.collect();
    for ids in ids.chunks(AT_ONCE) {
        let read = ids.iter().map(async |id| {
            // The order first, and what follows from it after it.
            let order = cloud.item("ORDERS_TABLE", format!("ORDER#{id}")).await?;
            let (reservation, payment) = futures::try_join!(
                cloud.item("INVENTORY_TABLE", format!("RESERVATION#{id}")),
                cloud.item("PAYMENTS_TABLE", format!("PAYMENT#{id}")),
            )?;
            Outcome::Ok((*id, order, reservation, payment))
        });
        for (id, order, reservation, payment) in try_join_all(read).await? {
            if let Some(order) = order.and_then(|item| books.take(item)) {
                books.orders.insert(id, order);
            }
            if let Some(reservation) = reservation.and_then(|item| books.take(item)) {
                books.reservations.insert(id, reservation);
            }
            if let Some(payment) = payment.and_then(|item| books.take(item)) {
                books.payments.insert(id, payment);
            }
        }
    }
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
                } else if key.starts_with("ADJUSTMENT#")
                    && let Some(adjustment) = self.take::<Adjustment>(item)
                {
                    self.adjust(adjustment);
                }
            })
            .await
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
