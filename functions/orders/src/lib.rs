//! The orders service: placing, reading and settling orders, and starting their sagas.
//!
//! An order's item is where its outcome is decided, in conditional writes; how the saga gets there is
//! `statemachines/order-saga.asl.json`.

pub mod abandon_order;
pub mod confirm_order;
pub mod get_order;
pub mod list_orders;
pub mod place_order;
pub mod reject_order;
pub mod start_order_saga;
pub mod table;
pub mod view;
pub mod wiring;
