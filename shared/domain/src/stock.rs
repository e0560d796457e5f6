//! Stock: the units of a product that no order holds, in one shard or in several.
//!
//! All orders of a product write to where its units are counted, and of two transactions on one item at a time one
//! is refused. So the units of a product that many want at once are counted in several shards, and each order takes
//! from one of them: its own choice, as long as that has enough.

use serde::{Deserialize, Serialize};

use crate::{OrderId, Quantity};

/// Into how many shards the stock of a product is split: from 1 to 16.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct StockShards(u8);

/// The number can't be one of shards.
#[derive(Debug, thiserror::Error)]
#[error("must be from 1 to {}", StockShards::MOST.0)]
pub struct InvalidStockShards;

/// One shard of a product's stock. The first one is counted in the product itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shard(u8);

/// The units of a product that no order holds, by shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Units(Vec<u64>);

/// By how many units each shard changes.
pub type Changes = Vec<(Shard, i64)>;

/// What is known of a product's units when an order wants some of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stock {
    /// How many each shard has.
    Counted(Units),
    /// Into how many shards they are split, which nobody has looked into.
    Uncounted(StockShards),
}

/// Where an order can take its units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Out of this shard.
    Shard(Shard),
    /// Nowhere at once: there are enough, but no shard has so many.
    Scattered,
}

impl StockShards {
    /// Not split.
    pub const ONE: Self = Self(1);
    /// As many as one transaction can look into with room to spare.
    pub const MOST: Self = Self(16);

    /// How many.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Whether there is but one.
    #[must_use]
    pub fn is_one(&self) -> bool {
        *self == Self::ONE
    }

    /// All of them.
    pub fn all(self) -> impl Iterator<Item = Shard> + Clone {
        (0..self.0).map(Shard)
    }

    /// All of them in the order in which `order` tries them: the same at each try, and for many orders each of them
    /// first equally often.
    #[must_use]
    pub fn tried_by(self, order: OrderId) -> Vec<Shard> {
        let mut shards: Vec<_> = self.all().collect();
        let mut seed = order.uuid().as_u128();
        // Fisher and Yates's shuffle, with what an id has of randomness for dice.
        for last in (1..shards.len()).rev() {
            let sides = last as u128 + 1;
            let chosen = usize::try_from(seed % sides).unwrap_or_default();
            shards.swap(last, chosen);
            // The lower bits of an id are as random as any; those that were used up make way.
            seed = seed.rotate_right(7).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
        shards
    }
}

impl Default for StockShards {
    fn default() -> Self {
        Self::ONE
    }
}

impl TryFrom<u64> for StockShards {
    type Error = InvalidStockShards;

    fn try_from(shards: u64) -> Result<Self, Self::Error> {
        match u8::try_from(shards) {
            Ok(shards) if (1..=Self::MOST.0).contains(&shards) => Ok(Self(shards)),
            _ => Err(InvalidStockShards),
        }
    }
}

impl From<StockShards> for u64 {
    fn from(shards: StockShards) -> Self {
        shards.0.into()
    }
}

impl Shard {
    /// The one that is counted in the product itself.
    pub const FIRST: Self = Self(0);

    /// Its number, from 0.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl Units {
    /// So many in each of `shards`.
    pub fn of(shards: StockShards, units: impl Fn(Shard) -> u64) -> Self {
        Self(shards.all().map(units).collect())
    }

    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Into how many shards they are split.
    #[must_use]
    pub fn shards(&self) -> StockShards {
        u8::try_from(self.0.len()).map_or(StockShards::MOST, StockShards)
    }

    /// Those in one shard.
    #[must_use]
    pub fn in_shard(&self, shard: Shard) -> u64 {
        self.0.get(shard.index()).copied().unwrap_or_default()
    }

    /// The shards that have most first.
    fn fullest(&self) -> Vec<Shard> {
        let mut shards: Vec<_> = self.shards().all().collect();
        shards.sort_by_key(|shard| std::cmp::Reverse(self.in_shard(*shard)));
        shards
    }

