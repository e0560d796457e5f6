//! The client that the system tests share: a person at the HTTP API, an operator with the AWS SDK,
//! and the accountant who compares the figures.
//!
//! It knows the contract (routes, tables, events) and nothing of the code that keeps it: no crate of
//! the workspace is linked in here, so a mistake made there can't be repeated here unseen.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that can't go on says why and stops"
)]
#![allow(
    clippy::must_use_candidate,
    clippy::return_self_not_must_use,
    reason = "much is called for the assertion that it makes"
)]

pub mod accounts;
pub mod aftersales;
pub mod api;
pub mod attempts;
pub mod breaking;
mod canaries;
pub mod chance;
pub mod copies;
pub mod document;
pub mod eventually;
pub mod faults;
pub mod figures;
pub mod gateway;
pub mod iam;
pub mod logs;
pub mod machines;
pub mod operator;
pub mod pages;
pub mod requests;
pub mod schemas;
pub mod shop;
mod signed;
pub mod spans;
pub mod stack;
pub mod stand_in;
pub mod subscription;
pub mod template;
pub mod tokens;
pub mod units;
pub mod webhooks;
pub mod workspace;
