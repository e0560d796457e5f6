//! Installs the tools that the local stack and the checks need, pinned, under `.local/tools/`.
//! A tool whose lock file has not changed since it was installed is left alone.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use crate::console::Console;
use crate::failure::{Explain, Failure, Outcome};
use crate::layout::Layout;
use crate::tool;
use crate::wait;

/// The name of the file that says for which lock file a tool was installed: a copy of it.
const STAMP: &str = "installed-for";

/// The oldest Python that the locked packages run on.
const OLDEST_PYTHON: (u32, u32) = (3, 11);

/// The oldest Node.js that the locked packages run on.
const OLDEST_NODE: (u32, u32) = (20, 19);

/// How npm installs what a lock file says, and nothing else: no package runs a script of its own then.
pub(crate) const NPM_CI: [&str; 4] = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];

/// What to do when packages can't be installed.
pub(crate) const UNREACHABLE: &str =
    "Are the package registries reachable? Then run the command again.";

/// A set of tools that is installed as one.
#[derive(Clone, Copy)]
pub(crate) enum Kit {
    /// The local cloud and the payment stand-in.
    Emulator,
    /// SAM CLI and cfn-lint.
    Sam,
    /// cargo-lambda.
    CargoLambda,
    /// What tests the running API against its document.
    Schemathesis,
    /// The validators of documents and state machines.
    Validators,
}

impl Kit {
    /// Every kit there is.
    pub(crate) const ALL: [Self; 5] = [
        Self::Emulator,
        Self::Sam,
        Self::CargoLambda,
        Self::Schemathesis,
        Self::Validators,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Emulator => "emulator",
            Self::Sam => "sam",
            Self::CargoLambda => "cargo-lambda",
            Self::Schemathesis => "schemathesis",
            Self::Validators => "validators",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Emulator => "local cloud and payment stand-in",
            Self::Sam => "SAM CLI and cfn-lint",
            Self::CargoLambda => "cargo-lambda",
            Self::Schemathesis => "Schemathesis",
            Self::Validators => "validators of documents and state machines",
        }
    }

    fn locks(self, layout: &Layout) -> Vec<PathBuf> {
        let names: &[&str] = match self {
            Self::Emulator => &["emulator.txt", "emulator-sources.txt"],
            Self::Sam => &["sam.txt"],
            Self::CargoLambda => &["cargo-lambda.txt"],
            Self::Schemathesis => &["schemathesis.txt"],
            Self::Validators => &["package-lock.json"],
        };
        names
            .iter()
            .map(|name| layout.local_infra().join(name))
            .collect()
    }

    /// What the stamp of an up-to-date installation holds.
    fn lock(self, layout: &Layout) -> Outcome<Vec<u8>> {
        let mut stamp = Vec::new();
        for lock in self.locks(layout) {
            stamp.extend(fs::read(&lock).explain(|| format!("Could not read {}", lock.display()))?);
        }
        Ok(stamp)
    }
}

/// Where `kit` is installed.
pub(crate) fn folder(layout: &Layout, kit: Kit) -> PathBuf {
    layout.tools().join(kit.name())
}

/// The path of `program` out of `kit`.
pub(crate) fn program(layout: &Layout, kit: Kit, program: &str) -> PathBuf {
    let programs = if matches!(kit, Kit::Validators) {
        "node_modules/.bin"
    } else {
        "bin"
    };
    folder(layout, kit).join(programs).join(program)
}

/// Lets a Python program keep what it compiles, but not beside our own scripts.
pub(crate) fn keep_compiled(layout: &Layout, command: &mut Command) {
    command.env_remove("PYTHONDONTWRITEBYTECODE");
    command.env("PYTHONPYCACHEPREFIX", layout.tools().join("compiled"));
}

/// Makes sure that those of `kits` that are missing or out of date can be installed. Answers which they are.
///
/// Whoever installs beside long work asks this first: what is not on the machine should be said at once.
pub(crate) fn require(layout: &Layout, kits: &[Kit]) -> Outcome<Vec<Kit>> {
    let mut missing = Vec::new();
    for kit in kits.iter().copied() {
        let installed = fs::read(stamp(layout, kit));
        if !installed.is_ok_and(|stamp| kit.lock(layout).is_ok_and(|wanted| wanted == stamp)) {
            missing.push(kit);
        }
    }
    if missing.iter().any(|kit| !matches!(kit, Kit::Validators)) {
        require_python()?;
    }
    if missing.iter().any(|kit| matches!(kit, Kit::Validators)) {
        require_npm()?;
    }
    Ok(missing)
}

/// The file that is written last when a kit is installed.
pub(crate) fn stamp(layout: &Layout, kit: Kit) -> PathBuf {
    folder(layout, kit).join(STAMP)
}

/// Installs those of `kits` that are missing or out of date, side by side.
pub(crate) fn install(layout: &Layout, console: &Console, kits: &[Kit]) -> Outcome {
    let tools = layout.tools();
    fs::create_dir_all(&tools).explain(|| format!("Could not create {}", tools.display()))?;
    // Two commands at once must not install into the same folder.
    let guard = tools.join("lock");
    let guard = File::create(&guard).explain(|| format!("Could not write {}", guard.display()))?;
    guard
        .lock()
        .explain(|| format!("Could not lock {}", tools.display()))?;

    let missing = require(layout, kits)?;
    thread::scope(|scope| {
        let installs: Vec<_> = missing
            .iter()
            .map(|kit| scope.spawn(|| install_one(layout, console, *kit)))
            .collect();
        installs.into_iter().try_for_each(wait::joined)
    })
}

