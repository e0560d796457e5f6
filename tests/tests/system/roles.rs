//! Who may call what: docs/roles.md against what the deployed API answers.

use std::collections::BTreeMap;

use crate::accounts::NEW_PASSWORD;
use oxcart_tests::{
    aftersales::refund_of,
    api::Call,
    shop::{GOOD_CARD, PASSWORD, Person, euro_cents, new_key, new_sku, new_user, order_of},
    stack::Stack,
    tokens::Token,
    workspace,
};
use serde_json::{Value, json};
use uuid::Uuid;

const ROLES: [&str; 4] = ["anybody", "customer", "support", "admin"];

/// What a person of each role calls on: an order, its payment, a product, a file of the API reference.
struct Things {
    order_id: String,
    /// Another order, which is there to be cancelled.
    cancellable: String,
    sku: String,
    asset: String,
    /// Somebody else of the same role, whose account is there to be lost.
    expendable: Person,
    email: Value,
    refresh_token: Value,
}

#[tokio::test]
async fn every_role_may_do_what_the_table_says_and_nothing_else() {
    let stack = Stack::connect().await;
    let sku = new_sku();
    let admin = stack.admin().await;
    let product = json!({"name": "A thing", "unit_price": {"amount": 100, "currency": "EUR"}});
    let put = stack
        .api
        .put(&format!("/products/{sku}"))
        .bearer(&admin.token);
    put.json(&product).send().await.expect(201);

    let table = table();
    assert_eq!(
        table.keys().collect::<Vec<_>>(),
        operations().iter().collect::<Vec<_>>()
    );
    for role in ROLES {
        let person = person_of(&stack, role).await;
        let own = things_of(&stack, &person, role, &sku).await;
        let another = things_of(&stack, &stack.new_customer().await, role, &sku).await;
        for (operation, cells) in &table {
            for (whose, things) in [("own", &own), ("another's", &another)] {
                let call = call(&stack, operation, things);
                let call = if role == "anybody" {
                    call
                } else {
                    call.bearer(&caller(operation, &person, things).token)
                };
                let answer = call.send().await;
                let expected = expected(&cells[role], role, whose, operation);
                // A report of what is away is an answer, too.
                let reports = operation.starts_with("check-") && answer.status == 503;
                let allowed = (200..300).contains(&answer.status) || reports;
                let what = format!("{operation} of {whose} thing as {role}: {}", answer.status);
                match expected {
                    None => assert!(allowed, "{what} where the table says {}", cells[role]),
                    Some(status) => assert_eq!(answer.status, status, "{what}"),
                }
            }
        }
    }
}

/// The status of a refusal; none where the table allows it.
fn expected(cell: &str, role: &str, whose: &str, operation: &str) -> Option<u16> {
    // These name no thing of somebody's in their request: whoever calls them calls on their own.
    let always_own = [
        "change-password",
        "erase-user",
        "get-user",
        "list-orders",
        "place-order",
        "update-user",
    ]
    .contains(&operation);
    match (cell, role, whose) {
        ("yes" | "any", _, _) | ("own", _, "own") => None,
        ("own", _, _) if always_own => None,
        ("own", _, _) => Some(404),
        ("no", "anybody", _) => Some(401),
        ("no", _, _) => Some(403),
        other => panic!("the table says {other:?}"),
    }
}

/// The cells of docs/roles.md by operation and role.
fn table() -> BTreeMap<String, BTreeMap<&'static str, String>> {
    let text = workspace::text("docs/roles.md");
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let roles = ROLES
            .into_iter()
            .zip(cells[1..].iter().map(ToString::to_string));
        (cells[0].trim_matches('`').to_owned(), roles.collect())
    })
    .collect()
}

/// Every operation of the API's description, sorted.
fn operations() -> Vec<String> {
    let document = oxcart_tests::template::yaml("infra/openapi.yaml");
    let paths = document["paths"].as_object().expect("paths").values();
    let operations = paths.flat_map(|item| item.as_object().expect("a path item").values());
    let mut ids: Vec<String> = operations
        .filter_map(|operation| operation["operationId"].as_str().map(ToOwned::to_owned))
        .collect();
    ids.sort();
    ids
}

async fn person_of(stack: &Stack, role: &str) -> Person {
    let mut person = stack.new_customer().await;
    if role != "anybody" {
        let mut token = Token::read(&person.token);
        token.claims["role"] = json!(role);
        person.token = token.signed_by(stack).await;
    }
    person
}

