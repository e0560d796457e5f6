//! From the environment to what the handlers need.

use oxcart_lambda::{Cloud, Service, StartError};
use oxcart_table::Table;

use crate::{
    resume_stuck_orders::Recovery,
    sagas::{Sagas, UnknownSagaType},
    table::Orders,
    waiting::AwaitedOrders,
};

/// The orders' table.
///
/// # Errors
/// When the template doesn't name it.
pub fn orders(cloud: &Cloud) -> Result<Orders, StartError> {
    let client = aws_sdk_dynamodb::Client::new(cloud.config(Service::DynamoDb));
    Ok(Orders::new(Table::new(
        client,
        cloud.variable("ORDERS_TABLE")?,
    )))
}

/// The orders, and how long a client may wait for one.
///
/// # Errors
/// When the template doesn't say so.
pub fn awaited_orders(cloud: &Cloud) -> Result<AwaitedOrders, StartError> {
    Ok(AwaitedOrders {
        orders: orders(cloud)?,
        longest_wait: cloud.number("LONGEST_WAIT_SECONDS")?,
    })
}

/// The state machines that run orders' sagas.
///
/// # Errors
/// When the template doesn't name them, or not their type.
fn sagas(cloud: &Cloud) -> Result<Sagas, StartError> {
    const TYPE: &str = "SAGA_TYPE";

    let saga_type = cloud.variable(TYPE)?.parse();
    let saga_type = saga_type.map_err(|source: UnknownSagaType| StartError::UnusableVariable {
        name: TYPE,
        source: source.into(),
    })?;
    Ok(Sagas::new(
        aws_sdk_sfn::Client::new(cloud.config(Service::StepFunctions)),
        saga_type,
        cloud.variable("ORDER_SAGA_ARN")?,
        cloud.variable("CANCELLATION_SAGA_ARN")?,
    ))
}

/// The orders and their sagas.
///
/// # Errors
/// When the template doesn't name them.
pub fn recovery(cloud: &Cloud) -> Result<Recovery, StartError> {
    Ok(Recovery {
        orders: orders(cloud)?,
        sagas: sagas(cloud)?,
    })
}
