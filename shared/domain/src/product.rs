//! Products and the stock of them.

use serde::{Deserialize, Serialize};

use crate::{
    DomainEvent, Event, IdempotencyKey, Sku, Timestamp, id::AdjustmentId, money::UnitPrice,
    stock::StockShards, text::Text,
};

/// What a product is called.
pub type ProductName = Text<200>;
/// What is said of a product.
pub type Description = Text<2000>;
/// Why stock was adjusted.
pub type AdjustmentReason = Text<200>;

/// What an admin decides about a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProductDetails {
    /// What it is called.
    pub name: ProductName,
    /// What is said of it.
    #[serde(default)]
    pub description: Option<Description>,
    /// The price of one unit.
    pub unit_price: UnitPrice,
    /// Into how many shards its stock is split, so that as many orders can take from it at a time.
    #[serde(default, skip_serializing_if = "StockShards::is_one")]
    pub stock_shards: StockShards,
}

/// A product, as the API shows one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// Its name in the warehouse.
    pub sku: Sku,
    /// What it is called.
    pub name: ProductName,
    /// What is said of it.
    #[serde(default)]
    pub description: Option<Description>,
    /// The price of one unit.
    pub unit_price: UnitPrice,
    /// Units that can be reserved now.
    pub available: u64,
    /// Into how many shards they are split.
    #[serde(default)]
    pub stock_shards: StockShards,
    /// When details or stock were last changed by an admin.
    pub updated_at: Timestamp,
}

impl ProductDetails {
    /// The event that tells of these details; `occurrence` is fresh for every change.
    #[must_use]
    pub fn changed(&self, sku: &Sku, occurrence: &str, now: Timestamp) -> Event {
        let event = DomainEvent::ProductChanged {
            sku: sku.clone(),
            product: Some(self.clone()),
            stock_adjustment: None,
        };
        Event::repeatable(event, occurrence, now)
    }
}

/// A change of a product's stock by an admin: goods received, counted or written off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StockAdjustment {
    /// Units added (positive) or taken away (negative); not 0.
    pub delta: Delta,
    /// Why.
    pub reason: AdjustmentReason,
}

impl StockAdjustment {
    /// The adjustment's id and the event that tells of it.
    #[must_use]
    pub fn of(&self, sku: &Sku, key: &IdempotencyKey, now: Timestamp) -> (AdjustmentId, Event) {
        let id = AdjustmentId::derive(sku, key);
        let event = DomainEvent::ProductChanged {
            sku: sku.clone(),
            product: None,
            stock_adjustment: Some(self.clone()),
        };
        (id, Event::repeatable(event, &id.to_string(), now))
    }
}

/// A number of units to add or take away: not 0, at most a million either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Delta(i64);

/// The number can't be a stock adjustment.
#[derive(Debug, thiserror::Error)]
#[error("must be from -1000000 to 1000000 and not 0")]
pub struct InvalidDelta;

impl Delta {
    /// The change in units.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Units that must be there for the change to be possible.
    #[must_use]
    pub fn needed(self) -> u64 {
        if self.0 < 0 { self.0.unsigned_abs() } else { 0 }
    }
}

impl TryFrom<i64> for Delta {
    type Error = InvalidDelta;

    fn try_from(units: i64) -> Result<Self, Self::Error> {
        if units != 0 && (-1_000_000..=1_000_000).contains(&units) {
            Ok(Self(units))
        } else {
            Err(InvalidDelta)
        }
    }
}

impl From<Delta> for i64 {
    fn from(delta: Delta) -> Self {
        delta.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_taken_away_must_be_there() {
        assert_eq!(Delta(-5).needed(), 5);
        assert_eq!(Delta(5).needed(), 0);
    }
}
