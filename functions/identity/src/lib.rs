//! The identity service: users, their passwords, their sessions and the tokens that others trust.
//!
//! Knows nothing of orders; to the rest of the shop a user is an id and a role.

pub mod attempt;
pub mod authentication;
pub mod authorize_request;
pub mod change_password;
pub mod describe_issuer;
pub mod erase_user;
pub mod functions;
pub mod get_user;
pub mod grant_role;
pub mod keys;
pub mod login;
pub mod logout;
pub mod passwords;
pub mod publish_keys;
pub mod refresh_session;
pub mod register_user;
pub mod session;
pub mod table;
pub mod tokens;
pub mod update_user;
pub mod wiring;
