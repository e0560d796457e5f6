//! Domain events: what other services and subscribers hear of a transition.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    CustomerId, EventId, Money, OrderId, Sku, Timestamp,
    credentials::Email,
    order::{OrderLines, PricedLine, RejectionReason},
    payment::{DeclineCode, PaymentMethod, RefundId, RefundReason},
    product::{ProductDetails, StockAdjustment},
    user::{PersonName, Role},
};

/// A transition, in the words of the shop. The tag is the event's `type`, the content its `data`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
#[expect(
    missing_docs,
    reason = "the fields carry the names of the things they are; events/schemas says more of each"
)]
pub enum DomainEvent {
    /// Somebody registered.
    #[serde(rename = "user.registered")]
    UserRegistered {
        user_id: CustomerId,
        email: Email,
        name: PersonName,
        role: Role,
    },
    /// Somebody's name, e-mail address or role changed; all of them as they are now.
    #[serde(rename = "user.updated")]
    UserUpdated {
        user_id: CustomerId,
        email: Email,
        name: PersonName,
        role: Role,
    },
    /// Somebody's account and all that was known of them is gone.
    #[serde(rename = "user.erased")]
    UserErased { user_id: CustomerId },
    /// A spent refresh token was shown, and its session ended for it.
    #[serde(rename = "session.reuse-detected")]
    SessionReuseDetected {
        user_id: CustomerId,
        session_id: Uuid,
    },
    /// An admin changed a product's details or its stock.
    #[serde(rename = "product.changed")]
    ProductChanged {
        sku: Sku,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        product: Option<ProductDetails>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stock_adjustment: Option<StockAdjustment>,
    },
    /// All units of an order were taken out of stock for it.
    #[serde(rename = "stock.reserved")]
    StockReserved {
        order_id: OrderId,
        lines: Vec<PricedLine>,
        total: Money,
    },
    /// The units of an order went back into stock.
    #[serde(rename = "stock.released")]
    StockReleased {
        order_id: OrderId,
        lines: Vec<PricedLine>,
    },
    /// The customer's money was taken; whether they were asked to act first.
    #[serde(rename = "payment.charged")]
    PaymentCharged {
        order_id: OrderId,
        customer_id: CustomerId,
        amount: Money,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        action_requested: bool,
    },
    /// The customer's bank or card said no; whether they were asked to act first.
    #[serde(rename = "payment.declined")]
    PaymentDeclined {
        order_id: OrderId,
        customer_id: CustomerId,
        amount: Money,
        decline_code: DeclineCode,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        action_requested: bool,
    },
    /// Part of the customer's money is to be given back.
    #[serde(rename = "payment.refund-requested")]
    PaymentRefundRequested {
        order_id: OrderId,
        customer_id: CustomerId,
        refund_id: RefundId,
        amount: Money,
        reason: RefundReason,
    },
    /// So much of the customer's money was given back.
    #[serde(rename = "payment.refunded")]
    PaymentRefunded {
        order_id: OrderId,
        customer_id: CustomerId,
        amount: Money,
    },
    /// A customer placed an order; its saga begins with this.
    #[serde(rename = "order.placed")]
    OrderPlaced {
        order_id: OrderId,
        customer_id: CustomerId,
        lines: OrderLines,
        payment_method: PaymentMethod,
        expected_total: Option<Money>,
    },
    /// The order is paid and its units are held.
    #[serde(rename = "order.confirmed")]
    OrderConfirmed {
        order_id: OrderId,
        customer_id: CustomerId,
        lines: Vec<PricedLine>,
        total: Money,
    },
    /// A customer wants an order undone; the saga that does so begins with this.
    #[serde(rename = "order.cancellation-requested")]
    OrderCancellationRequested {
        order_id: OrderId,
        customer_id: CustomerId,
    },
    /// The order is undone as its customer wanted; nothing is charged, nothing is held.
    #[serde(rename = "order.cancelled")]
    OrderCancelled {
        order_id: OrderId,
        customer_id: CustomerId,
    },
    /// The order ended without sale; nothing is charged, nothing is held.
    #[serde(rename = "order.rejected")]
    OrderRejected {
        order_id: OrderId,
        customer_id: CustomerId,
        reason: RejectionReason,
    },
}

