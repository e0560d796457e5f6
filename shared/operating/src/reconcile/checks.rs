//! The invariants, checked on books that were read. Pure.
//!
//! Checked are orders at rest. Of an order that is open, things are in motion; that it is looked after, and so
//! comes to rest, is all that can be asked of it.

use oxcart_domain::{
    Money, OrderId, Sku, Timestamp,
    order::{OrderStatus, RejectionReason},
    payment::{PaymentStatus, RefundStatus},
};

use super::{
    books::{Books, GatewayBooks, Scope},
    finding::{Finding, Kind},
};
use crate::{
    gateway::Intent,
    items::{Order, Payment, Product, Reservation, signed},
    money::{amount, money},
};

/// How long after it is due an order may wait for somebody to look after it, in seconds: the schedule looks every
/// minute, and may have a backlog.
const GRACE: i64 = 180;
/// How long a refund of part of a payment may take, in seconds. Its queue tries for longer; somebody should know by then.
const REFUND_TAKES: i64 = 3600;

/// All that disagrees in these books, which hold what is in `scope`.
pub(super) fn findings(books: &Books, scope: &Scope, now: Timestamp) -> Vec<Finding> {
    let unreadable = books.unreadable.iter();
    let unreadable = unreadable.map(|(key, why)| Finding::about_item(key, why));
    let mut findings: Vec<Finding> = unreadable.collect();
    for id in books.order_ids() {
        findings.extend(about_order(books, id, now));
    }
    // Of other products than those asked for, part of the reservations is missing.
    let skus = if scope.is_all() {
        books.skus()
    } else {
        scope.skus.clone()
    };
    for sku in skus {
        findings.extend(about_stock(books, &sku));
    }
    findings
}

/// What all the books say of one order.
struct Case<'b> {
    id: OrderId,
    reservation: Option<&'b Reservation>,
    payment: Option<&'b Payment>,
    gateway: Option<&'b GatewayBooks>,
    findings: Vec<Finding>,
}

fn about_order(books: &Books, id: OrderId, now: Timestamp) -> Vec<Finding> {
    // What an unreadable item would say is unknown.
    let speaks = |kind: &str| books.unreadable.contains_key(&format!("{kind}#{id}"));
    if ["ORDER", "RESERVATION", "PAYMENT"]
        .iter()
        .any(|kind| speaks(kind))
    {
        return Vec::new();
    }
    let mut case = Case {
        id,
        reservation: books.reservations.get(&id),
        payment: books.payments.get(&id),
        gateway: books.gateway.as_ref(),
        findings: Vec::new(),
    };
    match books.orders.get(&id) {
        None => case.without_order(),
        Some(order) if order.is_open() => case.open(order, now),
        Some(order) if order.status == OrderStatus::Confirmed => {
            case.ended(order);
            case.confirmed_stock(order);
            case.confirmed_money(order, now);
        }
        Some(order) => {
            case.ended(order);
            case.undone(order);
        }
    }
    case.findings
}

