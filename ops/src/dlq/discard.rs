//! `ops dlq drop`: deletes messages, if somebody has looked at them and says so twice.

use std::process::ExitCode;

use oxcart_operating::{
    Cloud, Outcome,
    queues::{Message, Queue, Walk},
    redrive::Done,
};

use super::tell_done;
use crate::console::{Console, remark};

pub(super) async fn run(
    cloud: &Cloud,
    console: Console,
    queue: &Queue,
    ids: &[String],
    dry_run: bool,
    yes: bool,
) -> Outcome<ExitCode> {
    let (mut done, mut kept, mut walk) = (Vec::new(), Vec::new(), Walk::default());
    let result = async {
        while done.len() < ids.len() {
            let some = cloud.hold_some(queue, usize::MAX, &mut walk).await?;
            if some.is_empty() {
                break;
            }
            for message in some {
                if ids.contains(&message.id) {
                    done.push(discard(cloud, queue, &message, yes && !dry_run).await?);
                }
                kept.push(message);
            }
        }
        Ok(())
    };
    let result: Outcome = result.await;
    // Those that were deleted can't be put back, and nobody minds.
    cloud.put_back(queue, &kept).await;
    result?;

    let found: Vec<&str> = done.iter().map(|done| done.id.as_str()).collect();
    let missing: Vec<&String> = ids
        .iter()
        .filter(|id| !found.contains(&id.as_str()))
        .collect();
    for id in &missing {
        remark(&format!(
            "{} has no message {id} that can be had now.",
            queue.name
        ));
    }
    console.report(&done, |console, done| tell_done(console, done))?;
    if !yes && !dry_run {
        remark("Nothing was dropped. With --yes they are deleted for good.");
        return Ok(ExitCode::FAILURE);
    }
    Ok(if missing.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn discard(cloud: &Cloud, queue: &Queue, message: &Message, really: bool) -> Outcome<Done> {
    if !really {
        return Ok(Done::to(message, false, "would be dropped"));
    }
    cloud.delete(queue, message).await?;
    Ok(Done::to(message, true, "dropped"))
}
