//! The orders' table: its keys, attributes and conditions.
//!
//! | item | `pk` |
//! |---|---|
//! | order | `ORDER#<order id>`, listed per customer in the index `orders-by-customer`, per day in the index `orders-by-day` and, while a saga is to end it, in the index `open-orders` |

mod lists;

use aws_sdk_dynamodb::{
    operation::update_item::builders::UpdateItemFluentBuilder,
    types::{AttributeValue, ReturnValue},
};
pub use lists::{Listing, OrderPage, OrderPlace};
use oxcart_domain::{
    CustomerId, Event, Money, OrderId, RequestHash, Timestamp,
    order::{
        OrderLines, OrderPaymentStatus, OrderStatus, PlacedOrder, PricedLine, RejectionReason,
        TimelineEntry, act_by, due_after,
    },
    payment::PaymentMethod,
    saga::{AbandonOrder, ConfirmOrder, ParkOrder, RejectOrder},
};
use oxcart_lambda::TaskError;
use oxcart_table::{Table, TableError, Written, item, keys_of, parse, put, update, value};
use oxcart_telemetry::Chain;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Sparse: only open orders have the attribute that it is keyed by.
const OPEN: &str = "open-orders";

/// The partitions of the index of open orders: the first digit of their ids, so that not all orders of
/// the shop are written to one.
pub const OPEN_SHARDS: &str = "0123456789abcdef";

/// The orders' table.
#[derive(Debug)]
pub struct Orders {
    table: Table,
}

/// An order as it is stored.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the order")]
pub struct StoredOrder {
    pub id: OrderId,
    pub customer_id: CustomerId,
    pub status: OrderStatus,
    pub lines: OrderLines,
    #[serde(default)]
    pub priced_lines: Option<Vec<PricedLine>>,
    #[serde(default)]
    pub total: Option<Money>,
    /// Set as soon as it is decided that the order will not be confirmed.
    #[serde(default)]
    pub reason: Option<RejectionReason>,
    pub payment_method: PaymentMethod,
    #[serde(default)]
    pub expected_total: Option<Money>,
    /// Whether the customer was asked to act before the order can be paid.
    #[serde(default)]
    pub action_requested: bool,
    /// Whether it was left to a person.
    #[serde(default)]
    pub needs_attention: bool,
    /// When its saga is to be looked after.
    #[serde(default)]
    pub due_at: Option<Timestamp>,
    /// How often its saga was run again.
    #[serde(default)]
    pub resumes: u32,
    /// The trace of the last write.
    #[serde(default)]
    pub outbox: LastEvent,
    pub payment_status: OrderPaymentStatus,
    pub request_hash: RequestHash,
    pub timeline: Vec<TimelineEntry>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl StoredOrder {
    /// Whether nothing becomes of it unless its customer acts first.
    #[must_use]
    pub fn waits_for_customer(&self) -> bool {
        self.action_requested && self.status == OrderStatus::Pending && self.reason.is_none()
    }

    /// Whether a saga has yet to end it.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.status.is_open()
    }

    /// Whether it stays as it is for now: it has ended, or waits for a person.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        match self.status {
            OrderStatus::Confirmed | OrderStatus::Rejected | OrderStatus::Cancelled => true,
            OrderStatus::Pending => self.waits_for_customer() || self.needs_attention,
            OrderStatus::Cancelling => self.needs_attention,
        }
    }

    /// When its customer asked to cancel it, if they did.
    #[must_use]
    pub fn cancellation_requested_at(&self) -> Option<Timestamp> {
        let mut story = self.timeline.iter().rev();
        let asked = story.find(|entry| entry.event == "order.cancellation-requested");
        asked.map(|entry| entry.at)
    }
}

/// What is read of the event in an order.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct LastEvent {
    /// The trace in which it happened.
    #[serde(default)]
    pub traceparent: Option<String>,
}

#[derive(Serialize)]
struct NewOrder<'a> {
    pk: String,
    id: OrderId,
    customer_id: CustomerId,
    placed: String,
    day: String,
    status: OrderStatus,
    lines: &'a OrderLines,
    payment_method: &'a PaymentMethod,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_total: Option<Money>,
    payment_status: OrderPaymentStatus,
    request_hash: &'a RequestHash,
    timeline: [TimelineEntry; 1],
    open: String,
    due_at: Timestamp,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// Whether an order was placed by this request or an earlier one.
