//! Each function of the service: its wiring and its handler.
//!
//! Here and not in the binaries, so that what they have in common is compiled once, in this crate: the body of an `async`
//! function is compiled wherever it is first run.

use std::process::ExitCode;

use crate::{
    authorize_request, change_password, describe_issuer, erase_user, get_user, grant_role, login,
    logout, publish_keys, refresh_session, register_user, update_user, wiring,
};

/// Tells API Gateway who makes a request.
#[must_use]
pub fn authorize_request() -> ExitCode {
    oxcart_lambda::serve_task(wiring::token_verifier, authorize_request::handle)
}

/// Gives oneself another password.
#[must_use]
pub fn change_password() -> ExitCode {
    oxcart_http::serve(wiring::authenticator, change_password::handle)
}

/// Says who issues our tokens.
#[must_use]
pub fn describe_issuer() -> ExitCode {
    oxcart_http::serve(wiring::issuer, describe_issuer::handle)
}

/// Erases one's own account.
#[must_use]
pub fn erase_user() -> ExitCode {
    oxcart_http::serve(wiring::users, erase_user::handle)
}

/// Answers the caller's own account.
#[must_use]
pub fn get_user() -> ExitCode {
    oxcart_http::serve(wiring::users, get_user::handle)
}

/// Gives a user a role; reached by operators under IAM only.
#[must_use]
pub fn grant_role() -> ExitCode {
    oxcart_lambda::serve_task(wiring::users, grant_role::handle)
}

/// Exchanges an e-mail address and a password for tokens.
#[must_use]
pub fn login() -> ExitCode {
    oxcart_http::serve(wiring::login, login::handle)
}

/// Ends a session.
#[must_use]
pub fn logout() -> ExitCode {
    oxcart_http::serve(wiring::users, logout::handle)
}

/// Publishes the keys that our tokens are verified with.
#[must_use]
pub fn publish_keys() -> ExitCode {
    oxcart_http::serve(wiring::token_keys, publish_keys::handle)
}

/// Exchanges a refresh token for the next pair of tokens.
#[must_use]
pub fn refresh_session() -> ExitCode {
    oxcart_http::serve(wiring::refreshing, refresh_session::handle)
}

/// Registers a customer.
#[must_use]
pub fn register_user() -> ExitCode {
    oxcart_http::serve(wiring::users, register_user::handle)
}

/// Changes one's own name or e-mail address.
#[must_use]
pub fn update_user() -> ExitCode {
    oxcart_http::serve(wiring::users, update_user::handle)
}
