//! The tables that functions use here, with the keys and indexes that the template gives them.

use serde_json::{Value, json};

/// A table, keyed by `pk`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table {
    /// Its name, which is that in the functions' environment.
    pub(crate) name: &'static str,
    /// Its indexes, all of them of keys only: name, partition and range.
    indexes: &'static [(&'static str, &'static str, &'static str)],
}

/// The products, stock and reservations.
pub(crate) const INVENTORY: Table = Table {
    name: "bench-inventory",
    indexes: &[("products-by-name", "listing", "listing_key")],
};

/// The orders.
pub(crate) const ORDERS: Table = Table {
    name: "bench-orders",
    indexes: &[
        ("orders-by-customer", "customer_id", "placed"),
        ("orders-by-day", "day", "placed"),
        ("open-orders", "open", "due_at"),
    ],
};

/// The payments.
pub(crate) const PAYMENTS: Table = Table {
    name: "bench-payments",
    indexes: &[],
};

impl Table {
    /// What creates it.
    pub(crate) fn definition(&self) -> Value {
        let key =
            |attribute: &str, kind: &str| json!({"AttributeName": attribute, "KeyType": kind});
        let index = |(name, partition, range): &(&str, &str, &str)| {
            json!({
                "IndexName": name,
                "KeySchema": [key(partition, "HASH"), key(range, "RANGE")],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            })
        };
        let indexes = self.indexes.iter();
        let mut attributes: Vec<&str> = indexes
            .flat_map(|(_, partition, range)| [*partition, *range])
            .chain(["pk"])
            .collect();
        attributes.sort_unstable();
        attributes.dedup();
        let attribute = |name| json!({"AttributeName": name, "AttributeType": "S"});
        json!({
            "TableName": self.name,
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [key("pk", "HASH")],
            "AttributeDefinitions": attributes.into_iter().map(attribute).collect::<Value>(),
            // None is not the same as no entry.
            "GlobalSecondaryIndexes": (!self.indexes.is_empty())
                .then(|| self.indexes.iter().map(index).collect::<Value>()),
        })
    }
}
