//! Whether the books agree: what disagrees is seeded straight into the tables and the gateway, and has to be found.

use oxcart_tests::{
    eventually::{PATIENCE, eventually},
    logs::log_time,
    shop::{BAD_CARD, GOOD_CARD, euro_cents, order_of},
    stack::Stack,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    LONG_AGO, NOT_YET, Planted, find,
    program::{ops, ops_with},
    queues::{redriven, shown},
};

#[tokio::test]
async fn of_books_that_agree_nothing_is_said() {
    let stack = Stack::connect().await;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(1250, 5).await);
    let confirmed = stack.buy(&buyer, &order_of(&[(&sku, 2)], GOOD_CARD)).await;
    let rejected = stack.buy(&buyer, &order_of(&[(&sku, 1)], BAD_CARD)).await;
    let cancelled = stack.buy(&buyer, &order_of(&[(&sku, 1)], GOOD_CARD)).await;
    let ids = [&confirmed, &rejected, &cancelled].map(|order| order["id"].as_str().unwrap());
    stack.cancel(&buyer, ids[2]).await.expect(202);
    stack.settled(&buyer, ids[2]).await;

    let named: Vec<&str> = ids.iter().flat_map(|id| ["--order", id]).collect();
    for part in [named, vec!["--sku", &sku]] {
        let report = ops(&stack, &[&["reconcile", "--json"][..], &part].concat()).json();
        assert_eq!(report["findings"], json!([]), "{report}");
        assert_eq!(report["unproven"], json!([]));
        assert_eq!(report["gateway"], json!({"asked": true}));
        let money = json!({"charged": 3750, "refunded": 1250, "kept": 2500, "in_open_orders": 0});
        assert_eq!(report["money"], json!({"EUR": money}));
        assert_eq!(report["read"]["orders"], 3);
    }
    let text = ops(&stack, &["reconcile", "--order", ids[0]]).text();
    assert!(text.contains("The books agree."), "{text}");
    assert!(text.contains("25.00 EUR"), "{text}");

    let words = ["reconcile", "--json", "--order", ids[0]];
    let nowhere = [("PAYMENT_GATEWAY_SECRET_ARN", "oxcart-no-such-secret")];
    let report = ops_with(&stack, &words, &nowhere).json();
    assert_eq!(report["gateway"]["asked"], false, "{report}");
    assert_eq!(
        (&report["findings"], &report["money"]),
        (&json!([]), &Value::Null)
    );
}

#[tokio::test]
async fn what_comes_out_of_nowhere_is_found() {
    let stack = Stack::connect().await;
    let mut seeded: Vec<(String, Vec<&str>)> = Vec::new();
    for (what, kinds) in [
        ("units held for nobody", vec!["reservation-without-order"]),
        ("paid for nobody", vec!["payment-without-order"]),
        ("charged for nobody", vec!["charge-without-order"]),
        (
            "confirmed out of nothing",
            vec!["confirmed-without-payment", "confirmed-without-reservation"],
        ),
        ("overdue", vec!["order-overdue"]),
        ("in no index", vec!["order-unwatched"]),
        ("parked", vec!["order-parked"]),
        ("unreadable", vec!["unreadable"]),
    ] {
        let id = Uuid::new_v4().to_string();
        write_wrongly(&stack, &id, what).await;
        seeded.push((id, kinds));
    }

    assert_found(&stack, &seeded);
    let text = ops(&stack, &["reconcile", "--order", &seeded[0].0]);
    assert_eq!(text.code, 1);
    assert!(
        text.stdout.contains("reservation-without-order"),
        "{text:?}"
    );
}

