//! One trace for each order: what the collector of spans was sent over OTLP, from the request through the outbox, the
//! stream, the topic, the queue and the state machine to each step of the saga.

use std::collections::{BTreeMap, BTreeSet};

use oxcart_tests::{
    eventually::{PATIENCE, eventually},
    shop::{BAD_CARD, GOOD_CARD, new_key, new_user, order_of},
    spans::Span,
    stack::Stack,
};
use serde_json::{Value, json};
use uuid::Uuid;

/// The span of a caller who has a trace of their own.
const CALLER: &str = "b7ad6b7169203331";

#[tokio::test]
async fn a_confirmed_order_is_one_tree_from_the_request_to_the_last_step() {
    let stack = Stack::connect().await;

    let (id, tree) = traced_order(&stack, GOOD_CARD, "confirm-order").await;

    let place = assert_request(&stack, &tree, &id);
    let started = assert_way(&stack, &tree, place);
    assert_steps(&tree, started, &id);
    let confirmed = tree.one("confirm-order");
    let told = tree.sending(confirmed);
    assert_attributes(
        told,
        &[("cloudevents.event_type", json!("order.confirmed"))],
    );
    assert_relayed(&stack, &tree, place);
    tree.assert_whole();
}

#[tokio::test]
async fn a_declined_order_shows_what_was_undone_and_why() {
    let stack = Stack::connect().await;

    let (_, tree) = traced_order(&stack, BAD_CARD, "reject-order").await;

    let charge = tree.one("charge-payment");
    assert_eq!(
        charge.status, "unset",
        "a no of the bank is no fault of ours"
    );
    assert_attributes(charge, &[("oxcart.refused_as", json!("PaymentDeclined"))]);
    let declined = tree.child(charge, "POST /v1/payment_intents/{id}/confirm");
    assert_attributes(
        declined,
        &[
            ("http.response.status_code", json!(402)),
            ("error.type", json!("402")),
        ],
    );
    assert_eq!(declined.status, "error");
    for step in [
        "abandon-order",
        "refund-payment",
        "release-stock",
        "reject-order",
    ] {
        assert_eq!(
            tree.one(step).parent_span_id,
            charge.parent_span_id,
            "{step}"
        );
    }
    tree.assert_whole();
}

#[tokio::test]
async fn a_registration_is_one_tree_down_to_the_mail() {
    let stack = Stack::connect().await;
    let trace = Uuid::new_v4().simple().to_string();
    let call = stack.api.post("/users").json(&new_user());
    let call = call.header("traceparent", &format!("00-{trace}-{CALLER}-01"));
    call.send().await.expect(201);

    let tree = Tree::of(&stack, &trace, &["SESv2/SendEmail"]).await;

    let mail = tree.one("SESv2/SendEmail");
    let path: Vec<&str> = tree.path(mail);
    let topic = stack
        .setting("EVENTS_TOPIC_ARN")
        .rsplit(':')
        .next()
        .unwrap();
    let queue = stack
        .setting("NOTIFICATIONS_QUEUE_URL")
        .rsplit('/')
        .next()
        .unwrap();
    let expected = [
        "SESv2/SendEmail",
        &format!("process {queue}"),
        &format!("send {topic}"),
        "POST /users",
    ];
    assert_eq!(path, expected);
    tree.assert_whole();
}

#[tokio::test]
async fn a_request_without_a_trace_begins_one_and_is_told_its_id() {
    let stack = Stack::connect().await;
    let problem = stack.api.get("/products/no-such-product").send().await;
    let problem = problem.problem(404, "not-found");
    let trace = problem["trace_id"].as_str().unwrap();

    let tree = Tree::of(&stack, trace, &["GET /products/{sku}"]).await;

    let read = tree.one("GET /products/{sku}");
    assert_eq!(read.parent_span_id, None);
    assert_attributes(
        read,
        &[
            ("http.response.status_code", json!(404)),
            ("url.path", json!("/products/no-such-product")),
        ],
    );
    assert_eq!(read.status, "unset", "it is the caller's mistake");
}

#[tokio::test]
async fn a_trace_that_its_caller_does_not_record_is_not_sent() {
    let stack = Stack::connect().await;
    let [unrecorded, recorded] = [(); 2].map(|()| Uuid::new_v4().simple().to_string());
    for (trace, flag) in [(&unrecorded, "00"), (&recorded, "01")] {
        let call = stack.api.get("/products/no-such-product");
        let call = call.header("traceparent", &format!("00-{trace}-{CALLER}-{flag}"));
        let problem = call.send().await.problem(404, "not-found");
        assert_eq!(problem["trace_id"], **trace, "it is logged all the same");
    }
    Tree::of(&stack, &recorded, &["GET /products/{sku}"]).await;
    assert_eq!(stack.spans_of(&unrecorded), []);
}

