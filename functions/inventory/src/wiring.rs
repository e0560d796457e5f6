//! From the environment to what the handlers need.

use oxcart_lambda::{Cloud, StartError};
use oxcart_table::Table;

use crate::table::Inventory;

/// The inventory's table.
///
/// # Errors
/// When the template doesn't name it.
pub fn inventory(cloud: &Cloud) -> Result<Inventory, StartError> {
    let client = aws_sdk_dynamodb::Client::new(cloud.config());
    Ok(Inventory::new(Table::new(
        client,
        cloud.variable("INVENTORY_TABLE")?,
    )))
}
