//! A secret that we share with the gateway, from Secrets Manager.

use std::{sync::Arc, time::Duration};

use aws_sdk_secretsmanager::{
    Client, error::SdkError, operation::get_secret_value::GetSecretValueError,
};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::{sync::Mutex, time::Instant};

/// A secret, read once per execution environment, when it is first needed, and again when it is found
/// to be no longer the right one.
#[derive(Debug)]
pub struct GatewaySecret {
    client: Client,
    arn: String,
    value: Mutex<Option<Fetched>>,
}

#[derive(Debug)]
struct Fetched {
    secret: Arc<SecretString>,
    at: Instant,
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
    pub fn new(client: Client, arn: String) -> Self {
        Self {
            client,
            arn,
            value: Mutex::new(None),
        }
    }

    /// The secret's value.
    ///
    /// # Errors
    /// See [`SecretError`].
    pub async fn get(&self) -> Result<Arc<SecretString>, SecretError> {
        let mut value = self.value.lock().await;
        match &*value {
            Some(fetched) => Ok(Arc::clone(&fetched.secret)),
            None => self.fetch_into(&mut value).await,
        }
    }

    /// The secret's value, read anew unless somebody has since `refused` was read, or it was read less than
    /// `pause` ago.
    ///
    /// # Errors
    /// See [`SecretError`].
    pub async fn newer(
        &self,
        refused: &SecretString,
        pause: Duration,
    ) -> Result<Arc<SecretString>, SecretError> {
        let mut value = self.value.lock().await;
        match &*value {
            Some(fetched)
                if fetched.secret.expose_secret() != refused.expose_secret()
                    || fetched.at.elapsed() < pause =>
            {
                Ok(Arc::clone(&fetched.secret))
            }
            _ => self.fetch_into(&mut value).await,
        }
    }

    async fn fetch_into(
        &self,
        value: &mut Option<Fetched>,
    ) -> Result<Arc<SecretString>, SecretError> {
        let secret = Arc::new(self.fetch().await?);
        *value = Some(Fetched {
            secret: Arc::clone(&secret),
            at: Instant::now(),
        });
        Ok(secret)
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
