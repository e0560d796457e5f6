//! How orders get to the steps of the state machines: the courses that an order can take.

use std::{rc::Rc, time::Duration};

use futures::{FutureExt as _, future::LocalBoxFuture};
use oxcart_tests::{
    faults::{Action, Armed, Rule},
    machines::{Machine, Visit},
    shop::{BAD_CARD, GOOD_CARD, new_key, order_id, order_of},
};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{Bench, DEADLINE, DEADLINE_REDELIVERED};

/// A card whose bank wants its customer to show who they are.
const ASKING_CARD: &str = "4000002500003155";

/// How often a step is tried that is retried until the saga gives up: once, and its `MaxAttempts`.
const ATTEMPTS: usize = 61;

/// The units that are in stock of each order's own product.
const STOCK: u32 = 5;

/// The trace of what is done here by hand.
const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// The course that an order takes while nothing goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Its card is good.
    Confirmed,
    /// Its card is declined.
    Declined,
    /// It is for more than there is, so nothing is reserved and nothing is charged.
    OutOfStock,
    /// It is paid, and then another run abandons it before it is confirmed.
    Abandoned,
    /// Its card asks for the customer, who acts while the saga waits.
    Asked,
    /// Its card asks for the customer, who has acted before the saga gets to waiting.
    ActedFirst,
    /// It is confirmed, and then its customer cancels it.
    Cancelled,
    /// One of its steps fails until the saga gives up. Then an operator runs it again.
    Parked,
    /// One of its steps fails until the Express saga gives up. Then the queue has it run again.
    Redelivered,
}

impl Way {
    /// How long an order may take that goes this way.
    pub(super) const fn deadline(self) -> Duration {
        match self {
            Self::Redelivered => DEADLINE_REDELIVERED,
            _ => DEADLINE,
        }
    }
}

/// The ways that lead to a state, by machine and state. One that isn't named here is on the way of a good
/// card, or on that of a declined one if it undoes something. A way that doesn't lead there makes the
/// test fail.
pub(super) fn ways_to(machine: &str, state: &str, undoes: bool, express: bool) -> &'static [Way] {
    match (machine, state) {
        // An Express saga parks no order: its queue goes on.
        (_, "ParkOrder") if express => &[],
        ("order-saga", "ReserveStock") if express => &[Way::Confirmed, Way::Redelivered],
        ("cancel-order", "RejectOrder") if express => &[Way::Cancelled, Way::Redelivered],
        (_, "ParkOrder") => &[Way::Parked],
        ("order-saga", "ChargePayment") => &[Way::Confirmed, Way::Declined, Way::Asked],
        ("order-saga", "RequestAction") => &[Way::Asked],
        ("order-saga", "AwaitAction") => &[Way::Asked, Way::ActedFirst],
        // Of a declined payment nothing has to be given back, and nothing is written.
        ("order-saga", "RefundPayment") => &[Way::Abandoned, Way::OutOfStock],
        ("order-saga", "ReleaseStock") => &[Way::Declined, Way::OutOfStock],
        ("cancel-order", _) => &[Way::Cancelled],
        _ if undoes => &[Way::Declined],
        _ => &[Way::Confirmed],
    }
}

/// An order of a product that nobody else orders.
pub(super) struct Order {
    bench: Rc<Bench>,
    /// The machine whose steps are looked at.
    machine: Machine,
    way: Way,
    key: String,
    /// Its id, known before it is placed.
    pub(super) id: String,
    /// The products that it is about.
    pub(super) skus: Vec<String>,
    /// What is sent to place it.
    pub(super) body: Value,
}

impl Order {
    /// An order that is not placed yet and is going to take this way.
    pub(super) async fn new(bench: &Rc<Bench>, machine: &Machine, way: Way) -> Self {
        let sku = bench.stack.new_product(700, STOCK.into()).await;
        let key = new_key();
        let id = order_id(&bench.buyer.id, &key);
        let (quantity, card) = match way {
            Way::Declined => (1, BAD_CARD.to_owned()),
            Way::OutOfStock => (STOCK + 1, GOOD_CARD.to_owned()),
            Way::Asked | Way::ActedFirst => (1, bench.stack.gateway.new_card(ASKING_CARD).await),
            Way::Confirmed | Way::Abandoned | Way::Cancelled | Way::Parked | Way::Redelivered => {
                (1, GOOD_CARD.to_owned())
            }
        };
        Self {
            bench: Rc::clone(bench),
            machine: machine.clone(),
            way,
            key,
            id,
            body: order_of(&[(&sku, quantity)], &card),
            skus: vec![sku],
        }
    }