#[derive(Debug)]
pub enum Placed {
    /// By this one.
    Now,
    /// By an earlier one under the same key; the order as it stands.
    Before(Box<StoredOrder>),
}

/// Whether a decision about an order was taken now, or another one (or the same) before.
#[derive(Debug)]
pub enum Decided {
    /// Now; the order as it stands after that, if it can be read.
    Now(Option<Box<StoredOrder>>),
    /// Before; the order as it stands.
    Before(Box<StoredOrder>),
}

/// Who looks after an open order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookedAfterBy {
    /// The schedule, which leaves those alone that were left to a person.
    Schedule,
    /// That person.
    Operator,
}

/// Why a decision about an order was not taken.
#[derive(Debug, thiserror::Error)]
pub enum DecisionError {
    /// Another decision was taken before.
    #[error("the order is {} and not open to this", .0.as_str())]
    NotPending(OrderStatus),
    /// There is no such order.
    #[error("there is no such order")]
    Unknown,
    /// The table failed.
    #[error(transparent)]
    Table(#[from] TableError),
}

impl TaskError for DecisionError {
    fn error_type(&self) -> &'static str {
        match self {
            Self::NotPending(_) => "OrderNotPending",
            Self::Unknown => "UnknownOrder",
            Self::Table(error) => error.error_type(),
        }
    }

    fn is_answer(&self) -> bool {
        match self {
            Self::NotPending(_) => true,
            Self::Unknown | Self::Table(_) => false,
        }
    }
}

impl Orders {
    /// The orders in `table`.
    #[must_use]
    pub const fn new(table: Table) -> Self {
        Self { table }
    }

