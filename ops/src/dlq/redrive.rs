//! `ops dlq redrive`: has what was given up tried again.

use std::{process::ExitCode, time::Duration};

use oxcart_domain::Timestamp;
use oxcart_operating::{
    Cloud, Outcome,
    queues::{Holds, Queue, Walk},
    redrive::Done,
};
use tokio::time::sleep;

use super::{Filter, tell_done};
use crate::console::{Console, line};

/// How often, and how many times, SQS is asked how far it is.
const INTERVAL: Duration = Duration::from_secs(1);
const ASKED: u32 = 60;

pub(super) async fn run(
    cloud: &Cloud,
    console: Console,
    queue: &Queue,
    filter: &Filter,
    dry_run: bool,
    now: Timestamp,
) -> Outcome<ExitCode> {
    if let Holds::DeadLetters { source } = &queue.holds
        && filter.is_empty()
        && !dry_run
        && cloud.move_all(queue, source).await?
    {
        return watch(cloud, console, queue).await;
    }
    let done = one_by_one(cloud, queue, filter, dry_run, now).await?;
    console.report(&done, |console, done| {
        tell_done(console, done);
        if done.is_empty() {
            line(&format!(
                "{} has no such message that can be had now.",
                queue.name
            ));
        }
    })?;
    let left = done.iter().any(|done| !done.gone);
    Ok(if left && !dry_run {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Waits until SQS has moved the messages, or for a minute: it goes on by itself.
async fn watch(cloud: &Cloud, console: Console, queue: &Queue) -> Outcome<ExitCode> {
    for _ in 0..ASKED {
        let Some((status, moved)) = cloud.last_move(queue).await? else {
            break;
        };
        if status != "RUNNING" {
            let report = serde_json::json!({"status": status, "moved": moved});
            console.report(&report, |_, _| {
                line(&format!(
                    "{status}: about {moved} messages were moved back."
                ));
            })?;
            return Ok(if status == "COMPLETED" {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            });
        }
        sleep(INTERVAL).await;
    }
    let report = serde_json::json!({"status": "RUNNING"});
    console.report(&report, |_, _| {
        line("SQS is moving the messages; `ops dlq list` tells how far it is.");
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Goes through the queue once.
async fn one_by_one(
    cloud: &Cloud,
    queue: &Queue,
    filter: &Filter,
    dry_run: bool,
    now: Timestamp,
) -> Outcome<Vec<Done>> {
    let (mut done, mut kept, mut walk) = (Vec::new(), Vec::new(), Walk::default());
    let all = async {
        loop {
            let some = cloud.hold_some(queue, usize::MAX, &mut walk).await?;
            if some.is_empty() {
                return Ok(());
            }
            for message in some {
                if filter.passes(&message, now) {
                    let one = cloud.redrive(queue, &message, dry_run).await;
                    let gone = one.gone;
                    done.push(one);
                    if gone {
                        continue;
                    }
                }
                kept.push(message);
            }
        }
    };
    let result: Outcome = all.await;
    cloud.put_back(queue, &kept).await;
    result.map(|()| done)
}
