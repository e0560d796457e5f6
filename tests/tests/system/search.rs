//! The search of everybody's orders: by status, product, customer and time, day after day into the past.

use futures::future::join_all;
use oxcart_tests::{
    api::Call,
    operator::PLACED_SILENTLY,
    shop::{BAD_CARD, GOOD_CARD, Person, new_sku, order_of},
    stack::Stack,
};
use serde_json::{Value, json};
use uuid::Uuid;

/// How many orders are looked at for one page at most.
const LOOKED_AT: usize = 300;

#[tokio::test]
async fn everybodys_orders_are_found_from_the_newest_to_the_oldest_however_many_days_lie_between() {
    let stack = Stack::connect().await;
    let month = Month::of_its_own();
    let people = [stack.support().await, stack.admin().await];
    let times = [
        month.at("30T23:59:59.999Z"),
        month.at("30T00:00:00.000Z"),
        month.at("29T23:59:59.999Z"),
        month.at("17T12:00:00.000Z"),
        month.at("17T11:59:59.000Z"),
        month.at("01T00:00:00.000Z"),
    ];
    let mut written = Vec::new();
    for time in &times {
        let customer = Uuid::new_v4().to_string();
        written.push(write(&stack, &customer, &new_sku(), "CONFIRMED", time).await);
    }

    for person in &people {
        for limit in ["1", "2", "3", "6", "100"] {
            let query = [&month.whole()[..], &[("limit", limit)]].concat();
            let found = ids(&stack, person, &query).await;
            assert_eq!(found, written, "{limit} at a time");
        }
    }
}

#[tokio::test]
async fn an_order_is_shown_as_it_stands_and_without_what_pays_for_it() {
    let stack = Stack::connect().await;
    let (buyer, support) = (stack.new_customer().await, stack.support().await);
    let sku = stack.new_product(1250, 9).await;
    let sold = stack.buy(&buyer, &order_of(&[(&sku, 2)], GOOD_CARD)).await;
    let declined = stack.buy(&buyer, &order_of(&[(&sku, 1)], BAD_CARD)).await;
    assert_eq!(declined["status"], "REJECTED", "{declined}");

    // Others place orders meanwhile, and one request looks at so many only.
    let since = sold["created_at"].as_str().unwrap();
    let query = [("sku", &*sku), ("created_from", since)];
    let found = search(&stack, &support, &query).send().await;
    let page = found.expect(200).json();

    let expected: Vec<Value> = [&declined, &sold]
        .into_iter()
        .map(|order| {
            let mut shown = order.clone();
            shown.as_object_mut().unwrap().remove("timeline");
            shown["customer_id"] = json!(buyer.id);
            shown["needs_attention"] = json!(false);
            shown
        })
        .collect();
    assert_eq!(page, json!({"items": expected, "next_cursor": null}));
}

#[tokio::test]
async fn an_order_that_was_left_to_a_person_says_so() {
    let stack = Stack::connect().await;
    let (support, sku) = (stack.support().await, new_sku());
    let (order_id, customer) = (Uuid::new_v4().to_string(), Uuid::new_v4().to_string());
    stack.place_silently(&order_id, &customer, &sku).await;
    let parked = json!({"order_id": order_id, "state": "ChargePayment", "error": "Broken"});
    stack.answer_of("park-order", &parked).await;

    let query = [
        ("customer_id", &*customer),
        ("created_from", "2026-01-01T00:00:00Z"),
    ];
    let found = all(&stack, &support, &query).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["needs_attention"], true, "{found:?}");
    assert_eq!(found[0]["status"], "PENDING", "{found:?}");
    assert_eq!(found[0]["total"], Value::Null, "{found:?}");
}

