//! Each function of the service: its wiring and its handler.
//!
//! Here and not in the binaries, so that what they have in common is compiled once, in this crate: the body of an `async`
//! function is compiled wherever it is first run.

use std::process::ExitCode;

use crate::{
    abandon_order, cancel_order, confirm_order, get_order, list_orders, park_order, place_order,
    reject_order, request_action, resume_stuck_orders, search_orders, start_order_saga, wiring,
};

/// Decides that an order will not be confirmed.
#[must_use]
pub fn abandon_order() -> ExitCode {
    oxcart_lambda::serve_task(wiring::orders, abandon_order::handle)
}

/// Cancels one of the caller's own orders.
#[must_use]
pub fn cancel_order() -> ExitCode {
    oxcart_http::serve(wiring::orders, cancel_order::handle)
}

/// Tells an order that it is paid and held.
#[must_use]
pub fn confirm_order() -> ExitCode {
    oxcart_lambda::serve_task(wiring::orders, confirm_order::handle)
}

/// Answers one order of the caller.
#[must_use]
pub fn get_order() -> ExitCode {
    oxcart_http::serve(wiring::awaited_orders, get_order::handle)
}

/// Answers a page of the caller's orders, newest first.
#[must_use]
pub fn list_orders() -> ExitCode {
    oxcart_http::serve(wiring::orders, list_orders::handle)
}

/// Saga step: leaves an order to a person.
#[must_use]
pub fn park_order() -> ExitCode {
    oxcart_lambda::serve_task(wiring::orders, park_order::handle)
}

/// Places an order: one conditional write.
#[must_use]
pub fn place_order() -> ExitCode {
    oxcart_http::serve(wiring::awaited_orders, place_order::handle)
}

/// Ends an order whose steps are all undone.
#[must_use]
pub fn reject_order() -> ExitCode {
    oxcart_lambda::serve_task(wiring::orders, reject_order::handle)
}

/// Saga step: asks an order's customer to act.
#[must_use]
pub fn request_action() -> ExitCode {
    oxcart_lambda::serve_task(wiring::orders, request_action::handle)
}

/// Runs the sagas of orders again that are open for too long.
#[must_use]
pub fn resume_stuck_orders() -> ExitCode {
    oxcart_lambda::serve_task(wiring::recovery, resume_stuck_orders::handle)
}

/// Answers a page of everybody's orders, newest first, to who looks after the shop.
#[must_use]
pub fn search_orders() -> ExitCode {
    oxcart_http::serve(wiring::orders, search_orders::handle)
}

/// Starts the saga of every order that is placed.
#[must_use]
pub fn start_order_saga() -> ExitCode {
    oxcart_lambda::serve_queue(wiring::recovery, start_order_saga::handle)
}
