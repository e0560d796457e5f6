//! How the gateway is called: with time limits, the secret, repeats of what is safe to repeat, and a
//! circuit breaker ([Nygard, Release It!](https://pragprog.com/titles/mnee2/), chapter 5).

use std::time::Duration;

use bytes::Bytes;
use oxcart_telemetry::{SpanKind, TraceSpan, count};
use reqwest::{
    Client, Request, RequestBuilder, StatusCode,
    header::{HeaderMap, RETRY_AFTER},
    redirect::Policy,
};
use secrecy::ExposeSecret as _;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep, timeout_at};
use tower::{ServiceBuilder, ServiceExt as _, service_fn, util::BoxCloneSyncService};
use tower_resilience_circuitbreaker::{
    CircuitBreakerConfigError, CircuitBreakerError, CircuitBreakerLayer,
};

use super::{
    GatewayError, GatewaySecret, SecretError,
    answer::{ErrorAnswer, ErrorBody},
};

/// How long one attempt may take. Longer than banks do.
const ATTEMPT: Duration = Duration::from_secs(8);
/// How long a call may take with its repeats: less than half of what a function has, which makes two.
const TOTAL: Duration = Duration::from_secs(13);
/// How often what is safe to repeat is tried.
const TRIES: u32 = 3;
/// The longest wait before the first repeat, in milliseconds; it doubles for the next.
const BACKOFF: u64 = 200;
/// How many failures in a row open the breaker.
const FAILURES: usize = 5;
/// How long an open breaker leaves the gateway alone before it lets one call through.
pub(super) const PAUSE: Duration = Duration::from_secs(10);

/// Whether a call may be made again when nobody knows whether it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Doing it twice is doing it once.
    Safe,
    /// Who calls has to ask for the truth first.
    Unsafe,
}

/// One exchange with the gateway, through the breaker.
type Exchanges = BoxCloneSyncService<Request, Exchange, CircuitBreakerError<reqwest::Error>>;

/// A client of one host, with its breaker. Its connections and the breaker's state live as long as the
/// execution environment.
#[derive(Debug)]
pub(super) struct Calls {
    client: Client,
    exchanges: Exchanges,
    base: String,
    secret: GatewaySecret,
}

