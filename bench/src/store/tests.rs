//! What a client of AWS's sees when its requests meet others.

use std::collections::HashMap;

use super::*;
use crate::tables::{INVENTORY, ORDERS};
use aws_sdk_dynamodb::{
    error::SdkError,
    operation::{
        transact_get_items::TransactGetItemsError, transact_write_items::TransactWriteItemsError,
        update_item::UpdateItemError,
    },
    types::{
        AttributeValue, CancellationReason, Get, Put, ReturnValue,
        ReturnValuesOnConditionCheckFailure, TransactGetItem, TransactWriteItem, Update,
    },
};

/// Slow enough that what is to meet does, however busy the machine is.
const SLOW: Pace = Pace {
    read: Duration::ZERO,
    write: Duration::from_millis(600),
    transaction: Duration::from_millis(600),
};
const QUICK: Pace = Pace {
    read: Duration::ZERO,
    write: Duration::ZERO,
    transaction: Duration::ZERO,
};

/// Until the requests that were sent before have come in.
async fn others_have_begun() {
    sleep(Duration::from_millis(200)).await;
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn number(number: u32) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn put(key: &str) -> TransactWriteItem {
    let put = Put::builder()
        .table_name(INVENTORY.name)
        .item("pk", text(key));
    TransactWriteItem::builder()
        .put(put.build().unwrap())
        .build()
}

/// Takes one unit, if there is one.
fn take(key: &str) -> TransactWriteItem {
    let update = Update::builder()
        .table_name(INVENTORY.name)
        .key("pk", text(key))
        .update_expression("SET available = available - :one")
        .condition_expression("available >= :one")
        .expression_attribute_values(":one", number(1))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    TransactWriteItem::builder()
        .update(update.build().unwrap())
        .build()
}

fn get(key: &str) -> TransactGetItem {
    let get = Get::builder()
        .table_name(INVENTORY.name)
        .key("pk", text(key));
    TransactGetItem::builder().get(get.build().unwrap()).build()
}

async fn transact(
    client: &Client,
    writes: Vec<TransactWriteItem>,
) -> Result<(), Vec<CancellationReason>> {
    let call = client
        .transact_write_items()
        .set_transact_items(Some(writes));
    match call.send().await.map_err(SdkError::into_service_error) {
        Ok(_) => Ok(()),
        Err(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            Err(cancelled.cancellation_reasons().to_vec())
        }
        Err(error) => panic!("{error:?}"),
    }
}

fn codes(reasons: &[CancellationReason]) -> Vec<&str> {
    reasons
        .iter()
        .filter_map(CancellationReason::code)
        .collect()
}

async fn stock(client: &Client, key: &str, units: u32) {
    let put = client.put_item().table_name(INVENTORY.name);
    let put = put.item("pk", text(key)).item("available", number(units));
    put.send().await.unwrap();
}

async fn available(client: &Client, key: &str) -> Option<AttributeValue> {
    let get = client.get_item().table_name(INVENTORY.name);
    let found = get.key("pk", text(key)).send().await.unwrap();
    found.item.and_then(|mut item| item.remove("available"))
}

#[tokio::test]
async fn of_two_transactions_on_one_item_the_later_is_told_where_they_meet() {
    let store = Store::start(SLOW, &[INVENTORY]).await.unwrap();
    let client = store.client();
    stock(&client, "tea", 2).await;
    let (first, second) = tokio::join!(transact(&client, vec![put("1"), take("tea")]), async {
        others_have_begun().await;
        transact(&client, vec![put("2"), take("tea")]).await
    });
    first.unwrap();
    let reasons = second.unwrap_err();
    assert_eq!(codes(&reasons), ["None", "TransactionConflict"]);
    assert!(reasons[1].message().is_some());
    // Nothing of it is written, and now nobody is in its way.
    assert_eq!(available(&client, "tea").await, Some(number(1)));
    transact(&client, vec![put("2"), take("tea")])
        .await
        .unwrap();
    assert_eq!(store.take_counts().conflicts, 1);
}

#[tokio::test]
async fn transactions_on_different_items_do_not_meet() {
    let store = Store::start(SLOW, &[INVENTORY]).await.unwrap();
    let client = store.client();
    let begun = Instant::now();
    let (first, second) = tokio::join!(
        transact(&client, vec![put("1")]),
        transact(&client, vec![put("2")])
    );
    assert!(first.is_ok() && second.is_ok());
    assert!(begun.elapsed() < 2 * SLOW.transaction);
}

#[tokio::test]
async fn a_write_is_refused_while_a_transaction_is_at_its_item_and_a_read_is_not() {
    let store = Store::start(SLOW, &[INVENTORY]).await.unwrap();
    let client = store.client();
    stock(&client, "tea", 2).await;
    let write = async {
        others_have_begun().await;
        let seen = available(&client, "tea").await;
        let update = client.update_item().table_name(INVENTORY.name);
        let update = update
            .key("pk", text("tea"))
            .update_expression("SET available = :none");
        let update = update.expression_attribute_values(":none", number(0));
        (seen, update.send().await)
    };
    let (transaction, (seen, write)) = tokio::join!(transact(&client, vec![take("tea")]), write);
    transaction.unwrap();
    assert_eq!(seen, Some(number(2)));
    let error = write.unwrap_err().into_service_error();
    assert!(
        matches!(error, UpdateItemError::TransactionConflictException(_)),
        "{error:?}"
    );
    assert_eq!(available(&client, "tea").await, Some(number(1)));
}

#[tokio::test]
async fn a_transaction_that_reads_is_cancelled_while_one_of_its_items_is_written() {
    let store = Store::start(SLOW, &[INVENTORY]).await.unwrap();
    let client = store.client();
    for writes_by_itself in [true, false] {
        let write = async {
            if writes_by_itself {
                stock(&client, "tea", 2).await;
            } else {
                transact(&client, vec![put("tea")]).await.unwrap();
            }
        };
        let read = async {
            others_have_begun().await;
            let call = client.transact_get_items();
            let items = vec![get("cup"), get("tea")];
            call.set_transact_items(Some(items)).send().await
        };
        let ((), read) = tokio::join!(write, read);
        let error = read.unwrap_err().into_service_error();
        let TransactGetItemsError::TransactionCanceledException(cancelled) = error else {
            panic!("{error:?}");
        };
        assert_eq!(
            codes(cancelled.cancellation_reasons()),
            ["None", "TransactionConflict"]
        );
    }
}

#[tokio::test]
async fn a_condition_that_fails_is_told_with_the_item_as_it_stands() {
    let store = Store::start(QUICK, &[INVENTORY]).await.unwrap();
    let client = store.client();
    stock(&client, "tea", 0).await;
    let refused = transact(&client, vec![put("1"), take("tea")]).await;
    let reasons = refused.unwrap_err();
    assert_eq!(codes(&reasons), ["None", "ConditionalCheckFailed"]);
    let item = HashMap::from([
        ("pk".to_owned(), text("tea")),
        ("available".to_owned(), number(0)),
    ]);
    assert_eq!(reasons[1].item(), Some(&item));
    // Nobody was in its way.
    assert_eq!(store.take_counts().conflicts, 0);
}

#[tokio::test]
async fn of_an_item_that_is_new_nothing_old_is_told() {
    let store = Store::start(QUICK, &[INVENTORY]).await.unwrap();
    let client = store.client();
    let update = || {
        let update = client.update_item().table_name(INVENTORY.name);
        update
            .key("pk", text("tea"))
            .update_expression("ADD available :one")
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::AllOld)
    };
    assert_eq!(update().send().await.unwrap().attributes, None);
    let old = update().send().await.unwrap().attributes.unwrap();
    assert_eq!(old.get("available"), Some(&number(1)));
}

