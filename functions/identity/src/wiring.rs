//! From the environment to what the handlers need.

use oxcart_domain::lockout::Lockout;
use oxcart_lambda::{Cloud, Service, StartError};
use oxcart_table::Table;

use crate::{
    authentication::Authenticator,
    keys::TokenKeys,
    login::Login,
    refresh_session::Refreshing,
    table::Users,
    tokens::{TokenIssuer, TokenSigner, TokenVerifier},
};

/// The identity's table.
///
/// # Errors
/// When the template doesn't name it.
pub fn users(cloud: &Cloud) -> Result<Users, StartError> {
    let client = aws_sdk_dynamodb::Client::new(cloud.config(Service::DynamoDb));
    Ok(Users::new(Table::new(
        client,
        cloud.variable("IDENTITY_TABLE")?,
    )))
}

/// What checks passwords.
///
/// # Errors
/// When the template doesn't name the table, or how many failures are free.
pub fn authenticator(cloud: &Cloud) -> Result<Authenticator, StartError> {
    let per_source = Lockout {
        free: cloud.number("FAILURES_PER_SOURCE")?,
    };
    Ok(Authenticator {
        users: users(cloud)?,
        per_source,
    })
}

/// What checks passwords and signs tokens.
///
/// # Errors
/// When the template doesn't name what they need.
pub fn login(cloud: &Cloud) -> Result<Login, StartError> {
    Ok(Login {
        authenticator: authenticator(cloud)?,
        signer: signer(cloud)?,
    })
}

/// The sessions and what signs tokens.
///
/// # Errors
/// When the template doesn't name what they need.
pub fn refreshing(cloud: &Cloud) -> Result<Refreshing, StartError> {
    Ok(Refreshing {
        users: users(cloud)?,
        signer: signer(cloud)?,
    })
}

/// What verifies tokens.
///
/// # Errors
/// When the template doesn't name the keys that sign them.
pub fn token_verifier(cloud: &Cloud) -> Result<TokenVerifier, StartError> {
    Ok(TokenVerifier::new(token_keys(cloud)?, &issuer(cloud)?))
}

/// What others verify tokens with.
///
/// # Errors
/// When the template doesn't name the keys that sign them.
pub fn token_keys(cloud: &Cloud) -> Result<TokenKeys, StartError> {
    let client = aws_sdk_kms::Client::new(cloud.config(Service::Kms));
    Ok(TokenKeys::new(client, &cloud.variable(TOKEN_KEYS)?))
}

fn signer(cloud: &Cloud) -> Result<TokenSigner, StartError> {
    let client = aws_sdk_kms::Client::new(cloud.config(Service::Kms));
    let keys = cloud.variable(TOKEN_KEYS)?;
    // The first one signs; the others were signed with, or will be.
    let first = keys.split(',').next().unwrap_or_default();
    Ok(TokenSigner::new(client, first.to_owned(), issuer(cloud)?))
}

/// Names the token keys, separated by commas.
const TOKEN_KEYS: &str = "TOKEN_KEY_ARNS";

/// Who issues our tokens.
///
/// # Errors
/// When the template doesn't say.
pub fn issuer(cloud: &Cloud) -> Result<TokenIssuer, StartError> {
    cloud.variable("TOKEN_ISSUER").map(TokenIssuer::new)
}
