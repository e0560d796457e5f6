//! From the environment to what the handlers need.

use oxcart_lambda::{Cloud, StartError};
use oxcart_table::Table;

use crate::{
    login::Login,
    table::Users,
    tokens::{PublishedKeys, TokenIssuer, TokenKey, TokenSigner, TokenVerifier},
};

/// The identity's table.
///
/// # Errors
/// When the template doesn't name it.
pub fn users(cloud: &Cloud) -> Result<Users, StartError> {
    let client = aws_sdk_dynamodb::Client::new(cloud.config());
    Ok(Users::new(Table::new(
        client,
        cloud.variable("IDENTITY_TABLE")?,
    )))
}

/// The identity's table and the key that signs tokens.
///
/// # Errors
/// When the template doesn't name them.
pub fn login(cloud: &Cloud) -> Result<Login, StartError> {
    let key = aws_sdk_kms::Client::new(cloud.config());
    let signer = TokenSigner::new(key, cloud.variable("TOKEN_KEY_ARN")?, issuer(cloud)?);
    Ok(Login {
        users: users(cloud)?,
        signer,
    })
}

/// What verifies tokens.
///
/// # Errors
/// When the template doesn't name the key that signs them.
pub fn token_verifier(cloud: &Cloud) -> Result<TokenVerifier, StartError> {
    Ok(TokenVerifier::new(token_key(cloud)?, &issuer(cloud)?))
}

/// What others verify tokens with.
///
/// # Errors
/// When the template doesn't name the key that signs them.
pub fn published_keys(cloud: &Cloud) -> Result<PublishedKeys, StartError> {
    Ok(PublishedKeys::new(token_key(cloud)?))
}

fn token_key(cloud: &Cloud) -> Result<TokenKey, StartError> {
    let client = aws_sdk_kms::Client::new(cloud.config());
    Ok(TokenKey::new(client, cloud.variable("TOKEN_KEY_ARN")?))
}

/// Who issues our tokens.
///
/// # Errors
/// When the template doesn't say.
pub fn issuer(cloud: &Cloud) -> Result<TokenIssuer, StartError> {
    cloud.variable("TOKEN_ISSUER").map(TokenIssuer::new)
}
