//! The lists of orders: a customer's, and everybody's day by day.
//!
//! Both indexes hold keys only, so that settling an order doesn't write to them; the orders are read from the
//! table itself as they stand now, and those that stand otherwise than asked are left out.

use std::{collections::HashMap, fmt};

use oxcart_domain::{CustomerId, OrderId, Timestamp, order::OrderFilter};
use oxcart_table::{Item, KEY, TableError, keys_of, parse};
use serde::Deserialize;
use uuid::Uuid;

use super::{Orders, StoredOrder, key, placed, text};

/// How many orders are read at a time at most where some of them are left out, how many at first, and how many for
/// one page: an index by status would spare that, and cost every order more writes.
const LOOK: usize = 100;
const FIRST_LOOK: usize = 10;
const LOOKED_AT: usize = 300;

/// How often the indexes are asked for one page at most: often enough for a month in which nothing was sold.
const QUERIES: usize = 33;

/// A day has as many seconds in UTC, as we count them.
const DAY: i64 = 24 * 60 * 60;

/// Which orders a list goes through, from the newest to the oldest.
#[derive(Debug, Clone, Copy)]
pub enum Listing {
    /// A customer's.
    Customer(CustomerId),
    /// Everybody's, from the day of `newest` back to that of `oldest`.
    Days {
        /// A time of the first day.
        newest: Timestamp,
        /// A time of the last day.
        oldest: Timestamp,
    },
}

/// A place in a list: that of an order, or where a day begins, before all orders of its first moment. It tells
/// nothing but a time and an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct OrderPlace {
    /// When the order was placed.
    pub at: Timestamp,
    /// The order's id, or that of none.
    pub id: OrderId,
}

/// The text names no place.
#[derive(Debug, thiserror::Error)]
#[error("is not a place in a list of orders")]
pub struct InvalidPlace;

/// A page of orders.
#[derive(Debug, Default)]
pub struct OrderPage {
    /// The orders, newest first.
    pub orders: Vec<StoredOrder>,
    /// The last place that was looked at, if more may follow it.
    pub last: Option<OrderPlace>,
}

/// What an index knows of an order.
#[derive(Deserialize)]
struct Listed {
    placed: OrderPlace,
}

impl Orders {
    /// Up to `limit` orders of a listing that `filter` asks for, newest first, from after `after`, which lies in
    /// the time that it asks for. Fewer, even none, if too many others or too many empty days lie between.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn list(
        &self,
        listing: Listing,
        filter: &OrderFilter,
        limit: usize,
        after: Option<OrderPlace>,
    ) -> Result<OrderPage, TableError> {
        let mut page = OrderPage::default();
        let mut rest = after.map_or(listing, |place| listing.on(place));
        let mut start = after;
        let mut left = LOOKED_AT;
        // Nearly all orders are asked for, or nearly none, and nobody knows: each look is twice as far as the one
        // before.
        let mut reach = limit.max(FIRST_LOOK);
        for _ in 0..QUERIES {
            let batch = if filter.chooses() {
                reach.min(LOOK).min(left)
            } else {
                limit - page.orders.len()
            };
            reach *= 2;
            let (looked_at, next) = self.look(rest, filter, batch, start).await?;
            left = left.saturating_sub(looked_at.len());
            let earlier = rest.earlier();
            let mut looked_at = looked_at.into_iter().peekable();
            while let Some(order) = looked_at.next() {
                let place = OrderPlace::from(&order);
                if filter.holds(order.status, &order.lines) {
                    page.orders.push(order);
                }
                if page.orders.len() == limit {
                    let follows = looked_at.peek().is_some() || next.is_some() || earlier.is_some();
                    page.last = follows.then_some(place);
                    return Ok(page);
                }
            }
            (start, page.last) = match (next, earlier) {
                (Some(place), _) => (Some(place), Some(place)),
                (None, Some((day, place))) => {
                    rest = day;
                    (None, Some(place))
                }
                (None, None) => {
                    page.last = None;
                    break;
                }
            };
            if left == 0 {
                break;
            }
        }
        Ok(page)
    }

    /// One batch of a partition's orders of the time asked for, and the place of its last one if more follow.
    async fn look(
        &self,
        listing: Listing,
        filter: &OrderFilter,
        limit: usize,
        start: Option<OrderPlace>,
    ) -> Result<(Vec<StoredOrder>, Option<OrderPlace>), TableError> {
        // Range keys are a time, `#` and an id: a time alone sorts before those of its moment. `0` sorts
        // before all times, and `:` after.
        let from = filter.from.map_or("0".to_owned(), String::from);
        let before = filter.before.map_or(":".to_owned(), String::from);
        let (index, attribute, partition) = listing.partition();
        let page = self
            .table
            .client()
            .query()
            .table_name(self.table.name())
            .index_name(index)
            .key_condition_expression(
                "#partition = :partition AND placed BETWEEN :from AND :before",
            )
            .expression_attribute_names("#partition", attribute)
            .expression_attribute_values(":partition", text(partition))
            .expression_attribute_values(":from", text(from))
            .expression_attribute_values(":before", text(before))
            .scan_index_forward(false)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start.map(|place| listing.index_key(place)))
            .send()
            .await
            .map_err(TableError::unavailable)?;
        let keys = keys_of(page.items());

        let orders = self.table.get_all(keys).await?;
        let mut orders = orders
            .into_iter()
            .map(parse::<StoredOrder>)
            .collect::<Result<Vec<_>, _>>()?;
        orders.sort_by_key(|order| std::cmp::Reverse(placed(order.created_at, order.id)));
        let last = page.last_evaluated_key.map(parse::<Listed>).transpose()?;
        Ok((orders, last.map(|listed| listed.placed)))
    }
}

