//! The payments service: one payment per order, charged at most once and given back at most once.
//!
//! The protocol is record first: what the gateway is about to be asked stands in the table before it
//! is asked, so that whoever comes after a crash goes on from the record and the gateway's truth.

pub mod await_action;
pub mod charge_payment;
pub mod functions;
pub mod gateway;
pub mod get_payment;
pub mod make_refund;
pub mod receive_webhook;
pub mod refund_payment;
pub mod request_refund;
pub mod signature;
pub mod table;
pub mod waiting;
pub mod wiring;