impl DomainEvent {
    /// The event's `type`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::UserRegistered { .. } => "user.registered",
            Self::UserUpdated { .. } => "user.updated",
            Self::UserErased { .. } => "user.erased",
            Self::SessionReuseDetected { .. } => "session.reuse-detected",
            Self::ProductChanged { .. } => "product.changed",
            Self::StockReserved { .. } => "stock.reserved",
            Self::StockReleased { .. } => "stock.released",
            Self::PaymentCharged { .. } => "payment.charged",
            Self::PaymentDeclined { .. } => "payment.declined",
            Self::PaymentRefundRequested { .. } => "payment.refund-requested",
            Self::PaymentRefunded { .. } => "payment.refunded",
            Self::OrderPlaced { .. } => "order.placed",
            Self::OrderConfirmed { .. } => "order.confirmed",
            Self::OrderCancellationRequested { .. } => "order.cancellation-requested",
            Self::OrderCancelled { .. } => "order.cancelled",
            Self::OrderRejected { .. } => "order.rejected",
        }
    }

    /// The attributes of the message that it is published in, by which subscriptions choose: its type, and whether it
    /// ends the wait for a customer who was asked to act.
    pub fn attributes(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let ends_wait = match self {
            Self::PaymentCharged {
                action_requested, ..
            }
            | Self::PaymentDeclined {
                action_requested, ..
            } => *action_requested,
            _ => false,
        };
        let ends_wait = ends_wait.then_some(("ends_wait", "true"));
        [("type", self.kind())].into_iter().chain(ends_wait)
    }

    /// The `source` of the event: the service that owns the aggregate.
    const fn source(&self) -> &'static str {
        match self {
            Self::UserRegistered { .. }
            | Self::UserUpdated { .. }
            | Self::UserErased { .. }
            | Self::SessionReuseDetected { .. } => "/oxcart/identity",
            Self::ProductChanged { .. }
            | Self::StockReserved { .. }
            | Self::StockReleased { .. } => "/oxcart/inventory",
            Self::PaymentCharged { .. }
            | Self::PaymentDeclined { .. }
            | Self::PaymentRefundRequested { .. }
            | Self::PaymentRefunded { .. } => "/oxcart/payments",
            Self::OrderPlaced { .. }
            | Self::OrderConfirmed { .. }
            | Self::OrderCancellationRequested { .. }
            | Self::OrderCancelled { .. }
            | Self::OrderRejected { .. } => "/oxcart/orders",
        }
    }

    /// The name and the value of the id by which people look for what the event is about: of a session it is
    /// its user's.
    #[must_use]
    pub fn aggregate(&self) -> (&'static str, String) {
        match self {
            Self::UserRegistered { user_id, .. }
            | Self::UserUpdated { user_id, .. }
            | Self::UserErased { user_id }
            | Self::SessionReuseDetected { user_id, .. } => ("user_id", user_id.to_string()),
            Self::ProductChanged { sku, .. } => ("sku", sku.to_string()),
            Self::StockReserved { order_id, .. }
            | Self::StockReleased { order_id, .. }
            | Self::PaymentCharged { order_id, .. }
            | Self::PaymentDeclined { order_id, .. }
            | Self::PaymentRefundRequested { order_id, .. }
            | Self::PaymentRefunded { order_id, .. }
            | Self::OrderPlaced { order_id, .. }
            | Self::OrderConfirmed { order_id, .. }
            | Self::OrderCancellationRequested { order_id, .. }
            | Self::OrderCancelled { order_id, .. }
            | Self::OrderRejected { order_id, .. } => ("order_id", order_id.to_string()),
        }
    }

    /// The id of the aggregate that the event is about.
    fn subject(&self) -> String {
        match self {
            Self::SessionReuseDetected { session_id, .. } => session_id.to_string(),
            other => other.aggregate().1,
        }
    }
}