#[tokio::test]
async fn what_happened_to_orders_behind_their_backs_is_found() {
    let stack = Stack::connect().await;
    let mut seeded: Vec<(String, Vec<&str>)> = Vec::new();
    let sales = Sales::make(&stack).await;
    for (sale, table, changes, kinds) in [
        // What is confirmed.
        (
            0,
            "ORDERS_TABLE",
            json!({"needs_attention": true}),
            vec!["order-untidy"],
        ),
        (
            1,
            "INVENTORY_TABLE",
            json!({"status": "RELEASED"}),
            vec!["confirmed-without-reservation"],
        ),
        (
            2,
            "INVENTORY_TABLE",
            json!({"total": euro_cents(1300)}),
            vec!["prices-differ"],
        ),
        (
            3,
            "PAYMENTS_TABLE",
            json!({"amount": euro_cents(1300)}),
            vec!["amounts-differ", "charge-differs"],
        ),
        (
            4,
            "PAYMENTS_TABLE",
            json!({"status": "PENDING"}),
            vec!["charge-not-recorded", "confirmed-without-payment"],
        ),
        (
            5,
            "PAYMENTS_TABLE",
            json!({"intent_id": "pi_lost"}),
            vec!["charge-not-at-gateway", "charge-not-recorded"],
        ),
        (6, "PAYMENTS_TABLE", refund("DONE"), vec!["refunds-differ"]),
        (
            7,
            "PAYMENTS_TABLE",
            refund("PENDING"),
            vec!["refund-overdue"],
        ),
        // What is rejected.
        (
            8,
            "INVENTORY_TABLE",
            json!({"status": "HELD"}),
            vec!["reservation-of-ended-order"],
        ),
        (
            9,
            "PAYMENTS_TABLE",
            json!({"status": "CHARGED"}),
            vec!["payment-of-ended-order"],
        ),
    ] {
        let id = sales.ids[sale].clone();
        change(&stack, table, &id, &changes).await;
        seeded.push((id, kinds));
    }
    // The gateway has taken money after all, and our record says that it has not.
    let unseen = sales.ids[10].clone();
    charge(&stack, &unseen).await;
    seeded.push((unseen, vec!["charge-not-recorded"]));

    assert_found(&stack, &seeded);
}

#[tokio::test]
async fn corruption_of_every_kind_about_stock_is_found() {
    let stack = Stack::connect().await;
    let mut seeded = Vec::new();
    for (available, kinds) in [
        (4, vec!["stock-differs"]),
        (2, vec!["stock-differs"]),
        (-1, vec!["stock-differs", "stock-negative"]),
    ] {
        let sku = stack.new_product(1250, 3).await;
        let key = format!("PRODUCT#{sku}");
        let mut item = stack
            .item("INVENTORY_TABLE", &key)
            .await
            .expect("the product");
        item["available"] = json!(available);
        // Not listed any more: a list that a product can't be read of would fail for everybody.
        for listing in ["listing", "listing_key"] {
            item.as_object_mut().unwrap().remove(listing);
        }
        stack.write_item("INVENTORY_TABLE", &item).await;
        seeded.push((sku, kinds));
    }
    let held = stack.new_product(1250, 3).await;
    let id = Uuid::new_v4().to_string();
    stack
        .write_item("INVENTORY_TABLE", &reservation(&id, &held))
        .await;
    seeded.push((held, vec!["stock-differs"]));
    let unknown = format!("sku-{}", Uuid::new_v4());
    let adjustment = json!({
        "pk": format!("ADJUSTMENT#{}", Uuid::new_v4()), "sku": unknown, "delta": 5, "reason": "found",
        "request_hash": "0".repeat(64), "created_at": LONG_AGO,
    });
    stack.write_item("INVENTORY_TABLE", &adjustment).await;
    seeded.push((unknown, vec!["stock-without-product"]));

    let named = seeded.iter().flat_map(|(sku, _)| ["--sku", sku.as_str()]);
    let words: Vec<&str> = ["reconcile", "--json"].into_iter().chain(named).collect();
    let ran = ops(&stack, &words);

    assert_eq!(ran.code, 1, "{ran:?}");
    let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    for (sku, kinds) in &seeded {
        assert_eq!(&kinds_about(&report, "sku", sku), kinds, "{sku}: {report}");
    }
    assert_eq!(
        kinds_about(&report, "order", &id),
        ["reservation-without-order"]
    );
}

