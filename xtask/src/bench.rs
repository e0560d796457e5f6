//! Measures the shop: builds what is measured, sets up the same endpoint in other languages, and goes on as the program
//! in `bench/` that does the measuring.

use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::build::{self, Profile};
use crate::console::Console;
use crate::failure::{Explain, Outcome};
use crate::files;
use crate::layout::Layout;
use crate::local_speed;
use crate::site;
use crate::tool;
use crate::tools;

/// The functions that are run in shops of different size.
const GROWING: [&str; 8] = [
    "place-order",
    "reserve-stock",
    "charge-payment",
    "confirm-order",
    "get-order",
    "list-orders",
    "search-orders",
    "resume-stuck-orders",
];

/// What can be measured.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Subject {
    /// Each function, beside a bare one and the same in other languages.
    ColdAndWarm,
    /// How many orders a second one product takes.
    HotItem,
    /// What an order costs, and how long its steps take, as the shop grows.
    Growth,
    /// How long a developer waits for the local stack, and for a build after an edit.
    LocalSpeed,
}

/// What is measured, and how.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// What of the shop.
    #[arg(value_enum, default_value_t = Subject::ColdAndWarm)]
    subject: Subject,
    /// Of a hot item: into how many shards its stock is split, separated by commas [default: 1,2,4,8,16].
    #[arg(long, value_delimiter = ',')]
    shards: Vec<u32>,
    /// Which functions, separated by commas; all of them without it.
    #[arg(long, value_delimiter = ',')]
    functions: Vec<String>,
    /// How often each is started, and as often again with a function's share of a CPU.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// What they are built with. The bars are meant for release builds, which take a minute for each function.
    #[arg(long, value_enum, default_value_t = Profile::Release)]
    profile: Profile,
    /// Where everything that is found is written to [default: target/bench/latest.json, hot-item.json, growth.json or
    /// local-speed.json].
    #[arg(long)]
    json: Option<PathBuf>,
    /// Leaves the other languages out, which need Python and Node.js.
    #[arg(long)]
    without_others: bool,
    #[command(flatten)]
    local_speed: local_speed::MoreWaits,
    /// Draws the picture of the README, and makes what is found of the functions the baseline.
    #[arg(long)]
    record: bool,
}

/// Builds what is measured, and goes on as the program that measures, whose exit code is then this one's.
pub(crate) fn run(layout: &Layout, console: &Console, options: &Options) -> Outcome {
    console.heading("Measuring");
    let file = |name: &str| {
        let json = options.json.clone();
        json.unwrap_or_else(|| layout.measured().join(name).with_extension("json"))
    };
    let (name, arguments) = match options.subject {
        Subject::ColdAndWarm => ("latest", cold_and_warm(layout, console, options)?),
        Subject::HotItem => ("hot-item", hot_item(options)),
        Subject::Growth => ("growth", growth(layout, console, options)?),
        Subject::LocalSpeed => {
            let json = file("local-speed");
            return local_speed::run(layout, console, &json, &options.local_speed);
        }
    };
    let mut command = Command::new(build::program(layout, console, build::BENCH)?);
    command.args(arguments).arg("--root").arg(layout.root());
    command.arg("--json").arg(file(name));
    if options.record {
        command.arg("--record");
    }
    let _quiet = console.leave_to_others();
    Err(tool::could_not_start(build::BENCH, &command.exec()))
}

fn hot_item(options: &Options) -> Vec<OsString> {
    let mut arguments = vec!["hot-item".into()];
    if !options.shards.is_empty() {
        let shards: Vec<String> = options.shards.iter().map(u32::to_string).collect();
        arguments.extend(["--shards".into(), shards.join(",").into()]);
    }
    arguments
}

fn growth(layout: &Layout, console: &Console, options: &Options) -> Outcome<Vec<OsString>> {
    let mut arguments = vec!["growth".into()];
    let only = GROWING.map(str::to_owned);
    arguments.extend(packages(layout, console, options.profile, &only)?);
    Ok(arguments)
}

fn cold_and_warm(layout: &Layout, console: &Console, options: &Options) -> Outcome<Vec<OsString>> {
    let only = &options.functions;
    let mut arguments = vec!["cold-and-warm".into()];
    arguments.extend(packages(layout, console, options.profile, only)?);
    arguments.extend(["--rounds".into(), options.rounds.to_string().into()]);
    if !only.is_empty() {
        arguments.extend(["--functions".into(), only.join(",").into()]);
    }
    if !options.without_others {
        let others = layout.measured().join("others");
        set_up_python(layout, console, &others.join("python"))?;
        set_up_node(layout, console, &others.join("node"))?;
        arguments.extend(["--others".into(), others.into()]);
    }
    Ok(arguments)
}

/// Builds the functions of these names, or all of them without any, and answers how the program is told of them.
fn packages(
    layout: &Layout,
    console: &Console,
    profile: Profile,
    only: &[String],
) -> Outcome<[OsString; 4]> {
    let name = match profile {
        Profile::Local => "local",
        Profile::Release => "release",
    };
    let packages = layout.measured().join(name);
    build::measured(layout, console, profile, only, &packages)?;
    Ok([
        "--packages".into(),
        packages.into(),
        "--profile".into(),
        name.into(),
    ])
}

/// Puts boto3 and AWS's client of the Runtime API into a virtual environment.
fn set_up_python(layout: &Layout, console: &Console, folder: &Path) -> Outcome {
    let locks = [layout.bench().join("others/python/requirements.txt")];
    let lock = fs::read(&locks[0]).explain(|| format!("Could not read {}", locks[0].display()))?;
    let stamp = folder.join("installed-for");
    if fs::read(&stamp).is_ok_and(|installed_for| installed_for == lock) {
        return Ok(());
    }
    let task = console.task("installing boto3");
    if folder.exists() {
        fs::remove_dir_all(folder).explain(|| format!("Could not remove {}", folder.display()))?;
    }
    tools::install_python(&locks, folder, &layout.measured().join("python.log"))
        .map_err(|failure| failure.advice(tools::UNREACHABLE))?;
    fs::write(&stamp, lock).explain(|| format!("Could not write {}", stamp.display()))?;
    task.done("installed boto3");
    Ok(())
}

/// Bundles the program in JavaScript with the SDK, as it would be deployed.
fn set_up_node(layout: &Layout, console: &Console, folder: &Path) -> Outcome {
    let task = console.task("bundling the AWS SDK for JavaScript");
    let sources = layout.bench().join("others/node");
    for file in files::under(&sources, &["node_modules"])? {
        let name = file.file_name().unwrap_or_default();
        files::link(&file, &folder.join(name))?;
    }
    let log = layout.measured().join("node.log");
    site::install(folder, &log)?;
    tool::run_logged(
        "npm run build",
        site::npm(folder).args(["run", "build"]),
        &log,
    )?;
    task.done("bundled the AWS SDK for JavaScript");
    Ok(())
}
