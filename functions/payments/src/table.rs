//! The payments' table: its keys, attributes and conditions.
//!
//! | item | `pk` |
//! |---|---|
//! | payment | `PAYMENT#<order id>`, with its partial refunds |
//! | webhook | `WEBHOOK#<event id>`: what the gateway told of and was acted on |

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::{
    operation::{
        put_item::builders::PutItemFluentBuilder, update_item::builders::UpdateItemFluentBuilder,
    },
    types::{AttributeValue, ReturnValue},
};
use oxcart_domain::{
    CustomerId, Event, Money, OrderId, Timestamp,
    payment::{Charge, DeclineCode, PaymentState, PaymentStatus, Refund, RefundId, RefundStatus},
    saga::TaskToken,
};
use oxcart_table::{KEY, Table, TableError, Written, item, parse, put, update, value};
use serde::{Deserialize, Serialize};

/// In how many parts a payment may be given back. An item has 400 KB, and the end of its payment has to fit as well.
pub(crate) const MOST_REFUNDS: usize = 100;

/// The payments' table.
#[derive(Debug)]
pub struct Payments {
    table: Table,
}

/// A payment as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the payment")]
pub struct StoredPayment {
    pk: String,
    pub order_id: OrderId,
    pub customer_id: CustomerId,
    pub status: PaymentStatus,
    /// None for a payment that was given up before it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_until: Option<Timestamp>,
    /// Whether the customer was asked to act.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asked: bool,
    /// What the saga that waits for the customer to act is woken with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_token: Option<TaskToken>,
    /// What of the amount was asked to be given back in parts, in minor units.
    #[serde(default)]
    pub refund_total: u64,
    /// Those parts.
    #[serde(default)]
    pub refunds: BTreeMap<RefundId, Refund>,
    pub created_at: Timestamp,
    /// When it came to its status.
    pub updated_at: Timestamp,
}

/// How a refund ended.
#[derive(Debug)]
pub enum Settlement {
    /// The money is back; the event tells of it.
    Refunded(Box<Event>),
    /// No money was taken, and none will be.
    Cancelled,
}

impl StoredPayment {
    fn new(
        order_id: OrderId,
        customer_id: CustomerId,
        status: PaymentStatus,
        now: Timestamp,
    ) -> Self {
        Self {
            pk: key(order_id),
            order_id,
            customer_id,
            status,
            amount: None,
            intent_id: None,
            lease_until: None,
            asked: false,
            task_token: None,
            refund_total: 0,
            refunds: BTreeMap::new(),
            created_at: now,
            updated_at: now,
        }
    }

    fn of(charge: Charge, status: PaymentStatus, now: Timestamp) -> Self {
        Self {
            amount: Some(charge.amount),
            ..Self::new(charge.order_id, charge.customer_id, status, now)
        }
    }

    /// Whose payment it is and of how much. None for one that was given up before it began.
    #[must_use]
    pub fn charge(&self) -> Option<Charge> {
        Some(Charge {
            order_id: self.order_id,
            customer_id: self.customer_id,
            amount: self.amount?,
        })
    }

    /// Whether the customer was asked to act, and holds what it takes. Records were written once that say so
    /// by their token alone.
    #[must_use]
    pub fn customer_was_asked(&self) -> bool {
        self.asked || self.task_token.is_some()
    }

    /// What is left of `amount` when what was given back in parts is taken off.
    #[must_use]
    pub fn left(&self, amount: Money) -> Money {
        let done = self.refunds.values();
        let done: u64 = done
            .filter(|refund| refund.status == RefundStatus::Done)
            .map(|refund| refund.amount.amount)
            .sum();
        Money {
            amount: amount.amount.saturating_sub(done),
            ..amount
        }
    }

    /// Whether this is the intent that it is paid with.
    #[must_use]
    pub fn is_paid_with(&self, intent: &str) -> bool {
        self.intent_id.as_deref() == Some(intent)
    }

    /// Whether money of it is on its way back, and not noted as given back yet.
    #[must_use]
    pub fn is_being_refunded(&self) -> bool {
        let mut parts = self.refunds.values();
        self.status == PaymentStatus::Refunding
            || parts.any(|part| part.status == RefundStatus::Pending)
    }

    /// How much of it was given back, by this record, in minor units.
    #[must_use]
    pub fn given_back(&self) -> u64 {
        let Some(amount) = self.amount else {
            return 0;
        };
        match self.status {
            PaymentStatus::Refunded => amount.amount,
            _ => amount.amount - self.left(amount).amount,
        }
    }

    /// What decisions about the payment are made from.
    #[must_use]
    pub fn state(&self) -> PaymentState {
        PaymentState {
            status: self.status,
            intent_id: self.intent_id.clone(),
            lease_until: self.lease_until,
        }
    }
}

