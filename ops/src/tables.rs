//! How the tables are read: their keys and their index. The only module that names DynamoDB's types, and it
//! writes nothing.

use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use oxcart_domain::{Event, OrderId};
use serde::de::DeserializeOwned;

use crate::{
    cloud::Cloud,
    failure::{Explain as _, Failure, Outcome},
    items::{Order, Payment, Reservation},
};

/// The attribute that every table is keyed by.
const KEY: &str = "pk";
/// The index of open orders, and its partitions.
const OPEN: &str = "open-orders";
const SHARDS: &str = "0123456789abcdef";
/// How many items one call reads by their keys.
const BATCH: usize = 100;

/// An item as DynamoDB hands it out.
#[derive(Debug)]
pub(crate) struct Item(HashMap<String, AttributeValue>);

impl Item {
    /// Its key.
    pub(crate) fn key(&self) -> &str {
        let key = self.0.get(KEY).and_then(|key| key.as_s().ok());
        key.map_or("", String::as_str)
    }

    /// Reads it as a `T`.
    pub(crate) fn read<T: DeserializeOwned>(self) -> Outcome<T> {
        let key = self.key().to_owned();
        serde_dynamo::from_item(self.0).explain(|| format!("The item {key} can't be read"))
    }

    /// The event that it carries, if it carries one of ours.
    pub(crate) fn event(&self) -> Option<Event> {
        let event = self.0.get("outbox")?.clone();
        serde_dynamo::from_attribute_value(event).ok()
    }
}

impl Cloud {
    /// An order as it stands now.
    pub(crate) async fn order(&self, id: OrderId) -> Outcome<Option<Order>> {
        self.read("ORDERS_TABLE", format!("ORDER#{id}")).await
    }

    /// An order's reservation as it stands now.
    pub(crate) async fn reservation(&self, id: OrderId) -> Outcome<Option<Reservation>> {
        let key = format!("RESERVATION#{id}");
        self.read("INVENTORY_TABLE", key).await
    }

    /// An order's payment as it stands now.
    pub(crate) async fn payment(&self, id: OrderId) -> Outcome<Option<Payment>> {
        self.read("PAYMENTS_TABLE", format!("PAYMENT#{id}")).await
    }

    /// Those of these orders that there are, in any order, and why the others of them can't be read.
    pub(crate) async fn orders(&self, ids: &[OrderId]) -> Outcome<(Vec<Order>, Vec<Failure>)> {
        let (mut orders, mut unreadable) = (Vec::with_capacity(ids.len()), Vec::new());
        for ids in ids.chunks(BATCH) {
            let keys = ids.iter().map(|id| format!("ORDER#{id}")).collect();
            for item in self.batch("ORDERS_TABLE", keys).await? {
                match item.read() {
                    Ok(order) => orders.push(order),
                    Err(failure) => unreadable.push(failure),
                }
            }
        }
        Ok((orders, unreadable))
    }

    /// The ids of all orders that are open and looked after by themselves.
    pub(crate) async fn open_orders(&self) -> Outcome<Vec<OrderId>> {
        let table = self.setting("ORDERS_TABLE")?;
        let mut ids = HashSet::new();
        for shard in SHARDS.chars() {
            let mut found = self
                .dynamodb
                .query()
                .table_name(table)
                .index_name(OPEN)
                .key_condition_expression("#open = :shard")
                .expression_attribute_names("#open", "open")
                .expression_attribute_values(":shard", AttributeValue::S(shard.into()))
                .into_paginator()
                .items()
                .send();
            while let Some(item) = found.next().await {
                let item = item.map_err(|error| {
                    Failure::of_call(&format!("The index {OPEN} was not read"), &error)
                })?;
                let item = Item(item);
                ids.extend(id_in(item.key(), "ORDER#"));
            }
        }
        Ok(ids.into_iter().collect())
    }

    /// The item under `key` of the table that the setting names.
    pub(crate) async fn item(&self, table: &str, key: String) -> Outcome<Option<Item>> {
        let read = self
            .dynamodb
            .get_item()
            .table_name(self.setting(table)?)
            .key(KEY, AttributeValue::S(key.clone()))
            .consistent_read(true)
            .send()
            .await;
        let read =
            read.map_err(|error| Failure::of_call(&format!("{key} was not read"), &error))?;
        Ok(read.item.map(Item))
    }

    /// Hands every item of the table that the setting names to `each`.
    pub(crate) async fn walk(&self, table: &str, mut each: impl FnMut(Item)) -> Outcome {
        let mut items = self
            .dynamodb
            .scan()
            .table_name(self.setting(table)?)
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        while let Some(item) = items.next().await {
            let item =
                item.map_err(|error| Failure::of_call(&format!("{table} was not read"), &error))?;
            each(Item(item));
        }
        Ok(())
    }

    async fn read<T: DeserializeOwned>(&self, table: &str, key: String) -> Outcome<Option<T>> {
        let item = self.item(table, key).await?;
        item.map(Item::read).transpose()
    }

    async fn batch(&self, table: &str, keys: Vec<String>) -> Outcome<Vec<Item>> {
        let what = format!("{table} was not read");
        let key = |key| HashMap::from([(KEY.to_owned(), AttributeValue::S(key))]);
        let keys = KeysAndAttributes::builder()
            .set_keys(Some(keys.into_iter().map(key).collect()))
            .consistent_read(true)
            .build()
            .explain(|| what.clone())?;
        let mut wanted = Some(HashMap::from([(self.setting(table)?.to_owned(), keys)]));
        let mut items = Vec::new();
        while let Some(keys) = wanted.take() {
            let read = self.dynamodb.batch_get_item().set_request_items(Some(keys));
            let read = read.send().await;
            let read = read.map_err(|error| Failure::of_call(&what, &error))?;
            let found = read.responses.into_iter().flatten();
            items.extend(found.flat_map(|(_, items)| items).map(Item));
            // What it had no time for is asked for again.
            wanted = read.unprocessed_keys.filter(|left| !left.is_empty());
        }
        Ok(items)
    }
}

/// The order's id in a key that begins like this.
pub(crate) fn id_in(key: &str, prefix: &str) -> Option<OrderId> {
    key.strip_prefix(prefix)?.parse().ok()
}
