//! Many orders in the tables: one is bought, and copied under other ids, customers and days.

use dynoxide::{AttributeValue, Item};
use time::{Date, Duration, format_description::BorrowedFormatItem, macros::format_description};
use uuid::Uuid;

use super::visit::{Known, Placed, Shop, Visit};
use crate::{
    failure::Failure,
    tables::{INVENTORY, ORDERS, PAYMENTS, Table},
};

/// How many orders a customer has.
const PER_CUSTOMER: usize = 20;

/// Over how many days they were placed.
const DAYS: usize = 90;

/// Of how many one is just under way.
const PER_OPEN: usize = 100;

/// How many are put into a table at once.
const BATCH: usize = 5000;

const DAY: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");

/// Fills the tables with so many orders, besides those that are copied.
pub(super) async fn fill(shop: &mut Shop<'_>, orders: usize) -> Result<Known, Failure> {
    let mut visit = Visit::new();
    let open = shop.place(&mut visit).await?;
    let open = [Original::of(shop, ORDERS, &open)?];
    let order = shop.place(&mut visit).await?;
    shop.settle(&order, &mut visit).await?;
    let settled = [INVENTORY, ORDERS, PAYMENTS].map(|table| Original::of(shop, table, &order));
    let settled = settled.into_iter().collect::<Result<Vec<_>, _>>()?;

    let customers = (orders / PER_CUSTOMER).max(1);
    let customers: Vec<Uuid> = (0..customers).map(|_| Uuid::new_v4()).collect();
    let places: Vec<usize> = (0..orders).collect();
    for places in places.chunks(BATCH) {
        let mut copies: Vec<(Table, Vec<Item>)> = Vec::new();
        for place in places {
            let (id, customer) = (Uuid::new_v4(), customers.iter().cycle().nth(*place));
            let customer = customer.copied().unwrap_or_default();
            let (originals, days) = if place % PER_OPEN == PER_OPEN - 1 {
                (open.as_slice(), 0)
            } else {
                (settled.as_slice(), place * DAYS / orders)
            };
            for original in originals {
                let copy = original.copy(id, customer, days)?;
                let table = original.table;
                match copies.iter_mut().find(|(of, _)| of.name == table.name) {
                    Some((_, items)) => items.push(copy),
                    None => copies.push((table, vec![copy])),
                }
            }
        }
        for (table, items) in copies {
            shop.store.fill(table, items)?;
        }
    }
    let customer = customers.first().copied().unwrap_or_default();
    Ok(Known { order, customer })
}

/// An item of an order that was bought.
struct Original {
    table: Table,
    /// It as JSON, so that whatever names the order, its customer or the day can be told by its text.
    text: String,
    id: String,
    customer: String,
    day: String,
}

impl Original {
    fn of(shop: &Shop<'_>, table: Table, order: &Placed) -> Result<Self, Failure> {
        let items = shop.store.items(table)?;
        let is_of_order = |item: &&Item| match item.get("pk") {
            Some(AttributeValue::S(key)) => key.ends_with(&order.id),
            _ => false,
        };
        let nothing = || Failure::Books(format!("{} has nothing of an order", table.name));
        let item = items.iter().find(is_of_order).ok_or_else(nothing)?;
        let day = match item.get("created_at") {
            Some(AttributeValue::S(at)) => at.split('T').next().unwrap_or_default(),
            _ => "",
        };
        Ok(Self {
            table,
            text: serde_json::to_string(item).map_err(Failure::service("write an item"))?,
            id: order.id.clone(),
            customer: order.customer.clone(),
            day: day.to_owned(),
        })
    }

    /// The same of another order, so many days earlier.
    fn copy(&self, id: Uuid, customer: Uuid, days: usize) -> Result<Item, Failure> {
        let id = id.to_string();
        let text = self.text.replace(&self.id, &id);
        let text = text.replace(&self.customer, &customer.to_string());
        let text = text.replace(&self.day, &earlier(&self.day, days));
        let item = serde_json::from_str(&text);
        let mut item: Item = item.map_err(Failure::service("copy an item"))?;
        // Open orders lie in the partition of their id's first digit.
        if let Some(AttributeValue::S(open)) = item.get_mut("open") {
            *open = id.chars().take(1).collect();
        }
        Ok(item)
    }
}

/// The day so many days before `day`.
fn earlier(day: &str, days: usize) -> String {
    let days = i64::try_from(days).unwrap_or_default();
    let date = Date::parse(day, DAY).ok();
    let date = date.and_then(|date| date.checked_sub(Duration::days(days)));
    let text = date.and_then(|date| date.format(DAY).ok());
    text.unwrap_or_else(|| day.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_of_another_order_customer_and_day_wherever_they_are_named() {
        let (id, customer) = (Uuid::from_u128(0xA), Uuid::from_u128(0xB));
        let original = Original {
            table: ORDERS,
            text: r#"{"pk":{"S":"ORDER#one"},"by":{"S":"somebody"},"open":{"S":"o"},
                "placed":{"S":"2026-03-01T10:00:00.000Z#one"},"at":{"L":[{"S":"2026-03-01T10:00:01.000Z"}]}}"#
                .to_owned(),
            id: "one".to_owned(),
            customer: "somebody".to_owned(),
            day: "2026-03-01".to_owned(),
        };
        let copy = original.copy(id, customer, 1).unwrap();
        let text = |name: &str| match &copy[name] {
            AttributeValue::S(text) => text.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(text("pk"), format!("ORDER#{id}"));
        assert_eq!(text("by"), customer.to_string());
        assert_eq!(text("open"), "0");
        assert_eq!(text("placed"), format!("2026-02-28T10:00:00.000Z#{id}"));
        let at = AttributeValue::S("2026-02-28T10:00:01.000Z".to_owned());
        assert_eq!(copy["at"], AttributeValue::L(vec![at]));
    }
}
