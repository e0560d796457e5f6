//! Customers who buy at random while things go wrong at random. When all of it is over, every order has
//! ended and the books agree.
//!
//! What is decided follows from the seed alone, and is decided before anything is done; when things happen
//! does not. `OXCART_SEED` repeats the decisions of an earlier run, `cargo xtask torture` goes on for longer.

mod plan;

use std::{
    collections::{BTreeMap, VecDeque},
    io::Write as _,
    time::Duration,
};

use fastrand::Rng;
use futures::{FutureExt as _, future::join_all};
use oxcart_tests::{
    chance::Chance,
    faults::{Action, Armed, Rule},
    machines::{Machine, Step},
    shop::{BAD_CARD, GOOD_CARD, Person, euro_cents, new_key, order_id},
    stack::Stack,
    tokens::Token,
    webhooks::seconds_now,
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use self::plan::{Card, PRODUCTS, Plan};

/// How many customers walk.
const WALKERS: usize = 6;
/// How many of a customer's last rules stay armed: what is late may still be struck.
const ARMED: usize = 6;
/// How long a customer looks after one order before they place the next.
const ATTENTION: Duration = Duration::from_secs(5);
/// How long a customer goes on asking for what the shop can't do at the moment.
const STUBBORN: Duration = Duration::from_mins(1);
/// How long it may take to come to rest: a refund that was interrupted three times waits for three leases.
const REST: Duration = Duration::from_mins(4);
/// How often an operator looks after orders that are still open, in seconds.
const ROUND: u32 = 10;

/// The shop, as all walkers know it.
struct Walk {
    stack: Stack,
    skus: Vec<String>,
    saga: Machine,
    steps: Vec<Step>,
    /// Whether orders can be cancelled, and whether cards can ask for their customers.
    cancels: bool,
    asks: bool,
    asking_card: String,
}

/// What one walker has done.
#[derive(Default)]
struct Trail {
    orders: Vec<String>,
    armed: VecDeque<Armed>,
    struck: BTreeMap<&'static str, u64>,
}

#[tokio::test]
async fn whatever_goes_wrong_every_order_ends_and_the_books_agree() {
    let chance = Chance::told();
    say(&format!("random walk: OXCART_SEED={}\n", chance.seed));
    let walk = Walk::begin().boxed_local().await;
    let trails = walk.walk(chance).boxed_local().await;

    let orders: Vec<String> = trails
        .iter()
        .flat_map(|trail| trail.orders.clone())
        .collect();
    let mut struck = BTreeMap::new();
    for mut trail in trails {
        trail.disarm(0).await;
        for (action, hits) in trail.struck {
            *struck.entry(action).or_insert(0) += hits;
        }
    }
    let ended = walk.come_to_rest(&orders).boxed_local().await;
    say(&format!(
        "random walk: OXCART_SEED={}, {} orders\n  ended: {ended:?}\n  struck: {struck:?}\n",
        chance.seed,
        orders.len()
    ));
    let skus: Vec<&str> = walk.skus.iter().map(String::as_str).collect();
    walk.stack
        .assert_figures_come_to_agree(&skus)
        .boxed_local()
        .await;
}

impl Walk {
    async fn begin() -> Self {
        let stack = Stack::connect().await;
        let mut skus = Vec::new();
        for (currency, price, units) in PRODUCTS {
            skus.push(stack.new_product_in(currency, price, units).await);
        }
        let machines = stack.machines().await;
        let named = |name: &str| machines.iter().find(|machine| machine.name == name);
        let saga = named("order-saga").expect("the saga of orders").clone();
        let steps = saga.steps(&stack);
        Self {
            skus,
            cancels: named("cancel-order").is_some(),
            asks: steps.iter().any(|step| step.state == "AwaitAction"),
            asking_card: stack.gateway.new_card("4000002500003155").await,
            stack,
            saga,
            steps,
        }
    }

    /// Lets all walkers walk until their time is over.
    async fn walk(&self, chance: Chance) -> Vec<Trail> {
        let until = Instant::now() + chance.length;
        let mut seeds = Rng::with_seed(chance.seed);
        let walkers: Vec<Rng> = (0..WALKERS).map(|_| seeds.fork()).collect();
        let walkers = walkers.into_iter().map(async |mut decisions| {
            let customer = Uuid::new_v4().to_string();
            let mut trail = Trail::default();
            while Instant::now() < until {
                let plan = Plan::draw(&mut decisions);
                let buyer = self.signed_in(&customer).await;
                self.carry_out(&buyer, &plan, &mut trail)
                    .boxed_local()
                    .await;
            }
            trail
        });
        join_all(walkers).await
    }

    /// A customer with a token of this moment: a walk may go on for longer than one is good.
    async fn signed_in(&self, id: &str) -> Person {
        let mut token = Token::read(&self.stack.admin().await.token);
        let lifetime = token.claims["exp"]
            .as_i64()
            .zip(token.claims["iat"].as_i64());
        let (exp, iat) = lifetime.expect("times");
        token.claims["iat"] = json!(seconds_now());
        token.claims["exp"] = json!(seconds_now() + exp - iat);
        token.claims["sub"] = json!(id);
        token.claims["role"] = json!("customer");
        Person {
            id: id.to_owned(),
            token: token.signed_by(&self.stack).await,
        }
    }

    /// Places an order, and does to it what was decided.
    async fn carry_out(&self, buyer: &Person, plan: &Plan, trail: &mut Trail) {
        let key = new_key();
        let id = order_id(&buyer.id, &key);
        let mut armed = Vec::new();
        for fault in &plan.faults {
            let rule = Rule {
                function: Some(fault.function.to_owned()),
                about: id.clone(),
                gateway_only: fault.gateway_only,
                writes_only: fault.writes_only,
                skip: fault.skip,
                times: fault.times,
                action: fault.action,
            };
            armed.push(self.stack.faults().arm(rule).await);
        }
        let order = self.order(plan);
        let bought = async {
            let placings = (0..plan.placings).map(|_| self.place(buyer, &key, &order));
            join_all(placings).await;
            let meddling = self.meddle(buyer, &id, plan).boxed_local();
            // What has not come about by then does not.
            let _ = timeout(ATTENTION, meddling).await;
        };
        let released = join_all(armed.iter().map(|armed| let_go(armed, plan.held_for)));
        tokio::join!(bought.boxed_local(), released.boxed_local());
        trail.orders.push(id);
        trail.armed.extend(armed);
        trail.disarm(ARMED).await;
    }

    /// The body of an order.
    fn order(&self, plan: &Plan) -> Value {
        let mut lines: Vec<Value> = plan
            .lines
            .iter()
            .map(|(product, quantity)| json!({"sku": self.skus[*product], "quantity": quantity}))
            .collect();
        if plan.unknown_product {
            lines.push(json!({"sku": "no-such-thing", "quantity": 1}));
        }
        let card = match plan.card {
            Card::Bad => BAD_CARD,
            Card::Asking if self.asks => &self.asking_card,
            Card::Good | Card::Asking => GOOD_CARD,
        };
        let mut order = json!({"lines": lines, "payment_method": card});
        if plan.wrong_total {
            order["expected_total"] = euro_cents(1);
        }
        order
    }

    /// Places an order, and does so again under the same key until it is taken.
    async fn place(&self, buyer: &Person, key: &str, order: &Value) {
        let deadline = Instant::now() + STUBBORN;
        loop {
            let answer = self.stack.order_call(buyer, key, order).send().await;
            match answer.status {
                202 => return,
                429 | 500..=599 if Instant::now() < deadline => {
                    sleep(Duration::from_millis(200)).await;
                }
                _ => panic!("{} answered {answer:?}", answer.what),
            }
        }
    }

    /// Does to an order that is under way what was decided.
    async fn meddle(&self, buyer: &Person, id: &str, plan: &Plan) {
        let acts = async {
            if plan.card == Card::Asking && self.asks {
                self.act(id).await;
            }
        };
        let repeats = async {
            if let Some((step, late)) = plan.again {
                self.repeat(id, &self.steps[step % self.steps.len()], late)
                    .await;
            }
        };
        let cancels = async {
            if let (Some(after), true) = (plan.cancelled_after, self.cancels) {
                sleep(after).await;
                self.cancel(buyer, id).await;
            }
        };
        let execution = self.saga.execution_of(id);
        let ends = self.stack.end_of(&execution, REST);
        tokio::join!(
            acts.boxed_local(),
            repeats.boxed_local(),
            cancels.boxed_local(),
            ends.boxed_local()
        );
    }

    /// Acts as the customer of an order once the gateway asks for them, if it does.
    async fn act(&self, id: &str) {
        let key = format!("PAYMENT#{id}");
        loop {
            let payment = self.stack.item("PAYMENTS_TABLE", &key).await;
            let payment = payment.unwrap_or_default();
            if let Some(intent) = payment["intent_id"].as_str()
                && self.stack.gateway.act(intent).await
            {
                return;
            }
            sleep(Duration::from_millis(300)).await;
        }
    }

    /// Runs a step again as the saga has run it: as soon as it has, or after the saga's end.
    async fn repeat(&self, id: &str, step: &Step, late: bool) {
        let execution = self.saga.execution_of(id);
        if late {
            self.stack.end_of(&execution, REST).await;
        }
        while let Some(status) = self.begun(&execution).await {
            let visits = self.stack.visits(&execution).await;
            let mut visits = visits.into_iter().filter(|visit| !visit.payload.is_null());
            if let Some(visit) = visits.find(|visit| visit.state == step.state) {
                self.stack.invoke(&step.function, &visit.payload).await;
                return;
            }
            if status != "RUNNING" {
                return;
            }
            sleep(Duration::from_millis(300)).await;
        }
    }

    /// Waits until an execution has begun, and answers where it stands.
    async fn begun(&self, execution: &str) -> Option<String> {
        let deadline = Instant::now() + ATTENTION;
        while Instant::now() < deadline {
            if let Some(found) = self.stack.execution(execution).await {
                return Some(found.status);
            }
            sleep(Duration::from_millis(300)).await;
        }
        None
    }

    /// Cancels an order as its customer, until the shop says yes or no.
    async fn cancel(&self, buyer: &Person, id: &str) {
        let path = format!("/orders/{id}/cancel");
        loop {
            let call = self.stack.api.post(&path).bearer(&buyer.token);
            let answer = call.send().await;
            match answer.status {
                202 | 409 => return,
                429 | 500..=599 => sleep(Duration::from_millis(200)).await,
                _ => panic!("{} answered {answer:?}", answer.what),
            }
        }
    }

    /// Waits until every order has ended. An operator looks after those that take long. Answers how many
    /// ended how.
    async fn come_to_rest(&self, orders: &[String]) -> BTreeMap<String, usize> {
        let deadline = Instant::now() + REST;
        let mut ended = BTreeMap::new();
        let mut open: Vec<&String> = orders.iter().collect();
        for second in 1.. {
            let mut left = Vec::new();
            for id in open {
                let order = self.stored(id).await;
                match (order["status"].as_str(), order["reason"].as_str()) {
                    (Some(end @ ("CONFIRMED" | "REJECTED" | "CANCELLED")), reason) => {
                        let end = format!("{end} {}", reason.unwrap_or_default());
                        *ended.entry(end.trim_end().to_owned()).or_insert(0) += 1;
                    }
                    _ => left.push(id),
                }
            }
            open = left;
            if open.is_empty() {
                break;
            }
            assert!(Instant::now() < deadline, "orders that never end: {open:?}");
            if second % ROUND == 0 {
                for id in &open {
                    self.look_after(id).await;
                }
            }
            sleep(Duration::from_secs(1)).await;
        }
        ended
    }

    async fn stored(&self, id: &str) -> Value {
        let order = self
            .stack
            .item("ORDERS_TABLE", &format!("ORDER#{id}"))
            .await;
        order.unwrap_or_else(|| panic!("order {id} was taken and is gone"))
    }

    /// Does what an operator would: runs the saga of an order again that was parked or never began. One
    /// that is under way is left alone, but a customer who was not heard knocks again.
    async fn look_after(&self, id: &str) {
        let wanted = json!({"order_id": id});
        let _ = self.stack.invoke("resume-stuck-orders", &wanted).await;
        let execution = self.saga.execution_of(id);
        if self.stack.execution(&execution).await.is_none() {
            return;
        }
        let waiting = self.stack.visits(&execution).await.pop();
        if let Some(visit) = waiting
            && visit.state == "AwaitAction"
        {
            let _ = timeout(ATTENTION, self.act(id)).await;
            self.stack.invoke("await-action", &visit.payload).await;
        }
    }
}

impl Trail {
    /// Takes rules off, the oldest first, until so many are left. Counts what they struck.
    async fn disarm(&mut self, left: usize) {
        while self.armed.len() > left {
            let Some(armed) = self.armed.pop_front() else {
                return;
            };
            let action = armed.rule().action.name();
            let hits = armed.disarm().await;
            *self.struck.entry(action).or_insert(0) += hits;
        }
    }
}

/// Lets go what a rule holds, some time after it has begun to, or else when nobody waits for it any more.
async fn let_go(armed: &Armed, held_for: Duration) {
    if matches!(armed.rule().action, Action::Hold | Action::HoldAnswer) {
        if timeout(ATTENTION, armed.wait_until_held()).await.is_ok() {
            sleep(held_for).await;
        }
        armed.release().await;
    }
}

/// Says something also where the output of tests that pass is kept back: that goes for `print!` only.
fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}
