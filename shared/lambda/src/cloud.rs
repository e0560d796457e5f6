//! What a function is given by where it runs: its variables, its credentials and its region.

use std::{cell::RefCell, collections::BTreeSet, time::Duration};

use aws_config::{
    BehaviorVersion, Region, SdkConfig, environment::EnvironmentVariableCredentialsProvider,
    retry::RetryConfig, timeout::TimeoutConfig,
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use oxcart_telemetry::is_exporting;

use crate::{
    calls,
    warm::{self, Service},
};

/// Why a function can't start. Deployment is at fault, so the environment ends and Lambda reports it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The template doesn't set a variable that the function reads.
    #[error("the environment variable {0} is not set")]
    MissingVariable(&'static str),
    /// A variable has a value that the function can't use.
    #[error("the environment variable {name} is unusable")]
    UnusableVariable {
        /// Which one.
        name: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file that belongs beside the binary is missing or unusable.
    #[error("the function's package is incomplete")]
    IncompletePackage(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StartError {
    /// A file that belongs beside the binary is missing or unusable.
    pub fn package(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::IncompletePackage(Box::new(source))
    }
}

/// The cloud as a function sees it, read once when it starts.
#[derive(Debug)]
pub struct Cloud {
    config: SdkConfig,
    called: RefCell<BTreeSet<Service>>,
}

impl Cloud {
    /// Credentials and region come from the environment only, which is where Lambda puts them: no
    /// profile files and no metadata service to ask. If traces are exported, each call is a span.
    pub(crate) async fn load() -> Self {
        // An attempt that hangs must leave time for another within the function's own timeout.
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(1))
            .operation_attempt_timeout(Duration::from_millis(2500))
            .build();
        let mut config = aws_config::defaults(BehaviorVersion::latest())
            .credentials_provider(EnvironmentVariableCredentialsProvider::new())
            .http_client(http_client())
            .region(optional("AWS_REGION").map(Region::new))
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard().with_max_attempts(3));
        if is_exporting() {
            config = config.http_client(calls::traced(http_client()));
        }
        Self {
            config: config.load().await,
            called: RefCell::default(),
        }
    }

    /// What an SDK client of `service` is made from. The function is connected to the service when its first
    /// invocation comes.
    #[must_use]
    pub fn config(&self, service: Service) -> &SdkConfig {
        self.config_of(&[service])
    }

    /// What SDK clients of all these services are made from.
    #[must_use]
    pub fn config_of(&self, services: &[Service]) -> &SdkConfig {
        self.called.borrow_mut().extend(services);
        &self.config
    }

    /// Connects to the services that clients were made for.
    pub(crate) async fn connect(&self) {
        warm::connect(&self.config, &self.called.take()).await;
    }

    /// A variable that the template sets for this function.
    ///
    /// # Errors
    /// [`StartError::MissingVariable`] when it doesn't, or leaves it empty.
    pub fn variable(&self, name: &'static str) -> Result<String, StartError> {
        optional(name).ok_or(StartError::MissingVariable(name))
    }

    /// A variable that holds a whole number.
    ///
    /// # Errors
    /// [`StartError::MissingVariable`] as for [`variable`](Self::variable);
    /// [`StartError::UnusableVariable`] when it holds something else.
    pub fn number(&self, name: &'static str) -> Result<u32, StartError> {
        let text = self.variable(name)?;
        text.parse().map_err(|error: std::num::ParseIntError| {
            let source = Box::new(error);
            StartError::UnusableVariable { name, source }
        })
    }
}

/// One HTTP client for all SDK clients: they share its connections, and the certificates to trust are read once.
pub(crate) fn http_client() -> SharedHttpClient {
    Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .build_https()
}

/// The one place that reads the environment.
#[expect(
    clippy::disallowed_methods,
    reason = "this is where the environment is read"
)]
pub(crate) fn optional(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
