//! The checks, on books that agree and on books that were tampered with.

use oxcart_domain::Sku;
use serde_json::{Value, json};

use super::*;
use crate::gateway::GivenBack;

const ID: &str = "00000000-0000-0000-0000-000000000001";
const NOW: &str = "2026-03-01T12:00:00.000Z";

/// An order as an item, its reservation and payment, an intent and what was given back of it: a sale of two
/// units at 12.50 EUR, of five that were put in.
struct Sale {
    order: Option<Value>,
    reservation: Option<Value>,
    payment: Option<Value>,
    intents: Vec<(&'static str, i64, &'static str)>,
    refunds: Vec<(&'static str, i64)>,
    adjusted: i64,
    available: i64,
}

impl Sale {
    fn confirmed() -> Self {
        let total = json!({"amount": 2500, "currency": "EUR"});
        let price = json!({"amount": 1250, "currency": "EUR"});
        let lines = json!([{"sku": "tea", "quantity": 2, "unit_price": price}]);
        let at = "2026-03-01T09:30:00.250Z";
        Self {
            order: Some(json!({
                "id": ID, "customer_id": ID, "status": "CONFIRMED", "payment_status": "CHARGED",
                "lines": [{"sku": "tea", "quantity": 2}], "priced_lines": lines, "total": total,
                "timeline": [], "created_at": at, "updated_at": at,
            })),
            reservation: Some(json!({
                "order_id": ID, "status": "HELD", "lines": lines, "total": total,
                "created_at": at, "updated_at": at,
            })),
            payment: Some(json!({
                "order_id": ID, "status": "CHARGED", "amount": total, "intent_id": "pi_1",
                "refund_total": 0, "refunds": {}, "created_at": at, "updated_at": at,
            })),
            intents: vec![("pi_1", 2500, "succeeded")],
            refunds: Vec::new(),
            adjusted: 5,
            available: 3,
        }
    }

    fn rejected() -> Self {
        let mut sale = Self::confirmed();
        sale.order(&[
            ("status", json!("REJECTED")),
            ("reason", json!("payment-declined")),
        ]);
        sale.reservation(&[("status", json!("RELEASED"))]);
        sale.payment(&[("status", json!("DECLINED"))]);
        sale.intents = vec![("pi_1", 2500, "requires_payment_method")];
        sale.available = 5;
        sale
    }

    fn order(&mut self, changes: &[(&str, Value)]) {
        change(self.order.as_mut(), changes);
    }

    fn reservation(&mut self, changes: &[(&str, Value)]) {
        change(self.reservation.as_mut(), changes);
    }

    fn payment(&mut self, changes: &[(&str, Value)]) {
        change(self.payment.as_mut(), changes);
    }

    fn books(self) -> Books {
        let (id, sku): (OrderId, _) = (ID.parse().unwrap(), Sku::try_from("tea".to_owned()));
        let sku = sku.unwrap();
        let intents = self.intents.iter();
        let intents =
            intents.map(|(intent, amount, status)| Intent::made_for(id, intent, *amount, status));
        let refunds = self.refunds.iter().map(|(intent, amount)| GivenBack {
            id: "re_1".to_owned(),
            amount: *amount,
            status: "succeeded".to_owned(),
            payment_intent: Some((*intent).to_owned()),
            created: 0,
        });
        let gateway = GatewayBooks::of(intents.collect(), refunds.collect());
        let read = |item: Option<Value>| item.into_iter().map(|item| (id, item));
        let product = json!({"sku": "tea", "available": self.available});
        Books {
            orders: read(self.order).map(parsed).collect(),
            reservations: read(self.reservation).map(parsed).collect(),
            payments: read(self.payment).map(parsed).collect(),
            adjusted: [(sku.clone(), self.adjusted)].into(),
            products: [(sku, serde_json::from_value(product).unwrap())].into(),
            gateway: Some(gateway),
            unreadable: std::collections::BTreeMap::new(),
        }
    }