/// The id and the trace of an order that ends with the step `last`, and each of whose steps did at once
/// what it is for: on a busy machine one may run out of time, and is tried again.
async fn traced_order(stack: &Stack, card: &str, last: &str) -> (String, Tree) {
    let (buyer, sku) = (
        stack.new_customer().await,
        stack.new_product(500, 1000).await,
    );
    let order = order_of(&[(&sku, 1)], card);
    eventually("an order without a second try", PATIENCE, async || {
        let trace = Uuid::new_v4().simple().to_string();
        let call = stack.order_call(&buyer, &new_key(), &order);
        let call = call.header("traceparent", &format!("00-{trace}-{CALLER}-01"));
        let placed = call.send().await.expect(202).json();
        let id = placed["id"].as_str().expect("an id");
        stack.settled(&buyer, id).await;
        let tree = Tree::of(stack, &trace, &[last]).await;
        let steps = tree.spans.iter().filter(|span| span.kind == "server");
        let mut names = BTreeSet::new();
        let twice: Vec<&str> = steps
            .map(|span| &*span.name)
            .filter(|name| !names.insert(*name))
            .collect();
        if twice.is_empty() {
            Ok((id.to_owned(), tree))
        } else {
            Err(format!("tried again: {twice:?}"))
        }
    })
    .await
}

/// The request, and the write that it is.
fn assert_request<'t>(stack: &Stack, tree: &'t Tree, id: &str) -> &'t Span {
    let place = tree.one("POST /orders");
    assert_eq!(
        (place.kind.as_str(), place.parent_span_id.as_deref()),
        ("server", Some(CALLER))
    );
    assert_attributes(
        place,
        &[
            ("http.request.method", json!("POST")),
            ("http.route", json!("/orders")),
            ("http.response.status_code", json!(202)),
            ("faas.trigger", json!("http")),
            ("oxcart.order.id", json!(id)),
        ],
    );
    assert!(place.attribute("faas.invocation_id").is_string());
    assert!(place.attribute("faas.coldstart").is_boolean());
    let arn = place.attribute("aws.lambda.invoked_arn").as_str().unwrap();
    assert!(arn.contains(":function:"), "{arn}");
    assert_eq!(place.resource["service.name"], "place-order");
    assert_eq!(
        place.resource["service.namespace"],
        stack.setting("STACK_NAME")
    );
    assert_eq!(place.resource["faas.name"], stack.function("place-order"));
    assert_eq!(place.resource["cloud.provider"], "aws");

    let stored = tree.child(place, "DynamoDB/PutItem");
    assert_eq!(stored.kind, "client");
    let table = stack.setting("ORDERS_TABLE");
    assert_attributes(
        stored,
        &[
            ("db.system.name", json!("aws.dynamodb")),
            ("db.operation.name", json!("PutItem")),
            ("db.collection.name", json!(table)),
            ("rpc.system", json!("aws-api")),
            ("http.response.status_code", json!(200)),
            ("http.request.resend_count", json!(0)),
        ],
    );
    place
}

/// The way of the order's event: through the relay, the topic and the queue to the state machine.
fn assert_way<'t>(stack: &Stack, tree: &'t Tree, place: &Span) -> &'t Span {
    let topic = stack
        .setting("EVENTS_TOPIC_ARN")
        .rsplit(':')
        .next()
        .unwrap();
    let sent = tree.child(place, &format!("send {topic}"));
    assert_eq!(sent.kind, "producer");
    assert_eq!(sent.resource["service.name"], "relay-events");
    assert_attributes(
        sent,
        &[
            ("messaging.system", json!("aws.sns")),
            ("messaging.operation.type", json!("send")),
            ("messaging.destination.name", json!(topic)),
            ("cloudevents.event_type", json!("order.placed")),
        ],
    );

    let queue = stack
        .setting("PLACED_ORDERS_QUEUE_URL")
        .rsplit('/')
        .next()
        .unwrap();
    let started = tree.child(sent, &format!("process {queue}"));
    assert_eq!(started.kind, "consumer");
    assert_attributes(
        started,
        &[
            ("messaging.system", json!("aws_sqs")),
            ("messaging.operation.type", json!("process")),
            ("messaging.destination.name", json!(queue)),
            ("faas.trigger", json!("pubsub")),
        ],
    );
    assert_eq!(tree.child(started, "SFN/StartExecution").kind, "client");
    started
}

/// The steps of the saga, and what they call.
fn assert_steps(tree: &Tree, started: &Span, id: &str) {
    for (step, calls) in [
        ("reserve-stock", ["DynamoDB/TransactWriteItems"].as_slice()),
        (
            "charge-payment",
            &[
                "DynamoDB/PutItem",
                "POST /v1/payment_intents",
                "POST /v1/payment_intents/{id}/confirm",
            ],
        ),
        ("confirm-order", &["DynamoDB/UpdateItem"]),
    ] {
        let span = tree.child(started, step);
        assert_eq!(
            (span.kind.as_str(), span.status.as_str()),
            ("server", "unset")
        );
        assert_attributes(span, &[("oxcart.order.id", json!(id))]);
        for call in calls {
            let call = tree.child(span, call);
            assert_eq!(call.kind, "client");
            assert!(call.start >= span.start && call.end <= span.end, "{call:?}");
        }
    }
}

