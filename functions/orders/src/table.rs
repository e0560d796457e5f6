//! The orders' table: its keys, attributes and conditions.
//!
//! | item | `pk` |
//! |---|---|
//! | order | `ORDER#<order id>`, listed per customer in the index `orders-by-customer` |

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use oxcart_domain::{
    CustomerId, Event, Money, OrderId, RequestHash, Timestamp,
    order::{
        OrderLines, OrderPaymentStatus, OrderStatus, PlacedOrder, PricedLine, RejectionReason,
        TimelineEntry,
    },
    payment::PaymentMethod,
    saga::{AbandonOrder, ConfirmOrder, RejectOrder},
};
use oxcart_lambda::TaskError;
use oxcart_table::{Item, KEY, Table, TableError, Written, item, parse, put, update, value};
use serde::{Deserialize, Serialize};

const BY_CUSTOMER: &str = "orders-by-customer";

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
    pub payment_status: OrderPaymentStatus,
    pub request_hash: RequestHash,
    pub timeline: Vec<TimelineEntry>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Serialize)]
struct NewOrder<'a> {
    pk: String,
    id: OrderId,
    customer_id: CustomerId,
    placed: String,
    status: OrderStatus,
    lines: &'a OrderLines,
    payment_method: &'a PaymentMethod,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_total: Option<Money>,
    payment_status: OrderPaymentStatus,
    request_hash: &'a RequestHash,
    timeline: [TimelineEntry; 1],
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
    /// Now.
    Now,
    /// Before; the order as it stands.
    Before(Box<StoredOrder>),
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
            status: OrderStatus::Pending,
            lines: &order.request.lines,
            payment_method: &order.request.payment_method,
            expected_total: order.request.expected_total,
            payment_status: OrderPaymentStatus::Pending,
            request_hash: &order.request_hash,
            timeline: [TimelineEntry::from(&event)],
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

    /// Up to `limit` orders of the customer, newest first, from after `after`, and whether more follow.
    ///
    /// The index holds keys only, so that settling an order doesn't write to it; the orders are read
    /// from the table itself as they stand now.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn list(
        &self,
        customer: CustomerId,
        limit: u32,
        after: Option<&StoredOrder>,
    ) -> Result<(Vec<StoredOrder>, bool), TableError> {
        let page = self
            .table
            .client()
            .query()
            .table_name(self.table.name())
            .index_name(BY_CUSTOMER)
            .key_condition_expression("customer_id = :customer")
            .expression_attribute_values(":customer", text(customer.to_string()))
            .scan_index_forward(false)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .set_exclusive_start_key(after.map(index_key))
            .send()
            .await
            .map_err(TableError::unavailable)?;
        let more = page.last_evaluated_key.is_some();
        let keys = page
            .items()
            .iter()
            .filter_map(|item| item.get(KEY)?.as_s().ok().cloned());

        let orders = self.table.get_all(keys).await?;
        let mut orders = orders
            .into_iter()
            .map(parse::<StoredOrder>)
            .collect::<Result<Vec<_>, _>>()?;
        orders.sort_by_key(|order| std::cmp::Reverse(placed(order.created_at, order.id)));
        Ok((orders, more))
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
                 #timeline = list_append(#timeline, :timeline), updated_at = :now, outbox = :event",
            )
            .condition_expression("#status = :pending AND attribute_not_exists(reason)")
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
        decided(update(call).await?)
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
        decided(update(call).await?)
    }

    /// Rejects an order.
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
        // Protects: an order ends one way only, and only an abandoned one is rejected: since then it
        // could not be confirmed, so what was undone stays undone.
        let call = self
            .table
            .update_item(key(order.order_id))
            .update_expression(
                "SET #status = :rejected, payment_status = :payment, priced_lines = :lines, #total = :total, \
                 #timeline = list_append(#timeline, :timeline), updated_at = :now, outbox = :event",
            )
            .condition_expression("#status = :pending AND attribute_exists(reason)")
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#total", "total")
            .expression_attribute_names("#timeline", "timeline")
            .expression_attribute_values(":pending", text(OrderStatus::Pending.as_str()))
            .expression_attribute_values(":rejected", text(OrderStatus::Rejected.as_str()))
            .expression_attribute_values(":payment", value(OrderPaymentStatus::from(order.payment_status))?)
            .expression_attribute_values(":lines", value(&order.lines)?)
            .expression_attribute_values(":total", value(order.total)?)
            .expression_attribute_values(":timeline", value(timeline)?)
            .expression_attribute_values(":now", value(event.time)?)
            .expression_attribute_values(":event", oxcart_outbox::attribute(event).map_err(TableError::from)?);
        decided(update(call).await?)
    }
}

fn decided(written: Written) -> Result<Decided, DecisionError> {
    match written {
        Written::Done(_) => Ok(Decided::Now),
        Written::Refused(earlier) if earlier.is_empty() => Err(DecisionError::Unknown),
        Written::Refused(earlier) => Ok(Decided::Before(Box::new(parse(earlier)?))),
    }
}

fn key(id: OrderId) -> String {
    format!("ORDER#{id}")
}

/// The index's range key: times of one width sort as text, the id keeps two orders of one moment apart.
fn placed(at: Timestamp, id: OrderId) -> String {
    format!("{at}#{id}")
}

fn index_key(order: &StoredOrder) -> Item {
    HashMap::from([
        (KEY.to_owned(), text(key(order.id))),
        (
            "customer_id".to_owned(),
            text(order.customer_id.to_string()),
        ),
        (
            "placed".to_owned(),
            text(placed(order.created_at, order.id)),
        ),
    ])
}

fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}
