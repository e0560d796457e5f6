//! Has part of a payment given back.

use oxcart_payments::{request_refund::handle, wiring};

fn main() -> std::process::ExitCode {
    oxcart_http::serve(wiring::payments, handle)
}