impl Case<'_> {
    fn find(&mut self, kind: Kind, says: impl Into<String>) {
        self.findings
            .push(Finding::about_order(kind, self.id, says));
    }

    fn without_order(&mut self) {
        if let Some(held) = self.reservation.filter(|reservation| reservation.is_held()) {
            let units = units_of(held);
            self.find(
                Kind::ReservationWithoutOrder,
                format!("{units} held, and there is no such order"),
            );
        }
        if let Some(payment) = self.payment.filter(|payment| !is_undone(payment)) {
            let status = payment.status.as_str();
            self.find(
                Kind::PaymentWithoutOrder,
                format!("its payment is {status}, and there is no such order"),
            );
        }
        if let Some(kept) = self.kept_at_gateway() {
            self.find(
                Kind::ChargeWithoutOrder,
                format!("the gateway keeps {kept}, and there is no such order"),
            );
        }
    }

    fn open(&mut self, order: &Order, now: Timestamp) {
        let status = order.status.as_str();
        if order.needs_attention {
            let why = order.parked.as_ref().map_or_else(
                || "nobody knows why".to_owned(),
                |parked| format!("{} kept failing with {}", parked.state, parked.error),
            );
            self.find(
                Kind::OrderParked,
                format!("{status}, and left to a person: {why}"),
            );
            return;
        }
        match (&order.open, order.due_at) {
            (Some(_), Some(due)) if due.plus_seconds(GRACE) >= now => {}
            (Some(_), Some(due)) => {
                self.find(
                    Kind::OrderOverdue,
                    format!("{status}, and was due at {due}"),
                );
            }
            (None, Some(due)) => self.find(
                Kind::OrderUnwatched,
                format!("{status} and due at {due}, but not in the index of open orders"),
            ),
            (_, None) => self.find(Kind::OrderUnwatched, format!("{status}, but never due")),
        }
    }

    /// An order that has ended is not looked after any more, and says why if nothing is sold.
    fn ended(&mut self, order: &Order) {
        let left = [
            ("open", order.open.is_some()),
            ("due_at", order.due_at.is_some()),
            ("action_requested", order.action_requested),
            ("needs_attention", order.needs_attention),
        ];
        let left = left.into_iter().filter(|(_, is_there)| *is_there);
        let mut odd: Vec<String> = left.map(|(name, _)| format!("still has {name}")).collect();
        let fits = match order.status {
            OrderStatus::Confirmed => order.reason.is_none(),
            OrderStatus::Cancelled => order.reason == Some(RejectionReason::CancelledByCustomer),
            _ => order
                .reason
                .is_some_and(|reason| reason != RejectionReason::CancelledByCustomer),
        };
        if !fits {
            let reason = order.reason.map_or("none", RejectionReason::as_str);
            odd.push(format!("its reason is {reason}"));
        }
        if !odd.is_empty() {
            let says = format!("{}, but {}", order.status.as_str(), odd.join(" and "));
            self.find(Kind::OrderUntidy, says);
        }
    }

    /// The units of a confirmed order are held, at the prices that it shows.
    fn confirmed_stock(&mut self, order: &Order) {
        let Some(held) = self.reservation.filter(|reservation| reservation.is_held()) else {
            let stands = match self.reservation {
                None => "there is no reservation",
                Some(_) => "its reservation is RELEASED",
            };
            self.find(
                Kind::ConfirmedWithoutReservation,
                format!("CONFIRMED, but {stands}"),
            );
            return;
        };
        if held.lines != order.priced_lines || held.total != order.total {
            let [ordered, held] = [order.total, held.total].map(told);
            self.find(
                Kind::PricesDiffer,
                format!("the order is about {ordered}, its reservation about {held}"),
            );
        }
    }

    /// A confirmed order is paid, here and at the gateway, and no more of it was given back than support wanted.
    fn confirmed_money(&mut self, order: &Order, now: Timestamp) {
        let charged = self
            .payment
            .filter(|payment| payment.status == PaymentStatus::Charged);
        let Some(payment) = charged else {
            let stands = self.payment.map(|payment| payment.status.as_str());
            let stands = stands.map_or_else(
                || "there is no payment".to_owned(),
                |status| format!("its payment is {status}"),
            );
            self.find(
                Kind::ConfirmedWithoutPayment,
                format!("CONFIRMED, but {stands}"),
            );
            self.unrecorded(None);
            return;
        };
        if payment.amount != order.total {
            let [wanted, recorded] = [order.total, payment.amount].map(told);
            self.find(
                Kind::AmountsDiffer,
                format!("the order is about {wanted}, its payment about {recorded}"),
            );
        }
        for refund in payment.refunds.values() {
            let late = refund.created_at.plus_seconds(REFUND_TAKES) < now;
            if refund.status == RefundStatus::Pending && late {
                let (part, asked) = (money(refund.amount), refund.created_at);
                self.find(
                    Kind::RefundOverdue,
                    format!("{part} were to be given back since {asked}"),
                );
            }
        }
        let [done, pending] =
            [RefundStatus::Done, RefundStatus::Pending].map(|status| payment.parts(status));
        let noted = signed(payment.refund_total);
        if noted != done + pending {
            self.find(
                Kind::RefundsDiffer,
                format!("its parts come to {}, but {noted} is noted", done + pending),
            );
        }
        let Some(gateway) = self.gateway else {
            return;
        };
        let intents = gateway.intents_of(self.id);
        let ours = intents
            .iter()
            .find(|intent| Some(&intent.id) == payment.intent_id.as_ref());
        match ours.filter(|intent| intent.is_charged()) {
            None => {
                let status = ours.map_or("not there", |intent| &*intent.status);
                self.find(
                    Kind::ChargeNotAtGateway,
                    format!("CHARGED for us, but its intent at the gateway is {status}"),
                );
            }
            Some(intent) => {
                self.charge_fits(payment, intent, gateway.refunded(intent), done, pending);
            }
        }
        self.unrecorded(payment.intent_id.as_deref());
    }

    fn charge_fits(
        &mut self,
        payment: &Payment,
        intent: &Intent,
        refunded: i64,
        done: i64,
        pending: i64,
    ) {
        let currency = intent.currency.to_uppercase();
        let taken = amount(intent.amount, &currency);
        let recorded = told(payment.amount);
        if taken != recorded {
            self.find(
                Kind::ChargeDiffers,
                format!("{recorded} charged for us, {taken} at the gateway"),
            );
        }
        // A part that the gateway has made may not be stored as made yet.
        if !(done..=done + pending).contains(&refunded) {
            let [ours, theirs] = [done, refunded].map(|sum| amount(sum, &currency));
            self.find(
                Kind::RefundsDiffer,
                format!("{ours} given back for us, {theirs} at the gateway"),
            );
        }
    }

    /// An order that was not sold holds nothing and has cost nothing.
    fn undone(&mut self, order: &Order) {
        let status = order.status.as_str();
        if let Some(held) = self.reservation.filter(|reservation| reservation.is_held()) {
            let units = units_of(held);
            self.find(
                Kind::ReservationOfEndedOrder,
                format!("{status}, but {units} held"),
            );
        }
        let payment = self.payment;
        if let Some(payment) = payment.filter(|payment| !is_undone(payment)) {
            let stands = payment.status.as_str();
            self.find(
                Kind::PaymentOfEndedOrder,
                format!("{status}, but its payment is {stands}"),
            );
            return;
        }
        let refunded = payment.filter(|payment| payment.status == PaymentStatus::Refunded);
        let Some(refunded) = refunded else {
            self.unrecorded(None);
            return;
        };
        let (Some(gateway), Some(total)) = (self.gateway, refunded.amount) else {
            return;
        };
        let ours = gateway.intents_of(self.id).iter();
        let mut ours = ours.filter(|intent| Some(&intent.id) == refunded.intent_id.as_ref());
        let back = ours.next().map_or(0, |intent| gateway.refunded(intent));
        if back != signed(total.amount) {
            let back = amount(back, &total.currency.to_string());
            self.find(
                Kind::RefundsDiffer,
                format!("{} given back for us, {back} at the gateway", money(total)),
            );
        }
        self.unrecorded(refunded.intent_id.as_deref());
    }

    /// No other intent than `ours` keeps any money.
    fn unrecorded(&mut self, ours: Option<&str>) {
        let Some(gateway) = self.gateway else {
            return;
        };
        for intent in gateway.intents_of(self.id) {
            let kept = intent.charged() - gateway.refunded(intent);
            if kept > 0 && Some(intent.id.as_str()) != ours {
                let kept = amount(kept, &intent.currency.to_uppercase());
                self.find(
                    Kind::ChargeNotRecorded,
                    format!(
                        "the gateway keeps {kept} of {}, unknown to our record",
                        intent.id
                    ),
                );
            }
        }
    }

    fn kept_at_gateway(&self) -> Option<String> {
        let gateway = self.gateway?;
        let (charged, refunded) = gateway.sums_of(self.id);
        let currency = gateway.intents_of(self.id).first()?.currency.to_uppercase();
        (charged != refunded).then(|| amount(charged - refunded, &currency))
    }
}

