//! Drives the deployed stack from outside: over HTTP as its customers do, and with the AWS SDK as its
//! operator does. One module per theme; every test brings its own customers, products and orders, so
//! that all can run at once and on a stack in use.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that can't go on says why and stops"
)]

mod access;
mod accounts;
mod authentication_required;
mod bad_requests;
mod cancellation;
mod cargo_lambda;
mod concurrency;
mod console;
mod degradation;
mod documentation;
mod events;
mod fault_matrix;
mod gateway_contract;
mod health;
mod http_semantics;
mod idempotency;
mod identity;
mod lists;
mod lockout;
mod messages;
mod metrics;
mod notifications;
mod operator_commands;
mod orders;
mod permissions;
mod products;
mod random_walk;
mod read_cache;
mod recovery;
mod refunds;
mod relay;
mod roles;
mod saga_steps;
mod samples;
mod search;
mod sessions;
mod stock_shards;
mod stories;
mod traces;
mod waiting;
mod webhooks;
