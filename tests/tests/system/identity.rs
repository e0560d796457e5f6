//! Registration, login and roles.

use oxcart_tests::{
    shop::{PASSWORD, new_user},
    stack::Stack,
    tokens::Token,
};
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test]
async fn a_registration_answers_the_user_and_nothing_secret() {
    let stack = Stack::connect().await;
    let user = new_user();

    let answer = stack
        .api
        .post("/users")
        .json(&user)
        .send()
        .await
        .expect(201);
    let registered = answer.json();

    assert!(Uuid::parse_str(registered["id"].as_str().unwrap()).is_ok());
    assert_eq!(
        (&registered["email"], &registered["name"]),
        (&user["email"], &user["name"])
    );
    assert_eq!(registered["role"], "customer");
    let mut members: Vec<&String> = registered.as_object().unwrap().keys().collect();
    members.sort();
    assert_eq!(members, ["created_at", "email", "id", "name", "role"]);
    assert!(answer.header("Location").is_some());
}

#[tokio::test]
async fn an_email_address_registers_once_in_whatever_case() {
    let stack = Stack::connect().await;
    let mut user = new_user();
    let email = user["email"].as_str().unwrap().to_owned();
    stack.register(&user).await;

    for again in [
        email.clone(),
        email.to_uppercase(),
        email.replace("buyer", "Buyer"),
    ] {
        user["email"] = json!(again);
        stack
            .api
            .post("/users")
            .json(&user)
            .send()
            .await
            .problem(409, "email-taken");
    }
    stack
        .log_in(&email.to_uppercase(), PASSWORD)
        .await
        .expect(200);
}

#[tokio::test]
async fn of_many_registrations_at_once_for_one_address_one_succeeds() {
    let stack = Stack::connect().await;
    let user = new_user();

    let answers =
        futures::future::join_all((0..5).map(|_| stack.api.post("/users").json(&user).send()))
            .await;

    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409]);
}

#[tokio::test]
async fn a_password_has_12_to_128_characters_not_bytes() {
    let stack = Stack::connect().await;
    for password in ["é".repeat(12), "é".repeat(128)] {
        let mut user = new_user();
        user["password"] = json!(password);
        stack.register(&user).await;
        stack
            .log_in(user["email"].as_str().unwrap(), &password)
            .await
            .expect(200);
    }
}

#[tokio::test]
async fn a_login_answers_a_bearer_token_for_a_quarter_of_an_hour() {
    let stack = Stack::connect().await;
    let user = new_user();
    let registered = stack.register(&user).await;

    let session = stack
        .log_in(user["email"].as_str().unwrap(), PASSWORD)
        .await
        .expect(200)
        .json();

    assert_eq!(
        (&session["token_type"], &session["expires_in"]),
        (&json!("Bearer"), &json!(900))
    );
    let token = Token::read(session["access_token"].as_str().unwrap());
    assert_eq!(token.header["alg"], "ES256");
    assert_eq!(token.claims["iss"], stack.setting("TOKEN_ISSUER"));
    assert_eq!(
        (&token.claims["sub"], &token.claims["role"]),
        (&registered["id"], &json!("customer"))
    );
    let lifetime = token.claims["exp"].as_i64().unwrap() - token.claims["iat"].as_i64().unwrap();
    assert_eq!(lifetime, 900);
    let me = stack
        .api
        .get("/users/me")
        .bearer(session["access_token"].as_str().unwrap())
        .send()
        .await;
    assert_eq!(me.expect(200).json(), registered);
}