    /// Stores a new order and the event that starts its saga: one write.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn place(&self, order: &PlacedOrder, event: Event) -> Result<Placed, TableError> {
        let mut record = item(NewOrder {
            pk: key(order.id),
            id: order.id,
            customer_id: order.customer_id,
            placed: placed(order.created_at, order.id),
            day: order.created_at.day(),
            status: OrderStatus::Pending,
            lines: &order.request.lines,
            payment_method: &order.request.payment_method,
            expected_total: order.request.expected_total,
            payment_status: OrderPaymentStatus::Pending,
            request_hash: &order.request_hash,
            timeline: [TimelineEntry::from(&event)],
            open: shard(order.id),
            due_at: due_after(order.created_at),
            created_at: order.created_at,
            updated_at: order.created_at,
        })?;
        record.insert(
            oxcart_outbox::ATTRIBUTE.to_owned(),
            oxcart_outbox::attribute(event)?,
        );
        // Protects: one order per customer and idempotency key, from which its id is derived.
        let call = self
            .table
            .put_item()
            .set_item(Some(record))
            .condition_expression("attribute_not_exists(pk)");
        match put(call).await? {
            Written::Done(_) => Ok(Placed::Now),
            Written::Refused(earlier) => Ok(Placed::Before(Box::new(parse(earlier)?))),
        }
    }

    /// An order as it stands now.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn order(&self, id: OrderId) -> Result<Option<StoredOrder>, TableError> {
        self.table.get(key(id)).await
    }

    /// An order as it stood a moment ago.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn order_lately(&self, id: OrderId) -> Result<Option<StoredOrder>, TableError> {
        self.table.get_lately(key(id)).await
    }

    /// Confirms an order.
    ///
    /// # Errors
    /// [`DecisionError::Unknown`] and [`DecisionError::Table`].
    pub async fn confirm(
        &self,
        order: &ConfirmOrder,
        event: Event,
    ) -> Result<Decided, DecisionError> {
        let mut timeline = order.timeline.clone();
        timeline.push(TimelineEntry::from(&event));
        // Protects: an order ends one way only; once abandoned (it has a reason) it is not confirmed.
        let call = self
            .table
            .update_item(key(order.order_id))
            .update_expression(
                "SET #status = :confirmed, payment_status = :charged, priced_lines = :lines, #total = :total, \
                 #timeline = list_append(#timeline, :timeline), updated_at = :now, outbox = :event \
                 REMOVE #open, due_at, action_requested, needs_attention",
            )
            .condition_expression("#status = :pending AND attribute_not_exists(reason)")
            .expression_attribute_names("#open", "open")
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#total", "total")
            .expression_attribute_names("#timeline", "timeline")
            .expression_attribute_values(":pending", text(OrderStatus::Pending.as_str()))
            .expression_attribute_values(":confirmed", text(OrderStatus::Confirmed.as_str()))
            .expression_attribute_values(":charged", value(OrderPaymentStatus::Charged)?)
            .expression_attribute_values(":lines", value(&order.lines)?)
            .expression_attribute_values(":total", value(order.total)?)
            .expression_attribute_values(":timeline", value(timeline)?)
            .expression_attribute_values(":now", value(event.time)?)
            .expression_attribute_values(":event", oxcart_outbox::attribute(event).map_err(TableError::from)?);
        decide(call).await
    }

    /// Decides that an order will not be confirmed, leaving it `PENDING`.
    ///
    /// # Errors
    /// [`DecisionError::Unknown`] and [`DecisionError::Table`].
    pub async fn abandon(
        &self,
        order: &AbandonOrder,
        now: Timestamp,
    ) -> Result<Decided, DecisionError> {
        // Protects: the first reason stays, and a confirmed order is not abandoned.
        let call = self
            .table
            .update_item(key(order.order_id))
            .update_expression("SET reason = :reason, updated_at = :now")
            .condition_expression("#status = :pending AND attribute_not_exists(reason)")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":pending", text(OrderStatus::Pending.as_str()))
            .expression_attribute_values(":reason", text(order.reason.as_str()))
            .expression_attribute_values(":now", value(now)?);
        decide(call).await
    }

    /// Ends an order without sale, as rejected or cancelled.
    ///
    /// # Errors
    /// [`DecisionError::Unknown`] and [`DecisionError::Table`].
    pub async fn reject(
        &self,
        order: &RejectOrder,
        event: Event,
    ) -> Result<Decided, DecisionError> {
        let mut timeline = order.timeline.clone();
        timeline.push(TimelineEntry::from(&event));
        let mut set = "SET #status = :ended, payment_status = :payment, \
                       #timeline = list_append(#timeline, :timeline), updated_at = :now, outbox = :event"
            .to_owned();
        let mut call = self.table.update_item(key(order.order_id));
        // What a run that didn't come to the prices doesn't know, another one may have written.
        if let (Some(lines), Some(total)) = (&order.lines, &order.total) {
            set.push_str(", priced_lines = :lines, #total = :total");
            call = call
                .expression_attribute_names("#total", "total")
                .expression_attribute_values(":lines", value(lines)?)
                .expression_attribute_values(":total", value(total)?);
        }
        // Protects: an order ends one way only, and only an abandoned or cancelled one ends without
        // sale: since then it could not be confirmed, so what was undone stays undone.
        let call = call
            .update_expression(format!(
                "{set} REMOVE #open, due_at, action_requested, needs_attention"
            ))
            .condition_expression(
                "(#status = :pending AND attribute_exists(reason)) OR #status = :cancelling",
            )
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#timeline", "timeline")
            .expression_attribute_names("#open", "open")
            .expression_attribute_values(":pending", text(OrderStatus::Pending.as_str()))
            .expression_attribute_values(":cancelling", text(OrderStatus::Cancelling.as_str()))
            .expression_attribute_values(":ended", text(ends_as(order.reason).as_str()))
            .expression_attribute_values(
                ":payment",
                value(OrderPaymentStatus::from(order.payment_status))?,
            )
            .expression_attribute_values(":timeline", value(timeline)?)
            .expression_attribute_values(":now", value(event.time)?)
            .expression_attribute_values(
                ":event",
                oxcart_outbox::attribute(event).map_err(TableError::from)?,
            );
        decide(call).await
    }

    /// Decides that an order is not to be sold, because its customer says so, and starts undoing it.
    /// `from` is where it was found: `PENDING` stays so until it is undone, `CONFIRMED` becomes
    /// `CANCELLING`.
    ///
    /// # Errors
    /// [`DecisionError::Unknown`] and [`DecisionError::Table`].
    pub async fn cancel(
        &self,
        id: OrderId,
        from: OrderStatus,
        event: Event,
    ) -> Result<Decided, DecisionError> {
        let (to, condition) = match from {
            // Protects: the first reason stays, and a confirmed order is not abandoned.
            OrderStatus::Pending => (
                OrderStatus::Pending,
                "#status = :from AND attribute_not_exists(reason)",
            ),
            // Protects: a sale is taken back once.
            _ => (OrderStatus::Cancelling, "#status = :from"),
        };
        let call = self
            .table
            .update_item(key(id))
            .update_expression(
                "SET #status = :to, reason = :reason, #open = :open, due_at = :due, \
                 #timeline = list_append(#timeline, :timeline), updated_at = :now, outbox = :event \
                 REMOVE needs_attention",
            )
            .condition_expression(condition)
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#open", "open")
            .expression_attribute_names("#timeline", "timeline")
            .expression_attribute_values(":from", text(from.as_str()))
            .expression_attribute_values(":to", text(to.as_str()))
            .expression_attribute_values(
                ":reason",
                text(RejectionReason::CancelledByCustomer.as_str()),
            )
            .expression_attribute_values(":open", text(shard(id)))
            .expression_attribute_values(":due", value(due_after(event.time))?)
            .expression_attribute_values(":timeline", value([TimelineEntry::from(&event)])?)
            .expression_attribute_values(":now", value(event.time)?)
            .expression_attribute_values(
                ":event",
                oxcart_outbox::attribute(event).map_err(TableError::from)?,
            );
        decide(call).await
    }

    /// Shows an order's customer that they have to act, unless the time that they had for it is over.
    ///
    /// # Errors
    /// [`DecisionError::Unknown`] and [`DecisionError::Table`].
    pub async fn request_action(
        &self,
        id: OrderId,
        now: Timestamp,
    ) -> Result<Decided, DecisionError> {
        // Protects: nobody is asked to pay for an order that will not be confirmed; who is asked again, by a
        // further run of the saga, has no more time for it.
        let call = self
            .table
            .update_item(key(id))
            .update_expression(
                "SET action_requested = :yes, act_by = if_not_exists(act_by, :act_by), \
                 due_at = if_not_exists(act_by, :act_by), updated_at = :now",
            )
            .condition_expression(
                "#status = :pending AND attribute_not_exists(reason) \
                 AND (attribute_not_exists(act_by) OR act_by > :now)",
            )
            .expression_attribute_values(":act_by", value(act_by(now))?)
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":pending", text(OrderStatus::Pending.as_str()))
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .expression_attribute_values(":now", value(now)?);
        decide(call).await
    }

    /// Leaves an open order to a person: it is no longer looked after by itself.
    ///
    /// # Errors
    /// [`DecisionError::Unknown`] and [`DecisionError::Table`].
    pub async fn park(&self, order: &ParkOrder, now: Timestamp) -> Result<Decided, DecisionError> {
        // Protects: an order that another run has ended is not parked.
        let call = self
            .table
            .update_item(key(order.order_id))
            .update_expression(
                "SET needs_attention = :yes, parked = :parked, updated_at = :now REMOVE #open",
            )
            .condition_expression("#status = :pending OR #status = :cancelling")
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#open", "open")
            .expression_attribute_values(":pending", text(OrderStatus::Pending.as_str()))
            .expression_attribute_values(":cancelling", text(OrderStatus::Cancelling.as_str()))
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .expression_attribute_values(
                ":parked",
                value(Parked {
                    at: now,
                    state: &order.state,
                    error: &order.error,
                })?,
            )
            .expression_attribute_values(":now", value(now)?);
        decide(call).await
    }

    /// Up to `limit` open orders of a shard that were to be looked after by `now`, the longest due first.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn due(
        &self,
        shard: char,
        limit: i32,
        now: Timestamp,
    ) -> Result<Vec<StoredOrder>, TableError> {
        let page = self
            .table
            .client()
            .query()
            .table_name(self.table.name())
            .index_name(OPEN)
            .key_condition_expression("#open = :shard AND due_at <= :now")
            .expression_attribute_names("#open", "open")
            .expression_attribute_values(":shard", text(shard))
            .expression_attribute_values(":now", value(now)?)
            .limit(limit)
            .send()
            .await
            .map_err(TableError::unavailable)?;
        let keys = keys_of(page.items());
        let orders = self.table.get_all(keys).await?;
        let mut due = Vec::with_capacity(orders.len());
        for order in orders {
            match parse::<StoredOrder>(order) {
                // The index may be behind: somebody else may have looked after the order since.
                Ok(order) if order.due_at.is_some_and(|at| at <= now) => due.push(order),
                Ok(_) => {}
                // The others go on.
                Err(error) => {
                    tracing::error!(error = %Chain(&error), "an open order can't be read");
                }
            }
        }
        Ok(due)
    }

    /// Takes on looking after an open order: whoever else found it due at `due_at`, or never due, leaves it alone.
    /// With `rerun` its saga is about to run again. Answers whether it is taken.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn look_after(
        &self,
        order: &StoredOrder,
        rerun: bool,
        by: LookedAfterBy,
        now: Timestamp,
    ) -> Result<bool, TableError> {
        let unchanged = match order.due_at {
            Some(_) => "due_at = :due",
            None => "attribute_not_exists(due_at)",
        };
        let condition = format!("{unchanged} AND (#status = :pending OR #status = :cancelling)");
        let this = text(Uuid::new_v4().to_string());
        // Protects: of two who find an order due, one runs its saga again; an order that has ended stays
        // out of the index.
        let mut call = self
            .table
            .update_item(key(order.id))
            .update_expression(
                "SET due_at = :next, #open = :open, taken_by = :this REMOVE needs_attention ADD resumes :rerun",
            )
            .condition_expression(match by {
                // Protects: what was parked stays so until a person says otherwise.
                LookedAfterBy::Schedule => format!("{condition} AND attribute_exists(#open)"),
                LookedAfterBy::Operator => condition,
            })
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#open", "open")
            .expression_attribute_values(":pending", text(OrderStatus::Pending.as_str()))
            .expression_attribute_values(":cancelling", text(OrderStatus::Cancelling.as_str()))
            .expression_attribute_values(":next", value(due_after(now))?)
            .expression_attribute_values(":open", text(shard(order.id)))
            .expression_attribute_values(":this", this.clone())
            .expression_attribute_values(":rerun", value(u32::from(rerun))?);
        if let Some(due) = order.due_at {
            call = call.expression_attribute_values(":due", value(due)?);
        }
        Ok(match update(call).await? {
            Written::Done(_) => true,
            // A write whose answer is lost is sent again, and then refused because of itself.
            Written::Refused(item) => item.get("taken_by") == Some(&this),
        })
    }
}

