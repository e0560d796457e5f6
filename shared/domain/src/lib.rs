//! The rules of the shop: money, products, stock reservations, payments, orders and users, and the
//! events and messages in which they are told.
//!
//! Pure: no AWS, no I/O, no async, no clock and no randomness of its own. Time and fresh ids come in
//! as arguments, so every rule here can be tested by calling it.

pub mod credentials;
pub mod event;
pub mod id;
pub mod idempotency;
pub mod lockout;
pub mod money;
pub mod order;
pub mod payment;
pub mod product;
pub mod quantity;
pub mod reservation;
pub mod saga;
pub mod session;
pub mod sku;
pub mod stock;
pub mod text;
pub mod timestamp;
pub mod user;

pub use event::{DomainEvent, Event};
pub use id::{CustomerId, EventId, OrderId};
pub use idempotency::{IdempotencyKey, RequestHash};
pub use money::{Currency, Money};
pub use quantity::Quantity;
pub use sku::Sku;
pub use timestamp::Timestamp;