#[tokio::test]
async fn orders_are_found_by_status_product_and_customer() {
    let stack = Stack::connect().await;
    let (month, support) = (Month::of_its_own(), stack.support().await);
    let [ada, bob] = [(); 2].map(|()| Uuid::new_v4().to_string());
    let [mug, tea] = [(); 2].map(|()| new_sku());
    let (mut written, mut day) = (Vec::new(), 28);
    for (customer, sku, status) in [
        (&ada, &mug, "CONFIRMED"),
        (&ada, &tea, "REJECTED"),
        (&bob, &mug, "REJECTED"),
        (&bob, &tea, "CONFIRMED"),
        (&ada, &mug, "CANCELLED"),
    ] {
        let time = month.at(&format!("{day:02}T10:00:00.000Z"));
        written.push(write(&stack, customer, sku, status, &time).await);
        day -= 5;
    }

    for (filter, expected) in [
        (vec![("status", "CONFIRMED")], vec![0, 3]),
        (vec![("status", "CANCELLED,REJECTED")], vec![1, 2, 4]),
        (vec![("status", "PENDING")], vec![]),
        (vec![("sku", &*mug)], vec![0, 2, 4]),
        (vec![("sku", "no-such-thing")], vec![]),
        (vec![("customer_id", &*ada)], vec![0, 1, 4]),
        (vec![("customer_id", &*ada), ("sku", &*mug)], vec![0, 4]),
        (
            vec![("customer_id", &*bob), ("status", "REJECTED")],
            vec![2],
        ),
        (vec![("sku", &*tea), ("status", "REJECTED")], vec![1]),
        (
            vec![
                ("customer_id", &*ada),
                ("sku", &*mug),
                ("status", "CANCELLED"),
            ],
            vec![4],
        ),
    ] {
        let expected: Vec<&String> = expected.iter().map(|at: &usize| &written[*at]).collect();
        for limit in ["1", "2", "100"] {
            let query = [&month.whole()[..], &filter, &[("limit", limit)]].concat();
            let found = ids(&stack, &support, &query).await;
            let found: Vec<&String> = found.iter().collect();
            assert_eq!(found, expected, "{filter:?}, {limit} at a time");
        }
    }
}

#[tokio::test]
async fn a_time_holds_its_first_moment_and_not_its_last() {
    let stack = Stack::connect().await;
    let (month, support) = (Month::of_its_own(), stack.support().await);
    let times = ["12T00:00:00.000Z", "11T15:00:00.000Z", "10T00:00:00.000Z"].map(|at| month.at(at));
    let mut written = Vec::new();
    for time in &times {
        let customer = Uuid::new_v4().to_string();
        written.push(write(&stack, &customer, &new_sku(), "CONFIRMED", time).await);
    }
    let [newest, middle, oldest] = [0, 1, 2].map(|at: usize| times[at].as_str());
    let end = month.at("30T00:00:00Z");

    for (from, before, expected) in [
        (newest, &*end, &written[..1]),
        (middle, newest, &written[1..2]),
        (oldest, newest, &written[1..]),
        (oldest, middle, &written[2..]),
    ] {
        let query = [("created_from", from), ("created_before", before)];
        assert_eq!(ids(&stack, &support, &query).await, expected, "{query:?}");
    }
}

#[tokio::test]
async fn unless_a_time_is_asked_for_it_is_the_31_days_before_its_end() {
    let stack = Stack::connect().await;
    let support = stack.support().await;
    let (order_id, customer) = (Uuid::new_v4().to_string(), Uuid::new_v4().to_string());
    stack.place_silently(&order_id, &customer, &new_sku()).await;
    assert_eq!(PLACED_SILENTLY, "2026-01-02T03:04:05.678Z");
    let buyer = stack.new_customer().await;
    let order = order_of(&[("no-such-thing", 1)], GOOD_CARD);
    let fresh = stack.place(&buyer, &order).await;

    for (customer, before, expected) in [
        (&buyer.id, None, Some(&fresh)),
        (&customer, None, None),
        (&customer, Some("2026-02-02T03:04:05.678Z"), Some(&order_id)),
        (&customer, Some("2026-02-02T03:04:05.679Z"), None),
        (&customer, Some("2026-01-02T03:04:05.678Z"), None),
        // The future has its 31 days, too.
        (&buyer.id, Some("9999-12-31T00:00:00Z"), None),
    ] {
        let mut query = vec![("customer_id", customer.as_str())];
        query.extend(before.map(|before| ("created_before", before)));
        let found = ids(&stack, &support, &query).await;
        assert_eq!(found.first(), expected, "{query:?}");
    }
}

