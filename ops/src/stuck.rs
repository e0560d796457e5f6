//! `ops stuck`: the orders that are open, the oldest first, and where their sagas are.

use oxcart_operating::{
    Cloud, Outcome, moment,
    stuck::{Open, Report, State},
};

use crate::console::{Cell, Console, Side, Table, Tone, line};

/// Lists the orders that are open, the oldest `limit` of them.
pub(crate) async fn run(cloud: &Cloud, console: Console, limit: usize) -> Outcome {
    let report = cloud.open_orders(limit, moment::now()?).await?;
    console.report(&report, tell)
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
            saga_of(order, report.runs_forgotten).into(),
        ]);
    }
    console.table(&table);
    let more = report.open.saturating_sub(report.orders.len());
    if more > 0 {
        line(&format!("  and {more} younger ones; --limit shows more"));
    }
}

fn saga_of(order: &Open, runs_forgotten: bool) -> String {
    let Some(saga) = &order.saga else {
        return match (runs_forgotten, order.waits_for_customer) {
            (false, _) => "none has begun",
            (true, false) => "Express, leaves no history",
            (true, true) => "Express, waits for its customer",
        }
        .to_owned();
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
