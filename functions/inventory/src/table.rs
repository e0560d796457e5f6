//! The inventory's table: products, reservations and adjustments; their keys, attributes and conditions.
//!
//! | item | `pk` |
//! |---|---|
//! | product | `PRODUCT#<sku>`, listed in the index `products-by-name`; counts its units, or those of their first shard |
//! | further shard of a product's stock | `STOCK#<sku>#<number>` |
//! | reservation | `RESERVATION#<order id>` |
//! | adjustment | `ADJUSTMENT#<id>` |

mod stock;

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{
    AttributeValue, Put, ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
    Update,
};
use oxcart_domain::{
    Event, EventId, Money, OrderId, RequestHash, Sku, Timestamp,
    id::AdjustmentId,
    order::{OrderLines, PricedLine, TimelineEntry},
    product::{Product, ProductDetails, StockAdjustment},
    reservation::{Reservation, ReservationStatus, StockLevel},
    stock::{Shard, Stock, StockShards, Units},
};
use oxcart_table::{
    Item, KEY, Table, TableError, Transacted, Written, item, keys_of, parse, pause, transact,
    update, value,
};
use serde::{Deserialize, Serialize};
use stock::{TakenFrom, still_counts, taken_from};

const BY_NAME: &str = "products-by-name";
/// The one partition of the index: a catalogue is small and read a page at a time.
const LISTING: &str = "PRODUCT";

/// Which products are listed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Listing {
    /// How many at most.
    pub limit: usize,
    /// Where the page before ended.
    pub after: Option<ListingPlace>,
    /// What their names begin with, in upper or lower case.
    pub name_prefix: Option<String>,
}

/// A page of products.
#[derive(Debug, Clone)]
pub struct ProductPage {
    /// The products, in order of their names.
    pub products: Vec<Product>,
    /// Where it ends, if more may follow.
    pub last: Option<String>,
}

/// A place in the list: that of a product when it was read, whatever it is called since. It tells nothing that
/// doesn't stand in the list, so who makes one up begins in the midst of what everybody may read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ListingPlace {
    key: String,
    sku: Sku,
}

impl ListingPlace {
    /// The longest that a range key may be.
    const LONGEST: usize = 1024;

    /// The place that `text` names, among the names that begin with `prefix`.
    #[must_use]
    pub fn named(text: String, prefix: Option<&str>) -> Option<Self> {
        let (_, sku) = text.split_once('\n')?;
        let sku = Sku::try_from(sku.to_owned()).ok()?;
        let is_within = prefix.is_none_or(|prefix| text.starts_with(&folded(prefix)));
        (is_within && text.len() <= Self::LONGEST).then_some(Self { key: text, sku })
    }
}

impl From<&ListingPlace> for Item {
    fn from(place: &ListingPlace) -> Self {
        Self::from([
            (KEY.to_owned(), text(product_key(&place.sku))),
            ("listing".to_owned(), text(LISTING)),
            ("listing_key".to_owned(), text(&place.key)),
        ])
    }
}

/// What the index knows of a product.
#[derive(Deserialize)]
struct Listed {
    listing_key: String,
}

/// The inventory's table.
#[derive(Debug)]
pub struct Inventory {
    table: Table,
}

/// What became of a stock adjustment.
#[derive(Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "`available` is what is in stock now")]
pub enum Adjusted {
    /// Stock is changed.
    Done { available: u64 },
    /// It was changed by an earlier request under this key.
    Repeated { available: u64 },
    /// An earlier request under this key asked for something else.
    KeyReused,
    /// There is no such product.
    UnknownProduct,
    /// Fewer units are there than would be taken away.
    Insufficient { available: u64 },
    /// Others were at the product at every try. Nothing was changed.
    Contended,
}

/// A reservation that was made or closed before.
#[derive(Debug, PartialEq, Eq)]
pub enum Reserved {
    /// The order holds its units.
    Held {
        /// The units and their prices.
        reservation: Reservation,
        /// The shards that they were taken from.
        shards: TakenFrom,
        /// When they were taken.
        reserved: TimelineEntry,
    },
    /// The order holds nothing, for ever.
    Released {
        /// When its units went back, if it ever held any.
        released: Option<TimelineEntry>,
    },
}

