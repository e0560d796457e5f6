//! Calls of AWS as spans of a trace: each attempt is one, as the semantic conventions for
//! [HTTP](https://opentelemetry.io/docs/specs/semconv/http/http-spans/) and the
//! [AWS SDK](https://opentelemetry.io/docs/specs/semconv/cloud-providers/aws-sdk/) ask.

use std::collections::{BTreeMap, BTreeSet};

use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
            SharedHttpClient, SharedHttpConnector,
        },
        orchestrator::HttpRequest,
        runtime_components::RuntimeComponents,
    },
    shared::IntoShared as _,
};
use oxcart_telemetry::{SpanKind, TraceSpan};
use serde::Deserialize;
use serde_json::Value;

/// The HTTP client with a span around each call.
pub(crate) fn traced(client: SharedHttpClient) -> SharedHttpClient {
    TracedClient(client).into_shared()
}

#[derive(Debug)]
struct TracedClient(SharedHttpClient);

#[derive(Debug)]
struct TracedConnector(SharedHttpConnector);

impl HttpClient for TracedClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(TracedConnector(self.0.http_connector(settings, components)))
    }
}

impl HttpConnector for TracedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let span = span_of(&request);
        let answer = self.0.call(request);
        HttpConnectorFuture::new(async move {
            let answer = span.around(answer).await;
            match &answer {
                Ok(response) => {
                    let status = response.status().as_u16();
                    span.set("http.response.status_code", i64::from(status));
                    if let Some(id) = response.headers().get("x-amzn-requestid") {
                        span.set("aws.request_id", id.to_owned());
                    }
                    if status >= 400 {
                        span.fails(status.to_string());
                    }
                }
                Err(error) => span.fails(if error.is_timeout() {
                    "timeout"
                } else {
                    "connection"
                }),
            }
            answer
        })
    }
}

fn span_of(request: &HttpRequest) -> TraceSpan {
    let header = |name| request.headers().get(name).unwrap_or_default();
    let authorization = header("authorization");
    if authorization.is_empty() {
        // Nothing is asked: it opens a connection.
        return TraceSpan::none();
    }
    let service = service(authorization);
    let body = request.body().bytes().unwrap_or_default();
    let operation = operation(header("x-amz-target"), request.uri(), body);
    let span = TraceSpan::new(SpanKind::Client, &format!("{service}/{operation}"));
    if !span.is_recorded() {
        return span;
    }
    span.set("rpc.system", "aws-api");
    span.set("rpc.service", service.to_owned());
    span.set("rpc.method", operation.clone());
    span.set("http.request.method", request.method().to_owned());
    if let Some(host) = host(request.uri()) {
        span.set("server.address", host.to_owned());
    }
    if let Some(before) = attempts_before(header("amz-sdk-request")) {
        span.set("http.request.resend_count", before);
    }
    match service {
        "DynamoDB" => {
            let tables = tables(body);
            span.set("db.system.name", "aws.dynamodb");
            span.set("db.operation.name", operation);
            if let [table] = tables.as_slice() {
                span.set("db.collection.name", table.clone());
            }
            span.set_all("aws.dynamodb.table_names", tables);
        }
        "SNS" => span.set("messaging.system", "aws.sns"),
        "SQS" => span.set("messaging.system", "aws_sqs"),
        _ => {}
    }
    span
}

/// The service's name as its SDK has it, from [what a call is signed
/// for](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html):
/// `Credential=<key>/<date>/<region>/<service>/aws4_request`.
fn service(authorization: &str) -> &str {
    let scope = authorization
        .split("Credential=")
        .nth(1)
        .unwrap_or_default();
    match scope.split('/').nth(3).unwrap_or_default() {
        "dynamodb" => "DynamoDB",
        "kms" => "KMS",
        "lambda" => "Lambda",
        "secretsmanager" => "Secrets Manager",
        "ses" => "SESv2",
        "sns" => "SNS",
        "sqs" => "SQS",
        "states" => "SFN",
        "" => "AWS",
        other => other,
    }
}

