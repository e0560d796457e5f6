//! The money of the shop in sums, per currency: what was taken and given back, and what is kept for which orders.

use std::collections::BTreeMap;

use oxcart_domain::{
    order::OrderStatus,
    payment::{PaymentStatus, RefundStatus},
};
use serde::Serialize;

use super::books::Books;
use crate::items::{Order, Payment, signed};

/// The money of one currency, in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Sums {
    /// What was taken.
    pub charged: i64,
    /// What was given back.
    pub refunded: i64,
    /// The totals of confirmed orders, less what of them was given back in parts.
    pub kept: i64,
    /// What is kept for orders whose saga has not ended.
    pub in_open_orders: i64,
}

impl Sums {
    /// What is kept that belongs to no order.
    #[must_use]
    pub const fn difference(self) -> i64 {
        self.charged - self.refunded - self.kept - self.in_open_orders
    }
}

/// The sums, by currency, as the gateway tells them. None without the gateway's books.
pub(super) fn sums(books: &Books) -> Option<BTreeMap<String, Sums>> {
    let gateway = books.gateway.as_ref()?;
    let mut sums: BTreeMap<String, Sums> = BTreeMap::new();
    for id in books.order_ids() {
        let order = books.orders.get(&id);
        let is_open = order.is_some_and(Order::is_open);
        for intent in gateway.intents_of(id) {
            let refunded = gateway.refunded(intent);
            let sums = sums.entry(intent.currency.to_uppercase()).or_default();
            sums.charged += intent.charged();
            sums.refunded += refunded;
            if is_open {
                sums.in_open_orders += intent.charged() - refunded;
            }
        }
        let confirmed = order.filter(|order| order.status == OrderStatus::Confirmed);
        if let Some(total) = confirmed.and_then(|order| order.total) {
            let payment = books.payments.get(&id);
            let parts = |status| payment.map_or(0, |payment| payment.parts(status));
            let (done, pending) = (parts(RefundStatus::Done), parts(RefundStatus::Pending));
            // A part that the gateway has made may not be stored as made yet.
            let (_, refunded) = gateway.sums_of(id);
            let given_back = refunded.clamp(done, done + pending);
            let sums = sums.entry(total.currency.to_string()).or_default();
            sums.kept += signed(total.amount) - given_back;
        }
    }
    Some(sums)
}

/// The sums, by currency, as our own records tell them.
pub(super) fn recorded_sums(books: &Books) -> BTreeMap<String, Sums> {
    let mut sums: BTreeMap<String, Sums> = BTreeMap::new();
    for id in books.order_ids() {
        let order = books.orders.get(&id);
        let payment = books.payments.get(&id);
        let (charged, refunded) = payment.map_or((0, 0), |payment| recorded(payment, order));
        if let Some(amount) = payment.and_then(|payment| payment.amount) {
            let sums = sums.entry(amount.currency.to_string()).or_default();
            sums.charged += charged;
            sums.refunded += refunded;
            if order.is_some_and(Order::is_open) {
                sums.in_open_orders += charged - refunded;
            }
        }
        let confirmed = order.filter(|order| order.status == OrderStatus::Confirmed);
        if let Some(total) = confirmed.and_then(|order| order.total) {
            let given_back = payment.map_or(0, |payment| payment.parts(RefundStatus::Done));
            let sums = sums.entry(total.currency.to_string()).or_default();
            sums.kept += signed(total.amount) - given_back;
        }
    }
    sums
}

