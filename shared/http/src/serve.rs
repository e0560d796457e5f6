//! From a Lambda invocation to an endpoint's handler and back.

use std::{convert::Infallible, process::ExitCode};

use lambda_http::{
    Body, Request, RequestExt as _, Response,
    http::{HeaderValue, Method, StatusCode, header},
    service_fn,
};
use oxcart_lambda::{Cloud, StartError, Trigger, invocation, start};
use oxcart_telemetry::{conflict, count, operation};

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
            let answer = Box::pin(handle(state, request));
            async move {
                let answered = invocation(Trigger::Http, &context, traceparent.as_deref(), async {
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
                    tracing::info!(status = response.status().as_u16(), "answered");
                    measure(&response);
                    response
                });
                Ok::<_, Infallible>(answered.await)
            }
        });
        lambda_http::run(service).await
    })
}

/// Counts what says something of its clients: that they repeat themselves, or get into each other's way.
fn measure(response: &Response<Body>) {
    if response.headers().contains_key(REPLAY) {
        count("IdempotentReplays")
            .by("Operation", operation())
            .record();
    }
    if response.status() == StatusCode::CONFLICT {
        conflict();
    }
}
