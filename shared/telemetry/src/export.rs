//! Where finished spans go: to a collector, over
//! [OTLP](https://opentelemetry.io/docs/specs/otlp/)/HTTP, at the end of each invocation.
//!
//! Not in the background: Lambda freezes an environment as soon as its answer is there, and may never thaw it. A
//! collector that is down or slow costs an invocation [`PATIENCE`] at most, and the next ones nothing for a while.

use std::{
    mem,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use opentelemetry::{Context, KeyValue, trace::TracerProvider as _};
pub use opentelemetry_http::{HttpClient as CollectorClient, HttpError as CollectorError};
use opentelemetry_otlp::{RetryPolicy, WithHttpConfig as _};
pub use opentelemetry_sdk::trace::SdkTracer as Tracer;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    resource::{EnvResourceDetector, TelemetryResourceDetector},
    trace::{SdkTracerProvider, Span, SpanData, SpanExporter as _, SpanProcessor},
};
use tokio::time::timeout;

/// How long a collector may take to answer.
const PATIENCE: Duration = Duration::from_millis(750);
/// How long one that did not is left alone; what finishes then is lost.
const PAUSE: Duration = Duration::from_secs(20);
/// How many spans of one invocation are kept.
const MOST: usize = 2048;

static EXPORT: OnceLock<Export> = OnceLock::new();

/// Why traces are not exported.
#[derive(Debug, thiserror::Error)]
#[error("the traces' exporter can't be made")]
pub struct ExportError(#[from] opentelemetry_otlp::ExporterBuildError);

/// The way to the collector.
#[derive(Debug)]
struct Export {
    exporter: opentelemetry_otlp::SpanExporter,
    finished: Finished,
    paused_until: Mutex<Option<Instant>>,
    /// Ends all spans when it is dropped.
    _provider: SdkTracerProvider,
}

/// The spans that are over and not exported yet.
#[derive(Debug, Clone, Default)]
struct Finished(Arc<Mutex<Vec<SpanData>>>);

/// Exports from now on, as the standard variables `OTEL_*` say, but for the service's name and what else the function
/// knows of itself, which `resource` says. Answers what makes the spans.
///
/// # Errors
/// When the variables make no sense.
pub fn export(
    client: impl CollectorClient + 'static,
    resource: impl IntoIterator<Item = (&'static str, String)>,
) -> Result<Tracer, ExportError> {
    let mut exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_http_client(client)
        // The next invocation is no time to try again.
        .with_retry_policy(RetryPolicy::disabled())
        .build()?;
    let resource = resource.into_iter();
    let resource = Resource::builder_empty()
        .with_attributes(resource.map(|(name, value)| KeyValue::new(name, value)))
        .with_detectors(&[
            Box::new(TelemetryResourceDetector),
            Box::new(EnvResourceDetector::new()),
        ])
        .build();
    exporter.set_resource(&resource);
    let finished = Finished::default();
    let provider = SdkTracerProvider::builder()
        .with_resource(resource)
        .with_span_processor(finished.clone())
        .build();
    let tracer = provider.tracer("oxcart");
    let _ = EXPORT.set(Export {
        exporter,
        finished,
        paused_until: Mutex::new(None),
        _provider: provider,
    });
    Ok(tracer)
}

/// Whether spans are exported: what costs something to find out for them needs finding out only then.
#[must_use]
pub fn is_exporting() -> bool {
    EXPORT.get().is_some()
}

/// Sends what has finished. Called at the end of each invocation, when all its spans have.
pub async fn flush() {
    if let Some(export) = EXPORT.get() {
        export.flush().await;
    }
}

impl Export {
    async fn flush(&self) {
        let spans = self.finished.take();
        if spans.is_empty() || self.is_paused() {
            return;
        }
        let failure = match timeout(PATIENCE, self.exporter.export(spans)).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the collector takes too long".to_owned(),
        };
        tracing::warn!(failure, "the spans were not exported");
        let until = Instant::now().checked_add(PAUSE);
        *self
            .paused_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = until;
    }

    fn is_paused(&self) -> bool {
        let until = self
            .paused_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }
}

impl Finished {
    fn take(&self) -> Vec<SpanData> {
        mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl SpanProcessor for Finished {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, span: SpanData) {
        let mut spans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if span.span_context.is_sampled() && spans.len() < MOST {
            spans.push(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}
