//! The orders service: placing, reading, cancelling and settling orders, and running their sagas.
//!
//! An order's item is where its outcome is decided, in conditional writes; how the saga gets there is
//! `statemachines/order-saga.asl.json`, and how it is undone `statemachines/cancel-order.asl.json`.

pub mod abandon_order;
pub mod cancel_order;
pub mod confirm_order;
pub mod filter;
pub mod functions;
pub mod get_order;
pub mod list_orders;
pub mod park_order;
pub mod place_order;
pub mod reject_order;
pub mod request_action;
pub mod resume_stuck_orders;
pub mod sagas;
pub mod search_orders;
pub mod start_order_saga;
pub mod table;
pub mod view;
pub mod waiting;
pub mod wiring;