#[tokio::test]
async fn every_call_is_counted_with_what_it_is_billed() {
    let store = Store::start(QUICK, &[ORDERS]).await.unwrap();
    let client = store.client();
    let place = || {
        client
            .put_item()
            .table_name(ORDERS.name)
            .item("pk", text("ORDER#1"))
            .item("customer_id", text("c"))
            .item("placed", text("2026-01-02"))
            .item("day", text("2026-01-02"))
            .item("note", text(&"x".repeat(1500)))
    };
    let answer = place().send().await.unwrap();
    // Who doesn't ask for it isn't told.
    assert_eq!(answer.consumed_capacity, None);
    let counts = store.take_counts();
    assert_eq!((counts.calls, counts.conflicts), (1, 0));
    // Two for the item, and one for each index that has it.
    assert_near(counts.write_units, 4.0);

    let refused = place().condition_expression("attribute_not_exists(pk)");
    refused.send().await.unwrap_err();
    let get = client.get_item().table_name(ORDERS.name);
    let get = get.key("pk", text("ORDER#1"));
    get.clone().send().await.unwrap();
    get.consistent_read(true).send().await.unwrap();
    let counts = store.take_counts();
    assert_eq!(counts.calls, 3);
    assert_near(counts.write_units, 2.0);
    assert_near(counts.read_units, 1.5);
    assert_eq!(store.take_counts(), Counts::default());
}

#[tokio::test]
async fn what_is_refused_for_a_conflict_is_billed_as_if_it_were_done() {
    let store = Store::start(SLOW, &[INVENTORY]).await.unwrap();
    let client = store.client();
    let (first, second) = tokio::join!(transact(&client, vec![put("1"), put("2")]), async {
        others_have_begun().await;
        transact(&client, vec![put("2"), put("3")]).await
    });
    assert!(first.is_ok() && second.is_err());
    let counts = store.take_counts();
    assert_near(counts.write_units, 2.0 * (2.0 + 2.0));
}

fn assert_near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
}
