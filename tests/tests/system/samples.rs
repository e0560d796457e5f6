//! The sample payloads in `events/`, each sent to its function as it stands, so that they can't rot.

use oxcart_tests::{
    eventually::{PATIENCE, eventually},
    shop::{BAD_CARD, GOOD_CARD, Person, order_id, order_of},
    stack::Stack,
    workspace,
};
use serde_json::{Value, json};

/// The order in which the samples make sense together. The sample's user registers first and is erased last,
/// so that the samples can be sent to one stack again and again.
const SAMPLES: [&str; 48] = [
    "register-user",
    "login",
    "get-user",
    "update-user",
    "refresh-session",
    "logout",
    "publish-keys",
    "describe-issuer",
    "serve-docs",
    "answer-unrouted",
    "check-health",
    "grant-role",
    // After `refresh-session`, whose session it ends.
    "change-password",
    "authorize-request",
    "put-product",
    "adjust-stock",
    "get-product",
    "list-products",
    "place-order",
    "start-order-saga",
    "get-order",
    "list-orders",
    "search-orders",
    "get-payment",
    "reserve-stock",
    "charge-payment",
    // There is nothing to wait for: the order is paid.
    "await-action",
    "confirm-order",
    "examine-order",
    "resume-order",
    "list-queues",
    "list-dead-letters",
    "redrive-dead-letters",
    "audit-books",
    "request-refund",
    "make-refund",
    "receive-webhook",
    "cancel-order",
    "request-action",
    "park-order",
    "resume-stuck-orders",
    "abandon-order",
    "refund-payment",
    "release-stock",
    "reject-order",
    "relay-events",
    "send-notification",
    "erase-user",
];

#[tokio::test]
async fn every_sample_event_is_what_its_function_takes() {
    let stack = Stack::connect().await;
    let mut listed = SAMPLES;
    listed.sort_unstable();
    let found: Vec<String> = workspace::files("events", "json")
        .iter()
        .map(|file| workspace::stem(file))
        .collect();
    assert_eq!(found, listed, "the samples and this list");

    let place_order = sample("place-order");
    let customer = place_order["requestContext"]["authorizer"]["lambda"]["user_id"]
        .as_str()
        .unwrap();
    let buyer = stack.customer_with_id(customer).await;
    let key = place_order["headers"]["idempotency-key"].as_str().unwrap();
    let confirmed = order_id(customer, key);
    assert_eq!(
        sample("confirm-order")["order_id"],
        confirmed,
        "the samples speak of one order"
    );

    for name in SAMPLES {
        let payload = sample(name);
        match name {
            "register-user" => clear_away(&stack).await,
            "get-user" => register_under(&stack, customer).await,
            "refresh-session" => begin_session(&stack, customer).await,
            "make-refund" => refund_by_queue(&stack, &buyer, &confirmed).await,
            "cancel-order" => place_for_cancelling(&stack, &buyer).await,
            "request-action" => place_for_waiting(&stack, customer).await,
            "abandon-order" => reject_an_order(&stack, &buyer).await,
            _ => {}
        }
        let answer = stack.answer_of(name, &payload).await;
        assert_expected(name, &answer);
        if name == "start-order-saga" {
            assert_eq!(
                stack.settled(&buyer, &confirmed).await["status"],
                "CONFIRMED"
            );
        }
    }
}

fn assert_expected(name: &str, answer: &Value) {
    let expected = match name {
        // A run that stopped before the user had the samples' id left them there.
        "register-user" if answer["statusCode"] == 409 => return,
        "authorize-request" => {
            assert_eq!(answer["isAuthorized"], true, "{answer}");
            assert!(answer["context"]["reason"].is_string(), "{answer}");
            return;
        }
        "grant-role" => {
            assert_eq!(answer["role"], sample(name)["role"], "{answer}");
            return;
        }
        "start-order-saga" | "make-refund" | "send-notification" => {
            json!({"batchItemFailures": []})
        }
        "await-action" | "request-action" | "park-order" => json!({}),
        "resume-stuck-orders" => {
            assert!(answer["resumed"].is_array(), "{name} answered {answer}");
            return;
        }
        // The sample was signed long ago.
        "receive-webhook" => {
            assert_refused(answer, 400, "invalid-signature");
            return;
        }
        "answer-unrouted" => {
            assert_refused(answer, 404, "not-found");
            return;
        }
        // On a busy machine some dependency may take its time, and other tests take them away.
        "check-health" => {
            let status = answer["statusCode"].as_u64();
            assert!(matches!(status, Some(200 | 503)), "{answer}");
            let report: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
            assert!(report["dependencies"].is_object(), "{answer}");
            return;
        }
        "relay-events" => return,
        "confirm-order" => json!({"status": "CONFIRMED"}),
        "abandon-order" => json!({"reason": "payment-declined"}),
        "reject-order" => json!({"status": "REJECTED"}),
        "reserve-stock" | "charge-payment" | "refund-payment" | "release-stock" => {
            assert!(answer["timeline"].is_array(), "{name} answered {answer}");
            return;
        }
        _ => {
            let status = answer["statusCode"].as_u64().unwrap_or_default();
            assert!((200..300).contains(&status), "{name} answered {answer}");
            return;
        }
    };
    assert_eq!(*answer, expected, "{name}");
}

