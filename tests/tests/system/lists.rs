//! Lists that are chosen from: orders by status and time, products by the beginnings of their names, page by
//! page and while things change.

use std::slice;

use futures::future::{join, join_all};
use oxcart_tests::{
    api::Call,
    operator::PLACED_SILENTLY,
    shop::{BAD_CARD, GOOD_CARD, Person, euro_cents, new_sku, order_of},
    stack::Stack,
};
use serde_json::{Value, json};
use uuid::Uuid;

/// How many orders are looked at for one page at most.
const LOOKED_AT: usize = 300;

#[tokio::test]
async fn orders_are_listed_by_status() {
    let stack = Stack::connect().await;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(1250, 9).await);
    let pending = Uuid::new_v4().to_string();
    stack.place_silently(&pending, &buyer.id, &new_sku()).await;
    let mut sold = Vec::new();
    for card in [GOOD_CARD, BAD_CARD, GOOD_CARD] {
        let order = stack.buy(&buyer, &order_of(&[(&sku, 1)], card)).await;
        sold.push(id_of(&order));
    }
    let [first, declined, second] = [0, 1, 2].map(|at: usize| sold[at].clone());

    for (status, expected) in [
        ("CONFIRMED", vec![&second, &first]),
        ("REJECTED", vec![&declined]),
        ("PENDING", vec![&pending]),
        ("CANCELLED", vec![]),
        ("CANCELLING", vec![]),
        ("REJECTED,CONFIRMED", vec![&second, &declined, &first]),
        ("CONFIRMED,PENDING", vec![&second, &first, &pending]),
        (
            "PENDING,CONFIRMED,REJECTED,CANCELLING,CANCELLED",
            vec![&second, &declined, &first, &pending],
        ),
    ] {
        for limit in ["1", "2", "100"] {
            let query = [("status", status), ("limit", limit)];
            let listed = ids(&stack, &buyer, &query).await;
            let listed: Vec<&String> = listed.iter().collect();
            assert_eq!(listed, expected, "{status}, {limit} at a time");
        }
    }
}

#[tokio::test]
async fn orders_are_listed_by_time_from_the_first_moment_to_before_the_last() {
    let stack = Stack::connect().await;
    let buyer = stack.new_customer().await;
    for _ in 0..5 {
        let order = order_of(&[("no-such-thing", 1)], GOOD_CARD);
        stack.place(&buyer, &order).await;
    }
    let all = stack.listed("/orders", Some(&buyer)).await;
    assert_eq!(all.len(), 5);
    let placed_at = |order: &Value| order["created_at"].as_str().unwrap().to_owned();
    let [early, late] = [3, 1].map(|at: usize| placed_at(&all[at]));
    let between = |from: &str, before: &str| -> Vec<String> {
        let wanted = all.iter().filter(|order| {
            let placed_at = placed_at(order);
            placed_at.as_str() >= from && placed_at.as_str() < before
        });
        wanted.map(id_of).collect()
    };
    let (always, never) = ("0000-01-01T00:00:00.000Z", "9999-01-01T00:00:00.000Z");
    // The orders may have been placed in one millisecond, so what is expected is worked out.
    assert_eq!(between(always, never).len(), 5, "{all:?}");

    for (query, expected) in [
        (vec![("created_from", &*early)], between(&early, never)),
        (vec![("created_before", &*late)], between(always, &late)),
        (
            vec![("created_from", &*early), ("created_before", &*late)],
            between(&early, &late),
        ),
        (vec![("created_before", &*early)], between(always, &early)),
        (vec![("created_from", &*late)], between(&late, never)),
        (vec![("created_from", "2126-01-01T00:00:00Z")], Vec::new()),
        (vec![("created_before", "2000-01-01T00:00:00Z")], Vec::new()),
    ] {
        for limit in ["1", "100"] {
            let query = [&query[..], &[("limit", limit)]].concat();
            let listed = ids(&stack, &buyer, &query).await;
            assert_eq!(listed, expected, "{query:?}");
        }
    }
}

