//! What an order takes of each thing that AWS counts, from what was watched of it.
//!
//! Writes are as the answers tell. Reads are worked out from the items and from how they were asked for, since the
//! emulator doesn't look at the size of what is read.

use std::collections::BTreeMap;

use reqwest::Url;
use serde_json::{Map, Value, json};

use crate::{
    faults::{Armed, Exchange},
    stack::Stack,
    template,
};

/// What one write unit and one read unit reach, in bytes.
const WRITE: usize = 1024;
const READ: usize = 4096;
/// What one publish reaches.
const PUBLISH: usize = 64 * 1024;
/// What the queue of placed orders takes of what is published, apart from the end of a wait for a customer.
const STARTING: [&str; 2] = ["order.placed", "order.cancellation-requested"];
/// Who publishes.
const RELAY: &str = "relay-events";

/// Counts by kind, and within a kind by what it is for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Units(BTreeMap<String, BTreeMap<String, f64>>);

/// Where each shard of the tables' streams was at a certain moment.
#[derive(Debug)]
pub struct Streams(Vec<String>);

impl Units {
    /// Counts so many more.
    pub fn add(&mut self, kind: &str, what: &str, count: f64) {
        let counts = self.0.entry(kind.to_owned()).or_default();
        *counts.entry(what.to_owned()).or_default() += count;
    }

    /// Counts what others say, too.
    pub fn extend(&mut self, more: &Self) {
        for (kind, counts) in &more.0 {
            for (what, count) in counts {
                self.add(kind, what, *count);
            }
        }
    }

    /// As they are written down.
    pub fn to_json(&self) -> Value {
        let kinds = self.0.iter().map(|(kind, counts)| {
            let counts = counts
                .iter()
                .map(|(what, count)| (what.clone(), whole_if_it_is(*count)));
            (kind.clone(), Value::Object(counts.collect()))
        });
        Value::Object(kinds.collect::<Map<_, _>>())
    }

    /// Adds what a call took.
    fn add_exchange(&mut self, stack: &Stack, exchange: &Exchange) {
        // What the gateway charges is no matter of AWS, but functions are paid for while they wait for it.
        if exchange.to_gateway {
            return self.add("gateway_calls", "payment-gateway", 1.0);
        }
        let call = exchange.call.as_str();
        if call == "PublishBatch" {
            return self.add_publishes(&exchange.request, stack.is_express());
        }
        // That one waits for the end of an Express saga.
        if call != "StartSyncExecution" {
            let function = undeployed(stack, &exchange.function);
            self.add("aws_calls", &function, 1.0);
        }
        let request: Value = serde_json::from_str(&exchange.request).expect("a request of JSON");
        let answer: Value = serde_json::from_str(&exchange.answer).expect("an answer of JSON");
        match (call, exchange.status) {
            ("PutItem" | "UpdateItem" | "DeleteItem" | "TransactWriteItems", 200) => {
                self.add_told(stack, &answer["ConsumedCapacity"]);
            }
            ("PutItem" | "UpdateItem" | "DeleteItem", _) => {
                // A condition that doesn't hold is paid for like a write of what is there.
                let units = write_units(&answer["Item"]);
                self.add_table(stack, "dynamodb_write_units", &request["TableName"], units);
            }
            ("TransactWriteItems", _) => self.add_cancelled(stack, &request, &answer),
            ("GetItem", 200) => {
                let units = read_units(size_of(&answer["Item"]), is_strong(&request));
                self.add_table(stack, "dynamodb_read_units", &request["TableName"], units);
            }
            ("BatchGetItem", 200) => self.add_batch(stack, &request, &answer),
            ("TransactGetItems", 200) => {
                let asked = request["TransactItems"].as_array().expect("items");
                let found = answer["Responses"].as_array().expect("responses");
                for (asked, found) in asked.iter().zip(found) {
                    let units = 2.0 * read_units(size_of(&found["Item"]), true);
                    let table = &asked["Get"]["TableName"];
                    self.add_table(stack, "dynamodb_read_units", table, units);
                }
            }
            ("Query", 200) => {
                let items = answer["Items"].as_array().expect("items");
                let units = read_units(items.iter().map(size_of).sum(), is_strong(&request));
                self.add_table(stack, "dynamodb_read_units", &request["TableName"], units);
            }
            // What runs is counted by its history.
            ("StartExecution" | "StartSyncExecution", 200) => {}
            (call, status) => panic!("what does {call} cost that answers {status}? {exchange:?}"),
        }
    }

