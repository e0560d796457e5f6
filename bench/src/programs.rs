//! The programs that are measured: the functions, the bare ones that they are measured against, and the same endpoint in
//! other languages.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::Value;

use crate::{failure::Failure, replies::Play};

/// The name of the bare function.
pub(crate) const HELLO: &str = "hello";

/// The name of the one that makes a call besides, and the function whose call it is.
const ONE_CALL: &str = "one-call";
const ITS_CALL: &str = "get-product";

/// The function whose work the programs in other languages do.
pub(crate) const COUNTERPART: &str = "place-order";

/// Something that Lambda could run.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// Its name in tables.
    pub(crate) name: String,
    /// Whether it is one of ours, or what ours are seen beside.
    pub(crate) kind: Kind,
    /// How it is started.
    pub(crate) command: Vec<String>,
    /// Where it is started, and where Lambda would have unpacked it.
    pub(crate) folder: PathBuf,
    /// The files and folders that are uploaded.
    pub(crate) package: Vec<PathBuf>,
    /// What it is invoked with.
    pub(crate) event: Value,
    /// What it is answered by what it calls.
    pub(crate) play: Play,
    /// How much memory it is given, which is to say, how much of a CPU.
    pub(crate) memory_mb: u32,
}

/// What a program is to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One of our functions.
    Function,
    /// A bare one.
    Bare,
    /// In another language.
    Other,
}

/// The environment of the functions: `environment.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Environment {
    /// Every variable that the template sets, with a value that works here. `{stand-in}` is where that listens.
    pub(crate) variables: BTreeMap<String, String>,
    /// The memory in MB of the functions that have another than the rest.
    memory_mb: BTreeMap<String, u32>,
}

/// The memory in MB of the rest.
const MEMORY_MB: u32 = 256;

impl Environment {
    /// That of the functions, out of the sources in `bench`.
    pub(crate) fn read(bench: &Path) -> Result<Self, Failure> {
        json(&bench.join("environment.json"))
    }
}

/// The functions whose packages are in `packages`, only those of the names in `only` unless it is empty, and the bare
/// ones before them.
pub(crate) fn functions(
    root: &Path,
    packages: &Path,
    environment: &Environment,
    only: &[String],
) -> Result<Vec<Program>, Failure> {
    let what = || Failure::machine(format!("read {}", packages.display()));
    let mut names = Vec::new();
    for entry in fs::read_dir(packages).map_err(what())? {
        let name = entry.map_err(what())?.file_name();
        names.push(name.to_string_lossy().into_owned());
    }
    if let Some(unknown) = only.iter().find(|name| !names.contains(name)) {
        return Err(Failure::Unknown(unknown.clone()));
    }
    let bare = |name: &str| [HELLO, ONE_CALL].iter().position(|bare| *bare == name);
    names.retain(|name| bare(name).is_some() || only.is_empty() || only.contains(name));
    names.sort_by_key(|name| (bare(name).unwrap_or(usize::MAX), name.clone()));
    let program = |name: String| {
        let folder = packages.join(&name);
        let answered_as = if name == ONE_CALL { ITS_CALL } else { &name };
        let play = Play::read(&root.join("bench/replies"), answered_as)?;
        let (kind, event) = if bare(&name).is_some() {
            (Kind::Bare, serde_json::json!({}))
        } else {
            let event = json(&root.join(format!("events/{name}.json")))?;
            (Kind::Function, event)
        };
        Ok(Program {
            kind,
            command: vec![folder.join("bootstrap").display().to_string()],
            package: vec![folder.clone()],
            folder,
            event,
            play,
            memory_mb: environment
                .memory_mb
                .get(&name)
                .copied()
                .unwrap_or(MEMORY_MB),
            name,
        })
    };
    names.into_iter().map(program).collect()
}

/// The same endpoint in Python and in JavaScript, as they are set up in `folder`.
pub(crate) fn others(root: &Path, folder: &Path) -> Result<Vec<Program>, Failure> {
    let event: Value = json(&root.join(format!("events/{COUNTERPART}.json")))?;
    let sources = root.join("bench/others");
    let python = folder.join("python");
    let libraries = python.join("lib");
    let node = folder.join("node");
    let other =
        |name: &str, command: Vec<String>, folder: PathBuf, package: Vec<PathBuf>| Program {
            name: name.to_owned(),
            kind: Kind::Other,
            command,
            folder,
            package,
            event: event.clone(),
            play: Play::default(),
            memory_mb: MEMORY_MB,
        };
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let interpreter = python.join("bin/python").display().to_string();
    let app = sources.join("python/app.py");
    let bundle = node.join("bundle/app.mjs");
    Ok(vec![
        other(
            "Python, boto3",
            words(&[&interpreter, "-m", "awslambdaric", "app.handler"]),
            sources.join("python"),
            vec![libraries, app],
        ),
        other(
            "Node.js, SDK v3",
            words(&["node", &bundle.display().to_string()]),
            node,
            vec![bundle],
        ),
    ])
}

fn json<T: serde::de::DeserializeOwned>(file: &Path) -> Result<T, Failure> {
    let what = Failure::machine(format!("read {}", file.display()));
    serde_json::from_slice(&fs::read(file).map_err(what)?).map_err(Failure::file(file))
}