#[tokio::test]
async fn a_time_is_the_same_however_it_is_written() {
    let stack = Stack::connect().await;
    let (buyer, id) = (stack.new_customer().await, Uuid::new_v4().to_string());
    stack.place_silently(&id, &buyer.id, &new_sku()).await;
    assert_eq!(PLACED_SILENTLY, "2026-01-02T03:04:05.678Z");

    for (name, time, is_listed) in [
        ("created_from", "2026-01-02T03:04:05.678Z", true),
        ("created_from", "2026-01-02T04:04:05.678+01:00", true),
        ("created_from", "2026-01-01T22:04:05.678-05:00", true),
        ("created_from", "2026-01-02T03:04:05Z", true),
        ("created_from", "2026-01-02T03:04:05.679Z", false),
        ("created_from", "2026-01-02T04:04:05.679+01:00", false),
        ("created_from", "2026-01-02T03:04:06Z", false),
        ("created_before", "2026-01-02T03:04:05.678Z", false),
        ("created_before", "2026-01-02T04:04:05.678+01:00", false),
        ("created_before", "2026-01-02T03:04:05Z", false),
        ("created_before", "2026-01-02T03:04:05.679Z", true),
        ("created_before", "2026-01-02T04:04:05.679+01:00", true),
        ("created_before", "2026-01-02T03:04:06Z", true),
    ] {
        let listed = ids(&stack, &buyer, &[(name, time)]).await;
        assert_eq!(listed.contains(&id), is_listed, "{name} {time}");
    }
}

#[tokio::test]
async fn orders_are_listed_by_status_and_time_page_by_page() {
    let stack = Stack::connect().await;
    let buyer = stack.new_customer().await;
    let status = |number: usize| {
        if number.is_multiple_of(3) {
            "CANCELLED"
        } else {
            "REJECTED"
        }
    };
    let written = write_orders(&stack, &buyer, 12, status).await;

    // Those of the seconds from 3 to before 10 are 3 to 9, of which 3, 6 and 9 are cancelled.
    let time = [
        ("created_from", "2026-01-02T03:00:03Z"),
        ("created_before", "2026-01-02T03:00:10Z"),
    ];
    for (status, seconds) in [
        ("CANCELLED", vec![9, 6, 3]),
        ("REJECTED", vec![8, 7, 5, 4]),
        ("CANCELLED,REJECTED", vec![9, 8, 7, 6, 5, 4, 3]),
        ("CONFIRMED", vec![]),
    ] {
        let expected: Vec<&String> = seconds.iter().map(|at: &usize| &written[*at]).collect();
        for limit in ["1", "2", "3", "100"] {
            let query = [&time[..], &[("status", status), ("limit", limit)]].concat();
            let listed = ids(&stack, &buyer, &query).await;
            let listed: Vec<&String> = listed.iter().collect();
            assert_eq!(listed, expected, "{query:?}");
        }
    }
}

#[tokio::test]
async fn a_few_orders_among_many_are_found_however_far_back_they_are() {
    let stack = Stack::connect().await;
    let buyer = stack.new_customer().await;
    // The oldest two, and one in between.
    let status = |number: usize| {
        if [0, 1, 20].contains(&number) {
            "CANCELLED"
        } else {
            "REJECTED"
        }
    };
    let written = write_orders(&stack, &buyer, LOOKED_AT + 30, status).await;
    let expected = [20, 1, 0].map(|number: usize| written[number].clone());

    for limit in ["1", "2", "100"] {
        let query = [("status", "CANCELLED"), ("limit", limit)];
        let pages = stack.pages("/orders", Some(&buyer), &query).await;
        assert!(
            pages[0].is_empty(),
            "none of them is among the first {LOOKED_AT}: {:?}",
            pages[0]
        );
        let listed: Vec<String> = pages.concat().iter().map(id_of).collect();
        assert_eq!(listed, expected, "{limit} at a time");
        assert!(pages.len() <= 5, "{} pages, {limit} at a time", pages.len());
    }
    let query = [("status", "REJECTED"), ("limit", "100")];
    let others = ids(&stack, &buyer, &query).await;
    assert_eq!(others.len(), LOOKED_AT + 30 - 3);
}

