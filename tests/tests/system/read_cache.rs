//! Products are kept for a few seconds where they were read: how much reading that spares, how old a price
//! may be that is shown, and that none is charged that isn't the table's.

use std::time::Duration;

use futures::future::join_all;
use oxcart_tests::{
    api::{Answer, Call},
    eventually::{PATIENCE, eventually},
    faults::{Action, Armed, Rule},
    shop::{GOOD_CARD, euro_cents, new_key, new_sku, order_of},
    stack::Stack,
    template::yaml,
};
use serde_json::json;
use tokio::time::Instant;

/// How often a product is read that nobody changes.
const READINGS: u32 = 200;
/// How many ask at once, so that more than one execution environment reads.
const ENVIRONMENTS: u32 = 5;

#[tokio::test]
async fn a_product_that_is_asked_for_often_is_seldom_read() {
    let stack = Stack::connect().await;
    let sku = stack.new_product(1250, 3).await;
    let path = format!("/products/{sku}");
    let reads = watch(&stack, "get-product", &sku).await;

    ask_often(|| stack.api.get(&path)).await;

    assert_seldom(&reads, 1).await;
    assert_eq!(reads.calls().await[0], "GetItem");
}

#[tokio::test]
async fn a_page_of_products_that_is_asked_for_often_is_seldom_read() {
    let stack = Stack::connect().await;
    let sku = a_product_named_as_its_sku(&stack).await;
    let path = format!("/products?name_prefix={sku}");
    let reads = watch(&stack, "list-products", &sku).await;

    ask_often(|| stack.api.get(&path)).await;

    // The index, and the products that it names.
    assert_seldom(&reads, 2).await;
}

#[tokio::test]
async fn who_wants_nothing_that_was_kept_has_it_read_each_time() {
    let stack = Stack::connect().await;
    let sku = a_product_named_as_its_sku(&stack).await;

    for (function, path) in [
        ("get-product", format!("/products/{sku}")),
        ("list-products", format!("/products?name_prefix={sku}")),
    ] {
        let reads = watch(&stack, function, &sku).await;
        for asked in 1..=5 {
            stack.api.get(&path).anew().send().await.expect(200);
            let read = reads.hits().await;
            assert!(read >= asked, "{path}: {read} reads for {asked} questions");
        }
        let call = stack.api.get(&path);
        let call = call.header("Cache-Control", "max-age=0, No-Cache");
        call.send().await.expect(200);
        assert!(reads.hits().await > 5, "{path}");
    }
}

#[tokio::test]
async fn a_price_is_shown_no_longer_than_its_time_after_it_has_changed() {
    let stack = Stack::connect().await;
    let sku = a_product_named_as_its_sku(&stack).await;
    let (product, list) = (
        format!("/products/{sku}"),
        format!("/products?name_prefix={sku}"),
    );
    let shown = |answer: &Answer| {
        let json = answer.json();
        let product = json.pointer("/items/0").unwrap_or(&json);
        product["unit_price"]["amount"].as_i64().expect("a price")
    };
    // As many environments as there may be keep the old price.
    for path in [&product, &list] {
        let calls = (0..ENVIRONMENTS).map(|_| stack.api.get(path).send());
        for answer in join_all(calls).await {
            assert_eq!(shown(&answer.expect(200)), 1250);
        }
    }
    price(&stack, &sku, 999).await;
    let (changed, time_to_live) = (Instant::now(), time_to_live());

    let stack = &stack;
    eventually("the old price is over", PATIENCE, async || {
        let begun = Instant::now();
        // A few at once, so that more than one environment answers.
        let calls = [&product, &list]
            .into_iter()
            .flat_map(|path| (0..3).map(move |_| timed(stack.api.get(path))));
        for (begun, answer) in join_all(calls).await {
            let answer = answer.expect(200);
            if shown(&answer) == 999 {
                continue;
            }
            let late = begun.saturating_duration_since(changed);
            assert!(
                late < time_to_live,
                "{} shows the old price {late:?} after it changed",
                answer.what
            );
            // A cache on the way counts from when it asked (RFC 9111, section 4.2.3).
            let kept = late + max_age(&answer);
            assert!(
                kept <= time_to_live,
                "{}: the old price may be kept until {kept:?} after it changed",
                answer.what
            );
        }
        if begun >= changed + time_to_live {
            Ok(())
        } else {
            Err("the old price may still be kept somewhere".to_owned())
        }
    })
    .await;
}

#[tokio::test]
async fn nobody_may_keep_a_product_for_longer_than_it_is_kept_here() {
    let stack = Stack::connect().await;
    let sku = a_product_named_as_its_sku(&stack).await;

    let time_to_live = time_to_live();

    for path in [
        format!("/products/{sku}"),
        format!("/products?name_prefix={sku}"),
    ] {
        let first = stack.api.get(&path).anew().send().await.expect(200);
        assert!(max_age(&first) <= time_to_live, "{first:?}");
        let tag = first.header("ETag").expect("an ETag");
        for _ in 0..READINGS {
            let call = stack.api.get(&path).header("If-None-Match", tag);
            let unchanged = call.send().await.expect(304);
            assert!(max_age(&unchanged) <= time_to_live, "{unchanged:?}");
        }
    }
}

