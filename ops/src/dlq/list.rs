//! `ops dlq list`: how much was given up, and since when.

use std::process::ExitCode;

use futures::future::try_join_all;
use oxcart_domain::Timestamp;
use oxcart_operating::{
    Cloud, Failure, Outcome, moment,
    queues::{Depth, Holds, Queue},
};
use serde::Serialize;

use crate::console::{Cell, Console, Side, Table, Tone};

/// How many messages of a queue are looked at for the oldest one.
const LOOK: usize = 200;

#[derive(Debug, Serialize)]
struct Listed {
    #[serde(flatten)]
    queue: Queue,
    #[serde(flatten)]
    depth: Depth,
    /// When the oldest message was sent of those that were looked at.
    oldest: Option<Timestamp>,
    oldest_age_seconds: Option<u64>,
}

pub(super) async fn run(cloud: &Cloud, console: Console, now: Timestamp) -> Outcome<ExitCode> {
    let queues = cloud.queues()?;
    let listed = queues.into_iter().map(async |queue| {
        let depth = cloud.depth(&queue).await?;
        let messages = match depth.messages {
            0 => Vec::new(),
            _ => cloud.look(&queue, LOOK).await?,
        };
        let oldest = messages.iter().filter_map(|message| message.sent_at).min();
        Ok::<_, Failure>(Listed {
            queue,
            depth,
            oldest,
            oldest_age_seconds: oldest.map(|sent| moment::between(sent, now).as_secs()),
        })
    });
    let listed = try_join_all(listed).await?;
    console.report(&listed, |console, listed| tell(console, listed, now))?;
    Ok(ExitCode::SUCCESS)
}

fn tell(console: Console, listed: &[Listed], now: Timestamp) {
    let mut table = Table::new(&[
        ("queue", Side::Left),
        ("messages", Side::Right),
        ("in hand", Side::Right),
        ("oldest", Side::Right),
        ("holds", Side::Left),
    ]);
    for Listed {
        queue,
        depth,
        oldest,
        ..
    } in listed
    {
        let tone = if depth.messages == 0 {
            Tone::Good
        } else {
            Tone::Bad
        };
        let oldest = oldest.map(|sent| moment::age(moment::between(sent, now)));
        let holds = match &queue.holds {
            Holds::DeadLetters { .. } => "messages that their consumer could not handle",
            Holds::ParkedOrders => "orders whose saga gave up",
            Holds::ParkedEvents => "events that could not be published",
        };
        table.row([
            queue.name.as_str().into(),
            Cell::toned(tone, depth.messages.to_string()),
            depth.in_flight.to_string().into(),
            oldest.unwrap_or_default().into(),
            Cell::toned(Tone::Quiet, holds),
        ]);
    }
    console.table(&table);
}
