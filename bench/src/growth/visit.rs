//! A shop whose functions run, and what happens in it while somebody buys: the steps of an order, and the reads of
//! those who look at it.

use std::{collections::BTreeMap, time::Duration};

use hyper::body::Bytes;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    failure::Failure,
    measure::{Bench, Running},
    programs::Program,
    stock,
    store::{Counts, Store},
};

/// The functions that run: those that an order takes, in their order, and those that look at orders.
pub(super) const FUNCTIONS: [&str; 8] = [
    "place-order",
    "reserve-stock",
    "charge-payment",
    "confirm-order",
    "get-order",
    "list-orders",
    "search-orders",
    "resume-stuck-orders",
];

/// How many of [`FUNCTIONS`] an order takes.
pub(super) const STEPS: usize = 4;

/// What a product costs, in cents.
const PRICE: usize = 1250;

/// Who calls, in an event of the API.
const CALLER: &str = "/requestContext/authorizer/lambda/user_id";

/// More units than are sold.
const PLENTY: u64 = 100_000;

/// What was seen of one invocation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    /// How long it took, had the store kept its pace.
    pub(super) took: Duration,
    pub(super) counts: Counts,
}

/// What was seen of a visit to the shop, by function.
pub(super) type Visit = BTreeMap<String, Seen>;

/// A shop that is open.
pub(super) struct Shop<'a> {
    /// Its tables.
    pub(super) store: &'a Store,
    functions: BTreeMap<&'a str, (Running<'a>, &'a Value)>,
    lines: Value,
    total: Value,
}

/// An order that was placed.
pub(super) struct Placed {
    /// Its id.
    pub(super) id: String,
    /// Its customer's.
    pub(super) customer: String,
}

/// What is looked at.
pub(super) struct Known {
    /// An order of the customer of the functions' sample events.
    pub(super) order: Placed,
    /// Another customer, who has orders.
    pub(super) customer: Uuid,
}

impl<'a> Shop<'a> {
    /// Starts the functions, and puts as many products into the store as an order has lines.
    pub(super) async fn open(
        bench: &Bench<'_>,
        programs: &'a [Program],
        store: &'a Store,
        lines: usize,
    ) -> Result<Self, Failure> {
        let inventory = stock::inventory(store);
        let product = stock::read(json!({
            "name": "Assam tea",
            "description": "Malty black tea, 100 g.",
            "unit_price": {"amount": PRICE, "currency": "EUR"},
        }))?;
        let skus: Vec<String> = (1..=lines).map(|line| format!("tea-{line:02}")).collect();
        for sku in &skus {
            stock::put_in(&inventory, sku, &product, PLENTY).await?;
        }
        let mut functions = BTreeMap::new();
        for program in programs {
            let running = bench.start(program).await?;
            functions.insert(program.name.as_str(), (running, &program.event));
        }
        let line = |sku: &String| json!({"sku": sku, "quantity": 1});
        Ok(Self {
            store,
            functions,
            lines: skus.iter().map(line).collect(),
            total: json!({"amount": PRICE * lines, "currency": "EUR"}),
        })
    }

    /// Somebody buys: an order goes through all its steps.
    pub(super) async fn buy(&mut self) -> Result<Visit, Failure> {
        let mut visit = Visit::new();
        let placed = self.place(&mut visit).await?;
        self.settle(&placed, &mut visit).await?;
        Ok(visit)
    }

    /// Two customers look at an order and at a list, support searches, and the schedule comes by.
    pub(super) async fn look(&mut self, known: &Known) -> Result<Visit, Failure> {
        let mut visit = Visit::new();
        let id = &known.order.id;
        let get = [
            ("/rawPath", json!(format!("/orders/{id}"))),
            ("/pathParameters/id", json!(id)),
        ];
        self.invoke("get-order", &get, &mut visit).await?;
        let list = [(CALLER, json!(known.customer))];
        self.invoke("list-orders", &list, &mut visit).await?;
        for name in ["search-orders", "resume-stuck-orders"] {
            self.invoke(name, &[], &mut visit).await?;
        }
        Ok(visit)
    }

    /// Places an order.
    pub(super) async fn place(&mut self, visit: &mut Visit) -> Result<Placed, Failure> {
        let body = json!({
            "lines": self.lines,
            "payment_method": "pm_card_visa",
            "expected_total": self.total,
        });
        let place = [
            ("/body", json!(body.to_string())),
            ("/headers/idempotency-key", json!(Uuid::new_v4())),
        ];
        let answer = self.invoke("place-order", &place, visit).await?;
        let order = text(&answer, "/body");
        let order: Value =
            serde_json::from_str(&order).map_err(Failure::service("read an order"))?;
        let sample = self.functions.get("place-order");
        Ok(Placed {
            id: text(&order, "/id"),
            customer: sample.map_or_else(String::new, |(_, event)| text(event, CALLER)),
        })
    }

    /// Takes the steps that the saga takes with an order.
    pub(super) async fn settle(
        &mut self,
        placed: &Placed,
        visit: &mut Visit,
    ) -> Result<(), Failure> {
        let id = ("/order_id", json!(placed.id));
        let customer = ("/customer_id", json!(placed.customer));
        let reserve = [
            id.clone(),
            ("/lines", self.lines.clone()),
            ("/expected_total", self.total.clone()),
        ];
        let reserved = self.invoke("reserve-stock", &reserve, visit).await?;

        let total = part(&reserved, "/total");
        let charge = [id.clone(), customer.clone(), ("/amount", total.clone())];
        let charged = self.invoke("charge-payment", &charge, visit).await?;

        let entries = [&reserved, &charged].map(|step| step.get("timeline")?.as_array());
        let entries = entries.into_iter().flatten().flatten();
        let confirm = [
            id,
            customer,
            ("/lines", part(&reserved, "/lines")),
            ("/total", total),
            ("/timeline", entries.cloned().collect()),
        ];
        self.invoke("confirm-order", &confirm, visit).await?;
        Ok(())
    }

    /// Invokes a function with its sample event and these changes of it, by JSON pointer. Notes how long it took and
    /// what it asked of the store.
    async fn invoke(
        &mut self,
        name: &str,
        changes: &[(&str, Value)],
        visit: &mut Visit,
    ) -> Result<Value, Failure> {
        let function = self.functions.get_mut(name);
        let (function, sample) = function.ok_or_else(|| Failure::Unknown(name.to_owned()))?;
        let mut event = sample.clone();
        for (place, value) in changes {
            if let Some(there) = event.pointer_mut(place) {
                there.clone_from(value);
            }
        }
        self.store.take_counts();
        let invoked = function.invoke(Bytes::from(event.to_string())).await?;
        let counts = self.store.take_counts();
        let seen = Seen {
            // Its calls come one after the other, so whatever the store was late by, the function was.
            took: invoked.took.saturating_sub(counts.late),
            counts,
        };
        visit.insert(name.to_owned(), seen);
        Ok(invoked.answer)
    }
}

/// What an answer has at a place; null if nothing.
fn part(answer: &Value, place: &str) -> Value {
    answer.pointer(place).cloned().unwrap_or_default()
}

fn text(answer: &Value, place: &str) -> String {
    let text = answer.pointer(place).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}
