//! Builds the functions and puts each where the template looks for it. Knows cargo, and no cloud.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;

use crate::console::{Console, Task};
use crate::environment;
use crate::failure::{Explain, Failure, Outcome};
use crate::files;
use crate::layout::Layout;
use crate::sam;
use crate::site;
use crate::tool;
use crate::tools;
use crate::wait;

/// The operator's program and its package.
const OPERATOR: &str = "oxcart-ops";

/// What the functions are built for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// The laptop and CI: quick to build.
    Local,
    /// AWS: small and quick to start.
    Release,
}

/// What a build produced.
#[derive(Default)]
pub(crate) struct Built {
    /// The executable of each function, by the function's name.
    pub(crate) functions: BTreeMap<String, PathBuf>,
    /// The operator's program.
    operator: Option<PathBuf>,
    /// Where the C library of each `aws-lc-sys` in the build lies.
    pub(crate) aws_lc: Vec<PathBuf>,
}

/// A cargo that doesn't see what the cargo that runs this program set for it.
pub(crate) fn cargo(layout: &Layout) -> Command {
    let mut cargo = Command::new(environment::cargo());
    cargo.current_dir(layout.root());
    sam::without_account(&mut cargo);
    for name in environment::names(&["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"]) {
        cargo.env_remove(name);
    }
    cargo
}

/// Builds every function and puts each at `target/lambda/<function>/bootstrap`, with the site beside those that serve
/// it.
pub(crate) fn functions(layout: &Layout, console: &Console, profile: Profile) -> Outcome<Built> {
    tools::require_npm()?;
    thread::scope(|scope| {
        // The site's packages come over the network while the compiler has the processor.
        let site = scope.spawn(|| site::build(layout, console));
        let compiled = compile(layout, console, profile);
        let site = wait::joined(site);
        let (built, task) = compiled?;
        site?;
        let placed = place(layout, &built)? + site::place(layout, built.functions.keys())?;
        task.done(&match placed {
            0 => format!("{} functions are up to date", built.functions.len()),
            _ => format!(
                "built {} functions, {placed} of them new or changed",
                built.functions.len()
            ),
        });
        Ok(built)
    })
}

/// Compiles every function.
fn compile(layout: &Layout, console: &Console, profile: Profile) -> Outcome<(Built, Task)> {
    let task = console.task("building");
    let mut command = cargo(layout);
    command.args(["build", "--workspace", "--exclude", "xtask", "--bins"]);
    match profile {
        // There are no examples. But asking for them makes cargo unify the features of development
        // dependencies too, as it does for the tests, and so nothing is built twice.
        Profile::Local => command.args(["--examples", "--profile", "local"]),
        // The operator's program isn't deployed.
        Profile::Release => command.args([
            "--exclude",
            "oxcart-tests",
            "--exclude",
            OPERATOR,
            "--release",
        ]),
    };
    let built = watch(layout, console, &task, &mut command)?;
    if built.functions.is_empty() {
        return Err(Failure::new(
            "The workspace has no functions: no package under functions/ has a binary.",
        ));
    }
    Ok((built, task))
}

/// Builds the operator's program, and answers where it is.
pub(crate) fn operator(layout: &Layout, console: &Console) -> Outcome<PathBuf> {
    let task = console.task("building");
    let mut command = cargo(layout);
    // With the packages and the features of the functions' build, of which this is a part: nothing is built twice.
    command.args([
        "build",
        "--workspace",
        "--exclude",
        "xtask",
        "--bin",
        OPERATOR,
    ]);
    command.args(["--examples", "--profile", "local"]);
    let built = watch(layout, console, &task, &mut command)?;
    built
        .operator
        .ok_or_else(|| Failure::new(format!("Cargo built no {OPERATOR}.")))
}

/// Builds everything that there is, tests included, so that all of it is built side by side.
pub(crate) fn everything(layout: &Layout, console: &Console) -> Outcome {
    let task = console.task("building");
    let mut command = cargo(layout);
    command.args([
        "build",
        "--workspace",
        "--all-targets",
        "--profile",
        "local",
    ]);
    watch(layout, console, &task, &mut command)?;
    task.done("built everything");
    Ok(())
}

/// Runs a cargo build, shows how far it is, and reads what it produced.
fn watch(layout: &Layout, console: &Console, task: &Task, command: &mut Command) -> Outcome<Built> {
    command.args(["--message-format", "json-render-diagnostics"]);
    // Cargo alone knows how many units there are to build, and tells it in its progress bar only.
    command
        .env("CARGO_TERM_PROGRESS_WHEN", "always")
        .env("CARGO_TERM_PROGRESS_WIDTH", "100");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .map_err(|error| tool::could_not_start("cargo", &error))?;
    let (messages, remarks) = (child.stdout.take(), child.stderr.take());
    let built = thread::scope(|scope| {
        scope.spawn(|| follow(console, task, remarks));
        read(layout, messages)
    });
    let status = child
        .wait()
        .explain(|| "Could not wait for cargo".to_owned())?;
    if status.success() {
        Ok(built)
    } else {
        Err(Failure::new(
            "The build failed; the compiler's words are above.",
        ))
    }
}