/// What the gateway answered, whole.
#[derive(Debug)]
struct Exchange {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// Why the gateway can't be called at all.
#[derive(Debug, thiserror::Error)]
pub enum GatewayStartError {
    /// No HTTP client can be made.
    #[error("the payment gateway's client can't be made")]
    Client(#[from] reqwest::Error),
    /// The breaker's settings don't fit together.
    #[error("the circuit breaker can't be made")]
    Breaker(#[from] CircuitBreakerConfigError),
}

/// A call that was not a success, before its meaning is known.
#[derive(Debug)]
pub(super) enum Failure {
    Unavailable(Box<dyn std::error::Error + Send + Sync>),
    Open,
    Answered(StatusCode, ErrorBody),
    Secret(SecretError),
}

#[derive(Debug, thiserror::Error)]
#[error("the gateway answered {0}")]
struct UnexpectedStatus(StatusCode);

#[derive(Debug, thiserror::Error)]
#[error("the gateway took too long")]
struct TooLong;

/// Which no request of ours is: their bodies are forms.
#[derive(Debug, thiserror::Error)]
#[error("the request's body can't be sent twice")]
struct Unrepeatable;

impl Calls {
    pub(super) fn new(
        url: &str,
        secret: GatewaySecret,
        pause: Duration,
    ) -> Result<Self, GatewayStartError> {
        let client = Client::builder()
            .connect_timeout(Duration::from_secs(2))
            .timeout(ATTEMPT)
            .redirect(Policy::none())
            .build()?;
        Ok(Self {
            exchanges: guarded(client.clone(), pause)?,
            client,
            base: format!("{}/v1", url.trim_end_matches('/')),
            secret,
        })
    }

    pub(super) fn get(&self, path: &str, query: &[(&str, &str)]) -> RequestBuilder {
        self.client
            .get(format!("{}/{path}", self.base))
            .query(query)
    }

    pub(super) fn post(&self, path: &str, form: &[(&str, String)]) -> RequestBuilder {
        self.client.post(format!("{}/{path}", self.base)).form(form)
    }

    /// Sends the request, and again where that can help and is safe, and reads the answer.
    pub(super) async fn send<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
        repeat: Repeat,
    ) -> Result<T, Failure> {
        let deadline = Instant::now() + TOTAL;
        let mut earlier = None;
        for tried in 1..=TRIES {
            let attempt = self.authorised(&request);
            let outcome = timeout_at(deadline, attempt).await;
            let (failure, asked) = match outcome.unwrap_or_else(|_| Err(unavailable(TooLong))) {
                Ok(exchange) if exchange.status.is_success() => return exchange.read(),
                Ok(exchange) if exchange.is_refusal() => return Err(exchange.refusal()),
                Ok(exchange) if exchange.is_for_us_to_mend() => return Err(exchange.failure()),
                Ok(exchange) => (exchange.failure(), exchange.retry_after()),
                // It was this call's earlier attempt that opened the breaker, and that may have been done.
                Err(Failure::Open) => return Err(earlier.unwrap_or(Failure::Open)),
                Err(Failure::Unavailable(cause)) => (Failure::Unavailable(cause), None),
                Err(failure) => return Err(failure),
            };
            // A 429 says that nothing was done.
            let may_repeat = repeat == Repeat::Safe || asked.is_some();
            let wait = asked.unwrap_or_else(|| backoff(tried));
            if !may_repeat || Instant::now() + wait >= deadline {
                return Err(failure);
            }
            earlier = Some(failure);
            if tried < TRIES {
                sleep(wait).await;
            }
        }
        Err(earlier.unwrap_or(Failure::Open))
    }

    /// One attempt with our secret; a second one with a newer secret if the gateway refuses this one.
    async fn authorised(&self, request: &RequestBuilder) -> Result<Exchange, Failure> {
        let secret = self.secret.get().await.map_err(Failure::Secret)?;
        let exchange = self.exchange(request, secret.expose_secret()).await?;
        if exchange.status != StatusCode::UNAUTHORIZED {
            return Ok(exchange);
        }
        let newer = self
            .secret
            .newer(&secret, Duration::ZERO)
            .await
            .map_err(Failure::Secret)?;
        self.exchange(request, newer.expose_secret()).await
    }

    async fn exchange(&self, request: &RequestBuilder, secret: &str) -> Result<Exchange, Failure> {
        let request = request
            .try_clone()
            .ok_or_else(|| unavailable(Unrepeatable))?;
        let request = request.basic_auth(secret, Some("")).build();
        let request = request.map_err(unreachable)?;
        match self.exchanges.clone().oneshot(request).await {
            Ok(exchange) => Ok(exchange),
            Err(CircuitBreakerError::OpenCircuit) => Err(Failure::Open),
            Err(CircuitBreakerError::Inner(error)) => Err(unreachable(error)),
        }
    }
}

/// The breaker around `client`. It opens on what says that the gateway is down: no answer, or a server
/// error; what it says no to shows that it is up.
fn guarded(client: Client, pause: Duration) -> Result<Exchanges, CircuitBreakerConfigError> {
    let breaker = CircuitBreakerLayer::builder()
        .consecutive_failures(FAILURES)
        .wait_duration_in_open(pause)
        .permitted_calls_in_half_open(1)
        .failure_classifier(|result: &Result<Exchange, reqwest::Error>| match result {
            Ok(exchange) => exchange.status.is_server_error(),
            Err(_) => true,
        })
        .on_state_transition(|from, to| {
            tracing::warn!(
                ?from,
                ?to,
                "the payment gateway's circuit breaker changed state"
            );
            count("PaymentGatewayBreakerTransitions")
                .by("State", format!("{to:?}"))
                .record();
        })
        .build()?;
    let exchange = service_fn(move |request: Request| {
        let client = client.clone();
        async move {
            let span = span_of(&request);
            let exchange = span.around(async {
                let response = client.execute(request).await?;
                Ok(Exchange {
                    status: response.status(),
                    headers: response.headers().clone(),
                    body: response.bytes().await?,
                })
            });
            let exchange = exchange.await;
            tell(&span, &exchange);
            exchange
        }
    });
    Ok(BoxCloneSyncService::new(
        ServiceBuilder::new().layer(breaker).service(exchange),
    ))
}

/// A call as the conventions for
/// [HTTP clients](https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client) describe one. The trace is
/// not handed on: the gateway is somebody else's.
fn span_of(request: &Request) -> TraceSpan {
    let (method, template) = (request.method().as_str(), template(request.url().path()));
    let span = TraceSpan::new(SpanKind::Client, &format!("{method} {template}"));
    span.set("http.request.method", method.to_owned());
    span.set("url.template", template);
    if let Some(host) = request.url().host_str() {
        span.set("server.address", host.to_owned());
    }
    if let Some(port) = request.url().port_or_known_default() {
        span.set("server.port", i64::from(port));
    }
    span
}

fn tell(span: &TraceSpan, exchange: &Result<Exchange, reqwest::Error>) {
    match exchange {
        Ok(exchange) => {
            let status = exchange.status;
            span.set("http.response.status_code", i64::from(status.as_u16()));
            if status.is_client_error() || status.is_server_error() {
                span.fails(status.as_u16().to_string());
            }
        }
        Err(error) if error.is_timeout() => span.fails("timeout"),
        Err(_) => span.fails("connection"),
    }
}

/// A path without the id in it, which is what follows the name of the resource: `/v1/<resource>/<id>/<action>`. It is
/// told by its place, for what it is made of says nothing: an id may well be letters only.
fn template(path: &str) -> String {
    let parts = path.split('/').enumerate();
    let parts = parts.map(|(place, part)| if place == 3 { "{id}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// Full jitter ([Exponential backoff and jitter](https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/)).
fn backoff(tried: u32) -> Duration {
    Duration::from_millis(fastrand::u64(0..=BACKOFF << tried.saturating_sub(1)))
}

impl Exchange {
    fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        // What it did is unknown as long as its answer can't be read.
        serde_json::from_slice(&self.body).map_err(|error| Failure::Unavailable(error.into()))
    }

    /// Whether it is a no to what was asked, which no repeat will change.
    fn is_refusal(&self) -> bool {
        matches!(
            self.status,
            StatusCode::BAD_REQUEST | StatusCode::PAYMENT_REQUIRED | StatusCode::NOT_FOUND
        )
    }

    /// Whether our secret is wrong, or may not do this: that is not the customer's fault, and no repeat
    /// mends it, but the operator may before the saga tries again.
    fn is_for_us_to_mend(&self) -> bool {
        matches!(
            self.status,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
        )
    }

    /// What the refusal says. One that isn't in the gateway's words is somebody else's: of a proxy, say.
    fn refusal(&self) -> Failure {
        match serde_json::from_slice::<ErrorAnswer>(&self.body) {
            Ok(answer) => Failure::Answered(self.status, answer.error),
            Err(_) => self.failure(),
        }
    }

    fn failure(&self) -> Failure {
        unavailable(UnexpectedStatus(self.status))
    }

    /// How long to wait, if it asks for less.
    fn retry_after(&self) -> Option<Duration> {
        if self.status != StatusCode::TOO_MANY_REQUESTS {
            return None;
        }
        let seconds = self.headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
        Some(Duration::from_secs(seconds))
    }
}

fn unavailable(cause: impl std::error::Error + Send + Sync + 'static) -> Failure {
    Failure::Unavailable(Box::new(cause))
}

/// The URL of a call holds ids only, but a log has no use for it.
fn unreachable(error: reqwest::Error) -> Failure {
    Failure::Unavailable(Box::new(error.without_url()))
}

impl From<Failure> for GatewayError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unavailable(cause) => Self::Unavailable(cause),
            Failure::Open => Self::Open,
            Failure::Answered(status, error) if error.is_about_state(status) => Self::Refused {
                code: error.code.unwrap_or_else(|| status.to_string()),
            },
            Failure::Answered(status, error) => {
                let code = error.code.unwrap_or_else(|| status.to_string());
                tracing::error!(%status, code, "the payment gateway takes a request for invalid");
                count("PaymentGatewayInvalidRequests").record();
                Self::Invalid { code }
            }
            Failure::Secret(error) => Self::Secret(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_that_differ_by_an_id_have_one_name() {
        for (path, expected) in [
            ("/v1/payment_intents", "/v1/payment_intents"),
            (
                "/v1/payment_intents/pi_3MtwBw/confirm",
                "/v1/payment_intents/{id}/confirm",
            ),
            (
                "/v1/payment_intents/pi_aBgSwNorWuDQxU",
                "/v1/payment_intents/{id}",
            ),
            ("/v1/refunds", "/v1/refunds"),
        ] {
            assert_eq!(template(path), expected);
        }
    }
}
