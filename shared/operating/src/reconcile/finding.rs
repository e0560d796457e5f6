//! What disagrees: its kind, what it is about, and what heals it.

use oxcart_domain::{OrderId, Sku};
use serde::Serialize;

/// A kind of disagreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// An order is open for longer than anything should take.
    OrderOverdue,
    /// An order is open, and nothing will look after it.
    OrderUnwatched,
    /// An order was left to a person.
    OrderParked,
    /// An order that has ended still looks as if it had not.
    OrderUntidy,
    /// A confirmed order holds no units.
    ConfirmedWithoutReservation,
    /// Units are held for an order that there is not.
    ReservationWithoutOrder,
    /// Units are held for an order that was not sold.
    ReservationOfEndedOrder,
    /// An order and its reservation have different prices.
    PricesDiffer,
    /// A confirmed order is not paid.
    ConfirmedWithoutPayment,
    /// There is a payment for an order that there is not.
    PaymentWithoutOrder,
    /// The payment of an order that was not sold is not undone.
    PaymentOfEndedOrder,
    /// An order and its payment have different amounts.
    AmountsDiffer,
    /// Part of a payment was to be given back, and hasn't been for long.
    RefundOverdue,
    /// The gateway keeps money for an order that there is not.
    ChargeWithoutOrder,
    /// The gateway keeps money that our record doesn't speak of.
    ChargeNotRecorded,
    /// Our record speaks of money that the gateway hasn't taken.
    ChargeNotAtGateway,
    /// The gateway took another amount.
    ChargeDiffers,
    /// The gateway gave back another amount.
    RefundsDiffer,
    /// What was put in is not what is there and what is held.
    StockDiffers,
    /// Fewer than no units are left.
    StockNegative,
    /// There is stock of a product that there is not.
    StockWithoutProduct,
    /// An item can't be read.
    Unreadable,
}

impl Kind {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OrderOverdue => "order-overdue",
            Self::OrderUnwatched => "order-unwatched",
            Self::OrderParked => "order-parked",
            Self::OrderUntidy => "order-untidy",
            Self::ConfirmedWithoutReservation => "confirmed-without-reservation",
            Self::ReservationWithoutOrder => "reservation-without-order",
            Self::ReservationOfEndedOrder => "reservation-of-ended-order",
            Self::PricesDiffer => "prices-differ",
            Self::ConfirmedWithoutPayment => "confirmed-without-payment",
            Self::PaymentWithoutOrder => "payment-without-order",
            Self::PaymentOfEndedOrder => "payment-of-ended-order",
            Self::AmountsDiffer => "amounts-differ",
            Self::RefundOverdue => "refund-overdue",
            Self::ChargeWithoutOrder => "charge-without-order",
            Self::ChargeNotRecorded => "charge-not-recorded",
            Self::ChargeNotAtGateway => "charge-not-at-gateway",
            Self::ChargeDiffers => "charge-differs",
            Self::RefundsDiffer => "refunds-differ",
            Self::StockDiffers => "stock-differs",
            Self::StockNegative => "stock-negative",
            Self::StockWithoutProduct => "stock-without-product",
            Self::Unreadable => "unreadable",
        }
    }

    /// Whether running the order's saga again heals it.
    #[must_use]
    pub const fn is_healed_by_saga(self) -> bool {
        matches!(
            self,
            Self::OrderOverdue | Self::OrderUnwatched | Self::OrderParked
        )
    }

    /// What heals it, in words for whoever has to.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::OrderOverdue | Self::OrderUnwatched => {
                "run its saga again: --heal, or `cargo xtask ops resume`"
            }
            Self::OrderParked => {
                "mend what kept failing, then run its saga again: --heal, or `cargo xtask ops resume`"
            }
            Self::OrderUntidy => {
                "nothing is at stake: take out of its item what is left over, and find out who left it there"
            }
            Self::ConfirmedWithoutReservation => {
                "cancel the order, for its units may be sold to somebody else by now"
            }
            Self::ReservationWithoutOrder | Self::ReservationOfEndedOrder => {
                "give the units back: invoke `release-stock` with {\"order_id\": …}"
            }
            Self::PricesDiffer | Self::AmountsDiffer | Self::ChargeDiffers => {
                "find out which one the customer agreed to; cancelling the order undoes all of it"
            }
            Self::ConfirmedWithoutPayment => {
                "cancel the order, which gives back whatever was taken for it"
            }
            Self::PaymentWithoutOrder | Self::PaymentOfEndedOrder => {
                "undo it: invoke `refund-payment` with {\"order_id\": …, \"customer_id\": …}"
            }
            Self::RefundOverdue => {
                "look for it among the dead letters of the refunds, and redrive it: `cargo xtask ops dlq`"
            }
            Self::ChargeWithoutOrder | Self::ChargeNotRecorded => {
                "give the money back at the gateway by hand: no record of ours leads to it"
            }
            Self::ChargeNotAtGateway => {
                "look for the money in the gateway's dashboard; if it never came, cancel the order"
            }
            Self::RefundsDiffer => {
                "settle the difference at the gateway by hand, or by another way if a refund failed there"
            }
            Self::StockDiffers => {
                "count the shelf, and mend `available` or the missing adjustment in the table: an adjustment made \
                 through the API moves both sides"
            }
            Self::StockNegative => {
                "count the shelf, mend `available` in the table, and cancel the orders that can't be sent"
            }
            Self::StockWithoutProduct => "put the product, and mend `available` in the table",
            Self::Unreadable => "mend the item by hand; no function of ours writes such a one",
        }
    }
}

