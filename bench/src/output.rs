//! What measuring leaves behind, and what it says of when and where that was.

use std::{fs, path::Path};

use serde::Serialize;
use time::{OffsetDateTime, macros::format_description};

use crate::failure::Failure;

/// Writes a file.
pub(crate) fn write(file: &Path, text: &str) -> Result<(), Failure> {
    fs::write(file, text).map_err(Failure::machine(format!("write {}", file.display())))
}

/// Writes what was found, in a folder that is made if there is none.
pub(crate) fn write_json(file: &Path, found: &impl Serialize) -> Result<(), Failure> {
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(Failure::machine("make a folder"))?;
    let json = serde_json::to_string_pretty(found).map_err(Failure::file(file))?;
    write(file, &json)
}

/// The day, as `2026-01-02`.
#[expect(clippy::disallowed_methods, reason = "a report says when it was made")]
pub(crate) fn today() -> String {
    let today = OffsetDateTime::now_utc();
    today
        .format(format_description!("[year]-[month]-[day]"))
        .unwrap_or_default()
}

/// How many CPUs the machine has.
pub(crate) fn cpus() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
