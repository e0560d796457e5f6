//! Reads one item of DynamoDB through AWS's SDK and answers a constant. What it costs more than `hello` is the SDK's
//! doing; what a function of ours with one call costs more than this one is its own.

use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let client = Client::new(&config);
    run(service_fn(async |_event: LambdaEvent<Value>| {
        one_call(&client).await
    }))
    .await
}

async fn one_call(client: &Client) -> Result<Value, Error> {
    let key = AttributeValue::S("PRODUCT#tea-assam".to_owned());
    client
        .get_item()
        .table_name("bench-inventory")
        .key("pk", key)
        .send()
        .await?;
    Ok(json!({"statusCode": 200, "body": "hello"}))
}
