//! What the console shows and does: an order across the services, what was given up, and whether the books agree. Every
//! test names its own orders, messages and days, so that none hides or moves what another one waits for.

use oxcart_tests::{
    api::{Answer, Call},
    eventually::{PATIENCE, eventually},
    shop::{BAD_CARD, GOOD_CARD, Person, order_of},
    stack::Stack,
    subscription::Subscription,
};
use serde_json::{Value, json};
use uuid::Uuid;

/// The queues of what was given up, and what each holds.
const QUEUES: [(&str, &str); 5] = [
    ("events-parked", "parked-events"),
    ("notifications-dlq", "dead-letters"),
    ("placed-orders-dlq", "dead-letters"),
    ("refunds-dlq", "dead-letters"),
    ("saga-parked", "parked-orders"),
];

#[tokio::test]
async fn an_order_shows_where_its_saga_went_and_what_happened() {
    let console = Console::open().await;
    let stack = &console.stack;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(1250, 3).await);
    let order = stack.buy(&buyer, &order_of(&[(&sku, 2)], BAD_CARD)).await;
    let id = order["id"].as_str().unwrap();
    stack.saga_ends_well(id).await;

    let read = console
        .get(&format!("/operations/orders/{id}"))
        .await
        .expect(200);
    let examined = read.json();

    let shown = &examined["order"];
    assert_eq!(
        (&shown["status"], &shown["customer_id"]),
        (&json!("REJECTED"), &json!(buyer.id))
    );
    assert_eq!(shown["reason"], "payment-declined");
    assert_eq!(
        (&shown["needs_attention"], &shown["resumes"]),
        (&json!(false), &json!(0))
    );
    assert_eq!(shown["lines"][0]["unit_price"]["amount"], 1250);
    assert_eq!(examined["reservation"]["status"], "RELEASED");
    assert_eq!(examined["payment"]["status"], "DECLINED");
    assert_eq!(examined["payment"]["decline_code"], "card_declined");
    let run = &examined["runs"][0];
    assert_eq!(
        (&run["saga"], &run["number"]),
        (&json!("order-saga"), &json!(0))
    );
    assert_eq!(
        (&run["name"], &run["status"]),
        (&json!(id), &json!("SUCCEEDED"))
    );
    let charge = find(&run["visits"], "state", "ChargePayment").expect("it tried to charge");
    assert_eq!(charge["failures"][0]["error"], "PaymentDeclined");
    assert!(
        charge["left"].as_str() > charge["entered"].as_str(),
        "{charge}"
    );
    let story = examined["story"].as_array().unwrap();
    let times: Vec<&str> = story
        .iter()
        .map(|told| told["at"].as_str().unwrap())
        .collect();
    assert!(times.is_sorted(), "{times:?}");
    let released = find(&examined["story"], "what", "stock.released").expect("the stock is back");
    assert_eq!(
        (&released["place"], &released["weight"]),
        (&json!("inventory"), &json!("event"))
    );
    let text = read.text();
    for hidden in [BAD_CARD, "arn:aws", "@"] {
        assert!(!text.contains(hidden), "{hidden} in {text}");
    }

    let support = stack.support().await;
    let path = format!("/operations/orders/{id}");
    let as_support = stack.api.get(&path).bearer(&support.token);
    assert_eq!(as_support.send().await.expect(200).json()["id"], id);
    let tag = read.header("ETag").expect("a tag");
    let again = console.call(&path).header("If-None-Match", tag);
    again.send().await.expect(304);
}

#[tokio::test]
async fn who_may_not_operate_the_shop_sees_nothing_of_it() {
    let console = Console::open().await;
    let stack = &console.stack;
    let (customer, support) = (stack.new_customer().await, stack.support().await);
    let id = Uuid::new_v4();
    let reads = [
        "/operations/queues".to_owned(),
        "/operations/queues/refunds-dlq/messages".to_owned(),
        "/operations/books".to_owned(),
    ];
    let writes = [
        "/operations/queues/refunds-dlq/redrive".to_owned(),
        format!("/operations/orders/{id}/resume"),
    ];
    for person in [&customer, &support] {
        let as_person = |call: Call| call.bearer(&person.token);
        for path in &reads {
            let answer = as_person(stack.api.get(path)).send().await;
            answer.problem(403, "forbidden");
        }
        for path in &writes {
            let answer = as_person(stack.api.post(path))
                .json(&json!({}))
                .send()
                .await;
            answer.problem(403, "forbidden");
        }
    }
    let examine = stack.api.get(&format!("/operations/orders/{id}"));
    let answer = examine.bearer(&customer.token).send().await;
    answer.problem(403, "forbidden");
}

