//! `ops reconcile`: proves that the books agree, or says where they don't and what heals it.

use std::{collections::BTreeMap, process::ExitCode};

use clap::Args;
use oxcart_domain::{OrderId, Sku};
use oxcart_operating::{
    Cloud, Outcome,
    money::amount,
    reconcile::{self, Healed, Scope, Sums},
};
use serde::Serialize;

use crate::console::{Cell, Console, Side, Table, Tone, line};

/// Which part of the books, and what to do about it.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Only this order, without the stock. Can be given more than once.
    #[arg(long = "order")]
    orders: Vec<OrderId>,
    /// Only this product's stock, and the orders for it. Can be given more than once.
    #[arg(long = "sku", value_parser = parse_sku)]
    skus: Vec<Sku>,
    /// Leaves the payment gateway out.
    #[arg(long)]
    without_gateway: bool,
    /// Runs the sagas of open orders again that nothing else brings to an end. Nothing else is written.
    #[arg(long)]
    heal: bool,
}

/// What is told: what was found, and what was done about it.
#[derive(Debug, Serialize)]
struct Report {
    #[serde(flatten)]
    found: reconcile::Report,
    healed: Vec<Healed>,
}

/// Reconciles. Fails softly, by its exit code, if something disagrees.
pub(crate) async fn run(cloud: &Cloud, console: Console, options: &Options) -> Outcome<ExitCode> {
    let scope = Scope {
        orders: options.orders.iter().copied().collect(),
        skus: options.skus.iter().cloned().collect(),
    };
    let found = cloud.reconcile(&scope, options.without_gateway).await?;
    let healed = if options.heal {
        cloud.heal(&found.findings).await
    } else {
        Vec::new()
    };
    let report = Report { found, healed };
    console.report(&report, tell)?;
    Ok(if report.found.findings.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn tell(console: Console, report: &Report) {
    let read = &report.found.read;
    line(&format!(
        "Read {} orders, {} reservations, {} payments, {} products and {} intents at the gateway.",
        read.orders, read.reservations, read.payments, read.products, read.intents
    ));
    if let Some(why) = &report.found.gateway.why_not {
        let skipped = format!("The payment gateway was left out: {why}");
        line(&console.paint(Tone::Odd, &skipped));
    }
    if let Some(money) = report
        .found
        .money
        .as_ref()
        .filter(|money| !money.is_empty())
    {
        line("");
        tell_money(console, money);
    }
    for sku in &report.found.unproven {
        let says = format!("The stock of {sku} moved at every look; look again when less is sold.");
        line(&console.paint(Tone::Odd, &says));
    }
    line("");
    if report.found.findings.is_empty() {
        line(&console.paint(Tone::Good, "The books agree."));
    } else {
        let count = match report.found.findings.len() {
            1 => "1 disagreement:".to_owned(),
            count => format!("{count} disagreements:"),
        };
        line(&console.paint(Tone::Bad, &count));
    }
    for finding in &report.found.findings {
        let about = match (finding.order, &finding.sku) {
            (Some(order), _) => format!("order {order}"),
            (None, Some(sku)) => format!("product {sku}"),
            (None, None) => String::new(),
        };
        let kind = console.paint(Tone::Bad, finding.kind.as_str());
        line(&format!("  {kind}  {about}"));
        line(&format!("    {}", finding.says));
        let remedy = format!("    to heal it: {}", finding.remedy);
        line(&console.paint(Tone::Quiet, &remedy));
    }
    for healed in &report.healed {
        line(&format!("  order {}: {}", healed.order, healed.says));
    }
}

fn tell_money(console: Console, money: &BTreeMap<String, Sums>) {
    let mut table = Table::new(&[
        ("charged", Side::Right),
        ("refunded", Side::Right),
        ("kept of confirmed orders", Side::Right),
        ("in open orders", Side::Right),
        ("difference", Side::Right),
    ]);
    for (currency, sums) in money {
        let difference = sums.difference();
        let tone = if difference == 0 {
            Tone::Good
        } else {
            Tone::Bad
        };
        let told = |minor| Cell::from(amount(minor, currency));
        table.row([
            told(sums.charged),
            told(sums.refunded),
            told(sums.kept),
            told(sums.in_open_orders),
            Cell::toned(tone, amount(difference, currency)),
        ]);
    }
    console.table(&table);
}

fn parse_sku(text: &str) -> Result<Sku, String> {
    Sku::try_from(text.to_owned()).map_err(|error| error.to_string())
}
