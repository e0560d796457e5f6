//! How long a developer waits: for the local stack, and for a build after an edit.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::build;
use crate::console::{Console, Tone, seconds};
use crate::failure::{Explain, Outcome};
use crate::layout::Layout;
use crate::stack::{Purpose, Stack};
use crate::tool;

/// What is waited for besides.
#[derive(clap::Args)]
pub(crate) struct MoreWaits {
    /// Of the local speed: also of the first `up` in a fresh clone.
    #[arg(long)]
    clean: bool,
    /// Of the local speed: also of `cargo xtask test`.
    #[arg(long)]
    test: bool,
}

/// What is waited for, how long it took, and how long it may take on two cores.
struct Wait {
    what: &'static str,
    took: Duration,
    bar: Option<Duration>,
}

/// The files that are edited: one that all depend on, and one that a single function is about.
const DOMAIN: &str = "shared/domain/src/quantity.rs";
const HANDLER: &str = "functions/inventory/src/get_product.rs";

/// Waits for each, and prints a table. Stops the local stack.
pub(crate) fn run(layout: &Layout, console: &Console, json: &Path, options: &MoreWaits) -> Outcome {
    let mut waits = Vec::new();
    let mut wait = |what, bar: Option<u64>, work: &dyn Fn() -> Outcome| -> Outcome {
        console.heading(what);
        let began = Instant::now();
        work()?;
        let bar = bar.map(Duration::from_secs);
        waits.push(Wait {
            what,
            took: began.elapsed(),
            bar,
        });
        Ok(())
    };
    if options.clean {
        let clone = layout.measured().join("clone");
        remove(&clone)?;
        wait("cargo xtask up in a fresh clone", Some(8 * 60), &|| {
            first_up(layout, &clone)
        })?;
        remove(&clone)?;
    }
    let build = || {
        let mut build = build::cargo(layout);
        tool::run_visibly("cargo xtask build", build.args(["xtask", "build"]))
    };
    build()?;
    wait(
        "rebuild after an edit of the domain crate",
        Some(20),
        &|| edited(layout, DOMAIN, &build),
    )?;
    build()?;
    wait("rebuild after an edit of one handler", Some(5), &|| {
        edited(layout, HANDLER, &build)
    })?;
    build()?;
    let stack = Stack::new(layout, Purpose::Play);
    stack.down()?;
    wait("cargo xtask up, everything built", Some(30), &|| {
        stack.up(console, None).map(drop)
    })?;
    if options.test {
        stack.down()?;
        wait("cargo xtask test, everything built", None, &|| {
            let mut test = build::cargo(layout);
            tool::run_visibly("cargo xtask test", test.args(["xtask", "test"]))
        })?;
    }
    show(console, &waits);
    write(json, &waits)
}

/// Brings a stack up in a clone of what is committed, and down again.
fn first_up(layout: &Layout, clone: &Path) -> Outcome {
    let mut git = Command::new("git");
    git.args(["clone", "--quiet", "--no-hardlinks"])
        .arg(layout.root())
        .arg(clone);
    tool::run_visibly("git clone", &mut git)?;
    for task in ["up", "down"] {
        let mut cargo = Command::new("cargo");
        cargo.args(["xtask", task]).current_dir(clone);
        tool::run_visibly(task, &mut cargo)?;
    }
    Ok(())
}

/// Does `work` while a file has a line more.
fn edited(layout: &Layout, file: &str, work: &dyn Fn() -> Outcome) -> Outcome {
    let path = layout.root().join(file);
    let source = fs::read_to_string(&path).explain(|| format!("Could not read {file}"))?;
    let replace =
        |source: &str| fs::write(&path, source).explain(|| format!("Could not write {file}"));
    replace(&format!("{source}\n// An edit.\n"))?;
    let result = work();
    replace(&source)?;
    result
}

fn remove(folder: &Path) -> Outcome {
    if folder.exists() {
        fs::remove_dir_all(folder).explain(|| format!("Could not remove {}", folder.display()))?;
    }
    Ok(())
}

fn show(console: &Console, waits: &[Wait]) {
    console.heading("How long a developer waits");
    for Wait { what, took, bar } in waits {
        let verdict = match bar {
            Some(bar) if took <= bar => {
                console.paint(Tone::Good, &format!("of {} at most", seconds(*bar)))
            }
            Some(bar) => console.paint(Tone::Bad, &format!("of {} at most", seconds(*bar))),
            None => String::new(),
        };
        console.line(&format!("  {what:<44} {:>14}  {verdict}", seconds(*took)));
    }
}

fn write(file: &Path, waits: &[Wait]) -> Outcome {
    let waits = waits.iter().map(|wait| {
        json!({"what": wait.what, "seconds": wait.took.as_secs_f64(), "bar": wait.bar.map(|bar| bar.as_secs())})
    });
    let text = waits.collect::<serde_json::Value>().to_string();
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).explain(|| format!("Could not create {}", folder.display()))?;
    }
    fs::write(file, text).explain(|| format!("Could not write {}", file.display()))
}