/// The relay's own work is for many traces at once, and links to them.
fn assert_relayed(stack: &Stack, tree: &Tree, place: &Span) {
    let table = stack.setting("ORDERS_TABLE");
    let batch = tree.linked.iter().find(|span| {
        let links = span.links.iter();
        links.clone().any(|link| link.span_id == place.span_id)
    });
    let batch = batch.expect("the relay's span links to the order's");
    assert_eq!(
        (&*batch.name, &*batch.kind),
        (&*format!("process {table}"), "consumer")
    );
    assert_ne!(batch.trace_id, place.trace_id);
    assert_attributes(batch, &[("faas.trigger", json!("datasource"))]);
}

/// The spans of a trace, and those that link to it.
struct Tree {
    spans: Vec<Span>,
    linked: Vec<Span>,
}

impl Tree {
    /// The tree once these spans are there, and all that others say they are within.
    async fn of(stack: &Stack, trace: &str, last: &[&str]) -> Self {
        let what = format!("the spans {last:?} of {trace}");
        eventually(&what, PATIENCE, async || {
            let (spans, linked): (Vec<_>, Vec<_>) = stack
                .spans_of(trace)
                .into_iter()
                .partition(|span| span.trace_id == trace);
            let tree = Self { spans, linked };
            let there = |name: &&str| tree.spans.iter().any(|span| span.name == *name);
            // An event's sending is seen only when the relay's whole batch is done.
            let told = tree.spans.iter().all(|span| tree.is_told(span));
            if last.iter().all(there) && told && tree.orphans().is_empty() {
                Ok(tree)
            } else {
                let names: Vec<&str> = tree.spans.iter().map(|span| &*span.name).collect();
                Err(format!("{names:?}"))
            }
        })
        .await
    }

    /// Whether a step that ends an order has its event sent.
    fn is_told(&self, span: &Span) -> bool {
        let tells = [
            "confirm-order",
            "reject-order",
            "POST /users",
            "POST /orders",
        ];
        let sent = |other: &&Span| {
            other.kind == "producer" && other.parent_span_id.as_deref() == Some(&span.span_id)
        };
        !tells.contains(&span.name.as_str()) || self.spans.iter().any(|other| sent(&other))
    }

    /// The sending of what a span told of.
    fn sending(&self, of: &Span) -> &Span {
        let within = |span: &&Span| span.parent_span_id.as_deref() == Some(&of.span_id);
        let mut sent = self.spans.iter().filter(within);
        let sent = sent.find(|span| span.kind == "producer");
        sent.unwrap_or_else(|| panic!("{} told of nothing", of.name))
    }

    fn one(&self, name: &str) -> &Span {
        let mut found = self.spans.iter().filter(|span| span.name == name);
        let span = found.next().unwrap_or_else(|| panic!("no {name}"));
        assert_eq!(found.next(), None, "one {name}");
        span
    }

    /// The first span of this name within another one.
    fn child(&self, parent: &Span, name: &str) -> &Span {
        let within = |span: &&Span| span.parent_span_id.as_deref() == Some(&parent.span_id);
        let mut children = self.spans.iter().filter(within);
        children
            .clone()
            .find(|span| span.name == name)
            .unwrap_or_else(|| {
                let names: BTreeSet<&str> = children.by_ref().map(|span| &*span.name).collect();
                panic!("{} has no {name} but {names:?}", parent.name)
            })
    }

    /// The names of a span and of all that it is within.
    fn path<'t>(&'t self, span: &'t Span) -> Vec<&'t str> {
        let mut path = vec![&*span.name];
        let mut next = span.parent_span_id.as_deref();
        while let Some(parent) = self.spans.iter().find(|span| Some(&*span.span_id) == next) {
            path.push(&parent.name);
            next = parent.parent_span_id.as_deref();
        }
        path
    }

    /// Spans within ones that nobody sent.
    fn orphans(&self) -> Vec<&Span> {
        let known: BTreeSet<&str> = self.spans.iter().map(|span| &*span.span_id).collect();
        let is_known = |parent: &str| parent == CALLER || known.contains(parent);
        let spans = self.spans.iter();
        spans
            .filter(|span| !span.parent_span_id.as_deref().is_none_or(is_known))
            .collect()
    }

    /// All is one tree, each span of it was sent once, and each took some time.
    fn assert_whole(&self) {
        assert_eq!(self.orphans(), Vec::<&Span>::new());
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for span in &self.spans {
            *times.entry(&span.span_id).or_default() += 1;
            assert!(span.end >= span.start, "{span:?}");
        }
        assert!(times.values().all(|times| *times == 1), "{times:?}");
        let roots = self.spans.iter();
        let roots = roots.filter(|span| span.parent_span_id.as_deref() == Some(CALLER));
        assert_eq!(roots.count(), 1);
    }
}

fn assert_attributes(span: &Span, expected: &[(&str, Value)]) {
    for (name, value) in expected {
        assert_eq!(
            span.attribute(name),
            value,
            "{name} of {}: {span:?}",
            span.name
        );
    }
}
