//! Logs: one JSON object a line on standard output, where Lambda collects them.

use std::{error::Error, fmt};

use tracing::{Level, level_filters::LevelFilter};
use tracing_subscriber::{
    filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::metrics;

/// Starts logging at `level` (`error`, `warn`, `info`, `debug` or `trace`; anything else is `info`), and recording
/// metrics of the stack of this name.
///
/// The level goes for our own crates. From all others nothing below `info` is written, whatever the
/// level: the Lambda runtime and the SDK tell whole requests there, passwords and tokens included.
pub fn init(level: Option<&str>, stack_name: Option<&str>) {
    metrics::start(stack_name);
    let level = level
        .and_then(|text| text.parse().ok())
        .unwrap_or(Level::INFO);
    let others = level.min(Level::INFO);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_target(false);
    let written = Targets::new()
        .with_target("oxcart", LevelFilter::from_level(level))
        // The runtime logs whatever a handler answers as an error, business refusals too; what is one has
        // been logged where it was handled.
        .with_target("lambda_runtime::layers::panic", LevelFilter::OFF)
        .with_default(LevelFilter::from_level(others));
    tracing_subscriber::registry()
        .with(lines)
        .with(written)
        .init();
}

/// An error with all its causes in one line: `outer: cause: root cause`.
#[derive(Debug)]
pub struct Chain<'a>(pub &'a (dyn Error + 'a));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Layer(&'static str, Option<Box<Layer>>);

    impl fmt::Display for Layer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Layer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|cause| cause as _)
        }
    }

    #[test]
    fn an_error_is_logged_with_all_its_causes() {
        let error = Layer(
            "order not stored",
            Some(Box::new(Layer(
                "request failed",
                Some(Box::new(Layer("reset", None))),
            ))),
        );
        assert_eq!(
            Chain(&error).to_string(),
            "order not stored: request failed: reset"
        );
    }
}
