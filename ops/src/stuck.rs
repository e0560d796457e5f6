//! `ops stuck`: the orders that are open, the oldest first, and where their sagas are.

use std::collections::BTreeSet;

use futures::future::try_join_all;
use oxcart_domain::{
    OrderId, Timestamp,
    order::{OrderStatus, RejectionReason},
};
use serde::Serialize;

use crate::{
    cloud::Cloud,
    console::{Cell, Console, Side, Table, Tone, line},
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
struct Report {
    /// How many.
    open: usize,
    /// How many of them should have been looked after by now.
    overdue: usize,
    /// How many of them were left to a person.
    parked: usize,
    /// The oldest of them.
    orders: Vec<Open>,
    /// What is wrong with those that can't be read.
    unreadable: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Open {
    id: OrderId,
    status: OrderStatus,
    reason: Option<RejectionReason>,
    age_seconds: u64,
    created_at: Timestamp,
    due_at: Option<Timestamp>,
    state: State,
    resumes: u32,
    waits_for_customer: bool,
    saga: Option<AtSaga>,
}

/// Whether an open order is as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    /// Its saga has time left.
    InTime,
    /// It should have been looked after by now.
    Overdue,
    /// It was left to a person.
    Parked,
}

/// Where the run of an order's sagas is that started last.
#[derive(Debug, Serialize)]
struct AtSaga {
    name: String,
    saga: &'static str,
    status: String,
    state: Option<String>,
    failures: usize,
    last_error: Option<String>,
}

/// Lists the orders that are open, the oldest `limit` of them.
pub(crate) async fn run(cloud: &Cloud, console: Console, limit: usize) -> Outcome {
    let (open, parked) = futures::try_join!(cloud.open_orders(), parked_orders(cloud))?;
    let ids: BTreeSet<OrderId> = open.into_iter().chain(parked).collect();
    let ids: Vec<OrderId> = ids.into_iter().collect();
    let (mut orders, unreadable) = cloud.orders(&ids).await?;
    // The index may be behind, and a message stays until somebody deletes it.
    orders.retain(Order::is_open);
    orders.sort_by_key(|order| order.created_at);
    let now = moment::now().ok_or_else(|| Failure::new("This machine's clock is wrong."))?;
    let count = |state| {
        let orders = orders.iter().filter(|order| state_of(order, now) == state);
        orders.count()
    };
    let (overdue, parked) = (count(State::Overdue), count(State::Parked));
    let shown = orders.iter().take(limit).map(async |order| {
        let run = cloud.last_run(order.id, order.resumes).await?;
        Ok::<_, Failure>(open_order(order, run.as_ref(), now))
    });
    let report = Report {
        open: orders.len(),
        overdue,
        parked,
        orders: try_join_all(shown).await?,
        unreadable: unreadable.iter().map(ToString::to_string).collect(),
    };
    console.report(&report, tell)
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

fn tell(console: Console, report: &Report) {
    for why in &report.unreadable {
        line(&console.paint(Tone::Bad, why));
    }
    if report.open == 0 {
        line("No order is open.");
        return;
    }
    line(&format!(
        "{} open, {} overdue, {} parked.",
        report.open, report.overdue, report.parked
    ));
    let mut table = Table::new(&[
        ("order", Side::Left),
        ("age", Side::Right),
        ("status", Side::Left),
        ("due", Side::Left),
        ("resumes", Side::Right),
        ("saga", Side::Left),
    ]);
    for order in &report.orders {
        let (tone, state) = match order.state {
            State::InTime => (Tone::Plain, "in time"),
            State::Overdue => (Tone::Bad, "overdue"),
            State::Parked => (Tone::Bad, "parked"),
        };
        let due = order.due_at.map_or("?".to_owned(), |due| due.to_string());
        let age = std::time::Duration::from_secs(order.age_seconds);
        table.row([
            order.id.to_string().into(),
            moment::age(age).into(),
            Cell::toned(tone, format!("{}, {state}", order.status.as_str())),
            due.into(),
            order.resumes.to_string().into(),
            saga_of(order).into(),
        ]);
    }
    console.table(&table);
    let more = report.open.saturating_sub(report.orders.len());
    if more > 0 {
        line(&format!("  and {more} younger ones; --limit shows more"));
    }
}

fn saga_of(order: &Open) -> String {
    let Some(saga) = &order.saga else {
        return "none has begun".to_owned();
    };
    let state = saga.state.as_deref().unwrap_or("its first state");
    let mut parts = vec![format!("{} {} in {state}", saga.saga, saga.status)];
    if let Some(error) = &saga.last_error {
        parts.push(format!("failed {} times, last with {error}", saga.failures));
    }
    if order.waits_for_customer {
        parts.push("waits for its customer".to_owned());
    }
    parts.join(", ")
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
