//! Schedule, and operator's call: runs the sagas of orders again that are open for too long.
//!
//! Every step of a saga may be repeated and every undo is final, so running it again is always safe.
//! There is no second way of recovery.

use futures::future::join_all;
use oxcart_domain::{
    OrderId, Timestamp,
    saga::{CancellationSaga, OrderSaga},
};
use oxcart_lambda::{TaskError, clock};
use oxcart_table::TableError;
use oxcart_telemetry::{Chain, Unit, count, metric};
use serde::{Deserialize, Serialize};

use crate::{
    sagas::{SagaError, Sagas},
    table::{LookedAfterBy, OPEN_SHARDS, Orders, StoredOrder},
};

/// How many orders of a shard one call looks after; the next call comes in a minute.
const LIMIT: i32 = 50;

/// What resuming takes.
#[derive(Debug)]
pub struct Recovery {
    /// The orders.
    pub orders: Orders,
    /// Their sagas.
    pub sagas: Sagas,
}

/// Which orders to look after. A schedule's event names none.
#[derive(Debug, Deserialize)]
pub struct Resume {
    /// This one, due or not or never, parked or not. Else all that are due.
    #[serde(default)]
    order_id: Option<OrderId>,
}

/// What was done.
#[derive(Debug, Default, Serialize)]
pub struct Resumed {
    /// The orders whose saga runs again.
    resumed: Vec<OrderId>,
    /// The orders whose saga is still under way, and was left alone.
    running: Vec<OrderId>,
}

/// Why an order was not looked after.
#[derive(Debug, thiserror::Error)]
pub enum ResumeError {
    /// There is no such order, or it has ended.
    #[error("there is no such order that is open")]
    NotOpen,
    /// The table failed.
    #[error(transparent)]
    Table(#[from] TableError),
    /// Step Functions failed.
    #[error(transparent)]
    Saga(#[from] SagaError),
}

impl TaskError for ResumeError {
    fn error_type(&self) -> &'static str {
        match self {
            Self::NotOpen => "OrderNotOpen",
            Self::Table(error) => error.error_type(),
            Self::Saga(_) => "Throttled",
        }
    }

    fn is_answer(&self) -> bool {
        match self {
            Self::NotOpen => true,
            Self::Table(_) | Self::Saga(_) => false,
        }
    }
}

/// Looks after one order, or all that are due.
///
/// # Errors
/// See [`ResumeError`]. Of many orders, one that fails is left to the next call; the others go on.
pub async fn handle(recovery: &Recovery, resume: Resume) -> Result<Resumed, ResumeError> {
    let now = clock::now();
    let mut done = Resumed::default();
    if let Some(id) = resume.order_id {
        let order = recovery.orders.order(id).await?;
        let order = order
            .filter(StoredOrder::is_open)
            .ok_or(ResumeError::NotOpen)?;
        let by = LookedAfterBy::Operator;
        recovery.look_after(&order, by, &mut done, now).await?;
        return Ok(done);
    }
    // Each shard of the index is asked for at once, and each order looked after by itself.
    let found = join_all(shards(now).map(|shard| recovery.orders.due(shard, LIMIT, now))).await;
    let (mut due, mut failed) = (Vec::new(), None);
    for shard in found {
        match shard {
            Ok(orders) => due.extend(orders),
            Err(error) => failed = Some(error),
        }
    }
    // Who waits for a customer is not stuck, and ends by being run again.
    let stuck = due.iter().filter(|order| !order.waits_for_customer());
    let stuck = u64::try_from(stuck.count()).unwrap_or(u64::MAX);
    // Said first, since there may be more of them than there is time for. Who could not look at all of them
    // doesn't know that there is none.
    if failed.is_none() || stuck > 0 {
        metric("OrdersStuck", Unit::Count, stuck).record();
    }
    for order in due {
        let by = LookedAfterBy::Schedule;
        if let Err(error) = recovery.look_after(&order, by, &mut done, now).await {
            tracing::warn!(order_id = %order.id, error = %Chain(&error), "not resumed");
        }
    }
    match failed {
        None => Ok(done),
        Some(error) => Err(error.into()),
    }
}

/// All shards, each minute from another one on: none is always the last that there is time for.
fn shards(now: Timestamp) -> impl Iterator<Item = char> {
    let minute = usize::try_from(now.unix_seconds() / 60).unwrap_or_default();
    let first = minute % OPEN_SHARDS.len();
    let shards = OPEN_SHARDS.chars().chain(OPEN_SHARDS.chars());
    shards.skip(first).take(OPEN_SHARDS.len())
}

impl Recovery {
    /// Runs the saga of an order again whose payment is settled now, if the order waits for that. Most don't:
    /// their saga has settled it itself, and goes on.
    ///
    /// # Errors
    /// See [`ResumeError`].
    pub async fn customer_has_acted(&self, id: OrderId) -> Result<(), ResumeError> {
        let order = self.orders.order(id).await?;
        let Some(order) = order.filter(StoredOrder::waits_for_customer) else {
            return Ok(());
        };
        let (by, now) = (LookedAfterBy::Schedule, clock::now());
        // Whoever looks after it at this moment does so after the payment was settled, which suffices.
        self.look_after(&order, by, &mut Resumed::default(), now)
            .await
    }

    /// Runs an order's saga again, unless it is under way.
    async fn look_after(
        &self,
        order: &StoredOrder,
        by: LookedAfterBy,
        done: &mut Resumed,
        now: Timestamp,
    ) -> Result<(), ResumeError> {
        let running = self.sagas.is_running(order.id, order.resumes).await?;
        // Killed from here on, the order is due again in some minutes.
        if !self.orders.look_after(order, !running, by, now).await? {
            return Ok(());
        }
        if running {
            done.running.push(order.id);
            return Ok(());
        }
        self.run_again(order).await?;
        tracing::info!(order_id = %order.id, run = order.resumes + 1, "resumed");
        count("OrdersResumed").record();
        done.resumed.push(order.id);
        Ok(())
    }

    /// An order of which it is decided that it is not sold is only undone: nobody is charged for it first.
    async fn run_again(&self, order: &StoredOrder) -> Result<(), SagaError> {
        let (order_id, customer_id) = (order.id, order.customer_id);
        let traceparent = order.outbox.traceparent.clone();
        let run = order.resumes.saturating_add(1);
        if let Some(reason) = order.reason {
            let saga = CancellationSaga {
                order_id,
                customer_id,
                reason,
                traceparent,
            };
            return self.sagas.undo(&saga, run).await;
        }
        let saga = OrderSaga {
            order_id,
            customer_id,
            lines: order.lines.clone(),
            payment_method: order.payment_method.clone(),
            expected_total: order.expected_total,
            traceparent,
        };
        self.sagas.sell(&saga, run).await
    }
}