#[tokio::test]
async fn what_there_is_not_is_404_and_what_can_not_be_is_refused() {
    let console = Console::open().await;
    for id in [Uuid::new_v4().to_string(), "1234".to_owned()] {
        let examined = console.get(&format!("/operations/orders/{id}")).await;
        examined.problem(404, "not-found");
        let resumed = console
            .post(&format!("/operations/orders/{id}/resume"), &json!({}))
            .await;
        resumed.problem(404, "not-found");
    }
    for queue in ["lost-and-found", "placed-orders"] {
        let listed = console
            .get(&format!("/operations/queues/{queue}/messages"))
            .await;
        listed.problem(404, "not-found");
        let redriven = console.redrive(queue, &json!({})).await;
        redriven.problem(404, "not-found");
    }
    for (body, pointer) in [
        (json!({"message_ids": []}), "/message_ids"),
        (json!({"message_ids": ["a b"]}), "/message_ids/0"),
        (json!({"ids": ["1"]}), "/ids"),
    ] {
        let refused = console.redrive("refunds-dlq", &body).await;
        let problem = refused.problem(422, "invalid-request");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    for day in ["yesterday", "2026-02-30", "2026-11-22T00:00:00Z", ""] {
        let refused = console.get(&format!("/operations/books?day={day}")).await;
        let problem = refused.problem(400, "invalid-filter");
        assert_eq!(problem["errors"][0]["parameter"], "day", "{problem}");
    }
}

#[tokio::test]
async fn a_dead_letter_is_counted_shown_without_its_body_and_redriven() {
    const DEAD_LETTERS: &str = "placed-orders-dlq";
    let console = Console::open().await;
    let stack = &console.stack;
    let [id, customer, sku] = [(); 3].map(|()| Uuid::new_v4().to_string());
    let mut event = stack.place_silently(&id, &customer, &sku).await;
    event["traceparent"] = json!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    stack
        .send_messages("PLACED_ORDERS_DLQ_URL", &[event.to_string()])
        .await;

    let queues = console.get("/operations/queues").await.expect(200).json();
    for (name, holds) in QUEUES {
        let queue = find(&queues["items"], "name", name).unwrap_or_else(|| panic!("{queues}"));
        assert_eq!(queue["holds"], holds, "{queue}");
        assert!(
            queue["messages"].is_u64() && queue["in_flight"].is_u64(),
            "{queue}"
        );
    }
    let shown = console.shown(DEAD_LETTERS, &id).await;
    assert_eq!(shown["event_type"], "order.placed");
    assert_eq!(
        (&shown["subject"], &shown["order_id"]),
        (&json!(id), &json!(id))
    );
    assert_eq!(shown["trace_id"], "0af7651916cd43dd8448eb211c80319c");
    assert!(
        shown["cause"].as_str().unwrap().contains("kept failing"),
        "{shown}"
    );
    assert!(!shown.to_string().contains(GOOD_CARD), "{shown}");

    let message = shown["id"].as_str().unwrap();
    let done = console.redriven(DEAD_LETTERS, message).await;
    assert_eq!(done["done"], true, "{done}");
    stack.saga_ends_well(&id).await;
    let gone = json!({"message_ids": [message]});
    let gone = console
        .redrive(DEAD_LETTERS, &gone)
        .await
        .expect(200)
        .json();
    assert_eq!(
        gone["items"][0]["done"], false,
        "it is there no more: {gone}"
    );
    assert_eq!(gone["items"][0]["id"], message);
}

#[tokio::test]
async fn a_parked_event_is_published_and_one_whose_item_is_gone_is_left() {
    let console = Console::open().await;
    let stack = &console.stack;
    let (buyer, sku) = (stack.new_customer().await, stack.new_product(1250, 3).await);
    let order = stack.buy(&buyer, &order_of(&[(&sku, 1)], GOOD_CARD)).await;
    let id = order["id"].as_str().unwrap();
    let mut listener = Subscription::open(stack).await;
    let key = format!("ORDER#{id}");
    let item = stack.item("ORDERS_TABLE", &key).await.expect("the order");
    let event = item["outbox"]["id"].as_str().expect("an event's id");
    let table = stack.setting("ORDERS_TABLE");
    let parked = |key: &str| {
        json!({
            "reason": "SNS refuses it: InvalidParameter",
            "event_source_arn": format!("arn:aws:dynamodb:us-east-1:0:table/{table}/stream/now"),
            "sequence_number": "7", "event_id": event, "keys": {"pk": {"S": key}},
        })
        .to_string()
    };
    let lost = Uuid::new_v4().to_string();
    let messages = [parked(&key), parked(&format!("ORDER#{lost}"))];
    stack
        .send_messages("PARKED_EVENTS_QUEUE_URL", &messages)
        .await;

    let here = console.shown("events-parked", id).await;
    let gone = console.shown("events-parked", &lost).await;
    let ids = [&here, &gone].map(|shown| shown["id"].as_str().unwrap());
    let done = console.redriven("events-parked", ids[0]).await;
    assert_eq!(done["says"], "order.confirmed was published", "{done}");
    listener.wait_for(id, &["order.confirmed"]).await;
    let left = console.redriven("events-parked", ids[1]).await;
    assert_eq!(left["says"], "its item is gone, and was left", "{left}");

    let is_lost = |body: &str| body.contains(&lost);
    eventually("it is taken away", PATIENCE, async || {
        let taken = stack
            .take_messages("PARKED_EVENTS_QUEUE_URL", is_lost)
            .await;
        taken
            .first()
            .map(drop)
            .ok_or("somebody else has it".to_owned())
    })
    .await;
    listener.close().await;
}

#[tokio::test]
async fn an_order_that_nobody_looks_after_is_resumed_and_one_that_ended_is_not() {
    let console = Console::open().await;
    let stack = &console.stack;
    let [id, customer] = [(); 2].map(|()| Uuid::new_v4().to_string());
    let buyer = stack.customer_with_id(&customer).await;
    let sku = stack.new_product(1250, 3).await;
    stack.place_silently(&id, &customer, &sku).await;
    let path = format!("/operations/orders/{id}/resume");

    let resumed = console.post(&path, &json!({})).await.expect(200).json();
    assert_eq!(resumed["outcome"], "restarted", "{resumed}");
    assert_eq!(stack.settled(&buyer, &id).await["status"], "CONFIRMED");

    let ended = console.post(&path, &json!({})).await.expect(200).json();
    assert_eq!(
        ended,
        json!({"outcome": "not-open", "says": "The order has ended."})
    );
    stack.assert_figures_agree(&[&sku]).await;
}

#[tokio::test]
async fn the_books_of_a_day_are_green_and_turn_red_over_what_is_corrupted() {
    let console = Console::open().await;
    let stack = &console.stack;
    let day = Day::of_sales(stack).await;

    let books = console.books(&day.date).await;
    assert_eq!(
        (&books["day"], &books["complete"]),
        (&json!(day.date), &json!(true))
    );
    let orders =
        json!({"PENDING": 0, "CONFIRMED": 2, "REJECTED": 1, "CANCELLING": 0, "CANCELLED": 1});
    assert_eq!(books["orders"], orders, "{books}");
    let money = json!({
        "currency": "EUR", "charged": 3750, "refunded": 1250, "kept": 2500, "in_open_orders": 0,
        "difference": 0,
    });
    assert_eq!(books["money"], json!([money]), "{books}");
    assert_eq!(broken(&books), Vec::<&str>::new(), "{books}");
    assert_eq!(books["findings"], json!([]));

    // The payment of what was sold was never made.
    day.change(
        stack,
        "PAYMENTS_TABLE",
        "PAYMENT",
        &json!({"status": "PENDING"}),
    )
    .await;
    let books = console
        .red_books(&day.date, "money-belongs-to-orders")
        .await;
    let finding = find(&books["findings"], "kind", "confirmed-without-payment");
    let finding = finding.unwrap_or_else(|| panic!("{books}"));
    assert_eq!(
        (&finding["order_id"], &finding["sku"]),
        (&json!(day.sold), &Value::Null)
    );
    assert_eq!(books["money"][0]["difference"], -1250, "{books}");
    day.change(
        stack,
        "PAYMENTS_TABLE",
        "PAYMENT",
        &json!({"status": "CHARGED"}),
    )
    .await;

    // Its units were given to somebody else.
    day.change(
        stack,
        "INVENTORY_TABLE",
        "RESERVATION",
        &json!({"status": "RELEASED"}),
    )
    .await;
    let books = console
        .red_books(&day.date, "confirmed-orders-hold-stock")
        .await;
    assert_eq!(broken(&books), ["confirmed-orders-hold-stock"], "{books}");
    day.change(
        stack,
        "INVENTORY_TABLE",
        "RESERVATION",
        &json!({"status": "HELD"}),
    )
    .await;

    // It is open again, and nobody looks after it.
    day.change(
        stack,
        "ORDERS_TABLE",
        "ORDER",
        &json!({"status": "CANCELLING"}),
    )
    .await;
    let books = console.red_books(&day.date, "orders-end").await;
    assert_eq!(broken(&books), ["orders-end"], "{books}");
    assert_eq!(books["money"][0]["in_open_orders"], 1250, "{books}");
}

/// What an admin sees and does.
struct Console {
    stack: Stack,
    admin: Person,
}

impl Console {
    async fn open() -> Self {
        let stack = Stack::connect().await;
        let admin = stack.admin().await;
        Self { stack, admin }
    }

    fn call(&self, path: &str) -> Call {
        self.stack.api.get(path).bearer(&self.admin.token)
    }

    async fn get(&self, path: &str) -> Answer {
        self.call(path).send().await
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        let call = self.stack.api.post(path).bearer(&self.admin.token);
        call.json(body).send().await
    }

    async fn redrive(&self, queue: &str, body: &Value) -> Answer {
        self.post(&format!("/operations/queues/{queue}/redrive"), body)
            .await
    }

    /// A message that is about `subject`. Twenty are shown at a time, and somebody else may be looking at the queue.
    async fn shown(&self, queue: &str, subject: &str) -> Value {
        eventually(&format!("{subject} is in {queue}"), PATIENCE, async || {
            let path = format!("/operations/queues/{queue}/messages");
            let shown = self.get(&path).await.expect(200).json();
            let mut messages = shown["items"].as_array().expect("messages").iter();
            let is_it = |message: &&Value| {
                let about = message["subject"].as_str().unwrap_or_default();
                about.contains(subject)
            };
            messages.find(is_it).cloned().ok_or(shown.to_string())
        })
        .await
    }

    /// What became of a message that was redriven, as soon as it could be had.
    async fn redriven(&self, queue: &str, message: &str) -> Value {
        let body = json!({"message_ids": [message]});
        eventually(&format!("{message} is redriven"), PATIENCE, async || {
            let done = self.redrive(queue, &body).await.expect(200).json();
            let item = done["items"][0].clone();
            let is_absent = item["says"].as_str().unwrap().contains("is not there");
            if is_absent {
                Err(done.to_string())
            } else {
                Ok(item)
            }
        })
        .await
    }

    async fn books(&self, day: &str) -> Value {
        let path = format!("/operations/books?day={day}");
        self.get(&path).await.expect(200).json()
    }

    /// The books of a day in which this does not hold any more: they are kept for some seconds.
    async fn red_books(&self, day: &str, invariant: &str) -> Value {
        eventually(&format!("{invariant} is broken"), PATIENCE, async || {
            let books = self.books(day).await;
            let is_red = broken(&books).contains(&invariant);
            if is_red {
                Ok(books)
            } else {
                Err(books.to_string())
            }
        })
        .await
    }
}

/// A day long after all others, on which two orders were sold, one was declined and one cancelled, of 12.50 EUR each.
struct Day {
    date: String,
    /// One of those that were sold.
    sold: String,
}

impl Day {
    async fn of_sales(stack: &Stack) -> Self {
        let (buyer, sku) = (stack.new_customer().await, stack.new_product(1250, 9).await);
        let random = Uuid::new_v4().as_u128();
        let date = format!(
            "{}-{:02}-{:02}",
            2200 + random % 7000,
            1 + random / 7000 % 12,
            1 + random / 90_000 % 28
        );
        let mut ids = Vec::new();
        for card in [GOOD_CARD, GOOD_CARD, BAD_CARD, GOOD_CARD] {
            let order = stack.buy(&buyer, &order_of(&[(&sku, 1)], card)).await;
            ids.push(order["id"].as_str().unwrap().to_owned());
        }
        stack.cancel(&buyer, &ids[3]).await.expect(202);
        stack.settled(&buyer, &ids[3]).await;
        for id in &ids {
            let changes = json!({"day": date});
            change(stack, "ORDERS_TABLE", &format!("ORDER#{id}"), &changes).await;
        }
        let sold = ids.swap_remove(0);
        Self { date, sold }
    }

    /// Changes what one of the tables says of the order that was sold, past every rule.
    async fn change(&self, stack: &Stack, table: &str, kind: &str, changes: &Value) {
        change(stack, table, &format!("{kind}#{}", self.sold), changes).await;
    }
}

async fn change(stack: &Stack, table: &str, key: &str, changes: &Value) {
    let mut item = stack.item(table, key).await.expect("the item");
    for (name, value) in changes.as_object().unwrap() {
        item[name] = value.clone();
    }
    stack.write_item(table, &item).await;
}

/// What does not hold in these books.
fn broken(books: &Value) -> Vec<&str> {
    let invariants = books["invariants"].as_array().expect("invariants");
    let broken = invariants
        .iter()
        .filter(|invariant| invariant["holds"] == false);
    broken
        .map(|invariant| invariant["name"].as_str().unwrap())
        .collect()
}

fn find(list: &Value, name: &str, value: &str) -> Option<Value> {
    let mut list = list.as_array().expect("a list").iter();
    list.find(|element| element[name] == value).cloned()
}
