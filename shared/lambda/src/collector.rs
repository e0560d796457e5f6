//! Whether traces are wanted, and the way to who collects them: the HTTP client that the function has anyway.

use async_trait::async_trait;
use aws_smithy_http_client::{
    Connector,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector as _, SharedHttpConnector},
    orchestrator::HttpRequest,
};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream};
use bytes::Bytes;
use http::{Request, Response};
use oxcart_telemetry::{
    CollectorClient, CollectorError, ExportError, Tracer, export, operation_of,
};

use crate::cloud::optional;

/// What makes the spans, if the [standard
/// variables](https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/) name a collector and
/// don't say no.
pub(crate) fn tracer() -> Result<Option<Tracer>, ExportError> {
    let is = |name, text: &str| optional(name).is_some_and(|is| is.eq_ignore_ascii_case(text));
    let named = optional("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
        .or_else(|| optional("OTEL_EXPORTER_OTLP_ENDPOINT"));
    if named.is_none() || is("OTEL_SDK_DISABLED", "true") || is("OTEL_TRACES_EXPORTER", "none") {
        return Ok(None);
    }
    let tls = Provider::Rustls(CryptoMode::AwsLc);
    let collector = Collector(SharedHttpConnector::new(
        Connector::builder().tls_provider(tls).build(),
    ));
    export(collector, resource()).map(Some)
}

/// The function, as the semantic conventions for
/// [functions](https://opentelemetry.io/docs/specs/semconv/resource/faas/) describe one.
fn resource() -> impl Iterator<Item = (&'static str, String)> {
    let function = optional("AWS_LAMBDA_FUNCTION_NAME");
    let stack = optional("STACK_NAME");
    let operation = function.as_deref().map(|function| {
        let stack = stack.as_deref().unwrap_or_default();
        operation_of(function, stack).to_owned()
    });
    let known = [
        ("service.name", optional("OTEL_SERVICE_NAME").or(operation)),
        ("service.namespace", stack),
        ("faas.name", function),
        ("faas.version", optional("AWS_LAMBDA_FUNCTION_VERSION")),
        ("faas.instance", optional("AWS_LAMBDA_LOG_STREAM_NAME")),
        ("cloud.provider", Some("aws".to_owned())),
        ("cloud.platform", Some("aws.lambda".to_owned())),
        ("cloud.region", optional("AWS_REGION")),
    ];
    let known = known.into_iter();
    known.filter_map(|(name, value)| Some((name, value?)))
}

#[derive(Debug)]
struct Collector(SharedHttpConnector);

#[async_trait]
impl CollectorClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, CollectorError> {
        let request = HttpRequest::try_from(request.map(SdkBody::from))?;
        let response = self.0.call(request).await?.try_into_http1x()?;
        let (head, body) = response.into_parts();
        let body = ByteStream::new(body).collect().await?;
        Ok(Response::from_parts(head, body.into_bytes()))
    }
}