#[tokio::test]
async fn pages_of_orders_stay_whole_while_orders_are_placed() {
    let stack = Stack::connect().await;
    let buyer = stack.new_customer().await;
    let order = order_of(&[("no-such-thing", 1)], GOOD_CARD);
    for _ in 0..7 {
        stack.place(&buyer, &order).await;
    }
    let before = ids(&stack, &buyer, &[]).await;
    assert_eq!(before.len(), 7);

    let (mut seen, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let mut query = vec![("limit", "2")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let page = list(&stack, &buyer, &query).send();
        let more = join_all((0..3).map(|_| stack.place(&buyer, &order)));
        let (page, _) = join(page, more).await;
        let page = page.expect(200).json();
        seen.extend(page["items"].as_array().unwrap().iter().map(id_of));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }

    let mut once = seen.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), seen.len(), "an order came twice: {seen:?}");
    // What was placed while the first page was read may be on it, before all others.
    seen.retain(|id| before.contains(id));
    assert_eq!(seen, before);
}

#[tokio::test]
async fn a_cursor_holds_though_its_order_is_no_longer_one_of_those_asked_for() {
    let stack = Stack::connect().await;
    let buyer = stack.new_customer().await;
    let written = write_orders(&stack, &buyer, 5, |_| "REJECTED").await;
    let query = [("status", "REJECTED"), ("limit", "2")];
    let first = list(&stack, &buyer, &query).send().await.expect(200).json();
    let shown: Vec<String> = first["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(id_of)
        .collect();
    assert_eq!(shown, [written[4].clone(), written[3].clone()]);

    // The last one of the page becomes another, and so does one that is still to come.
    for at in [3, 1] {
        let time = second(at);
        let (id, sku) = (&written[at], new_sku());
        stack
            .write_order(id, &buyer.id, &sku, "CANCELLED", &time)
            .await;
    }
    let cursor = first["next_cursor"].as_str().expect("a second page");
    let query = [("status", "REJECTED"), ("limit", "100"), ("cursor", cursor)];
    let rest = list(&stack, &buyer, &query).send().await.expect(200).json();

    let shown: Vec<String> = rest["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(id_of)
        .collect();
    assert_eq!(shown, [written[2].clone(), written[0].clone()]);
    assert_eq!(rest["next_cursor"], Value::Null);
}

#[tokio::test]
async fn a_filter_of_orders_that_cannot_be_is_refused_by_name() {
    let stack = Stack::connect().await;
    let buyer = stack.new_customer().await;

    for (name, value) in [
        ("status", "OPEN"),
        ("status", "confirmed"),
        ("status", ""),
        ("status", "CONFIRMED,OPEN"),
        ("status", "CONFIRMED,,REJECTED"),
        ("status", "CONFIRMED;REJECTED"),
        ("created_from", "yesterday"),
        ("created_from", ""),
        ("created_from", "2026-01-02"),
        ("created_from", "2026-01-02T03:04:05"),
        ("created_from", "2026-13-02T03:04:05Z"),
        ("created_from", "1767323045"),
        ("created_before", "2026-02-30T00:00:00Z"),
        ("created_before", "now"),
    ] {
        let answer = list(&stack, &buyer, &[(name, value)]).send().await;
        let at_fault = answer.parameter_at_fault("invalid-filter");
        assert_eq!(at_fault, name, "{value:?}");
    }
    for (name, value, problem) in [
        ("limit", "0", "invalid-limit"),
        ("limit", "ten", "invalid-limit"),
        ("cursor", "forged", "invalid-cursor"),
    ] {
        let query = [("status", "CONFIRMED"), (name, value)];
        let answer = list(&stack, &buyer, &query).send().await;
        assert_eq!(answer.parameter_at_fault(problem), name);
        let query = [("name_prefix", "tea"), (name, value)];
        let answer = stack.api.get("/products").query(&query).send().await;
        assert_eq!(answer.parameter_at_fault(problem), name);
    }
}

#[tokio::test]
async fn a_filter_opens_no_door_to_anothers_orders() {
    let stack = Stack::connect().await;
    let (buyer, other) = (stack.new_customer().await, stack.new_customer().await);
    write_orders(&stack, &buyer, 3, |_| "REJECTED").await;
    let filter = [
        ("status", "REJECTED"),
        ("created_from", "2026-01-01T00:00:00Z"),
        ("limit", "1"),
    ];
    let page = list(&stack, &buyer, &filter)
        .send()
        .await
        .expect(200)
        .json();
    let cursor = page["next_cursor"].as_str().expect("a second page");

    assert_eq!(ids(&stack, &other, &filter).await, Vec::<String>::new());
    let query = [&filter[..], &[("cursor", cursor)]].concat();
    let answer = list(&stack, &other, &query).send().await;
    assert_eq!(answer.parameter_at_fault("invalid-cursor"), "cursor");
    list(&stack, &buyer, &query).send().await.expect(200);
}

#[tokio::test]
async fn products_are_found_by_how_their_names_begin_whatever_their_case() {
    let stack = Stack::connect().await;
    let family = format!("Family {}", Uuid::new_v4());
    let names = [
        format!("{family} alpha"),
        format!("{} Beta", family.to_uppercase()),
        format!("{family} gamma"),
        format!("{} GAMMA RAY", family.to_lowercase()),
        family.clone(),
    ];
    offer(&stack, &names).await;
    // Its name holds the words, and doesn't begin with them.
    offer(&stack, &[format!("The {family}")]).await;
    let [alpha, beta, gamma, ray, plain] = names.each_ref().map(String::as_str);

    for prefix in [
        family.clone(),
        family.to_lowercase(),
        family.to_uppercase(),
        family[..30].to_owned(),
    ] {
        for limit in ["1", "2", "100"] {
            let found = names_found(&stack, &[("name_prefix", &prefix), ("limit", limit)]).await;
            assert_eq!(found, [plain, alpha, beta, gamma, ray], "{prefix}");
        }
    }
    for (more, expected) in [
        (" G", vec![gamma, ray]),
        (" gAmMa", vec![gamma, ray]),
        (" gamma r", vec![ray]),
        (" delta", vec![]),
    ] {
        let prefix = format!("{family}{more}");
        let found = names_found(&stack, &[("name_prefix", &prefix)]).await;
        assert_eq!(found, expected, "{prefix}");
    }
}

#[tokio::test]
async fn a_prefix_may_hold_whatever_a_name_may() {
    let stack = Stack::connect().await;
    let id = Uuid::new_v4();

    for (name, prefix) in [
        (format!("100% {id}"), format!("100% {id}")),
        (format!("100%25 {id}"), format!("100%25 {id}")),
        (format!("Äpfel {id}"), format!("äPFEL {id}")),
        (format!("ÉCLAIR ŞÖLEN {id}"), format!("éclair şölen {id}")),
        (format!("お茶 {id}"), format!("お茶 {id}")),
        (format!("A+B & C=D? #1 {id}"), format!("a+b & c=d? #1 {id}")),
        (format!("\"it's\" \\ {id}"), format!("\"IT'S\" \\ {id}")),
        (format!("_*:{id}"), format!("_*:{id}")),
        (format!("☕️ {id}"), format!("☕️ {id}")),
    ] {
        offer(&stack, slice::from_ref(&name)).await;
        let found = names_found(&stack, &[("name_prefix", &prefix)]).await;
        assert_eq!(found, [name], "{prefix}");
    }
    // None of these is a pattern for all that was offered.
    for pattern in [format!("% {id}"), format!("*{id}"), format!(".{id}")] {
        let found = names_found(&stack, &[("name_prefix", &pattern)]).await;
        assert!(found.is_empty(), "{pattern}: {found:?}");
    }
}

#[tokio::test]
async fn a_space_at_the_end_of_a_prefix_is_part_of_it() {
    let stack = Stack::connect().await;
    let word = format!("Word {}", Uuid::new_v4());
    let names = [format!("{word} and more"), format!("{word}s")];
    offer(&stack, &names).await;

    let found = names_found(&stack, &[("name_prefix", &word)]).await;
    assert_eq!(found, names);
    let prefix = format!("{word} ");
    let found = names_found(&stack, &[("name_prefix", &prefix)]).await;
    assert_eq!(found, [names[0].as_str()]);
}

#[tokio::test]
async fn a_prefix_has_from_1_to_200_characters() {
    let stack = Stack::connect().await;
    let list = |prefix: &str| {
        let query = [("name_prefix", prefix)];
        stack.api.get("/products").query(&query).send()
    };

    for bad in [String::new(), "x".repeat(201), "ä".repeat(201)] {
        let at_fault = list(&bad).await.parameter_at_fault("invalid-filter");
        assert_eq!(at_fault, "name_prefix", "{bad}");
    }
    let id = Uuid::new_v4().to_string();
    for good in ["x".repeat(164) + &id, "ä".repeat(164) + &id, id] {
        let page = list(&good).await.expect(200).json();
        assert_eq!(page, json!({"items": [], "next_cursor": null}), "{good}");
    }
}

#[tokio::test]
async fn a_cursor_of_a_product_that_does_not_begin_so_is_refused() {
    let stack = Stack::connect().await;
    let families = ["Left", "Right"].map(|side| format!("{side} {}", Uuid::new_v4()));
    for family in &families {
        let names = [1, 2, 3].map(|number| format!("{family} {number}"));
        offer(&stack, &names).await;
    }
    let [left, right] = families.each_ref().map(String::as_str);
    let list = |prefix: &str, cursor: Option<&str>| {
        let query = [("name_prefix", prefix), ("limit", "1")];
        let call = stack.api.get("/products").query(&query);
        match cursor {
            None => call.send(),
            Some(cursor) => call.query(&[("cursor", cursor)]).send(),
        }
    };

    let page = list(left, None).await.expect(200).json();
    let cursor = page["next_cursor"].as_str().expect("a second page");
    let next = list(left, Some(cursor)).await.expect(200).json();
    assert_eq!(next["items"][0]["name"], format!("{left} 2"));
    for (prefix, cursor) in [(right, cursor), (left, "forged"), (left, "")] {
        let answer = list(prefix, Some(cursor)).await;
        assert_eq!(answer.parameter_at_fault("invalid-cursor"), "cursor");
    }
}

/// A signed-in `GET /orders`, not sent yet.
fn list(stack: &Stack, buyer: &Person, query: &[(&str, &str)]) -> Call {
    let call = stack.api.get("/orders").bearer(&buyer.token);
    call.query(query)
}

/// The ids of all orders that a customer is listed when they ask in this way.
async fn ids(stack: &Stack, buyer: &Person, query: &[(&str, &str)]) -> Vec<String> {
    let pages = stack.pages("/orders", Some(buyer), query).await;
    pages.concat().iter().map(id_of).collect()
}

fn id_of(order: &Value) -> String {
    order["id"].as_str().expect("an id").to_owned()
}

/// Writes down orders that were placed a second after the other and have come to these statuses, without a
/// saga. Answers their ids, the oldest first.
async fn write_orders(
    stack: &Stack,
    buyer: &Person,
    count: usize,
    status: impl Fn(usize) -> &'static str,
) -> Vec<String> {
    let ids: Vec<String> = (0..count).map(|_| Uuid::new_v4().to_string()).collect();
    let sku = new_sku();
    for (number, ids) in ids.chunks(10).enumerate() {
        let (sku, status) = (&sku, &status);
        let written = ids.iter().enumerate().map(async |(at, id)| {
            let at = number * 10 + at;
            stack
                .write_order(id, &buyer.id, sku, status(at), &second(at))
                .await;
        });
        join_all(written).await;
    }
    ids
}

/// The moment so many seconds after a certain hour.
fn second(number: usize) -> String {
    let (minute, second) = (number / 60, number % 60);
    format!("2026-01-02T03:{minute:02}:{second:02}.000Z")
}

/// Offers products of these names.
async fn offer(stack: &Stack, names: &[String]) {
    for name in names {
        let product = json!({"name": name, "unit_price": euro_cents(450)});
        let put = stack.put_product(&new_sku(), &product).await;
        put.expect(201);
    }
}

/// The names of all products that are listed for who asks in this way.
async fn names_found(stack: &Stack, query: &[(&str, &str)]) -> Vec<String> {
    let pages = stack.pages("/products", None, query).await;
    let products = pages.concat();
    products
        .iter()
        .map(|product| product["name"].as_str().expect("a name").to_owned())
        .collect()
}
