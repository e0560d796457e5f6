//! Runs the random walk of the system tests for longer than a check may take, against a stack of its own.

use crate::build;
use crate::console::Console;
use crate::failure::Outcome;
use crate::layout::Layout;
use crate::stack::{Purpose, Running, SagaType, Stack};
use crate::tool;

/// Walks for `minutes`, with the decisions that follow from `seed`, or from a new one.
pub(crate) fn run(
    layout: &Layout,
    console: &Console,
    minutes: u64,
    seed: Option<u64>,
    saga: SagaType,
) -> Outcome {
    console.heading("A stack for the random walk");
    let stack = Stack::new(layout, Purpose::Test);
    let _claim = stack.claim(console)?;
    // A run that was killed may have left one.
    stack.down()?;
    let result = stack
        .up(console, Some(saga))
        .and_then(|running| walk(layout, console, &stack, &running, minutes, seed));
    let stopped = stack.down();
    let logs = format!("All logs of the run are in {}.", stack.logs().display());
    result.map_err(|failure| failure.advice(logs))?;
    stopped.map(drop)
}

fn walk(
    layout: &Layout,
    console: &Console,
    stack: &Stack,
    running: &Running,
    minutes: u64,
    seed: Option<u64>,
) -> Outcome {
    console.heading("Random walk");
    let mut test = build::cargo(layout);
    test.args(["test", "--workspace", "--profile", "local"]);
    test.args(["--test", "system", "random_walk::", "--", "--nocapture"]);
    test.env("OXCART_STACK_ENV", stack.settings_file());
    test.env(
        "OXCART_WALK_SECONDS",
        minutes.saturating_mul(60).to_string(),
    );
    if let Some(seed) = seed {
        test.env("OXCART_SEED", seed.to_string());
    }
    let quiet = console.leave_to_others();
    let walked = tool::run_visibly("The random walk", &mut test);
    drop(quiet);
    // The functions' logs end with the local cloud.
    let saved = stack.save_function_logs(&running.settings);
    walked.and(saved)
}
