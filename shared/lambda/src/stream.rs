//! Functions that follow tables' streams.

use std::process::ExitCode;

use aws_lambda_events::dynamodb::{Event as StreamEvent, EventRecord};
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use oxcart_telemetry::Chain;

use crate::{Cloud, StartError, Trigger, invocation, start};

/// Serves a function that follows a stream, a batch at a time.
///
/// An error makes the whole batch come again, in order, so `handle` answers one only for what a retry
/// can cure, and what it did before must be harmless to repeat.
pub fn serve_stream<S, E, H>(
    wire: impl FnOnce(&Cloud) -> Result<S, StartError>,
    handle: impl Fn(&'static S, Vec<EventRecord>) -> H,
) -> ExitCode
where
    S: 'static,
    E: std::error::Error,
    H: Future<Output = Result<(), E>>,
{
    start(wire, async |state| {
        let handle = &handle;
        let service = service_fn(async |event: LambdaEvent<StreamEvent>| {
            invocation(Trigger::Stream, &event.context, None, async {
                Box::pin(handle(state, event.payload.records))
                    .await
                    .map_err(|error| {
                        tracing::error!(error = %Chain(&error), "the batch comes again");
                        Diagnostic {
                            error_type: "BatchFailed".to_owned(),
                            error_message: error.to_string(),
                        }
                    })
            })
            .await
        });
        lambda_runtime::run(service).await
    })
}
