//! The books of one day, from our own records: how its orders stand, the money in them, and whether what always holds
//! does. Bounded, so that a page may ask for them again and again.

use std::collections::{BTreeMap, BTreeSet};

use oxcart_domain::{Sku, Timestamp, order::OrderStatus};

use super::{
    books::{Books, Scope},
    checks::{findings, negative_stock},
    figures::{Sums, recorded_sums},
    finding::Finding,
    invariants::{Held, Invariant},
    look_again,
    reading::{read_orders, read_products},
};
use crate::{cloud::Cloud, failure::Outcome, moment::now};

/// How many of the day's orders are read, and how many of their products: what is answered within seconds.
const ORDERS: usize = 1000;
const PRODUCTS: usize = 1000;

/// The books of a day.
#[derive(Debug, Clone)]
pub struct DayBooks {
    /// When they were looked at.
    pub checked_at: Timestamp,
    /// Whether all of the day's orders and products were.
    pub complete: bool,
    /// How many orders have come to each status; all statuses are there.
    pub orders: BTreeMap<&'static str, usize>,
    /// The money by currency.
    pub money: BTreeMap<String, Sums>,
    /// What always holds, and whether it does.
    pub invariants: Vec<Held>,
    /// What disagrees, and still did at a later look.
    pub findings: Vec<Finding>,
}

impl Cloud {
    /// The books of a day in UTC, written as `2026-03-01`: of its newest 1000 orders, their reservations, their
    /// payments and the stock of their products. The payment gateway is not asked.
    ///
    /// # Errors
    /// When the tables can't be read.
    pub async fn books_of_day(&self, day: &str) -> Outcome<DayBooks> {
        let (ids, all_orders) = self.orders_of_day(day, ORDERS).await?;
        let scope = Scope {
            orders: ids.iter().copied().collect(),
            skus: BTreeSet::new(),
        };
        let mut books = read_orders(self, ids.into_iter()).await?;
        let first = findings(&books, &scope, now()?);
        let (mut found, _) = look_again(self, &scope, None, &mut books, first).await?;
        let (skus, all_products) = products_of(&books);
        let (products, negative) = self.stock_of(&skus).await?;
        books.products = products;
        found.extend(negative);
        Ok(DayBooks::of(
            &books,
            found,
            all_orders && all_products,
            now()?,
        ))
    }

    /// These products, and which of them are below zero, as at a second look.
    async fn stock_of(
        &self,
        skus: &BTreeSet<Sku>,
    ) -> Outcome<(BTreeMap<Sku, crate::items::Product>, Vec<Finding>)> {
        let mut read = read_products(self, skus).await?;
        let suspects = read.products.values();
        let suspects = suspects.filter(|product| negative_stock(product).is_some());
        let suspects: BTreeSet<Sku> = suspects.map(|product| product.sku.clone()).collect();
        if !suspects.is_empty() {
            let again = read_products(self, &suspects).await?;
            read.products.extend(again.products);
        }
        let unreadable = read.unreadable.iter();
        let unreadable = unreadable.map(|(key, why)| Finding::about_item(key, why));
        let mut found: Vec<Finding> = unreadable.collect();
        found.extend(read.products.values().filter_map(negative_stock));
        Ok((read.products, found))
    }
}

impl DayBooks {
    fn of(books: &Books, found: Vec<Finding>, complete: bool, now: Timestamp) -> Self {
        let mut orders = BTreeMap::from(STATUSES.map(|status| (status.as_str(), 0)));
        for order in books.orders.values() {
            *orders.entry(order.status.as_str()).or_default() += 1;
        }
        let money = recorded_sums(books);
        let balanced = money.values().all(|sums| sums.difference() == 0);
        let held = Invariant::ALL.map(|invariant| invariant.held(books, &found, balanced));
        Self {
            checked_at: now,
            complete,
            orders,
            money,
            invariants: held.into(),
            findings: found,
        }
    }
}

const STATUSES: [OrderStatus; 5] = [
    OrderStatus::Pending,
    OrderStatus::Confirmed,
    OrderStatus::Rejected,
    OrderStatus::Cancelling,
    OrderStatus::Cancelled,
];

/// The products of these orders, at most so many as are looked at, and whether those are all.
fn products_of(books: &Books) -> (BTreeSet<Sku>, bool) {
    let lines = books.orders.values().flat_map(|order| &order.lines);
    let mut skus: BTreeSet<Sku> = lines.map(|line| line.sku.clone()).collect();
    let are_all = skus.len() <= PRODUCTS;
    while skus.len() > PRODUCTS {
        skus.pop_last();
    }
    (skus, are_all)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: &str = "00000000-0000-0000-0000-000000000001";
    const AT: &str = "2026-03-01T09:30:00.000Z";

    fn books(payment: &str) -> Books {
        let eur = json!({"amount": 1250, "currency": "EUR"});
        let line = json!([{"sku": "tea", "quantity": 1}]);
        let order = json!({
            "id": ID, "customer_id": ID, "status": "CONFIRMED", "lines": line, "total": eur,
            "payment_status": "CHARGED", "timeline": [], "created_at": AT, "updated_at": AT,
        });
        let payment = json!({
            "order_id": ID, "status": payment, "amount": eur, "created_at": AT, "updated_at": AT,
        });
        let mut books = Books::default();
        let id: oxcart_domain::OrderId = ID.parse().unwrap();
        books
            .orders
            .insert(id, serde_json::from_value(order).unwrap());
        books
            .payments
            .insert(id, serde_json::from_value(payment).unwrap());
        books
    }

    fn day(books: &Books, found: Vec<Finding>) -> DayBooks {
        let now = Timestamp::try_from(AT.to_owned()).unwrap();
        DayBooks::of(books, found, true, now)
    }

    #[test]
    fn a_day_counts_its_orders_and_its_money() {
        let day = day(&books("CHARGED"), Vec::new());
        assert_eq!(day.orders.len(), STATUSES.len());
        assert_eq!((day.orders["CONFIRMED"], day.orders["PENDING"]), (1, 0));
        let eur = day.money["EUR"];
        assert_eq!((eur.charged, eur.kept, eur.difference()), (1250, 1250, 0));
        assert!(day.invariants.iter().all(|held| held.holds), "{day:?}");
    }

    #[test]
    fn money_that_is_missing_turns_its_light_red() {
        let day = day(&books("PENDING"), Vec::new());
        assert_eq!(day.money["EUR"].difference(), -1250);
        let broken = day.invariants.iter().filter(|held| !held.holds);
        let broken: Vec<Invariant> = broken.map(|held| held.name).collect();
        assert_eq!(broken, [Invariant::MoneyBelongsToOrders]);
    }

    #[test]
    fn the_stock_of_the_days_orders_is_looked_at() {
        let (skus, are_all) = products_of(&books("CHARGED"));
        assert_eq!(
            skus.into_iter().map(String::from).collect::<Vec<_>>(),
            ["tea"]
        );
        assert!(are_all);
    }
}
