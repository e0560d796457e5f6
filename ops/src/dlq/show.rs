//! `ops dlq show`: what the messages of a queue say. They stay where they are.

use std::process::ExitCode;

use oxcart_domain::Timestamp;
use oxcart_operating::{
    Cloud, Outcome,
    message::Says,
    moment,
    queues::{Message, Queue},
};
use serde::Serialize;

use crate::console::{Cell, Console, Side, Table, Tone, line};

#[derive(Debug, Serialize)]
struct Shown {
    id: String,
    sent_at: Option<Timestamp>,
    age_seconds: Option<u64>,
    receives: u32,
    #[serde(flatten)]
    says: Says,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
}

impl Shown {
    fn of(message: Message, body: bool, now: Timestamp) -> Self {
        let age = message.sent_at.map(|sent| moment::between(sent, now));
        Self {
            says: message.says(),
            id: message.id,
            sent_at: message.sent_at,
            age_seconds: age.map(|age| age.as_secs()),
            receives: message.receives,
            body: body.then_some(message.body),
        }
    }
}

pub(super) async fn run(
    cloud: &Cloud,
    console: Console,
    queue: &Queue,
    limit: usize,
    body: bool,
    now: Timestamp,
) -> Outcome<ExitCode> {
    let messages = cloud.look(queue, limit).await?;
    let messages = messages.into_iter();
    let shown: Vec<Shown> = messages
        .map(|message| Shown::of(message, body, now))
        .collect();
    console.report(&shown, |console, shown| tell(console, queue, shown, now))?;
    Ok(ExitCode::SUCCESS)
}

fn tell(console: Console, queue: &Queue, shown: &[Shown], now: Timestamp) {
    if shown.is_empty() {
        line(&format!(
            "{} has no message that can be had now.",
            queue.name
        ));
        return;
    }
    let mut table = Table::new(&[
        ("message", Side::Left),
        ("age", Side::Right),
        ("handed out", Side::Right),
        ("type", Side::Left),
        ("about", Side::Left),
        ("cause", Side::Left),
    ]);
    for message in shown {
        let age = message.sent_at.map(|sent| moment::between(sent, now));
        table.row([
            message.id.as_str().into(),
            age.map(moment::age).unwrap_or_default().into(),
            message.receives.to_string().into(),
            message.says.kind.as_str().into(),
            message.says.about.as_str().into(),
            Cell::toned(Tone::Odd, message.says.cause.as_str()),
        ]);
    }
    console.table(&table);
    for message in shown {
        if let Some(body) = &message.body {
            line(&format!(
                "\n{}\n{body}",
                console.paint(Tone::Quiet, &message.id)
            ));
        }
    }
}
