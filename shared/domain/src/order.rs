//! Orders: what a customer asked for, and how it ended.

use serde::{Deserialize, Serialize};

use crate::{
    CustomerId, DomainEvent, Event, IdempotencyKey, Money, OrderId, Quantity, RequestHash, Sku,
    Timestamp,
    payment::{PaymentMethod, SettledPayment},
};

/// One line of an order as placed: so many units of one product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderLine {
    /// Which product.
    pub sku: Sku,
    /// How many units.
    pub quantity: Quantity,
}

/// The lines of an order: 1 to 50, no product twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<OrderLine>", into = "Vec<OrderLine>")]
pub struct OrderLines(Vec<OrderLine>);

/// Why lines can't be an order's.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOrderLines {
    /// None, or too many.
    #[error("must have 1 to {} lines", OrderLines::MAX)]
    Count,
    /// Two lines for one product; the positions count from 0.
    #[error("lines {0} and {1} name the same sku")]
    SkuTwice(usize, usize),
}

impl OrderLines {
    /// The most lines that one order may have. A reservation writes one item per line in one
    /// transaction, which holds 100.
    pub const MAX: usize = 50;

    /// The lines, in the order in which the customer gave them.
    #[must_use]
    pub fn as_slice(&self) -> &[OrderLine] {
        &self.0
    }
}

impl TryFrom<Vec<OrderLine>> for OrderLines {
    type Error = InvalidOrderLines;

    fn try_from(lines: Vec<OrderLine>) -> Result<Self, Self::Error> {
        if !(1..=Self::MAX).contains(&lines.len()) {
            return Err(InvalidOrderLines::Count);
        }
        for (position, line) in lines.iter().enumerate() {
            if let Some(earlier) = lines
                .iter()
                .take(position)
                .position(|other| other.sku == line.sku)
            {
                return Err(InvalidOrderLines::SkuTwice(earlier, position));
            }
        }
        Ok(Self(lines))
    }
}

impl From<OrderLines> for Vec<OrderLine> {
    fn from(lines: OrderLines) -> Self {
        lines.0
    }
}

/// A line with the price at which its units were reserved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricedLine {
    /// Which product.
    pub sku: Sku,
    /// How many units.
    pub quantity: Quantity,
    /// The price of one unit at reservation.
    pub unit_price: Money,
}

/// Where an order stands: `PENDING → CONFIRMED | REJECTED | CANCELLED`, and
/// `CONFIRMED → CANCELLING → CANCELLED`. At `PENDING` and `CANCELLING` a saga is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum OrderStatus {
    /// Its saga is under way.
    Pending,
    /// Paid, and its units are held.
    Confirmed,
    /// Ended without sale.
    Rejected,
    /// Its customer has cancelled it; what was sold is being given back.
    Cancelling,
    /// Its customer has cancelled it; nothing is charged, nothing is held.
    Cancelled,
}

/// The text names no status.
#[derive(Debug, thiserror::Error)]
#[error("must be among PENDING, CONFIRMED, REJECTED, CANCELLING and CANCELLED")]
pub struct UnknownStatus;

impl OrderStatus {
    const ALL: [Self; 5] = [
        Self::Pending,
        Self::Confirmed,
        Self::Rejected,
        Self::Cancelling,
        Self::Cancelled,
    ];

    /// The status as it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Confirmed => "CONFIRMED",
            Self::Rejected => "REJECTED",
            Self::Cancelling => "CANCELLING",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// Whether a saga has yet to end the order.
    #[must_use]
    pub const fn is_open(self) -> bool {
        match self {
            Self::Pending | Self::Cancelling => true,
            Self::Confirmed | Self::Rejected | Self::Cancelled => false,
        }
    }
}

impl std::str::FromStr for OrderStatus {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut all = Self::ALL.into_iter();
        all.find(|status| status.as_str() == text)
            .ok_or(UnknownStatus)
    }
}

/// Which of a customer's orders are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// Only those that stand so; all if it is empty.
    pub statuses: Vec<OrderStatus>,
    /// Only those with a line of it.
    pub sku: Option<Sku>,
    /// Only those placed then or later.
    pub from: Option<Timestamp>,
    /// Only those placed earlier.
    pub before: Option<Timestamp>,
}

impl OrderFilter {
    /// Whether it leaves out some of the orders of its time.
    #[must_use]
    pub fn chooses(&self) -> bool {
        !self.statuses.is_empty() || self.sku.is_some()
    }

    /// Whether an order of these lines that stands so is asked for, if it was placed in time.
    #[must_use]
    pub fn holds(&self, status: OrderStatus, lines: &OrderLines) -> bool {
        let holds_sku = |sku: &Sku| lines.as_slice().iter().any(|line| line.sku == *sku);
        (self.statuses.is_empty() || self.statuses.contains(&status))
            && self.sku.as_ref().is_none_or(holds_sku)
    }

