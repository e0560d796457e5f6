//! From the environment to what the handlers need.

use std::time::Duration;

use oxcart_lambda::{Cloud, Service, StartError};
use oxcart_table::Table;

use crate::{catalogue::Catalogue, table::Inventory};

/// The inventory's table.
///
/// # Errors
/// When the template doesn't name it.
pub fn inventory(cloud: &Cloud) -> Result<Inventory, StartError> {
    let client = aws_sdk_dynamodb::Client::new(cloud.config(Service::DynamoDb));
    Ok(Inventory::new(Table::new(
        client,
        cloud.variable("INVENTORY_TABLE")?,
    )))
}

/// The products as shoppers see them.
///
/// # Errors
/// When the template doesn't name the table, or doesn't say how long products are kept.
pub fn catalogue(cloud: &Cloud) -> Result<Catalogue, StartError> {
    let time_to_live = Duration::from_secs(cloud.number("PRODUCT_CACHE_SECONDS")?.into());
    Ok(Catalogue::new(inventory(cloud)?, time_to_live))
}
