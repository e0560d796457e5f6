//! From the environment to what the handlers need.

use oxcart_lambda::{Cloud, StartError};

use crate::relay_events::Relay;

/// The topic for domain events, and the queue for what can't be published.
///
/// # Errors
/// When the template doesn't name them.
pub fn relay(cloud: &Cloud) -> Result<Relay, StartError> {
    Ok(Relay {
        topic: aws_sdk_sns::Client::new(cloud.config()),
        topic_arn: cloud.variable("EVENTS_TOPIC_ARN")?,
        parked: aws_sdk_sqs::Client::new(cloud.config()),
        parked_queue_url: cloud.variable("PARKED_EVENTS_QUEUE_URL")?,
    })
}
