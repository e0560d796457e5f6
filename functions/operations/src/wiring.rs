//! From the environment to what the handlers need.

use std::{path::PathBuf, time::Duration};

use aws_sdk_sqs::config::retry::RetryConfig;
use oxcart_lambda::{Cloud, StartError};
use oxcart_table::Table;
use reqwest::redirect::Policy;

use crate::{
    answer_unrouted::Routes,
    check_health::Health,
    probes::{Dependency, Need, Target},
    relay_events::Relay,
    site::Site,
};

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

/// What orders need.
///
/// # Errors
/// When the template doesn't name it.
pub fn health(cloud: &Cloud) -> Result<Health, StartError> {
    // A connection that was kept while the environment was frozen may be gone by now. The probe's deadline bounds both
    // tries.
    let twice = RetryConfig::standard()
        .with_max_attempts(2)
        .with_initial_backoff(Duration::from_millis(50));
    let config = cloud.config().to_builder().retry_config(twice).build();
    let dynamodb = aws_sdk_dynamodb::Client::new(&config);
    let states = aws_sdk_sfn::Client::new(&config);

    let table = |variable| -> Result<_, StartError> {
        let name = cloud.variable(variable)?;
        Ok(Target::Table(Table::new(dynamodb.clone(), name)))
    };
    let machine = |variable| -> Result<_, StartError> {
        let arn = cloud.variable(variable)?;
        Ok(Target::StateMachine(states.clone(), arn))
    };
    let queue = |variable| -> Result<_, StartError> {
        let client = aws_sdk_sqs::Client::new(&config);
        Ok(Target::Queue(client, cloud.variable(variable)?))
    };
    let keys = aws_sdk_kms::Client::new(&config);
    let arns = cloud.variable("TOKEN_KEY_ARNS")?;
    // The first one signs.
    let signing = arns.split(',').next().unwrap_or_default();
    let hard = |name, target| Dependency {
        name,
        need: Need::Hard,
        target,
    };
    let soft = |name, target| Dependency {
        name,
        need: Need::Soft,
        target,
    };
    Ok(Health::new(vec![
        hard("identity-table", table("IDENTITY_TABLE")?),
        hard("inventory-table", table("INVENTORY_TABLE")?),
        hard("orders-table", table("ORDERS_TABLE")?),
        hard("payments-table", table("PAYMENTS_TABLE")?),
        hard("orders-queue", queue("PLACED_ORDERS_QUEUE_URL")?),
        hard("order-saga", machine("ORDER_SAGA_ARN")?),
        hard("cancellation-saga", machine("CANCELLATION_SAGA_ARN")?),
        hard("token-key", Target::Key(keys, signing.to_owned())),
        // Orders are taken without it, and are charged when it is back.
        soft("payment-gateway", payment_gateway(cloud)?),
        soft("notifications-table", table("NOTIFICATIONS_TABLE")?),
    ]))
}

fn payment_gateway(cloud: &Cloud) -> Result<Target, StartError> {
    const URL: &str = "PAYMENT_GATEWAY_URL";

    let client = reqwest::Client::builder().redirect(Policy::none());
    let client = client
        .build()
        .map_err(|error| StartError::UnusableVariable {
            name: URL,
            source: error.into(),
        })?;
    Ok(Target::Website(client, cloud.variable(URL)?))
}