#[tokio::test]
async fn a_product_that_did_not_exist_is_found_as_soon_as_it_does() {
    let stack = Stack::connect().await;
    let sku = new_sku();
    let path = format!("/products/{sku}");
    let ask = || join_all((0..ENVIRONMENTS).map(|_| stack.api.get(&path).send()));
    for _ in 0..3 {
        for answer in ask().await {
            answer.problem(404, "not-found");
            assert_eq!(answer.header("Cache-Control"), Some("no-store"));
        }
    }

    let created = json!({"name": "Mug", "unit_price": euro_cents(1250)});
    let created = stack.put_product(&sku, &created).await.expect(201);

    for answer in ask().await {
        assert_eq!(answer.expect(200).json(), created.json());
    }
}

#[tokio::test]
async fn what_is_charged_is_the_price_of_the_table_and_not_one_that_was_kept() {
    let stack = Stack::connect().await;
    let (buyer, sku) = (stack.new_customer().await, new_sku());
    price(&stack, &sku, 1250).await;
    stack.adjust_stock(&sku, 9, &new_key()).await.expect(200);
    let path = format!("/products/{sku}");
    stack.api.get(&path).send().await.expect(200);
    price(&stack, &sku, 999).await;

    // It is shown at 12.50 for another few seconds.
    let (mut at_new, mut at_old) = (
        order_of(&[(&sku, 1)], GOOD_CARD),
        order_of(&[(&sku, 1)], GOOD_CARD),
    );
    at_new["expected_total"] = euro_cents(999);
    at_old["expected_total"] = euro_cents(1250);
    let confirmed = stack.buy(&buyer, &at_new).await;
    assert_eq!(
        (&confirmed["status"], &confirmed["total"]),
        (&json!("CONFIRMED"), &euro_cents(999))
    );
    assert_eq!(stack.buy(&buyer, &at_old).await["reason"], "price-changed");
    stack.assert_figures_agree(&[&sku]).await;
}

/// When a call was made, and what was answered.
async fn timed(call: Call) -> (Instant, Answer) {
    let begun = Instant::now();
    (begun, call.send().await)
}

/// Makes a call often, one after the other.
async fn ask_often(call: impl Fn() -> Call) {
    for _ in 0..READINGS {
        call().send().await.expect(200);
    }
}

/// Checks that what was asked for often was read, and far less often than it was asked for. How often depends
/// on how many environments there are and how long it took. A read makes so many calls.
async fn assert_seldom(reads: &Armed, calls: u32) {
    let made = u32::try_from(reads.hits().await).expect("few");
    assert!(made >= calls, "nobody has read it");
    assert!(
        made < calls * READINGS / 2,
        "{made} calls for {READINGS} questions"
    );
}

/// A product at 12.50 EUR whose name nobody else's begins with. Answers its sku, which is its name.
async fn a_product_named_as_its_sku(stack: &Stack) -> String {
    let sku = new_sku();
    price(stack, &sku, 1250).await;
    sku
}

/// Gives a product, which is named as its sku is, this price in euro cents.
async fn price(stack: &Stack, sku: &str, amount: i64) {
    let product = json!({"name": sku, "unit_price": euro_cents(amount)});
    let answer = stack.put_product(sku, &product).await;
    assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
}

/// For how long products are kept.
fn time_to_live() -> Duration {
    let template = yaml("infra/template.yaml");
    let seconds = &template["Parameters"]["ProductCacheSeconds"]["Default"];
    let seconds = seconds.as_u64().expect("a number of seconds");
    assert!(seconds > 0, "nothing is kept, so there is nothing to test");
    Duration::from_secs(seconds)
}

/// For how long a cache on the way may show an answer without asking.
fn max_age(answer: &Answer) -> Duration {
    let caching = answer.header("Cache-Control").unwrap_or_default();
    if caching == "no-cache" {
        return Duration::ZERO;
    }
    let seconds = caching
        .strip_prefix("public, max-age=")
        .and_then(|rest| rest.strip_suffix(", must-revalidate"));
    let seconds = seconds.and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(seconds.unwrap_or_else(|| panic!("{}: {caching:?}", answer.what)))
}

/// Writes down what a function asks the table for about a product.
async fn watch(stack: &Stack, function: &str, sku: &str) -> Armed {
    let rule = Rule {
        function: Some(function.to_owned()),
        about: sku.to_owned(),
        gateway_only: false,
        writes_only: false,
        skip: 0,
        times: 1000,
        action: Action::Watch,
    };
    stack.faults().arm(rule).await
}
