//! `ops order`: what happened to one order, across the services.

use oxcart_domain::{OrderId, order::OrderStatus};
use oxcart_operating::{
    Cloud, Failure, Outcome,
    items::{Order, Payment, Reservation},
    moment,
    money::{amount, money},
    order::{AtGateway, Known},
    sagas::Run,
    story::Weight,
};
use serde::Serialize;

use crate::console::{Cell, Console, Side, Table, Tone, line};

/// What is told: all that the shop knows, and what the payment gateway says.
#[derive(Debug, Serialize)]
struct Report {
    #[serde(flatten)]
    known: Known,
    gateway: AtGateway,
}

/// Tells what happened to an order.
pub(crate) async fn run(cloud: &Cloud, console: Console, id: OrderId) -> Outcome {
    let known = Box::pin(cloud.known_of(id)).await?;
    let known = known.ok_or_else(|| Failure::new(format!("There is no order {id}.")))?;
    let gateway = cloud.at_gateway(known.payment.as_ref()).await;
    console.report(&Report { known, gateway }, tell)
}

fn tell(console: Console, report: &Report) {
    let (tone, status) = match &report.known.order {
        None => (Tone::Bad, "is not in the orders table".to_owned()),
        Some(order) => (tone_of(order), status_of(order)),
    };
    line(&format!(
        "{} {}",
        console.paint(Tone::Strong, &format!("Order {}", report.known.id)),
        console.paint(tone, &status)
    ));
    let mut facts = Table::new(&[("", Side::Left), ("", Side::Left)]);
    for (name, fact) in facts_of(report) {
        facts.row([Cell::toned(Tone::Quiet, name), fact]);
    }
    console.table(&facts);

    line("");
    let mut table = Table::new(&[
        ("since", Side::Right),
        ("UTC", Side::Left),
        ("where", Side::Left),
        ("what", Side::Left),
    ]);
    let [start, end] = [report.known.story.first(), report.known.story.last()]
        .map(|entry| entry.map(|entry| entry.at));
    let dated = start
        .zip(end)
        .is_some_and(|(start, end)| !moment::is_one_day(start, end));
    for entry in &report.known.story {
        let since = moment::since(start.unwrap_or(entry.at), entry.at);
        table.row([
            since.into(),
            Cell::toned(Tone::Quiet, moment::time_of_day(entry.at, dated)),
            Cell::toned(Tone::Quiet, entry.place.as_str()),
            Cell::toned(tone_of_weight(entry.weight), entry.what.as_str()),
        ]);
    }
    console.table(&table);
}