impl Payments {
    /// The payments in `table`.
    #[must_use]
    pub const fn new(table: Table) -> Self {
        Self { table }
    }

    /// An order's payment as it stands now.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn get(&self, order_id: OrderId) -> Result<Option<StoredPayment>, TableError> {
        self.table.get(key(order_id)).await
    }

    /// An order's payment as it stood a moment ago.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn get_lately(&self, order_id: OrderId) -> Result<Option<StoredPayment>, TableError> {
        self.table.get_lately(key(order_id)).await
    }

    /// Records the intent that is about to be confirmed. Answers the record as it then stands, with this
    /// intent or that of an invocation that was quicker.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn open(
        &self,
        charge: Charge,
        intent: String,
        now: Timestamp,
    ) -> Result<StoredPayment, TableError> {
        let record = StoredPayment {
            intent_id: Some(intent),
            ..StoredPayment::of(charge, PaymentStatus::Pending, now)
        };
        match put(self.opening(item(&record)?)).await? {
            Written::Done(_) => Ok(record),
            Written::Refused(earlier) => parse(earlier),
        }
    }

    /// The write of a payment that begins with this record.
    fn opening(&self, record: HashMap<String, AttributeValue>) -> PutItemFluentBuilder {
        // Protects: one payment per order; one intent per order is ever confirmed; a tombstone refuses a late
        // charge. Records were written once before there was an intent.
        self.table
            .put_item()
            .set_item(Some(record))
            .condition_expression(
                "attribute_not_exists(pk) OR (#status = :pending AND attribute_not_exists(intent_id))",
            )
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":pending", text(PaymentStatus::Pending.as_str()))
    }

    /// Leaves a tombstone for an order that has no payment, so that a late charge is refused. Answers
    /// whether it is done; if not, there is a payment by now.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn close(
        &self,
        order_id: OrderId,
        customer_id: CustomerId,
        now: Timestamp,
    ) -> Result<bool, TableError> {
        let tombstone = StoredPayment::new(order_id, customer_id, PaymentStatus::Cancelled, now);
        // Protects: a tombstone never hides a payment that may have been charged.
        let call = self
            .table
            .put_item()
            .set_item(Some(item(tombstone)?))
            .condition_expression("attribute_not_exists(pk)");
        Ok(matches!(put(call).await?, Written::Done(_)))
    }

    /// Stores that the intent's money was taken, where `record` was read before. Answers whether it is stored
    /// now, and the record as it then stands: pending, if its customer was asked to act meanwhile.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn store_charged(
        &self,
        record: &StoredPayment,
        charge: Charge,
        intent: &str,
        now: Timestamp,
    ) -> Result<(bool, StoredPayment), TableError> {
        let event = charge.charged(record.customer_was_asked(), now);
        let call = self.settling(record, intent, PaymentStatus::Charged, "", event)?;
        stored(call).await
    }

    /// Stores that the bank or card said no to `intent`, where `record` was read before. Answers whether it is
    /// stored now, and the record as it then stands: pending, if its customer was asked to act meanwhile.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn store_declined(
        &self,
        record: &StoredPayment,
        charge: Charge,
        intent: &str,
        code: &DeclineCode,
        now: Timestamp,
    ) -> Result<(bool, StoredPayment), TableError> {
        let event = charge.declined(code.clone(), record.customer_was_asked(), now);
        let call = self
            .settling(
                record,
                intent,
                PaymentStatus::Declined,
                ", decline_code = :code",
                event,
            )?
            .expression_attribute_values(":code", value(code)?);
        stored(call).await
    }

    /// The write that settles a pending payment and tells of it, where `record` was read before; `more` is what it sets
    /// besides.
    fn settling(
        &self,
        record: &StoredPayment,
        intent: &str,
        settled: PaymentStatus,
        more: &str,
        event: Event,
    ) -> Result<UpdateItemFluentBuilder, TableError> {
        // Protects: a payment that was settled or is being given back stays as it is, and what is told is the outcome of
        // the intent that counts. Who waits for a customer hears that they have acted, and who was asked can't act any
        // more: nobody was asked between what was read and this.
        let mut condition = "#status = :pending AND intent_id = :intent".to_owned();
        if !record.customer_was_asked() {
            condition.push_str(" AND attribute_not_exists(asked)");
        }
        let set = "SET #status = :settled, updated_at = :now, outbox = :event";
        Ok(self
            .transition(record.order_id, &format!("{set}{more}"))
            .condition_expression(condition)
            .expression_attribute_values(":pending", text(PaymentStatus::Pending.as_str()))
            .expression_attribute_values(":settled", text(settled.as_str()))
            .expression_attribute_values(":intent", text(intent))
            .expression_attribute_values(":now", value(event.time)?)
            .expression_attribute_values(":event", oxcart_outbox::attribute(event)?))
    }

    /// Stores that the gateway takes no payment by this method, so that there is no intent. Answers whether
    /// it is stored now, and the record as it then stands.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn store_unpayable(
        &self,
        charge: Charge,
        code: &DeclineCode,
        event: Event,
    ) -> Result<(bool, StoredPayment), TableError> {
        let declined = StoredPayment::of(charge, PaymentStatus::Declined, event.time);
        let mut record = item(&declined)?;
        record.insert("decline_code".to_owned(), value(code)?);
        record.insert(
            oxcart_outbox::ATTRIBUTE.to_owned(),
            oxcart_outbox::attribute(event)?,
        );
        match put(self.opening(record)).await? {
            Written::Done(_) => Ok((true, declined)),
            Written::Refused(earlier) => Ok((false, parse(earlier)?)),
        }
    }

    /// Takes the lease on a payment that is to be given back, until `until`: from here on it can't be
    /// charged. None if it is no longer as it was read.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn lease_for_refund(
        &self,
        order_id: OrderId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<StoredPayment>, TableError> {
        // Protects: one invocation at a time asks the gateway for a refund, be it of a part or of all; a
        // declined or settled payment stays as it is.
        let call = self
            .transition(
                order_id,
                "SET #status = :refunding, lease_until = :until, updated_at = :now",
            )
            .condition_expression(
                "#status IN (:pending, :charged, :refunding) \
                 AND (attribute_not_exists(lease_until) OR lease_until <= :now)",
            )
            .expression_attribute_values(":refunding", text(PaymentStatus::Refunding.as_str()))
            .expression_attribute_values(":pending", text(PaymentStatus::Pending.as_str()))
            .expression_attribute_values(":charged", text(PaymentStatus::Charged.as_str()))
            .expression_attribute_values(":until", value(until)?)
            .expression_attribute_values(":now", value(now)?);
        leased(call).await
    }

    /// Stores how a refund ended, if `lease` is still the one that holds. Answers whether it is stored.
    ///
    /// # Errors
    /// See [`TableError`]. A lease that was lost is no error: who holds it now comes to the same end.
    pub async fn store_settled(
        &self,
        order_id: OrderId,
        settlement: Settlement,
        lease: Timestamp,
        now: Timestamp,
    ) -> Result<bool, TableError> {
        let call = match settlement {
            Settlement::Refunded(event) => self
                .transition(
                    order_id,
                    "SET #status = :settled, updated_at = :now, outbox = :event REMOVE lease_until",
                )
                .expression_attribute_values(":settled", text(PaymentStatus::Refunded.as_str()))
                .expression_attribute_values(":event", oxcart_outbox::attribute(*event)?),
            Settlement::Cancelled => self
                .transition(
                    order_id,
                    "SET #status = :settled, updated_at = :now REMOVE lease_until",
                )
                .expression_attribute_values(":settled", text(PaymentStatus::Cancelled.as_str())),
        };
        // Protects: only who holds the lease ends it.
        let call = call
            .condition_expression("#status = :refunding AND lease_until = :lease")
            .expression_attribute_values(":refunding", text(PaymentStatus::Refunding.as_str()))
            .expression_attribute_values(":lease", value(lease)?)
            .expression_attribute_values(":now", value(now)?);
        Ok(matches!(update(call).await?, Written::Done(_)))
    }

    /// Records that part of a charged payment is to be given back, and the event that has it done: one
    /// write. The record must have that much left. Answers the record as it then stands, and whether this
    /// write is in it.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn request_refund(
        &self,
        charge: Charge,
        id: RefundId,
        refund: &Refund,
        event: Event,
    ) -> Result<(bool, StoredPayment), TableError> {
        let room = charge.amount.amount.saturating_sub(refund.amount.amount);
        // Protects: the parts never come to more than was charged, each is asked for once, none once all of
        // it is being given back, and the item has room for what is yet to come.
        let call = self
            .transition(
                charge.order_id,
                "SET refunds.#id = :refund, outbox = :event ADD refund_total :amount",
            )
            .condition_expression(
                "#status = :charged AND refund_total <= :room AND attribute_not_exists(refunds.#id) \
                 AND size(refunds) < :most",
            )
            .expression_attribute_names("#id", id.to_string())
            .expression_attribute_values(":most", value(MOST_REFUNDS)?)
            .expression_attribute_values(":charged", text(PaymentStatus::Charged.as_str()))
            .expression_attribute_values(":room", value(room)?)
            .expression_attribute_values(":amount", value(refund.amount.amount)?)
            .expression_attribute_values(":refund", value(refund)?)
            .expression_attribute_values(":event", oxcart_outbox::attribute(event)?);
        stored(call).await
    }

    /// Takes the lease on a charged payment of which a part is to be given back, until `until`. None if
    /// it is no longer as it was read.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn lease_for_part(
        &self,
        order_id: OrderId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<StoredPayment>, TableError> {
        // Protects: one invocation at a time asks the gateway for a refund.
        let call = self
            .transition(order_id, "SET lease_until = :until")
            .condition_expression(
                "#status = :charged AND (attribute_not_exists(lease_until) OR lease_until <= :now)",
            )
            .expression_attribute_values(":charged", text(PaymentStatus::Charged.as_str()))
            .expression_attribute_values(":until", value(until)?)
            .expression_attribute_values(":now", value(now)?);
        leased(call).await
    }

    /// Stores that a part was given back, tells of it, and ends the lease. Answers whether it is stored;
    /// if not, the lease has gone to somebody else.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn store_part(
        &self,
        order_id: OrderId,
        id: RefundId,
        event: Event,
        lease: Timestamp,
    ) -> Result<bool, TableError> {
        // Protects: only who holds the lease ends it.
        let call = self
            .transition(
                order_id,
                "SET refunds.#id.#status = :done, outbox = :event REMOVE lease_until",
            )
            .condition_expression("lease_until = :lease")
            .expression_attribute_names("#id", id.to_string())
            .expression_attribute_values(":done", value(RefundStatus::Done)?)
            .expression_attribute_values(":lease", value(lease)?)
            .expression_attribute_values(":event", oxcart_outbox::attribute(event)?);
        Ok(matches!(update(call).await?, Written::Done(_)))
    }

    /// Stores that a part is given back with all the rest.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn supersede_part(&self, order_id: OrderId, id: RefundId) -> Result<(), TableError> {
        // Protects: what was given back as a part stays told as such.
        let call = self
            .transition(order_id, "SET refunds.#id.#status = :superseded")
            .condition_expression("refunds.#id.#status = :pending")
            .expression_attribute_names("#id", id.to_string())
            .expression_attribute_values(":superseded", value(RefundStatus::Superseded)?)
            .expression_attribute_values(":pending", value(RefundStatus::Pending)?);
        update(call).await.map(drop)
    }

    /// Stores that the customer was asked to act, and what the saga that waits for them is woken with, if it
    /// waits. Answers the record as it then stands.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn store_asked(
        &self,
        order_id: OrderId,
        token: Option<&TaskToken>,
    ) -> Result<StoredPayment, TableError> {
        let call = match token {
            Some(token) => self
                .transition(order_id, "SET asked = :yes, task_token = :token")
                .expression_attribute_values(":token", value(token)?),
            None => self.transition(order_id, "SET asked = :yes REMOVE task_token"),
        };
        // Protects: nobody waits for a payment that is over.
        let call = call
            .condition_expression("#status = :pending AND attribute_exists(intent_id)")
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .expression_attribute_values(":pending", text(PaymentStatus::Pending.as_str()));
        as_it_stands(call).await
    }

    /// Whether a webhook's event was acted on before.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn has_heard(&self, event: &str) -> Result<bool, TableError> {
        Ok(self.table.get_item(webhook_key(event)).await?.is_some())
    }

    /// Remembers that a webhook's event was acted on, until `until`.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn remember_heard(&self, event: &str, until: Timestamp) -> Result<(), TableError> {
        let call = self
            .table
            .put_item()
            .item(KEY, text(webhook_key(event)))
            .item("ttl", value(until.unix_seconds())?);
        put(call).await.map(drop)
    }

    fn transition(&self, order_id: OrderId, expression: &str) -> UpdateItemFluentBuilder {
        self.table
            .update_item(key(order_id))
            .update_expression(expression)
            .expression_attribute_names("#status", "status")
    }
}

/// Sends a transition. Answers whether it is done, and the record as it stands after it, or without it where it
/// was refused.
async fn stored(call: UpdateItemFluentBuilder) -> Result<(bool, StoredPayment), TableError> {
    match update(call.return_values(ReturnValue::AllNew)).await? {
        Written::Done(record) => Ok((true, parse(record)?)),
        Written::Refused(record) => Ok((false, parse(record)?)),
    }
}

/// Sends a transition of which it doesn't matter whether it is done, and answers the record as it then stands.
async fn as_it_stands(call: UpdateItemFluentBuilder) -> Result<StoredPayment, TableError> {
    let (_, record) = stored(call).await?;
    Ok(record)
}

/// Sends what takes a lease and answers the record under it. None if it is held, or the payment is no
/// longer one to take it on.
async fn leased(call: UpdateItemFluentBuilder) -> Result<Option<StoredPayment>, TableError> {
    match update(call.return_values(ReturnValue::AllNew)).await? {
        Written::Done(record) => parse(record).map(Some),
        Written::Refused(_) => Ok(None),
    }
}

fn key(order_id: OrderId) -> String {
    format!("PAYMENT#{order_id}")
}

fn webhook_key(event: &str) -> String {
    format!("WEBHOOK#{event}")
}

fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}
