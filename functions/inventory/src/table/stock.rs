//! How the units of a product are counted, in one shard or several.
//!
//! The first shard is the product's own item, so that a product with one is read and written at once with all that is
//! known of it. How many shards count stands in the product alone: what moves units between them holds on to that.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{
    ConditionCheck, Delete, TransactWriteItem, Update, builders::UpdateBuilder,
};
use oxcart_domain::{
    Event, OrderId, Quantity, Sku,
    product::Product,
    reservation::StockLevel,
    stock::{Changes, Shard, Stock, StockShards, Units},
};
use oxcart_table::{Item, KEY, TableError, Transacted, parse, pause, transact, value};
use serde::Deserialize;

use super::{Inventory, Reserved, TRIES, product_key, reservation_among, reservation_key, text};

/// As many keys as one call takes.
const BATCH: usize = 100;

/// What an item counts: a product, or a further shard of one.
#[derive(Deserialize)]
struct Counter {
    pk: String,
    available: u64,
    #[serde(default)]
    stock_shards: StockShards,
}

impl Inventory {
    /// Adds to each product what its further shards have. Costs nothing where there are none.
    pub(super) async fn add_further_shards(
        &self,
        products: &mut [Product],
    ) -> Result<(), TableError> {
        let keys = products
            .iter()
            .flat_map(|product| further_keys(&product.sku, product.stock_shards));
        let units = self.counters(keys.collect()).await?;
        for product in products {
            let keys = further_keys(&product.sku, product.stock_shards);
            let further = keys.filter_map(|key| Some(units.get(&key)?.available));
            product.available += further.sum::<u64>();
        }
        Ok(())
    }