fn facts_of(report: &Report) -> Vec<(&'static str, Cell)> {
    let mut facts: Vec<(&'static str, Cell)> = Vec::new();
    if let Some(order) = &report.known.order {
        facts.push(("customer", order.customer_id.to_string().into()));
        facts.push(("placed", order.created_at.to_string().into()));
        facts.push(("lines", lines_of(order).into()));
        if let Some(total) = order.total {
            facts.push(("total", money(total).into()));
        }
        if let Some(parked) = &order.parked
            && order.needs_attention
        {
            let why = format!("{} kept failing with {}", parked.state, parked.error);
            facts.push(("parked", Cell::toned(Tone::Bad, why)));
        }
        if order.action_requested {
            facts.push(("waits for", Cell::toned(Tone::Odd, "its customer to act")));
        }
        if let Some(due) = order.due_at {
            let resumed = match order.resumes {
                0 => String::new(),
                _ => format!(", run again {} so far", times(order.resumes)),
            };
            facts.push(("due", format!("{due}{resumed}").into()));
        } else if order.resumes > 0 {
            facts.push(("run again", times(order.resumes).into()));
        }
    }
    facts.push(("stock", stock_of(report.known.reservation.as_ref()).into()));
    facts.push(("payment", payment_of(report.known.payment.as_ref()).into()));
    for refund in report
        .known
        .payment
        .iter()
        .flat_map(|payment| payment.refunds.values())
    {
        let refund = format!(
            "{}, {}: {}",
            money(refund.amount),
            refund.stands(),
            refund.reason
        );
        facts.push(("refund", refund.into()));
    }
    if let Some(fact) = gateway_of(&report.gateway) {
        facts.push(("gateway", fact));
    }
    for run in &report.known.runs {
        facts.push(("saga", saga_of(run)));
    }
    if report.known.runs_forgotten {
        let where_to =
            "Express: its runs leave no history; the log groups of the sagas tell what failed";
        facts.push(("saga", Cell::toned(Tone::Quiet, where_to)));
    }
    if let Some(trace) = report.known.order.as_ref().and_then(Order::trace) {
        facts.push(("trace", trace.into()));
    }
    facts
}

fn times(count: u32) -> String {
    match count {
        1 => "once".to_owned(),
        _ => format!("{count} times"),
    }
}

fn status_of(order: &Order) -> String {
    let attention = if order.needs_attention {
        ", needs attention"
    } else {
        ""
    };
    match order.reason {
        None => format!("{}{attention}", order.status.as_str()),
        Some(reason) => format!("{}: {}{attention}", order.status.as_str(), reason.as_str()),
    }
}

fn tone_of(order: &Order) -> Tone {
    match order.status {
        _ if order.needs_attention => Tone::Bad,
        OrderStatus::Confirmed => Tone::Good,
        OrderStatus::Pending | OrderStatus::Cancelling => Tone::Odd,
        OrderStatus::Rejected | OrderStatus::Cancelled => Tone::Strong,
    }
}

const fn tone_of_weight(weight: Weight) -> Tone {
    match weight {
        Weight::Event => Tone::Strong,
        Weight::Step => Tone::Plain,
        Weight::Failure => Tone::Odd,
        Weight::Trouble => Tone::Bad,
    }
}

fn lines_of(order: &Order) -> String {
    let priced = order.priced_lines.iter().flatten().map(|line| {
        let (quantity, price) = (line.quantity.get(), money(line.unit_price));
        format!("{quantity} × {} at {price}", line.sku)
    });
    let priced: Vec<String> = priced.collect();
    if !priced.is_empty() {
        return priced.join(", ");
    }
    let lines = order.lines.iter();
    let lines = lines.map(|line| format!("{} × {}", line.quantity.get(), line.sku));
    lines.collect::<Vec<_>>().join(", ")
}

fn stock_of(reservation: Option<&Reservation>) -> String {
    match reservation {
        None => "nothing was reserved yet".to_owned(),
        Some(reservation) if reservation.lines.is_none() => {
            "RELEASED before anything was reserved".to_owned()
        }
        Some(reservation) => reservation.status.as_str().to_owned(),
    }
}

fn payment_of(payment: Option<&Payment>) -> String {
    let Some(payment) = payment else {
        return "nothing was charged yet".to_owned();
    };
    let total = payment
        .amount
        .map_or_else(|| "before anything was charged".to_owned(), money);
    let mut parts = vec![payment.status.as_str().to_owned(), total];
    parts.extend(payment.decline_code.clone());
    parts.extend(payment.intent_id.clone());
    parts.join(", ")
}

fn gateway_of(gateway: &AtGateway) -> Option<Cell> {
    match gateway {
        AtGateway::NotNeeded => None,
        AtGateway::Not { why } => Some(Cell::toned(Tone::Odd, format!("not asked: {why}"))),
        AtGateway::Yes { intent: None, .. } => Some(Cell::toned(Tone::Bad, "has no such intent")),
        AtGateway::Yes {
            intent: Some(intent),
            refunds,
        } => {
            let currency = intent.currency.to_uppercase();
            let back = refunds.iter().filter(|refund| refund.counts());
            let back: i64 = back.map(|refund| refund.amount).sum();
            let declined = intent.declined_for();
            let declined =
                declined.map_or_else(String::new, |code| format!(", declined for {code}"));
            let [taken, back] = [intent.charged(), back].map(|sum| amount(sum, &currency));
            let status = &intent.status;
            Some(format!("{status}{declined}, {taken} taken, {back} given back").into())
        }
    }
}

fn saga_of(run: &Run) -> Cell {
    let took = run
        .ended
        .map(|ended| moment::short(moment::between(run.started, ended)));
    let took = took.map_or_else(String::new, |took| format!(" after {took}"));
    let last = run.visits.last().map(|visit| visit.state.as_str());
    let last = last.map_or_else(String::new, |state| format!(", last in {state}"));
    let error = run.error.as_deref();
    let error = error.map_or_else(String::new, |error| format!(", {error}"));
    let text = format!(
        "{} {}: {}{took}{error}{last}",
        run.saga.as_str(),
        run.name,
        run.status
    );
    let tone = match run.status.as_str() {
        "SUCCEEDED" => Tone::Plain,
        "RUNNING" => Tone::Odd,
        _ => Tone::Bad,
    };
    Cell::toned(tone, text)
}