#[tokio::test]
async fn what_its_saga_heals_is_healed_on_demand() {
    let stack = Stack::connect().await;
    let orders = [
        Planted::open(&stack, NOT_YET).await,
        Planted::open(&stack, NOT_YET).await,
        Planted::open(&stack, NOT_YET).await,
    ];
    change(
        &stack,
        "ORDERS_TABLE",
        &orders[0].id,
        &json!({"open": null, "due_at": LONG_AGO}),
    )
    .await;
    orders[1].park(&stack).await;
    let never_due = json!({"open": null, "due_at": null});
    change(&stack, "ORDERS_TABLE", &orders[2].id, &never_due).await;
    let words = [
        "reconcile",
        "--json",
        "--order",
        &orders[0].id,
        "--order",
        &orders[1].id,
        "--order",
        &orders[2].id,
    ];

    let found = ops(&stack, &[&words[..], &["--heal"]].concat());

    assert_eq!(found.code, 1, "it has found something: {found:?}");
    let report: Value = serde_json::from_str(&found.stdout).expect("JSON");
    for order in &orders {
        let healed = find(&report["healed"], "order", &order.id).expect("it was healed");
        assert_eq!(healed["outcome"], "restarted", "{report}");
        assert_eq!(order.settled(&stack).await["status"], "CONFIRMED");
        stack.assert_figures_agree(&[&order.sku]).await;
    }
    let report = ops(&stack, &words).json();
    assert_eq!(report["findings"], json!([]), "{report}");
    let message = shown(&stack, "saga-parked", &orders[1].id).await;
    let done = redriven(&stack, "saga-parked", message["id"].as_str().unwrap()).await;
    assert_eq!(done["what"], "it has ended already");
}

/// Checks that of each of these orders just these kinds of disagreement are found, in one run.
fn assert_found(stack: &Stack, seeded: &[(String, Vec<&str>)]) {
    let named = seeded.iter().flat_map(|(id, _)| ["--order", id.as_str()]);
    let words: Vec<&str> = ["reconcile", "--json"].into_iter().chain(named).collect();
    let ran = ops(stack, &words);

    assert_eq!(ran.code, 1, "{ran:?}");
    let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    for (id, kinds) in seeded {
        assert_eq!(&kinds_about(&report, "order", id), kinds, "{id}: {report}");
    }
    let findings = report["findings"].as_array().unwrap();
    assert!(
        findings
            .iter()
            .all(|found| found["remedy"].is_string() && found["says"].is_string())
    );
    assert_eq!(report["healed"], json!([]), "nobody asked for it");
    assert!(
        report["money"]["EUR"]["charged"].as_i64().unwrap() > 0,
        "{report}"
    );
}

/// Eleven orders of one unit at 12.50 EUR each: eight that were confirmed, and three that were rejected.
struct Sales {
    ids: Vec<String>,
}

impl Sales {
    async fn make(stack: &Stack) -> Self {
        let (buyer, sku) = (
            stack.new_customer().await,
            stack.new_product(1250, 20).await,
        );
        let since = log_time();
        let cards = [[GOOD_CARD; 8].as_slice(), &[BAD_CARD; 3]].concat();
        let placed = cards.iter().map(async |card| {
            let order = stack.buy(&buyer, &order_of(&[(&sku, 1)], card)).await;
            order["id"].as_str().unwrap().to_owned()
        });
        let ids: Vec<String> = futures::future::join_all(placed).await;
        stack.assert_figures_agree(&[&sku]).await;
        // A ring that comes later would mend what is seeded.
        for id in &ids {
            eventually(
                "the gateway has rung for it",
                PATIENCE,
                async || match stack.log_lines("receive-webhook", since, id).await.len() {
                    0 => Err(id.clone()),
                    _ => Ok(()),
                },
            )
            .await;
        }
        Self { ids }
    }
}

