//! Reads the tables and the payment gateway's books, checks that they tell the same story, and says of what doesn't
//! what heals it.
//!
//! The shop goes on while it is read, and no two books are of one moment. So what seems to disagree is looked at
//! again, and only what still does is told.

mod books;
mod checks;
mod day;
mod figures;
mod finding;
mod invariants;
mod reading;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures::future::try_join_all;
use oxcart_domain::{OrderId, Sku};
use serde::Serialize;
use tokio::time::sleep;

pub use self::{
    books::Scope,
    day::DayBooks,
    figures::Sums,
    finding::{Finding, Kind},
    invariants::{Held, Invariant},
};
use self::{
    books::{Books, GatewayBooks},
    checks::findings,
    figures::sums,
};
use crate::{
    cloud::Cloud,
    failure::{Failure, Outcome},
    gateway::Gateway,
    moment::now,
    resume::Resumption,
};

/// How often what seems to disagree is looked at again, and how long after the last time.
const LOOKS: u32 = 2;
const PAUSE: Duration = Duration::from_secs(1);
/// How many orders are read again at once.
const AT_ONCE: usize = 10;

/// What was found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// How much was read.
    pub read: Read,
    /// Whether the payment gateway was asked.
    pub gateway: AtGateway,
    /// The money by currency, if the gateway was asked.
    pub money: Option<BTreeMap<String, Sums>>,
    /// What disagrees.
    pub findings: Vec<Finding>,
    /// Products whose stock moved at every look, so that nobody can tell.
    pub unproven: Vec<Sku>,
}

/// How many things of each kind were read.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the kinds")]
pub struct Read {
    pub orders: usize,
    pub reservations: usize,
    pub payments: usize,
    pub products: usize,
    pub intents: usize,
    pub refunded_intents: usize,
}

/// Whether the payment gateway was asked.
#[derive(Debug, Serialize)]
pub struct AtGateway {
    /// Whether it was.
    pub asked: bool,
    /// Why it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why_not: Option<String>,
}

/// What became of an order whose saga was to heal it.
#[derive(Debug, Serialize)]
pub struct Healed {
    /// The order.
    pub order: OrderId,
    /// What became of it, unless asking for that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Resumption>,
    /// The same in words.
    pub says: String,
}

impl Cloud {
    /// Checks the part of the books that is asked about, and leaves the payment gateway out if that is wished or it
    /// can't be asked.
    ///
    /// # Errors
    /// When the tables can't be read.
    pub async fn reconcile(&self, scope: &Scope, without_gateway: bool) -> Outcome<Report> {
        let (gateway, asked) = reach_gateway(self, without_gateway).await;
        let (gateway, asked, mut books) = match reading::read(self, scope, gateway.as_ref()).await {
            Ok(books) => (gateway, asked, books),
            // The tables may do well where the gateway doesn't.
            Err(failure) if gateway.is_some() => {
                let books = reading::read(self, scope, None).await?;
                (None, AtGateway::not(failure.to_string()), books)
            }
            Err(failure) => return Err(failure),
        };
        let first = findings(&books, scope, now()?);
        let (found, unproven) =
            look_again(self, scope, gateway.as_ref(), &mut books, first).await?;
        let (intents, refunded_intents) = books.gateway.as_ref().map_or((0, 0), GatewayBooks::size);
        Ok(Report {
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
        })
    }

    /// Runs the sagas again of those orders that this heals.
    pub async fn heal(&self, found: &[Finding]) -> Vec<Healed> {
        let healable = found
            .iter()
            .filter(|finding| finding.kind.is_healed_by_saga());
        let orders: BTreeSet<OrderId> = healable.filter_map(|finding| finding.order).collect();
        let mut healed = Vec::new();
        for order in orders {
            let (outcome, says) = match self.resume(order).await {
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
