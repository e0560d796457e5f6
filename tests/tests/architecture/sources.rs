//! How the sources are laid out: what may stand where, and what things must not be called.

use std::path::{Path, PathBuf};

use oxcart_tests::workspace;

const BANNED: [&str; 7] = [
    "common", "utils", "helpers", "manager", "core", "base", "misc",
];

#[test]
fn mains_hold_wiring_only() {
    for file in sources().iter().filter(|file| is_binary(file)) {
        let source = workspace::text(file);
        let lines = source
            .lines()
            .filter(|line| !line.trim().is_empty() && !line.trim().starts_with("//"))
            .count();
        assert!(lines <= 15, "{} has {lines} lines of code", file.display());
    }
}

#[test]
fn every_module_says_what_it_is_for() {
    for file in sources()
        .iter()
        .chain(&workspace::files_below("tests", "rs"))
        .chain(&workspace::files_below("xtask", "rs"))
        .chain(&workspace::files_below("ops", "rs"))
        .chain(&workspace::files_below("bench", "rs"))
    {
        assert!(
            workspace::text(file).starts_with("//!"),
            "{} begins without //!",
            file.display()
        );
    }
}

#[test]
fn clients_are_made_in_the_wiring_only() {
    for file in sources() {
        let clients = outside_tests(&file).matches("Client::new(").count();
        let may = file.ends_with("wiring.rs") || file.ends_with("shared/operating/src/cloud.rs");
        assert!(clients == 0 || may, "{} makes a client", file.display());
    }
}

#[test]
fn only_the_table_module_of_a_service_speaks_of_dynamodb() {
    for file in sources()
        .iter()
        .filter(|file| relative(file).starts_with("functions"))
    {
        let speaks = outside_tests(file).contains("aws_sdk_dynamodb");
        let within_table = file
            .parent()
            .is_some_and(|folder| folder.ends_with("table"));
        let may = ["table.rs", "wiring.rs"]
            .iter()
            .any(|name| file.ends_with(name))
            || within_table;
        assert!(!speaks || may, "{} knows items", file.display());
    }
}

#[test]
fn what_operating_takes_is_known_in_one_place_each() {
    for (folder, word, may) in [
        ("ops", "aws_sdk_", &[][..]),
        ("ops", "env::var", &["cloud.rs"]),
        (
            "shared/operating",
            "aws_sdk_dynamodb",
            &["cloud.rs", "tables.rs"],
        ),
        ("shared/operating", "env::var", &[]),
    ] {
        for file in workspace::files_below(folder, "rs") {
            let speaks = outside_tests(&file).contains(word);
            let may = may.iter().any(|name| file.ends_with(name));
            assert!(!speaks || may, "{} speaks of {word}", file.display());
        }
    }
}

#[test]
fn the_environment_is_read_in_the_wiring_only() {
    for file in sources()
        .iter()
        .filter(|file| relative(file).starts_with("functions"))
    {
        let source = outside_tests(file);
        assert!(
            !source.contains("env::var")
                && (!source.contains(".variable(\"") || file.ends_with("wiring.rs")),
            "{} reads the environment",
            file.display()
        );
    }
}

#[test]
fn nothing_is_called_by_a_name_that_says_nothing() {
    let mut named = Vec::new();
    for folder in [
        "bench",
        "functions",
        "ops",
        "shared",
        "tests",
        "xtask",
        "statemachines",
        "infra",
        "events",
        "docs",
    ] {
        below(&workspace::root().join(folder), &mut named);
    }
    assert!(named.len() > 20, "the project has files");
    for path in named {
        let stem = path.file_stem().unwrap().to_string_lossy().to_lowercase();
        let banned = stem
            .split(['-', '_', '.'])
            .find(|word| BANNED.contains(word));
        assert_eq!(banned, None, "{}", path.display());
    }
}

fn sources() -> Vec<PathBuf> {
    let mut files = workspace::files_below("functions", "rs");
    files.extend(workspace::files_below("shared", "rs"));
    assert!(!files.is_empty());
    files
}

fn is_binary(file: &Path) -> bool {
    file.parent()
        .is_some_and(|folder| folder.ends_with("src/bin"))
}

/// The file without its unit tests, which stand last.
fn outside_tests(file: &Path) -> String {
    let source = workspace::text(file);
    source.split("#[cfg(test)]").next().unwrap().to_owned()
}

fn relative(file: &Path) -> PathBuf {
    file.strip_prefix(workspace::root())
        .unwrap_or(file)
        .to_owned()
}

fn below(folder: &Path, found: &mut Vec<PathBuf>) {
    for inner in workspace::folders(folder) {
        below(&inner, found);
        found.push(inner);
    }
    if let Ok(entries) = folder.read_dir() {
        found.extend(
            entries
                .map(|entry| entry.unwrap().path())
                .filter(|path| path.is_file()),
        );
    }
}
