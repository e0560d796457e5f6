//! What a request asks for, and of which items.

use serde_json::Value;

/// The attribute that every table is keyed by.
pub(super) const KEY: &str = "pk";

/// The operations that are served, by DynamoDB's names: those that functions call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    BatchGetItem,
    DeleteItem,
    GetItem,
    PutItem,
    Query,
    Scan,
    TransactGetItems,
    TransactWriteItems,
    UpdateItem,
}

/// How an operation gets along with what is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Reads past everything.
    Read,
    /// Writes one item, unless a transaction is at it.
    Write,
    /// Reads items at one moment, unless one of them is being written.
    TransactedRead,
    /// Writes items at one moment, unless another transaction is at one of them.
    TransactedWrite,
}

/// An item: its table's name and its key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) table: String,
    pub(super) key: String,
}

impl Operation {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "BatchGetItem" => Self::BatchGetItem,
            "DeleteItem" => Self::DeleteItem,
            "GetItem" => Self::GetItem,
            "PutItem" => Self::PutItem,
            "Query" => Self::Query,
            "Scan" => Self::Scan,
            "TransactGetItems" => Self::TransactGetItems,
            "TransactWriteItems" => Self::TransactWriteItems,
            "UpdateItem" => Self::UpdateItem,
            _ => return None,
        })
    }

    pub(super) const fn kind(self) -> Kind {
        match self {
            Self::BatchGetItem | Self::GetItem | Self::Query | Self::Scan => Kind::Read,
            Self::DeleteItem | Self::PutItem | Self::UpdateItem => Kind::Write,
            Self::TransactGetItems => Kind::TransactedRead,
            Self::TransactWriteItems => Kind::TransactedWrite,
        }
    }
}

/// The items that `request` writes, or reads at one moment, in its order.
pub(super) fn places(operation: Operation, request: &Value) -> Vec<Place> {
    match operation.kind() {
        Kind::Read => Vec::new(),
        Kind::Write => vec![place(request)],
        Kind::TransactedRead | Kind::TransactedWrite => {
            let items = request["TransactItems"].as_array().into_iter().flatten();
            // Each is an object of one field: what is done.
            let acts = items.filter_map(|item| item.as_object()?.values().next());
            acts.map(place).collect()
        }
    }
}

fn place(act: &Value) -> Place {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(ToOwned::to_owned);
    let item = act.get("Key").or_else(|| act.get("Item"));
    let key = item.and_then(|item| item.get(KEY)?.get("S"));
    Place {
        table: text(act.get("TableName")).unwrap_or_default(),
        key: text(key).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_items_of_a_transaction_are_found_whatever_is_done_to_them() {
        let key = json!({"pk": {"S": "A"}});
        let request = json!({"TransactItems": [
            {"Put": {"TableName": "one", "Item": {"pk": {"S": "B"}, "more": {"N": "1"}}}},
            {"ConditionCheck": {"TableName": "two", "Key": key}},
        ]});
        let found = places(Operation::TransactWriteItems, &request);
        let found: Vec<_> = found.iter().map(|at| (&*at.table, &*at.key)).collect();
        assert_eq!(found, [("one", "B"), ("two", "A")]);
        assert!(places(Operation::GetItem, &json!({"TableName": "one", "Key": key})).is_empty());
    }
}
