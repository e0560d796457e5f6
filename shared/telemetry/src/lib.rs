//! What an operator sees of a function: structured logs, metrics, and the
//! trace that an invocation belongs to with its spans.
//!
//! Knows nothing of Lambda's event shapes; the crates that do say whose work is in hand.

mod export;
mod invocation;
mod logs;
mod metrics;
mod span;
mod trace;

pub use export::{
    CollectorClient, CollectorError, ExportError, Tracer, export, flush, is_exporting,
};
pub use invocation::{Invocation, about, current};
pub use logs::{Chain, init};
pub use metrics::{Metric, Unit, conflict, count, metric, operation, operation_of};
pub use span::{SpanKind, TraceSpan, attribute, failed, link};
pub use trace::TraceContext;
