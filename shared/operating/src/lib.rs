//! What operating the shop takes: what happened to an order, which orders are stuck, what was given up and how it is
//! tried again, and whether the books agree. Reads across all services, and changes nothing of theirs by itself: it
//! asks the functions and queues that do.
//!
//! Knows neither a terminal nor HTTP; `ops/` shows it in the one, `functions/operations` in the other.

mod cloud;
mod failure;
pub mod gateway;
pub mod items;
pub mod message;
pub mod moment;
pub mod money;
pub mod order;
pub mod queues;
pub mod reconcile;
pub mod redrive;
mod republish;
pub mod resume;
pub mod sagas;
pub mod story;
pub mod stuck;
mod tables;

pub use cloud::{Cloud, region_of};
pub use failure::{Explain, Failure, Outcome};