    /// Brings so many units together in the fullest shard, out of as few others as will do.
    #[must_use]
    pub fn gathering(&self, wanted: Quantity) -> Changes {
        let shards = self.fullest();
        let Some((into, others)) = shards.split_first() else {
            return Changes::new();
        };
        let missing = u64::from(wanted.get()).saturating_sub(self.in_shard(*into));
        let mut changes = self.taken(missing, others.iter().copied());
        let brought: i64 = changes.iter().map(|(_, units)| -units).sum();
        changes.push((*into, brought));
        changes
    }

    /// Adds or takes away so many units, and spreads what there is then over all shards. None if fewer are there than
    /// would be taken away.
    #[must_use]
    pub fn spreading(&self, delta: i64) -> Option<Changes> {
        let total = self.total().checked_add_signed(delta)?;
        let (each, over) = (total / self.count(), total % self.count());
        let changes = self.shards().all().map(|shard| {
            let wanted = each + u64::from(u64::from(shard.number()) < over);
            (shard, difference(wanted, self.in_shard(shard)))
        });
        Some(changes.filter(|(_, change)| *change != 0).collect())
    }

    /// Adds or takes away so many units at as few shards as will do. None if fewer are there than would be taken away.
    #[must_use]
    pub fn changing(&self, delta: i64) -> Option<Changes> {
        self.total().checked_add_signed(delta)?;
        Some(if delta < 0 {
            self.taken(delta.unsigned_abs(), self.fullest().into_iter())
        } else {
            vec![(Shard::FIRST, delta)]
        })
    }

    fn taken(&self, units: u64, shards: impl Iterator<Item = Shard>) -> Changes {
        let mut left = units;
        let taken = shards.map(|shard| {
            let taken = self.in_shard(shard).min(left);
            left -= taken;
            (shard, difference(0, taken))
        });
        taken.filter(|(_, change)| *change != 0).collect()
    }

    fn count(&self) -> u64 {
        self.shards().into()
    }
}

impl Stock {
    /// Whether there may be so many.
    #[must_use]
    pub fn may_have(&self, wanted: Quantity) -> bool {
        match self {
            Self::Counted(units) => units.total() >= wanted.get().into(),
            Self::Uncounted(_) => true,
        }
    }

    /// Where `order` can take so many: its first choice among the shards that have enough, or the one after so many that
    /// it has `tried` in vain. None if there are too few.
    #[must_use]
    pub fn source(&self, order: OrderId, wanted: Quantity, tried: usize) -> Option<Source> {
        let choices = |shards: StockShards| {
            let mut choices = shards.tried_by(order);
            let first = tried % choices.len().max(1);
            choices.rotate_left(first);
            choices.into_iter()
        };
        match self {
            Self::Counted(units) => {
                let wanted = wanted.get().into();
                match choices(units.shards()).find(|shard| units.in_shard(*shard) >= wanted) {
                    Some(shard) => Some(Source::Shard(shard)),
                    None => (units.total() >= wanted).then_some(Source::Scattered),
                }
            }
            Self::Uncounted(shards) => choices(*shards).next().map(Source::Shard),
        }
    }
}

/// How much `to` is more than `from`.
fn difference(to: u64, from: u64) -> i64 {
    let units = i64::try_from(to.abs_diff(from)).unwrap_or(i64::MAX);
    if to < from { -units } else { units }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn shards(count: u64) -> StockShards {
        StockShards::try_from(count).unwrap()
    }

    fn quantity(units: u32) -> Quantity {
        Quantity::try_from(units).unwrap()
    }

    fn after(units: &Units, changes: &Changes) -> Vec<u64> {
        let mut left = units.0.clone();
        for (shard, change) in changes {
            // Fails where a shard would have less than nothing.
            left[shard.index()] = left[shard.index()].checked_add_signed(*change).unwrap();
        }
        left
    }

    fn any_units() -> impl Strategy<Value = Units> {
        prop::collection::vec(0..50_u64, 1..=16).prop_map(Units)
    }

    fn any_order() -> impl Strategy<Value = OrderId> {
        any::<u128>().prop_map(|id| OrderId::new(Uuid::from_u128(id)))
    }

    #[test]
    fn there_are_from_1_to_16_shards() {
        for count in [0, 17, 256, 257] {
            assert!(StockShards::try_from(count).is_err(), "{count}");
        }
        assert_eq!(shards(16).all().count(), 16);
    }

    #[test]
    fn orders_begin_at_each_shard_equally_often() {
        let mut first = BTreeMap::<Shard, u32>::new();
        for order in 0..16_000_u128 {
            // As an order's id is made: from a hash.
            let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, &order.to_be_bytes());
            let tried = shards(16).tried_by(OrderId::new(id));
            *first.entry(tried[0]).or_default() += 1;
        }
        assert_eq!(first.len(), 16);
        for (shard, orders) in first {
            assert!(
                (850..1150).contains(&orders),
                "{shard:?} is tried first by {orders}"
            );
        }
    }

