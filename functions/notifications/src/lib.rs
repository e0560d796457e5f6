//! The notifications service: what the shop tells people by e-mail.
//!
//! Hears of the others through events only, and keeps no address: its table says which notifications
//! were sent, not to whom.

pub mod functions;
pub mod mailer;
pub mod message;
pub mod send_notification;
pub mod table;
pub mod wiring;
