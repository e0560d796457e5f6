//! What an operator can see and do behind the API: items, messages, executions.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    eventually::{PATIENCE, eventually},
    shop::GOOD_CARD,
    stack::Stack,
};

/// When the orders were placed that are [placed silently](Stack::place_silently).
pub const PLACED_SILENTLY: &str = "2026-01-02T03:04:05.678Z";

impl Stack {
    /// The item with this key in the table that the setting names, if there is one.
    pub async fn item(&self, table: &str, pk: &str) -> Option<Value> {
        let output = self
            .dynamodb
            .get_item()
            .table_name(self.setting(table))
            .key("pk", AttributeValue::S(pk.to_owned()))
            .consistent_read(true)
            .send()
            .await
            .unwrap_or_else(|error| panic!("cannot read {pk} of {table}: {error:?}"));
        output.item.map(to_json)
    }

    /// The items whose key begins with `prefix` in the table that the setting names.
    pub async fn items(&self, table: &str, prefix: &str) -> Vec<Value> {
        let mut pages = self
            .dynamodb
            .scan()
            .table_name(self.setting(table))
            .consistent_read(true)
            .filter_expression("begins_with(pk, :prefix)")
            .expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()))
            .into_paginator()
            .items()
            .send();
        let mut items = Vec::new();
        while let Some(item) = pages.next().await {
            items.push(to_json(
                item.unwrap_or_else(|error| panic!("cannot scan {table}: {error:?}")),
            ));
        }
        items
    }

    /// Writes an item past every rule of the service that owns the table.
    pub async fn write_item(&self, table: &str, item: &Value) {
        let item = serde_dynamo::to_item(item).expect("an object");
        self.dynamodb
            .put_item()
            .table_name(self.setting(table))
            .set_item(Some(item))
            .send()
            .await
            .unwrap_or_else(|error| panic!("cannot write to {table}: {error:?}"));
    }

    /// Writes down an order that is `PENDING` and whose `order.placed` nobody hears, so that no saga
    /// begins. Nobody looks after it either, unless it is [left open](Self::leave_open). Answers the event.
    pub async fn place_silently(&self, order_id: &str, customer_id: &str, sku: &str) -> Value {
        let now = PLACED_SILENTLY;
        self.write_order(order_id, customer_id, sku, "PENDING", now)
            .await;
        json!({
            "specversion": "1.0",
            "id": Uuid::new_v4(),
            "source": "/oxcart/orders",
            "type": "order.placed",
            "subject": order_id,
            "time": now,
            "datacontenttype": "application/json",
            "data": {
                "order_id": order_id,
                "customer_id": customer_id,
                "lines": [{"sku": sku, "quantity": 1}],
                "payment_method": GOOD_CARD,
                "expected_total": null,
            },
        })
    }

    /// Writes down an order of one unit that was placed at `now` and has come to this status, without money,
    /// stock, events or a saga.
    pub async fn write_order(
        &self,
        order_id: &str,
        customer_id: &str,
        sku: &str,
        status: &str,
        now: &str,
    ) {
        let item = json!({
            "pk": format!("ORDER#{order_id}"),
            "id": order_id,
            "customer_id": customer_id,
            "placed": format!("{now}#{order_id}"),
            "day": now.get(..10).expect("a time begins with its day"),
            "status": status,
            "lines": [{"sku": sku, "quantity": 1}],
            "payment_method": GOOD_CARD,
            "payment_status": "PENDING",
            "request_hash": "0".repeat(64),
            "timeline": [{"at": now, "event": "order.placed"}],
            "created_at": now,
            "updated_at": now,
        });
        self.write_item("ORDERS_TABLE", &item).await;
    }

    /// Makes an order one that is open until somebody looks after it, which is due at this time.
    pub async fn leave_open(&self, order_id: &str, due_at: &str) {
        let shard = order_id.get(..1).expect("an id has a first digit");
        self.dynamodb
            .update_item()
            .table_name(self.setting("ORDERS_TABLE"))
            .key("pk", AttributeValue::S(format!("ORDER#{order_id}")))
            .update_expression("SET #open = :open, due_at = :due")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#open", "open")
            .expression_attribute_values(":open", AttributeValue::S(shard.to_owned()))
            .expression_attribute_values(":due", AttributeValue::S(due_at.to_owned()))
            .send()
            .await
            .unwrap_or_else(|error| panic!("cannot leave {order_id} open: {error:?}"));
    }

    /// Has an order looked after as an operator does, by its id. Answers which were resumed, and which were
    /// under way.
    pub async fn resume(&self, order_id: &str) -> Value {
        let wanted = json!({"order_id": order_id});
        self.answer_of("resume-stuck-orders", &wanted).await
    }

    /// Sends messages to the queue that the setting names, in one batch.
    pub async fn send_messages(&self, queue: &str, bodies: &[String]) {
        use aws_sdk_sqs::types::SendMessageBatchRequestEntry as Entry;
        let entries = bodies.iter().enumerate().map(|(index, body)| {
            Entry::builder()
                .id(format!("message-{index}"))
                .message_body(body)
                .build()
                .expect("an entry")
        });
        let sent = self
            .sqs
            .send_message_batch()
            .queue_url(self.setting(queue))
            .set_entries(Some(entries.collect()))
            .send()
            .await
            .unwrap_or_else(|error| panic!("cannot send to {queue}: {error:?}"));
        assert!(
            sent.failed().is_empty(),
            "cannot send to {queue}: {:?}",
            sent.failed()
        );
    }

    /// Takes the messages out of a queue that satisfy `wanted`, as many as come at once.
    pub async fn take_messages(&self, queue: &str, wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let received = self
            .sqs
            .receive_message()
            .queue_url(self.setting(queue))
            .max_number_of_messages(10)
            .wait_time_seconds(1)
            .visibility_timeout(2)
            .send()
            .await
            .unwrap_or_else(|error| panic!("cannot receive from {queue}: {error:?}"));
        let mut taken = Vec::new();
        for message in received.messages() {
            let body = message.body().unwrap_or_default();
            if wanted(body) {
                taken.push(body.to_owned());
                self.sqs
                    .delete_message()
                    .queue_url(self.setting(queue))
                    .receipt_handle(message.receipt_handle().expect("a receipt"))
                    .send()
                    .await
                    .unwrap_or_else(|error| panic!("cannot delete from {queue}: {error:?}"));
            }
        }
        taken
    }

    /// The names and states of the executions that ran, or run, to sell this order.
    pub async fn executions_of(&self, order_id: &str) -> Vec<(String, String)> {
        self.executions("ORDER_SAGA_ARN", order_id).await
    }

    /// The names and states of the executions that ran, or run, to undo this order.
    pub async fn cancellations_of(&self, order_id: &str) -> Vec<(String, String)> {
        self.executions("CANCELLATION_SAGA_ARN", order_id).await
    }

    async fn executions(&self, machine: &str, order_id: &str) -> Vec<(String, String)> {
        let mut pages = self
            .states
            .list_executions()
            .state_machine_arn(self.setting(machine))
            .into_paginator()
            .items()
            .send();
        let mut found = Vec::new();
        while let Some(execution) = pages.next().await {
            let execution = execution.expect("the operator may list executions");
            if execution.name().contains(order_id) {
                found.push((
                    execution.name().to_owned(),
                    execution.status().as_str().to_owned(),
                ));
            }
        }
        found
    }

    /// The state of the execution that runs under an order's id.
    pub async fn execution_status(&self, order_id: &str) -> Result<String, String> {
        let arn = self
            .setting("ORDER_SAGA_ARN")
            .replace(":stateMachine:", ":execution:");
        self.states
            .describe_execution()
            .execution_arn(format!("{arn}:{order_id}"))
            .send()
            .await
            .map(|execution| execution.status().as_str().to_owned())
            .map_err(|error| format!("{error:?}"))
    }

    /// Waits until all executions that ran to sell this order were one. An Express machine has one for each
    /// message about it, and all of them bear its name.
    pub async fn was_sold_in_one_run(&self, order_id: &str) {
        eventually("one execution, ended well", PATIENCE, async || {
            let executions = self.executions_of(order_id).await;
            if executions == [(order_id.to_owned(), "SUCCEEDED".to_owned())] {
                Ok(())
            } else {
                Err(format!("{executions:?}"))
            }
        })
        .await;
    }

    /// Waits until the execution that runs under an order's id has ended well.
    pub async fn saga_ends_well(&self, order_id: &str) {
        eventually(
            &format!("the execution of {order_id} ends well"),
            PATIENCE,
            async || match self.execution_status(order_id).await {
                Ok(status) if status == "SUCCEEDED" => Ok(()),
                other => Err(format!("{other:?}")),
            },
        )
        .await;
    }
}

fn to_json(item: HashMap<String, AttributeValue>) -> Value {
    serde_dynamo::from_item(item).expect("an item without binary data")
}
