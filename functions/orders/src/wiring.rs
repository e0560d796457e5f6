//! From the environment to what the handlers need.

use oxcart_lambda::{Cloud, StartError};
use oxcart_table::Table;

use crate::{start_order_saga::OrderSagas, table::Orders};

/// The orders' table.
///
/// # Errors
/// When the template doesn't name it.
pub fn orders(cloud: &Cloud) -> Result<Orders, StartError> {
    let client = aws_sdk_dynamodb::Client::new(cloud.config());
    Ok(Orders::new(Table::new(
        client,
        cloud.variable("ORDERS_TABLE")?,
    )))
}

/// The state machine that runs orders' sagas.
///
/// # Errors
/// When the template doesn't name it.
pub fn order_sagas(cloud: &Cloud) -> Result<OrderSagas, StartError> {
    Ok(OrderSagas::new(
        aws_sdk_sfn::Client::new(cloud.config()),
        cloud.variable("ORDER_SAGA_ARN")?,
    ))
}
