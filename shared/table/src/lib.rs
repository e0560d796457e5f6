//! How a service reads and conditionally writes its table: the calls that every service makes the
//! same way, and what their failures mean. Knows no service's keys or attributes.
//!
//! Every table has one string key, `pk`.

mod error;
mod transaction;

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    operation::{
        put_item::{PutItemError, builders::PutItemFluentBuilder},
        transact_get_items::TransactGetItemsError,
        update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    },
    types::{
        AttributeValue, Get, KeysAndAttributes, ReturnValuesOnConditionCheckFailure,
        TransactGetItem,
    },
};
pub use error::TableError;
use serde::{Serialize, de::DeserializeOwned};
pub use transaction::{Transacted, transact};

/// The attribute that every table is keyed by.
pub const KEY: &str = "pk";

/// An item as DynamoDB hands it out.
pub type Item = HashMap<String, AttributeValue>;

/// What became of a conditional write.
#[derive(Debug, PartialEq)]
pub enum Written {
    /// The condition held and the write is done. Holds the attributes that were asked for back.
    Done(Item),
    /// The condition didn't hold; nothing was written. Holds the item as it stands, empty if absent.
    Refused(Item),
}

/// One table.
#[derive(Debug, Clone)]
pub struct Table {
    client: Client,
    name: String,
}

impl Table {
    /// The table `name`, through `client`.
    #[must_use]
    pub const fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    /// For calls that only one service makes.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// The table's name, for those calls.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The item under `key` as it stands now (a strongly consistent read).
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn get<T: DeserializeOwned>(&self, key: String) -> Result<Option<T>, TableError> {
        self.get_item(key).await?.map(parse).transpose()
    }

    /// The item under `key` as it stood a moment ago (an eventually consistent read), for half the price.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn get_lately<T: DeserializeOwned>(
        &self,
        key: String,
    ) -> Result<Option<T>, TableError> {
        self.read_item(key, false).await?.map(parse).transpose()
    }

    /// The item under `key` as it stands now, not yet read as anything.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn get_item(&self, key: String) -> Result<Option<Item>, TableError> {
        self.read_item(key, true).await
    }

    async fn read_item(&self, key: String, consistent: bool) -> Result<Option<Item>, TableError> {
        let read = self
            .client
            .get_item()
            .table_name(&self.name)
            .key(KEY, AttributeValue::S(key))
            .consistent_read(consistent)
            .send()
            .await
            .map_err(TableError::unavailable)?;
        Ok(read.item)
    }

    /// The items under `keys` (at most 100) that exist, as they stand now, in any order.
    ///
    /// # Errors
    /// See [`TableError`]. Keys that DynamoDB leaves unprocessed are asked for again a few times, then
    /// the table counts as unavailable.
    pub async fn get_all(
        &self,
        keys: impl IntoIterator<Item = String>,
    ) -> Result<Vec<Item>, TableError> {
        let key = |key| HashMap::from([(KEY.to_owned(), AttributeValue::S(key))]);
        let keys: Vec<_> = keys.into_iter().map(key).collect();
        let mut items = Vec::with_capacity(keys.len());
        if keys.is_empty() {
            return Ok(items);
        }
        let keys = KeysAndAttributes::builder()
            .set_keys(Some(keys))
            .consistent_read(true)
            .build()?;
        let mut wanted = Some(HashMap::from([(self.name.clone(), keys)]));
        for _ in 0..4 {
            let read = self
                .client
                .batch_get_item()
                .set_request_items(wanted)
                .send()
                .await;
            let read = read.map_err(TableError::unavailable)?;
            items.extend(
                read.responses
                    .into_iter()
                    .flatten()
                    .flat_map(|(_, items)| items),
            );
            wanted = read.unprocessed_keys.filter(|left| !left.is_empty());
            if wanted.is_none() {
                return Ok(items);
            }
            pause().await;
        }
        Err(TableError::Throttled)
    }

    /// The items under `keys` (at most 100) that exist, in any order, as they stood at one moment: not
    /// half of a transaction, as [`get_all`](Self::get_all) may see it, for twice the price. None if a
    /// transaction is at one of them.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn get_all_at_once(
        &self,
        keys: impl IntoIterator<Item = String>,
    ) -> Result<Option<Vec<Item>>, TableError> {
        let gets = keys.into_iter().map(|key| {
            let get = Get::builder()
                .table_name(&self.name)
                .key(KEY, AttributeValue::S(key))
                .build()?;
            Ok(TransactGetItem::builder().get(get).build())
        });
        let gets = gets.collect::<Result<Vec<_>, TableError>>()?;
        let read = self
            .client
            .transact_get_items()
            .set_transact_items(Some(gets));
        match read.send().await {
            Ok(read) => {
                let found = read.responses.unwrap_or_default();
                Ok(Some(
                    found.into_iter().filter_map(|found| found.item).collect(),
                ))
            }
            Err(error) => match error.as_service_error() {
                Some(TransactGetItemsError::TransactionCanceledException(_)) => Ok(None),
                _ => Err(TableError::unavailable(error)),
            },
        }
    }

    /// A conditional put, to be completed with the item and [`put`].
    #[must_use]
    pub fn put_item(&self) -> PutItemFluentBuilder {
        self.client
            .put_item()
            .table_name(&self.name)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }

    /// A conditional update of the item under `key`, to be completed and sent with [`update`].
    #[must_use]
    pub fn update_item(&self, key: String) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.name)
            .key(KEY, AttributeValue::S(key))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }
}

