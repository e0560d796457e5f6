//! Stock that is split over several items: whatever is done to it at once, every unit is sold once or there still.

use futures::future::join_all;
use oxcart_tests::{
    faults::{Action, Rule},
    shop::{BAD_CARD, GOOD_CARD, euro_cents, new_key, new_sku, order_of},
    stack::Stack,
};
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test]
async fn what_is_split_is_all_sold_and_no_unit_twice() {
    let stack = Stack::connect().await;
    let (buyers, sku) = (stack.customers(40).await, split(&stack, 8, 25).await);
    let order = order_of(&[(&sku, 1)], GOOD_CARD);

    let settled = join_all(buyers.iter().map(|buyer| stack.buy(buyer, &order))).await;

    assert_eq!(ended(&settled, "CONFIRMED"), 25);
    let refused = settled
        .iter()
        .filter(|order| order["reason"] == "out-of-stock");
    assert_eq!(refused.count(), 15);
    assert_eq!(stack.available(&sku).await, 0);
    stack.assert_figures_agree(&[&sku]).await;
}

#[tokio::test]
async fn units_are_brought_together_for_an_order_that_wants_more_than_any_shard_has() {
    let stack = Stack::connect().await;
    let sku = split(&stack, 4, 10).await;
    assert_eq!(shards(&stack, &sku).await, [3, 3, 2, 2]);

    let (most, rest) = (Wanted::new(&sku, 8), Wanted::new(&sku, 2));
    stack.answer_of("reserve-stock", &most.reserve()).await;
    assert_eq!(stack.available(&sku).await, 2);
    assert_eq!(
        stack
            .error_of("reserve-stock", &Wanted::new(&sku, 3).reserve())
            .await,
        "OutOfStock"
    );
    stack.answer_of("reserve-stock", &rest.reserve()).await;
    assert_eq!(shards(&stack, &sku).await, [0, 0, 0, 0]);
}

#[tokio::test]
async fn units_go_back_to_the_shard_that_they_were_taken_from() {
    let stack = Stack::connect().await;
    let sku = split(&stack, 4, 40).await;
    let mut orders = Vec::new();
    // Until some have taken from each shard.
    while shards(&stack, &sku).await.contains(&10) {
        let order = Wanted::new(&sku, 2);
        let first = stack.answer_of("reserve-stock", &order.reserve()).await;
        assert_eq!(
            stack.answer_of("reserve-stock", &order.reserve()).await,
            first
        );
        orders.push(order);
    }
    let left: i64 = shards(&stack, &sku).await.iter().sum();
    assert_eq!(left, 40 - 2 * i64::try_from(orders.len()).unwrap());

    for order in &orders {
        let first = stack.answer_of("release-stock", &order.release()).await;
        assert_eq!(
            stack.answer_of("release-stock", &order.release()).await,
            first
        );
    }
    assert_eq!(shards(&stack, &sku).await, [10, 10, 10, 10]);
}

#[tokio::test]
async fn no_unit_is_lost_when_stock_is_split_otherwise() {
    let stack = Stack::connect().await;
    let sku = split(&stack, 1, 30).await;
    assert_eq!(shards(&stack, &sku).await, [30]);
    assert_eq!(resplit(&stack, &sku, 8).await["available"], 30);
    assert_eq!(shards(&stack, &sku).await, [4, 4, 4, 4, 4, 4, 3, 3]);
    let orders: Vec<_> = (0..10).map(|_| Wanted::new(&sku, 1)).collect();
    for order in &orders {
        stack.answer_of("reserve-stock", &order.reserve()).await;
    }

    assert_eq!(resplit(&stack, &sku, 3).await["available"], 20);
    assert_eq!(shards(&stack, &sku).await.len(), 3);
    for order in &orders {
        // Most of them were taken from a shard that counts no more.
        stack.answer_of("release-stock", &order.release()).await;
    }
    assert_eq!(stack.available(&sku).await, 30);
    let whole = resplit(&stack, &sku, 1).await;
    assert_eq!(
        (&whole["available"], &whole["stock_shards"]),
        (&json!(30), &json!(1))
    );
    assert_eq!(shards(&stack, &sku).await, [30]);
    assert_eq!(
        stack
            .item("INVENTORY_TABLE", &format!("STOCK#{sku}#1"))
            .await,
        None
    );
    stack.assert_figures_agree(&[&sku]).await;
}

