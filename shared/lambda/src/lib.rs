//! How a Lambda function starts, and how it answers a saga's task, a queue or a stream.
//!
//! A binary's `main` names its wiring and its handler and calls one of the `serve_*` functions; the
//! runtime, logging, tracing and error reporting behind them are written here once. HTTP endpoints
//! are served by `oxcart-http` on top of [`start`].
//!
//! Handlers' futures are boxed: with whole SDK calls inside, they nest deeper than the compiler follows.

mod calls;
pub mod clock;
mod cloud;
mod collector;
mod invocation;
mod queue;
mod start;
mod stream;
mod task;
mod warm;

pub use cloud::{Cloud, StartError};
pub use invocation::{Trigger, invocation};
pub use queue::serve_queue;
pub use start::start;
pub use stream::serve_stream;
pub use task::{TaskError, serve_task};
pub use warm::Service;
