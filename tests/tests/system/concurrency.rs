//! Many buyers at once, few units.

use futures::future::join_all;
use oxcart_tests::{
    shop::{BAD_CARD, GOOD_CARD, order_of},
    stack::Stack,
};
use serde_json::Value;

#[tokio::test]
async fn fifty_buyers_of_the_last_ten_units_get_exactly_ten() {
    let stack = Stack::connect().await;
    let (buyers, sku) = (stack.customers(50).await, stack.new_product(999, 10).await);
    let order = order_of(&[(&sku, 1)], GOOD_CARD);

    let settled = join_all(buyers.iter().map(|buyer| stack.buy(buyer, &order))).await;

    assert_eq!(count(&settled, "CONFIRMED", None), 10);
    assert_eq!(count(&settled, "REJECTED", Some("out-of-stock")), 40);
    assert_eq!(stack.available(&sku).await, 0);
    stack.assert_figures_agree(&[&sku]).await;
}

#[tokio::test]
async fn buyers_who_want_the_same_things_in_another_order_do_not_block_each_other() {
    let stack = Stack::connect().await;
    let buyers = stack.customers(12).await;
    let (tea, cup) = (
        stack.new_product(300, 6).await,
        stack.new_product(450, 6).await,
    );
    let orders = [
        order_of(&[(&tea, 1), (&cup, 1)], GOOD_CARD),
        order_of(&[(&cup, 1), (&tea, 1)], GOOD_CARD),
        order_of(&[(&tea, 1), (&cup, 1)], BAD_CARD),
    ];

    let settled = join_all(
        buyers
            .iter()
            .zip(orders.iter().cycle())
            .map(|(buyer, order)| stack.buy(buyer, order)),
    )
    .await;

    let confirmed = count(&settled, "CONFIRMED", None);
    assert!(
        (2..=6).contains(&confirmed),
        "{confirmed} of 8 good cards got one of 6 pairs"
    );
    assert_eq!(count(&settled, "REJECTED", Some("internal")), 0);
    let left = 6 - i64::try_from(confirmed).unwrap();
    assert_eq!(
        (stack.available(&tea).await, stack.available(&cup).await),
        (left, left)
    );
    stack.assert_figures_agree(&[&tea, &cup]).await;
}

fn count(orders: &[Value], status: &str, reason: Option<&str>) -> usize {
    orders
        .iter()
        .filter(|order| order["status"] == status && order["reason"].as_str() == reason)
        .count()
}
