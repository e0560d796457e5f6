//! The accountant: stock, money and orders, each from its own books, must tell the same story.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use futures::future::join_all;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{
    eventually::{PATIENCE, eventually},
    gateway::Books,
    stack::Stack,
};

/// How long what is still on its way may take after an order is terminal: a call that hangs, and the
/// invocation that it hangs in.
const REST: Duration = Duration::from_secs(30);

/// The books of the whole system at one moment, as far as they are about some products.
pub struct Figures {
    orders: Vec<Value>,
    reservations: BTreeMap<String, Value>,
    payments: BTreeMap<String, Value>,
    adjustments: Vec<Value>,
    products: BTreeMap<String, Value>,
    books: Books,
}

impl Stack {
    /// Waits until every order of these products is terminal and every refund of a confirmed one is made,
    /// then checks the invariants of the whole system for them: nothing oversold, nothing kept back,
    /// nothing charged in vain.
    pub async fn assert_figures_agree(&self, skus: &[&str]) {
        eventually("every order is terminal", PATIENCE, async || {
            let orders = self.orders_of(skus).await;
            match orders.iter().find(|order| !is_terminal(order)) {
                None => Ok(()),
                Some(open) => Err(open.to_string()),
            }
        })
        .await;
        let confirmed = self.orders_of(skus).await;
        for order in confirmed.iter().filter(|order| is_confirmed(order)) {
            self.await_refunds(text(order, "id")).await;
        }
        self.figures(skus).await.assert_agree(skus);
    }

    /// The same after faults, when repeats and late calls may still be on their way: what does not agree
    /// at once has to agree soon.
    pub async fn assert_figures_come_to_agree(&self, skus: &[&str]) {
        let deadline = Instant::now() + REST;
        while Instant::now() < deadline {
            let figures = self.figures(skus).await;
            if skus.iter().all(|sku| figures.agree_about(sku)) {
                return;
            }
            sleep(Duration::from_secs(1)).await;
        }
        self.figures(skus).await.assert_agree(skus);
    }

    /// The books as they are now.
    pub async fn figures(&self, skus: &[&str]) -> Figures {
        let products = skus.iter().map(async |sku| {
            let key = format!("PRODUCT#{sku}");
            let product = self.item("INVENTORY_TABLE", &key).await;
            let mut product = product.unwrap_or_else(|| panic!("no product {sku}"));
            let mut units = number(&product, "available");
            for shard in 1..product["stock_shards"].as_u64().unwrap_or(1) {
                let key = format!("STOCK#{sku}#{shard}");
                let shard = self.item("INVENTORY_TABLE", &key).await;
                let more = shard.map_or(0, |shard| number(&shard, "available"));
                assert!(more >= 0, "{key} has {more}");
                units += more;
            }
            product["available"] = json!(units);
            ((*sku).to_owned(), product)
        });
        let orders = self.orders_of(skus).await;
        let reservations = by_order(self.items("INVENTORY_TABLE", "RESERVATION#").await);
        let payments = by_order(self.items("PAYMENTS_TABLE", "PAYMENT#").await);
        let adjustments = self.items("INVENTORY_TABLE", "ADJUSTMENT#").await;
        let books = self.gateway.books().await;
        Figures {
            orders,
            reservations,
            payments,
            adjustments,
            products: join_all(products).await.into_iter().collect(),
            books,
        }
    }

    async fn orders_of(&self, skus: &[&str]) -> Vec<Value> {
        let mut orders = self.items("ORDERS_TABLE", "ORDER#").await;
        orders.retain(|order| skus.iter().any(|sku| quantity_of(order, sku) > 0));
        orders
    }
}

impl Figures {
    /// Whether the books agree about a product, and its orders are terminal.
    pub fn agree_about(&self, sku: &str) -> bool {
        catch_unwind(AssertUnwindSafe(|| self.assert_agree(&[sku]))).is_ok()
    }

    /// Checks the invariants for these products.
    pub fn assert_agree(&self, skus: &[&str]) {
        let about = |order: &&Value| skus.iter().any(|sku| quantity_of(order, sku) > 0);
        for order in self.orders.iter().filter(about) {
            let id = text(order, "id");
            assert!(is_terminal(order), "order {id} is {}", order["status"]);
            assert_ending_fits(order);
            assert_reservation_fits(order, self.reservations.get(id));
            assert_money_fits(order, self.payments.get(id), &self.books);
        }
        for sku in skus {
            let available = number(&self.products[*sku], "available");
            let held: i64 = self
                .reservations
                .values()
                .filter(|reservation| reservation["status"] == "HELD")
                .map(|reservation| quantity_of(reservation, sku))
                .sum();
            let sold: i64 = self
                .orders
                .iter()
                .filter(|order| is_confirmed(order))
                .map(|order| quantity_of(order, sku))
                .sum();
            let adjusted: i64 = self
                .adjustments
                .iter()
                .filter(|adjustment| adjustment["sku"] == *sku)
                .map(|adjustment| number(adjustment, "delta"))
                .sum();
            assert!(available >= 0, "{sku} is oversold: {available} available");
            assert_eq!(
                adjusted,
                available + held,
                "{sku}: adjusted = available {available} + held {held}"
            );
            assert_eq!(held, sold, "{sku}: what is held is what was sold");
        }
    }
}

