//! `ops reconcile`: reads the tables and the payment gateway's books, checks that they tell the same story, and says
//! of what doesn't what heals it.
//!
//! The shop goes on while it is read, and no two books are of one moment. So what seems to disagree is looked at
//! again, and only what still does is told.

mod books;
mod checks;
mod figures;
mod finding;
mod reading;

use std::{
    collections::{BTreeMap, BTreeSet},
    process::ExitCode,
    time::Duration,
};

use clap::Args;
use futures::future::try_join_all;
use oxcart_domain::{OrderId, Sku, Timestamp};
use serde::Serialize;
use tokio::time::sleep;

use self::{
    books::{Books, GatewayBooks, Scope},
    checks::findings,
    figures::{Sums, sums},
    finding::{Finding, Kind},
};
use crate::{
    cloud::Cloud,
    console::{Cell, Console, Side, Table, Tone, line},
    failure::{Failure, Outcome},
    gateway::Gateway,
    moment,
    money::amount,
    resume::Resumption,
};

/// How often what seems to disagree is looked at again, and how long after the last time.
const LOOKS: u32 = 2;
const PAUSE: Duration = Duration::from_secs(1);
/// How many orders are read again at once.
const AT_ONCE: usize = 10;

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

/// What was found.
#[derive(Debug, Serialize)]
struct Report {
    read: Read,
    gateway: AtGateway,
    /// The money by currency, if the gateway was asked.
    money: Option<BTreeMap<String, Sums>>,
    findings: Vec<Finding>,
    /// Products whose stock moved at every look, so that nobody can tell.
    unproven: Vec<Sku>,
    healed: Vec<Healed>,
}

#[derive(Debug, Serialize)]
struct Read {
    orders: usize,
    reservations: usize,
    payments: usize,
    products: usize,
    intents: usize,
    refunded_intents: usize,
}

#[derive(Debug, Serialize)]
struct AtGateway {
    asked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    why_not: Option<String>,
}

#[derive(Debug, Serialize)]
struct Healed {
    order: OrderId,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Resumption>,
    says: String,
}