#[derive(Deserialize)]
struct ReservationItem {
    order_id: OrderId,
    status: ReservationStatus,
    #[serde(default)]
    lines: Option<Vec<PricedLine>>,
    #[serde(default)]
    total: Option<Money>,
    #[serde(default)]
    shards: TakenFrom,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Serialize)]
struct HeldItem<'a> {
    pk: String,
    status: ReservationStatus,
    #[serde(flatten)]
    reservation: &'a Reservation,
    /// Those other than the first, which is where units are taken from that nothing is said of.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    shards: &'a TakenFrom,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Serialize)]
struct ClosedItem {
    pk: String,
    order_id: OrderId,
    status: ReservationStatus,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct AdjustmentItem {
    pk: String,
    sku: Sku,
    #[serde(flatten)]
    adjustment: StockAdjustment,
    request_hash: RequestHash,
    created_at: Timestamp,
}

/// What is read of a product's units before they are changed.
#[derive(Deserialize)]
struct UnitsBefore {
    available: u64,
    #[serde(default)]
    stock_shards: StockShards,
}

/// What is read of a product whose details were not put.
#[derive(Deserialize)]
struct PutBefore {
    created_at: Timestamp,
    #[serde(default)]
    last_put: Option<EventId>,
}

/// How often the units of a product that is split are read and changed anew when others take from them between the two.
const TRIES: u32 = 4;

impl Inventory {
    /// The inventory in `table`.
    #[must_use]
    pub const fn new(table: Table) -> Self {
        Self { table }
    }

    /// A product as it stands now.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn product(&self, sku: &Sku) -> Result<Option<Product>, TableError> {
        let Some(mut product) = self.table.get(product_key(sku)).await? else {
            return Ok(None);
        };
        self.add_further_shards(std::slice::from_mut(&mut product))
            .await?;
        Ok(Some(product))
    }

    /// The products that `listing` asks for, in order of their names.
    ///
    /// The index holds keys only, so that selling a product doesn't write to it; the products are
    /// read from the table itself and their stock is the current one.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn list(&self, listing: &Listing) -> Result<ProductPage, TableError> {
        let mut query = self
            .table
            .client()
            .query()
            .table_name(self.table.name())
            .index_name(BY_NAME)
            .key_condition_expression("listing = :listing")
            .expression_attribute_values(":listing", text(LISTING));
        if let Some(prefix) = &listing.name_prefix {
            query = query
                .key_condition_expression(
                    "listing = :listing AND begins_with(listing_key, :prefix)",
                )
                .expression_attribute_values(":prefix", text(folded(prefix)));
        }
        let page = query
            .limit(i32::try_from(listing.limit).unwrap_or(i32::MAX))
            .set_exclusive_start_key(listing.after.as_ref().map(Item::from))
            .send()
            .await
            .map_err(TableError::unavailable)?;
        let last = page.last_evaluated_key().cloned().map(parse::<Listed>);
        let keys: Vec<String> = keys_of(page.items()).collect();