#[tokio::test]
async fn an_unknown_address_and_a_wrong_password_are_refused_alike() {
    let stack = Stack::connect().await;
    let user = new_user();
    stack.register(&user).await;

    let wrong = stack
        .log_in(user["email"].as_str().unwrap(), "not the right one")
        .await;
    let unknown = stack
        .log_in(new_user()["email"].as_str().unwrap(), PASSWORD)
        .await;

    let (wrong_trace, unknown_trace) = (
        trace_id(&wrong.problem(401, "invalid-credentials")),
        trace_id(&unknown.json()),
    );
    assert_eq!(
        wrong.text().replace(&wrong_trace, ""),
        unknown.text().replace(&unknown_trace, "")
    );
    let names = |answer: &oxcart_tests::api::Answer| {
        let mut names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
        names.sort();
        names
    };
    assert_eq!(names(&wrong), names(&unknown));
}

/// [`PASSWORD`] hashed with Argon2id as weakly as it goes: 8 KiB of memory and one pass.
const WEAK_HASH: &str =
    "$argon2id$v=19$m=8,t=1,p=1$YSBzYWx0IG9mIHNvbWUgaw$P56S79d7lTexyYcpLqmfWLPleHytFeskiFln/qt5/BU";

#[tokio::test]
async fn a_password_that_was_hashed_too_weakly_is_hashed_anew_at_the_next_login() {
    let stack = Stack::connect().await;
    let account = stack.new_account().await;
    let key = format!("EMAIL#{}", account.email);
    let hash = async || {
        let credentials = stack.item("IDENTITY_TABLE", &key).await;
        credentials.expect("the credentials")["password_hash"].clone()
    };
    let mut weakened = stack.item("IDENTITY_TABLE", &key).await.unwrap();
    weakened["password_hash"] = json!(WEAK_HASH);
    stack.write_item("IDENTITY_TABLE", &weakened).await;

    let wrong = stack.log_in(&account.email, "not the right one").await;
    wrong.problem(401, "invalid-credentials");
    assert_eq!(hash().await, WEAK_HASH, "a failure changes nothing");

    stack.log_in(&account.email, PASSWORD).await.expect(200);
    let anew = hash().await;
    let parameters = "$argon2id$v=19$m=19456,t=2,p=1$";
    assert!(anew.as_str().unwrap().starts_with(parameters), "{anew}");
    stack.log_in(&account.email, PASSWORD).await.expect(200);
    assert_eq!(hash().await, anew, "a good hash stays");
}

#[tokio::test]
async fn a_granted_role_counts_from_the_next_login() {
    let stack = Stack::connect().await;
    let user = new_user();
    let email = user["email"].as_str().unwrap();
    let registered = stack.register(&user).await;
    let before = stack.log_in(email, PASSWORD).await.expect(200).json();

    let payload = json!({"email": email.to_uppercase(), "role": "admin"});
    let granted = stack.answer_of("grant-role", &payload).await;
    let mut expected = registered.clone();
    expected["role"] = json!("admin");
    assert_eq!(granted, expected);
    assert_eq!(
        stack.answer_of("grant-role", &payload).await,
        expected,
        "granting twice is granting once"
    );

    let after = stack.log_in(email, PASSWORD).await.expect(200).json();
    assert_eq!(put_product(&stack, &before).await, 403);
    assert_eq!(put_product(&stack, &after).await, 201);
    let me = stack
        .api
        .get("/users/me")
        .bearer(after["access_token"].as_str().unwrap())
        .send()
        .await;
    assert_eq!(me.expect(200).json(), expected);
}

#[tokio::test]
async fn a_role_is_granted_to_nobody_unknown() {
    let stack = Stack::connect().await;
    let payload = json!({"email": new_user()["email"], "role": "admin"});
    assert_eq!(stack.error_of("grant-role", &payload).await, "UserNotFound");
}

async fn put_product(stack: &Stack, session: &Value) -> u16 {
    let answer = stack
        .api
        .put(&format!("/products/{}", oxcart_tests::shop::new_sku()))
        .bearer(session["access_token"].as_str().unwrap())
        .json(&json!({"name": "Mug", "unit_price": oxcart_tests::shop::euro_cents(1)}))
        .send()
        .await;
    answer.status
}

fn trace_id(problem: &Value) -> String {
    problem["trace_id"].as_str().unwrap().to_owned()
}
