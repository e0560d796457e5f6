//! The inventory service: products, their stock, and the reservations of orders.
//!
//! Knows orders only by their id, and nothing of customers or payments.

pub mod adjust_stock;
pub mod catalogue;
pub mod functions;
pub mod get_product;
pub mod list_products;
pub mod put_product;
pub mod recent;
pub mod release_stock;
pub mod reserve_stock;
pub mod table;
pub mod wiring;