        let products = self.table.get_all(keys.clone()).await?;
        let mut products = products
            .into_iter()
            .map(parse::<Product>)
            .collect::<Result<Vec<_>, _>>()?;
        self.add_further_shards(&mut products).await?;
        products.sort_by_key(|product| {
            let key = product_key(&product.sku);
            keys.iter().position(|listed| *listed == key)
        });
        let last = last.transpose()?.map(|last| last.listing_key);
        Ok(ProductPage { products, last })
    }

    /// Creates or changes a product. Answers it, and whether it is new. None if it is to have fewer shards and others
    /// were at them at every try.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn put(
        &self,
        sku: &Sku,
        details: &ProductDetails,
        event: Event,
        now: Timestamp,
    ) -> Result<Option<(Product, bool)>, TableError> {
        let event_id = event.id;
        let event = oxcart_outbox::attribute(event)?;
        // What the table says after the units were merged, it says no more: shards don't come back by themselves.
        for _ in 0..2 {
            let before = match self
                .put_details(sku, details, &event, event_id, now)
                .await?
            {
                Written::Done(before) => before,
                Written::Refused(there) => match parse(there)? {
                    PutBefore {
                        last_put,
                        created_at,
                    } if last_put == Some(event_id) => {
                        let product = self.product(sku).await?;
                        return Ok(product.map(|product| (product, created_at == now)));
                    }
                    PutBefore { .. } if self.merge(sku, details.stock_shards).await? => continue,
                    PutBefore { .. } => return Ok(None),
                },
            };
            let is_new = before.is_empty();
            let available = if is_new {
                0
            } else {
                let before: UnitsBefore = parse(before)?;
                self.after_split(sku, before, details.stock_shards).await?
            };
            let ProductDetails {
                name,
                description,
                unit_price,
                stock_shards,
            } = details.clone();
            let product = Product {
                sku: sku.clone(),
                name,
                description,
                unit_price,
                available,
                stock_shards,
                updated_at: now,
            };
            return Ok(Some((product, is_new)));
        }
        Ok(None)
    }

    async fn put_details(
        &self,
        sku: &Sku,
        details: &ProductDetails,
        event: &AttributeValue,
        event_id: EventId,
        now: Timestamp,
    ) -> Result<Written, TableError> {
        // Protects: a repeat of this very write, sent because its answer was lost, does nothing; and no shard ceases
        // to count that may have units. Apart from that the last admin to write wins. `available` is never touched
        // here, or a change of price would undo what orders did to the stock meanwhile.
        let call = self
            .table
            .update_item(product_key(sku))
            .update_expression(
                "SET sku = :sku, #name = :name, description = :description, unit_price = :unit_price, \
                 stock_shards = :shards, \
                 available = if_not_exists(available, :none), created_at = if_not_exists(created_at, :now), \
                 updated_at = :now, listing = :listing, listing_key = :listing_key, last_put = :event_id, \
                 outbox = :event",
            )
            .condition_expression(
                "(attribute_not_exists(last_put) OR last_put <> :event_id) \
                 AND (attribute_not_exists(stock_shards) OR stock_shards <= :shards)",
            )
            .expression_attribute_names("#name", "name")
            .expression_attribute_values(":sku", text(sku.as_str()))
            .expression_attribute_values(":name", text(details.name.as_str()))
            .expression_attribute_values(":description", value(&details.description)?)
            .expression_attribute_values(":unit_price", value(details.unit_price)?)
            .expression_attribute_values(":shards", value(details.stock_shards)?)
            .expression_attribute_values(":none", value(0)?)
            .expression_attribute_values(":now", value(now)?)
            .expression_attribute_values(":listing", text(LISTING))
            .expression_attribute_values(":listing_key", text(listing_key(sku, details)))
            .expression_attribute_values(":event", event.clone())
            .expression_attribute_values(":event_id", value(event_id)?)
            .return_values(ReturnValue::AllOld);
        update(call).await
    }

    /// Spreads the units of a product that has more shards now. Answers how many it has.
    async fn after_split(
        &self,
        sku: &Sku,
        before: UnitsBefore,
        shards: StockShards,
    ) -> Result<u64, TableError> {
        if shards.is_one() {
            return Ok(before.available);
        }
        if shards > before.stock_shards {
            self.spread(sku).await?;
        }
        self.available(sku).await
    }

    /// Changes a product's stock, once per adjustment id.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn adjust(
        &self,
        sku: &Sku,
        id: AdjustmentId,
        adjustment: &StockAdjustment,
        hash: &RequestHash,
        event: Event,
        now: Timestamp,
    ) -> Result<Adjusted, TableError> {
        let record = AdjustmentItem {
            pk: adjustment_key(id),
            sku: sku.clone(),
            adjustment: adjustment.clone(),
            request_hash: hash.clone(),
            created_at: now,
        };
        // Protects: one adjustment per idempotency key, however often it is sent.
        let record = Put::builder()
            .table_name(self.table.name())
            .set_item(Some(item(record)?))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()?;
        let record = TransactWriteItem::builder().put(record).build();
        // Protects: stock never goes below zero, and exists only for products that do.
        let stock = self
            .shard_update(sku, Shard::FIRST)
            .update_expression(
                "SET available = available + :delta, updated_at = :now, outbox = :event",
            )
            .condition_expression(
                "attribute_exists(pk) AND available >= :needed \
                 AND (attribute_not_exists(stock_shards) OR stock_shards = :one)",
            )
            .expression_attribute_values(":delta", value(adjustment.delta)?)
            .expression_attribute_values(":needed", value(adjustment.delta.needed())?)
            .expression_attribute_values(":one", value(StockShards::ONE)?)
            .expression_attribute_values(":now", value(now)?)
            .expression_attribute_values(":event", oxcart_outbox::attribute(event.clone())?)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()?;
        let stock = TransactWriteItem::builder().update(stock).build();

        let outcome = transact(self.table.client(), vec![record.clone(), stock]).await?;
        if let Some(earlier) = outcome.refused_at(0) {
            return self.adjusted_before(parse(earlier.clone())?, hash).await;
        }
        match outcome.refused_at(1) {
            Some(product) if product.is_empty() => Ok(Adjusted::UnknownProduct),
            Some(product) => match parse(product.clone())? {
                UnitsBefore {
                    available,
                    stock_shards: StockShards::ONE,
                } => Ok(Adjusted::Insufficient { available }),
                UnitsBefore { .. } => {
                    self.adjust_shards(sku, id, record, adjustment, hash, event)
                        .await
                }
            },
            None if outcome == Transacted::Done => {
                let available = self.available(sku).await?;
                Ok(Adjusted::Done { available })
            }
            None => Ok(Adjusted::Contended),
        }
    }

    /// Changes the stock of a product that is split, and spreads it.
    async fn adjust_shards(
        &self,
        sku: &Sku,
        id: AdjustmentId,
        record: TransactWriteItem,
        adjustment: &StockAdjustment,
        hash: &RequestHash,
        event: Event,
    ) -> Result<Adjusted, TableError> {
        let delta = adjustment.delta.get();
        for left in (0..TRIES).rev() {
            let Some(units) = self.units(sku).await? else {
                return Ok(Adjusted::UnknownProduct);
            };
            // In a rush it is the adjustment that matters, and the less it touches the sooner it is through.
            let changes = if left > 0 {
                units.spreading(delta)
            } else {
                units.changing(delta)
            };
            let Some(changes) = changes else {
                // The missing units may just be on their way from one shard to another.
                match self.units_at_once(sku, units.shards()).await? {
                    Some(units) if units.total() < adjustment.delta.needed() => {
                        // Or the same adjustment, sent twice, has just taken them.
                        let earlier = self.table.get(adjustment_key(id)).await?;
                        let available = units.total();
                        return match earlier {
                            Some(earlier) => self.adjusted_before(earlier, hash).await,
                            None => Ok(Adjusted::Insufficient { available }),
                        };
                    }
                    _ => pause().await,
                }
                continue;
            };
            let mut writes = vec![record.clone()];
            writes.extend(self.moving(sku, units.shards(), &changes, Some(event.clone()))?);
            let outcome = transact(self.table.client(), writes).await?;
            if let Some(earlier) = outcome.refused_at(0) {
                return self.adjusted_before(parse(earlier.clone())?, hash).await;
            }
            if outcome == Transacted::Done {
                let available = self.available(sku).await?;
                return Ok(Adjusted::Done { available });
            }
            pause().await;
        }
        Ok(Adjusted::Contended)
    }

    /// What an earlier request under this key has done.
    async fn adjusted_before(
        &self,
        earlier: AdjustmentItem,
        hash: &RequestHash,
    ) -> Result<Adjusted, TableError> {
        if earlier.request_hash != *hash {
            return Ok(Adjusted::KeyReused);
        }
        let available = self.available(&earlier.sku).await?;
        Ok(Adjusted::Repeated { available })
    }

    async fn available(&self, sku: &Sku) -> Result<u64, TableError> {
        let product = self.product(sku).await?;
        Ok(product.map_or(0, |product| product.available))
    }

    /// An order's earlier reservation, if any, and the stock of the products that it wants, as each
    /// stands now: one round trip. Not of one moment: a reservation that is just being made may show
    /// in the stock and not yet for itself.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn reservation_and_stock(
        &self,
        order_id: OrderId,
        lines: &OrderLines,
    ) -> Result<(Option<Reserved>, Vec<StockLevel>), TableError> {
        let items = self.table.get_all(wanted_keys(order_id, lines)).await?;
        told_apart(order_id, items)
    }

    /// An order's reservation as it stands now.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn reservation(&self, order_id: OrderId) -> Result<Option<Reserved>, TableError> {
        let found: Option<ReservationItem> = self.table.get(reservation_key(order_id)).await?;
        Ok(found.map(Reserved::from))
    }

    /// Takes the units of `reservation` out of stock and records it, all or nothing: each line's out of the shard
    /// that `shards` names, or out of the first. What it answers unless that is done: the order's reservation, a price
    /// or the stock is no longer as it was read, or others were at it.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn hold(
        &self,
        reservation: &Reservation,
        shards: &TakenFrom,
        event: Event,
    ) -> Result<Transacted, TableError> {
        let mut record = item(HeldItem {
            pk: reservation_key(reservation.order_id),
            status: ReservationStatus::Held,
            reservation,
            shards,
            created_at: event.time,
            updated_at: event.time,
        })?;
        record.insert(
            oxcart_outbox::ATTRIBUTE.to_owned(),
            oxcart_outbox::attribute(event)?,
        );
        // Protects: an order's units are taken once, and never after its reservation was closed.
        let record = Put::builder()
            .table_name(self.table.name())
            .set_item(Some(record))
            .condition_expression("attribute_not_exists(pk)")
            .build()?;
        let mut writes = vec![TransactWriteItem::builder().put(record).build()];
        for line in &reservation.lines {
            let shard = taken_from(shards, &line.sku);
            // What was told of the product is in the stream; as long as it is here, each write of the product wakes the
            // relay for nothing.
            let taken = self
                .shard_update(&line.sku, shard)
                .update_expression("SET available = available - :quantity REMOVE outbox")
                .expression_attribute_values(":quantity", value(line.quantity)?);
            // Protects: no unit is sold twice, and none at a price other than the one answered. Only the product knows
            // the price; who takes from another shard sells at the one that held while it was reserving.
            let taken = if shard == Shard::FIRST {
                taken
                    .condition_expression("available >= :quantity AND unit_price = :unit_price")
                    .expression_attribute_values(":unit_price", value(line.unit_price)?)
            } else {
                taken.condition_expression("available >= :quantity")
            };
            writes.push(TransactWriteItem::builder().update(taken.build()?).build());
        }
        transact(self.table.client(), writes).await
    }

    /// Puts the units of `reservation` back and closes it, all or nothing: each line's into the shard that they were
    /// taken from, or into the first if that one counts no more. Answers whether it is done.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn release(
        &self,
        reservation: &Reservation,
        shards: &TakenFrom,
        event: Event,
    ) -> Result<bool, TableError> {
        let record = self.released(reservation, event)?;
        let mut shards = shards.clone();
        loop {
            let mut writes = vec![record.clone()];
            for line in &reservation.lines {
                // Protects: no unit goes to a shard that doesn't count.
                let shard = taken_from(&shards, &line.sku);
                let returned = still_counts(self.shard_update(&line.sku, shard), shard)
                    .update_expression("SET available = available + :quantity REMOVE outbox")
                    .expression_attribute_values(":quantity", value(line.quantity)?)
                    .build()?;
                writes.push(TransactWriteItem::builder().update(returned).build());
            }
            let outcome = transact(self.table.client(), writes).await?;
            let lines = reservation.lines.iter().enumerate();
            let gone = lines.filter(|(line, _)| outcome.refused_at(line + 1).is_some());
            let gone: Vec<_> = gone.map(|(_, line)| &line.sku).collect();
            if gone.is_empty() || outcome.refused_at(0).is_some() {
                return Ok(outcome == Transacted::Done);
            }
            if !gone.into_iter().all(|sku| shards.remove(sku).is_some()) {
                return Ok(false);
            }
        }
    }

    /// The write that closes a reservation.
    fn released(
        &self,
        reservation: &Reservation,
        event: Event,
    ) -> Result<TransactWriteItem, TableError> {
        // Protects: units go back once, and only units that are held.
        let record = Update::builder()
            .table_name(self.table.name())
            .key(KEY, text(reservation_key(reservation.order_id)))
            .update_expression("SET #status = :released, updated_at = :now, outbox = :event")
            .condition_expression("#status = :held")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":held", text(ReservationStatus::Held.as_str()))
            .expression_attribute_values(":released", text(ReservationStatus::Released.as_str()))
            .expression_attribute_values(":now", value(event.time)?)
            .expression_attribute_values(":event", oxcart_outbox::attribute(event)?)
            .build()?;
        Ok(TransactWriteItem::builder().update(record).build())
    }

    /// Leaves a tombstone for an order that has no reservation, so that a late one is refused. Answers
    /// whether it is done; if not, there is a reservation by now.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn close(&self, order_id: OrderId, now: Timestamp) -> Result<bool, TableError> {
        let tombstone = ClosedItem {
            pk: reservation_key(order_id),
            order_id,
            status: ReservationStatus::Released,
            created_at: now,
            updated_at: now,
        };
        // Protects: a tombstone never hides units that are held.
        let call = self
            .table
            .put_item()
            .set_item(Some(item(tombstone)?))
            .condition_expression("attribute_not_exists(pk)");
        Ok(matches!(oxcart_table::put(call).await?, Written::Done(_)))
    }
}

