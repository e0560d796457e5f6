//! The secret key: read once, and again when the gateway takes it no longer.

use aws_sdk_secretsmanager::Client;
use oxcart_payments::gateway::{Gateway, GatewayError, GatewaySecret, IntentStatus};
use oxcart_tests::{
    shop::GOOD_CARD,
    stack::Stack,
    stand_in::{Call, StandIn},
};
use uuid::Uuid;

use super::{KEY, intent_for, method, new_charge, stand_in, taken};

const NEWER: &str = "sk_test_newer";

#[tokio::test]
async fn a_key_that_was_replaced_is_read_again_once() {
    let secret = OwnSecret::create(&Stack::connect().await, KEY).await;
    let stand_in = StandIn::start(KEY).await;
    let adapter = Gateway::new(stand_in.url(), secret.for_adapter()).expect("an adapter");
    let intent = intent_for(&adapter, new_charge(), GOOD_CARD).await;

    secret.change(NEWER).await;
    stand_in.accept_key(NEWER);
    for requests in [2, 3] {
        let status = adapter.read(&intent).await.unwrap();
        assert_eq!(status, IntentStatus::Unconfirmed);
        assert_eq!(stand_in.calls(Call::Read), requests);
    }
    secret.remove().await;
}

#[tokio::test]
async fn a_key_that_is_not_taken_is_our_fault_and_no_decline() {
    let (stand_in, adapter) = stand_in().await;
    let charge = new_charge();
    let intent = intent_for(&adapter, charge, GOOD_CARD).await;

    stand_in.accept_key(NEWER);
    let outcome = adapter
        .create_intent(new_charge(), &method(GOOD_CARD))
        .await;
    assert!(
        matches!(
            outcome,
            Err(GatewayError::Unavailable(_) | GatewayError::Secret(_))
        ),
        "{outcome:?}"
    );
    for outcome in [
        adapter.confirm(&intent).await,
        adapter.read(&intent).await,
        adapter.cancel(&intent).await,
    ] {
        assert!(
            matches!(
                outcome,
                Err(GatewayError::Unavailable(_) | GatewayError::Secret(_))
            ),
            "{outcome:?}"
        );
    }
    assert_eq!(taken(&stand_in.books(), charge), 0);
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_told_as_such() {
    let stack = Stack::connect().await;
    let stand_in = StandIn::start(KEY).await;
    let nothing = format!(
        "{}-contract-{}",
        stack.setting("STACK_NAME"),
        Uuid::new_v4()
    );
    let secret = GatewaySecret::new(Client::new(&stack.aws), nothing);
    let adapter = Gateway::new(stand_in.url(), secret).expect("an adapter");

    let outcome = adapter.read("pi_any").await;
    assert!(
        matches!(outcome, Err(GatewayError::Secret(_))),
        "{outcome:?}"
    );
    assert!(stand_in.requests().is_empty());
}

/// A secret of this test's own, which it may change.
struct OwnSecret {
    client: Client,
    arn: String,
}

impl OwnSecret {
    async fn create(stack: &Stack, value: &str) -> Self {
        let client = Client::new(&stack.aws);
        let name = format!(
            "{}-contract-{}",
            stack.setting("STACK_NAME"),
            Uuid::new_v4()
        );
        let created = client
            .create_secret()
            .name(name)
            .secret_string(value)
            .send()
            .await
            .expect("the operator may create a secret");
        let arn = created.arn().expect("an ARN").to_owned();
        Self { client, arn }
    }

    fn for_adapter(&self) -> GatewaySecret {
        GatewaySecret::new(self.client.clone(), self.arn.clone())
    }

    async fn change(&self, value: &str) {
        self.client
            .put_secret_value()
            .secret_id(&self.arn)
            .secret_string(value)
            .send()
            .await
            .expect("the operator may change a secret");
    }

    async fn remove(self) {
        self.client
            .delete_secret()
            .secret_id(&self.arn)
            .force_delete_without_recovery(true)
            .send()
            .await
            .expect("the operator may remove a secret");
    }
}