    /// Counts the units of those products whose shards nobody has looked into. A product that is just being split
    /// otherwise stays uncounted.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn count(&self, stock: &mut [StockLevel]) -> Result<(), TableError> {
        let uncounted = |level: &StockLevel| match level.stock {
            Stock::Uncounted(shards) => Some(shards),
            Stock::Counted(_) => None,
        };
        let levels = stock
            .iter()
            .filter_map(|level| Some((&level.sku, uncounted(level)?)));
        let wanted = levels.flat_map(|(sku, shards)| keys(sku, shards));
        let counters = self.counters(wanted.collect()).await?;
        for level in stock {
            if let Some(shards) = uncounted(level)
                && let Some(units) = units(&level.sku, shards, &counters)
            {
                level.stock = Stock::Counted(units);
            }
        }
        Ok(())
    }

    /// An order's earlier reservation, if any, and the units of a product in so many shards, as they stood at one
    /// moment. None if somebody is at one of them, or the product is split otherwise.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn reservation_and_units_at_once(
        &self,
        order_id: OrderId,
        sku: &Sku,
        shards: StockShards,
    ) -> Result<Option<(Option<Reserved>, Units)>, TableError> {
        let wanted = std::iter::once(reservation_key(order_id)).chain(keys(sku, shards));
        let Some(items) = self.table.get_all_at_once(wanted).await? else {
            return Ok(None);
        };
        let (reserved, counters) = reservation_among(order_id, items)?;
        let units = units(sku, shards, &by_key(counters)?);
        Ok(units.map(|units| (reserved, units)))
    }

    /// Brings so many units of a product together in one of its shards. Whether it is done is seen when they are
    /// looked for again: others may be quicker to take them.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn gather(
        &self,
        sku: &Sku,
        units: &Units,
        wanted: Quantity,
    ) -> Result<(), TableError> {
        let moved = self.moving(sku, units.shards(), &units.gathering(wanted), None)?;
        transact(self.table.client(), moved).await.map(drop)
    }

    /// Spreads the units of a product over all its shards. Left undone if others are at them: orders find the units
    /// wherever they are, and the next adjustment spreads them.
    pub(super) async fn spread(&self, sku: &Sku) -> Result<(), TableError> {
        let Some(units) = self.units(sku).await? else {
            return Ok(());
        };
        let changes = units.spreading(0).unwrap_or_default();
        if changes.is_empty() {
            return Ok(());
        }
        let moved = self.moving(sku, units.shards(), &changes, None)?;
        transact(self.table.client(), moved).await.map(drop)
    }

    /// Leaves a product with `left` shards, of more that it has: the units of the others go to the first. Answers
    /// whether it is done; if not, others were at them at every try.
    pub(super) async fn merge(&self, sku: &Sku, left: StockShards) -> Result<bool, TableError> {
        for _ in 0..TRIES {
            let Some(units) = self.units(sku).await? else {
                return Ok(false);
            };
            let shards = units.shards();
            if shards <= left {
                return Ok(true);
            }
            let over = || shards.all().skip(usize::from(left.get()));
            let moved: u64 = over().map(|shard| units.in_shard(shard)).sum();
            // Protects: who has planned with the former shards finds that they no longer hold.
            let product = self
                .shard_update(sku, Shard::FIRST)
                .update_expression("SET available = available + :moved, stock_shards = :left")
                .condition_expression("stock_shards = :shards")
                .expression_attribute_values(":moved", value(moved)?)
                .expression_attribute_values(":left", value(left)?)
                .expression_attribute_values(":shards", value(shards)?)
                .build()?;
            let mut writes = vec![TransactWriteItem::builder().update(product).build()];
            for shard in over() {
                // Protects: no unit goes with its shard.
                let emptied = Delete::builder()
                    .table_name(self.table.name())
                    .key(KEY, text(shard_key(sku, shard)))
                    .condition_expression("attribute_not_exists(pk) OR available = :moved")
                    .expression_attribute_values(":moved", value(units.in_shard(shard))?)
                    .build()?;
                writes.push(TransactWriteItem::builder().delete(emptied).build());
            }
            if transact(self.table.client(), writes).await? == Transacted::Done {
                return Ok(true);
            }
            pause().await;
        }
        Ok(false)
    }

    /// The units of a product, by shard. None if there is no such product.
    pub(super) async fn units(&self, sku: &Sku) -> Result<Option<Units>, TableError> {
        for _ in 0..TRIES {
            let product: Option<Counter> = self.table.get(product_key(sku)).await?;
            let Some(product) = product else {
                return Ok(None);
            };
            let shards = product.stock_shards;
            if shards.is_one() {
                return Ok(Some(Units::of(shards, |_| product.available)));
            }
            let counters = self.counters(keys(sku, shards).collect()).await?;
            if let Some(units) = units(sku, shards, &counters) {
                return Ok(Some(units));
            }
        }
        Err(TableError::contended())
    }

    /// The same of one moment, for twice the price. None if somebody is at one of them.
    pub(super) async fn units_at_once(
        &self,
        sku: &Sku,
        shards: StockShards,
    ) -> Result<Option<Units>, TableError> {
        let items = self.table.get_all_at_once(keys(sku, shards)).await?;
        let counters = items.map(by_key).transpose()?;
        Ok(counters.and_then(|counters| units(sku, shards, &counters)))
    }

    /// The writes that change the units of a product's shards, that of the product first.
    pub(super) fn moving(
        &self,
        sku: &Sku,
        shards: StockShards,
        changes: &Changes,
        told: Option<Event>,
    ) -> Result<Vec<TransactWriteItem>, TableError> {
        let (first, further): (Vec<_>, Vec<_>) = changes
            .iter()
            .copied()
            .partition(|(shard, _)| *shard == Shard::FIRST);
        let first = first.first().map_or(0, |(_, change)| *change);
        let mut writes = vec![self.product_write(sku, shards, first, told)?];
        for (shard, change) in further {
            let update = self
                .shard_update(sku, shard)
                .update_expression(
                    "SET available = if_not_exists(available, :none) + :change, sku = :sku",
                )
                .expression_attribute_values(":none", value(0)?)
                .expression_attribute_values(":change", value(change)?)
                .expression_attribute_values(":sku", text(sku.as_str()));
            let update = if change < 0 {
                // Protects: no shard has less than nothing.
                update
                    .condition_expression("available >= :needed")
                    .expression_attribute_values(":needed", value(change.unsigned_abs())?)
            } else {
                update
            };
            writes.push(TransactWriteItem::builder().update(update.build()?).build());
        }
        Ok(writes)
    }

    fn product_write(
        &self,
        sku: &Sku,
        shards: StockShards,
        change: i64,
        told: Option<Event>,
    ) -> Result<TransactWriteItem, TableError> {
        // Protects: no unit goes to a shard that doesn't count.
        if change == 0 && told.is_none() {
            let check = ConditionCheck::builder()
                .table_name(self.table.name())
                .key(KEY, text(product_key(sku)))
                .condition_expression("stock_shards = :shards")
                .expression_attribute_values(":shards", value(shards)?)
                .build()?;
            return Ok(TransactWriteItem::builder().condition_check(check).build());
        }
        let needed = if change < 0 { change.unsigned_abs() } else { 0 };
        let mut expression = "SET available = available + :change".to_owned();
        let mut update = self
            .shard_update(sku, Shard::FIRST)
            .condition_expression("stock_shards = :shards AND available >= :needed")
            .expression_attribute_values(":shards", value(shards)?)
            .expression_attribute_values(":change", value(change)?)
            .expression_attribute_values(":needed", value(needed)?);
        if let Some(event) = told {
            expression.push_str(", updated_at = :now, outbox = :event");
            update = update
                .expression_attribute_values(":now", value(event.time)?)
                .expression_attribute_values(":event", oxcart_outbox::attribute(event)?);
        }
        let update = update.update_expression(expression).build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// A write of what counts the units of a shard, to be completed.
    pub(super) fn shard_update(&self, sku: &Sku, shard: Shard) -> UpdateBuilder {
        Update::builder()
            .table_name(self.table.name())
            .key(KEY, text(shard_key(sku, shard)))
    }

    async fn counters(&self, keys: Vec<String>) -> Result<BTreeMap<String, Counter>, TableError> {
        let mut counters = BTreeMap::new();
        for keys in keys.chunks(BATCH) {
            let items = self.table.get_all(keys.iter().cloned()).await?;
            counters.append(&mut by_key(items)?);
        }
        Ok(counters)
    }
}