impl From<ReservationItem> for Reserved {
    fn from(item: ReservationItem) -> Self {
        let entry = |at, event: &str| TimelineEntry {
            at,
            event: event.to_owned(),
        };
        match (item.status, item.lines, item.total) {
            (ReservationStatus::Held, Some(lines), Some(total)) => Self::Held {
                reservation: Reservation {
                    order_id: item.order_id,
                    lines,
                    total,
                },
                shards: item.shards,
                reserved: entry(item.created_at, "stock.reserved"),
            },
            (_, lines, _) => Self::Released {
                released: lines.map(|_| entry(item.updated_at, "stock.released")),
            },
        }
    }
}

fn wanted_keys(order_id: OrderId, lines: &OrderLines) -> Vec<String> {
    let products = lines.as_slice().iter().map(|line| product_key(&line.sku));
    std::iter::once(reservation_key(order_id))
        .chain(products)
        .collect()
}

fn told_apart(
    order_id: OrderId,
    items: Vec<Item>,
) -> Result<(Option<Reserved>, Vec<StockLevel>), TableError> {
    let (reserved, products) = reservation_among(order_id, items)?;
    let stock = products.into_iter().map(|item| {
        let Product {
            sku,
            unit_price,
            available,
            stock_shards,
            ..
        } = parse(item)?;
        let stock = if stock_shards.is_one() {
            Stock::Counted(Units::of(stock_shards, |_| available))
        } else {
            Stock::Uncounted(stock_shards)
        };
        Ok(StockLevel {
            sku,
            unit_price: unit_price.money(),
            stock,
        })
    });
    Ok((reserved, stock.collect::<Result<_, TableError>>()?))
}

