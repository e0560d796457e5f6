//! Payments: one per order, charged at most once, given back at most once.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use uuid::Uuid;

use crate::{
    CustomerId, DomainEvent, Event, IdempotencyKey, Money, OrderId, Timestamp, text::Text,
};

/// Why part of a payment is given back, in words for the books.
pub type RefundReason = Text<200>;

/// One refund of part of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RefundId(Uuid);

impl RefundId {
    /// The refund of an order's payment that was asked for under `key`: always the same one.
    #[must_use]
    pub fn derive(order: OrderId, key: &IdempotencyKey) -> Self {
        Self(Uuid::new_v5(&order.uuid(), key.as_str().as_bytes()))
    }
}

impl std::fmt::Display for RefundId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a refund of part of a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RefundStatus {
    /// Asked for; the gateway may or may not have been asked.
    Pending,
    /// The money was given back.
    Done,
    /// All of the payment is given back instead, and this with it.
    Superseded,
}

/// A refund of part of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// How much.
    pub amount: Money,
    /// Why.
    pub reason: RefundReason,
    /// Where it stands.
    pub status: RefundStatus,
    /// When it was asked for.
    pub created_at: Timestamp,
}

/// A payment gateway's token for a way to pay (`pm_…`), never card data.
///
/// Its `Debug` form hides it, so that it can't get into a log by accident.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PaymentMethod(String);

/// The text can't be a payment method's token.
#[derive(Debug, thiserror::Error)]
#[error("must be a payment method token of the gateway: pm_ and 1 to 100 letters, digits or '_'")]
pub struct InvalidPaymentMethod;

impl PaymentMethod {
    /// The token, for the gateway.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for PaymentMethod {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PaymentMethod(…)")
    }
}

impl TryFrom<String> for PaymentMethod {
    type Error = InvalidPaymentMethod;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let token = text.strip_prefix("pm_").ok_or(InvalidPaymentMethod)?;
        let fits = (1..=100).contains(&token.len())
            && token
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if fits {
            Ok(Self(text))
        } else {
            Err(InvalidPaymentMethod)
        }
    }
}

impl From<PaymentMethod> for String {
    fn from(method: PaymentMethod) -> Self {
        method.0
    }
}

/// Why a payment was declined, in the gateway's words: `card_declined`, `insufficient_funds`, …
/// 1 to 100 lower-case letters, digits and underscores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeclineCode(Cow<'static, str>);

/// The text can't be a decline code.
#[derive(Debug, thiserror::Error)]
#[error("must be 1 to 100 lower-case letters, digits or '_'")]
pub struct InvalidDeclineCode;

impl DeclineCode {
    /// The gateway didn't say why.
    pub const UNSPECIFIED: Self = Self(Cow::Borrowed("unspecified"));
    /// The gateway has cancelled the payment before it was confirmed.
    pub const CANCELLED: Self = Self(Cow::Borrowed("payment_cancelled"));

    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for DeclineCode {
    type Error = InvalidDeclineCode;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let fits = (1..=100).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if fits {
            Ok(Self(Cow::Owned(text)))
        } else {
            Err(InvalidDeclineCode)
        }
    }
}

impl From<DeclineCode> for String {
    fn from(code: DeclineCode) -> Self {
        code.0.into_owned()
    }
}

/// Where a payment stands.
///
/// `PENDING → CHARGED | DECLINED` by charging; `PENDING | CHARGED → REFUNDING → REFUNDED | CANCELLED`
/// by refunding. `DECLINED`, `REFUNDED` and `CANCELLED` are final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum PaymentStatus {
    /// Recorded; the gateway may or may not have been asked.
    Pending,
    /// The money was taken.
    Charged,
    /// The bank or card said no.
    Declined,
    /// Being given back or given up; charging is refused from here on.
    Refunding,
    /// The money was given back.
    Refunded,
    /// Given up before anything was taken.
    Cancelled,
}

impl PaymentStatus {
    /// The status as it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Charged => "CHARGED",
            Self::Declined => "DECLINED",
            Self::Refunding => "REFUNDING",
            Self::Refunded => "REFUNDED",
            Self::Cancelled => "CANCELLED",
        }
    }
}

/// The end of a payment that was compensated: nothing of the customer's is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum SettledPayment {
    /// Nothing was taken: the bank or card said no.
    Declined,
    /// Nothing was taken, and nothing can be any more.
    Cancelled,
    /// What was taken was given back.
    Refunded,
}

/// What charging has to do next, given the payment's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChargeStep {
    /// Create an intent at the gateway and store its id.
    CreateIntent,
    /// Confirm this intent, or learn how an earlier confirmation ended.
    Confirm(String),
    /// Nothing: the money was taken before.
    AlreadyCharged,
    /// Nothing: it was declined before, and stays so.
    AlreadyDeclined,
    /// Nothing: it was given up or given back; a late charge is refused.
    Closed,
}

/// What refunding has to do next, given the payment's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundStep {
    /// Take the lease, so that nobody else asks the gateway meanwhile, then settle.
    TakeLease,
    /// Nothing: another invocation holds the lease and may be asking the gateway right now.
    InProgress,
    /// Nothing: it was settled before.
    Settled(SettledPayment),
}

/// What there is to know of a payment when deciding about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentState {
    /// Where it stands.
    pub status: PaymentStatus,
    /// The gateway's intent, once its id is stored.
    pub intent_id: Option<String>,
    /// Until when a refunding invocation may be at work.
    pub lease_until: Option<Timestamp>,
}