/// What was put in is what is there and what is held, and nothing is sold twice.
fn about_stock(books: &Books, sku: &Sku) -> Vec<Finding> {
    if books.unreadable.contains_key(&format!("PRODUCT#{sku}")) {
        return Vec::new();
    }
    let adjusted = books.adjusted.get(sku).copied().unwrap_or(0);
    let held = books.held(sku);
    let Some(product) = books.products.get(sku) else {
        // Somebody may have asked for a product that there never was.
        if adjusted == 0 && held == 0 {
            return Vec::new();
        }
        let says = format!("{adjusted} put in and {held} held of a product that there is not");
        return vec![Finding::about_sku(Kind::StockWithoutProduct, sku, says)];
    };
    let available = product.available;
    let mut findings: Vec<Finding> = negative_stock(product).into_iter().collect();
    if adjusted != available + held {
        let says = format!("{adjusted} put in, but {available} available and {held} held");
        findings.push(Finding::about_sku(Kind::StockDiffers, sku, says));
    }
    findings
}

/// That nothing was sold that is not there.
pub(super) fn negative_stock(product: &Product) -> Option<Finding> {
    let least = product.available.min(product.least);
    let says = format!("{least} available");
    (least < 0).then(|| Finding::about_sku(Kind::StockNegative, &product.sku, says))
}

/// Whether nothing of the customer's is kept, and nothing will be.
const fn is_undone(payment: &Payment) -> bool {
    match payment.status {
        PaymentStatus::Declined | PaymentStatus::Refunded | PaymentStatus::Cancelled => true,
        PaymentStatus::Pending | PaymentStatus::Charged | PaymentStatus::Refunding => false,
    }
}

fn units_of(reservation: &Reservation) -> String {
    let lines = reservation.lines().iter();
    let lines = lines.map(|line| format!("{} × {}", line.quantity.get(), line.sku));
    lines.collect::<Vec<_>>().join(", ")
}

fn told(total: Option<Money>) -> String {
    total.map_or_else(|| "nothing".to_owned(), money)
}

#[cfg(test)]
mod tests;
