//! One invocation: its span, its trace and its log line.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

use lambda_runtime::Context;
use oxcart_telemetry::{Invocation, TraceContext};
use tracing::{Instrument as _, field::Empty};

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
    // At the level of errors, so that it is there whatever the level is: every line is to say whose it is.
    let span = tracing::error_span!(
        "invocation",
        function = context.env_config.function_name,
        trigger = trigger.as_str(),
        request_id = context.request_id,
        trace_id = trace.trace_id(),
        cold_start = COLD.swap(false, Ordering::Relaxed),
        // Said by `oxcart_telemetry::about`, as soon as it is known.
        order_id = Empty,
        sku = Empty,
        user_id = Empty,
    );
    let current = Invocation {
        function: context.env_config.function_name.clone(),
        request_id: context.request_id.clone(),
        trace,
    };
    current
        .scope(async {
            let begun = Instant::now();
            let outcome = work.await;
            let duration_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
            tracing::info!(duration_us, "invocation ended");
            outcome
        })
        .instrument(span)
        .await
}
