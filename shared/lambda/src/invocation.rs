//! One invocation: its trace, its span there, and its log lines.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

use lambda_runtime::Context;
use oxcart_telemetry::{Invocation, SpanKind, TraceContext, TraceSpan};
use tracing::{
    Instrument as _,
    field::{self, Empty},
};

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

    /// As the [conventions for functions](https://opentelemetry.io/docs/specs/semconv/faas/faas-spans/) name it.
    const fn as_faas_trigger(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Task => "other",
            Self::Queue => "pubsub",
            Self::Stream => "datasource",
        }
    }
}

/// Runs one invocation in its span and its trace, and logs that it ended, and with which status if `status_of` knows one.
///
/// The trace is the caller's if `traceparent` names one, else Lambda's own (X-Ray), else a new one. If both are there,
/// the span links to X-Ray's segment, as the
/// [conventions for Lambda](https://opentelemetry.io/docs/specs/semconv/faas/aws-lambda/) ask. Its `name` there is what
/// they call what set the function off: a route, a queue.
pub async fn invocation<T>(
    trigger: Trigger,
    name: &str,
    context: &Context,
    traceparent: Option<&str>,
    work: impl Future<Output = T>,
    status_of: impl FnOnce(&T) -> Option<u16>,
) -> T {
    let caller = traceparent.and_then(TraceContext::from_traceparent);
    let xray = context.xray_trace_id.as_deref();
    let xray = xray.and_then(TraceContext::from_xray);
    let cold_start = COLD.swap(false, Ordering::Relaxed);
    let span = trace_span(trigger, name, caller.or(xray));
    if span.is_recorded() {
        span.set("faas.trigger", trigger.as_faas_trigger());
        span.set("faas.invocation_id", context.request_id.clone());
        span.set("faas.coldstart", cold_start);
        span.set(
            "aws.lambda.invoked_arn",
            context.invoked_function_arn.clone(),
        );
        if let (Some(_), Some(xray)) = (caller, xray) {
            span.links(xray, &[("source", "x-ray-env")]);
        }
    }
    let trace = span
        .position()
        .or_else(|| caller.or(xray).map(TraceContext::next))
        .unwrap_or_else(TraceContext::start);
    // At the level of errors, so that it is there whatever the level is: every line is to say whose it is.
    let lines = tracing::error_span!(
        "invocation",
        function = context.env_config.function_name,
        trigger = trigger.as_str(),
        request_id = context.request_id,
        trace_id = trace.trace_id(),
        xray_trace_id = xray.map(|xray| field::display(xray.trace_id())),
        cold_start,
        // Said by `oxcart_telemetry::about`, as soon as it is known.
        order_id = Empty,
        sku = Empty,
        user_id = Empty,
    );
    let current = Invocation {
        function: context.env_config.function_name.clone(),
        request_id: context.request_id.clone(),
        trace,
        span: span.clone(),
    };
    let work = current
        .scope(async {
            let begun = Instant::now();
            let outcome = work.await;
            let duration_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
            tracing::info!(
                status = status_of(&outcome),
                duration_us,
                "invocation ended"
            );
            outcome
        })
        .instrument(lines);
    span.around(work).await
}

fn trace_span(trigger: Trigger, name: &str, parent: Option<TraceContext>) -> TraceSpan {
    let kind = match trigger {
        Trigger::Http | Trigger::Task => SpanKind::Server,
        Trigger::Queue | Trigger::Stream => SpanKind::Consumer,
    };
    match parent {
        Some(parent) => TraceSpan::under(parent, kind, name),
        None => TraceSpan::new(kind, name),
    }
}
