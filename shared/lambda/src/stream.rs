//! Functions that follow tables' streams.

use std::process::ExitCode;

use aws_lambda_events::dynamodb::{Event as StreamEvent, EventRecord};
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use oxcart_telemetry::{Chain, attribute, failed, flush};

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
            let LambdaEvent { payload, context } = event;
            let table = table_of(&payload.records).to_owned();
            let name = format!("process {table}");
            let done = invocation(
                Trigger::Stream,
                &name,
                &context,
                None,
                async {
                    attribute("faas.document.collection", table);
                    attribute("messaging.operation.type", "process");
                    attribute("messaging.operation.name", "process");
                    attribute(
                        "messaging.batch.message_count",
                        i64::try_from(payload.records.len()).unwrap_or(i64::MAX),
                    );
                    Box::pin(handle(state, payload.records))
                        .await
                        .map_err(|error| {
                            failed("BatchFailed");
                            tracing::error!(error = %Chain(&error), "the batch comes again");
                            Diagnostic {
                                error_type: "BatchFailed".to_owned(),
                                error_message: error.to_string(),
                            }
                        })
                },
                |_| None,
            );
            let done = done.await;
            flush().await;
            done
        });
        lambda_runtime::run(service).await
    })
}

/// The table of a stream: `arn:aws:dynamodb:<region>:<account>:table/<table>/stream/<label>`.
fn table_of(records: &[EventRecord]) -> &str {
    let arn = records
        .first()
        .and_then(|record| record.event_source_arn.as_deref());
    arn.and_then(|arn| arn.split('/').nth(1))
        .unwrap_or_default()
}
