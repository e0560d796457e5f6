//! The operations service: what runs the shop's machinery, and what those see and do who look after it. Owns no table.

pub mod answer_unrouted;
pub mod audit_books;
pub mod check_health;
pub mod examine_order;
pub mod functions;
pub mod list_dead_letters;
pub mod list_queues;
pub mod probes;
pub mod redrive_dead_letters;
pub mod refusal;
pub mod relay_events;
pub mod resume_order;
pub mod serve_docs;
pub mod site;
pub mod wiring;
