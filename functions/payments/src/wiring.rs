//! From the environment to what the handlers need.

use oxcart_lambda::{Cloud, Service, StartError};
use oxcart_table::Table;

use crate::{
    gateway::{Gateway, GatewaySecret},
    receive_webhook::Webhooks,
    table::Payments,
    waiting::WaitingSagas,
};

/// The payments' records and the gateway that they are about.
#[derive(Debug)]
pub struct GatewayPayments {
    /// The records.
    pub payments: Payments,
    /// The gateway.
    pub gateway: Gateway,
    /// The sagas that wait for a customer.
    pub waiting: WaitingSagas,
}

/// The payments' table.
///
/// # Errors
/// When the template doesn't name it.
pub fn payments(cloud: &Cloud) -> Result<Payments, StartError> {
    let client = aws_sdk_dynamodb::Client::new(cloud.config(Service::DynamoDb));
    Ok(Payments::new(Table::new(
        client,
        cloud.variable("PAYMENTS_TABLE")?,
    )))
}

/// The payments' table and the gateway.
///
/// # Errors
/// When the template doesn't name them, or the gateway's address can't be one.
pub fn gateway_payments(cloud: &Cloud) -> Result<GatewayPayments, StartError> {
    const URL: &str = "PAYMENT_GATEWAY_URL";

    let secrets = aws_sdk_secretsmanager::Client::new(cloud.config(Service::SecretsManager));
    let secret = GatewaySecret::new(secrets, cloud.variable("PAYMENT_GATEWAY_SECRET_ARN")?);
    let gateway = Gateway::new(&cloud.variable(URL)?, secret).map_err(|source| {
        StartError::UnusableVariable {
            name: URL,
            source: source.into(),
        }
    })?;
    Ok(GatewayPayments {
        payments: payments(cloud)?,
        gateway,
        waiting: WaitingSagas::new(aws_sdk_sfn::Client::new(
            cloud.config(Service::StepFunctions),
        )),
    })
}

/// What the gateway's webhooks are checked with and lead to.
///
/// # Errors
/// When the template doesn't name what they need.
pub fn webhooks(cloud: &Cloud) -> Result<Webhooks, StartError> {
    let secrets = aws_sdk_secretsmanager::Client::new(cloud.config(Service::SecretsManager));
    let arn = cloud.variable("PAYMENT_WEBHOOK_SECRET_ARN")?;
    Ok(Webhooks {
        service: gateway_payments(cloud)?,
        secret: GatewaySecret::new(secrets, arn),
    })
}