    /// The kinds of what is found in it.
    fn finds(self) -> Vec<Kind> {
        let now = Timestamp::try_from(NOW.to_owned()).unwrap();
        let findings = findings(&self.books(), &Scope::default(), now);
        findings.into_iter().map(|finding| finding.kind).collect()
    }
}

fn parsed<T: serde::de::DeserializeOwned>((id, item): (OrderId, Value)) -> (OrderId, T) {
    (id, serde_json::from_value(item).unwrap())
}

fn change(item: Option<&mut Value>, changes: &[(&str, Value)]) {
    let item = item.unwrap();
    for (name, value) in changes {
        item[*name] = value.clone();
    }
}

fn refund(status: &str, created_at: &str) -> Value {
    json!({"r1": {
        "amount": {"amount": 500, "currency": "EUR"}, "reason": "late", "status": status,
        "created_at": created_at,
    }})
}

#[test]
fn of_books_that_agree_nothing_is_said() {
    assert_eq!(Sale::confirmed().finds(), []);
    assert_eq!(Sale::rejected().finds(), []);

    let mut refunded = Sale::rejected();
    refunded.order(&[
        ("status", json!("CANCELLED")),
        ("reason", json!("cancelled-by-customer")),
    ]);
    refunded.payment(&[("status", json!("REFUNDED"))]);
    refunded.intents = vec![
        ("pi_1", 2500, "succeeded"),
        ("pi_0", 2500, "requires_confirmation"),
    ];
    refunded.refunds = vec![("pi_1", 2000), ("pi_1", 500)];
    assert_eq!(refunded.finds(), []);

    let mut tombstones = Sale::rejected();
    let at = json!("2026-03-01T09:30:00.250Z");
    tombstones.reservation = Some(json!({
        "order_id": ID, "status": "RELEASED", "created_at": at, "updated_at": at,
    }));
    tombstones.payment = Some(json!({
        "order_id": ID, "status": "CANCELLED", "created_at": at, "updated_at": at,
    }));
    tombstones.intents.clear();
    assert_eq!(tombstones.finds(), []);
}

#[test]
fn of_an_order_in_motion_only_that_it_is_looked_after_is_asked() {
    for (due, open, kinds) in [
        ("2026-03-01T12:01:00.000Z", json!("0"), vec![]),
        ("2026-03-01T11:59:00.000Z", json!("0"), vec![]),
        (
            "2026-03-01T11:00:00.000Z",
            json!("0"),
            vec![Kind::OrderOverdue],
        ),
        (
            "2026-03-01T12:01:00.000Z",
            Value::Null,
            vec![Kind::OrderUnwatched],
        ),
    ] {
        let mut sale = Sale::confirmed();
        sale.order(&[
            ("status", json!("PENDING")),
            ("due_at", json!(due)),
            ("open", open),
        ]);
        assert_eq!(sale.finds(), kinds, "{due}");
    }
    let mut parked = Sale::confirmed();
    parked.order(&[
        ("status", json!("CANCELLING")),
        ("needs_attention", json!(true)),
    ]);
    assert_eq!(parked.finds(), [Kind::OrderParked]);
    let mut never_due = Sale::confirmed();
    never_due.order(&[("status", json!("PENDING")), ("open", json!("0"))]);
    assert_eq!(never_due.finds(), [Kind::OrderUnwatched]);
}

#[test]
fn an_order_that_has_ended_is_tidy() {
    for changes in [
        ("open", json!("0")),
        ("due_at", json!(NOW)),
        ("needs_attention", json!(true)),
        ("reason", json!("internal")),
    ] {
        let mut sale = Sale::confirmed();
        sale.order(std::slice::from_ref(&changes));
        assert_eq!(sale.finds(), [Kind::OrderUntidy], "{changes:?}");
    }
    let mut rejected = Sale::rejected();
    rejected.order(&[("reason", json!("cancelled-by-customer"))]);
    assert_eq!(rejected.finds(), [Kind::OrderUntidy]);
}

#[test]
fn units_are_held_exactly_for_what_is_sold() {
    let mut without = Sale::confirmed();
    without.reservation = None;
    assert_eq!(
        without.finds(),
        [Kind::ConfirmedWithoutReservation, Kind::StockDiffers]
    );

    let mut released = Sale::confirmed();
    released.reservation(&[("status", json!("RELEASED"))]);
    released.available = 5;
    assert_eq!(released.finds(), [Kind::ConfirmedWithoutReservation]);

    let mut kept = Sale::rejected();
    kept.reservation(&[("status", json!("HELD"))]);
    kept.available = 3;
    assert_eq!(kept.finds(), [Kind::ReservationOfEndedOrder]);

    let mut for_nobody = Sale::confirmed();
    for_nobody.order = None;
    for_nobody.payment = None;
    for_nobody.intents.clear();
    assert_eq!(for_nobody.finds(), [Kind::ReservationWithoutOrder]);

    let mut dearer = Sale::confirmed();
    dearer.reservation(&[("total", json!({"amount": 2600, "currency": "EUR"}))]);
    assert_eq!(dearer.finds(), [Kind::PricesDiffer]);
}

#[test]
fn what_is_sold_is_paid() {
    let mut unpaid = Sale::confirmed();
    unpaid.payment = None;
    unpaid.intents.clear();
    assert_eq!(unpaid.finds(), [Kind::ConfirmedWithoutPayment]);

    let mut unrecorded = Sale::confirmed();
    unrecorded.payment(&[("status", json!("PENDING"))]);
    assert_eq!(
        unrecorded.finds(),
        [Kind::ConfirmedWithoutPayment, Kind::ChargeNotRecorded]
    );

    let mut cheaper = Sale::confirmed();
    cheaper.payment(&[("amount", json!({"amount": 2400, "currency": "EUR"}))]);
    assert_eq!(cheaper.finds(), [Kind::AmountsDiffer, Kind::ChargeDiffers]);

    let mut taken_less = Sale::confirmed();
    taken_less.intents = vec![("pi_1", 2400, "succeeded")];
    assert_eq!(taken_less.finds(), [Kind::ChargeDiffers]);

    for intents in [vec![], vec![("pi_1", 2500, "canceled")]] {
        let mut not_taken = Sale::confirmed();
        not_taken.intents = intents;
        assert_eq!(not_taken.finds(), [Kind::ChargeNotAtGateway]);
    }

    let mut twice = Sale::confirmed();
    twice.intents.push(("pi_2", 2500, "succeeded"));
    assert_eq!(twice.finds(), [Kind::ChargeNotRecorded]);
}

#[test]
fn what_is_not_sold_costs_nothing() {
    for status in ["CHARGED", "PENDING", "REFUNDING"] {
        let mut kept = Sale::rejected();
        kept.payment(&[("status", json!(status))]);
        assert_eq!(kept.finds(), [Kind::PaymentOfEndedOrder], "{status}");
    }
    let mut unseen = Sale::rejected();
    unseen.intents = vec![("pi_1", 2500, "succeeded")];
    assert_eq!(unseen.finds(), [Kind::ChargeNotRecorded]);

    let mut half = Sale::rejected();
    half.payment(&[("status", json!("REFUNDED"))]);
    half.intents = vec![("pi_1", 2500, "succeeded")];
    half.refunds = vec![("pi_1", 1000)];
    assert_eq!(half.finds(), [Kind::RefundsDiffer]);

    let mut for_nobody = Sale::rejected();
    for_nobody.order = None;
    for_nobody.payment(&[("status", json!("CHARGED"))]);
    for_nobody.intents = vec![("pi_1", 2500, "succeeded")];
    assert_eq!(
        for_nobody.finds(),
        [Kind::PaymentWithoutOrder, Kind::ChargeWithoutOrder]
    );
}

#[test]
fn parts_are_given_back_as_they_were_asked_for() {
    let lately = "2026-03-01T11:59:00.000Z";
    for (status, noted, refunded, kinds) in [
        ("DONE", 500, 500, vec![]),
        ("PENDING", 500, 500, vec![]),
        ("PENDING", 500, 0, vec![]),
        ("DONE", 500, 0, vec![Kind::RefundsDiffer]),
        ("DONE", 500, 1000, vec![Kind::RefundsDiffer]),
        ("DONE", 0, 500, vec![Kind::RefundsDiffer]),
    ] {
        let mut sale = Sale::confirmed();
        sale.payment(&[
            ("refunds", refund(status, lately)),
            ("refund_total", json!(noted)),
        ]);
        sale.refunds = vec![("pi_1", refunded)];
        assert_eq!(sale.finds(), kinds, "{status} {noted} {refunded}");
    }
    let mut forgotten = Sale::confirmed();
    let long_ago = refund("PENDING", "2026-03-01T09:00:00.000Z");
    forgotten.payment(&[("refunds", long_ago), ("refund_total", json!(500))]);
    assert_eq!(forgotten.finds(), [Kind::RefundOverdue]);
}

#[test]
fn stock_adds_up_and_is_never_negative() {
    let mut one_too_many = Sale::confirmed();
    one_too_many.available = 4;
    assert_eq!(one_too_many.finds(), [Kind::StockDiffers]);

    let mut oversold = Sale::confirmed();
    (oversold.available, oversold.adjusted) = (-1, 1);
    assert_eq!(oversold.finds(), [Kind::StockNegative]);

    let mut books = Sale::confirmed().books();
    books.products.clear();
    let now = Timestamp::try_from(NOW.to_owned()).unwrap();
    let found = findings(&books, &Scope::default(), now);
    assert_eq!(
        found.first().map(|found| found.kind),
        Some(Kind::StockWithoutProduct)
    );
    let scope = Scope {
        orders: [ID.parse().unwrap()].into(),
        ..Scope::default()
    };
    assert_eq!(
        findings(&books, &scope, now),
        [],
        "nobody asked for the stock"
    );
}

#[test]
fn without_the_gateway_the_rest_is_checked() {
    let mut sale = Sale::confirmed();
    sale.intents.clear();
    let mut books = sale.books();
    books.gateway = None;
    let now = Timestamp::try_from(NOW.to_owned()).unwrap();
    assert_eq!(findings(&books, &Scope::default(), now), []);
}

#[test]
fn of_what_cannot_be_read_that_alone_is_said() {
    let mut books = Sale::confirmed().books();
    books.reservations.clear();
    let key = format!("RESERVATION#{ID}");
    books
        .unreadable
        .insert(key, "missing field `status`".to_owned());
    books.adjusted = [(Sku::try_from("tea".to_owned()).unwrap(), 3)].into();
    let now = Timestamp::try_from(NOW.to_owned()).unwrap();
    let found = findings(&books, &Scope::default(), now);
    let [found] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(
        (found.kind, found.order),
        (Kind::Unreadable, ID.parse().ok())
    );
}
