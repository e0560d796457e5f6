//! From the environment to what the handlers need.

use oxcart_lambda::{Cloud, StartError};
use oxcart_table::Table;

use crate::{
    gateway::{Gateway, GatewaySecret},
    table::Payments,
};

/// The payments' records and the gateway that they are about.
#[derive(Debug)]
pub struct GatewayPayments {
    /// The records.
    pub payments: Payments,
    /// The gateway.
    pub gateway: Gateway,
}

/// The payments' table.
///
/// # Errors
/// When the template doesn't name it.
pub fn payments(cloud: &Cloud) -> Result<Payments, StartError> {
    let client = aws_sdk_dynamodb::Client::new(cloud.config());
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

    let secrets = aws_sdk_secretsmanager::Client::new(cloud.config());
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
    })
}
