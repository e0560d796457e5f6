//! From a Lambda invocation to an endpoint's handler and back.

use std::{convert::Infallible, process::ExitCode};

use lambda_http::{
    Body, Request, RequestExt as _, Response,
    http::{HeaderValue, Method, StatusCode, header},
    request::RequestContext,
    service_fn,
};
use oxcart_lambda::{Cloud, StartError, Trigger, invocation, start};
use oxcart_telemetry::{attribute, conflict, count, failed, flush, is_exporting, operation};

use crate::{Answer, Problem, respond::REPLAY};

/// Serves an HTTP endpoint. Refusals and failures are answered as problem documents. `HEAD` is answered as
/// `GET` would be, without the body.
pub fn serve<S, H>(
    wire: impl FnOnce(&Cloud) -> Result<S, StartError>,
    handle: impl Fn(&'static S, Request) -> H,
) -> ExitCode
where
    S: Sync + 'static,
    H: Future<Output = Result<Answer, Problem>> + Send,
{
    start(wire, async |state| {
        let handle = &handle;
        let service = service_fn(move |request: Request| {
            let context = request.lambda_context();
            let traceparent = request
                .headers()
                .get("traceparent")
                .and_then(|value| value.to_str().ok())
                .map(ToOwned::to_owned);
            let head_only = *request.method() == Method::HEAD;
            let route = route(&request);
            let described = is_exporting().then(|| described(&request));
            let answer = Box::pin(handle(state, request));
            async move {
                let answered = invocation(
                    Trigger::Http,
                    &route,
                    &context,
                    traceparent.as_deref(),
                    async {
                        for (name, value) in described.into_iter().flatten() {
                            attribute(name, value);
                        }
                        let mut response = answer
                            .await
                            .map_or_else(Response::<Body>::from, Response::<Body>::from);
                        response.headers_mut().insert(
                            header::X_CONTENT_TYPE_OPTIONS,
                            HeaderValue::from_static("nosniff"),
                        );
                        if head_only {
                            *response.body_mut() = Body::Empty;
                        }
                        measure(&response);
                        response
                    },
                    |response| Some(response.status().as_u16()),
                );
                let response = answered.await;
                flush().await;
                Ok::<_, Infallible>(response)
            }
        });
        lambda_http::run(service).await
    })
}

/// The method and the template of the path, as the API has them: `GET /orders/{id}`.
fn route(request: &Request) -> String {
    let route = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.route_key.clone(),
        _ => None,
    };
    let route = route.filter(|route| route.contains(' '));
    route.unwrap_or_else(|| request.method().to_string())
}

/// A request as the conventions for
/// [HTTP servers](https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server) describe one, but without
/// its query, which may hold anything.
fn described(request: &Request) -> Vec<(&'static str, String)> {
    let header = |name| {
        let value = request.headers().get(name)?.to_str().ok()?;
        Some(value.to_owned())
    };
    let route = route(request);
    let template = route.split_once(' ').map(|(_, path)| path.to_owned());
    let known = [
        ("http.request.method", Some(request.method().to_string())),
        ("http.route", template),
        ("url.path", Some(request.raw_http_path().to_owned())),
        ("url.scheme", header("x-forwarded-proto")),
        ("server.address", header("host")),
        ("user_agent.original", header("user-agent")),
    ];
    let known = known.into_iter();
    known
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

/// Counts what says something of its clients: that they repeat themselves, or get into each other's way.
fn measure(response: &Response<Body>) {
    let status = response.status();
    attribute("http.response.status_code", i64::from(status.as_u16()));
    if status.is_server_error() {
        failed(status.as_u16().to_string());
    }
    if response.headers().contains_key(REPLAY) {
        count("IdempotentReplays")
            .by("Operation", operation())
            .record();
    }
    if status == StatusCode::CONFLICT {
        conflict();
    }
}
