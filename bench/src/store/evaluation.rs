//! What becomes of a request that nothing is in the way of, and what it is billed. Knows nothing of other requests.

use std::collections::HashMap;

use dynoxide::{
    AttributeValue, Database, DynoxideError, ImportOptions, Item,
    actions::{get_item::GetItemRequest, scan::ScanRequest},
    types::{item_size, read_capacity_units, write_capacity_units},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::request::{KEY, Kind, Operation, Place};
use crate::tables::Table;

/// How a request asks for what it is billed, and where that is answered.
const ASKS_UNITS: &str = "ReturnConsumedCapacity";
const TELLS_UNITS: &str = "ConsumedCapacity";

/// What a request is answered, and what that costs.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
    pub(super) is_conflict: bool,
    pub(super) write_units: f64,
    pub(super) read_units: f64,
}

/// The tables, and how requests are evaluated on them.
pub(super) struct Evaluation {
    database: Database,
}

impl Evaluation {
    pub(super) fn of(tables: &[Table]) -> Result<Self, DynoxideError> {
        let database = Database::memory()?;
        for table in tables {
            let request = table.definition();
            run(request, |request| database.create_table(request))?;
        }
        Ok(Self { database })
    }

    /// Evaluates a request that writes the items at `places`, if it writes.
    pub(super) fn evaluate(
        &self,
        operation: Operation,
        mut request: Value,
        places: &[Place],
    ) -> Answer {
        let asks = request.get(ASKS_UNITS).and_then(Value::as_str);
        let is_asked = asks.is_some_and(|asks| asks != "NONE");
        if let (false, Some(request)) = (is_asked, request.as_object_mut()) {
            request.insert(ASKS_UNITS.to_owned(), json!("TOTAL"));
        }
        let kind = operation.kind();
        match self.run(operation, request) {
            Ok(mut body) => {
                let units = body.get(TELLS_UNITS).map_or(0.0, told_units);
                if let (false, Some(body)) = (is_asked, body.as_object_mut()) {
                    body.remove(TELLS_UNITS);
                }
                Answer::of(200, body, kind, units)
            }
            Err(error) => {
                // What a condition refuses is paid for like a write of what is there; in a transaction, of all items.
                let units = match error {
                    DynoxideError::ConditionalCheckFailedException(..) => {
                        self.write_units_at(places)
                    }
                    DynoxideError::TransactionCanceledException(..) => {
                        2.0 * self.write_units_at(places)
                    }
                    _ => 0.0,
                };
                let body = serde_json::from_str(&error.to_json()).unwrap_or_default();
                Answer::of(error.status_code(), body, kind, units)
            }
        }
    }

    /// What writes of the items as they stand take.
    pub(super) fn write_units_at(&self, places: &[Place]) -> f64 {
        let sizes = places.iter().map(|place| self.size_at(place));
        sizes.map(write_capacity_units).sum()
    }

    /// What strongly consistent reads of the items as they stand take.
    pub(super) fn read_units_at(&self, places: &[Place]) -> f64 {
        let sizes = places.iter().map(|place| self.size_at(place));
        sizes.map(read_capacity_units).sum()
    }

    /// Every item of a table.
    pub(super) fn items(&self, table: &str) -> Result<Vec<Item>, DynoxideError> {
        let mut items = Vec::new();
        let mut after = None;
        loop {
            let page = self.database.scan(ScanRequest {
                table_name: table.to_owned(),
                exclusive_start_key: after,
                ..ScanRequest::default()
            })?;
            items.extend(page.items.into_iter().flatten());
            after = page.last_evaluated_key;
            if after.is_none() {
                return Ok(items);
            }
        }
    }

    /// Puts items into a table.
    pub(super) fn fill(&self, table: &str, items: Vec<Item>) -> Result<(), DynoxideError> {
        let options = ImportOptions::default();
        self.database.import_items(table, items, options).map(drop)
    }

    fn run(&self, operation: Operation, request: Value) -> Result<Value, DynoxideError> {
        let database = &self.database;
        match operation {
            Operation::BatchGetItem => run(request, |request| database.batch_get_item(request)),
            Operation::DeleteItem => run(request, |request| database.delete_item(request)),
            Operation::GetItem => run(request, |request| database.get_item(request)),
            Operation::PutItem => run(request, |request| database.put_item(request)),
            Operation::Query => run(request, |request| database.query(request)),
            Operation::Scan => run(request, |request| database.scan(request)),
            Operation::TransactGetItems => {
                run(request, |request| database.transact_get_items(request))
            }
            Operation::TransactWriteItems => {
                run(request, |request| database.transact_write_items(request))
            }
            Operation::UpdateItem => run(request, |request| {
                let mut answer = database.update_item(request)?;
                // Of an item that is new DynamoDB tells nothing old, and the emulator its key. There is no item of
                // which that is all.
                let is_told = |item: &Item| item.keys().any(|name| name != KEY);
                answer.attributes = answer.attributes.filter(is_told);
                Ok(answer)
            }),
        }
    }

    /// The size of an item as it is billed, none if there is no item.
    fn size_at(&self, place: &Place) -> usize {
        let key = AttributeValue::S(place.key.clone());
        let found = self.database.get_item(GetItemRequest {
            table_name: place.table.clone(),
            key: HashMap::from([(KEY.to_owned(), key)]),
            ..GetItemRequest::default()
        });
        let item = found.ok().and_then(|found| found.item);
        item.map_or(0, |item| item_size(&item))
    }
}

impl Answer {
    fn of(status: u16, body: Value, kind: Kind, units: f64) -> Self {
        let (write_units, read_units) = match kind {
            Kind::Write | Kind::TransactedWrite => (units, 0.0),
            Kind::Read | Kind::TransactedRead => (0.0, units),
        };
        Self {
            status,
            body,
            is_conflict: false,
            write_units,
            read_units,
        }
    }
}

/// Reads a request, has it done and writes what it is answered.
fn run<Q: DeserializeOwned, A: Serialize>(
    request: Value,
    done: impl FnOnce(Q) -> Result<A, DynoxideError>,
) -> Result<Value, DynoxideError> {
    let invalid = |error: serde_json::Error| DynoxideError::ValidationException(error.to_string());
    let request = serde_json::from_value(request).map_err(invalid)?;
    serde_json::to_value(done(request)?).map_err(invalid)
}

/// The units that are told of one table, or of several.
fn told_units(told: &Value) -> f64 {
    let tables = match told {
        Value::Array(tables) => tables.as_slice(),
        table => std::slice::from_ref(table),
    };
    let units = tables.iter().map(|table| table["CapacityUnits"].as_f64());
    units.map(Option::unwrap_or_default).sum()
}