#[tokio::test]
async fn an_adjustment_spreads_the_stock_and_is_made_once() {
    let stack = Stack::connect().await;
    let sku = split(&stack, 3, 9).await;
    let adjusted = async |delta, key: &str| {
        let adjusted = stack.adjust_stock(&sku, delta, key).await;
        adjusted.expect(200).json()["available"].clone()
    };
    stack
        .answer_of("reserve-stock", &Wanted::new(&sku, 3).reserve())
        .await;

    let key = new_key();
    for _ in 0..2 {
        assert_eq!(adjusted(6, &key).await, 12);
    }
    assert_eq!(shards(&stack, &sku).await, [4, 4, 4]);
    stack
        .adjust_stock(&sku, 7, &key)
        .await
        .problem(422, "idempotency-key-reused");
    // More than any shard has.
    assert_eq!(adjusted(-10, &new_key()).await, 2);
    assert_eq!(shards(&stack, &sku).await, [1, 1, 0]);
    let refused = stack.adjust_stock(&sku, -3, &new_key()).await;
    let problem = refused.problem(409, "insufficient-stock");
    assert_eq!(
        problem["detail"],
        "2 units are in stock, 3 would be taken away."
    );
    assert_eq!(stack.available(&sku).await, 2);
}

#[tokio::test]
async fn who_takes_the_last_units_twice_at_once_is_told_both_times_that_they_are_taken() {
    let stack = Stack::connect().await;
    let sku = split(&stack, 3, 5).await;
    let key = new_key();
    // It has seen that the stock is split, and has yet to look for the units.
    let rule = Rule::write("adjust-stock", &sku, 0, Action::HoldAnswer);
    let held = stack.faults().arm(rule).await;

    let first = stack.adjust_stock(&sku, -5, &key);
    let second = async {
        held.wait_until_held().await;
        let second = stack.adjust_stock(&sku, -5, &key).await;
        held.release().await;
        second
    };
    let (first, second) = tokio::join!(first, second);

    for answer in [first, second] {
        assert_eq!(answer.expect(200).json()["available"], 0);
    }
    stack.assert_figures_agree(&[&sku]).await;
}

#[tokio::test]
async fn a_product_is_listed_with_the_units_of_all_its_shards() {
    let stack = Stack::connect().await;
    let sku = split(&stack, 5, 23).await;
    let path = format!("/products?limit=1&name_prefix=Thing%20{sku}");
    let page = stack.api.get(&path).anew().send().await.expect(200).json();
    assert_eq!(page["items"][0]["available"], 23, "{page}");
    assert_eq!(page["items"][0]["stock_shards"], 5);
}

#[tokio::test]
async fn stock_is_split_into_1_to_16_shards() {
    let stack = Stack::connect().await;
    for shards in [
        json!(0),
        json!(17),
        json!(-1),
        json!(1.5),
        json!("2"),
        Value::Null,
    ] {
        let mut product = described(&new_sku(), 1);
        product["stock_shards"] = shards.clone();
        let refused = stack.put_product(&new_sku(), &product).await;
        let problem = refused.problem(422, "invalid-request");
        assert_eq!(problem["errors"][0]["pointer"], "/stock_shards", "{shards}");
    }
}

/// In a rush who changes a product may be asked to come back, or get no answer before the function's time is up.
const RUSHED: [u16; 3] = [200, 502, 503];