/// Writes items for a new order straight into the tables, or takes money for it, in a way that nothing of ours does.
async fn write_wrongly(stack: &Stack, id: &str, what: &str) {
    let sku = format!("sku-{}", Uuid::new_v4());
    let order = async |status: &str| {
        let customer = Uuid::new_v4().to_string();
        stack
            .write_order(id, &customer, &sku, status, LONG_AGO)
            .await;
    };
    match what {
        "units held for nobody" => {
            stack
                .write_item("INVENTORY_TABLE", &reservation(id, &sku))
                .await;
        }
        "paid for nobody" => {
            let payment = json!({
                "pk": format!("PAYMENT#{id}"), "order_id": id, "customer_id": id, "status": "CHARGED",
                "amount": euro_cents(1250), "intent_id": "pi_lost", "refund_total": 0, "refunds": {},
                "created_at": LONG_AGO, "updated_at": LONG_AGO,
            });
            stack.write_item("PAYMENTS_TABLE", &payment).await;
        }
        "charged for nobody" => charge(stack, id).await,
        "confirmed out of nothing" => order("CONFIRMED").await,
        "overdue" => {
            order("PENDING").await;
            // In a partition of the index that the schedule doesn't look into, or it would mend it.
            let overdue = json!({"open": "nowhere", "due_at": LONG_AGO});
            change(stack, "ORDERS_TABLE", id, &overdue).await;
        }
        "in no index" => {
            order("CANCELLING").await;
            change(stack, "ORDERS_TABLE", id, &json!({"due_at": NOT_YET})).await;
        }
        "parked" => {
            order("PENDING").await;
            let parked = json!({"at": LONG_AGO, "state": "RefundPayment", "error": "Internal"});
            let parked = json!({"needs_attention": true, "due_at": LONG_AGO, "parked": parked});
            change(stack, "ORDERS_TABLE", id, &parked).await;
        }
        "unreadable" => order("SOMEWHERE").await,
        other => panic!("nobody knows how to write {other}"),
    }
}

/// The gateway takes the money of an order, and nobody writes it down.
async fn charge(stack: &Stack, order_id: &str) {
    let intent = stack.gateway.new_intent(order_id, 1250, GOOD_CARD).await;
    stack.gateway.confirm(&intent).await;
}

fn reservation(order_id: &str, sku: &str) -> Value {
    json!({
        "pk": format!("RESERVATION#{order_id}"), "order_id": order_id, "status": "HELD",
        "lines": [{"sku": sku, "quantity": 1, "unit_price": euro_cents(1250)}], "total": euro_cents(1250),
        "created_at": LONG_AGO, "updated_at": LONG_AGO,
    })
}

/// Of a payment: that half of it was asked to be given back long ago.
fn refund(status: &str) -> Value {
    let refund = json!({
        "amount": euro_cents(625), "reason": "chipped", "status": status, "created_at": LONG_AGO,
    });
    json!({"refund_total": 625, "refunds": {Uuid::new_v4().to_string(): refund}})
}

/// Changes attributes of an order's item, past every rule. Null takes one away.
async fn change(stack: &Stack, table: &str, id: &str, changes: &Value) {
    let kind = match table {
        "ORDERS_TABLE" => "ORDER",
        "INVENTORY_TABLE" => "RESERVATION",
        _ => "PAYMENT",
    };
    let item = stack.item(table, &format!("{kind}#{id}")).await;
    let mut item = item.expect("the item");
    let attributes = item.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        attributes.insert(name.clone(), value.clone());
    }
    attributes.retain(|_, value| !value.is_null());
    stack.write_item(table, &item).await;
}

/// The kinds of what was found about an order or a product, in alphabetical order.
fn kinds_about<'r>(report: &'r Value, what: &str, id: &str) -> Vec<&'r str> {
    let findings = report["findings"].as_array().expect("findings").iter();
    let findings = findings.filter(|finding| finding[what] == id);
    let mut kinds: Vec<&str> = findings
        .map(|finding| finding["kind"].as_str().expect("a kind"))
        .collect();
    kinds.sort_unstable();
    kinds
}