fn assert_refused(answer: &Value, status: u16, problem: &str) {
    assert_eq!(answer["statusCode"], status, "{answer}");
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["type"], format!("/problems/{problem}"));
}

/// Waits until the queue's consumer has made the sample's refund, since two can't be at it at once.
async fn refund_by_queue(stack: &Stack, buyer: &Person, order_id: &str) {
    eventually("the sample's refund is made", PATIENCE, async || {
        let payment = stack.payment(buyer, order_id).await.expect(200).json();
        match payment["refunds"][0]["status"].as_str() {
            Some("DONE") => Ok(()),
            _ => Err(payment.to_string()),
        }
    })
    .await;
}

/// The order that the sample of `cancel-order` speaks of.
async fn place_for_cancelling(stack: &Stack, buyer: &Person) {
    let order = order_of(&[("tea-assam", 1)], GOOD_CARD);
    let call = stack.order_call(buyer, "sample-order-cancelled", &order);
    let placed = call.send().await.expect(202).json();
    assert_eq!(sample("cancel-order")["pathParameters"]["id"], placed["id"]);
}

/// The order that the samples of steps speak of for which an order has to be pending, without a saga.
async fn place_for_waiting(stack: &Stack, customer: &str) {
    let order = order_id(customer, "sample-order-waiting");
    assert_eq!(sample("request-action")["order_id"], order);
    assert_eq!(sample("park-order")["order_id"], order);
    stack.place_silently(&order, customer, "tea-assam").await;
}

/// The order that the samples of the undoing steps speak of: declined, undone and rejected.
async fn reject_an_order(stack: &Stack, buyer: &Person) {
    let order = order_of(&[("tea-assam", 2)], BAD_CARD);
    let call = stack.order_call(buyer, "sample-order-declined", &order);
    let placed = call.send().await.expect(202).json();
    assert_eq!(sample("reject-order")["order_id"], placed["id"]);
    let settled = stack.settled(buyer, placed["id"].as_str().unwrap()).await;
    assert_eq!(settled["reason"], "payment-declined");
}

/// Erases what a run that stopped half-way has left: a user with another password.
async fn clear_away(stack: &Stack) {
    stack.answer_of("erase-user", &sample("erase-user")).await;
}

/// Gives the sample's user, whose id registration chose, the id that the samples speak of, in both places
/// where it stands.
async fn register_under(stack: &Stack, id: &str) {
    let table = "IDENTITY_TABLE";
    let address = format!("EMAIL#{}", sample("grant-role")["email"].as_str().unwrap());
    let mut credentials = stack.item(table, &address).await.expect("credentials");
    let chosen = credentials["user_id"].as_str().unwrap();
    let user = stack.item(table, &format!("USER#{chosen}")).await;
    let mut user = user.expect("the sample's user");
    user["pk"] = json!(format!("USER#{id}"));
    user["id"] = json!(id);
    user.as_object_mut().unwrap().remove("outbox");
    credentials["user_id"] = json!(id);
    stack.write_item(table, &user).await;
    stack.write_item(table, &credentials).await;
}

/// Stores the session that the samples' refresh token is for, with a hash of the token's last 32 bytes.
async fn begin_session(stack: &Stack, user_id: &str) {
    let id = "7d2f9f0a-1c3b-4e5d-8f6a-0b1c2d3e4f50";
    let session = json!({
        "pk": format!("SESSION#{id}"),
        "session_id": id,
        "user_id": user_id,
        "token_hash": "v52m-vyr7PFVWuCUAMjlshxIT07AwmFUkp_SqVGOTpk",
        "epoch": 0,
        "created_at": "2026-01-02T03:04:05.000Z",
        "expires_at": "2126-01-02T03:04:05.000Z",
    });
    stack.write_item("IDENTITY_TABLE", &session).await;
}

fn sample(name: &str) -> Value {
    workspace::json(format!("events/{name}.json"))
}
