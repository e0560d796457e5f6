//! What is read of the tables' items: as much as an operator needs, and nothing that isn't for their eyes (no
//! payment method, no task token). `ARCHITECTURE.md` says what else there is.

use std::collections::BTreeMap;

use oxcart_domain::{
    CustomerId, Money, OrderId, Sku, Timestamp,
    order::{
        OrderLine, OrderPaymentStatus, OrderStatus, PricedLine, RejectionReason, TimelineEntry,
    },
    payment::{PaymentStatus, RefundStatus},
    reservation::ReservationStatus,
};
use serde::{Deserialize, Serialize};

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) id: OrderId,
    pub(crate) customer_id: CustomerId,
    pub(crate) status: OrderStatus,
    pub(crate) lines: Vec<OrderLine>,
    #[serde(default)]
    pub(crate) priced_lines: Option<Vec<PricedLine>>,
    #[serde(default)]
    pub(crate) total: Option<Money>,
    #[serde(default)]
    pub(crate) reason: Option<RejectionReason>,
    pub(crate) payment_status: OrderPaymentStatus,
    #[serde(default)]
    pub(crate) action_requested: bool,
    /// The partition of the index that it is found in while it is open.
    #[serde(default)]
    pub(crate) open: Option<String>,
    #[serde(default)]
    pub(crate) due_at: Option<Timestamp>,
    #[serde(default)]
    pub(crate) resumes: u32,
    #[serde(default)]
    pub(crate) needs_attention: bool,
    #[serde(default)]
    pub(crate) parked: Option<Parked>,
    #[serde(default)]
    pub(crate) outbox: Option<Outbox>,
    pub(crate) timeline: Vec<TimelineEntry>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

impl Order {
    /// Whether a saga has yet to end it.
    pub(crate) const fn is_open(&self) -> bool {
        match self.status {
            OrderStatus::Pending | OrderStatus::Cancelling => true,
            OrderStatus::Confirmed | OrderStatus::Rejected | OrderStatus::Cancelled => false,
        }
    }

    /// The trace in which it was written last.
    pub(crate) fn trace(&self) -> Option<&str> {
        let traceparent = self.outbox.as_ref()?.traceparent.as_deref()?;
        traceparent.split('-').nth(1)
    }
}

/// Where and why a saga gave an order up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Parked {
    pub(crate) at: Timestamp,
    pub(crate) state: String,
    pub(crate) error: String,
}

/// What is read of the event in an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outbox {
    #[serde(default)]
    pub(crate) traceparent: Option<String>,
}

/// A reservation, or the mark that refuses a late one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reservation {
    pub(crate) order_id: OrderId,
    pub(crate) status: ReservationStatus,
    /// None if nothing was ever held.
    #[serde(default)]
    pub(crate) lines: Option<Vec<PricedLine>>,
    #[serde(default)]
    pub(crate) total: Option<Money>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

impl Reservation {
    /// Whether its units are out of stock.
    pub(crate) const fn is_held(&self) -> bool {
        matches!(self.status, ReservationStatus::Held)
    }

    /// Its lines, if it ever had any.
    pub(crate) fn lines(&self) -> &[PricedLine] {
        self.lines.as_deref().unwrap_or_default()
    }
}

/// A payment, or the mark that refuses a late one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Payment {
    pub(crate) order_id: OrderId,
    pub(crate) status: PaymentStatus,
    /// None for one that was given up before it began.
    #[serde(default)]
    pub(crate) amount: Option<Money>,
    #[serde(default)]
    pub(crate) intent_id: Option<String>,
    #[serde(default)]
    pub(crate) decline_code: Option<String>,
    #[serde(default)]
    pub(crate) lease_until: Option<Timestamp>,
    #[serde(default)]
    pub(crate) refund_total: u64,
    #[serde(default)]
    pub(crate) refunds: BTreeMap<String, Refund>,
    pub(crate) created_at: Timestamp,
    /// When it came to its status.
    pub(crate) updated_at: Timestamp,
}

impl Payment {
    /// What was asked to be given back in parts, of those that stand at `status`, in minor units.
    pub(crate) fn parts(&self, status: RefundStatus) -> i64 {
        let parts = self
            .refunds
            .values()
            .filter(|refund| refund.status == status);
        signed(parts.map(|refund| refund.amount.amount).sum())
    }
}

/// A refund of part of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refund {
    pub(crate) amount: Money,
    pub(crate) reason: String,
    pub(crate) status: RefundStatus,
    pub(crate) created_at: Timestamp,
}

impl Refund {
    /// Where it stands, in words.
    pub(crate) const fn stands(&self) -> &'static str {
        match self.status {
            RefundStatus::Pending => "not made yet",
            RefundStatus::Done => "made",
            RefundStatus::Superseded => "given back with all the rest",
        }
    }
}

/// One change of a product's stock by an admin.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Adjustment {
    pub(crate) sku: Sku,
    pub(crate) delta: i64,
}

/// A product's stock. Signed: whether it is negative is what has to be found out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Product {
    pub(crate) sku: Sku,
    pub(crate) available: i64,
}

/// An amount for sums that may come out negative.
pub(crate) fn signed(amount: u64) -> i64 {
    amount.try_into().unwrap_or(i64::MAX)
}