    #[test]
    fn what_is_spread_differs_by_one_unit_at_most() {
        let units = Units(vec![7, 0, 0]);
        assert_eq!(after(&units, &units.spreading(1).unwrap()), [3, 3, 2]);
        assert_eq!(after(&units, &units.spreading(-5).unwrap()), [1, 1, 0]);
        assert_eq!(units.spreading(-8), None);
    }

    #[test]
    fn units_that_nobody_counted_may_be_enough() {
        let order = OrderId::new(Uuid::from_u128(5));
        let stock = Stock::Uncounted(shards(4));
        assert!(stock.may_have(quantity(1000)));
        let [first, second, ..] = shards(4).tried_by(order)[..] else {
            panic!("four shards");
        };
        assert_eq!(
            stock.source(order, quantity(1000), 5),
            Some(Source::Shard(second))
        );
        assert_eq!(
            stock.source(order, quantity(1000), 0),
            Some(Source::Shard(first))
        );
    }

    proptest! {
        #[test]
        fn an_order_tries_each_shard_once_and_always_in_the_same_order(order in any_order(), count in 1..=16_u64) {
            let tried = shards(count).tried_by(order);
            prop_assert_eq!(&tried, &shards(count).tried_by(order));
            let mut sorted = tried;
            sorted.sort();
            prop_assert_eq!(sorted, shards(count).all().collect::<Vec<_>>());
        }

        #[test]
        fn an_order_is_out_of_stock_if_all_shards_together_have_too_few_and_only_then(
            units in any_units(), order in any_order(), wanted in 1..=1000_u32, tried in 0..20_usize,
        ) {
            let enough = units.total() >= u64::from(wanted);
            let stock = Stock::Counted(units.clone());
            prop_assert_eq!(stock.may_have(quantity(wanted)), enough);
            match stock.source(order, quantity(wanted), tried) {
                None => prop_assert!(!enough),
                Some(Source::Scattered) => {
                    prop_assert!(enough && units.0.iter().all(|units| *units < u64::from(wanted)));
                }
                Some(Source::Shard(shard)) => prop_assert!(units.in_shard(shard) >= u64::from(wanted)),
            }
        }

        #[test]
        fn what_is_gathered_is_enough_for_the_order_and_nothing_is_lost(units in any_units(), wanted in 1..=1000_u32) {
            prop_assume!(units.total() >= u64::from(wanted));
            let after = after(&units, &units.gathering(quantity(wanted)));
            prop_assert_eq!(after.iter().sum::<u64>(), units.total());
            prop_assert!(after.iter().any(|units| *units >= u64::from(wanted)));
        }

        #[test]
        fn an_adjustment_changes_the_total_by_itself_however_it_is_made(units in any_units(), delta in -900..900_i64) {
            let wanted = units.total().checked_add_signed(delta);
            for changes in [units.spreading(delta), units.changing(delta)] {
                let total = changes.map(|changes| after(&units, &changes).iter().sum::<u64>());
                prop_assert_eq!(total, wanted);
            }
        }
    }
}
