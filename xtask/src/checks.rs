//! Runs every check of the repository, from the quick ones to the system tests, and stops at the first failure.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::binaries;
use crate::build;
use crate::console::{Console, Tone, seconds};
use crate::contract;
use crate::failure::{Explain, Failure, Outcome};
use crate::layout::Layout;
use crate::sam;
use crate::secrets;
use crate::site;
use crate::stack::{Purpose, Running, SagaType, Stack};
use crate::tool;
use crate::tools::{self, Kit};
use crate::wait;

/// The package of the tests that look at everything from outside.
const OUTSIDE: &str = "oxcart-tests";

/// The system tests that sagas matter to: they are run with both types.
const SAGAS: [&str; 11] = [
    "authentication_required::",
    "cancellation::",
    "concurrency::",
    "fault_matrix::",
    "idempotency::",
    "operator_commands::",
    "random_walk::",
    "recovery::",
    "saga_steps::",
    "stories::",
    "waiting::",
];

/// What has been checked so far.
struct Checks<'a> {
    layout: &'a Layout,
    console: &'a Console,
    contract: &'a contract::Options,
    saga: SagaType,
    done: Vec<(&'static str, Duration, bool)>,
}

/// Runs all checks, and says at the end how each went.
pub(crate) fn run(
    layout: &Layout,
    console: &Console,
    contract: &contract::Options,
    saga: SagaType,
) -> Outcome {
    let began = Instant::now();
    let mut checks = Checks {
        layout,
        console,
        contract,
        saga,
        done: Vec::new(),
    };
    tools::require(layout, &Kit::ALL)?;
    tools::require_npm()?;
    let result = thread::scope(|scope| {
        // The tools come over the network while the compiler has the processor.
        let tools = scope.spawn(|| tools::install(layout, console, &Kit::ALL));
        checks.sources()?;
        checks.check("Tools", || wait::joined(tools))?;
        checks.infrastructure()?;
        checks.documents()?;
        checks.system()
    });
    checks.summary(began.elapsed());
    result
}

