//! The secret that we show to the gateway, from Secrets Manager.

use aws_sdk_secretsmanager::{
    Client, error::SdkError, operation::get_secret_value::GetSecretValueError,
};
use secrecy::SecretString;
use tokio::sync::OnceCell;

/// The gateway's secret key, read once per execution environment, when it is first needed.
#[derive(Debug)]
pub struct GatewaySecret {
    client: Client,
    arn: String,
    value: OnceCell<SecretString>,
}

/// Why the secret can't be read.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Secrets Manager did not answer it.
    #[error("the payment gateway's secret can't be read")]
    Unavailable(#[source] Box<SdkError<GetSecretValueError>>),
    /// It is not set, or it is no text.
    #[error("the payment gateway's secret is not set")]
    NotSet,
}

impl GatewaySecret {
    /// The secret under `arn`.
    #[must_use]
    pub const fn new(client: Client, arn: String) -> Self {
        Self {
            client,
            arn,
            value: OnceCell::const_new(),
        }
    }

    /// The secret's value.
    ///
    /// # Errors
    /// See [`SecretError`].
    pub async fn get(&self) -> Result<&SecretString, SecretError> {
        self.value.get_or_try_init(|| self.fetch()).await
    }

    async fn fetch(&self) -> Result<SecretString, SecretError> {
        let secret = self
            .client
            .get_secret_value()
            .secret_id(&self.arn)
            .send()
            .await;
        let secret = secret.map_err(|error| SecretError::Unavailable(Box::new(error)))?;
        secret
            .secret_string
            .filter(|text| !text.is_empty())
            .map(SecretString::from)
            .ok_or(SecretError::NotSet)
    }
}
