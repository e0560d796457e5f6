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
pub(crate) const OPERATOR: &str = "oxcart-ops";

/// The program that measures, and its package.
pub(crate) const BENCH: &str = "oxcart-bench";

/// The bare functions that others are measured against.
const BARE: [&str; 2] = ["hello", "one-call"];

/// What the functions are built for.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Profile {
    /// The laptop and CI: quick to build.
    Local,
    /// AWS: small and quick to start.
    Release,
}

/// What of the functions is built.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Selection<'a> {
    /// All of them.
    Functions,
    /// Those of these names, or all of them without any, and the bare ones.
    Measured(&'a [String]),
}

/// What a build produced.
#[derive(Default)]
pub(crate) struct Built {
    /// The executable of each function, by the function's name.
    pub(crate) functions: BTreeMap<String, PathBuf>,
    /// The executables of other packages, by name.
    programs: BTreeMap<String, PathBuf>,
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
    packages(
        layout,
        console,
        profile,
        Selection::Functions,
        &layout.packages(),
    )
}

/// Builds the functions named in `only`, or all of them without any, and the bare ones, and puts each into `folder` as
/// it would be deployed.
pub(crate) fn measured(
    layout: &Layout,
    console: &Console,
    profile: Profile,
    only: &[String],
    folder: &Path,
) -> Outcome {
    packages(layout, console, profile, Selection::Measured(only), folder).map(drop)
}

fn packages(
    layout: &Layout,
    console: &Console,
    profile: Profile,
    selection: Selection<'_>,
    folder: &Path,
) -> Outcome<Built> {
    tools::require_npm()?;
    thread::scope(|scope| {
        // The site's packages come over the network while the compiler has the processor.
        let site = scope.spawn(|| site::build(layout, console));
        let compiled = compile(layout, console, profile, selection);
        let site = wait::joined(site);
        let (built, task) = compiled?;
        site?;
        let placed = place(folder, &built)? + site::place(layout, folder, built.functions.keys())?;
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
fn compile(
    layout: &Layout,
    console: &Console,
    profile: Profile,
    selection: Selection<'_>,
) -> Outcome<(Built, Task)> {
    let task = console.task("building");
    let mut command = cargo(layout);
    command.args(["build", "--workspace", "--exclude", "xtask"]);
    match selection {
        Selection::Measured(only) if !only.is_empty() => {
            let wanted = only.iter().map(String::as_str).chain(BARE);
            command.args(wanted.flat_map(|name| ["--bin", name]));
        }
        Selection::Measured(_) => {
            command.arg("--bins");
        }
        // By name, because cargo then leaves out what only the tests and the benchmark depend on, and still unifies
        // their features with those of the functions, so that nothing is built anew when they are built.
        Selection::Functions => {
            let names = function_names(layout)?;
            command.args(names.iter().flat_map(|name| ["--bin", name]));
        }
    }
    match profile {
        Profile::Local => command.args(["--profile", "local"]),
        // What isn't deployed would add features to what is.
        Profile::Release => command.args([
            "--exclude",
            "oxcart-tests",
            "--exclude",
            OPERATOR,
            "--exclude",
            BENCH,
            "--release",
        ]),
    };
    if selection == Selection::Functions && profile == Profile::Release {
        command.args(["--exclude", "oxcart-hello"]);
    }
    let mut built = watch(layout, console, &task, &mut command)?;
    if let Selection::Measured(_) = selection {
        let bare = BARE.map(|name| built.programs.remove_entry(name));
        built.functions.extend(bare.into_iter().flatten());
    }
    if built.functions.is_empty() {
        return Err(Failure::new(
            "The workspace has no functions: no package under functions/ has a binary.",
        ));
    }
    Ok((built, task))
}

/// The names of all functions: each is a file under `functions/<service>/src/bin`.
fn function_names(layout: &Layout) -> Outcome<Vec<String>> {
    let files = files::under(&layout.root().join("functions"), &[])?;
    let binaries = files.iter().filter(|file| {
        file.extension().is_some_and(|extension| extension == "rs")
            && file
                .parent()
                .is_some_and(|parent| parent.ends_with("src/bin"))
    });
    let names = binaries.filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned()));
    Ok(names.collect())
}

/// Builds a program that isn't a function, and answers where it is.
pub(crate) fn program(layout: &Layout, console: &Console, name: &str) -> Outcome<PathBuf> {
    let task = console.task("building");
    let mut command = cargo(layout);
    // With the packages and the features of the functions' build, so that what they share is built once.
    command.args(["build", "--workspace", "--exclude", "xtask", "--bin", name]);
    command.args(["--profile", "local"]);
    let mut built = watch(layout, console, &task, &mut command)?;
    built
        .programs
        .remove(name)
        .ok_or_else(|| Failure::new(format!("Cargo built no {name}.")))
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
            let executables = if Path::new(manifest).starts_with(&functions) {
                &mut built.functions
            } else {
                &mut built.programs
            };
            if text("/target/kind/0") == Some("bin") {
                executables.insert(name.to_owned(), executable.into());
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

/// Puts each function into the folder of packages. Answers how many had changed.
fn place(packages: &Path, built: &Built) -> Outcome<usize> {
    fs::create_dir_all(packages).explain(|| format!("Could not create {}", packages.display()))?;
    for entry in fs::read_dir(packages)
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
