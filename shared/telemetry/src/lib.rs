//! What an operator sees of a function: structured logs, metrics, and the trace that an invocation belongs to.
//!
//! Knows nothing of Lambda's event shapes; the crates that do say whose work is in hand.

mod invocation;
mod logs;
mod metrics;
mod trace;

pub use invocation::{Invocation, about, current};
pub use logs::{Chain, init};
pub use metrics::{Metric, Unit, conflict, count, metric, operation};
pub use trace::TraceContext;