/// How an order that is not sold for `reason` ends.
#[must_use]
pub const fn ends_as(reason: RejectionReason) -> OrderStatus {
    match reason {
        RejectionReason::CancelledByCustomer => OrderStatus::Cancelled,
        RejectionReason::OutOfStock
        | RejectionReason::UnknownProduct
        | RejectionReason::PriceChanged
        | RejectionReason::MixedCurrencies
        | RejectionReason::PaymentDeclined
        | RejectionReason::PaymentUnavailable
        | RejectionReason::Internal => OrderStatus::Rejected,
    }
}

/// Why an order was left to a person.
#[derive(Serialize)]
struct Parked<'a> {
    at: Timestamp,
    state: &'a str,
    error: &'a str,
}

/// Sends the write that a decision is.
async fn decide(call: UpdateItemFluentBuilder) -> Result<Decided, DecisionError> {
    match update(call.return_values(ReturnValue::AllNew)).await? {
        // It is decided, whether or not what stands there now can be read.
        Written::Done(order) => Ok(Decided::Now(parse(order).ok().map(Box::new))),
        Written::Refused(earlier) if earlier.is_empty() => Err(DecisionError::Unknown),
        Written::Refused(earlier) => Ok(Decided::Before(Box::new(parse(earlier)?))),
    }
}

fn key(id: OrderId) -> String {
    format!("ORDER#{id}")
}

/// The partition of an open order in its index.
fn shard(id: OrderId) -> String {
    id.to_string().chars().take(1).collect()
}

/// The index's range key: times of one width sort as text, the id keeps two orders of one moment apart.
fn placed(at: Timestamp, id: OrderId) -> String {
    format!("{at}#{id}")
}

fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}
