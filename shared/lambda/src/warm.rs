//! Connections that are open before the first invocation.
//!
//! While a function starts, Lambda lends it a whole CPU, and after that its share: a seventh, with 256 MB. So the names
//! are looked up and the hands are shaken at the start. Nothing is asked of a service there: no permission is needed,
//! nothing is billed, and whatever it answers will do.

use std::{collections::BTreeSet, convert::Infallible, time::Duration};

use aws_config::SdkConfig;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, OrchestratorError};
use futures::future::join_all;

/// How long a start is held up at most. A connection within a region takes some milliseconds.
const DEADLINE: Duration = Duration::from_millis(500);

/// A service that functions call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// The tables.
    DynamoDb,
    /// The keys that sign.
    Kms,
    /// The secrets.
    SecretsManager,
    /// E-mail.
    Ses,
    /// Topics.
    Sns,
    /// Queues.
    Sqs,
    /// Sagas.
    StepFunctions,
}

impl Service {
    /// What its endpoints' names begin with.
    const fn prefix(self) -> &'static str {
        match self {
            Self::DynamoDb => "dynamodb",
            Self::Kms => "kms",
            Self::SecretsManager => "secretsmanager",
            Self::Ses => "email",
            Self::Sns => "sns",
            Self::Sqs => "sqs",
            Self::StepFunctions => "states",
        }
    }

    /// Where its clients connect to, unless all of them are told otherwise.
    fn endpoint(self, region: &str) -> String {
        let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
        format!("https://{}.{region}.amazonaws.com{suffix}/", self.prefix())
    }
}

/// Connects to `services` as the clients of `config` will, which then find the connections open. A service that
/// doesn't answer within the deadline is left to its clients.
pub(crate) async fn connect(config: &SdkConfig, services: &BTreeSet<Service>) {
    let endpoints: BTreeSet<String> = match (config.endpoint_url(), config.region()) {
        (Some(everything), _) => services.iter().map(|_| everything.to_owned()).collect(),
        (None, Some(region)) => {
            let endpoint = |service: &Service| service.endpoint(region.as_ref());
            services.iter().map(endpoint).collect()
        }
        (None, None) => BTreeSet::new(),
    };
    let connections = endpoints.iter().map(|endpoint| greet(config, endpoint));
    let connected = tokio::time::timeout(DEADLINE, join_all(connections)).await;
    if connected.is_err() {
        tracing::debug!("a service is left to its client: it took too long to connect");
    }
}

/// Sends a request that asks for nothing, because a connection is kept only after one.
async fn greet(config: &SdkConfig, endpoint: &str) {
    let (Some(http_client), Some(timeouts)) = (config.http_client(), config.timeout_config())
    else {
        return;
    };
    // With the clients' own timeouts, since connections are kept apart by them.
    let operation = Operation::builder()
        .service_name("warm")
        .operation_name("Greet")
        .http_client(http_client)
        .endpoint_url(endpoint)
        .timeout_config(timeouts.clone())
        .no_auth()
        .no_retry()
        .serializer(|()| Ok(HttpRequest::get("/")?))
        .deserializer(|_| Ok::<_, OrchestratorError<Infallible>>(()))
        .build();
    if let Err(error) = operation.invoke(()).await {
        tracing::debug!(endpoint, error = %oxcart_telemetry::Chain(&error), "left to its client");
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        time::Instant,
    };

    use aws_config::{BehaviorVersion, Region, timeout::TimeoutConfig};
    use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;
    use crate::cloud::http_client;

    fn config(endpoint: &str) -> SdkConfig {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(1))
            .operation_attempt_timeout(Duration::from_secs(5))
            .build();
        let credentials = Credentials::new("test", "test", None, None, "test");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(http_client())
            .endpoint_url(endpoint)
            .region(Region::new("eu-central-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .timeout_config(timeouts)
            .build()
    }

    /// A server that answers everything with an empty document. Answers where it is, and how many have connected.
    async fn server() -> (String, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    let mut request = [0; 4096];
                    // What the tests send comes in one piece.
                    while stream.read(&mut request).await.is_ok_and(|read| read > 0) {
                        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
                        stream.write_all(answer).await.unwrap();
                    }
                });
            }
        });
        (address, connections)
    }

    #[tokio::test]
    async fn a_client_finds_its_connection_open() {
        let (endpoint, connections) = server().await;
        let config = config(&endpoint);
        connect(&config, &BTreeSet::from([Service::DynamoDb])).await;
        assert_eq!(connections.load(Ordering::SeqCst), 1);

        let client = aws_sdk_dynamodb::Client::new(&config);
        client.list_tables().send().await.unwrap();
        assert_eq!(connections.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_service_that_is_not_there_holds_nothing_up() {
        // Nothing listens on a port that was given back.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        connect(&config(&endpoint), &BTreeSet::from([Service::Kms])).await;
    }

    #[tokio::test]
    async fn a_service_that_does_not_answer_is_left_to_its_client() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let begun = Instant::now();
        connect(&config(&endpoint), &BTreeSet::from([Service::Sqs])).await;
        // Sooner than the client itself would give up.
        assert!(begun.elapsed() < 4 * DEADLINE);
    }

    #[tokio::test]
    async fn the_endpoints_are_those_that_the_clients_resolve() {
        use aws_sdk_dynamodb::config::endpoint::{DefaultResolver, Params, ResolveEndpoint as _};

        for region in ["eu-central-1", "us-gov-west-1", "cn-north-1"] {
            let parameters = Params::builder().region(region.to_owned()).build().unwrap();
            let resolved = DefaultResolver::new()
                .resolve_endpoint(&parameters)
                .await
                .unwrap();
            let ours = Service::DynamoDb.endpoint(region);
            assert_eq!(ours.trim_end_matches('/'), resolved.url(), "{region}");
        }
        let others = [
            (Service::Kms, "kms"),
            (Service::SecretsManager, "secretsmanager"),
            (Service::Ses, "email"),
            (Service::Sns, "sns"),
            (Service::Sqs, "sqs"),
            (Service::StepFunctions, "states"),
        ];
        for (service, prefix) in others {
            let expected = format!("https://{prefix}.eu-central-1.amazonaws.com/");
            assert_eq!(service.endpoint("eu-central-1"), expected);
        }
    }
}
