//! Publishes the events that the tables' streams carry.

fn main() -> std::process::ExitCode {
    oxcart_operations::functions::relay_events()
}