impl Checks<'_> {
    /// What needs nothing but cargo.
    fn sources(&mut self) -> Outcome {
        let (layout, console) = (self.layout, self.console);
        let cargo = |arguments: &str| cargo(layout, console, arguments);
        self.check("Formatting", || {
            cargo("fmt --all -- --check")
                .map_err(|failure| failure.advice("cargo fmt --all puts it right."))
        })?;
        self.check("Lints", || {
            cargo("clippy --workspace --all-targets --profile local -- -D warnings")
        })?;
        self.check("Build", || build::everything(layout, console))?;
        self.check("Unit and property tests", || {
            cargo("test --workspace --profile local --lib --bins")?;
            let others = other_integration_tests(layout)?;
            if others.is_empty() {
                return Ok(());
            }
            cargo(&format!(
                "test --workspace --profile local --test {}",
                others.join(" --test ")
            ))
        })?;
        self.check("Documentation tests", || {
            cargo("test --workspace --profile local --doc")
        })?;
        self.check("Architecture tests", || {
            cargo("test --workspace --profile local --test architecture")
        })
    }

    /// The template and the state machines.
    fn infrastructure(&mut self) -> Outcome {
        let (layout, console) = (self.layout, self.console);
        self.check("Template: cfn-lint", || {
            let mut lint = Command::new(tools::program(layout, Kit::Sam, "cfn-lint"));
            tools::keep_compiled(layout, &mut lint);
            lint.current_dir(layout.root())
                .arg("--template")
                .arg(layout.template());
            visibly(console, "cfn-lint", &mut lint)
        })?;
        self.check("Template: sam validate", || {
            let mut validate = sam::sam(layout);
            sam::without_account(&mut validate);
            validate
                .args([
                    "validate",
                    "--lint",
                    "--region",
                    "us-east-1",
                    "--template-file",
                ])
                .arg(layout.template());
            visibly(console, "sam validate", &mut validate)
        })?;
        self.check("State machines: asl-validator", || {
            let mut validate =
                Command::new(tools::program(layout, Kit::Validators, "asl-validator"));
            validate.current_dir(layout.root());
            for machine in state_machines(layout)? {
                validate.arg("--json-path").arg(machine);
            }
            visibly(console, "asl-validator", &mut validate)
        })
    }

    /// What the API and the events say of themselves.
    fn documents(&mut self) -> Outcome {
        let (layout, console) = (self.layout, self.console);
        self.check("API document: Redocly", || {
            let mut lint = Command::new(tools::program(layout, Kit::Validators, "redocly"));
            lint.current_dir(layout.root())
                .env("REDOCLY_TELEMETRY", "off")
                .env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
            lint.arg("lint")
                .arg("--config")
                .arg(layout.contract().join("redocly.yaml"))
                .arg(layout.openapi());
            visibly(console, "redocly lint", &mut lint)
        })?;
        self.check("Event document: AsyncAPI parser", || {
            let mut validate = Command::new("node");
            validate
                .arg(layout.local_infra().join("asyncapi.mjs"))
                .arg(tools::folder(layout, Kit::Validators))
                .arg(layout.asyncapi());
            visibly(console, "The AsyncAPI parser", &mut validate)
        })
    }

    /// A stack of its own, and the tests that drive it from outside.
    fn system(&mut self) -> Outcome {
        let stack = Stack::new(self.layout, Purpose::Test);
        let _claim = stack.claim(self.console)?;
        // A run that was killed may have left one.
        stack.down()?;
        let result = self.with_stack(&stack);
        let stopped = stack.down();
        let logs = format!("All logs of the run are in {}.", stack.logs().display());
        result.map_err(|failure| failure.advice(logs))?;
        stopped.map(drop)
    }

    fn with_stack(&mut self, stack: &Stack) -> Outcome {
        let (console, saga) = (self.console, self.saga);
        let running = self.check("A stack for the system tests", || {
            stack.up(console, Some(saga))
        })?;
        let result = self.system_tests(stack, &running);
        // The functions' logs end with the local cloud.
        let saved = stack.save_function_logs(&running.settings);
        result.and(saved)?;
        self.check("Secrets in logs and spans", || {
            let logs = stack.logs();
            let looked_for = secrets::check(&stack.settings_file(), &running.settings, &logs)?;
            console.line(&format!("  none of {looked_for}"));
            Ok(())
        })
    }

    fn system_tests(&mut self, stack: &Stack, running: &Running) -> Outcome {
        let (layout, console) = (self.layout, self.console);
        self.check("Binaries", || {
            let found = binaries::check(&running.built)?;
            console.line(&format!("  {found}"));
            Ok(())
        })?;
        self.check("Units that an order takes", || {
            count_units(layout, console, stack)
        })?;
        // Before the system tests, which leave orders behind that the console would rightly show a red light for.
        self.check("Pages in a browser", || {
            npm_test(console, &layout.web(), &["run", "check"], running)?;
            npm_test(console, &layout.web(), &["test"], running)
        })?;
        self.check("System tests", || system_tests(layout, console, stack, &[]))?;
        self.check("TypeScript client", || {
            let (client, log) = (layout.typescript_client(), stack.logs().join("client.log"));
            site::install(&client, &log)?;
            npm_test(console, &client, &["run", "check"], running)?;
            npm_test(console, &client, &["test"], running)
        })?;
        let other = self.saga.other();
        self.check("The same stack with sagas of the other type", || {
            stack.up(console, Some(other)).map(drop)
        })?;
        self.check("Units that an order takes there", || {
            count_units(layout, console, stack)
        })?;
        self.check("System tests about sagas", || {
            system_tests(layout, console, stack, &SAGAS)
        })?;
        // The last of all: it fills the stack with what only a machine would think of.
        let options = self.contract;
        self.check("Contract tests", || {
            contract::test(layout, console, &running.settings, &stack.logs(), options)
        })
    }

    /// Runs one check under a heading of its own.
    fn check<T>(&mut self, title: &'static str, run: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        self.console.heading(title);
        let began = Instant::now();
        let result = run();
        let took = began.elapsed();
        self.done.push((title, took, result.is_ok()));
        let verdict = if result.is_ok() { "passed" } else { "failed" };
        self.console.done(&format!("{title}: {verdict}"), took);
        result
    }

    fn summary(&self, took: Duration) {
        self.console.heading("Summary");
        for (title, took, passed) in &self.done {
            let verdict = if *passed {
                self.console.paint(Tone::Good, "passed")
            } else {
                self.console.paint(Tone::Bad, "FAILED")
            };
            self.console
                .line(&format!("  {title:<32} {verdict} {:>14}", seconds(*took)));
        }
        self.console.line(&format!(
            "  {:<32}        {:>14}",
            "altogether",
            seconds(took)
        ));
    }
}