/// Orders that the person owns, one with a payment. They are written by hand, since not every role may buy.
async fn things_of(stack: &Stack, person: &Person, role: &str, sku: &str) -> Things {
    let [order_id, cancellable] = [(); 2].map(|()| Uuid::new_v4().to_string());
    stack.place_silently(&order_id, &person.id, sku).await;
    stack.place_silently(&cancellable, &person.id, sku).await;
    let charge = json!({
        "order_id": order_id,
        "customer_id": person.id,
        "amount": euro_cents(100),
        "payment_method": GOOD_CARD,
    });
    stack.answer_of("charge-payment", &charge).await;
    let user = new_user();
    let session = stack.first_session(&user).await;
    Things {
        order_id,
        cancellable,
        sku: sku.to_owned(),
        asset: stack.docs_asset().await,
        expendable: person_of(stack, role).await,
        email: user["email"].clone(),
        refresh_token: session["refresh_token"].clone(),
    }
}

/// Who makes a call: the person, unless they would not be the same after it.
fn caller<'p>(operation: &str, person: &'p Person, things: &'p Things) -> &'p Person {
    match operation {
        "change-password" | "erase-user" => &things.expendable,
        _ => person,
    }
}

fn call(stack: &Stack, operation: &str, things: &Things) -> Call {
    let api = &stack.api;
    let product = json!({"name": "A thing", "unit_price": {"amount": 100, "currency": "EUR"}});
    match operation {
        "register-user" => api.post("/users").json(&new_user()),
        "login" => api
            .post("/auth/login")
            .json(&json!({"email": things.email, "password": PASSWORD})),
        "refresh-session" => api
            .post("/auth/refresh")
            .json(&json!({"refresh_token": things.refresh_token})),
        "logout" => api
            .post("/auth/logout")
            .json(&json!({"refresh_token": "none"})),
        "publish-keys" => api.get("/.well-known/jwks.json"),
        "describe-issuer" => api.get("/.well-known/openid-configuration"),
        "get-user" => api.get("/users/me"),
        "update-user" => api.patch("/users/me").json(&json!({"name": "Ada Buyer"})),
        "change-password" => api
            .post("/users/me/password")
            .json(&json!({"current_password": PASSWORD, "new_password": NEW_PASSWORD})),
        "erase-user" => api.delete("/users/me"),
        "list-products" => api.get("/products"),
        "get-product" => api.get(&format!("/products/{}", things.sku)),
        "put-product" => api.put(&format!("/products/{}", things.sku)).json(&product),
        "adjust-stock" => api
            .post(&format!("/products/{}/stock-adjustments", things.sku))
            .key(&new_key())
            .json(&json!({"delta": 1, "reason": "counted"})),
        "place-order" => api
            .post("/orders")
            .key(&new_key())
            .json(&order_of(&[(&things.sku, 1)], GOOD_CARD)),
        "list-orders" => api.get("/orders"),
        "search-orders" => api.get("/operations/orders"),
        "get-order" => api.get(&format!("/orders/{}", things.order_id)),
        "cancel-order" => api.post(&format!("/orders/{}/cancel", things.cancellable)),
        "get-payment" => api.get(&format!("/orders/{}/payment", things.order_id)),
        "request-refund" => api
            .post(&format!("/orders/{}/refunds", things.order_id))
            .key(&new_key())
            .json(&refund_of(1, "a cent too many")),
        "examine-order" => api.get(&format!("/operations/orders/{}", things.order_id)),
        "resume-order" => api.post(&format!("/operations/orders/{}/resume", things.cancellable)),
        "list-queues" => api.get("/operations/queues"),
        "list-dead-letters" => api.get("/operations/queues/refunds-dlq/messages"),
        // One that is not there, since others look after theirs.
        "redrive-dead-letters" => api
            .post("/operations/queues/refunds-dlq/redrive")
            .json(&json!({"message_ids": [Uuid::new_v4()]})),
        "audit-books" => api.get("/operations/books?day=2100-01-01"),
        "serve-console" => api.get("/console"),
        "check-health" => api.get("/health"),
        "check-readiness" => api.get("/ready"),
        "serve-docs" => api.get("/docs"),
        "read-docs-asset" => api.get(&things.asset),
        "read-openapi" => api.get("/openapi.json"),
        "explain-problem" => api.get("/problems/not-found"),
        "receive-webhook" => stack.webhook(&json!({"note": "of no kind that we know"})),
        other => panic!("{other} has no call here: add one"),
    }
}