/// Reads cargo's messages about what it built.
fn read(layout: &Layout, messages: Option<impl Read>) -> Built {
    let functions = layout.root().join("functions");
    let mut built = Built::default();
    for line in messages
        .map(BufReader::new)
        .into_iter()
        .flat_map(BufRead::lines)
        .map_while(Result::ok)
    {
        let Ok(message) = serde_json::from_str::<Value>(&line) else {
            continue;
        };
        let text = |pointer| message.pointer(pointer).and_then(Value::as_str);
        if let (Some(manifest), Some(name), Some(executable)) = (
            text("/manifest_path"),
            text("/target/name"),
            text("/executable"),
        ) {
            if Path::new(manifest).starts_with(&functions) && text("/target/kind/0") == Some("bin")
            {
                built.functions.insert(name.to_owned(), executable.into());
            } else if name == OPERATOR && text("/target/kind/0") == Some("bin") {
                built.operator = Some(executable.into());
            }
        } else if text("/reason") == Some("build-script-executed")
            && text("/package_id").is_some_and(|id| id.contains("#aws-lc-sys@"))
        {
            built.aws_lc.extend(text("/out_dir").map(PathBuf::from));
        }
    }
    built
}

/// Follows cargo's progress bar, and passes on whatever else it says.
fn follow(console: &Console, task: &Task, remarks: Option<impl Read>) {
    let Some(remarks) = remarks else {
        return;
    };
    let mut remarks = BufReader::new(remarks);
    let mut part = Vec::new();
    loop {
        // The bar is drawn anew after a carriage return; everything else ends with a line feed.
        part.clear();
        let ends = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let mut ended = false;
        while !ended {
            let Ok(bytes) = remarks.fill_buf() else {
                return;
            };
            if bytes.is_empty() {
                return;
            }
            let taken = match bytes.iter().position(ends) {
                Some(end) => {
                    ended = true;
                    end + 1
                }
                None => bytes.len(),
            };
            part.extend(bytes.iter().take(taken));
            remarks.consume(taken);
        }
        let text = String::from_utf8_lossy(&part);
        let text = text.trim_end();
        if let Some(progress) = progress(text) {
            task.at(&progress);
        } else if text.trim_start().starts_with("Blocking") {
            task.at("(waiting for another cargo)");
        } else if !is_routine(text) {
            console.line(text);
        }
    }
}

/// `120/371 aws-sdk-sns` out of `    Building [====>   ] 120/371: aws-sdk-sns, http`.
fn progress(text: &str) -> Option<String> {
    let (bar, rest) = text.split_once("] ")?;
    if !bar.trim_start().starts_with("Building [") {
        return None;
    }
    let (count, names) = rest.split_once(':').unwrap_or((rest, ""));
    let name = names.split(',').next().unwrap_or_default();
    Some(
        format!("{} {}", count.trim(), name.trim())
            .trim_end()
            .to_owned(),
    )
}

/// What cargo says of a build that goes well.
fn is_routine(text: &str) -> bool {
    let routine = [
        "Compiling",
        "Finished",
        "Fresh",
        "Downloading",
        "Downloaded",
        "Locking",
        "Updating",
        "Adding",
    ];
    let text = text.trim_start().trim_start_matches("\u{1b}[K");
    text.is_empty() || routine.iter().any(|word| text.starts_with(word))
}

/// Puts each function where the template looks for it. Answers how many had changed.
fn place(layout: &Layout, built: &Built) -> Outcome<usize> {
    let packages = layout.packages();
    fs::create_dir_all(&packages).explain(|| format!("Could not create {}", packages.display()))?;
    for entry in fs::read_dir(&packages)
        .explain(|| format!("Could not read {}", packages.display()))?
        .flatten()
    {
        if !built
            .functions
            .contains_key(entry.file_name().to_string_lossy().as_ref())
        {
            let gone = entry.path();
            fs::remove_dir_all(&gone).explain(|| format!("Could not remove {}", gone.display()))?;
        }
    }
    let mut placed = 0;
    for (name, executable) in &built.functions {
        let bootstrap = packages.join(name).join("bootstrap");
        if !files::is_same(executable, &bootstrap) {
            files::link(executable, &bootstrap)?;
            placed += 1;
        }
    }
    Ok(placed)
}

#[cfg(test)]
mod tests {
    use super::{is_routine, progress};

    #[test]
    fn the_progress_bar_tells_how_far_the_build_is() {
        let bar = "    Building [=======>       ] 120/371: aws-sdk-sns, http                 ";
        assert_eq!(progress(bar).as_deref(), Some("120/371 aws-sdk-sns"));
        assert_eq!(progress("   Compiling http v1.3.1"), None);
    }

    #[test]
    fn only_what_a_good_build_says_is_kept_back() {
        assert!(is_routine("   Compiling http v1.3.1"));
        assert!(!is_routine("error[E0308]: mismatched types"));
        assert!(!is_routine("warning: unused variable: `x`"));
    }
}
