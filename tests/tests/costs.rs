//! What one order takes of each thing that AWS counts, exactly as `costs/units.json` says.
//!
//! Apart from the other system tests, whose faults strike what orders have in common: a batch of events that is
//! relayed anew costs all of its orders something.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that can't go on says why and stops"
)]

use std::time::Duration;

use oxcart_tests::{
    faults::Rule,
    logs::log_time,
    shop::{BAD_CARD, GOOD_CARD, Person, new_key, order_id, order_of},
    stack::Stack,
    units::Units,
    workspace,
};
use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

/// How an order of one line goes.
struct Path {
    name: &'static str,
    card: &'static str,
    stock: i64,
    status: &'static str,
    is_cancelled: bool,
}

const PATHS: [Path; 4] = [
    Path {
        name: "confirmed",
        card: GOOD_CARD,
        stock: 9,
        status: "CONFIRMED",
        is_cancelled: false,
    },
    Path {
        name: "declined",
        card: BAD_CARD,
        stock: 9,
        status: "REJECTED",
        is_cancelled: false,
    },
    Path {
        name: "out_of_stock",
        card: GOOD_CARD,
        stock: 0,
        status: "REJECTED",
        is_cancelled: false,
    },
    Path {
        name: "cancelled",
        card: GOOD_CARD,
        stock: 9,
        status: "CONFIRMED",
        is_cancelled: true,
    },
];

/// How many orders may be disturbed: on a busy machine a call may take too long, and is made again.
const TRIES: usize = 3;
/// An order is at rest when nothing more was counted for so long.
const QUIET: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_mins(1);
const INTERVAL: Duration = Duration::from_millis(250);

#[tokio::test]
async fn an_order_takes_exactly_the_units_that_are_written_down() {
    let stack = Stack::connect().await;
    let kind = if stack.is_express() {
        "express"
    } else {
        "standard"
    };
    let written = &workspace::json("costs/units.json")[kind];
    let mut counted = Map::new();

    for path in &PATHS {
        let mut units = Value::Null;
        for _ in 0..TRIES {
            units = measure(&stack, path).await.to_json();
            if units == written[path.name] {
                break;
            }
            println!("{} took something else: {units}", path.name);
        }
        counted.insert(path.name.to_owned(), units);
    }

    let counted = Value::Object(counted);
    assert!(
        counted == *written,
        "orders take something else than costs/units.json says of {kind} sagas. If that is what you want, it has to say:\n{}\n\
         Then run `cargo xtask costs --write`.",
        serde_json::to_string_pretty(&counted).expect("JSON")
    );
}

/// Has an order go that way, and counts.
async fn measure(stack: &Stack, path: &Path) -> Units {
    let sku = stack.new_product(1250, path.stock).await;
    let buyer = stack.customer_with_id(&Uuid::new_v4().to_string()).await;
    let key = new_key();
    let id = order_id(&buyer.id, &key);
    let (streams, since) = (stack.streams().await, log_time());
    let faults = stack.faults();
    let watches = [
        faults.arm(Rule::watch_all(&id)).await,
        faults.arm(Rule::watch_all(&sku)).await,
    ];

    let mut asked = Units::default();
    // The gateway keeps what the authorizer said of a token for a minute.
    asked.add("lambda_requests", "authorize-request", 1.0);
    let order = order_of(&[(&sku, 1)], path.card);
    let call = stack.order_call(&buyer, &key, &order);
    call.send().await.expect(202);
    asked.add("api_requests", "place-order", 1.0);
    comes_to(stack, &id, path.status).await;
    let saga = end_of(stack, "order-saga", &id).await;
    let mut executions = vec![("order-saga", saga)];
    if path.is_cancelled {
        cancel(stack, &buyer, &id).await;
        asked.add("api_requests", "cancel-order", 1.0);
        comes_to(stack, &id, "CANCELLED").await;
        let saga = end_of(stack, "cancel-order", &id).await;
        executions.push(("cancel-order", saga));
    }

    let (mut last, mut since_when) = (Units::default(), Instant::now());
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut units = stack
            .units_of(&watches, &streams, since, &[&id, &sku])
            .await;
        units.extend(&asked);
        for (machine, execution) in &executions {
            stack.add_transitions(&mut units, machine, execution).await;
        }
        if units != last {
            (last, since_when) = (units, Instant::now());
        } else if since_when.elapsed() >= QUIET {
            return last;
        }
        assert!(Instant::now() < deadline, "{id} finds no rest: {last:?}");
        sleep(INTERVAL).await;
    }
}

async fn cancel(stack: &Stack, buyer: &Person, id: &str) {
    stack.cancel(buyer, id).await.expect(202);
}

/// Waits without asking the API, which would cost something.
async fn comes_to(stack: &Stack, id: &str, status: &str) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let order = stack.item("ORDERS_TABLE", &format!("ORDER#{id}")).await;
        let order = order.unwrap_or(json!({}));
        if order["status"] == status {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "{id} doesn't become {status}: {order}"
        );
        sleep(INTERVAL).await;
    }
}

/// Waits for the end of the order's saga. Answers its execution.
async fn end_of(stack: &Stack, machine: &str, id: &str) -> String {
    let machines = stack.machines().await;
    let machine = machines.iter().find(|known| known.name == machine);
    let execution = machine.expect("a state machine").execution_of(id);
    stack.end_of(&execution, PATIENCE).await;
    execution
}