#[tokio::test]
async fn whatever_happens_to_stock_at_once_the_books_agree() {
    let stack = Stack::connect().await;
    let (buyers, sku) = (stack.customers(24).await, split(&stack, 4, 60).await);
    let orders = [
        order_of(&[(&sku, 1)], GOOD_CARD),
        order_of(&[(&sku, 7)], GOOD_CARD),
        order_of(&[(&sku, 3)], BAD_CARD),
    ];
    let buying = buyers.iter().zip(orders.iter().cycle());
    let buying = join_all(buying.map(|(buyer, order)| stack.buy(buyer, order)));
    let adjusting = join_all((0..6).map(async |_| {
        let adjusted = stack.adjust_stock(&sku, 2, &new_key()).await;
        assert!(RUSHED.contains(&adjusted.status), "{adjusted:?}");
    }));
    let splitting = async {
        for count in [8, 2, 16, 1, 5] {
            let put = stack.put_product(&sku, &described(&sku, count)).await;
            assert!(RUSHED.contains(&put.status), "{put:?}");
        }
    };
    let (settled, _, ()) = tokio::join!(buying, adjusting, splitting);

    assert_eq!(
        ended(&settled, "CONFIRMED") + ended(&settled, "REJECTED"),
        24
    );
    stack.assert_figures_agree(&[&sku]).await;
}

#[tokio::test]
async fn who_dies_while_splitting_stock_loses_nothing_of_it() {
    let stack = Stack::connect().await;
    // Merges before it puts, or spreads after it has put.
    for (before, after, writes) in [(6, 2, 2), (2, 6, 2)] {
        for write in 0..writes {
            let sku = split(&stack, before, 20).await;
            let rule = Rule::write("put-product", &sku, write, Action::KillAfter);
            let killed = stack.faults().arm(rule).await;
            let _ = stack.put_product(&sku, &described(&sku, after)).await;
            killed.disarm().await;
            assert_eq!(
                stack.available(&sku).await,
                20,
                "{before} to {after}, write {write}"
            );

            assert_eq!(resplit(&stack, &sku, after).await["available"], 20);
            stack.assert_figures_agree(&[&sku]).await;
        }
    }
}

/// An order's part in reserving and releasing, of no saga.
struct Wanted {
    id: String,
    sku: String,
    quantity: u32,
}

impl Wanted {
    fn new(sku: &str, quantity: u32) -> Self {
        Self {
            id: Uuid::new_v4().to_string(),
            sku: sku.to_owned(),
            quantity,
        }
    }

    fn reserve(&self) -> Value {
        json!({
            "order_id": self.id,
            "customer_id": Uuid::new_v4(),
            "lines": [{"sku": self.sku, "quantity": self.quantity}],
        })
    }

    fn release(&self) -> Value {
        json!({"order_id": self.id, "customer_id": Uuid::new_v4()})
    }
}

/// A new product whose stock is split.
async fn split(stack: &Stack, shards: u64, units: i64) -> String {
    let sku = new_sku();
    let product = described(&sku, shards);
    stack.put_product(&sku, &product).await.expect(201);
    stack
        .adjust_stock(&sku, units, &new_key())
        .await
        .expect(200);
    sku
}

async fn resplit(stack: &Stack, sku: &str, shards: u64) -> Value {
    let put = stack.put_product(sku, &described(sku, shards)).await;
    put.expect(200).json()
}

fn described(sku: &str, shards: u64) -> Value {
    json!({"name": format!("Thing {sku}"), "unit_price": euro_cents(999), "stock_shards": shards})
}

/// How many units each shard has that counts.
async fn shards(stack: &Stack, sku: &str) -> Vec<i64> {
    let product = stack
        .item("INVENTORY_TABLE", &format!("PRODUCT#{sku}"))
        .await;
    let product = product.expect("a product");
    let mut units = vec![product["available"].as_i64().expect("units")];
    for shard in 1..product["stock_shards"].as_u64().expect("shards") {
        let key = format!("STOCK#{sku}#{shard}");
        let item = stack
            .item("INVENTORY_TABLE", &key)
            .await
            .unwrap_or_default();
        units.push(item["available"].as_i64().unwrap_or_default());
    }
    units
}

fn ended(orders: &[Value], status: &str) -> usize {
    let orders = orders.iter().filter(|order| order["status"] == status);
    orders.count()
}