/// What a payment's record says was taken, and given back.
fn recorded(payment: &Payment, order: Option<&Order>) -> (i64, i64) {
    let amount = payment.amount.map_or(0, |amount| signed(amount.amount));
    match payment.status {
        PaymentStatus::Refunded => (amount, amount),
        // What is undone before the order was confirmed may never have been taken.
        PaymentStatus::Refunding
            if order.is_some_and(|order| order.status == OrderStatus::Pending) =>
        {
            (0, 0)
        }
        PaymentStatus::Charged | PaymentStatus::Refunding => {
            (amount, payment.parts(RefundStatus::Done))
        }
        PaymentStatus::Pending | PaymentStatus::Declined | PaymentStatus::Cancelled => (0, 0),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        gateway::{GivenBack, Intent},
        reconcile::books::GatewayBooks,
    };

    #[test]
    fn what_is_kept_belongs_to_an_order() {
        let id = |number: u32| format!("00000000-0000-0000-0000-00000000000{number}");
        let mut books = Books::default();
        for (number, status) in [(1, "CONFIRMED"), (2, "PENDING"), (3, "REJECTED")] {
            let order = json!({
                "id": id(number), "customer_id": id(number), "status": status, "lines": [],
                "total": {"amount": 1000, "currency": "EUR"}, "payment_status": "PENDING", "timeline": [],
                "created_at": "2026-03-01T09:30:00.000Z", "updated_at": "2026-03-01T09:30:00.000Z",
            });
            let order = serde_json::from_value(order).unwrap();
            books.orders.insert(id(number).parse().unwrap(), order);
        }
        let intents = [1, 2, 3, 4].map(|number| {
            let order = id(number).parse().unwrap();
            Intent::made_for(order, &format!("pi_{number}"), 1000, "succeeded")
        });
        let refund = GivenBack {
            id: "re_1".to_owned(),
            amount: 1000,
            status: "succeeded".to_owned(),
            payment_intent: Some("pi_3".to_owned()),
            created: 0,
        };
        books.gateway = Some(GatewayBooks::of(intents.into(), vec![refund]));

        let sums = sums(&books).unwrap()["EUR"];

        let expected = Sums {
            charged: 4000,
            refunded: 1000,
            kept: 1000,
            in_open_orders: 1000,
        };
        assert_eq!(sums, expected);
        assert_eq!(
            sums.difference(),
            1000,
            "that of an order that there is not"
        );
    }
    #[test]
    fn our_own_records_tell_the_same_sums() {
        let id = |number: u32| format!("00000000-0000-0000-0000-00000000000{number}");
        let at = "2026-03-01T09:30:00.000Z";
        let eur = json!({"amount": 1000, "currency": "EUR"});
        let part = json!({"r1": {
            "amount": {"amount": 300, "currency": "EUR"}, "reason": "late", "status": "DONE", "created_at": at,
        }});
        let mut books = Books::default();
        for (number, order, payment, refunds) in [
            (1, "CONFIRMED", "CHARGED", json!({})),
            (2, "CONFIRMED", "CHARGED", part),
            (3, "PENDING", "CHARGED", json!({})),
            (4, "PENDING", "REFUNDING", json!({})),
            (5, "CANCELLING", "REFUNDING", json!({})),
            (6, "CANCELLED", "REFUNDED", json!({})),
            (7, "REJECTED", "DECLINED", json!({})),
            (8, "REJECTED", "CHARGED", json!({})),
        ] {
            let order = json!({
                "id": id(number), "customer_id": id(number), "status": order, "lines": [], "total": eur,
                "payment_status": "PENDING", "timeline": [], "created_at": at, "updated_at": at,
            });
            let payment = json!({
                "order_id": id(number), "status": payment, "amount": eur, "refunds": refunds,
                "created_at": at, "updated_at": at,
            });
            let key: oxcart_domain::OrderId = id(number).parse().unwrap();
            books
                .orders
                .insert(key, serde_json::from_value(order).unwrap());
            books
                .payments
                .insert(key, serde_json::from_value(payment).unwrap());
        }

        let sums = recorded_sums(&books)["EUR"];

        let expected = Sums {
            charged: 6000,
            refunded: 1300,
            kept: 1700,
            in_open_orders: 2000,
        };
        assert_eq!(sums, expected);
        assert_eq!(
            sums.difference(),
            1000,
            "that of the order that was not sold"
        );
    }
}
