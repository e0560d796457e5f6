//! What a person types: `cargo xtask up`, `demo`, `test` and the rest. Knows the order of things, not their details.

mod background;
mod bench;
mod binaries;
mod build;
mod checks;
mod cloud;
mod console;
mod contract;
mod costs;
mod demo;
mod environment;
mod failure;
mod faults;
mod files;
mod lambda;
mod layout;
mod ledger;
mod local_speed;
mod loopback;
mod opening;
mod ops;
mod processes;
mod sam;
mod secrets;
mod settings;
mod shop;
mod site;
mod stack;
mod tool;
mod tools;
mod torture;
mod wait;

use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, Subcommand};

use crate::build::Profile;
use crate::console::{Console, Tone};
use crate::failure::Outcome;
use crate::layout::Layout;
use crate::stack::{Purpose, Running, SagaType, Stack};
use crate::tools::Kit;

/// Builds, runs, tests and deploys Oxcart.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    disable_help_subcommand = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Starts a local stack in the background, or brings the running one up to date.
    Up {
        /// Of which type its state machines are. Without it: of the type that the running stack has, or else standard.
        #[arg(long)]
        saga: Option<SagaType>,
    },
    /// Plays a story against a local stack, step by step, and checks the books at the end.
    Demo,
    /// Runs every check: format, lints, unit tests, template, architecture, system tests, contract tests.
    Test {
        #[command(flatten)]
        contract: contract::Options,
        /// Of which type the state machines are of the stack that is tested. Those tests that sagas matter to are run with
        /// the other type, too.
        #[arg(long, default_value = "standard")]
        saga: SagaType,
    },
    /// Tests the local stack's API against its document. It leaves products and orders behind that look random.
    Contract(contract::Options),
    /// Stops the local stack.
    Down,
    /// Saves what the functions of the local stack have logged, and says where.
    Logs,
    /// Shows an order's story, what is stuck or given up and whether the books agree, and helps; here or on AWS.
    #[command(disable_help_flag = true)]
    Ops {
        /// What to do: order, stuck, resume, dlq or reconcile. `cargo xtask ops --help` says more.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
    /// Runs functions with cargo-lambda, outside of the local stack.
    #[command(subcommand)]
    Lambda(lambda::Task),
    /// Builds for AWS and deploys there, with your own credentials.
    Deploy {
        /// What else `sam deploy` should know, such as --guided or --parameter-overrides.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        more: Vec<String>,
    },
    /// Builds the functions to where the template looks for them.
    Build {
        /// Build what is deployed to AWS.
        #[arg(long)]
        release: bool,
    },
    /// Measures the functions cold and warm, a product that everybody wants, a shop that grows, or how long a developer
    /// waits.
    Bench(bench::Options),
    /// Installs the pinned tools. Every other command installs those that it needs.
    Setup,
    /// Buys and breaks things at random for some minutes, and checks the books at the end.
    Torture {
        /// For how long.
        #[arg(long, default_value_t = 10)]
        minutes: u64,
        /// What the random decisions follow from: that of an earlier run makes the same ones again.
        #[arg(long)]
        seed: Option<u64>,
        /// Of which type the state machines are.
        #[arg(long, default_value = "standard")]
        saga: SagaType,
    },
    /// Prints what an order costs on AWS.
    Costs {
        /// Put it into the README instead.
        #[arg(long)]
        write: bool,
    },
    /// Stands between functions and what they call. Part of each local stack.
    #[command(hide = true)]
    FaultProxy(faults::Ports),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let console = Console::new();
    match run(&arguments.command, &Layout::of_this_repository(), &console) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            console.line("");
            eprintln!("{} {failure}", console.paint(Tone::Bad, "error:"));
            ExitCode::FAILURE
        }
    }
}

fn run(task: &Task, layout: &Layout, console: &Console) -> Outcome {
    let began = Instant::now();
    let stack = Stack::new(layout, Purpose::Play);
    match task {
        Task::Up { saga } => {
            console.heading("Local stack");
            let _claim = stack.claim(console)?;
            let running = stack.up(console, *saga)?;
            welcome(console, &stack, &running)
        }
        Task::Demo => {
            console.heading("Local stack");
            let claim = stack.claim(console)?;
            let running = stack.up(console, None)?;
            drop(claim);
            demo::play(console, &running.settings, began)
        }
        Task::Test { contract, saga } => checks::run(layout, console, contract, *saga),
        Task::Contract(options) => {
            console.heading("Contract tests");
            let settings = stack.settings()?;
            tools::install(layout, console, &[Kit::Schemathesis])?;
            contract::test(layout, console, &settings, &stack.logs(), options)
        }
        Task::Down => {
            let _claim = stack.claim(console)?;
            let found = stack.down()?;
            console.line(if found {
                "The local stack is stopped."
            } else {
                "No local stack was running."
            });
            Ok(())
        }
        Task::Logs => {
            let settings = stack.settings()?;
            stack.save_function_logs(&settings)?;
            console.line(&format!(
                "Saved to {}.",
                stack.logs().join("functions").display()
            ));
            Ok(())
        }
        Task::Ops { words } => ops::run(layout, console, &stack, words),
        Task::Lambda(task) => lambda::run(layout, console, &stack, task),
        Task::Deploy { more } => {
            console.heading("Deployment to AWS");
            tools::install(layout, console, &[Kit::Sam])?;
            let built = build::functions(layout, console, Profile::Release)?;
            console.line(&format!("  {}", binaries::check(&built)?));
            sam::deploy_to_aws(layout, more)
        }
        Task::Build { release } => {
            let profile = if *release {
                Profile::Release
            } else {
                Profile::Local
            };
            build::functions(layout, console, profile).map(drop)
        }
        Task::Bench(options) => bench::run(layout, console, options),
        Task::Setup => {
            tools::install(layout, console, &Kit::ALL)?;
            console.line("All tools are installed.");
            Ok(())
        }
        Task::Torture {
            minutes,
            seed,
            saga,
        } => torture::run(layout, console, *minutes, *seed, *saga),
        Task::Costs { write } => costs::run(layout, console, *write),
        Task::FaultProxy(ports) => faults::serve(ports),
    }
}

/// Says where everything is.
fn welcome(console: &Console, stack: &Stack, running: &Running) -> Outcome {
    let settings = &running.settings;
    console.line("");
    for (what, value) in [
        ("API", settings.get("API_URL")?.to_owned()),
        (
            "Admin",
            format!(
                "{}, password {}",
                settings.get("ADMIN_EMAIL")?,
                settings.get("ADMIN_PASSWORD")?
            ),
        ),
        ("AWS endpoint", settings.get("AWS_ENDPOINT_URL")?.to_owned()),
        ("Settings", stack.settings_file().display().to_string()),
        ("Logs", stack.logs().display().to_string()),
    ] {
        console.line(&format!("  {what:<13} {value}"));
    }
    console.line("\n  `cargo xtask demo` plays a story against it, `cargo xtask down` stops it.");
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Arguments;

    #[test]
    fn no_two_options_of_a_command_get_in_each_others_way() {
        Arguments::command().debug_assert();
    }
}