    /// Whether orders placed at this time are asked for.
    #[must_use]
    pub fn holds_time(&self, placed: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= placed)
            && self.before.is_none_or(|before| placed < before)
    }
}

/// Why an order ended without sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RejectionReason {
    /// Fewer units were left than a line asked for.
    OutOfStock,
    /// A line names a sku that the shop doesn't have.
    UnknownProduct,
    /// The total is not the one that the customer expected.
    PriceChanged,
    /// The lines are priced in different currencies, so they have no total.
    MixedCurrencies,
    /// The customer's bank or card said no.
    PaymentDeclined,
    /// The payment gateway could not be reached for longer than an order may wait.
    PaymentUnavailable,
    /// The customer doesn't want it any more.
    CancelledByCustomer,
    /// Our fault.
    Internal,
}

impl RejectionReason {
    /// The reason as it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OutOfStock => "out-of-stock",
            Self::UnknownProduct => "unknown-product",
            Self::PriceChanged => "price-changed",
            Self::MixedCurrencies => "mixed-currencies",
            Self::PaymentDeclined => "payment-declined",
            Self::PaymentUnavailable => "payment-unavailable",
            Self::CancelledByCustomer => "cancelled-by-customer",
            Self::Internal => "internal",
        }
    }
}

/// What an order's owner is told of its payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum OrderPaymentStatus {
    /// Not decided yet.
    Pending,
    /// The money was taken.
    Charged,
    /// The bank or card said no; nothing was taken.
    Declined,
    /// Given up before anything was taken.
    Cancelled,
    /// The money was taken and given back.
    Refunded,
}

impl From<SettledPayment> for OrderPaymentStatus {
    fn from(settled: SettledPayment) -> Self {
        match settled {
            SettledPayment::Declined => Self::Declined,
            SettledPayment::Cancelled => Self::Cancelled,
            SettledPayment::Refunded => Self::Refunded,
        }
    }
}

/// One thing that happened to an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineEntry {
    /// When.
    pub at: Timestamp,
    /// The type of the domain event that tells of it.
    pub event: String,
}

impl From<&Event> for TimelineEntry {
    fn from(event: &Event) -> Self {
        Self {
            at: event.time,
            event: event.event.kind().to_owned(),
        }
    }
}

/// What a customer sends to place an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderRequest {
    /// What they want.
    pub lines: OrderLines,
    /// How they pay: a token of the payment gateway.
    pub payment_method: PaymentMethod,
    /// The total that they were shown; another one rejects the order.
    #[serde(default)]
    pub expected_total: Option<Money>,
}

/// An order that has just been placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedOrder {
    /// Derived from customer and idempotency key.
    pub id: OrderId,
    /// Who placed it.
    pub customer_id: CustomerId,
    /// What they asked for.
    pub request: OrderRequest,
    /// Tells a repeat of this request from another one under the same key.
    pub request_hash: RequestHash,
    /// When.
    pub created_at: Timestamp,
}

impl PlacedOrder {
    /// The order that `customer` places under `key`, and the event that starts its saga.
    ///
    /// # Errors
    /// When the request can't be hashed, which no parsed request can cause.
    pub fn place(
        customer_id: CustomerId,
        key: &IdempotencyKey,
        request: OrderRequest,
        now: Timestamp,
    ) -> Result<(Self, Event), serde_json::Error> {
        let id = OrderId::derive(customer_id, key);
        let event = DomainEvent::OrderPlaced {
            order_id: id,
            customer_id,
            lines: request.lines.clone(),
            payment_method: request.payment_method.clone(),
            expected_total: request.expected_total,
        };
        let request_hash = RequestHash::of(&request)?;
        Ok((
            Self {
                id,
                customer_id,
                request,
                request_hash,
                created_at: now,
            },
            Event::once(event, now),
        ))
    }
}

/// How a decision about an order that is no longer `PENDING` is to be taken.
#[derive(Debug, PartialEq, Eq)]
pub enum Repeat {
    /// It was taken before: the answer is the same.
    AlreadyDone,
    /// Another one was taken: this one comes too late.
    TooLate,
}

/// What it means that an order could not be confirmed because it stands at `status`.
#[must_use]
pub const fn repeat_of_confirm(status: OrderStatus) -> Repeat {
    match status {
        OrderStatus::Confirmed => Repeat::AlreadyDone,
        // A PENDING order that can't be confirmed has been abandoned.
        OrderStatus::Pending
        | OrderStatus::Rejected
        | OrderStatus::Cancelling
        | OrderStatus::Cancelled => Repeat::TooLate,
    }
}

/// What it means that an order could not be abandoned or ended without sale because it stands at
/// `status`.
#[must_use]
pub const fn repeat_of_reject(status: OrderStatus) -> Repeat {
    match status {
        OrderStatus::Rejected | OrderStatus::Cancelled => Repeat::AlreadyDone,
        OrderStatus::Pending | OrderStatus::Confirmed | OrderStatus::Cancelling => Repeat::TooLate,
    }
}