    fn add_table(&mut self, stack: &Stack, kind: &str, table: &Value, units: f64) {
        self.add(kind, &table_of(stack, table), units);
    }

    /// What DynamoDB says that a write took, of the table and of its indexes.
    fn add_told(&mut self, stack: &Stack, told: &Value) {
        let told = match told {
            Value::Array(tables) => tables.iter().collect(),
            Value::Object(_) => vec![told],
            other => panic!("a write says what it took: {other}"),
        };
        for told in told {
            let table = table_of(stack, &told["TableName"]);
            let indexes = told["GlobalSecondaryIndexes"].as_object();
            let mut rest = told["CapacityUnits"].as_f64().expect("units");
            for (index, told) in indexes.into_iter().flatten() {
                let units = told["CapacityUnits"].as_f64().expect("units");
                self.add("dynamodb_write_units", &format!("{table}/{index}"), units);
                rest -= units;
            }
            self.add("dynamodb_write_units", &table, rest);
        }
    }

    /// A transaction that is cancelled has prepared its writes and undone that: it is paid for in full.
    fn add_cancelled(&mut self, stack: &Stack, request: &Value, answer: &Value) {
        let reasons = answer["CancellationReasons"].as_array().expect("reasons");
        let items = request["TransactItems"].as_array().expect("items");
        for (item, reason) in items.iter().zip(reasons) {
            let (_, write) = item
                .as_object()
                .expect("a write")
                .iter()
                .next()
                .expect("one");
            let units = 2.0 * write_units(&reason["Item"]);
            self.add_table(stack, "dynamodb_write_units", &write["TableName"], units);
        }
    }

    fn add_batch(&mut self, stack: &Stack, request: &Value, answer: &Value) {
        for (table, asked) in request["RequestItems"].as_object().expect("tables") {
            let keys = asked["Keys"].as_array().expect("keys").len();
            let found = answer["Responses"][table].as_array().expect("items");
            // What isn't there is looked for all the same.
            let nothing = vec![Value::Null; keys - found.len()];
            let units = found.iter().chain(&nothing);
            let units = units
                .map(|item| read_units(size_of(item), is_strong(asked)))
                .sum();
            self.add_table(stack, "dynamodb_read_units", &json!(table), units);
        }
    }

    /// Each event by itself. Those that are published together cost less.
    fn add_publishes(&mut self, form: &str, is_express: bool) {
        let url = Url::parse(&format!("form:?{form}")).expect("a form");
        for (name, value) in url.query_pairs() {
            if name.ends_with(".Message") {
                let event: Value = serde_json::from_str(&value).expect("an event");
                let kind = event["type"].as_str().expect("a type");
                let chunks = u32::try_from(value.len().div_ceil(PUBLISH)).expect("a few");
                self.add("sns_publishes", kind, f64::from(chunks));
                // One message of the queue: it is received, and deleted.
                let ends_wait = event["data"]["action_requested"] == true;
                if STARTING.contains(&kind) || is_express && ends_wait {
                    self.add("lambda_requests", "start-order-saga", 1.0);
                    self.add("sqs_requests", "placed-orders", 2.0);
                }
            }
        }
    }
}