/// An order that has ended is not looked after any more. It says why if nothing is sold: that its customer
/// wanted it so exactly if it is cancelled.
fn assert_ending_fits(order: &Value) {
    for left in ["open", "due_at", "action_requested", "needs_attention"] {
        assert_eq!(
            order[left],
            Value::Null,
            "{left} of an ended order: {order}"
        );
    }
    assert_eq!(order["reason"].is_null(), is_confirmed(order), "{order}");
    assert_eq!(
        order["reason"] == "cancelled-by-customer",
        order["status"] == "CANCELLED",
        "{order}"
    );
}

/// A reservation is held exactly if its order is confirmed, and at the prices the order shows.
fn assert_reservation_fits(order: &Value, reservation: Option<&Value>) {
    let held = reservation.is_some_and(|reservation| reservation["status"] == "HELD");
    let confirmed = is_confirmed(order);
    assert_eq!(
        held, confirmed,
        "held exactly if confirmed: {order} and {reservation:?}"
    );
    if confirmed {
        let reservation = reservation.expect("a reservation that is held");
        assert_eq!(order["priced_lines"], reservation["lines"], "priced alike");
        assert_eq!(order["total"], reservation["total"], "totalled alike");
    }
}

/// What the gateway took is the order's total if confirmed, and what it gave back is what support had
/// given back; else both are the same. Our own record of the payment says so too.
fn assert_money_fits(order: &Value, payment: Option<&Value>, books: &Books) {
    let id = text(order, "id");
    let (charged, refunded) = (books.charged(id), books.refunded(id));
    if is_confirmed(order) {
        let payment =
            payment.unwrap_or_else(|| panic!("order {id} is confirmed without a payment"));
        let intent = books.intent(text(payment, "intent_id"));
        assert_eq!(
            charged,
            number(&order["total"], "amount"),
            "the gateway took what order {id} cost"
        );
        assert_eq!(payment["status"], "CHARGED", "{payment}");
        assert_eq!(payment["amount"], order["total"], "{payment}");
        assert_eq!(intent["amount"], order["total"]["amount"], "{intent}");
        let currency = text(&order["total"], "currency").to_lowercase();
        assert_eq!(intent["currency"], currency, "{intent}");
        let [done, pending] = ["DONE", "PENDING"].map(|status| parts(payment, status));
        assert!(
            (done..=done + pending).contains(&refunded),
            "the gateway gave {refunded} back: {payment}"
        );
        let noted = payment["refund_total"].as_i64().unwrap_or_default();
        assert_eq!(noted, done + pending, "{payment}");
    } else {
        assert_eq!(
            charged, refunded,
            "the gateway kept money for order {id}, which is {}",
            order["status"]
        );
        let status = payment.map(|payment| text(payment, "status"));
        assert!(
            matches!(status, None | Some("DECLINED" | "CANCELLED" | "REFUNDED")),
            "order {id} is {} but its payment {status:?}",
            order["status"]
        );
    }
}

/// The sum of the parts of a payment that were asked to be given back and stand at `status`.
fn parts(payment: &Value, status: &str) -> i64 {
    let refunds = payment["refunds"].as_object().into_iter().flatten();
    refunds
        .filter(|(_, refund)| refund["status"] == status)
        .map(|(_, refund)| number(&refund["amount"], "amount"))
        .sum()
}

fn is_confirmed(order: &Value) -> bool {
    order["status"] == "CONFIRMED"
}

fn is_terminal(order: &Value) -> bool {
    matches!(
        order["status"].as_str(),
        Some("CONFIRMED" | "REJECTED" | "CANCELLED")
    )
}

fn by_order(items: Vec<Value>) -> BTreeMap<String, Value> {
    items
        .into_iter()
        .map(|item| (text(&item, "order_id").to_owned(), item))
        .collect()
}

fn quantity_of(item: &Value, sku: &str) -> i64 {
    let lines = item["lines"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    lines
        .iter()
        .filter(|line| line["sku"] == sku)
        .map(|line| number(line, "quantity"))
        .sum()
}

fn text<'v>(item: &'v Value, name: &str) -> &'v str {
    item[name]
        .as_str()
        .unwrap_or_else(|| panic!("no text {name} in {item}"))
}

fn number(item: &Value, name: &str) -> i64 {
    item[name]
        .as_i64()
        .unwrap_or_else(|| panic!("no number {name} in {item}"))
}
