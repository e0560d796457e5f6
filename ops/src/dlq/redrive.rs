//! `ops dlq redrive`: has what was given up tried again, each kind in its own way. A message is deleted only once
//! what it stands for is done, so that what dies in between is done again.

use std::{collections::HashSet, process::ExitCode, time::Duration};

use oxcart_domain::Timestamp;
use tokio::time::sleep;

use super::{Done, Filter, tell_done};
use crate::{
    cloud::Cloud,
    console::{Console, line},
    failure::Outcome,
    message::Held,
    queues::{Holds, Message, Queue},
    resume::Resumption,
};

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
    let (mut done, mut kept, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
    let walk = async {
        loop {
            let some = cloud.hold_some(queue, usize::MAX, &mut seen).await?;
            if some.is_empty() {
                return Ok(());
            }
            for message in some {
                if filter.passes(&message, now) {
                    let one = redrive(cloud, queue, &message, dry_run).await;
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
    let result: Outcome = walk.await;
    cloud.put_back(queue, &kept).await;
    result.map(|()| done)
}

/// Redrives one message. Whatever fails leaves it where it is, and the others go on.
async fn redrive(cloud: &Cloud, queue: &Queue, message: &Message, dry_run: bool) -> Done {
    let tried = match &queue.holds {
        Holds::DeadLetters { source } => send_back(cloud, message, source, dry_run).await,
        Holds::ParkedOrders => resume(cloud, message, dry_run).await,
        Holds::ParkedEvents => cloud.republish(message, dry_run).await,
    };
    let (succeeded, what) = tried.unwrap_or_else(|failure| (false, failure.to_string()));
    if !succeeded || dry_run {
        return Done::to(message, false, what);
    }
    match cloud.delete(queue, message).await {
        Ok(()) => Done::to(message, true, what),
        Err(failure) => Done::to(message, false, format!("{what}, but {failure}")),
    }
}

async fn send_back(
    cloud: &Cloud,
    message: &Message,
    source: &str,
    dry_run: bool,
) -> Outcome<(bool, String)> {
    let name = source.rsplit('/').next().unwrap_or(source);
    if dry_run {
        return Ok((true, format!("would go back to {name}")));
    }
    cloud.send_on(message, source).await?;
    Ok((true, format!("went back to {name}")))
}

async fn resume(cloud: &Cloud, message: &Message, dry_run: bool) -> Outcome<(bool, String)> {
    let Held::Order(order) = message.says().holds else {
        return Ok((false, "names no order, and was left".to_owned()));
    };
    if dry_run {
        return Ok((true, "would be resumed".to_owned()));
    }
    Ok(match cloud.resume(order).await? {
        Resumption::Restarted => (true, "resumed".to_owned()),
        Resumption::Running => (true, "its saga is under way already".to_owned()),
        Resumption::NotOpen => match cloud.order(order).await? {
            Some(order) if order.is_open() => {
                (false, "it is open but never due, and was left".to_owned())
            }
            _ => (true, "it has ended already".to_owned()),
        },
        // Whoever it is may do something else with it.
        Resumption::LeftToOthers => (
            false,
            "somebody else is at the order, and it was left".to_owned(),
        ),
    })
}