/// Counts what an order takes, while nothing else goes on: exact counts bear no faults of others.
fn count_units(layout: &Layout, console: &Console, stack: &Stack) -> Outcome {
    outside_tests(layout, console, stack, "costs", &[])
}

/// Runs those system tests whose names hold one of `filters`, or all of them if there is none.
fn system_tests(layout: &Layout, console: &Console, stack: &Stack, filters: &[&str]) -> Outcome {
    // They wait more than they work: for sagas, queues and the payment gateway's patience.
    let arguments = [&["--test-threads=4"], filters].concat();
    outside_tests(layout, console, stack, "system", &arguments)
}

/// Runs a group of the tests that look at the stack from outside, with what else these are told.
fn outside_tests(
    layout: &Layout,
    console: &Console,
    stack: &Stack,
    group: &str,
    arguments: &[&str],
) -> Outcome {
    let mut tests = build::cargo(layout);
    tests.args(["test", "--workspace", "--profile", "local", "--test", group]);
    tests.arg("--").args(arguments);
    tests.env("OXCART_STACK_ENV", stack.settings_file());
    visibly(console, &format!("The {group} tests"), &mut tests)
}

/// Runs cargo in the foreground. No argument has a space in it.
fn cargo(layout: &Layout, console: &Console, arguments: &str) -> Outcome {
    let mut command = build::cargo(layout);
    command.args(arguments.split(' '));
    visibly(console, &format!("cargo {arguments}"), &mut command)
}

/// Runs what an npm project calls its tests, against the stack.
fn npm_test(console: &Console, project: &Path, arguments: &[&str], running: &Running) -> Outcome {
    let mut npm = site::npm(project);
    sam::without_account(&mut npm);
    npm.args(arguments).envs(running.settings.all());
    visibly(console, &format!("npm {}", arguments.join(" ")), &mut npm)
}

fn visibly(console: &Console, name: &str, command: &mut Command) -> Outcome {
    let _quiet = console.leave_to_others();
    tool::run_visibly(name, command)
}

fn state_machines(layout: &Layout) -> Outcome<Vec<PathBuf>> {
    let folder = layout.state_machines();
    let entries =
        std::fs::read_dir(&folder).explain(|| format!("Could not read {}", folder.display()))?;
    let machines: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    if machines.is_empty() {
        return Err(Failure::new(format!(
            "There is no state machine in {}.",
            folder.display()
        )));
    }
    Ok(machines)
}

/// Integration tests of packages other than the one that has steps of its own. None may be left out.
fn other_integration_tests(layout: &Layout) -> Outcome<Vec<String>> {
    let mut metadata = build::cargo(layout);
    metadata.args(["metadata", "--no-deps", "--format-version", "1"]);
    let metadata = tool::output_of("cargo metadata", &mut metadata)?;
    let metadata: Value =
        serde_json::from_str(&metadata).explain(|| "cargo metadata is no JSON".to_owned())?;
    let packages = metadata
        .get("packages")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let targets = packages
        .filter(|package| package.get("name").and_then(Value::as_str) != Some(OUTSIDE))
        .flat_map(|package| {
            package
                .get("targets")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
        });
    let tests =
        targets.filter(|target| target.pointer("/kind/0").and_then(Value::as_str) == Some("test"));
    Ok(tests
        .filter_map(|target| target.get("name")?.as_str().map(str::to_owned))
        .collect())
}
