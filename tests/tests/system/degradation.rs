//! When something is away: what doesn't need it goes on, and what does catches up.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::join_all;
use oxcart_tests::{
    eventually::eventually,
    faults::{Action, Armed, Rule},
    shop::{GOOD_CARD, new_key, new_user, order_id, order_of},
    stack::Stack,
};

use crate::notifications::mails_to;

/// A message that was not taken comes again after its visibility timeout.
const AFTER_A_REDELIVERY: Duration = Duration::from_mins(3);

#[tokio::test]
async fn orders_are_taken_while_the_gateway_is_away_and_confirmed_when_it_is_back() {
    let stack = Stack::connect().await;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(500, 10).await);
    let keys = [new_key(), new_key(), new_key()];
    let ids: Vec<String> = keys.iter().map(|key| order_id(&buyer.id, key)).collect();
    let outages = join_all(ids.iter().map(async |id| outage(&stack, id).await)).await;

    for key in &keys {
        let order = order_of(&[(&sku, 2)], GOOD_CARD);
        let placed = stack.order_call(&buyer, key, &order).send().await;
        placed.expect(202);
    }
    join_all(outages.iter().map(Armed::wait_until_hit)).await;
    for id in &ids {
        let order = stack.order(&buyer, id).await.expect(200).json();
        assert_eq!(order["status"], "PENDING", "{order}");
    }
    drop(outages);

    for id in &ids {
        assert_eq!(stack.settled(&buyer, id).await["status"], "CONFIRMED");
    }
    stack.assert_figures_agree(&[&sku]).await;
}

#[tokio::test]
async fn an_order_is_untouched_by_mail_that_cannot_be_sent_and_the_mail_is_sent_later() {
    let stack = Stack::connect().await;
    let user = new_user();
    let email = user["email"].as_str().unwrap();
    let outage = stack
        .faults()
        .arm(Rule {
            function: Some("send-notification".to_owned()),
            about: email.to_owned(),
            gateway_only: false,
            writes_only: false,
            skip: 0,
            times: 1000,
            action: Action::Refuse,
        })
        .await;

    stack.register(&user).await;
    let buyer = stack.new_customer().await;
    let sku = stack.new_product(500, 10).await;
    let order = stack.buy(&buyer, &order_of(&[(&sku, 1)], GOOD_CARD)).await;
    assert_eq!(order["status"], "CONFIRMED");
    outage.wait_until_hit().await;
    assert!(mails_to(&stack, email).await.is_empty());
    outage.disarm().await;

    eventually(
        "the welcome comes",
        AFTER_A_REDELIVERY,
        async || match mails_to(&stack, email).await.len() {
            1 => Ok(()),
            count => Err(format!("{count} e-mails")),
        },
    )
    .await;
}

#[tokio::test]
async fn a_product_that_is_gone_from_its_table_rejects_only_the_orders_that_name_it() {
    let stack = Stack::connect().await;
    let buyer = stack.new_customer().await;
    let (gone, there) = (
        stack.new_product(500, 0).await,
        stack.new_product(700, 10).await,
    );
    stack
        .dynamodb
        .delete_item()
        .table_name(stack.setting("INVENTORY_TABLE"))
        .key("pk", AttributeValue::S(format!("PRODUCT#{gone}")))
        .send()
        .await
        .expect("the operator may delete it");

    let (mixed, alone, other) = (
        order_of(&[(&there, 1), (&gone, 1)], GOOD_CARD),
        order_of(&[(&gone, 1)], GOOD_CARD),
        order_of(&[(&there, 1)], GOOD_CARD),
    );
    for order in [&mixed, &alone] {
        let settled = stack.buy(&buyer, order).await;
        assert_eq!(settled["reason"], "unknown-product", "{settled}");
    }
    assert_eq!(stack.buy(&buyer, &other).await["status"], "CONFIRMED");
    stack.assert_figures_agree(&[&there]).await;
}

/// Too many calls, says the gateway to whatever is about the order: that it is up and takes nothing, so
/// that the orders of other tests are paid meanwhile.
async fn outage(stack: &Stack, order_id: &str) -> Armed {
    let rule = Rule {
        function: None,
        about: order_id.to_owned(),
        gateway_only: true,
        writes_only: false,
        skip: 0,
        times: 1000,
        action: Action::Throttle,
    };
    stack.faults().arm(rule).await
}
