//! Each function of the service: its wiring and its handler.
//!
//! Here and not in the binaries, so that what they have in common is compiled once, in this crate: the body of an `async`
//! function is compiled wherever it is first run.

use std::process::ExitCode;

use crate::{
    await_action, charge_payment, get_payment, make_refund, receive_webhook, refund_payment,
    request_refund, wiring,
};

/// Saga step: waits until a customer has acted on their payment.
#[must_use]
pub fn await_action() -> ExitCode {
    oxcart_lambda::serve_task(wiring::gateway_payments, await_action::handle)
}

/// Takes the customer's money for an order.
#[must_use]
pub fn charge_payment() -> ExitCode {
    oxcart_lambda::serve_task(wiring::gateway_payments, charge_payment::handle)
}

/// Answers the payment of an order of the caller.
#[must_use]
pub fn get_payment() -> ExitCode {
    oxcart_http::serve(wiring::gateway_payments, get_payment::handle)
}

/// Gives part of a payment back that was asked for.
#[must_use]
pub fn make_refund() -> ExitCode {
    oxcart_lambda::serve_queue(wiring::gateway_payments, make_refund::handle)
}

/// Hears from the payment gateway.
#[must_use]
pub fn receive_webhook() -> ExitCode {
    oxcart_http::serve(wiring::webhooks, receive_webhook::handle)
}

/// Gives the customer's money back, or makes sure that none is taken.
#[must_use]
pub fn refund_payment() -> ExitCode {
    oxcart_lambda::serve_task(wiring::gateway_payments, refund_payment::handle)
}

/// Has part of a payment given back.
#[must_use]
pub fn request_refund() -> ExitCode {
    oxcart_http::serve(wiring::payments, request_refund::handle)
}
