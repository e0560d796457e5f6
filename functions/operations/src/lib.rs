//! The operations service: what runs the shop's machinery. Owns no table.

pub mod answer_unrouted;
pub mod check_health;
pub mod probes;
pub mod relay_events;
pub mod serve_docs;
pub mod site;
pub mod wiring;
