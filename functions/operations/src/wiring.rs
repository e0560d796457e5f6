//! From the environment to what the handlers need.

use std::{path::PathBuf, time::Duration};

use aws_sdk_sqs::config::{retry::RetryConfig, timeout::TimeoutConfig};
use oxcart_lambda::{Cloud, Service, StartError};
use oxcart_operating as operating;
use oxcart_table::Table;
use reqwest::redirect::Policy;

use crate::{
    answer_unrouted::Routes,
    audit_books::Auditor,
    check_health::Health,
    probes::{Dependency, Need, Target},
    relay_events::Relay,
    site::Site,
};

/// The topic for domain events, and the queue for what can't be published.
///
/// # Errors
/// When the template doesn't name them.
pub fn relay(cloud: &Cloud) -> Result<Relay, StartError> {
    Ok(Relay {
        topic: aws_sdk_sns::Client::new(cloud.config(Service::Sns)),
        topic_arn: cloud.variable("EVENTS_TOPIC_ARN")?,
        parked: aws_sdk_sqs::Client::new(cloud.config(Service::Sqs)),
        parked_queue_url: cloud.variable("PARKED_EVENTS_QUEUE_URL")?,
    })
}

/// What is known of an order: the tables and the sagas.
///
/// # Errors
/// When the template doesn't name them.
pub fn orders(cloud: &Cloud) -> Result<operating::Cloud, StartError> {
    let sagas = ["SAGA_TYPE", "ORDER_SAGA_ARN", "CANCELLATION_SAGA_ARN"];
    shop(
        cloud,
        &[Service::DynamoDb, Service::StepFunctions],
        &[&BOOKS[..], &sagas].concat(),
    )
}

/// The queues of what was given up.
///
/// # Errors
/// When the template doesn't name them.
pub fn queues(cloud: &Cloud) -> Result<operating::Cloud, StartError> {
    shop(cloud, &[Service::Sqs], &QUEUES)
}

/// The queues of what was given up, and what has it tried again.
///
/// # Errors
/// When the template doesn't name them.
pub fn second_tries(cloud: &Cloud) -> Result<operating::Cloud, StartError> {
    let others = ["IDENTITY_TABLE", "EVENTS_TOPIC_ARN"];
    shop(
        cloud,
        &[Service::Sqs, Service::DynamoDb, Service::Sns],
        &[&QUEUES[..], &BOOKS, &others].concat(),
    )
}

/// The orders, and the function that resumes one.
///
/// # Errors
/// When the template doesn't name them.
pub fn recovery(cloud: &Cloud) -> Result<operating::Cloud, StartError> {
    shop(cloud, &[Service::DynamoDb], &["ORDERS_TABLE"])
}

/// The books.
///
/// # Errors
/// When the template doesn't name them.
pub fn auditor(cloud: &Cloud) -> Result<Auditor, StartError> {
    Ok(Auditor::new(shop(cloud, &[Service::DynamoDb], &BOOKS)?))
}

/// The tables that the books are in.
const BOOKS: [&str; 3] = ["INVENTORY_TABLE", "ORDERS_TABLE", "PAYMENTS_TABLE"];

/// The queues of what was given up, and those that dead letters came from.
const QUEUES: [&str; 8] = [
    "PLACED_ORDERS_QUEUE_URL",
    "PLACED_ORDERS_DLQ_URL",
    "REFUNDS_QUEUE_URL",
    "REFUNDS_DLQ_URL",
    "NOTIFICATIONS_QUEUE_URL",
    "NOTIFICATIONS_DLQ_URL",
    "PARKED_ORDERS_QUEUE_URL",
    "PARKED_EVENTS_QUEUE_URL",
];

/// The part of the shop that these settings and the stack's name tell of.
fn shop(
    cloud: &Cloud,
    services: &[Service],
    names: &[&'static str],
) -> Result<operating::Cloud, StartError> {
    let names = names.iter().chain(&["STACK_NAME"]);
    let settings = names.map(|name| Ok(((*name).to_owned(), cloud.variable(name)?)));
    let settings = settings.collect::<Result<_, StartError>>()?;
    // Resuming an order takes some calls more, and a long history is long to read.
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(10))
        .build();
    let config = cloud.config_of(services).to_builder();
    let config = config.timeout_config(timeouts).build();
    Ok(operating::Cloud::new(&config, settings))
}

/// The files that lie beside the function's binary.
///
/// # Errors
/// When Lambda doesn't say where that is, or the API's description isn't among them.
pub fn site(cloud: &Cloud) -> Result<Site, StartError> {
    let (site, _) = site_and_description(cloud)?;
    Ok(site)
}

/// The paths of the API and their methods, out of its description.
///
/// # Errors
/// When that doesn't lie beside the binary.
pub fn routes(cloud: &Cloud) -> Result<Routes, StartError> {
    let (_, document) = site_and_description(cloud)?;
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
    let config = |service| {
        let config = cloud.config(service).to_builder();
        config.retry_config(twice.clone()).build()
    };
    let dynamodb = aws_sdk_dynamodb::Client::new(&config(Service::DynamoDb));
    let states = aws_sdk_sfn::Client::new(&config(Service::StepFunctions));

    let table = |variable| -> Result<_, StartError> {
        let name = cloud.variable(variable)?;
        Ok(Target::Table(Table::new(dynamodb.clone(), name)))
    };
    let machine = |variable| -> Result<_, StartError> {
        let arn = cloud.variable(variable)?;
        Ok(Target::StateMachine(states.clone(), arn))
    };
    let queue = |variable| -> Result<_, StartError> {
        let client = aws_sdk_sqs::Client::new(&config(Service::Sqs));
        Ok(Target::Queue(client, cloud.variable(variable)?))
    };
    let keys = aws_sdk_kms::Client::new(&config(Service::Kms));
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

fn site_and_description(cloud: &Cloud) -> Result<(Site, Vec<u8>), StartError> {
    let code = PathBuf::from(cloud.variable("LAMBDA_TASK_ROOT")?);
    let site = Site::new(code.join("site"));
    let description = site.read("openapi.json").map_err(StartError::package)?;
    Ok((site, description))
}
