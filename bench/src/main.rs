//! Measures the shop: how quickly its functions start and answer, how many orders a second one product takes, and what
//! an order costs in a large shop.
//!
//! Everything runs on one machine, and what the functions call is stood in for.

mod bars;
mod baseline;
mod certificates;
mod chart;
mod cold_and_warm;
mod curves;
mod failure;
mod figures;
mod growth;
mod hot_item;
mod measure;
mod output;
mod package;
mod process;
mod processors;
mod programs;
mod replies;
mod report;
mod retries;
mod runtime_api;
mod stand_in;
mod stock;
mod store;
mod tables;
mod throttle;

use std::process::ExitCode;

use clap::Parser;
use tokio::runtime::Builder;

use crate::failure::Failure;

/// Measures the shop. `cargo xtask bench` builds what is measured first.
#[derive(Parser)]
enum Benchmark {
    /// Each function cold and warm, beside a bare one and the same in other languages.
    ColdAndWarm(cold_and_warm::Options),
    /// How many orders a second one product takes.
    HotItem(hot_item::Options),
    /// What an order costs, and how long its steps take, as the shop grows.
    Growth(growth::Options),
}

fn main() -> ExitCode {
    match run(&Benchmark::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(benchmark: &Benchmark) -> Result<(), Failure> {
    let mut runtime = match benchmark {
        // One CPU is for what is measured, and one is enough for the rest.
        Benchmark::ColdAndWarm(_) => Builder::new_current_thread(),
        Benchmark::HotItem(_) | Benchmark::Growth(_) => Builder::new_multi_thread(),
    };
    let runtime = runtime.enable_all().build();
    let runtime = runtime.map_err(Failure::machine("start"))?;
    runtime.block_on(async {
        match benchmark {
            Benchmark::ColdAndWarm(options) => cold_and_warm::run(options).await,
            Benchmark::HotItem(options) => hot_item::run(options).await,
            Benchmark::Growth(options) => growth::run(options).await,
        }
    })
}
