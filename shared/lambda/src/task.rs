//! Functions that a state machine or an operator calls with one JSON document.

use std::process::ExitCode;

use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use oxcart_domain::OrderId;
use oxcart_telemetry::{Chain, about, attribute, failed, flush, operation_of};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{Cloud, StartError, Trigger, cloud::optional, invocation, start};

/// An error that crosses Step Functions by name.
pub trait TaskError: std::error::Error {
    /// The name that `ErrorEquals` in a state machine matches.
    fn error_type(&self) -> &'static str;

    /// Whether this is an answer of the business (`OutOfStock`), not a fault of ours.
    fn is_answer(&self) -> bool;
}

/// Serves a function that takes one JSON document and answers one.
///
/// A document that doesn't fit is `InvalidInput`: retrying can't cure it.
pub fn serve_task<S, I, O, E, H>(
    wire: impl FnOnce(&Cloud) -> Result<S, StartError>,
    handle: impl Fn(&'static S, I) -> H,
) -> ExitCode
where
    S: 'static,
    I: DeserializeOwned,
    O: Serialize,
    E: TaskError,
    H: Future<Output = Result<O, E>>,
{
    start(wire, async |state| {
        let handle = &handle;
        let stack = optional("STACK_NAME").unwrap_or_default();
        let service = service_fn(async |event: LambdaEvent<Value>| {
            let LambdaEvent { payload, context } = event;
            let traceparent = payload
                .get("traceparent")
                .and_then(Value::as_str)
                .map(ToOwned::to_owned);
            let order_id = payload.get("order_id").and_then(Value::as_str);
            let order_id = order_id.and_then(|text| text.parse::<OrderId>().ok());
            let function = &context.env_config.function_name;
            let name = operation_of(function, &stack);
            let answer = invocation(
                Trigger::Task,
                name,
                &context,
                traceparent.as_deref(),
                async {
                    if let Some(order_id) = order_id {
                        about("order_id", order_id);
                    }
                    let input = serde_path_to_error::deserialize(payload)
                        .map_err(|error| invalid_input(error.path()))?;
                    Box::pin(handle(state, input))
                        .await
                        .map_err(|error| reported(&error))
                },
                |_| None,
            );
            let answer = answer.await;
            flush().await;
            answer
        });
        lambda_runtime::run(service).await
    })
}

/// Names the place and not what stands there, which may be somebody's address.
fn invalid_input(at: &serde_path_to_error::Path) -> Diagnostic {
    let error_message = format!("the input doesn't fit at {at}");
    failed("InvalidInput");
    tracing::error!(error_message, "refused as invalid");
    Diagnostic {
        error_type: "InvalidInput".to_owned(),
        error_message,
    }
}

fn reported(error: &impl TaskError) -> Diagnostic {
    let error_type = error.error_type();
    if error.is_answer() {
        attribute("oxcart.refused_as", error_type);
        tracing::info!(error_type, reason = %Chain(error), "refused");
    } else {
        failed(error_type);
        tracing::warn!(error_type, error = %Chain(error), "failed");
    }
    Diagnostic {
        error_type: error_type.to_owned(),
        error_message: error.to_string(),
    }
}