impl Listing {
    /// What is left of it at this place.
    fn on(self, place: OrderPlace) -> Self {
        match self {
            Self::Customer(_) => self,
            Self::Days { oldest, .. } => Self::Days {
                newest: place.at,
                oldest,
            },
        }
    }

    /// What is left of it after its first day, and the place where that day began.
    fn earlier(self) -> Option<(Self, OrderPlace)> {
        let Self::Days { newest, oldest } = self else {
            return None;
        };
        let start = newest.start_of_day();
        let place = OrderPlace {
            at: start,
            id: OrderId::new(Uuid::nil()),
        };
        let rest = Self::Days {
            newest: start.plus_seconds(-DAY),
            oldest,
        };
        (start > oldest).then_some((rest, place))
    }

    /// Its index, the attribute by which that is partitioned, and the partition that comes first.
    fn partition(self) -> (&'static str, &'static str, String) {
        match self {
            Self::Customer(id) => ("orders-by-customer", "customer_id", id.to_string()),
            Self::Days { newest, .. } => ("orders-by-day", "day", newest.day()),
        }
    }

    /// The key of a place in that partition, whether or not there is an order.
    fn index_key(self, place: OrderPlace) -> Item {
        let (_, attribute, partition) = self.partition();
        HashMap::from([
            (KEY.to_owned(), text(key(place.id))),
            (attribute.to_owned(), text(partition)),
            ("placed".to_owned(), text(place.to_string())),
        ])
    }
}

impl From<&StoredOrder> for OrderPlace {
    fn from(order: &StoredOrder) -> Self {
        Self {
            at: order.created_at,
            id: order.id,
        }
    }
}

impl fmt::Display for OrderPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&placed(self.at, self.id))
    }
}

impl TryFrom<String> for OrderPlace {
    type Error = InvalidPlace;

    fn try_from(text: String) -> Result<Self, InvalidPlace> {
        let (at, id) = text.split_once('#').ok_or(InvalidPlace)?;
        let at = Timestamp::try_from(at.to_owned()).map_err(|_| InvalidPlace)?;
        let id = id.parse().map_err(|_| InvalidPlace)?;
        let place = Self { at, id };
        // A place is written in one way only.
        (place.to_string() == text)
            .then_some(place)
            .ok_or(InvalidPlace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.to_owned().try_into().unwrap()
    }

    fn days_of(newest: &str, oldest: &str) -> Vec<String> {
        let listing = Listing::Days {
            newest: at(newest),
            oldest: at(oldest),
        };
        std::iter::successors(Some(listing), |rest| rest.earlier().map(|(rest, _)| rest))
            .map(|rest| rest.partition().2)
            .collect()
    }

    #[test]
    fn days_are_walked_from_the_newest_to_the_oldest_both_included() {
        assert_eq!(
            days_of("2026-03-02T00:00:00Z", "2026-02-27T23:59:59.999Z"),
            ["2026-03-02", "2026-03-01", "2026-02-28", "2026-02-27"]
        );
        assert_eq!(
            days_of("2026-03-02T23:59:59.999Z", "2026-03-02T00:00:00Z"),
            ["2026-03-02"]
        );
    }

    #[test]
    fn a_month_fits_into_one_page() {
        let month = days_of("2026-11-22T12:00:00Z", "2026-10-22T12:00:00Z");
        assert_eq!(month.len(), 32);
        assert!(month.len() < QUERIES);
    }

    #[test]
    fn a_place_reads_back_and_what_is_written_otherwise_is_none() {
        let text = "2026-11-22T10:17:00.000Z#5b0f6c0e-9f0c-5d7e-8a53-6a2f5d1c9e44";
        let place = OrderPlace::try_from(text.to_owned()).unwrap();
        assert_eq!(place.to_string(), text);

        for bad in [
            "",
            "#",
            "2026-11-22T10:17:00.000Z",
            "2026-11-22T10:17:00.000Z#",
            "2026-11-22T10:17:00Z#5b0f6c0e-9f0c-5d7e-8a53-6a2f5d1c9e44",
            "2026-11-22T11:17:00.000+01:00#5b0f6c0e-9f0c-5d7e-8a53-6a2f5d1c9e44",
            "2026-11-22T10:17:00.000Z#5B0F6C0E-9F0C-5D7E-8A53-6A2F5D1C9E44",
            "2026-11-22T10:17:00.000Z#5b0f6c0e-9f0c-5d7e-8a53-6a2f5d1c9e44 ",
        ] {
            assert!(OrderPlace::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
    }
}
