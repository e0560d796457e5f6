//! Stream consumer: publishes the events that items carry in their outbox.
//!
//! At least once: a batch that fails comes again whole, and what was published before is published
//! again under the same event ids, which consumers drop. A record that can never be published is
//! parked in a queue of its own and doesn't hold up those after it.

use aws_lambda_events::dynamodb::EventRecord;
use aws_sdk_sns::{
    error::{BuildError, SdkError},
    operation::publish_batch::PublishBatchError,
    types::{BatchResultErrorEntry, MessageAttributeValue, PublishBatchRequestEntry},
};
use aws_sdk_sqs::operation::send_message::SendMessageError;
use oxcart_domain::{Event, EventId, Timestamp};
use oxcart_lambda::clock;
use oxcart_outbox::{Outgoing, event_id, outgoing};
use oxcart_telemetry::{
    SpanKind, TraceContext, TraceSpan, Unit, count, is_exporting, link, metric,
};
use serde::Serialize;

/// What SNS says of a message that it will never take. "The sender's fault" alone is not enough: that
/// is said of throttling too.
const FINAL: [&str; 3] = [
    "InvalidParameter",
    "InvalidParameterValue",
    "ParameterValueInvalid",
];
/// The most messages, and the most bytes, that SNS takes in one call.
const BATCH_ENTRIES: usize = 10;
const BATCH_BYTES: usize = 256 * 1024;

/// Where events go.
#[derive(Debug)]
pub struct Relay {
    /// The client of the topic.
    pub topic: aws_sdk_sns::Client,
    /// The topic for domain events.
    pub topic_arn: String,
    /// The client of the queue.
    pub parked: aws_sdk_sqs::Client,
    /// The queue for what can't be published.
    pub parked_queue_url: String,
}

/// Why a batch was not relayed. A retry can cure it, so the whole batch comes again.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// SNS did not take a call.
    #[error("the events were not published")]
    Publish(#[source] Box<SdkError<PublishBatchError>>),
    /// SNS took a call but not all of its events.
    #[error("{count} events were not published, the first because of {code}")]
    Entries {
        /// How many.
        count: usize,
        /// SNS's word for why.
        code: String,
    },
    /// SQS did not take a record that is to be parked.
    #[error("the record was not parked")]
    Park(#[source] Box<SdkError<SendMessageError>>),
    /// A call was put together wrongly.
    #[error("the call is incomplete")]
    Incomplete(#[from] BuildError),
    /// A record can't be written as JSON.
    #[error("the record can't be written")]
    Unwritable(#[from] serde_json::Error),
}

/// A record that can never be published, as it is parked: where to find it, not what it holds.
#[derive(Debug, Serialize)]
struct ParkedRecord<'a> {
    reason: String,
    event_source_arn: Option<&'a str>,
    sequence_number: Option<&'a str>,
    /// Which event it was, so that no later one is taken for it.
    event_id: Option<EventId>,
    keys: &'a serde_dynamo::Item,
}

/// An event as it is published.
#[derive(Debug, Clone)]
struct Message<'a> {
    record: &'a EventRecord,
    /// Its sending, as part of the trace of what it tells of.
    span: TraceSpan,
    attributes: Vec<(&'static str, &'static str)>,
    /// When what it tells of happened.
    time: Timestamp,
    body: String,
}

/// Publishes the new events of a batch in order, and parks what can't be.
///
/// # Errors
/// See [`RelayError`].
pub async fn handle(relay: &Relay, records: Vec<EventRecord>) -> Result<(), RelayError> {
    let mut messages = Vec::with_capacity(records.len());
    for record in &records {
        match outgoing(&record.change.old_image, &record.change.new_image) {
            Outgoing::Nothing => {}
            Outgoing::Event(event) => messages.push(relay.message(record, *event)?),
            Outgoing::Malformed => {
                relay
                    .park(record, "the outbox holds no event".to_owned())
                    .await?;
            }
        }
    }
    let mut published = 0;
    for batch in batches(&messages) {
        published += relay.publish(batch).await?;
    }
    tracing::info!(records = records.len(), published, "relayed");
    measure(&messages, published, clock::now());
    Ok(())
}

/// Counts what was published of a batch that is done, and how long its oldest event had waited. One that comes again
/// is counted then.
fn measure(messages: &[Message<'_>], published: u64, now: Timestamp) {
    let Some(oldest) = messages.iter().map(|message| message.time).min() else {
        return;
    };
    let lag = oldest.duration_until(now).unwrap_or_default();
    let lag = u64::try_from(lag.as_millis()).unwrap_or(u64::MAX);
    metric("EventsRelayed", Unit::Count, published).record();
    metric("RelayLag", Unit::Milliseconds, lag).record();
}

/// Splits messages into calls that SNS takes. One that is too large by itself stands alone: SNS
/// refuses it as the sender's fault, and it is parked.
fn batches<'m, 'r>(mut messages: &'m [Message<'r>]) -> Vec<&'m [Message<'r>]> {
    let mut batches = Vec::new();
    while !messages.is_empty() {
        let mut bytes = 0;
        let fitting = messages.iter().take(BATCH_ENTRIES).take_while(|message| {
            let attributes = message.attributes.iter();
            let attributes = attributes.map(|(name, value)| name.len() + value.len());
            bytes += message.body.len() + attributes.sum::<usize>();
            bytes <= BATCH_BYTES
        });
        let (batch, rest) = messages.split_at(fitting.count().max(1));
        batches.push(batch);
        messages = rest;
    }
    batches
}