/// One disagreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What kind of one.
    pub kind: Kind,
    /// The order that it is about, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// The product that it is about, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sku: Option<Sku>,
    /// What disagrees.
    pub says: String,
    /// What heals it.
    pub remedy: &'static str,
}

impl Finding {
    /// One about an order.
    pub(super) fn about_order(kind: Kind, order: OrderId, says: impl Into<String>) -> Self {
        Self {
            kind,
            order: Some(order),
            sku: None,
            says: says.into(),
            remedy: kind.remedy(),
        }
    }

    /// One about a product.
    pub(super) fn about_sku(kind: Kind, sku: &Sku, says: impl Into<String>) -> Self {
        Self {
            kind,
            order: None,
            sku: Some(sku.clone()),
            says: says.into(),
            remedy: kind.remedy(),
        }
    }

    /// One about an item.
    pub(super) fn about_item(key: &str, says: &str) -> Self {
        let (_, id) = key.split_once('#').unwrap_or_default();
        Self {
            kind: Kind::Unreadable,
            order: id.parse().ok(),
            sku: Sku::try_from(id.to_owned())
                .ok()
                .filter(|_| key.starts_with("PRODUCT#")),
            says: says.to_owned(),
            remedy: Kind::Unreadable.remedy(),
        }
    }

    /// Whether both tell of the same, however much of it there is by now.
    pub(super) fn is_still(&self, earlier: &Self) -> bool {
        self.kind == earlier.kind && self.order == earlier.order && self.sku == earlier.sku
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_named_alike_everywhere() {
        for kind in [
            Kind::OrderOverdue,
            Kind::ChargeNotAtGateway,
            Kind::Unreadable,
        ] {
            let json = serde_json::to_value(kind).unwrap();
            assert_eq!(json, kind.as_str());
        }
    }

    #[test]
    fn an_item_that_cannot_be_read_is_told_of_by_what_it_is_about() {
        let id = "00000000-0000-0000-0000-000000000001";
        let order = Finding::about_item(&format!("ORDER#{id}"), "?");
        assert_eq!((order.order, order.sku), (Some(id.parse().unwrap()), None));
        let product = Finding::about_item("PRODUCT#tea", "?");
        assert_eq!(product.sku.map(String::from), Some("tea".to_owned()));
    }
}
