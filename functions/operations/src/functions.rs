//! Each function of the service: its wiring and its handler.
//!
//! Here and not in the binaries, so that what they have in common is compiled once, in this crate: the body of an `async`
//! function is compiled wherever it is first run.

use std::process::ExitCode;

use crate::{
    answer_unrouted, audit_books, check_health, examine_order, list_dead_letters, list_queues,
    redrive_dead_letters, relay_events, resume_order, serve_docs, wiring,
};

/// Answers what no route takes.
#[must_use]
pub fn answer_unrouted() -> ExitCode {
    oxcart_http::serve(wiring::routes, answer_unrouted::handle)
}

/// Says whether the books of a day agree.
#[must_use]
pub fn audit_books() -> ExitCode {
    oxcart_http::serve(wiring::auditor, audit_books::handle)
}

/// Says whether what orders need is there.
#[must_use]
pub fn check_health() -> ExitCode {
    oxcart_http::serve(wiring::health, check_health::handle)
}

/// Tells what happened to an order, across the services.
#[must_use]
pub fn examine_order() -> ExitCode {
    oxcart_http::serve(wiring::orders, examine_order::handle)
}

/// Shows what was given up, and why.
#[must_use]
pub fn list_dead_letters() -> ExitCode {
    oxcart_http::serve(wiring::queues, list_dead_letters::handle)
}

/// Counts what was given up.
#[must_use]
pub fn list_queues() -> ExitCode {
    oxcart_http::serve(wiring::queues, list_queues::handle)
}

/// Has what was given up tried again.
#[must_use]
pub fn redrive_dead_letters() -> ExitCode {
    oxcart_http::serve(wiring::second_tries, redrive_dead_letters::handle)
}

/// Publishes the events that the tables' streams carry.
#[must_use]
pub fn relay_events() -> ExitCode {
    oxcart_lambda::serve_stream(wiring::relay, relay_events::handle)
}

/// Runs the saga of an open order again.
#[must_use]
pub fn resume_order() -> ExitCode {
    oxcart_http::serve(wiring::recovery, resume_order::handle)
}

/// Answers the reference of the API, its description, and what its problems mean.
#[must_use]
pub fn serve_docs() -> ExitCode {
    oxcart_http::serve(wiring::site, serve_docs::handle)
}
