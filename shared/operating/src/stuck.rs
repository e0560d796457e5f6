//! The orders that are open, the oldest first, and where their sagas are.

use std::collections::BTreeSet;

use futures::future::try_join_all;
use oxcart_domain::{
    OrderId, Timestamp,
    order::{OrderStatus, RejectionReason},
};
use serde::Serialize;

use crate::{
    cloud::Cloud,
    failure::{Failure, Outcome},
    items::Order,
    message::Held,
    moment,
    queues::{Holds, Message},
    sagas::Run,
};

/// How many messages about parked orders are looked at: more than anybody has the time for.
const PARKED: usize = 1000;

/// The orders that are open.
#[derive(Debug, Serialize)]
pub struct Report {
    /// How many.
    pub open: usize,
    /// How many of them should have been looked after by now.
    pub overdue: usize,
    /// How many of them were left to a person.
    pub parked: usize,
    /// Whether nobody knows where their sagas are: they are Express ones.
    pub runs_forgotten: bool,
    /// The oldest of them.
    pub orders: Vec<Open>,
    /// What is wrong with those that can't be read.
    pub unreadable: Vec<String>,
}

/// One of them.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are those of the order")]
pub struct Open {
    pub id: OrderId,
    pub status: OrderStatus,
    pub reason: Option<RejectionReason>,
    pub age_seconds: u64,
    pub created_at: Timestamp,
    pub due_at: Option<Timestamp>,
    pub state: State,
    pub resumes: u32,
    pub waits_for_customer: bool,
    pub saga: Option<AtSaga>,
}

/// Whether an open order is as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Its saga has time left.
    InTime,
    /// It should have been looked after by now.
    Overdue,
    /// It was left to a person.
    Parked,
}

/// Where the run of an order's sagas is that started last.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are those of the run")]
pub struct AtSaga {
    pub name: String,
    pub saga: &'static str,
    pub status: String,
    pub state: Option<String>,
    pub failures: usize,
    pub last_error: Option<String>,
}

impl Cloud {
    /// The orders that are open, and more of the oldest `limit` of them.
    ///
    /// # Errors
    /// When the index, the queue of parked orders or Step Functions can't be read.
    pub async fn open_orders(&self, limit: usize, now: Timestamp) -> Outcome<Report> {
        let (open, parked) = futures::try_join!(self.open_ids(), parked_orders(self))?;
        let ids: BTreeSet<OrderId> = open.into_iter().chain(parked).collect();
        let ids: Vec<OrderId> = ids.into_iter().collect();
        let (mut orders, unreadable) = self.orders(&ids).await?;
        // The index may be behind, and a message stays until somebody deletes it.
        orders.retain(Order::is_open);
        orders.sort_by_key(|order| order.created_at);
        let count = |state| {
            let orders = orders.iter().filter(|order| state_of(order, now) == state);
            orders.count()
        };
        let (overdue, parked) = (count(State::Overdue), count(State::Parked));
        let shown = orders.iter().take(limit).map(async |order| {
            let run = self.last_run(order.id, order.resumes).await?;
            Ok::<_, Failure>(open_order(order, run.as_ref(), now))
        });
        Ok(Report {
            open: orders.len(),
            overdue,
            parked,
            runs_forgotten: self.forgets_runs(),
            orders: try_join_all(shown).await?,
            unreadable: unreadable.iter().map(ToString::to_string).collect(),
        })
    }
}

/// The orders that messages in the queue of parked orders speak of: they are in no index.
async fn parked_orders(cloud: &Cloud) -> Outcome<Vec<OrderId>> {
    let mut queues = cloud.queues()?;
    queues.retain(|queue| queue.holds == Holds::ParkedOrders);
    let mut ids = Vec::new();
    for queue in &queues {
        let messages = cloud.look(queue, PARKED).await?;
        ids.extend(messages.iter().filter_map(parked_order));
    }
    Ok(ids)
}

fn parked_order(message: &Message) -> Option<OrderId> {
    match message.says().holds {
        Held::Order(id) => Some(id),
        _ => None,
    }
}

fn open_order(order: &Order, run: Option<&Run>, now: Timestamp) -> Open {
    Open {
        id: order.id,
        status: order.status,
        reason: order.reason,
        age_seconds: moment::between(order.created_at, now).as_secs(),
        created_at: order.created_at,
        due_at: order.due_at,
        state: state_of(order, now),
        resumes: order.resumes,
        waits_for_customer: order.action_requested && order.reason.is_none(),
        saga: run.map(|run| {
            let visit = run.visits.last();
            let failures = visit.map_or(&[][..], |visit| &visit.failures);
            AtSaga {
                name: run.name.clone(),
                saga: run.saga.as_str(),
                status: run.status.clone(),
                state: visit.map(|visit| visit.state.clone()),
                failures: failures.len(),
                last_error: failures.last().map(|failed| failed.error.clone()),
            }
        }),
    }
}

fn state_of(order: &Order, now: Timestamp) -> State {
    if order.needs_attention {
        State::Parked
    } else if order.due_at.is_some_and(|due| due > now) {
        State::InTime
    } else {
        State::Overdue
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_open_order_is_in_time_overdue_or_parked() {
        let at = |text: &str| Timestamp::try_from(text.to_owned()).unwrap();
        let (due, now) = (
            at("2026-03-01T09:35:00.000Z"),
            at("2026-03-01T09:36:00.000Z"),
        );
        let id = "00000000-0000-0000-0000-000000000001";
        let order = |changed: serde_json::Value| -> Order {
            let mut order = json!({
                "id": id, "customer_id": id, "status": "PENDING", "lines": [], "payment_status": "PENDING",
                "timeline": [], "due_at": due, "created_at": due, "updated_at": due,
            });
            order
                .as_object_mut()
                .unwrap()
                .extend(changed.as_object().unwrap().clone());
            serde_json::from_value(order).unwrap()
        };
        for (changed, state) in [
            (json!({}), State::Overdue),
            (json!({"due_at": null}), State::Overdue),
            (json!({"due_at": "2026-03-01T09:36:01.000Z"}), State::InTime),
            (json!({"needs_attention": true}), State::Parked),
        ] {
            assert_eq!(state_of(&order(changed), now), state);
        }
    }
}
