//! Runs a program of somebody else and keeps what it said.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::Command;

use crate::failure::{Explain, Failure, Outcome};

/// Runs `command` to its end, with all that it says in `log`. A failure shows the log's last lines.
pub(crate) fn run_logged(name: &str, command: &mut Command, log: &Path) -> Outcome {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder).explain(|| format!("Could not create {}", folder.display()))?;
    }
    let file = File::create(log).explain(|| format!("Could not write {}", log.display()))?;
    let errors = file
        .try_clone()
        .explain(|| format!("Could not write {}", log.display()))?;
    let status = command
        .stdin(std::process::Stdio::null())
        .stdout(file)
        .stderr(errors)
        .status();
    let status = status.map_err(|error| could_not_start(name, &error))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::new(format!("{name} failed ({status}).")).log(log))
    }
}

/// Runs `command` to its end in the foreground, with this terminal.
pub(crate) fn run_visibly(name: &str, command: &mut Command) -> Outcome {
    let status = command
        .status()
        .map_err(|error| could_not_start(name, &error))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::new(format!(
            "{name} failed ({status}); its own words are above."
        )))
    }
}

/// Runs `command` to its end and answers what it wrote to its standard output.
pub(crate) fn output_of(name: &str, command: &mut Command) -> Outcome<String> {
    let output = command
        .output()
        .map_err(|error| could_not_start(name, &error))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let errors = String::from_utf8_lossy(&output.stderr);
        Err(Failure::new(format!(
            "{name} failed ({}): {}",
            output.status,
            errors.trim()
        )))
    }
}

/// The failure of a program that could not even be started.
pub(crate) fn could_not_start(name: &str, error: &io::Error) -> Failure {
    Failure::new(match error.kind() {
        io::ErrorKind::NotFound => format!("{name} is not on the PATH."),
        _ => format!("{name} could not be started: {error}."),
    })
}
