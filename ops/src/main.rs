//! What an operator types: `cargo xtask ops order`, `stuck`, `resume`, `dlq` and `reconcile`, the same against the
//! local stack and AWS. xtask says by environment variables where the stack is.

mod cloud;
mod console;
mod dlq;
mod order;
mod reconcile;
mod resume;
mod stuck;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use oxcart_domain::OrderId;
use oxcart_operating::{Cloud, Outcome};

use crate::console::{Console, Tone, remark};

/// Shows what happened and what is stuck, and helps.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask ops",
    bin_name = "cargo xtask ops",
    disable_help_subcommand = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Task,
    /// The stack on AWS, reached with your own credentials and region. Without it, the local stack.
    #[arg(long, global = true)]
    stack_name: Option<String>,
    /// JSON in place of text.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Tells what happened to an order, across services and in the order of time.
    Order {
        /// The order's id.
        id: OrderId,
    },
    /// Lists the orders that are open, the oldest first, and where their sagas are.
    Stuck {
        /// How many orders to show.
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Runs the saga of an order again that is open, be it parked or not.
    Resume {
        /// The order's id.
        id: OrderId,
    },
    /// Shows what was given up, and has it tried again or deleted.
    #[command(subcommand)]
    Dlq(dlq::Task),
    /// Proves that the books of orders, stock, payments and the payment gateway agree, or says where they don't.
    Reconcile(reconcile::Options),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let environment = cloud::environment();
    let plain = environment
        .get("NO_COLOR")
        .is_some_and(|value| !value.is_empty());
    let console = Console::new(arguments.json, plain);
    let done = async {
        let cloud = cloud::connect(environment).await?;
        cloud.is_named(arguments.stack_name.as_deref())?;
        Box::pin(run(&cloud, console, &arguments.command)).await
    };
    match done.await {
        Ok(code) => code,
        Err(failure) => {
            let error = console.paint(Tone::Bad, "error:");
            remark(&format!("{error} {failure}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(cloud: &Cloud, console: Console, task: &Task) -> Outcome<ExitCode> {
    let fine = |()| ExitCode::SUCCESS;
    match task {
        Task::Order { id } => Box::pin(order::run(cloud, console, *id)).await.map(fine),
        Task::Stuck { limit } => stuck::run(cloud, console, *limit).await.map(fine),
        Task::Resume { id } => resume::run(cloud, console, *id).await,
        Task::Dlq(task) => dlq::run(cloud, console, task).await,
        Task::Reconcile(options) => reconcile::run(cloud, console, options).await,
    }
}