impl Stack {
    /// What was watched of an order so far, in units. `mentions` are its id and its product.
    pub async fn units_of(
        &self,
        watches: &[Armed],
        streams: &Streams,
        since: i64,
        mentions: &[&str],
    ) -> Units {
        let mut units = Units::default();
        for watch in watches {
            for exchange in watch.exchanges().await {
                units.add_exchange(self, &exchange);
            }
        }
        for function in functions() {
            // Its messages were counted, of which it may take several at once.
            if function == "start-order-saga" {
                continue;
            }
            let [order_id, ..] = mentions else {
                panic!("an order has an id");
            };
            let lines = self.log_lines(&function, since, order_id).await;
            let ended = lines
                .iter()
                .filter(|line| line.contains("\"invocation ended\""));
            let ended = u32::try_from(ended.count()).expect("a few");
            if ended > 0 {
                units.add("lambda_requests", &function, f64::from(ended));
                // The gateway's webhooks come in as everybody's requests do.
                if function == "receive-webhook" {
                    units.add("api_requests", &function, f64::from(ended));
                }
            }
        }
        for image in self.images_since(streams).await {
            let text = image.to_string();
            // The filter of the relay's event sources lets an image pass that holds an event, new or not.
            let is_relayed = image.pointer("/outbox/M/id/S").is_some();
            if is_relayed && mentions.iter().any(|mention| text.contains(mention)) {
                units.add("lambda_requests", RELAY, 1.0);
            }
        }
        units
    }

    /// Where the streams of all tables are now.
    pub async fn streams(&self) -> Streams {
        let mut iterators = Vec::new();
        let listed = self.ask_streams("ListStreams", &json!({})).await;
        for stream in listed["Streams"].as_array().expect("streams") {
            let arn = &stream["StreamArn"];
            let about = self
                .ask_streams("DescribeStream", &json!({"StreamArn": arn}))
                .await;
            let shards = about["StreamDescription"]["Shards"].as_array();
            for shard in shards.expect("shards") {
                let asked = json!({
                    "StreamArn": arn,
                    "ShardId": shard["ShardId"],
                    "ShardIteratorType": "LATEST",
                });
                let answer = self.ask_streams("GetShardIterator", &asked).await;
                let iterator = answer["ShardIterator"].as_str().expect("an iterator");
                iterators.push(iterator.to_owned());
            }
        }
        Streams(iterators)
    }

    /// The new images of all items that were written since then.
    async fn images_since(&self, streams: &Streams) -> Vec<Value> {
        let mut images = Vec::new();
        for first in &streams.0 {
            let mut iterator = Some(first.clone());
            while let Some(from) = iterator {
                let asked = json!({"ShardIterator": from});
                let page = self.ask_streams("GetRecords", &asked).await;
                let records = page["Records"].as_array().expect("records");
                let found = records.iter().map(|record| &record["dynamodb"]["NewImage"]);
                images.extend(found.cloned());
                let next = page["NextShardIterator"].as_str().map(ToOwned::to_owned);
                iterator = next.filter(|_| !records.is_empty());
            }
        }
        images
    }

    async fn ask_streams(&self, operation: &str, request: &Value) -> Value {
        let target = format!("DynamoDBStreams_20120810.{operation}");
        let headers = [
            ("content-type", "application/x-amz-json-1.0"),
            ("x-amz-target", target.as_str()),
        ];
        let call = self.signed_call("dynamodb", &headers, request.to_string());
        let (status, answer) = call.await;
        assert_eq!(status, 200, "{operation}: {answer}");
        serde_json::from_str(&answer).expect("JSON")
    }

    /// The state transitions of an execution: its start, each state that it entered, and each retry. Those of an Express
    /// one are counted apart, since they cost nothing by themselves.
    pub async fn add_transitions(&self, units: &mut Units, machine: &str, execution: &str) {
        let mut events = self
            .states
            .get_execution_history()
            .execution_arn(execution)
            .into_paginator()
            .items()
            .send();
        let kind = if self.is_express() {
            units.add("express_executions", machine, 1.0);
            "express_states"
        } else {
            units.add("state_transitions", &format!("{machine}: start"), 1.0);
            "state_transitions"
        };
        let mut at = String::new();
        let mut tries = 0;
        while let Some(event) = events.next().await {
            let event =
                event.unwrap_or_else(|error| panic!("no history of {execution}: {error:?}"));
            if let Some(entered) = event.state_entered_event_details() {
                at = format!("{machine}: {}", entered.name());
                tries = 0;
                units.add(kind, &at, 1.0);
            } else if event.r#type().as_str() == "TaskScheduled" {
                tries += 1;
                if tries > 1 {
                    units.add(kind, &at, 1.0);
                }
            }
        }
    }
}

