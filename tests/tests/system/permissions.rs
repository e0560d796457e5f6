//! A function may do to the tables what it needs to, and nothing else: asked of the cloud itself, under
//! the function's own role.

use aws_sdk_dynamodb::{Client, error::ProvideErrorMetadata as _, types::AttributeValue};
use oxcart_tests::stack::Stack;

const TABLES: [&str; 5] = [
    "IDENTITY_TABLE",
    "INVENTORY_TABLE",
    "PAYMENTS_TABLE",
    "ORDERS_TABLE",
    "NOTIFICATIONS_TABLE",
];

#[tokio::test]
async fn a_reader_reads_its_own_services_table_and_no_other() {
    let stack = Stack::connect().await;
    for (function, own) in [
        ("get-user", "IDENTITY_TABLE"),
        ("get-product", "INVENTORY_TABLE"),
        ("get-payment", "PAYMENTS_TABLE"),
        ("get-order", "ORDERS_TABLE"),
    ] {
        let role = stack.dynamodb_as(function).await;
        for table in TABLES {
            let allowed = table == own;
            assert_eq!(
                may_read(&role, stack.setting(table)).await,
                allowed,
                "{function} reading {table}"
            );
            assert!(
                !may_write(&role, stack.setting(table)).await,
                "{function} writing {table}"
            );
        }
    }
}

#[tokio::test]
async fn a_writer_writes_to_its_own_services_table_and_no_other() {
    let stack = Stack::connect().await;
    for (function, own) in [
        ("register-user", "IDENTITY_TABLE"),
        ("update-user", "IDENTITY_TABLE"),
        ("change-password", "IDENTITY_TABLE"),
        ("erase-user", "IDENTITY_TABLE"),
        ("reserve-stock", "INVENTORY_TABLE"),
        ("charge-payment", "PAYMENTS_TABLE"),
        ("receive-webhook", "PAYMENTS_TABLE"),
        ("place-order", "ORDERS_TABLE"),
    ] {
        let role = stack.dynamodb_as(function).await;
        for table in TABLES {
            let allowed = table == own;
            assert_eq!(
                may_write(&role, stack.setting(table)).await,
                allowed,
                "{function} writing {table}"
            );
        }
    }
}

#[tokio::test]
async fn functions_without_a_table_touch_none() {
    let stack = Stack::connect().await;
    for function in [
        "authorize-request",
        "start-order-saga",
        "relay-events",
        "check-health",
    ] {
        let role = stack.dynamodb_as(function).await;
        for table in TABLES {
            assert!(
                !may_read(&role, stack.setting(table)).await,
                "{function} reading {table}"
            );
            assert!(
                !may_write(&role, stack.setting(table)).await,
                "{function} writing {table}"
            );
        }
    }
}

async fn may_read(role: &Client, table: &str) -> bool {
    let read = role
        .get_item()
        .table_name(table)
        .key("pk", key())
        .send()
        .await;
    allowed(
        read.map_err(|error| error.code().map(ToOwned::to_owned)),
        None,
    )
}

/// Tries a write whose condition can't hold: being allowed shows, and nothing changes.
async fn may_write(role: &Client, table: &str) -> bool {
    let write = role
        .put_item()
        .table_name(table)
        .item("pk", key())
        .condition_expression("attribute_exists(pk)")
        .send()
        .await;
    allowed(
        write.map_err(|error| error.code().map(ToOwned::to_owned)),
        Some("ConditionalCheckFailedException"),
    )
}

fn allowed<T>(outcome: Result<T, Option<String>>, harmless: Option<&str>) -> bool {
    match outcome {
        Ok(_) => true,
        Err(code) if code.as_deref() == Some("AccessDeniedException") => false,
        Err(code) if code.is_some() && code.as_deref() == harmless => true,
        Err(code) => panic!("neither allowed nor denied: {code:?}"),
    }
}

fn key() -> AttributeValue {
    AttributeValue::S("NOBODY#HERE".to_owned())
}