    /// Takes its way, to the end of the execution that is looked at and of all others.
    pub(super) fn run(&self) -> LocalBoxFuture<'_, ()> {
        async move {
            match self.way {
                Way::Confirmed | Way::Declined | Way::OutOfStock => self.sell().await,
                Way::Abandoned => {
                    let held = self.hold("confirm-order").await;
                    self.place().await;
                    held.wait_until_held().await;
                    self.abandon().await;
                    held.release().await;
                    self.ends_well("order-saga").await;
                }
                Way::Asked => {
                    self.place().await;
                    self.act("asked").await;
                    self.ends_well("order-saga").await;
                    self.is_sold().await;
                }
                Way::ActedFirst => {
                    let held = self.hold("request-action").await;
                    self.place().await;
                    held.wait_until_held().await;
                    self.act("intent_id").await;
                    held.release().await;
                    self.ends_well("order-saga").await;
                }
                Way::Cancelled => {
                    self.sell().await;
                    self.cancel().await;
                    self.ends_well("cancel-order").await;
                }
                Way::Redelivered => {
                    let failing = self.fail(ATTEMPTS).await;
                    self.is_sold().await;
                    assert_eq!(failing.disarm().await, ATTEMPTS as u64);
                    assert_eq!(self.stored().await["resumes"], Value::Null);
                }
                Way::Parked => {
                    let failing = self.fail_until_parked().await;
                    self.ends(&self.execution(), "FAILED").await;
                    failing.disarm().await;
                    self.resume().await;
                }
            }
        }
        .boxed_local()
    }

    /// How the order ends on this way.
    pub(super) fn ending(&self) -> &'static str {
        match (self.way, self.machine.name.as_str()) {
            (Way::Cancelled, _) | (Way::Parked | Way::Redelivered, "cancel-order") => "CANCELLED",
            (Way::Confirmed | Way::Asked | Way::ActedFirst | Way::Parked | Way::Redelivered, _) => {
                "CONFIRMED"
            }
            (Way::Declined | Way::OutOfStock | Way::Abandoned, _) => "REJECTED",
        }
    }

    /// The execution that is looked at.
    pub(super) fn execution(&self) -> String {
        self.machine.execution_of(&self.id)
    }

    /// The last stay of that execution in a state, if it has got there.
    pub(super) async fn visit(&self, state: &str) -> Option<Visit> {
        let visits = self.bench.stack.visits(&self.execution()).await;
        visits.into_iter().rfind(|visit| visit.state == state)
    }

    /// What the function of a state was given there last.
    pub(super) async fn payload(&self, state: &str) -> Value {
        let visit = self.visit(state).await;
        let visit = visit.unwrap_or_else(|| panic!("order {} was never at {state}", self.id));
        assert!(!visit.payload.is_null(), "{state} was given nothing");
        visit.payload
    }

    /// The order as it is stored.
    pub(super) async fn stored(&self) -> Value {
        let key = format!("ORDER#{}", self.id);
        let stored = self.bench.stack.item("ORDERS_TABLE", &key).await;
        stored.unwrap_or_else(|| panic!("no order {}", self.id))
    }

    /// Places the order.
    pub(super) async fn place(&self) {
        let bench = &self.bench;
        let call = bench.stack.order_call(&bench.buyer, &self.key, &self.body);
        let placed = call.send().await.expect(202).json();
        assert_eq!(placed["id"], self.id.as_str());
    }

    /// Places the order and waits for the end of its saga.
    pub(super) async fn sell(&self) {
        self.place().await;
        self.ends_well("order-saga").await;
    }

    /// Waits for the end of the first execution of a machine for the order.
    pub(super) async fn ends_well(&self, machine: &str) {
        let execution = self.bench.machine(machine).execution_of(&self.id);
        self.ends(&execution, "SUCCEEDED").await;
    }

    /// Waits for the end of an execution.
    pub(super) async fn ends(&self, execution: &str, end: &str) {
        let ended = self
            .bench
            .stack
            .end_of(execution, self.way.deadline())
            .await;
        if ended != end {
            let visits = self.bench.stack.visits(execution).await;
            panic!("{execution} {ended}: {visits:#?}");
        }
    }

    /// Holds the first write of a function for the order.
    pub(super) async fn hold(&self, function: &str) -> Armed {
        let rule = Rule::write(function, &self.id, 0, Action::Hold);
        self.bench.stack.faults().arm(rule).await
    }

    /// Invokes a step for the order, as another run of its saga may.
    pub(super) async fn invoke(&self, function: &str, own: &Value) {
        let payload = self.with(own);
        self.bench.stack.answer_of(function, &payload).await;
    }

    /// What a step needs of its own, and what all steps get.
    pub(super) fn with(&self, own: &Value) -> Value {
        let mut payload = json!({
            "order_id": self.id,
            "customer_id": self.bench.buyer.id,
            "traceparent": TRACEPARENT,
        });
        for (name, value) in own.as_object().expect("members") {
            payload[name] = value.clone();
        }
        payload
    }

    /// Abandons the order, as another run of its saga may.
    pub(super) async fn abandon(&self) {
        let why = json!({"reason": "internal"});
        self.invoke("abandon-order", &why).await;
    }

    /// Cancels the order, as its customer.
    async fn cancel(&self) {
        let path = format!("/orders/{}/cancel", self.id);
        let call = self.bench.stack.api.post(&path);
        call.bearer(&self.bench.buyer.token)
            .send()
            .await
            .expect(202);
    }

    /// Acts as the customer, once the payment has this attribute and the gateway asks for them.
    async fn act(&self, once: &str) {
        let stack = &self.bench.stack;
        let key = format!("PAYMENT#{}", self.id);
        loop {
            let payment = stack.item("PAYMENTS_TABLE", &key).await.unwrap_or_default();
            if !payment[once].is_null()
                && let Some(intent) = payment["intent_id"].as_str()
                && stack.gateway.act(intent).await
            {
                return;
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// Waits until all runs of the saga are over that an order takes whose customer acts, or that fails at
    /// first. A Standard saga has one.
    async fn is_sold(&self) {
        loop {
            let order = self.stored().await;
            if order["status"] == self.ending() {
                let run = match order["resumes"].as_u64() {
                    None | Some(0) => self.execution(),
                    Some(run) => format!("{}-{run}", self.execution()),
                };
                return self.ends(&run, "SUCCEEDED").await;
            }
            sleep(Duration::from_millis(500)).await;
        }
    }

    /// Lets one step of the machine that is looked at fail for as long as the answer is kept, and gets the
    /// order there.
    pub(super) async fn fail_until_parked(&self) -> Armed {
        self.fail(1000).await
    }

    /// Lets one step of the machine that is looked at fail so often, and gets the order there.
    async fn fail(&self, times: usize) -> Armed {
        let undone = self.machine.name == "cancel-order";
        if undone {
            self.sell().await;
        }
        let function = if undone {
            "release-stock"
        } else {
            "confirm-order"
        };
        let rule = Rule {
            times,
            ..Rule::write(function, &self.id, 0, Action::Refuse)
        };
        let failing = self.bench.stack.faults().arm(rule).await;
        if undone {
            self.cancel().await;
        } else {
            self.place().await;
        }
        failing
    }

    /// Has an operator run the order's saga again.
    async fn resume(&self) {
        let wanted = json!({"order_id": self.id});
        let stack = &self.bench.stack;
        let resumed = stack.answer_of("resume-stuck-orders", &wanted).await;
        assert_eq!(resumed["resumed"], json!([self.id]), "{resumed}");
        let second = format!("{}-1", self.execution());
        self.ends(&second, "SUCCEEDED").await;
    }
}
