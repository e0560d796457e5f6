//! The rules by which the project is built, checked on its files: who may depend on whom, what belongs
//! to a function, what every state, queue, table and role must have. Needs no stack.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that can't go on says why and stops"
)]

mod alarms;
mod breaking_changes;
mod crates;
mod functions;
mod metrics;
mod openapi;
mod saga;
mod schemas;
mod sources;
mod template;
