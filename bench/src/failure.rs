//! What ends a measurement, in words for the person who waits for it.

use std::{io, path::Path, time::Duration};

/// Why nothing, or not all, could be measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The machine didn't do something.
    #[error("could not {what}: {source}")]
    Machine {
        /// What it didn't.
        what: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file doesn't hold what it should.
    #[error("{file} is unusable: {source}")]
    File {
        /// Which one.
        file: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The certificates could not be made.
    #[error("could not make certificates: {0}")]
    Certificates(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A program did nothing for too long.
    #[error("{program} did not {what}, or not within {limit:?}; its log is {log}")]
    Silent {
        /// Which one.
        program: String,
        /// What it should have done.
        what: &'static str,
        /// How long it had.
        limit: Duration,
        /// What it wrote.
        log: String,
    },
    /// A program answered otherwise than its sample event should be answered.
    #[error(
        "{program} did not take its success path: {answer}\n  it called {calls:?}; its log is {log}"
    )]
    Refused {
        /// Which one.
        program: String,
        /// What it answered.
        answer: String,
        /// What it called before.
        calls: Vec<String>,
        /// What it wrote.
        log: String,
    },
    /// The stand-in for DynamoDB didn't do something.
    #[error("could not {what}: {source}")]
    Store {
        /// What it didn't.
        what: &'static str,
        /// Why.
        #[source]
        source: Box<dynoxide::DynoxideError>,
    },
    /// A service didn't do something that it must.
    #[error("could not {what}: {}", whole(source.as_ref()))]
    Service {
        /// What it didn't.
        what: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What was found can't be, if every unit is sold once.
    #[error("the books don't balance: {0}")]
    Books(String),
    /// There is no such function.
    #[error("there is no function {0}")]
    Unknown(String),
}

/// An error with everything that it came from.
fn whole(error: &(dyn std::error::Error + 'static)) -> String {
    let chain = std::iter::successors(Some(error), |error| error.source());
    let parts: Vec<String> = chain.map(ToString::to_string).collect();
    parts.join(": ")
}

impl Failure {
    /// The machine didn't do `what`.
    pub(crate) fn machine(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        |source| Self::Machine {
            what: what.into(),
            source,
        }
    }

    /// The stand-in for DynamoDB didn't do `what`.
    pub(crate) fn store(what: &'static str) -> impl FnOnce(dynoxide::DynoxideError) -> Self {
        move |source| Self::Store {
            what,
            source: Box::new(source),
        }
    }

    /// A service didn't do `what`.
    pub(crate) fn service<E>(what: impl Into<String>) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        |source| Self::Service {
            what: what.into(),
            source: source.into(),
        }
    }

    /// `file` doesn't hold what it should.
    pub(crate) fn file<E>(file: &Path) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        |source| Self::File {
            file: file.display().to_string(),
            source: source.into(),
        }
    }
}