fn install_one(layout: &Layout, console: &Console, kit: Kit) -> Outcome {
    let folder = folder(layout, kit);
    let task = console.task(&format!("installing {}", kit.title()));
    if folder.exists() {
        fs::remove_dir_all(&folder).explain(|| format!("Could not remove {}", folder.display()))?;
    }
    let log = layout.tools().join(format!("{}.log", kit.name()));
    let installed = if matches!(kit, Kit::Validators) {
        install_npm(layout, &folder, &log)
    } else {
        install_python(&kit.locks(layout), &folder, &log)
    };
    installed.map_err(|failure| failure.advice(UNREACHABLE))?;
    if matches!(kit, Kit::Sam) {
        write_sam_settings(&folder)?;
    }
    let stamp = stamp(layout, kit);
    fs::write(&stamp, kit.lock(layout)?)
        .explain(|| format!("Could not write {}", stamp.display()))?;
    task.done(&format!("installed {}", kit.title()));
    Ok(())
}

/// A virtual environment without a pip of its own (which takes longer to unpack than most packages
/// take to install), filled from lock files that name every package and its hashes.
pub(crate) fn install_python(locks: &[PathBuf], folder: &Path, log: &Path) -> Outcome {
    let mut environment = Command::new("python3");
    environment
        .args(["-m", "venv", "--without-pip"])
        .arg(folder);
    tool::run_logged("python3 -m venv", &mut environment, log)?;
    for lock in locks {
        let mut install = Command::new("python3");
        install
            .args(["-m", "pip", "--python"])
            .arg(folder.join("bin/python"));
        // Without isolation what exists as source only is built with the locked setuptools. Compiling
        // everything takes longer than compiling what is used when it is used first.
        install.args([
            "install",
            "--no-deps",
            "--require-hashes",
            "--no-build-isolation",
            "--no-compile",
        ]);
        install.arg("-r").arg(lock);
        tool::run_logged("pip install", &mut install, log)?;
    }
    Ok(())
}

/// Where SAM CLI keeps its own settings.
pub(crate) fn sam_settings(layout: &Layout) -> PathBuf {
    folder(layout, Kit::Sam).join("settings")
}

/// SAM CLI reports home, asks once a week whether there is a newer version, and notes in the user's home
/// when it did. These settings lie in the installation instead, and say that it asked in the year 2100.
fn write_sam_settings(folder: &Path) -> Outcome {
    let folder = folder.join("settings");
    let what = || format!("Could not write to {}", folder.display());
    fs::create_dir_all(&folder).explain(what)?;
    let settings =
        serde_json::json!({"telemetryEnabled": false, "lastVersionCheck": 4_102_444_800_u64});
    fs::write(folder.join("metadata.json"), settings.to_string()).explain(what)
}

fn install_npm(layout: &Layout, folder: &Path, log: &Path) -> Outcome {
    fs::create_dir_all(folder).explain(|| format!("Could not create {}", folder.display()))?;
    for file in ["package.json", "package-lock.json"] {
        fs::copy(layout.local_infra().join(file), folder.join(file))
            .explain(|| format!("Could not copy {file} to {}", folder.display()))?;
    }
    let mut install = Command::new("npm");
    install.args(NPM_CI).current_dir(folder);
    tool::run_logged("npm ci", &mut install, log)
}

fn require_python() -> Outcome {
    let advice = format!(
        "The local stack needs Python {}.{} or newer with pip and venv as `python3` on the PATH.",
        OLDEST_PYTHON.0, OLDEST_PYTHON.1
    );
    let question = "import sys, pip, venv; print(sys.version_info[0], sys.version_info[1])";
    let answer = tool::output_of("python3", Command::new("python3").args(["-c", question]));
    let answer = answer.map_err(|failure| failure.advice(advice.as_str()))?;
    let mut numbers = answer
        .split_whitespace()
        .map(|number| number.parse::<u32>().unwrap_or(0));
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if found < OLDEST_PYTHON {
        let what = format!(
            "python3 is Python {}.{}, which is too old.",
            found.0, found.1
        );
        return Err(Failure::new(what).advice(advice));
    }
    Ok(())
}

/// Makes sure that npm is on the machine, with a Node.js that is new enough.
pub(crate) fn require_npm() -> Outcome {
    let advice = format!(
        "The site and the checks need Node.js {}.{} or newer with npm on the PATH.",
        OLDEST_NODE.0, OLDEST_NODE.1
    );
    let version = |program| {
        tool::output_of(program, Command::new(program).arg("--version"))
            .map_err(|failure| failure.advice(advice.as_str()))
    };
    version("npm")?;
    let found = version("node")?;
    let mut numbers = found
        .trim()
        .trim_start_matches('v')
        .split('.')
        .map(|number| number.parse::<u32>().unwrap_or(0));
    if (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) < OLDEST_NODE {
        let what = format!("node is Node.js {}, which is too old.", found.trim());
        return Err(Failure::new(what).advice(advice));
    }
    Ok(())
}
