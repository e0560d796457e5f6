//! One order's story, put together in the order of time from what each service knows of it. Pure.

use std::collections::HashSet;

use oxcart_domain::{Timestamp, payment::PaymentStatus};
use serde::Serialize;

use crate::{
    items::{Order, Payment, Reservation},
    moment,
    money::money,
    sagas::{Run, Visit},
};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// The service, or the saga.
    pub place: String,
    /// What, in words.
    pub what: String,
    /// How much it tells.
    pub weight: Weight,
}

/// How much it tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// A domain event.
    Event,
    /// What led to one.
    Step,
    /// An attempt that failed.
    Failure,
    /// Something that needs somebody.
    Trouble,
}

/// Puts together what happened.
///
/// The order's own timeline gets its steps' events only when it ends, and its records keep only their last
/// times, so each event is taken from wherever it is known.
pub fn story(
    order: Option<&Order>,
    reservation: Option<&Reservation>,
    payment: Option<&Payment>,
    runs: &[Run],
) -> Vec<Entry> {
    let mut entries = Vec::new();
    for run in runs {
        entries.extend(of_run(run));
    }
    entries.extend(reservation.into_iter().flat_map(of_reservation));
    entries.extend(payment.into_iter().flat_map(of_payment));
    // After those that say more of the same events.
    entries.extend(order.into_iter().flat_map(of_order));
    let mut told = HashSet::new();
    entries.retain(|entry| {
        entry.weight != Weight::Event || told.insert((entry.at, kind_of(&entry.what).to_owned()))
    });
    // Stable: what happened in one millisecond stays in the order in which each place tells it.
    entries.sort_by_key(|entry| entry.at);
    entries
}

/// The type of the event that an entry begins with.
fn kind_of(what: &str) -> &str {
    what.split(':').next().unwrap_or(what)
}

fn entry(weight: Weight, at: Timestamp, place: &str, what: impl Into<String>) -> Entry {
    Entry {
        at,
        place: place.to_owned(),
        what: what.into(),
        weight,
    }
}

fn of_order(order: &Order) -> Vec<Entry> {
    let timeline = order.timeline.iter().map(|told| {
        let place = match told.event.split('.').next() {
            Some("stock") => "inventory",
            Some("payment") => "payments",
            _ => "orders",
        };
        entry(Weight::Event, told.at, place, told.event.as_str())
    });
    let mut entries: Vec<Entry> = timeline.collect();
    entries.extend(order.parked.iter().map(|parked| {
        let why = format!(
            "left to a person: {} kept failing with {}",
            parked.state, parked.error
        );
        entry(Weight::Trouble, parked.at, "orders", why)
    }));
    entries
}

fn of_reservation(reservation: &Reservation) -> Vec<Entry> {
    let event = |at, what: &str| entry(Weight::Event, at, "inventory", what);
    if reservation.lines.is_none() {
        let what = "closed before anything was reserved";
        return vec![entry(
            Weight::Step,
            reservation.created_at,
            "inventory",
            what,
        )];
    }
    let mut entries = vec![event(reservation.created_at, "stock.reserved")];
    if !reservation.is_held() {
        entries.push(event(reservation.updated_at, "stock.released"));
    }
    entries
}

fn of_payment(payment: &Payment) -> Vec<Entry> {
    let step = |at, what: String| entry(Weight::Step, at, "payments", what);
    let event = |at, what: String| entry(Weight::Event, at, "payments", what);
    let Some(amount) = payment.amount else {
        let what = "closed before anything was charged".to_owned();
        return vec![step(payment.created_at, what)];
    };
    let mut entries = vec![step(
        payment.created_at,
        format!("{} to be charged", money(amount)),
    )];
    let at = payment.updated_at;
    let declined = payment.decline_code.as_deref().unwrap_or("unspecified");
    entries.extend(match payment.status {
        // That it was recorded is told already.
        PaymentStatus::Pending => None,
        PaymentStatus::Charged => Some(event(at, "payment.charged".to_owned())),
        PaymentStatus::Declined => Some(event(at, format!("payment.declined: {declined}"))),
        PaymentStatus::Refunding => Some(step(at, "being given back".to_owned())),
        PaymentStatus::Refunded => Some(event(at, "payment.refunded".to_owned())),
        PaymentStatus::Cancelled => Some(step(at, "given up, nothing was taken".to_owned())),
    });
    entries.extend(payment.refunds.values().map(|refund| {
        let (part, stands) = (money(refund.amount), refund.stands());
        event(
            refund.created_at,
            format!("payment.refund-requested: {part}, {stands}"),
        )
    }));
    entries
}

