//! From the environment to what the handlers need.

use std::path::PathBuf;

use oxcart_lambda::{Cloud, StartError};

use crate::{answer_unrouted::Routes, relay_events::Relay, site::Site};

/// The file that each package with a site has.
const DESCRIPTION: &str = "openapi.json";

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

/// The files that lie beside the function's binary.
///
/// # Errors
/// When Lambda doesn't say where that is, or the API's description isn't among them.
pub fn site(cloud: &Cloud) -> Result<Site, StartError> {
    let code = PathBuf::from(cloud.variable("LAMBDA_TASK_ROOT")?);
    let site = Site::new(code.join("site"));
    site.read(DESCRIPTION).map_err(StartError::package)?;
    Ok(site)
}

/// The paths of the API and their methods, out of its description.
///
/// # Errors
/// When that doesn't lie beside the binary.
pub fn routes(cloud: &Cloud) -> Result<Routes, StartError> {
    let document = site(cloud)?
        .read(DESCRIPTION)
        .map_err(StartError::package)?;
    Routes::of(&document).map_err(StartError::package)
}
