//! A shop that grows: what an order costs, and how long its steps and the reads of it take, by how many orders are in
//! the tables and by how many lines an order has.
//!
//! The functions run as they do on Lambda, against the stand-in for DynamoDB. What this doesn't know: what the payment
//! gateway and Step Functions take, and how DynamoDB's own times change as a table grows: AWS says that they don't.

mod orders;
mod report;
mod visit;

use std::path::PathBuf;

use self::{
    report::{Report, Row},
    visit::Shop,
};
use crate::{
    certificates::Certificates,
    failure::Failure,
    measure::Bench,
    output::{cpus, today, write, write_json},
    programs::{self, Environment, Kind},
    store::{Pace, Store},
    tables::{INVENTORY, ORDERS, PAYMENTS},
};

/// What is measured, and how.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The repository.
    #[arg(long)]
    root: PathBuf,
    /// Where the functions' packages are: `<function>/bootstrap` with its files.
    #[arg(long)]
    packages: PathBuf,
    /// What the functions were built with.
    #[arg(long)]
    profile: String,
    /// How many orders there are, one after the other.
    #[arg(long, value_delimiter = ',', default_values_t = [10, 1000, 100_000])]
    orders: Vec<usize>,
    /// How many lines an order has, one after the other, in a shop of middling size.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 5, 20, 50])]
    lines: Vec<usize>,
    /// How many orders are bought and looked at in each shop.
    #[arg(long, default_value_t = 30)]
    rounds: usize,
    /// Where everything that was found is written to.
    #[arg(long)]
    json: PathBuf,
    /// Draws the picture of the documentation, too.
    #[arg(long)]
    record: bool,
}

/// The size of the shop whose orders have more and more lines.
const MIDDLING: usize = 1000;

/// Measures, writes what was found and says it.
pub(crate) async fn run(options: &Options) -> Result<(), Failure> {
    let mut report = Report {
        date: today(),
        profile: options.profile.clone(),
        rounds: options.rounds,
        cpus: cpus(),
        by_orders: Vec::new(),
        by_lines: Vec::new(),
    };
    for orders in &options.orders {
        report.by_orders.push(measure(options, *orders, 1).await?);
    }
    for lines in &options.lines {
        let row = measure(options, MIDDLING, *lines).await?;
        report.by_lines.push(row);
    }
    println!("{}", report.table());
    write_json(&options.json, &report)?;
    let picture = report.picture();
    write(&options.json.with_extension("svg"), &picture)?;
    if options.record {
        write(&options.root.join("docs/growth.svg"), &picture)?;
    }
    println!("All of it is in {}.", options.json.display());
    Ok(())
}

/// Opens a shop with so many orders of so many lines, looks at them, and buys more.
async fn measure(options: &Options, orders: usize, lines: usize) -> Result<Row, Failure> {
    eprintln!("{orders} orders of {lines} lines");
    let store = Store::start(Pace::DYNAMODB, &[INVENTORY, ORDERS, PAYMENTS]).await?;
    let work = options.json.parent().unwrap_or(&options.root);
    let logs = work.join("logs");
    std::fs::create_dir_all(&logs).map_err(Failure::machine("make a folder"))?;
    let mut environment = Environment::read(&options.root.join("bench"))?;
    let only = visit::FUNCTIONS.map(str::to_owned);
    let mut programs = programs::functions(&options.root, &options.packages, &environment, &only)?;
    programs.retain(|program| program.kind == Kind::Function);
    // The rest of the cloud answers as it does to the functions' sample events.
    let variable = ("AWS_ENDPOINT_URL_DYNAMODB", store.address());
    let (name, value) = (variable.0.to_owned(), variable.1.to_owned());
    environment.variables.insert(name, value);
    let bench = Bench {
        environment: &environment,
        certificates: &Certificates::make(work)?,
        logs: &logs,
        processors: None,
    };
    let mut shop = Shop::open(&bench, &programs, &store, lines).await?;
    let known = orders::fill(&mut shop, orders).await?;
    let mut row = Row::new(orders, lines);
    // Who looks first finds as many orders as there are meant to be.
    for _ in 0..options.rounds {
        row.add(shop.look(&known).await?);
    }
    for _ in 0..options.rounds {
        row.add(shop.buy().await?);
    }
    Ok(row)
}
