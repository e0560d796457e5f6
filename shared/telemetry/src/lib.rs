//! What an operator sees of a function: structured logs, and the trace that an invocation belongs to.
//!
//! Knows nothing of Lambda's event shapes; the crates that do hand the trace context in.

mod logs;
mod trace;

pub use logs::{Chain, init};
pub use trace::{TraceContext, current};
