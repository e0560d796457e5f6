//! One product that everybody wants: how many orders of it a second get through, by how many buy at a time and by how
//! many shards its stock is split into, and what splitting costs.
//!
//! The step that reserves stock is called in this process, and over HTTP calls the stand-in for DynamoDB. It is tried
//! again as the state machine does. At the end of each run the books must balance. What this doesn't know: the time
//! that Lambda and Step Functions take between two tries, and the other steps.

mod buyer;
mod report;
mod shop;

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

use self::{
    buyer::{Buyer, End, Order},
    report::{Report, Row, SoldOut},
    shop::Shop,
};
use crate::{
    failure::Failure,
    output::{cpus, today, write, write_json},
    retries::Retries,
    store::Counts,
};

/// More than can be sold in a run: what one adjustment adds at most.
const PLENTY: u64 = 1_000_000;

/// What is measured, and how.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The repository.
    #[arg(long)]
    root: PathBuf,
    /// Into how many shards the stock is split, one after the other.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2, 4, 8, 16])]
    shards: Vec<u32>,
    /// How many buy at a time, one after the other.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2, 4, 8, 16, 32, 64])]
    buyers: Vec<usize>,
    /// For how many seconds they do.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// How many units are sold out, to the last one.
    #[arg(long, default_value_t = 2000)]
    units: u64,
    /// How many buy until nothing is left.
    #[arg(long, default_value_t = 32)]
    last_buyers: usize,
    /// Where everything that was found is written to.
    #[arg(long)]
    json: PathBuf,
    /// Draws the picture of the documentation, too.
    #[arg(long)]
    record: bool,
}

/// Measures, writes what was found and says it.
pub(crate) async fn run(options: &Options) -> Result<(), Failure> {
    let machine = options.root.join("statemachines/order-saga.asl.json");
    let retries = Arc::new(Retries::read(&machine, "ReserveStock")?);
    // Who can't split stock says so before an hour has passed.
    let products = options.shards.iter().map(|shards| shop::product(*shards));
    let products = products.collect::<Result<Vec<_>, _>>()?;
    let mut report = Report {
        date: today(),
        cpus: cpus(),
        seconds: options.seconds,
        rows: Vec::new(),
        sold_out: Vec::new(),
    };
    for (shards, product) in options.shards.iter().zip(&products) {
        for buyers in &options.buyers {
            let shop = Arc::new(Shop::open(product, PLENTY).await?);
            eprintln!("{shards} shards, {buyers} buyers");
            let limit = Duration::from_secs(options.seconds);
            let sale = sell(&shop, &retries, *buyers, Some(limit)).await?;
            report.rows.push(Row::of(*shards, *buyers, limit, &sale));
        }
        let shop = Arc::new(Shop::open(product, options.units).await?);
        eprintln!("{shards} shards, {} units to the last one", options.units);
        let sale = sell(&shop, &retries, options.last_buyers, None).await?;
        let (sold, units) = (sale.held, options.units);
        if sold != units {
            let wrong = format!("{sold} of {units} units were sold to the last one");
            return Err(Failure::Books(wrong));
        }
        let sold_out = SoldOut::of(*shards, options.last_buyers, &sale);
        report.sold_out.push(sold_out);
    }
    println!("{}", report.table());
    write_json(&options.json, &report)?;
    let picture = report.picture();
    write(&options.json.with_extension("svg"), &picture)?;
    if options.record {
        write(&options.root.join("docs/hot-item.svg"), &picture)?;
    }
    println!("All of it is in {}.", options.json.display());
    Ok(())
}

/// What was seen of a sale.
struct Sale {
    took: Duration,
    orders: Vec<Order>,
    /// The units that orders hold at its end.
    held: u64,
    counts: Counts,
}

/// Lets so many buy at once, for so long or else until nothing is left, and sees that the books balance.
async fn sell(
    shop: &Arc<Shop>,
    retries: &Arc<Retries>,
    buyers: usize,
    limit: Option<Duration>,
) -> Result<Sale, Failure> {
    shop.take_counts();
    let begun = Instant::now();
    let until = limit.map(|limit| begun + limit);
    let mut buying = JoinSet::new();
    for _ in 0..buyers {
        let buyer = Buyer {
            shop: Arc::clone(shop),
            retries: Arc::clone(retries),
            until,
        };
        buying.spawn(buyer.buy());
    }
    let mut orders = Vec::new();
    while let Some(bought) = buying.join_next().await {
        orders.extend(bought.map_err(Failure::service("wait for a buyer"))??);
    }
    let took = begun.elapsed();
    if let Some(until) = until {
        sleep_until(until).await;
    }
    let counts = shop.take_counts();
    let told = orders.iter().filter(|order| order.end == End::Reserved);
    let held = shop.balanced(told.count())?;
    Ok(Sale {
        took,
        orders,
        held,
        counts,
    })
}