/// The names of all functions.
fn functions() -> Vec<String> {
    let template = template::yaml("infra/template.yaml");
    let functions = template::resources(&template, "AWS::Serverless::Function");
    let names = functions.iter().map(|(_, function)| {
        let name = function["Properties"]["FunctionName"]["Fn::Sub"].as_str();
        name.and_then(|name| name.strip_prefix("${AWS::StackName}-"))
            .unwrap_or_else(|| panic!("a function without a name: {function}"))
            .to_owned()
    });
    names.collect()
}

fn table_of(stack: &Stack, name: &Value) -> String {
    undeployed(stack, name.as_str().expect("a table's name"))
}

/// A name as the template has it after the name of the stack.
fn undeployed(stack: &Stack, name: &str) -> String {
    let prefix = format!("{}-", stack.setting("STACK_NAME"));
    name.strip_prefix(&prefix).expect("one of ours").to_owned()
}

fn is_strong(request: &Value) -> bool {
    request["ConsistentRead"] == true
}

fn write_units(item: &Value) -> f64 {
    units(size_of(item), WRITE)
}

fn read_units(bytes: usize, strong: bool) -> f64 {
    units(bytes, READ) * if strong { 1.0 } else { 0.5 }
}

fn units(bytes: usize, reach: usize) -> f64 {
    f64::from(u32::try_from(bytes.div_ceil(reach).max(1)).expect("an item is small"))
}

/// The bytes of an item as DynamoDB counts them, none if there is no item.
fn size_of(item: &Value) -> usize {
    item.as_object().map_or(0, size_of_attributes)
}

fn size_of_attributes(attributes: &Map<String, Value>) -> usize {
    let attributes = attributes.iter();
    attributes
        .map(|(name, value)| name.len() + size_of_value(value))
        .sum()
}

fn size_of_value(value: &Value) -> usize {
    let (kind, value) = value
        .as_object()
        .and_then(|value| value.iter().next())
        .expect("a value with its type");
    match (kind.as_str(), value) {
        ("S", Value::String(text)) => text.len(),
        // Two digits take a byte, and one more is for the sign and the point.
        ("N", Value::String(number)) => number.len().div_ceil(2) + 1,
        ("BOOL" | "NULL", _) => 1,
        ("M", Value::Object(inner)) => 3 + inner.len() + size_of_attributes(inner),
        ("L", Value::Array(inner)) => {
            3 + inner.len() + inner.iter().map(size_of_value).sum::<usize>()
        }
        other => panic!("how large is {other:?}?"),
    }
}

fn whole_if_it_is(count: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "counts are small")]
    let whole = count as i64;
    if json!(whole).as_f64() == Some(count) {
        json!(whole)
    } else {
        json!(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_as_large_as_its_names_and_values() {
        let item = json!({"pk": {"S": "ORDER#1"}, "open": {"BOOL": true}, "total": {"M": {"amount": {"N": "1250"}}}});
        assert_eq!(size_of(&item), (2 + 7) + (4 + 1) + (5 + 3 + 1 + (6 + 3)));
        assert_eq!(size_of(&Value::Null), 0);
    }

    #[test]
    fn a_read_is_counted_by_four_kilobytes_and_half_if_it_may_be_late() {
        assert!((read_units(0, true) - 1.0).abs() < f64::EPSILON);
        assert!((read_units(4097, true) - 2.0).abs() < f64::EPSILON);
        assert!((read_units(4096, false) - 0.5).abs() < f64::EPSILON);
    }

    #[test]
    fn events_are_published_each_by_itself() {
        let mut units = Units::default();
        units.add_publishes(
            "Action=PublishBatch&PublishBatchRequestEntries.member.1.Message=%7B%22type%22%3A%22order.placed%22%7D\
             &PublishBatchRequestEntries.member.2.Message=%7B%22type%22%3A%22payment.charged%22%7D",
            false,
        );
        assert_eq!(
            units.to_json(),
            json!({
                "sns_publishes": {"order.placed": 1, "payment.charged": 1},
                "lambda_requests": {"start-order-saga": 1},
                "sqs_requests": {"placed-orders": 2},
            })
        );
    }
}
