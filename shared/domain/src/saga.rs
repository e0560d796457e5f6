//! The messages between the order saga (`statemachines/order-saga.asl.json`) and its steps.

use serde::{Deserialize, Serialize};

use crate::{
    CustomerId, Money, OrderId,
    order::{OrderLines, PricedLine, RejectionReason, TimelineEntry},
    payment::{PaymentMethod, SettledPayment},
};

/// What a saga is started with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the order")]
pub struct OrderSaga {
    pub order_id: OrderId,
    pub customer_id: CustomerId,
    pub lines: OrderLines,
    pub payment_method: PaymentMethod,
    pub expected_total: Option<Money>,
    /// The trace of the request that placed the order.
    pub traceparent: Option<String>,
}

/// Take the order's units out of stock.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the order")]
pub struct ReserveStock {
    pub order_id: OrderId,
    pub lines: OrderLines,
    #[serde(default)]
    pub expected_total: Option<Money>,
}

/// The units are held at these prices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are those of the reservation")]
pub struct StockReserved {
    pub lines: Vec<PricedLine>,
    pub total: Money,
    pub timeline: Vec<TimelineEntry>,
}

/// Put the order's units back, and refuse to take them from now on.
#[derive(Debug, Clone, Copy, Deserialize)]
#[expect(missing_docs, reason = "the field is the order's")]
pub struct ReleaseStock {
    pub order_id: OrderId,
}

/// Take the customer's money.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the order")]
pub struct ChargePayment {
    pub order_id: OrderId,
    pub customer_id: CustomerId,
    pub amount: Money,
    pub payment_method: PaymentMethod,
}

/// Give the customer's money back, and refuse to take it from now on.
#[derive(Debug, Clone, Copy, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the order")]
pub struct RefundPayment {
    pub order_id: OrderId,
    pub customer_id: CustomerId,
}

/// How the payment ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are those of the payment")]
pub struct PaymentSettled {
    pub payment_status: SettledPayment,
    pub timeline: Vec<TimelineEntry>,
}

/// A step is done; this is what the order's timeline gains by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepDone {
    /// Entries to add.
    pub timeline: Vec<TimelineEntry>,
}

/// The order is paid and held: tell its customer.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the order")]
pub struct ConfirmOrder {
    pub order_id: OrderId,
    pub customer_id: CustomerId,
    pub lines: Vec<PricedLine>,
    pub total: Money,
    pub timeline: Vec<TimelineEntry>,
}

/// Tell the customer that they have to act before the order can be paid.
#[derive(Debug, Clone, Copy, Deserialize)]
#[expect(missing_docs, reason = "the field is the order's")]
pub struct RequestAction {
    pub order_id: OrderId,
}

/// Wait until the customer has acted, or the payment is over.
#[derive(Debug, Deserialize)]
pub struct AwaitAction {
    /// Whose payment waits.
    pub order_id: OrderId,
    /// What the saga goes on with. None if it can't wait, and is run again instead.
    #[serde(default)]
    pub task_token: Option<TaskToken>,
}

/// What a saga that waits is woken with. Its `Debug` form hides it: who has it can end the wait.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskToken(String);

impl TaskToken {
    /// The token, for Step Functions.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for TaskToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TaskToken(…)")
    }
}

/// Leave an order to a person: what had to happen kept failing.
#[derive(Debug, Clone, Deserialize)]
pub struct ParkOrder {
    /// Which order.
    pub order_id: OrderId,
    /// The state of the saga that kept failing.
    pub state: String,
    /// With which error.
    pub error: String,
}

/// What the saga that undoes an order is started with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the order")]
pub struct CancellationSaga {
    pub order_id: OrderId,
    pub customer_id: CustomerId,
    pub reason: RejectionReason,
    /// The trace of the request that asked for it.
    pub traceparent: Option<String>,
}

/// Decide that the order will not be confirmed.
#[derive(Debug, Clone, Copy, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the order")]
pub struct AbandonOrder {
    pub order_id: OrderId,
    pub reason: RejectionReason,
}

/// The reason that was decided first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "said above")]
pub struct OrderAbandoned {
    pub reason: RejectionReason,
}

/// Everything is undone: tell the customer.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the order")]
pub struct RejectOrder {
    pub order_id: OrderId,
    pub customer_id: CustomerId,
    pub reason: RejectionReason,
    pub payment_status: SettledPayment,
    #[serde(default)]
    pub lines: Option<Vec<PricedLine>>,
    #[serde(default)]
    pub total: Option<Money>,
    pub timeline: Vec<TimelineEntry>,
}
