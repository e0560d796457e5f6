//! What a command says when it can't go on: what failed, why, and what to do about it.

use std::fmt::{self, Display, Formatter};
use std::path::{Path, PathBuf};

/// How many of a log's last lines are shown with a failure.
const TAIL_LINES: usize = 25;

/// The result of a step that a person waits for.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// A failure in words for the person at the keyboard.
#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    advice: Option<String>,
    log: Option<PathBuf>,
}

impl Failure {
    /// A failure that says `what` went wrong, as a whole sentence.
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            advice: None,
            log: None,
        }
    }

    /// Adds what the reader can do about it.
    pub(crate) fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// Adds the log of the tool that failed: its last lines are shown.
    pub(crate) fn log(mut self, log: &Path) -> Self {
        self.log = Some(log.to_owned());
        self
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(log) = &self.log {
            let text = std::fs::read(log).unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            let lines: Vec<&str> = text
                .lines()
                .filter(|line| !line.trim().is_empty())
                .collect();
            let hidden = lines.len().saturating_sub(TAIL_LINES);
            write!(f, "\n  The end of {}:", log.display())?;
            for line in lines.iter().skip(hidden) {
                write!(f, "\n  | {line}")?;
            }
        }
        if let Some(advice) = &self.advice {
            write!(f, "\n  {advice}")?;
        }
        Ok(())
    }
}

/// Turns any error into a [`Failure`] by saying what was being done.
pub(crate) trait Explain<T> {
    /// `what` is what could not be done, without a full stop: the error itself follows it.
    fn explain(self, what: impl FnOnce() -> String) -> Outcome<T>;
}

impl<T, E: Display> Explain<T> for Result<T, E> {
    fn explain(self, what: impl FnOnce() -> String) -> Outcome<T> {
        self.map_err(|error| Failure::new(format!("{}: {error}.", what())))
    }
}
