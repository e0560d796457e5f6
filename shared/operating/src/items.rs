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
    stock::StockShards,
};
use serde::{Deserialize, Serialize};

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of what is stored")]
pub struct Order {
    pub id: OrderId,
    pub customer_id: CustomerId,
    pub status: OrderStatus,
    pub lines: Vec<OrderLine>,
    #[serde(default)]
    pub priced_lines: Option<Vec<PricedLine>>,
    #[serde(default)]
    pub total: Option<Money>,
    #[serde(default)]
    pub reason: Option<RejectionReason>,
    pub payment_status: OrderPaymentStatus,
    #[serde(default)]
    pub action_requested: bool,
    /// The partition of the index that it is found in while it is open.
    #[serde(default)]
    pub open: Option<String>,
    #[serde(default)]
    pub due_at: Option<Timestamp>,
    #[serde(default)]
    pub resumes: u32,
    #[serde(default)]
    pub needs_attention: bool,
    #[serde(default)]
    pub parked: Option<Parked>,
    #[serde(default)]
    pub outbox: Option<Outbox>,
    pub timeline: Vec<TimelineEntry>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Order {
    /// Whether a saga has yet to end it.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.status.is_open()
    }

    /// The trace in which it was written last.
    #[must_use]
    pub fn trace(&self) -> Option<&str> {
        let traceparent = self.outbox.as_ref()?.traceparent.as_deref()?;
        traceparent.split('-').nth(1)
    }
}

/// Where and why a saga gave an order up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of what is stored")]
pub struct Parked {
    pub at: Timestamp,
    pub state: String,
    pub error: String,
}

/// What is read of the event in an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of what is stored")]
pub struct Outbox {
    #[serde(default)]
    pub traceparent: Option<String>,
}

/// A reservation, or the mark that refuses a late one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of what is stored")]
pub struct Reservation {
    pub order_id: OrderId,
    pub status: ReservationStatus,
    /// None if nothing was ever held.
    #[serde(default)]
    pub lines: Option<Vec<PricedLine>>,
    #[serde(default)]
    pub total: Option<Money>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Reservation {
    /// Whether its units are out of stock.
    #[must_use]
    pub const fn is_held(&self) -> bool {
        matches!(self.status, ReservationStatus::Held)
    }

    /// Its lines, if it ever had any.
    #[must_use]
    pub fn lines(&self) -> &[PricedLine] {
        self.lines.as_deref().unwrap_or_default()
    }
}

/// A payment, or the mark that refuses a late one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of what is stored")]
pub struct Payment {
    pub order_id: OrderId,
    pub status: PaymentStatus,
    /// None for one that was given up before it began.
    #[serde(default)]
    pub amount: Option<Money>,
    #[serde(default)]
    pub intent_id: Option<String>,
    #[serde(default)]
    pub decline_code: Option<String>,
    #[serde(default)]
    pub lease_until: Option<Timestamp>,
    #[serde(default)]
    pub refund_total: u64,
    #[serde(default)]
    pub refunds: BTreeMap<String, Refund>,
    pub created_at: Timestamp,
    /// When it came to its status.
    pub updated_at: Timestamp,
}

impl Payment {
    /// What was asked to be given back in parts, of those that stand at `status`, in minor units.
    #[must_use]
    pub fn parts(&self, status: RefundStatus) -> i64 {
        let parts = self
            .refunds
            .values()
            .filter(|refund| refund.status == status);
        signed(parts.map(|refund| refund.amount.amount).sum())
    }
}

/// A refund of part of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of what is stored")]
pub struct Refund {
    pub amount: Money,
    pub reason: String,
    pub status: RefundStatus,
    pub created_at: Timestamp,
}

impl Refund {
    /// Where it stands, in words.
    #[must_use]
    pub const fn stands(&self) -> &'static str {
        match self.status {
            RefundStatus::Pending => "not made yet",
            RefundStatus::Done => "made",
            RefundStatus::Superseded => "given back with all the rest",
        }
    }
}

/// One change of a product's stock by an admin.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of what is stored")]
pub struct Adjustment {
    pub sku: Sku,
    pub delta: i64,
}

/// A product's stock. Signed: whether it is negative is what has to be found out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of what is stored")]
pub struct Product {
    pub sku: Sku,
    /// In the product's own item; with [`add_shard`](Self::add_shard), in all shards.
    pub available: i64,
    #[serde(default)]
    pub stock_shards: StockShards,
    /// The least that any further shard has.
    #[serde(skip)]
    pub least: i64,
}

impl Product {
    /// The keys of the items that count what is in its further shards.
    pub fn further_shards(&self) -> impl Iterator<Item = String> {
        let further = self.stock_shards.all().skip(1);
        further.map(|shard| format!("STOCK#{}#{}", self.sku, shard.number()))
    }

    /// Adds what is in one of those.
    pub fn add_shard(&mut self, units: i64) {
        self.available += units;
        self.least = self.least.min(units);
    }
}

/// What is in a further shard of a product's stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of what is stored")]
pub struct StockShard {
    pub available: i64,
}

/// An amount for sums that may come out negative.
#[must_use]
pub fn signed(amount: u64) -> i64 {
    amount.try_into().unwrap_or(i64::MAX)
}