/// An order's reservation, if it is among these items, and the other items.
fn reservation_among(
    order_id: OrderId,
    items: Vec<Item>,
) -> Result<(Option<Reserved>, Vec<Item>), TableError> {
    let own = reservation_key(order_id);
    let (reservations, others): (Vec<_>, Vec<_>) = items
        .into_iter()
        .partition(|item| item.get(KEY).and_then(|key| key.as_s().ok()) == Some(&own));
    let reserved = reservations
        .into_iter()
        .next()
        .map(parse::<ReservationItem>)
        .transpose()?;
    Ok((reserved.map(Reserved::from), others))
}

fn product_key(sku: &Sku) -> String {
    format!("PRODUCT#{sku}")
}

fn reservation_key(order_id: OrderId) -> String {
    format!("RESERVATION#{order_id}")
}

fn adjustment_key(id: AdjustmentId) -> String {
    format!("ADJUSTMENT#{id}")
}

/// Names sort without regard to case; the sku keeps two products of one name apart.
fn listing_key(sku: &Sku, details: &ProductDetails) -> String {
    format!("{}\n{sku}", folded(details.name.as_str()))
}

/// A name as it is compared. Character by character, so that the beginning of a name becomes the beginning of
/// what the name becomes: `str::to_lowercase` looks at what follows a sigma.
fn folded(name: &str) -> String {
    name.chars().flat_map(char::to_lowercase).collect()
}

fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_by_any_beginning_of_it_in_whatever_case() {
        for name in ["Assam Tee", "ÄRGER", "ΟΔΟΣ ΑΘΗΝΑΣ", "İzmir", "straße"] {
            for (end, _) in name.char_indices() {
                let beginning = &name[..end];
                for typed in [beginning.to_owned(), beginning.to_uppercase()] {
                    // ß and İ have no single counterpart in the other case.
                    let comparable = typed.chars().count() == beginning.chars().count();
                    assert!(
                        !comparable || folded(name).starts_with(&folded(&typed)),
                        "{name} by {typed}"
                    );
                }
            }
        }
    }
}