fn of_run(run: &Run) -> Vec<Entry> {
    let place = run.saga.as_str();
    let number = match run.number {
        0 => String::new(),
        again => format!(" again, run {again}"),
    };
    let mut entries = vec![entry(
        Weight::Step,
        run.started,
        place,
        format!("starts{number}"),
    )];
    for visit in &run.visits {
        entries.extend(of_visit(place, visit));
    }
    if let Some(ended) = run.ended {
        let error = run.error.as_deref();
        let error = error.map_or_else(String::new, |error| format!(": {error}"));
        let weight = if run.status == "SUCCEEDED" {
            Weight::Step
        } else {
            Weight::Trouble
        };
        entries.push(entry(
            weight,
            ended,
            place,
            format!("{}{error}", run.status),
        ));
    }
    entries
}

fn of_visit(place: &str, visit: &Visit) -> Vec<Entry> {
    let state = &visit.state;
    let mut entries = vec![entry(
        Weight::Step,
        visit.entered,
        place,
        format!("{state} entered"),
    )];
    let failures = visit.failures.iter().zip(1..).map(|(failed, attempt)| {
        let what = format!("{state} attempt {attempt} failed: {}", failed.error);
        entry(Weight::Failure, failed.at, place, what)
    });
    entries.extend(failures);
    if let Some(left) = visit.left {
        let took = moment::short(moment::between(visit.entered, left));
        entries.push(entry(
            Weight::Step,
            left,
            place,
            format!("{state} left after {took}"),
        ));
    }
    entries
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sagas::{Failed, Saga};

    const ID: &str = "00000000-0000-0000-0000-000000000001";

    fn at(millis: u32) -> Timestamp {
        Timestamp::try_from(format!(
            "2026-03-01T09:30:{:02}.{:03}Z",
            millis / 1000,
            millis % 1000
        ))
        .unwrap()
    }

    fn order() -> Order {
        let order = json!({
            "id": ID, "customer_id": ID, "status": "REJECTED", "reason": "payment-declined",
            "lines": [{"sku": "tea", "quantity": 1}], "payment_status": "DECLINED",
            "timeline": [
                {"at": at(0), "event": "order.placed"},
                {"at": at(40), "event": "payment.declined"},
                {"at": at(50), "event": "stock.released"},
                {"at": at(60), "event": "order.rejected"},
            ],
            "created_at": at(0), "updated_at": at(60),
        });
        serde_json::from_value(order).unwrap()
    }

    #[test]
    fn each_event_is_told_once_and_in_the_order_of_time() {
        let eur = json!({"amount": 1250, "currency": "EUR"});
        let lines = json!([{"sku": "tea", "quantity": 1, "unit_price": eur}]);
        let reservation: Reservation = serde_json::from_value(json!({
            "order_id": ID, "status": "RELEASED", "lines": lines, "total": eur,
            "created_at": at(20), "updated_at": at(50),
        }))
        .unwrap();
        let payment: Payment = serde_json::from_value(json!({
            "order_id": ID, "status": "DECLINED", "amount": eur, "decline_code": "card_declined",
            "created_at": at(30), "updated_at": at(40),
        }))
        .unwrap();
        let charge = Visit {
            state: "ChargePayment".to_owned(),
            entered: at(25),
            left: Some(at(45)),
            failures: vec![Failed {
                at: at(44),
                error: "PaymentDeclined".to_owned(),
            }],
        };
        let run = Run {
            saga: Saga::Order,
            number: 0,
            name: ID.to_owned(),
            arn: "arn".to_owned(),
            status: "SUCCEEDED".to_owned(),
            started: at(10),
            ended: Some(at(70)),
            error: None,
            visits: vec![charge],
        };

        let story = story(Some(&order()), Some(&reservation), Some(&payment), &[run]);

        let told: Vec<(&str, &str)> = story
            .iter()
            .map(|entry| (&*entry.place, &*entry.what))
            .collect();
        assert_eq!(
            told,
            [
                ("orders", "order.placed"),
                ("order-saga", "starts"),
                ("inventory", "stock.reserved"),
                ("order-saga", "ChargePayment entered"),
                ("payments", "12.50 EUR to be charged"),
                ("payments", "payment.declined: card_declined"),
                (
                    "order-saga",
                    "ChargePayment attempt 1 failed: PaymentDeclined"
                ),
                ("order-saga", "ChargePayment left after 0.020 s"),
                ("inventory", "stock.released"),
                ("orders", "order.rejected"),
                ("order-saga", "SUCCEEDED"),
            ]
        );
    }

    #[test]
    fn what_was_closed_before_it_began_is_no_event() {
        let reservation: Reservation = serde_json::from_value(json!({
            "order_id": ID, "status": "RELEASED", "created_at": at(20), "updated_at": at(20),
        }))
        .unwrap();
        let payment: Payment = serde_json::from_value(json!({
            "order_id": ID, "status": "CANCELLED", "created_at": at(10), "updated_at": at(10),
        }))
        .unwrap();
        let story = story(None, Some(&reservation), Some(&payment), &[]);
        assert_eq!(story.len(), 2);
        assert!(story.iter().all(|entry| entry.weight == Weight::Step));
    }
}