impl PaymentState {
    /// What charging has to do next.
    #[must_use]
    pub fn charge_step(&self) -> ChargeStep {
        match (self.status, &self.intent_id) {
            (PaymentStatus::Pending, None) => ChargeStep::CreateIntent,
            (PaymentStatus::Pending, Some(intent)) => ChargeStep::Confirm(intent.clone()),
            (PaymentStatus::Charged, _) => ChargeStep::AlreadyCharged,
            (PaymentStatus::Declined, _) => ChargeStep::AlreadyDeclined,
            (PaymentStatus::Refunding | PaymentStatus::Refunded | PaymentStatus::Cancelled, _) => {
                ChargeStep::Closed
            }
        }
    }

    /// What refunding has to do next at `now`.
    #[must_use]
    pub fn refund_step(&self, now: Timestamp) -> RefundStep {
        match self.status {
            // A refund of a part holds the lease of a payment that is still charged.
            PaymentStatus::Refunding | PaymentStatus::Charged
                if self.lease_until.is_some_and(|until| until > now) =>
            {
                RefundStep::InProgress
            }
            PaymentStatus::Pending | PaymentStatus::Charged | PaymentStatus::Refunding => {
                RefundStep::TakeLease
            }
            PaymentStatus::Declined => RefundStep::Settled(SettledPayment::Declined),
            PaymentStatus::Refunded => RefundStep::Settled(SettledPayment::Refunded),
            PaymentStatus::Cancelled => RefundStep::Settled(SettledPayment::Cancelled),
        }
    }
}

/// Whose payment it is and of how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// For which order.
    pub order_id: OrderId,
    /// Who pays.
    pub customer_id: CustomerId,
    /// How much.
    pub amount: Money,
}

impl Charge {
    /// The event that tells of the money having been taken, and whether the customer was asked to act first.
    #[must_use]
    pub fn charged(self, action_requested: bool, now: Timestamp) -> Event {
        let Self {
            order_id,
            customer_id,
            amount,
        } = self;
        Event::once(
            DomainEvent::PaymentCharged {
                order_id,
                customer_id,
                amount,
                action_requested,
            },
            now,
        )
    }

    /// The event that tells of the bank or card having said no, and whether the customer was asked to act first.
    #[must_use]
    pub fn declined(
        self,
        decline_code: DeclineCode,
        action_requested: bool,
        now: Timestamp,
    ) -> Event {
        let Self {
            order_id,
            customer_id,
            amount,
        } = self;
        Event::once(
            DomainEvent::PaymentDeclined {
                order_id,
                customer_id,
                amount,
                decline_code,
                action_requested,
            },
            now,
        )
    }

    /// The event that tells of all that was left of the money having been given back: `left`.
    #[must_use]
    pub fn refunded(self, left: Money, now: Timestamp) -> Event {
        Event::once(self.gave_back(left), now)
    }

    /// The event that tells of part of the money having been given back.
    #[must_use]
    pub fn partly_refunded(self, refund: RefundId, part: Money, now: Timestamp) -> Event {
        Event::repeatable(self.gave_back(part), &refund.to_string(), now)
    }

    const fn gave_back(self, amount: Money) -> DomainEvent {
        DomainEvent::PaymentRefunded {
            order_id: self.order_id,
            customer_id: self.customer_id,
            amount,
        }
    }

    /// The event that asks for part of the money to be given back.
    #[must_use]
    pub fn refund_requested(self, refund_id: RefundId, refund: &Refund) -> Event {
        let event = DomainEvent::PaymentRefundRequested {
            order_id: self.order_id,
            customer_id: self.customer_id,
            refund_id,
            amount: refund.amount,
            reason: refund.reason.clone(),
        };
        Event::repeatable(event, &refund_id.to_string(), refund.created_at)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::try_from("2026-03-01T09:30:00.000Z".to_owned())
            .unwrap()
            .plus_seconds(seconds)
    }

    fn state(status: PaymentStatus) -> PaymentState {
        PaymentState {
            status,
            intent_id: Some("pi_1".to_owned()),
            lease_until: None,
        }
    }

    #[test]
    fn a_charge_killed_after_storing_its_intent_goes_on_with_it() {
        assert_eq!(
            state(PaymentStatus::Pending).charge_step(),
            ChargeStep::Confirm("pi_1".to_owned())
        );
    }

    #[test]
    fn a_charge_after_a_refund_is_refused() {
        for closed in [
            PaymentStatus::Refunding,
            PaymentStatus::Refunded,
            PaymentStatus::Cancelled,
        ] {
            assert_eq!(state(closed).charge_step(), ChargeStep::Closed);
        }
    }

    #[test]
    fn only_one_refund_is_at_work_until_its_lease_ends() {
        let refunding = PaymentState {
            lease_until: Some(at(30)),
            ..state(PaymentStatus::Refunding)
        };
        assert_eq!(refunding.refund_step(at(29)), RefundStep::InProgress);
        assert_eq!(refunding.refund_step(at(30)), RefundStep::TakeLease);
    }

    #[test]
    fn a_payment_method_token_does_not_show_in_debug_output() {
        let method = PaymentMethod::try_from("pm_card_visa".to_owned()).unwrap();
        assert!(!format!("{method:?}").contains("visa"));
    }

    #[test]
    fn card_data_is_not_a_payment_method() {
        for bad in ["", "pm_", "4242424242424242", "tok_visa", "pm_a/b", "pm_é"] {
            assert!(PaymentMethod::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_final_for_refunds_is_final_for_charges(status in prop::sample::select(vec![
            PaymentStatus::Declined, PaymentStatus::Refunded, PaymentStatus::Cancelled,
        ]), now in 0i64..1000) {
            prop_assert!(matches!(state(status).refund_step(at(now)), RefundStep::Settled(_)));
            prop_assert!(matches!(state(status).charge_step(), ChargeStep::Closed | ChargeStep::AlreadyDeclined));
        }
    }
}
