//! Each function of the service: its wiring and its handler.
//!
//! Here and not in the binaries, so that what they have in common is compiled once, in this crate: the body of an `async`
//! function is compiled wherever it is first run.

use std::process::ExitCode;

use crate::{
    adjust_stock, get_product, list_products, put_product, release_stock, reserve_stock, wiring,
};

/// Adds units of a product to stock, or takes some away.
#[must_use]
pub fn adjust_stock() -> ExitCode {
    oxcart_http::serve(wiring::inventory, adjust_stock::handle)
}

/// Answers one product.
#[must_use]
pub fn get_product() -> ExitCode {
    oxcart_http::serve(wiring::catalogue, get_product::handle)
}

/// Answers a page of the catalogue, sorted by name.
#[must_use]
pub fn list_products() -> ExitCode {
    oxcart_http::serve(wiring::catalogue, list_products::handle)
}

/// Creates or changes a product.
#[must_use]
pub fn put_product() -> ExitCode {
    oxcart_http::serve(wiring::inventory, put_product::handle)
}

/// Puts the units of an order back into stock.
#[must_use]
pub fn release_stock() -> ExitCode {
    oxcart_lambda::serve_task(wiring::inventory, release_stock::handle)
}

/// Takes the units of an order out of stock.
#[must_use]
pub fn reserve_stock() -> ExitCode {
    oxcart_lambda::serve_task(wiring::inventory, reserve_stock::handle)
}