/// A domain event in its envelope: [CloudEvents 1.0](https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md),
/// structured JSON, with the Distributed Tracing extension. It reads back without [what follows from the rest of
/// it](Event::DERIVED), too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Told")]
pub struct Event {
    specversion: SpecVersion,
    /// The same transition always has the same id: consumers drop what they have seen.
    pub id: EventId,
    source: String,
    subject: String,
    /// When the transition happened.
    pub time: Timestamp,
    datacontenttype: ContentType,
    /// The W3C trace context in which it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// What happened.
    #[serde(flatten)]
    pub event: DomainEvent,
}

/// What has to be known of an event.
#[derive(Deserialize)]
struct Told {
    #[serde(default, rename = "specversion")]
    _specversion: Option<SpecVersion>,
    id: EventId,
    time: Timestamp,
    #[serde(default, rename = "datacontenttype")]
    _datacontenttype: Option<ContentType>,
    #[serde(default)]
    traceparent: Option<String>,
    #[serde(flatten)]
    event: DomainEvent,
}

impl From<Told> for Event {
    fn from(told: Told) -> Self {
        Self {
            specversion: SpecVersion::V1,
            id: told.id,
            source: told.event.source().to_owned(),
            subject: told.event.subject(),
            time: told.time,
            datacontenttype: ContentType::Json,
            traceparent: told.traceparent,
            event: told.event,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum SpecVersion {
    #[serde(rename = "1.0")]
    V1,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum ContentType {
    #[serde(rename = "application/json")]
    Json,
}

impl Event {
    /// The attributes that follow from the event's `type` and `data`, or are the same for all.
    pub const DERIVED: [&'static str; 4] = ["specversion", "source", "subject", "datacontenttype"];

    /// The envelope of a transition that can happen only once to its aggregate.
    #[must_use]
    pub fn once(event: DomainEvent, now: Timestamp) -> Self {
        Self::repeatable(event, "", now)
    }

    /// The envelope of a transition that can happen again; `occurrence` says which one this is.
    #[must_use]
    pub fn repeatable(event: DomainEvent, occurrence: &str, now: Timestamp) -> Self {
        let subject = event.subject();
        Self {
            specversion: SpecVersion::V1,
            id: EventId::derive(event.kind(), &subject, occurrence),
            source: event.source().to_owned(),
            subject,
            time: now,
            datacontenttype: ContentType::Json,
            traceparent: None,
            event,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rejected() -> Event {
        let event = DomainEvent::OrderRejected {
            order_id: OrderId::new(Uuid::from_u128(1)),
            customer_id: CustomerId::new(Uuid::from_u128(2)),
            reason: RejectionReason::OutOfStock,
        };
        Event::once(
            event,
            Timestamp::try_from("2026-03-01T09:30:00.250Z".to_owned()).unwrap(),
        )
    }

    #[test]
    fn an_event_is_written_as_a_cloudevent() {
        assert_eq!(
            serde_json::to_value(rejected()).unwrap(),
            json!({
                "specversion": "1.0",
                "id": rejected().id,
                "source": "/oxcart/orders",
                "subject": "00000000-0000-0000-0000-000000000001",
                "time": "2026-03-01T09:30:00.250Z",
                "datacontenttype": "application/json",
                "type": "order.rejected",
                "data": {
                    "order_id": "00000000-0000-0000-0000-000000000001",
                    "customer_id": "00000000-0000-0000-0000-000000000002",
                    "reason": "out-of-stock",
                },
            })
        );
    }

    #[test]
    fn what_is_written_reads_back() {
        let text = serde_json::to_string(&rejected()).unwrap();
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), rejected());
    }

    #[test]
    fn it_reads_back_without_what_follows_from_the_rest() {
        let mut written = serde_json::to_value(rejected()).unwrap();
        for name in Event::DERIVED {
            assert!(written.as_object_mut().unwrap().remove(name).is_some());
        }
        assert_eq!(
            serde_json::from_value::<Event>(written).unwrap(),
            rejected()
        );
    }

    #[test]
    fn an_envelope_of_another_version_is_not_read() {
        let mut written = serde_json::to_value(rejected()).unwrap();
        written["specversion"] = json!("2.0");
        assert!(serde_json::from_value::<Event>(written).is_err());
    }

    #[test]
    fn the_kind_is_the_tag_that_is_written() {
        let event = rejected();
        assert_eq!(
            serde_json::to_value(&event).unwrap()["type"],
            event.event.kind()
        );
    }
}