/// Reconciles. Fails softly, by its exit code, if something disagrees.
pub(crate) async fn run(cloud: &Cloud, console: Console, options: &Options) -> Outcome<ExitCode> {
    let scope = Scope {
        orders: options.orders.iter().copied().collect(),
        skus: options.skus.iter().cloned().collect(),
    };
    let (gateway, asked) = reach_gateway(cloud, options.without_gateway).await;
    let (gateway, asked, mut books) = match reading::read(cloud, &scope, gateway.as_ref()).await {
        Ok(books) => (gateway, asked, books),
        // The tables may do well where the gateway doesn't.
        Err(failure) if gateway.is_some() => {
            let books = reading::read(cloud, &scope, None).await?;
            (None, AtGateway::not(failure.to_string()), books)
        }
        Err(failure) => return Err(failure),
    };
    let first = findings(&books, &scope, now()?);
    let (found, unproven) = look_again(cloud, &scope, gateway.as_ref(), &mut books, first).await?;
    let healed = if options.heal {
        heal(cloud, &found).await
    } else {
        Vec::new()
    };
    let (intents, refunded_intents) = books.gateway.as_ref().map_or((0, 0), GatewayBooks::size);
    let report = Report {
        read: Read {
            orders: books.orders.len(),
            reservations: books.reservations.len(),
            payments: books.payments.len(),
            products: books.products.len(),
            intents,
            refunded_intents,
        },
        gateway: asked,
        money: sums(&books),
        findings: found,
        unproven,
        healed,
    };
    console.report(&report, tell)?;
    Ok(if report.findings.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn reach_gateway(cloud: &Cloud, leave_out: bool) -> (Option<Gateway>, AtGateway) {
    if leave_out {
        return (None, AtGateway::not("--without-gateway says so".to_owned()));
    }
    match cloud.gateway().await {
        Ok(gateway) => (
            Some(gateway),
            AtGateway {
                asked: true,
                why_not: None,
            },
        ),
        Err(failure) => (None, AtGateway::not(failure.to_string())),
    }
}

impl AtGateway {
    const fn not(why: String) -> Self {
        Self {
            asked: false,
            why_not: Some(why),
        }
    }
}

/// Looks again at what seems to disagree. Answers what still does, and the products of which nobody can tell.
async fn look_again(
    cloud: &Cloud,
    scope: &Scope,
    gateway: Option<&Gateway>,
    books: &mut Books,
    mut found: Vec<Finding>,
) -> Outcome<(Vec<Finding>, Vec<Sku>)> {
    let mut moved = BTreeSet::new();
    for _ in 0..LOOKS {
        if found.is_empty() {
            break;
        }
        sleep(PAUSE).await;
        let orders: BTreeSet<OrderId> = found.iter().filter_map(|finding| finding.order).collect();
        let orders: Vec<OrderId> = orders.into_iter().collect();
        for orders in orders.chunks(AT_ONCE) {
            let before: &Books = books;
            let again = orders.iter().map(async |id| {
                let newer = reading::read_again(cloud, *id, before, gateway).await?;
                Ok::<_, Failure>((*id, newer))
            });
            for (id, newer) in try_join_all(again).await? {
                books.replace_order(id, newer);
            }
        }
        if found.iter().any(|finding| finding.sku.is_some()) {
            let mut newer = reading::read_stock_again(cloud).await?;
            newer.restrict(scope);
            books.reservations = newer.reservations;
            books.products = newer.products;
            books.adjusted = newer.adjusted;
        }
        let mut still = findings(books, scope, now()?);
        still.retain(|finding| found.iter().any(|earlier| finding.is_still(earlier)));
        moved.extend(moving(&found, &still));
        found = still;
    }
    found.retain(|finding| !(finding.kind == Kind::StockDiffers && is_among(finding, &moved)));
    moved.retain(|sku| {
        !found
            .iter()
            .any(|finding| finding.sku.as_ref() == Some(sku))
    });
    Ok((found, moved.into_iter().collect()))
}

/// The products whose stock seems to be wrong, but by something else than before: it moved in between, and while
/// it was read.
fn moving(before: &[Finding], now: &[Finding]) -> Vec<Sku> {
    let differing = now
        .iter()
        .filter(|finding| finding.kind == Kind::StockDiffers);
    let moved = differing.filter(|finding| {
        let mut before = before.iter().filter(|earlier| finding.is_still(earlier));
        !before.any(|earlier| earlier.says == finding.says)
    });
    moved.filter_map(|finding| finding.sku.clone()).collect()
}

fn is_among(finding: &Finding, skus: &BTreeSet<Sku>) -> bool {
    finding.sku.as_ref().is_some_and(|sku| skus.contains(sku))
}

/// Runs the sagas again of those orders that this heals.
async fn heal(cloud: &Cloud, found: &[Finding]) -> Vec<Healed> {
    let healable = found
        .iter()
        .filter(|finding| finding.kind.is_healed_by_saga());
    let orders: BTreeSet<OrderId> = healable.filter_map(|finding| finding.order).collect();
    let mut healed = Vec::new();
    for order in orders {
        let (outcome, says) = match cloud.resume(order).await {
            Ok(outcome) => (Some(outcome), outcome.says().to_owned()),
            Err(failure) => (None, failure.to_string()),
        };
        healed.push(Healed {
            order,
            outcome,
            says,
        });
    }
    healed
}

fn tell(console: Console, report: &Report) {
    let read = &report.read;
    line(&format!(
        "Read {} orders, {} reservations, {} payments, {} products and {} intents at the gateway.",
        read.orders, read.reservations, read.payments, read.products, read.intents
    ));
    if let Some(why) = &report.gateway.why_not {
        let skipped = format!("The payment gateway was left out: {why}");
        line(&console.paint(Tone::Odd, &skipped));
    }
    if let Some(money) = report.money.as_ref().filter(|money| !money.is_empty()) {
        line("");
        tell_money(console, money);
    }
    for sku in &report.unproven {
        let says = format!("The stock of {sku} moved at every look; look again when less is sold.");
        line(&console.paint(Tone::Odd, &says));
    }
    line("");
    if report.findings.is_empty() {
        line(&console.paint(Tone::Good, "The books agree."));
    } else {
        let count = match report.findings.len() {
            1 => "1 disagreement:".to_owned(),
            count => format!("{count} disagreements:"),
        };
        line(&console.paint(Tone::Bad, &count));
    }
    for finding in &report.findings {
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

fn now() -> Outcome<Timestamp> {
    moment::now().ok_or_else(|| Failure::new("This machine's clock is wrong."))
}

fn parse_sku(text: &str) -> Result<Sku, String> {
    Sku::try_from(text.to_owned()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stock_that_is_off_by_the_same_at_each_look_is_wrong_and_else_it_moves() {
        let [tea, cup] = ["tea", "cup"].map(|sku| Sku::try_from(sku.to_owned()).unwrap());
        let differs = |sku, says: &str| Finding::about_sku(Kind::StockDiffers, sku, says);
        let before = [differs(&tea, "5 of 4"), differs(&cup, "7 of 4")];
        let now = [differs(&tea, "5 of 4"), differs(&cup, "6 of 4")];
        assert_eq!(moving(&before, &now), [cup]);
    }
}
