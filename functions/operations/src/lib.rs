//! The operations service: what runs the shop's machinery. Owns no table.

pub mod relay_events;
pub mod wiring;
