//! Runs single functions with cargo-lambda, with the settings of the local stack.

use std::process::Command;

use clap::Subcommand;

use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::layout::Layout;
use crate::sam;
use crate::stack::Stack;
use crate::tool;
use crate::tools::{self, Kit};

/// Where the functions are served: unless told otherwise, cargo-lambda takes every interface.
const LOOPBACK: [&str; 2] = ["--invoke-address", "127.0.0.1"];

/// What can be done with single functions.
#[derive(Subcommand)]
pub(crate) enum Task {
    /// Serves the functions on this terminal and rebuilds them when their source changes.
    Watch {
        /// What else `cargo lambda watch` should know.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        more: Vec<String>,
    },
    /// Sends a function its sample event, or another one.
    Invoke {
        /// The function, such as `place-order`.
        function: String,
        /// What else `cargo lambda invoke` should know, such as --data-ascii '{}'.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        more: Vec<String>,
    },
}

/// Runs cargo-lambda.
pub(crate) fn run(layout: &Layout, console: &Console, stack: &Stack, task: &Task) -> Outcome {
    tools::install(layout, console, &[Kit::CargoLambda])?;
    let mut command = Command::new(tools::program(layout, Kit::CargoLambda, "cargo-lambda"));
    command.current_dir(layout.root()).arg("lambda");
    sam::without_account(&mut command);
    match task {
        Task::Watch { more } => {
            let settings = stack.settings_file();
            if !settings.exists() {
                return Err(Failure::new(
                    "The functions need a stack to talk to, and none is running.",
                )
                .advice("cargo xtask up starts one."));
            }
            // The profile and the whole workspace, as everywhere else: nothing is built twice.
            command
                .args(["watch", "--profile", "local", "--env-file"])
                .arg(settings)
                .args(LOOPBACK)
                .args(more);
        }
        Task::Invoke { function, more } => {
            command.args(["invoke", function]).args(LOOPBACK);
            if !more.iter().any(|argument| argument.starts_with("--data-")) {
                let event = layout
                    .root()
                    .join("events")
                    .join(format!("{function}.json"));
                command.arg("--data-file").arg(event);
            }
            command.args(more);
        }
    }
    let _quiet = console.leave_to_others();
    tool::run_visibly("cargo lambda", &mut command)
}
