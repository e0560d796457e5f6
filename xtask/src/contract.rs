//! Tests the running API against its document with Schemathesis: every operation, as a customer and as the admin.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Instant;

use crate::console::Console;
use crate::failure::{Explain, Failure, Outcome};
use crate::layout::Layout;
use crate::opening;
use crate::sam;
use crate::settings::Settings;
use crate::tool;
use crate::tools::{self, Kit};
use crate::wait;

/// Who calls.
const ROLES: [&str; 2] = ["customer", "admin"];

/// How much is tested, and with what.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many requests the contract tests make up for each operation, as each role.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    cases: u32,
    /// What the made-up requests follow from: that of an earlier run makes the same ones up again.
    #[arg(long)]
    seed: Option<u32>,
}

/// Tests the API of a stack as all roles at once. Each run writes a log of its own into `logs`.
pub(crate) fn test(
    layout: &Layout,
    console: &Console,
    settings: &Settings,
    logs: &Path,
    options: &Options,
) -> Outcome {
    let (cases, seed) = (options.cases, options.seed.map_or_else(new_seed, Ok)?);
    console.line(&format!("  --cases {cases} --seed {seed}"));
    let began = Instant::now();
    let task = console.task("testing the API against its document");
    let results = thread::scope(|scope| {
        let runs = ROLES.map(|role| {
            let log = logs.join(format!("contract-{role}.log"));
            scope.spawn(move || -> Outcome<_> {
                let mut run = schemathesis(layout, settings, role, cases, seed)?;
                Ok((tool::run_logged("Schemathesis", &mut run, &log), log))
            })
        });
        runs.map(wait::joined)
    });
    drop(task);
    let mut failed = Vec::new();
    for (role, result) in ROLES.iter().zip(results) {
        let (result, log) = result?;
        let text = fs::read_to_string(&log).unwrap_or_default();
        if result.is_err() {
            console.line(&format!("\nAs {role}:\n\n{}", complaints(&text)));
            failed.push(log);
        } else {
            let done = format!("as {role}: {}", generated(&text));
            console.done(&done, began.elapsed());
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    let logs: Vec<String> = failed.iter().map(|log| log.display().to_string()).collect();
    let what =
        "The API and its document differ; what Schemathesis found is above, with the request.";
    Err(Failure::new(what).advice(format!(
        "All that it said is in {}. The same again, against a local stack: cargo xtask contract --cases {cases} \
         --seed {seed}",
        logs.join(" and ")
    )))
}

/// Schemathesis as it tests the API as one role.
fn schemathesis(
    layout: &Layout,
    settings: &Settings,
    role: &str,
    cases: u32,
    seed: u32,
) -> Outcome<Command> {
    let folder = scratch(layout, role)?;
    let program = tools::program(layout, Kit::Schemathesis, "schemathesis");
    let mut command = Command::new(program);
    command.arg("--config-file");
    command.arg(layout.contract().join("schemathesis.toml"));
    command.arg("run").arg(layout.openapi());
    command.args(["--no-color", "--url", settings.get("API_URL")?]);
    command.args(["--max-examples", &cases.to_string()]);
    command.args(["--seed", &seed.to_string()]);
    tools::keep_compiled(layout, &mut command);
    sam::without_account(&mut command);
    command.envs(settings.all()).env("CONTRACT_ROLE", role);
    // Where it finds the hooks.
    command.env("PYTHONPATH", layout.contract());
    // A proxy has no business with this machine's own addresses.
    command.env("NO_PROXY", "127.0.0.1,localhost");
    // It leaves files where it is started.
    command.current_dir(folder);
    Ok(command)
}

fn scratch(layout: &Layout, role: &str) -> Outcome<PathBuf> {
    let folder = layout.local().join("contract").join(role);
    fs::create_dir_all(&folder).explain(|| format!("Could not create {}", folder.display()))?;
    Ok(folder)
}

fn new_seed() -> Outcome<u32> {
    let digits = opening::random_hex(4)?;
    u32::from_str_radix(&digits, 16).explain(|| "No random seed".to_owned())
}

/// What Schemathesis complains of, from its first headline on.
fn complaints(log: &str) -> &str {
    let headline = log.find("\n===");
    headline.and_then(|at| log.get(at..)).unwrap_or(log).trim()
}

/// How much it tested: `3131 generated, 24 skipped`.
fn generated(log: &str) -> &str {
    let line = log.lines().find(|line| line.contains(" generated"));
    line.map_or("nothing", str::trim)
}

#[cfg(test)]
mod tests {
    use super::{complaints, generated};

    const LOG: &str =
        "Schemathesis\n\n=== FAILURES ===\n    curl\n\nTest cases:\n  12 generated, 1 found\n";

    #[test]
    fn complaints_start_at_the_first_headline() {
        assert!(complaints(LOG).starts_with("=== FAILURES"));
        assert_eq!(complaints("no headline\n"), "no headline");
    }

    #[test]
    fn the_log_says_how_much_was_tested() {
        assert_eq!(generated(LOG), "12 generated, 1 found");
        assert_eq!(generated(""), "nothing");
    }
}
