//! `ops resume`: runs the saga of an order again that is open.

use std::process::ExitCode;

use oxcart_domain::OrderId;
use oxcart_operating::{Cloud, Outcome, resume::Resumption};
use serde::Serialize;

use crate::console::{Console, Tone, line};

#[derive(Serialize)]
struct Report {
    order: OrderId,
    outcome: Resumption,
}

/// Resumes one order.
pub(crate) async fn run(cloud: &Cloud, console: Console, order: OrderId) -> Outcome<ExitCode> {
    let outcome = cloud.resume(order).await?;
    console.report(&Report { order, outcome }, |console, report| {
        let tone = match report.outcome {
            Resumption::Restarted | Resumption::Running => Tone::Plain,
            Resumption::NotOpen | Resumption::LeftToOthers => Tone::Bad,
        };
        line(&console.paint(tone, report.outcome.says()));
    })?;
    Ok(match outcome {
        Resumption::Restarted | Resumption::Running => ExitCode::SUCCESS,
        Resumption::NotOpen | Resumption::LeftToOthers => ExitCode::FAILURE,
    })
}
