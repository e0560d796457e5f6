//! One invocation: its span, its trace and its log line.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

use lambda_runtime::Context;
use oxcart_telemetry::TraceContext;
use tracing::Instrument as _;

static COLD: AtomicBool = AtomicBool::new(true);

/// What set a function off, as logs name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// An HTTP request through API Gateway.
    Http,
    /// A step of a state machine, or an operator's call.
    Task,
    /// A batch of queue messages.
    Queue,
    /// A batch of stream records.
    Stream,
}

impl Trigger {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Task => "task",
            Self::Queue => "queue",
            Self::Stream => "stream",
        }
    }
}

/// Runs one invocation in its span and its trace, and logs that it ended.
///
/// The trace is the caller's if `traceparent` names one, else Lambda's own (X-Ray), else a new one.
pub async fn invocation<T>(
    trigger: Trigger,
    context: &Context,
    traceparent: Option<&str>,
    work: impl Future<Output = T>,
) -> T {
    let trace = traceparent
        .and_then(TraceContext::from_traceparent)
        .or_else(|| {
            context
                .xray_trace_id
                .as_deref()
                .and_then(TraceContext::from_xray)
        })
        .unwrap_or_else(TraceContext::start);
    let span = tracing::info_span!(
        "invocation",
        function = context.env_config.function_name,
        trigger = trigger.as_str(),
        request_id = context.request_id,
        trace_id = trace.trace_id(),
        cold_start = COLD.swap(false, Ordering::Relaxed),
    );
    trace
        .scope(async {
            let begun = Instant::now();
            let outcome = work.await;
            tracing::info!(
                duration_us = begun.elapsed().as_micros(),
                "invocation ended"
            );
            outcome
        })
        .instrument(span)
        .await
}