/// How many units each shard has that these items count. A shard without an item has none yet. None if there is no such
/// product, or if it is split otherwise.
fn units(sku: &Sku, shards: StockShards, counters: &BTreeMap<String, Counter>) -> Option<Units> {
    let product = counters.get(&product_key(sku))?;
    let in_shard = |shard| {
        let counter = counters.get(&shard_key(sku, shard));
        counter.map_or(0, |counter| counter.available)
    };
    (product.stock_shards == shards).then(|| Units::of(shards, in_shard))
}

fn by_key(items: Vec<Item>) -> Result<BTreeMap<String, Counter>, TableError> {
    let counters = items.into_iter().map(|item| {
        let counter: Counter = parse(item)?;
        Ok((counter.pk.clone(), counter))
    });
    counters.collect()
}

fn keys(sku: &Sku, shards: StockShards) -> impl Iterator<Item = String> {
    shards.all().map(|shard| shard_key(sku, shard))
}

fn further_keys(sku: &Sku, shards: StockShards) -> impl Iterator<Item = String> {
    keys(sku, shards).skip(1)
}

/// The key of the item that counts a shard's units.
fn shard_key(sku: &Sku, shard: Shard) -> String {
    if shard == Shard::FIRST {
        product_key(sku)
    } else {
        format!("STOCK#{sku}#{}", shard.number())
    }
}

/// Where each line of a reservation took its units, of those that didn't take them out of the first shard.
pub(super) type TakenFrom = BTreeMap<Sku, Shard>;

/// What an item knows of that.
pub(super) fn taken_from(shards: &TakenFrom, sku: &Sku) -> Shard {
    shards.get(sku).copied().unwrap_or(Shard::FIRST)
}

/// The condition under which units go back to a shard.
pub(super) fn still_counts(update: UpdateBuilder, shard: Shard) -> UpdateBuilder {
    if shard == Shard::FIRST {
        update
    } else {
        update.condition_expression("attribute_exists(pk)")
    }
}