impl Relay {
    /// The event as it is published: its consumers' spans are within that of its sending, as the
    /// [conventions for messaging](https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/) have it. The
    /// batch is of many traces, and links to them.
    fn message<'a>(
        &self,
        record: &'a EventRecord,
        mut event: Event,
    ) -> Result<Message<'a>, serde_json::Error> {
        let written = event.traceparent.as_deref();
        let written = written.and_then(TraceContext::from_traceparent);
        let span = self.span_of(&event, written);
        if let Some(sent) = span.position() {
            event.traceparent = Some(sent.traceparent());
        }
        Ok(Message {
            record,
            span,
            attributes: event.event.attributes().collect(),
            time: event.time,
            body: serde_json::to_string(&event)?,
        })
    }

    fn span_of(&self, event: &Event, written: Option<TraceContext>) -> TraceSpan {
        let Some(written) = written.filter(|_| is_exporting()) else {
            return TraceSpan::none();
        };
        link(written);
        let topic = self.topic_arn.rsplit(':').next().unwrap_or_default();
        let span = TraceSpan::under(written, SpanKind::Producer, &format!("send {topic}"));
        span.set("messaging.system", "aws.sns");
        span.set("messaging.operation.type", "send");
        span.set("messaging.operation.name", "send");
        span.set("messaging.destination.name", topic.to_owned());
        span.set("cloudevents.event_id", event.id.to_string());
        span.set("cloudevents.event_type", event.event.kind());
        span
    }

    /// Answers how many events were published. The others of the batch are parked.
    async fn publish(&self, batch: &[Message<'_>]) -> Result<u64, RelayError> {
        let entries = batch
            .iter()
            .enumerate()
            .map(entry)
            .collect::<Result<Vec<_>, _>>()?;
        let call = self.topic.publish_batch().topic_arn(&self.topic_arn);
        let done = match call
            .set_publish_batch_request_entries(Some(entries))
            .send()
            .await
        {
            Ok(done) => done,
            Err(error) => return self.refused_whole(batch, error).await,
        };
        let mut published = batch.len() as u64;
        let mut retry = Vec::new();
        for failed in done.failed() {
            match batch
                .iter()
                .enumerate()
                .find(|(position, _)| position.to_string() == failed.id)
            {
                Some((_, message)) if is_final(&failed.code) => {
                    message.span.fails(failed.code.clone());
                    self.park(message.record, format!("SNS refuses it: {}", failed.code))
                        .await?;
                    published -= 1;
                }
                _ => retry.push(failed),
            }
        }
        none_left(&retry)?;
        Ok(published)
    }

    /// A batch of one that SNS refuses for its size can only be parked; any other call comes again.
    async fn refused_whole(
        &self,
        batch: &[Message<'_>],
        error: SdkError<PublishBatchError>,
    ) -> Result<u64, RelayError> {
        match (batch, error.as_service_error()) {
            ([message], Some(PublishBatchError::BatchRequestTooLongException(_))) => {
                let reason = "SNS refuses it: too long".to_owned();
                self.park(message.record, reason).await.map(|()| 0)
            }
            _ => Err(RelayError::Publish(Box::new(error))),
        }
    }

    async fn park(&self, record: &EventRecord, reason: String) -> Result<(), RelayError> {
        let parked = ParkedRecord {
            reason,
            event_source_arn: record.event_source_arn.as_deref(),
            sequence_number: record.change.sequence_number.as_deref(),
            event_id: event_id(&record.change.new_image),
            keys: &record.change.keys,
        };
        let body = serde_json::to_string(&parked)?;
        tracing::error!(
            reason = parked.reason,
            sequence_number = parked.sequence_number,
            "record parked"
        );
        let call = self
            .parked
            .send_message()
            .queue_url(&self.parked_queue_url)
            .message_body(body);
        let parked = call.send().await;
        parked.map_err(|error| RelayError::Park(Box::new(error)))?;
        count("EventsParked").record();
        Ok(())
    }
}

fn entry(
    (position, message): (usize, &Message<'_>),
) -> Result<PublishBatchRequestEntry, BuildError> {
    let mut entry = PublishBatchRequestEntry::builder()
        .id(position.to_string())
        .message(&message.body);
    for (name, value) in &message.attributes {
        let value = MessageAttributeValue::builder()
            .data_type("String")
            .string_value(*value)
            .build()?;
        entry = entry.message_attributes(*name, value);
    }
    entry.build()
}

fn is_final(code: &str) -> bool {
    FINAL.contains(&code)
}

fn none_left(retry: &[&BatchResultErrorEntry]) -> Result<(), RelayError> {
    match retry.first() {
        None => Ok(()),
        Some(first) => Err(RelayError::Entries {
            count: retry.len(),
            code: first.code.clone(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(record: &EventRecord, sizes: &[usize]) -> Vec<usize> {
        let messages: Vec<_> = sizes
            .iter()
            .map(|size| Message {
                record,
                span: TraceSpan::none(),
                attributes: vec![("type", "order.placed")],
                time: Timestamp::try_from("2026-03-01T09:30:00.250Z".to_owned()).unwrap(),
                body: "x".repeat(*size),
            })
            .collect();
        batches(&messages)
            .into_iter()
            .map(<[Message<'_>]>::len)
            .collect()
    }

    fn record() -> EventRecord {
        serde_json::from_str(
            r#"{"awsRegion":"us-east-1","eventID":"1","eventName":"INSERT","dynamodb":{"ApproximateCreationDateTime":1,"Keys":{},"NewImage":{},"SizeBytes":1,"SequenceNumber":"1"}}"#,
        )
        .unwrap()
    }

    #[test]
    fn a_call_has_at_most_ten_messages() {
        assert_eq!(messages(&record(), &[10; 25]), [10, 10, 5]);
        assert!(messages(&record(), &[]).is_empty());
    }

    #[test]
    fn a_call_has_at_most_256_kib() {
        let large = 100 * 1024;
        assert_eq!(messages(&record(), &[large; 5]), [2, 2, 1]);
    }

    #[test]
    fn a_message_that_is_too_large_stands_alone() {
        assert_eq!(messages(&record(), &[10, BATCH_BYTES, 10]), [1, 1, 1]);
    }
}
