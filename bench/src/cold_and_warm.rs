//! Cold and warm starts: each function beside a bare one in the same run, because only ratios are the same on every
//! machine, and one beside the same endpoint in other languages.
//!
//! Lambda and what the functions call are stood in for, in this process. What this doesn't know: the network between a
//! function and AWS, how long Lambda takes to fetch a package, and how busy its hosts are.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    bars,
    baseline::Baseline,
    certificates::Certificates,
    chart,
    failure::Failure,
    figures::Figures,
    measure::{Bench, Extent, Run},
    output::{cpus, today, write, write_json},
    package,
    processors::Processors,
    programs::{self, COUNTERPART, Environment, HELLO, Kind, Program},
    report::{Report, Row},
    throttle::Throttle,
};

/// What is measured of a start that counts.
const FULL: Extent = Extent {
    warm: 1000,
    at_most: Duration::from_millis(1500),
};

/// What is measured of a start whose first invocation counts alone.
const COLD: Extent = Extent {
    warm: 0,
    at_most: Duration::ZERO,
};

/// What is measured, and how.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The repository.
    #[arg(long)]
    root: PathBuf,
    /// Where the functions' packages are: `<function>/bootstrap` with its files, the bare one among them.
    #[arg(long)]
    packages: PathBuf,
    /// Where the programs in other languages are set up.
    #[arg(long)]
    others: Option<PathBuf>,
    /// What the functions were built with.
    #[arg(long)]
    profile: String,
    /// How often each program is started, and as often again with a function's share of a CPU.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Which functions, separated by commas; all of them without it.
    #[arg(long, value_delimiter = ',')]
    functions: Vec<String>,
    /// Where everything that was found is written to.
    #[arg(long)]
    json: PathBuf,
    /// Makes what was found the baseline, and draws the picture of the README.
    #[arg(long)]
    record: bool,
}

/// Measures the functions, writes what was found and says what of it matters.
pub(crate) async fn run(options: &Options) -> Result<(), Failure> {
    let sources = options.root.join("bench");
    let work = options.json.parent().unwrap_or(Path::new("."));
    let logs = work.join("logs");
    fs::create_dir_all(&logs).map_err(Failure::machine("make a folder"))?;
    let environment = Environment::read(&sources)?;
    let (root, only) = (&options.root, &options.functions);
    let mut programs = programs::functions(root, &options.packages, &environment, only)?;
    if let Some(folder) = &options.others {
        programs.extend(programs::others(root, folder)?);
    }
    let certificates = Certificates::make(work)?;
    let cpus = cpus();
    let bench = Bench {
        environment: &environment,
        certificates: &certificates,
        logs: &logs,
        processors: Processors::deal().map_err(Failure::machine("choose CPUs"))?,
    };
    let throttle = Throttle::make();
    let seen = rounds(&bench, &programs, options.rounds, throttle.as_ref().ok()).await?;
    let mut report = Report {
        date: today(),
        profile: options.profile.clone(),
        rounds: options.rounds,
        cpus,
        not_throttled: throttle.err(),
        programs: rows(&programs, &seen)?,
        worse: Vec::new(),
    };

    let recorded = sources.join("baseline.json");
    let mut baseline = Baseline::read(&recorded)?;
    report.worse = baseline.worse(&report.profile, &report.ratios());
    println!("{}", report.table());
    if !baseline.has(&report.profile) {
        println!(
            "There is no baseline of {} builds yet; --record makes one.",
            report.profile
        );
    }
    write_json(&options.json, &report)?;
    let others = programs
        .iter()
        .filter(|program| program.kind == Kind::Other);
    let mut drawn = vec![HELLO, COUNTERPART];
    drawn.extend(others.map(|program| program.name.as_str()));
    let picture = chart::draw(&report, &drawn, COUNTERPART);
    write(&work.join("bench.svg"), &picture)?;
    if options.record {
        baseline.record(&report.profile, report.ratios());
        baseline.write(&recorded)?;
        write(&options.root.join("docs/bench.svg"), &picture)?;
    }
    println!("All of it is in {}.", options.json.display());
    Ok(())
}

/// What was seen of one program.
#[derive(Default)]
struct Seen {
    full: Vec<Run>,
    throttled: Vec<Run>,
}

/// Starts every program once in every round, so that whatever disturbs the machine for a while disturbs all alike.
async fn rounds(
    bench: &Bench<'_>,
    programs: &[Program],
    rounds: usize,
    throttle: Option<&Throttle>,
) -> Result<Vec<Seen>, Failure> {
    let mut seen: Vec<Seen> = programs.iter().map(|_| Seen::default()).collect();
    for program in programs {
        // Not counted: it brings the program's file into memory, for each alike.
        bench.run(program, COLD, None).await?;
    }
    for round in 1..=rounds {
        eprintln!("round {round} of {rounds}");
        for (program, seen) in programs.iter().zip(&mut seen) {
            seen.full.push(bench.run(program, FULL, None).await?);
            if throttle.is_some() {
                seen.throttled
                    .push(bench.run(program, COLD, throttle).await?);
            }
        }
    }
    Ok(seen)
}

fn rows(programs: &[Program], seen: &[Seen]) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for (program, seen) in programs.iter().zip(seen) {
        let mut size = 0;
        for path in &program.package {
            size += package::zipped_size(path)?;
        }
        let calls = seen
            .full
            .first()
            .map(|run| run.calls.clone())
            .unwrap_or_default();
        rows.push((
            program,
            calls,
            Figures::of(size, &seen.full, &seen.throttled),
        ));
    }
    let hello = rows.iter().find(|(program, ..)| program.name == HELLO);
    let hello = hello
        .map(|(_, _, figures)| figures.clone())
        .unwrap_or_default();
    let row = |(program, calls, figures): (&Program, Vec<String>, Figures)| {
        let ratios = figures.ratios(&hello);
        Row {
            name: program.name.clone(),

            bars: bars::judge(program, calls.len(), &figures, &ratios),
            calls,
            figures,
            ratios,
        }
    };
    Ok(rows.into_iter().map(row).collect())
}
