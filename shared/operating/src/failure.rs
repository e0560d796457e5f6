//! What a command says when it can't go on: what failed, why, and what to do about it.

use std::error::Error;

use aws_sdk_sqs::error::ProvideErrorMetadata;

/// The result of a step that an operator waits for.
pub type Outcome<T = ()> = Result<T, Failure>;

/// A failure in words for the person at the keyboard.
#[derive(Debug, thiserror::Error)]
#[error("{what}{}", advice_below(.advice.as_deref()))]
pub struct Failure {
    what: String,
    advice: Option<String>,
    transient: bool,
}

impl Failure {
    /// A failure that says `what` went wrong, as a whole sentence.
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            advice: None,
            transient: false,
        }
    }

    /// A call to AWS that was not answered as hoped. `what` is what could not be done, without a full stop.
    pub fn of_call<E: Error + ProvideErrorMetadata>(what: &str, error: &E) -> Self {
        let why = match (error.code(), error.message()) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            (Some(code), None) => code.to_owned(),
            _ => chain(error),
        };
        Self {
            transient: true,
            ..Self::new(format!("{what}: {}.", why.trim_end_matches('.')))
        }
    }

    /// Whether trying again later can help: as with every call that was not answered as hoped.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        self.transient
    }

    /// Adds what the reader can do about it.
    #[must_use]
    pub fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }
}

/// Turns an error into a [`Failure`] by saying what was being done.
pub trait Explain<T> {
    /// `what` is what could not be done, without a full stop: the error itself follows it.
    fn explain(self, what: impl FnOnce() -> String) -> Outcome<T>;
}

impl<T, E: Error> Explain<T> for Result<T, E> {
    fn explain(self, what: impl FnOnce() -> String) -> Outcome<T> {
        self.map_err(|error| Failure::new(format!("{}: {}.", what(), chain(&error))))
    }
}

/// An error and what caused it, each in its own words.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

fn advice_below(advice: Option<&str>) -> String {
    advice.map_or_else(String::new, |advice| format!("\n  {advice}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_why_and_what_to_do() {
        let number: Result<u8, _> = "x".parse();
        let failure = number
            .explain(|| "The age can't be read".to_owned())
            .unwrap_err();
        let failure = failure.advice("Write it in digits.");
        assert_eq!(
            failure.to_string(),
            "The age can't be read: invalid digit found in string.\n  Write it in digits."
        );
    }
}
