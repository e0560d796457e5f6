//! Publishes the events that the tables' streams carry.

use oxcart_operations::{relay_events::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_lambda::serve_stream(wiring::relay, handle)
}
