//! The money of the shop in sums, per currency: what was taken and given back, and what is kept for which orders.

use std::collections::BTreeMap;

use oxcart_domain::{order::OrderStatus, payment::RefundStatus};
use serde::Serialize;

use super::books::Books;
use crate::items::{Order, signed};

/// The money of one currency, in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Sums {
    /// What the gateway has taken.
    pub(super) charged: i64,
    /// What the gateway has given back.
    pub(super) refunded: i64,
    /// The totals of confirmed orders, less what of them was given back in parts.
    pub(super) kept: i64,
    /// What the gateway keeps for orders whose saga has not ended.
    pub(super) in_open_orders: i64,
}

impl Sums {
    /// What the gateway keeps that belongs to no order.
    pub(super) const fn difference(self) -> i64 {
        self.charged - self.refunded - self.kept - self.in_open_orders
    }
}

/// The sums, by currency. None without the gateway's books.
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
}
