//! What always holds of the shop's books, each said in one sentence: which findings speak against it, and how it
//! stands. Pure.

use oxcart_domain::order::OrderStatus;
use serde::Serialize;

use super::{
    books::Books,
    finding::{Finding, Kind},
};

/// Something that always holds, once orders are at rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Invariant {
    /// What was taken and not given back is what confirmed orders come to, and what open ones hold for now.
    MoneyBelongsToOrders,
    /// The units of every confirmed order are held, at its prices.
    ConfirmedOrdersHoldStock,
    /// An order that ended without a sale holds neither units nor money.
    EndedOrdersHoldNothing,
    /// Every order ends: none is open that nobody looks after.
    OrdersEnd,
    /// No more is sold than there is.
    StockIsNeverNegative,
}

/// How an invariant stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Held {
    /// Which one.
    pub name: Invariant,
    /// Whether it holds.
    pub holds: bool,
    /// The same in words.
    pub says: String,
}

impl Invariant {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::MoneyBelongsToOrders,
        Self::ConfirmedOrdersHoldStock,
        Self::EndedOrdersHoldNothing,
        Self::OrdersEnd,
        Self::StockIsNeverNegative,
    ];

    /// Whether a finding of this kind speaks against it.
    #[must_use]
    pub const fn is_broken_by(self, kind: Kind) -> bool {
        match kind {
            Kind::OrderOverdue | Kind::OrderUnwatched | Kind::OrderParked | Kind::OrderUntidy => {
                matches!(self, Self::OrdersEnd)
            }
            Kind::ConfirmedWithoutReservation | Kind::PricesDiffer => {
                matches!(self, Self::ConfirmedOrdersHoldStock)
            }
            Kind::ReservationWithoutOrder | Kind::ReservationOfEndedOrder => {
                matches!(self, Self::EndedOrdersHoldNothing)
            }
            Kind::PaymentWithoutOrder | Kind::PaymentOfEndedOrder => {
                matches!(
                    self,
                    Self::EndedOrdersHoldNothing | Self::MoneyBelongsToOrders
                )
            }
            Kind::ConfirmedWithoutPayment
            | Kind::AmountsDiffer
            | Kind::RefundOverdue
            | Kind::ChargeWithoutOrder
            | Kind::ChargeNotRecorded
            | Kind::ChargeNotAtGateway
            | Kind::ChargeDiffers
            | Kind::RefundsDiffer => matches!(self, Self::MoneyBelongsToOrders),
            Kind::StockDiffers | Kind::StockNegative | Kind::StockWithoutProduct => {
                matches!(self, Self::StockIsNeverNegative)
            }
            // Of what can't be read, nothing is proven.
            Kind::Unreadable => true,
        }
    }

    /// How it stands, given what was found in these books, and how much money there is that belongs to no order.
    pub(super) fn held(self, books: &Books, found: &[Finding], balanced: bool) -> Held {
        let against = found
            .iter()
            .filter(|finding| self.is_broken_by(finding.kind))
            .count();
        let balanced = balanced || self != Self::MoneyBelongsToOrders;
        Held {
            name: self,
            holds: against == 0 && balanced,
            says: match against {
                0 if !balanced => "The sums of what was taken, given back and sold differ.".into(),
                0 => self.praise(books),
                1 => "1 finding speaks against it.".into(),
                many => format!("{many} findings speak against it."),
            },
        }
    }

    fn praise(self, books: &Books) -> String {
        let orders = |wanted: fn(OrderStatus) -> bool| {
            let orders = books.orders.values();
            count(orders.filter(|order| wanted(order.status)).count(), "order")
        };
        match self {
            Self::MoneyBelongsToOrders => {
                let payments = count(books.payments.len(), "payment");
                format!("{payments}: all that is kept belongs to an order.")
            }
            Self::ConfirmedOrdersHoldStock => {
                let confirmed = orders(|status| status == OrderStatus::Confirmed);
                format!("{confirmed} confirmed, each with its units.")
            }
            Self::EndedOrdersHoldNothing => {
                let ended = orders(|status| {
                    matches!(status, OrderStatus::Rejected | OrderStatus::Cancelled)
                });
                format!("{ended} ended without a sale, each without units and money.")
            }
            Self::OrdersEnd => {
                let open = orders(|status| {
                    matches!(status, OrderStatus::Pending | OrderStatus::Cancelling)
                });
                format!("{open} open, each looked after.")
            }
            Self::StockIsNeverNegative => {
                let products = count(books.products.len(), "product");
                format!("{products}, none below zero.")
            }
        }
    }
}

fn count(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(kind: Kind) -> Finding {
        let order = "00000000-0000-0000-0000-000000000001".parse().unwrap();
        Finding::about_order(kind, order, "it disagrees")
    }

    fn broken(found: &[Finding], balanced: bool) -> Vec<Invariant> {
        let books = Books::default();
        let all = Invariant::ALL.map(|invariant| invariant.held(&books, found, balanced));
        let broken = all.into_iter().filter(|held| !held.holds);
        broken.map(|held| held.name).collect()
    }

    #[test]
    fn of_books_that_agree_all_of_it_holds() {
        assert_eq!(broken(&[], true), []);
    }

    #[test]
    fn a_finding_speaks_against_what_it_breaks_and_nothing_else() {
        for (kind, breaks) in [
            (
                Kind::ConfirmedWithoutPayment,
                &[Invariant::MoneyBelongsToOrders][..],
            ),
            (
                Kind::ConfirmedWithoutReservation,
                &[Invariant::ConfirmedOrdersHoldStock],
            ),
            (
                Kind::PaymentOfEndedOrder,
                &[
                    Invariant::MoneyBelongsToOrders,
                    Invariant::EndedOrdersHoldNothing,
                ],
            ),
            (
                Kind::ReservationOfEndedOrder,
                &[Invariant::EndedOrdersHoldNothing],
            ),
            (Kind::OrderParked, &[Invariant::OrdersEnd]),
            (Kind::StockNegative, &[Invariant::StockIsNeverNegative]),
            (Kind::Unreadable, &Invariant::ALL),
        ] {
            assert_eq!(broken(&[finding(kind)], true), breaks, "{kind:?}");
        }
    }

    #[test]
    fn money_that_belongs_to_nobody_is_against_it_whatever_else_is_found() {
        assert_eq!(broken(&[], false), [Invariant::MoneyBelongsToOrders]);
    }

    #[test]
    fn how_it_stands_is_said_in_words() {
        let held = |found: &[Finding]| Invariant::OrdersEnd.held(&Books::default(), found, true);
        assert_eq!(held(&[]).says, "0 orders open, each looked after.");
        let two = [Kind::OrderParked, Kind::OrderOverdue].map(finding);
        assert_eq!(held(&two).says, "2 findings speak against it.");
        let name = serde_json::to_value(Invariant::StockIsNeverNegative).unwrap();
        assert_eq!(name, "stock-is-never-negative");
    }
}