#[tokio::test]
async fn empty_days_are_passed_a_month_at_a_time() {
    let stack = Stack::connect().await;
    let (month, support) = (Month::of_its_own(), stack.support().await);
    let time = month.at("01T08:00:00.000Z");
    let id = write(
        &stack,
        &Uuid::new_v4().to_string(),
        &new_sku(),
        "CONFIRMED",
        &time,
    )
    .await;

    let in_its_month = pages(&stack, &support, &month.whole()).await;
    assert_eq!(in_its_month.len(), 1, "{in_its_month:?}");
    // Others may have written theirs in between.
    let (from, before) = (
        month.at("01T00:00:00Z"),
        month.years_later("20T00:00:00Z", 1),
    );
    let query = [("created_from", &*from), ("created_before", &*before)];
    let year = pages(&stack, &support, &query).await;
    assert!(year.len() > 5, "a year in {} pages", year.len());
    assert!(year.len() < 20, "a year in {} pages", year.len());
    assert_eq!(id_of(year.concat().last().unwrap()), id);
}

#[tokio::test]
async fn a_few_orders_among_many_are_found_however_far_back_they_are() {
    let stack = Stack::connect().await;
    let (month, support) = (Month::of_its_own(), stack.support().await);
    let (customer, sku) = (Uuid::new_v4().to_string(), new_sku());
    let mut others = Vec::new();
    for number in 0..LOOKED_AT + 10 {
        let (hour, minute) = (number % 20, number / 20);
        let day = 20 - number / (LOOKED_AT / 2);
        others.push(month.at(&format!("{day:02}T{hour:02}:{minute:02}:00.000Z")));
    }
    for times in others.chunks(10) {
        let written = times
            .iter()
            .map(|time| write(&stack, &customer, &sku, "REJECTED", time));
        join_all(written).await;
    }
    let time = month.at("02T00:00:00.000Z");
    let wanted = write(&stack, &customer, &sku, "CONFIRMED", &time).await;

    for whose in [None, Some(("customer_id", customer.as_str()))] {
        let mut query = month.whole().to_vec();
        query.extend([("status", "CONFIRMED"), ("sku", &sku)]);
        query.extend(whose);
        let found = pages(&stack, &support, &query).await;
        assert!(found[0].is_empty(), "none is among the first {LOOKED_AT}");
        assert!(found.len() <= 3, "{} pages", found.len());
        let found: Vec<String> = found.concat().iter().map(id_of).collect();
        assert_eq!(found, [wanted.as_str()], "{whose:?}");
    }
    let query = [&month.whole()[..], &[("limit", "100")]].concat();
    assert_eq!(all(&stack, &support, &query).await.len(), others.len() + 1);
}

#[tokio::test]
async fn a_cursor_is_a_place_in_time_and_nothing_else() {
    let stack = Stack::connect().await;
    let (month, support) = (Month::of_its_own(), stack.support().await);
    let customer = Uuid::new_v4().to_string();
    let mut written = Vec::new();
    for day in (1..=5).rev() {
        let time = month.at(&format!("{day:02}T09:30:00.000Z"));
        written.push(write(&stack, &customer, &new_sku(), "CONFIRMED", &time).await);
    }
    let query = [&month.whole()[..], &[("limit", "2")]].concat();
    let page = search(&stack, &support, &query)
        .send()
        .await
        .expect(200)
        .json();
    let cursor = page["next_cursor"].as_str().expect("a second page");

    // It leads on for everybody who may search, and among the orders of that customer, too.
    for (person, more) in [
        (&support, None),
        (&stack.admin().await, None),
        (&support, Some(("customer_id", customer.as_str()))),
    ] {
        let mut query = month.whole().to_vec();
        query.extend([("cursor", cursor), ("limit", "100")]);
        query.extend(more);
        let rest = search(&stack, person, &query)
            .send()
            .await
            .expect(200)
            .json();
        let items = rest["items"].as_array().unwrap();
        let found: Vec<String> = items.iter().map(id_of).collect();
        assert_eq!(found, written[2..], "{more:?}");
        assert_eq!(rest["next_cursor"], Value::Null);
    }
    // Nothing of an earlier time follows, and a later one can't have been given out.
    let later = [
        ("created_from", &*month.at("20T00:00:00Z")),
        ("cursor", cursor),
    ];
    assert_eq!(ids(&stack, &support, &later).await, Vec::<String>::new());
    let earlier = [
        ("created_before", &*month.at("01T00:00:00Z")),
        ("cursor", cursor),
    ];
    let answer = search(&stack, &support, &earlier).send().await;
    assert_eq!(answer.parameter_at_fault("invalid-cursor"), "cursor");
}

