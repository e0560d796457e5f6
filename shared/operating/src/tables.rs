//! How the tables are read: their keys and their index. The only module that names DynamoDB's types, and it
//! writes nothing.

use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::{
    operation::get_item::builders::GetItemFluentBuilder,
    types::{AttributeValue, KeysAndAttributes},
};
use futures::future::try_join_all;
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
/// The index of all orders by the day on which they were placed.
const BY_DAY: &str = "orders-by-day";
/// How many items one call reads by their keys, and how many such calls are under way at once.
const BATCH: usize = 100;
const AT_ONCE: usize = 5;

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
        oxcart_outbox::event(&self.0.clone().into())
    }
}

impl Cloud {
    /// An order as it stands now.
    ///
    /// # Errors
    /// When the table or the item can't be read.
    pub async fn order(&self, id: OrderId) -> Outcome<Option<Order>> {
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
        let keys = ids.iter().map(|id| format!("ORDER#{id}")).collect();
        for item in self.items("ORDERS_TABLE", keys).await? {
            match item.read() {
                Ok(order) => orders.push(order),
                Err(failure) => unreadable.push(failure),
            }
        }
        Ok((orders, unreadable))
    }

    /// The ids of all orders that are open and looked after by themselves.
    pub(crate) async fn open_ids(&self) -> Outcome<Vec<OrderId>> {
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

    /// The event that the item under `key` carries, of the table that the setting names; nothing else of it is read.
    /// None if there is no such item.
    pub(crate) async fn event_in(&self, table: &str, key: &str) -> Outcome<Option<Item>> {
        let wanted: Vec<_> = oxcart_outbox::attributes()
            .into_iter()
            .chain([KEY])
            .map(|attribute| (format!("#{attribute}"), attribute.to_owned()))
            .collect();
        let names: Vec<&str> = wanted.iter().map(|(name, _)| name.as_str()).collect();
        let projection = names.join(", ");
        self.get(table, key, |call| {
            call.projection_expression(projection)
                .set_expression_attribute_names(Some(wanted.into_iter().collect()))
        })
        .await
    }

    /// Those items that there are under these keys of the table that the setting names, in any order.
    pub(crate) async fn items(&self, table: &str, keys: Vec<String>) -> Outcome<Vec<Item>> {
        let mut items = Vec::with_capacity(keys.len());
        for some in keys.chunks(BATCH * AT_ONCE) {
            let batches = some.chunks(BATCH).map(|keys| self.batch(table, keys));
            items.extend(try_join_all(batches).await?.into_iter().flatten());
        }
        Ok(items)
    }

    /// The ids of the newest orders of a day, at most so many, and whether there are no others.
    pub(crate) async fn orders_of_day(
        &self,
        day: &str,
        at_most: usize,
    ) -> Outcome<(Vec<OrderId>, bool)> {
        let mut found = self
            .dynamodb
            .query()
            .table_name(self.setting("ORDERS_TABLE")?)
            .index_name(BY_DAY)
            .key_condition_expression("#day = :day")
            .expression_attribute_names("#day", "day")
            .expression_attribute_values(":day", AttributeValue::S(day.to_owned()))
            .scan_index_forward(false)
            .into_paginator()
            // One more tells whether there are others.
            .page_size((at_most + 1).try_into().unwrap_or(i32::MAX))
            .items()
            .send();
        let mut ids = Vec::new();
        while let Some(item) = found.next().await {
            let item = item.map_err(|error| {
                Failure::of_call(&format!("The index {BY_DAY} was not read"), &error)
            })?;
            if ids.len() == at_most {
                return Ok((ids, false));
            }
            ids.extend(id_in(Item(item).key(), "ORDER#"));
        }
        Ok((ids, true))
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
        let item = self.get(table, &key, |call| call).await?;
        item.map(Item::read).transpose()
    }

    async fn get(
        &self,
        table: &str,
        key: &str,
        part: impl FnOnce(GetItemFluentBuilder) -> GetItemFluentBuilder,
    ) -> Outcome<Option<Item>> {
        let call = self
            .dynamodb
            .get_item()
            .table_name(self.setting(table)?)
            .key(KEY, AttributeValue::S(key.to_owned()))
            .consistent_read(true);
        let read = part(call).send().await;
        let read =
            read.map_err(|error| Failure::of_call(&format!("{key} was not read"), &error))?;
        Ok(read.item.map(Item))
    }

    async fn batch(&self, table: &str, keys: &[String]) -> Outcome<Vec<Item>> {
        let what = format!("{table} was not read");
        let key = |key: &String| HashMap::from([(KEY.to_owned(), AttributeValue::S(key.clone()))]);
        let keys = KeysAndAttributes::builder()
            .set_keys(Some(keys.iter().map(key).collect()))
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
