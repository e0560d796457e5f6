//! Spans of traces, for whoever collects them with [OpenTelemetry](https://opentelemetry.io). Unless traces are
//! exported there are none, and everything here does nothing.
//!
//! They are kept apart from the spans that log lines are written in: those say whose a line is, these what took time.

use opentelemetry::{
    Array, Context, KeyValue, StringValue, Value,
    trace::{SpanContext, SpanId, Status, TraceContextExt as _, TraceFlags, TraceId, TraceState},
};
use tracing::{Instrument as _, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::{Invocation, TraceContext};

/// What tells these spans from all others.
pub(crate) const TARGET: &str = "oxcart_trace";

/// What a span does, seen from the trace:
/// [span kinds](https://opentelemetry.io/docs/specs/otel/trace/api/#spankind).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanKind {
    /// Handles a request.
    Server,
    /// Asks somebody and waits for the answer.
    Client,
    /// Sends a message.
    Producer,
    /// Handles a message.
    Consumer,
}

impl SpanKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
            Self::Producer => "producer",
            Self::Consumer => "consumer",
        }
    }
}

/// A span. It lasts until the last copy of it is gone.
#[derive(Debug, Clone)]
pub struct TraceSpan(Span);

impl TraceSpan {
    /// A span within the one that the work in hand is in.
    #[must_use]
    pub fn new(kind: SpanKind, name: &str) -> Self {
        Self(tracing::info_span!(
            target: TARGET,
            "span",
            otel.name = name,
            otel.kind = kind.as_str(),
        ))
    }

    /// A span within one of somewhere else.
    #[must_use]
    pub fn under(parent: TraceContext, kind: SpanKind, name: &str) -> Self {
        let span = Self::new(kind, name);
        if span.is_recorded() {
            let parent = Context::new().with_remote_span_context(parent.into());
            // Fails only for a span that has begun already.
            let _ = span.0.set_parent(parent);
        }
        span
    }

    /// No span.
    #[must_use]
    pub fn none() -> Self {
        Self(Span::none())
    }

    /// Whether it is there at all: what costs something to find out needs finding out only then.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        !self.0.is_disabled()
    }

    /// Says something about it, by a name of the
    /// [semantic conventions](https://opentelemetry.io/docs/specs/semconv/) where they have one. Never what tells of
    /// a person or pays: no address, no token.
    pub fn set(&self, attribute: &'static str, value: impl Into<Value>) {
        if self.is_recorded() {
            self.0.set_attribute(attribute, value);
        }
    }

    /// Says several things of one kind about it, as [`set`](Self::set) says one.
    pub fn set_all(&self, attribute: &'static str, values: Vec<String>) {
        let values = values.into_iter().map(StringValue::from).collect();
        self.set(attribute, Value::Array(Array::String(values)));
    }

    /// Says that it failed, and with what kind of error.
    pub fn fails(&self, error_type: impl Into<String>) {
        if self.is_recorded() {
            self.0.set_attribute("error.type", error_type.into());
            self.0.set_status(Status::error(""));
        }
    }

    /// Says that it has to do with a span of elsewhere, that it isn't within.
    pub fn links(&self, to: TraceContext, attributes: &[(&'static str, &'static str)]) {
        let attributes = attributes.iter().copied();
        let attributes = attributes.map(|(name, value)| KeyValue::new(name, value));
        self.0
            .add_link_with_attributes(to.into(), attributes.collect());
    }

    /// Where in which trace it is.
    #[must_use]
    pub fn position(&self) -> Option<TraceContext> {
        if !self.is_recorded() {
            return None;
        }
        let context = self.0.context();
        let span = context.span().span_context().clone();
        span.is_valid().then(|| TraceContext {
            trace_id: u128::from_be_bytes(span.trace_id().to_bytes()),
            span_id: u64::from_be_bytes(span.span_id().to_bytes()),
            sampled: span.is_sampled(),
        })
    }

    /// Does `work` in it.
    pub async fn around<T>(&self, work: impl Future<Output = T>) -> T {
        work.instrument(self.0.clone()).await
    }
}

/// Says something about the span of the invocation that is being handled, as [`TraceSpan::set`] does.
pub fn attribute(name: &'static str, value: impl Into<Value>) {
    if let Some(invocation) = Invocation::current() {
        invocation.span.set(name, value);
    }
}

/// Says that the invocation that is being handled failed, as [`TraceSpan::fails`] does.
pub fn failed(error_type: impl Into<String>) {
    if let Some(invocation) = Invocation::current() {
        invocation.span.fails(error_type);
    }
}

/// Says that the invocation that is being handled has to do with a span of elsewhere, that it isn't within.
pub fn link(to: TraceContext) {
    if let Some(invocation) = Invocation::current() {
        invocation.span.links(to, &[]);
    }
}

impl From<TraceContext> for SpanContext {
    fn from(position: TraceContext) -> Self {
        let flags = if position.sampled {
            TraceFlags::SAMPLED
        } else {
            TraceFlags::default()
        };
        Self::new(
            TraceId::from_bytes(position.trace_id.to_be_bytes()),
            SpanId::from_bytes(position.span_id.to_be_bytes()),
            flags,
            true,
            TraceState::default(),
        )
    }
}