/// How often a write is sent when others are at its items.
const TRIES: u32 = 4;

/// Sends a conditional put.
///
/// # Errors
/// See [`TableError`]; a condition that doesn't hold is not an error but [`Written::Refused`].
pub async fn put(call: PutItemFluentBuilder) -> Result<Written, TableError> {
    for _ in 0..TRIES {
        let error = match call.clone().send().await {
            Ok(done) => return Ok(Written::Done(done.attributes.unwrap_or_default())),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(refused)) => {
                return Ok(Written::Refused(refused.item.clone().unwrap_or_default()));
            }
            // Nothing was written.
            Some(PutItemError::TransactionConflictException(_)) => pause().await,
            _ => return Err(TableError::unavailable(error)),
        }
    }
    Err(TableError::contended())
}

/// Sends a conditional update.
///
/// # Errors
/// See [`TableError`]; a condition that doesn't hold is not an error but [`Written::Refused`].
pub async fn update(call: UpdateItemFluentBuilder) -> Result<Written, TableError> {
    for _ in 0..TRIES {
        let error = match call.clone().send().await {
            Ok(done) => return Ok(Written::Done(done.attributes.unwrap_or_default())),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                return Ok(Written::Refused(refused.item.clone().unwrap_or_default()));
            }
            // Nothing was written.
            Some(UpdateItemError::TransactionConflictException(_)) => pause().await,
            _ => return Err(TableError::unavailable(error)),
        }
    }
    Err(TableError::contended())
}

/// Lets others finish at an item before it is tried again: 20 to 150 ms, each caller its own, so that
/// those who met once don't meet again.
pub async fn pause() {
    tokio::time::sleep(Duration::from_millis(fastrand::u64(20..150))).await;
}

/// The keys of what a page of an index names, to be read with [`Table::get_all`]: an index may hold keys only.
pub fn keys_of(items: &[Item]) -> impl Iterator<Item = String> + '_ {
    items
        .iter()
        .filter_map(|item| item.get(KEY)?.as_s().ok().cloned())
}

/// Reads an item as a `T`.
///
/// # Errors
/// [`TableError::Malformed`].
pub fn parse<T: DeserializeOwned>(item: Item) -> Result<T, TableError> {
    Ok(serde_dynamo::from_item(item)?)
}

/// Writes a `T` as an item.
///
/// # Errors
/// [`TableError::Malformed`].
pub fn item(value: impl Serialize) -> Result<Item, TableError> {
    Ok(serde_dynamo::to_item(value)?)
}

/// Writes a `T` as the value of an attribute.
///
/// # Errors
/// [`TableError::Malformed`].
pub fn value(value: impl Serialize) -> Result<AttributeValue, TableError> {
    Ok(serde_dynamo::to_attribute_value(value)?)
}