/// What cancelling an order has to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelStep {
    /// Decide that it will not be confirmed, and start undoing.
    Abandon,
    /// Take the sale back, and start undoing.
    TakeBack,
    /// Nothing: its customer has cancelled it before.
    AlreadyDone,
    /// Nothing: it ends without sale for another reason.
    Refuse,
}

impl CancelStep {
    /// The next step for an order at `status`, of which `reason` was decided before, if anything was.
    #[must_use]
    pub fn of(status: OrderStatus, reason: Option<RejectionReason>) -> Self {
        match (status, reason) {
            (OrderStatus::Pending, None) => Self::Abandon,
            (OrderStatus::Confirmed, _) => Self::TakeBack,
            (OrderStatus::Cancelling | OrderStatus::Cancelled, _)
            | (OrderStatus::Pending, Some(RejectionReason::CancelledByCustomer)) => {
                Self::AlreadyDone
            }
            (OrderStatus::Pending, Some(_)) | (OrderStatus::Rejected, _) => Self::Refuse,
        }
    }
}

/// How long an order may be open before its saga is looked after, in seconds.
const STUCK_AFTER: i64 = 5 * 60;
/// How long a customer has to act, from when they were first asked, in seconds.
const ACTION_TAKES: i64 = 15 * 60;

/// When an order that is opened now, or looked after now, is to be looked after next.
#[must_use]
pub fn due_after(now: Timestamp) -> Timestamp {
    now.plus_seconds(STUCK_AFTER)
}

/// Until when a customer has to act who is first asked to now. Then somebody looks after the order.
#[must_use]
pub fn act_by(now: Timestamp) -> Timestamp {
    now.plus_seconds(ACTION_TAKES)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(sku: &str) -> OrderLine {
        OrderLine {
            sku: Sku::try_from(sku.to_owned()).unwrap(),
            quantity: Quantity::try_from(1).unwrap(),
        }
    }

    #[test]
    fn an_order_has_1_to_50_lines() {
        let lines = |count: usize| {
            (0..count)
                .map(|n| line(&format!("sku-{n}")))
                .collect::<Vec<_>>()
        };

        for (count, fits) in [(0, false), (1, true), (50, true), (51, false)] {
            assert_eq!(OrderLines::try_from(lines(count)).is_ok(), fits, "{count}");
        }
    }

    #[test]
    fn no_product_stands_twice_in_an_order() {
        let lines = vec![line("tea"), line("cup"), line("tea")];
        assert_eq!(
            OrderLines::try_from(lines),
            Err(InvalidOrderLines::SkuTwice(0, 2))
        );
    }

    #[test]
    fn an_order_that_ends_for_another_reason_is_not_cancelled() {
        let other = Some(RejectionReason::OutOfStock);
        let own = Some(RejectionReason::CancelledByCustomer);

        for (status, reason, step) in [
            (OrderStatus::Pending, None, CancelStep::Abandon),
            (OrderStatus::Pending, own, CancelStep::AlreadyDone),
            (OrderStatus::Pending, other, CancelStep::Refuse),
            (OrderStatus::Confirmed, None, CancelStep::TakeBack),
            (OrderStatus::Cancelling, own, CancelStep::AlreadyDone),
            (OrderStatus::Cancelled, own, CancelStep::AlreadyDone),
            (OrderStatus::Rejected, other, CancelStep::Refuse),
        ] {
            assert_eq!(
                CancelStep::of(status, reason),
                step,
                "{status:?} {reason:?}"
            );
        }
    }

    #[test]
    fn a_confirmed_order_can_be_confirmed_again_but_not_rejected() {
        assert_eq!(
            repeat_of_confirm(OrderStatus::Confirmed),
            Repeat::AlreadyDone
        );
        assert_eq!(repeat_of_reject(OrderStatus::Confirmed), Repeat::TooLate);
    }

    proptest! {
        #[test]
        fn the_same_request_is_the_same_order(customer in any::<u128>(), key in "[!-~]{1,40}", quantity in 1u32..=1000) {
            let place = || {
                let request = OrderRequest {
                    lines: OrderLines::try_from(vec![OrderLine { quantity: Quantity::try_from(quantity).unwrap(), ..line("tea") }]).unwrap(),
                    payment_method: PaymentMethod::try_from("pm_card_visa".to_owned()).unwrap(),
                    expected_total: None,
                };
                let now = Timestamp::try_from("2026-03-01T09:30:00.250Z".to_owned()).unwrap();
                let customer = CustomerId::new(uuid::Uuid::from_u128(customer));
                PlacedOrder::place(customer, &IdempotencyKey::try_from(key.clone()).unwrap(), request, now).unwrap()
            };
            prop_assert_eq!(place(), place());
        }
    }
}
