//! The adapter to the payment gateway, with the gateway of the deployed stack and with a stand-in in the
//! test's own process, which fails when it is told to.
//!
//! It is the one part of a service that is linked into a test, and into this one only: a deployed function
//! has one gateway, which everybody shares, and that can't be made to fail.

mod behaviour;
mod breaker;
mod faults;
mod secret;

use std::{fmt::Debug, time::Duration};

use aws_sdk_secretsmanager::{Client, operation::create_secret::CreateSecretError};
use oxcart_domain::{
    Currency, CustomerId, Money, OrderId,
    payment::{Charge, PaymentMethod},
};
use oxcart_payments::gateway::{Gateway, GatewayError, GatewaySecret, NewIntent};
use oxcart_tests::{gateway::Books, stack::Stack, stand_in::StandIn};
use uuid::Uuid;

/// The secret key that the stand-in takes.
const KEY: &str = "sk_test_stand_in";
/// What a charge is about, in cents.
const PRICE: u64 = 1234;

/// The stand-in, and an adapter for it.
async fn stand_in() -> (StandIn, Gateway) {
    let (stand_in, secret) = stand_in_and_secret().await;
    let adapter = Gateway::new(stand_in.url(), secret).expect("an adapter");
    (stand_in, adapter)
}

/// The stand-in, and an adapter for it whose breaker stays open for so long.
async fn stand_in_with_pause(pause: Duration) -> (StandIn, Gateway) {
    let (stand_in, secret) = stand_in_and_secret().await;
    let adapter = Gateway::with_pause(stand_in.url(), secret, pause).expect("an adapter");
    (stand_in, adapter)
}

async fn stand_in_and_secret() -> (StandIn, GatewaySecret) {
    let stack = Stack::connect().await;
    let secret = standing_secret(&stack, KEY).await;
    (StandIn::start(KEY).await, secret)
}

/// A secret of the stack with this value. It is made when it is first asked for, and nobody changes it.
async fn standing_secret(stack: &Stack, value: &str) -> GatewaySecret {
    let secrets = Client::new(&stack.aws);
    let label = Uuid::new_v5(&Uuid::NAMESPACE_OID, value.as_bytes());
    let name = format!("{}-contract-{label}", stack.setting("STACK_NAME"));
    let created = secrets
        .create_secret()
        .name(&name)
        .secret_string(value)
        .send()
        .await;
    if let Err(error) = created {
        let exists = error
            .as_service_error()
            .is_some_and(CreateSecretError::is_resource_exists_exception);
        assert!(exists, "the operator may create a secret: {error:?}");
    }
    let secret = secrets.describe_secret().secret_id(&name).send().await;
    let secret = secret.expect("the operator may look at a secret");
    let arn = secret.arn().expect("an ARN").to_owned();
    GatewaySecret::new(secrets, arn)
}

/// A charge for an order that nobody has placed.
fn new_charge() -> Charge {
    charge_of(PRICE)
}

fn charge_of(amount: u64) -> Charge {
    Charge {
        order_id: OrderId::new(Uuid::new_v4()),
        customer_id: CustomerId::new(Uuid::new_v4()),
        amount: Money {
            amount,
            currency: Currency::try_from("EUR".to_owned()).expect("a currency"),
        },
    }
}

fn method(token: &str) -> PaymentMethod {
    PaymentMethod::try_from(token.to_owned()).expect("a token")
}

/// The id of an intent for the charge, to be paid with this card.
async fn intent_for(adapter: &Gateway, charge: Charge, card: &str) -> String {
    match adapter.create_intent(charge, &method(card)).await {
        Ok(NewIntent::Created(intent)) => intent,
        other => panic!("there should be an intent: {other:?}"),
    }
}

/// What the gateway's own books say was taken for the charge's order.
fn taken(books: &Books, charge: Charge) -> u64 {
    let charged = books.charged(&charge.order_id.to_string());
    u64::try_from(charged).expect("an amount")
}

/// What the gateway's own books say was given back for the charge's order.
fn given_back(books: &Books, charge: Charge) -> u64 {
    let refunded = books.refunded(&charge.order_id.to_string());
    u64::try_from(refunded).expect("an amount")
}

fn assert_unavailable<T: Debug>(outcome: &Result<T, GatewayError>) {
    assert!(
        matches!(outcome, Err(GatewayError::Unavailable(_))),
        "the gateway should be unavailable: {outcome:?}"
    );
}

fn assert_open<T: Debug>(outcome: &Result<T, GatewayError>) {
    assert!(
        matches!(outcome, Err(GatewayError::Open)),
        "the breaker should be open: {outcome:?}"
    );
}