/// The operation's name: each of AWS's protocols has it in another place, and the one that has paths doesn't have it.
fn operation(target: &str, uri: &str, body: &[u8]) -> String {
    if let Some((_, operation)) = target.rsplit_once('.') {
        return operation.to_owned();
    }
    let form = body.strip_prefix(b"Action=").map(|rest| {
        let end = rest.iter().position(|byte| *byte == b'&');
        let name = end.and_then(|end| rest.get(..end)).unwrap_or(rest);
        String::from_utf8_lossy(name).into_owned()
    });
    form.unwrap_or_else(|| {
        let path = uri.split('?').next().unwrap_or_default();
        match path.rsplit('/').next().unwrap_or_default() {
            "outbound-emails" => "SendEmail",
            "invocations" => "Invoke",
            _ => "call",
        }
        .to_owned()
    })
}

fn host(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?']).next()?;
    Some(
        authority
            .rsplit_once(':')
            .map_or(authority, |(host, _)| host),
    )
}

/// How often the SDK has sent this before, from its `attempt=2; max=3`.
fn attempts_before(header: &str) -> Option<i64> {
    let mut parts = header.split(';').map(str::trim);
    let attempt = parts.find_map(|part| part.strip_prefix("attempt="))?;
    attempt.parse::<i64>().ok().map(|attempt| attempt - 1)
}

/// The tables that a call of DynamoDB is about.
fn tables(body: &[u8]) -> Vec<String> {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "PascalCase", default)]
    struct Call {
        table_name: Option<String>,
        request_items: BTreeMap<String, Value>,
        transact_items: Vec<BTreeMap<String, OfTable>>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct OfTable {
        table_name: String,
    }

    let call: Call = serde_json::from_slice(body).unwrap_or_default();
    let parts = call
        .transact_items
        .into_iter()
        .flat_map(BTreeMap::into_values);
    let tables: BTreeSet<String> = (call.table_name.into_iter())
        .chain(call.request_items.into_keys())
        .chain(parts.map(|part| part.table_name))
        .collect();
    tables.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_named_by_its_service_and_operation() {
        let signed = |service| {
            format!(
                "AWS4-HMAC-SHA256 Credential=AKIA/20260301/eu-west-1/{service}/aws4_request, SignedHeaders=host"
            )
        };
        let cases = [
            (
                "dynamodb",
                "DynamoDB_20120810.PutItem",
                "/",
                "",
                "DynamoDB/PutItem",
            ),
            (
                "states",
                "AWSStepFunctions.StartExecution",
                "/",
                "",
                "SFN/StartExecution",
            ),
            (
                "sns",
                "",
                "/",
                "Action=PublishBatch&Version=2010-03-31",
                "SNS/PublishBatch",
            ),
            (
                "ses",
                "",
                "https://email.aws/v2/email/outbound-emails",
                "{}",
                "SESv2/SendEmail",
            ),
        ];
        for (name, target, uri, body, expected) in cases {
            let (signed, operation) = (signed(name), operation(target, uri, body.as_bytes()));
            assert_eq!(format!("{}/{operation}", service(&signed)), expected);
        }
        assert_eq!(service(""), "AWS");
    }

    #[test]
    fn a_call_tells_its_tables_and_nothing_else_of_its_body() {
        for (body, expected) in [
            (
                r#"{"TableName":"shop-orders","Key":{"pk":{"S":"x"}}}"#,
                vec!["shop-orders"],
            ),
            (
                r#"{"RequestItems":{"shop-orders":{"Keys":[]}}}"#,
                vec!["shop-orders"],
            ),
            (
                r#"{"TransactItems":[{"Put":{"TableName":"b","Item":{}}},{"Update":{"TableName":"a"}},{"Put":{"TableName":"b"}}]}"#,
                vec!["a", "b"],
            ),
            ("Action=PublishBatch", vec![]),
        ] {
            assert_eq!(tables(body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn where_a_call_goes_and_how_often_it_went_before_is_told() {
        assert_eq!(
            host("https://dynamodb.eu-west-1.amazonaws.com/"),
            Some("dynamodb.eu-west-1.amazonaws.com")
        );
        assert_eq!(host("http://127.0.0.1:4566/000/queue?x"), Some("127.0.0.1"));
        assert_eq!(attempts_before("attempt=1; max=3"), Some(0));
        assert_eq!(attempts_before("ttl=2026; attempt=3; max=3"), Some(2));
        assert_eq!(attempts_before(""), None);
    }
}