#[tokio::test]
async fn what_cannot_be_searched_for_is_refused_by_name() {
    let stack = Stack::connect().await;
    let support = stack.support().await;

    for (name, value, problem) in [
        ("status", "OPEN", "invalid-filter"),
        ("status", "", "invalid-filter"),
        ("sku", "", "invalid-filter"),
        ("sku", "a mug", "invalid-filter"),
        ("customer_id", "", "invalid-filter"),
        ("customer_id", "ada", "invalid-filter"),
        ("created_from", "yesterday", "invalid-filter"),
        ("created_from", "9999-01-01T00:00:00Z", "invalid-filter"),
        ("created_before", "2026-11-22", "invalid-filter"),
        ("limit", "0", "invalid-limit"),
        ("limit", "101", "invalid-limit"),
        ("cursor", "", "invalid-cursor"),
        ("cursor", "forged", "invalid-cursor"),
        // An order's id, as the customers' list has it, and a time.
        (
            "cursor",
            "NWIwZjZjMGUtOWYwYy01ZDdlLThhNTMtNmEyZjVkMWM5ZTQ0",
            "invalid-cursor",
        ),
        (
            "cursor",
            "MjAyNi0xMS0yMlQxMDoxNzowMC4wMDBa",
            "invalid-cursor",
        ),
    ] {
        let answer = search(&stack, &support, &[(name, value)]).send().await;
        assert_eq!(answer.parameter_at_fault(problem), name, "{value:?}");
    }
    let time = "2026-01-02T00:00:00Z";
    let query = [("created_from", time), ("created_before", time)];
    let answer = search(&stack, &support, &query).send().await;
    assert_eq!(
        answer.parameter_at_fault("invalid-filter"),
        "created_before"
    );
}

/// A month of a year long ago, which no other test has found.
struct Month {
    year: u16,
    first: String,
    end: String,
}

impl Month {
    fn of_its_own() -> Self {
        let random = Uuid::new_v4().as_u128() % 900;
        let year = 1000 + u16::try_from(random).expect("less than 900");
        Self {
            year,
            first: format!("{year}-06-01T00:00:00Z"),
            end: format!("{year}-07-01T00:00:00Z"),
        }
    }

    /// The time of a day of the month.
    fn at(&self, rest: &str) -> String {
        self.years_later(rest, 0)
    }

    fn years_later(&self, rest: &str, years: u16) -> String {
        format!("{}-06-{rest}", self.year + years)
    }

    /// What asks for all of it.
    fn whole(&self) -> [(&str, &str); 2] {
        [("created_from", &self.first), ("created_before", &self.end)]
    }
}

/// Writes down an order without a saga. Answers its id.
async fn write(stack: &Stack, customer: &str, sku: &str, status: &str, time: &str) -> String {
    let id = Uuid::new_v4().to_string();
    stack.write_order(&id, customer, sku, status, time).await;
    id
}

fn search(stack: &Stack, person: &Person, query: &[(&str, &str)]) -> Call {
    let call = stack.api.get("/operations/orders").bearer(&person.token);
    call.query(query)
}

async fn pages(stack: &Stack, person: &Person, query: &[(&str, &str)]) -> Vec<Vec<Value>> {
    stack.pages("/operations/orders", Some(person), query).await
}

async fn all(stack: &Stack, person: &Person, query: &[(&str, &str)]) -> Vec<Value> {
    pages(stack, person, query).await.concat()
}

async fn ids(stack: &Stack, person: &Person, query: &[(&str, &str)]) -> Vec<String> {
    let found = all(stack, person, query).await;
    found.iter().map(id_of).collect()
}

fn id_of(order: &Value) -> String {
    order["id"].as_str().expect("an id").to_owned()
}
