//! Functions that consume a queue.

use std::process::ExitCode;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use lambda_runtime::{LambdaEvent, service_fn};
use oxcart_domain::Event;
use oxcart_telemetry::{Chain, about, attribute, count, failed, flush, operation};

use crate::{Cloud, StartError, Trigger, invocation, start};

/// Why a message was not taken. It alone comes again, and after its last try goes to the dead-letter
/// queue; the rest of its batch is done.
#[derive(Debug, thiserror::Error)]
enum MessageFailed<E: std::error::Error + 'static> {
    /// Its text is not told: it may hold somebody's address.
    #[error("the message is no domain event")]
    Malformed,
    #[error("the event was not handled")]
    Unhandled(#[source] E),
}

/// Serves a function that consumes domain events from a queue, one at a time, answering which
/// messages of the batch failed (`ReportBatchItemFailures`).
pub fn serve_queue<S, E, H>(
    wire: impl FnOnce(&Cloud) -> Result<S, StartError>,
    handle: impl Fn(&'static S, Event) -> H,
) -> ExitCode
where
    S: 'static,
    E: std::error::Error + 'static,
    H: Future<Output = Result<(), E>>,
{
    start(wire, async |state| {
        let handle = &handle;
        let service = service_fn(async |event: LambdaEvent<SqsEvent>| {
            let mut answer = SqsBatchResponse::default();
            for message in event.payload.records {
                let parsed = parse(&message);
                let traceparent = parsed
                    .as_ref()
                    .ok()
                    .and_then(|event| event.traceparent.clone());
                let queue = last_part(message.event_source_arn.as_deref());
                let name = format!("process {queue}");
                invocation(Trigger::Queue, &name, &event.context, traceparent.as_deref(), async {
                    attribute("messaging.system", "aws_sqs");
                    attribute("messaging.operation.type", "process");
                    attribute("messaging.operation.name", "process");
                    attribute("messaging.destination.name", queue.to_owned());
                    if let Some(id) = &message.message_id {
                        attribute("messaging.message.id", id.clone());
                    }
                    let taken = match parsed {
                        Ok(event) => {
                            let (name, id) = event.event.aggregate();
                            about(name, id);
                            attribute("cloudevents.event_id", event.id.to_string());
                            attribute("cloudevents.event_type", event.event.kind());
                            Box::pin(handle(state, event)).await.map_err(MessageFailed::Unhandled)
                        }
                        Err(_) => Err(MessageFailed::Malformed),
                    };
                    if let Err(error) = taken {
                        failed("MessageFailed");
                        tracing::error!(message_id = message.message_id, error = %Chain(&error), "message failed");
                        count("MessagesFailed").by("Function", operation()).record();
                        answer.batch_item_failures.push(failure(message.message_id));
                    }
                }, |()| None)
                .await;
            }
            flush().await;
            Ok::<_, lambda_runtime::Error>(answer)
        });
        lambda_runtime::run(service).await
    })
}

/// What an ARN names: a queue.
fn last_part(arn: Option<&str>) -> &str {
    arn.and_then(|arn| arn.rsplit(':').next())
        .unwrap_or_default()
}

fn parse(message: &SqsMessage) -> Result<Event, serde_json::Error> {
    serde_json::from_str(message.body.as_deref().unwrap_or_default())
}

fn failure(message_id: Option<String>) -> BatchItemFailure {
    let mut failure = BatchItemFailure::default();
    failure.item_identifier = message_id.unwrap_or_default();
    failure
}
