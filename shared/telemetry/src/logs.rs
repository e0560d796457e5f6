//! Logs: one JSON object a line on standard output, where Lambda collects them.

use std::{error::Error, fmt};

use tracing::{Level, level_filters::LevelFilter};
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::{
    Layer as _, filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::{Tracer, metrics, span};

/// Starts logging at `level` (`error`, `warn`, `info`, `debug` or `trace`; anything else is `info`), recording
/// metrics of the stack of this name, and making the spans of traces if there is what makes them.
///
/// The level goes for our own crates. From all others nothing below `info` is written, whatever the
/// level: the Lambda runtime and the SDK tell whole requests there, passwords and tokens included.
pub fn init(level: Option<&str>, stack_name: Option<&str>, tracer: Option<Tracer>) {
    metrics::start(stack_name);
    let level = level
        .and_then(|text| text.parse().ok())
        .unwrap_or(Level::INFO);
    let others = level.min(Level::INFO);
    // It writes a span's fields when they change and not for each line, as `tracing-subscriber`'s own format does.
    let lines = json_subscriber::fmt::layer()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_target(false);
    let written = Targets::new()
        .with_target("oxcart", LevelFilter::from_level(level))
        .with_target(span::TARGET, LevelFilter::OFF)
        // The runtime logs whatever a handler answers as an error, business refusals too; what is one has
        // been logged where it was handled.
        .with_target("lambda_runtime::layers::panic", LevelFilter::OFF)
        .with_default(LevelFilter::from_level(others));
    let spans = tracer.map(|tracer| {
        OpenTelemetryLayer::new(tracer)
            .with_context_activation(false)
            .with_tracked_inactivity(false)
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_filter(Targets::new().with_target(span::TARGET, LevelFilter::INFO))
    });
    tracing_subscriber::registry()
        .with(lines.with_filter(written))
        .with(spans)
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
