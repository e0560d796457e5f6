//! The accountant: stock, money and orders, each from its own books, must tell the same story.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    eventually::{PATIENCE, eventually},
    gateway::Books,
    stack::Stack,
};

impl Stack {
    /// Waits until every order of these products is terminal, then checks the invariants of the
    /// whole system for them: nothing oversold, nothing kept back, nothing charged in vain.
    pub async fn assert_figures_agree(&self, skus: &[&str]) {
        let orders = eventually("every order is terminal", PATIENCE, async || {
            let orders = self.orders_of(skus).await;
            match orders.iter().find(|order| !is_terminal(order)) {
                None => Ok(orders),
                Some(open) => Err(open.to_string()),
            }
        })
        .await;
        let reservations = by_order(self.items("INVENTORY_TABLE", "RESERVATION#").await);
        let payments = by_order(self.items("PAYMENTS_TABLE", "PAYMENT#").await);
        let adjustments = self.items("INVENTORY_TABLE", "ADJUSTMENT#").await;
        let books = self.gateway.books().await;

        for order in &orders {
            let id = text(order, "id");
            assert_reservation_fits(order, reservations.get(id));
            assert_money_fits(order, payments.get(id), &books);
        }
        for sku in skus {
            let product = self
                .item("INVENTORY_TABLE", &format!("PRODUCT#{sku}"))
                .await
                .unwrap_or_else(|| panic!("no product {sku}"));
            let available = number(&product, "available");
            let held: i64 = reservations
                .values()
                .filter(|reservation| reservation["status"] == "HELD")
                .map(|reservation| quantity_of(reservation, sku))
                .sum();
            let sold: i64 = orders
                .iter()
                .filter(|order| order["status"] == "CONFIRMED")
                .map(|order| quantity_of(order, sku))
                .sum();
            let adjusted: i64 = adjustments
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

    async fn orders_of(&self, skus: &[&str]) -> Vec<Value> {
        let mut orders = self.items("ORDERS_TABLE", "ORDER#").await;
        orders.retain(|order| skus.iter().any(|sku| quantity_of(order, sku) > 0));
        orders
    }
}

/// A reservation is held exactly if its order is confirmed, and at the prices the order shows.
fn assert_reservation_fits(order: &Value, reservation: Option<&Value>) {
    let held = reservation.is_some_and(|reservation| reservation["status"] == "HELD");
    let confirmed = order["status"] == "CONFIRMED";
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

/// What the gateway took less what it gave back is the order's total if confirmed, else nothing;
/// and our own record of the payment says so too.
fn assert_money_fits(order: &Value, payment: Option<&Value>, books: &Books) {
    let id = text(order, "id");
    let kept = books.charged(id) - books.refunded(id);
    if order["status"] == "CONFIRMED" {
        let payment =
            payment.unwrap_or_else(|| panic!("order {id} is confirmed without a payment"));
        let intent = books.intent(text(payment, "intent_id"));
        assert_eq!(
            kept,
            number(&order["total"], "amount"),
            "the gateway kept what order {id} cost"
        );
        assert_eq!(payment["status"], "CHARGED", "{payment}");
        assert_eq!(payment["amount"], order["total"], "{payment}");
        assert_eq!(intent["amount"], order["total"]["amount"], "{intent}");
        let currency = text(&order["total"], "currency").to_lowercase();
        assert_eq!(intent["currency"], currency, "{intent}");
        assert_eq!(
            books.refunds_for(id).len(),
            0,
            "a confirmed order {id} was refunded"
        );
    } else {
        assert_eq!(
            kept, 0,
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
