//! Refresh tokens: spent on every use, ended by reuse, logout, a new password and time. And the keys that
//! sign access tokens.

use std::process::{Command, Output};

use crate::accounts::NEW_PASSWORD;
use futures::future::join_all;
use oxcart_tests::{
    api::Answer,
    attempts::new_address,
    shop::{PASSWORD, new_user},
    stack::Stack,
    subscription::Subscription,
    tokens::{Token, key_id},
    workspace,
};
use serde_json::{Value, json};

#[tokio::test]
async fn a_refresh_answers_the_next_pair_and_spends_the_token() {
    let stack = Stack::connect().await;
    let first = new_session(&stack).await;

    let second = refresh(&stack, &first).await.expect(200).json();
    assert_eq!(second["token_type"], "Bearer");
    assert_ne!(second["refresh_token"], first);
    let (me, token) = (
        stack.api.get("/users/me"),
        second["access_token"].as_str().unwrap(),
    );
    me.bearer(token).send().await.expect(200);

    refresh(&stack, &second["refresh_token"]).await.expect(200);
}

#[tokio::test]
async fn a_spent_token_ends_its_session_and_is_told_of() {
    let stack = Stack::connect().await;
    let mut subscription = Subscription::open(&stack).await;
    let first = new_session(&stack).await;
    let second = refresh(&stack, &first).await.expect(200).json()["refresh_token"].clone();

    refresh(&stack, &first)
        .await
        .problem(401, "invalid-refresh-token");
    refresh(&stack, &second)
        .await
        .problem(401, "invalid-refresh-token");
    refresh(&stack, &first)
        .await
        .problem(401, "invalid-refresh-token");

    let session = session_of(&first);
    let told = subscription
        .wait_for(&session, &["session.reuse-detected"])
        .await;
    assert_eq!(told.len(), 1);
    subscription.close().await;
}

#[tokio::test]
async fn of_many_refreshes_at_once_with_one_token_one_wins_and_the_session_ends() {
    let stack = Stack::connect().await;
    let first = new_session(&stack).await;

    let answers = join_all((0..8).map(|_| refresh(&stack, &first))).await;

    let winners: Vec<&Answer> = answers
        .iter()
        .filter(|answer| answer.status == 200)
        .collect();
    assert_eq!(winners.len(), 1);
    for loser in answers.iter().filter(|answer| answer.status != 200) {
        loser.problem(401, "invalid-refresh-token");
    }
    refresh(&stack, &winners[0].json()["refresh_token"])
        .await
        .problem(401, "invalid-refresh-token");
}

#[tokio::test]
async fn a_logout_ends_the_session_and_may_be_repeated() {
    let stack = Stack::connect().await;
    let (ended, other) = (new_session(&stack).await, new_session(&stack).await);

    log_out(&stack, &ended).await.expect(204);
    log_out(&stack, &ended).await.expect(204);
    log_out(&stack, &json!("never a token")).await.expect(204);

    refresh(&stack, &ended)
        .await
        .problem(401, "invalid-refresh-token");
    refresh(&stack, &other).await.expect(200);
}

#[tokio::test]
async fn a_new_password_ends_every_session_of_its_user_and_no_other() {
    let stack = Stack::connect().await;
    let (account, other) = (stack.new_account().await, stack.new_account().await);
    let second = stack.log_in(&account.email, PASSWORD).await.expect(200);
    let second = second.json()["refresh_token"].clone();
    let third = refresh(&stack, &second).await.expect(200);
    let third = third.json()["refresh_token"].clone();

    let changed = stack
        .change_password(&account.person, PASSWORD, NEW_PASSWORD)
        .await;
    changed.expect(204);

    for ended in [&account.refresh_token, &third] {
        refresh(&stack, ended)
            .await
            .problem(401, "invalid-refresh-token");
    }
    refresh(&stack, &other.refresh_token).await.expect(200);
}

#[tokio::test]
async fn a_logout_with_a_spent_token_ends_the_session_and_is_told_of() {
    let stack = Stack::connect().await;
    let mut subscription = Subscription::open(&stack).await;
    let first = new_session(&stack).await;
    let second = refresh(&stack, &first).await.expect(200).json()["refresh_token"].clone();

    log_out(&stack, &first).await.expect(204);

    refresh(&stack, &second)
        .await
        .problem(401, "invalid-refresh-token");
    let session = session_of(&first);
    let told = subscription
        .wait_for(&session, &["session.reuse-detected"])
        .await;
    assert_eq!(told.len(), 1);
    subscription.close().await;
}

#[tokio::test]
async fn a_session_whose_time_is_over_is_not_refreshed_though_it_is_still_stored() {
    let stack = Stack::connect().await;
    let token = new_session(&stack).await;
    let mut item = stack
        .item("IDENTITY_TABLE", &format!("SESSION#{}", session_of(&token)))
        .await
        .expect("the session is stored");

    item["expires_at"] = json!("2020-01-01T00:00:00.000Z");
    stack.write_item("IDENTITY_TABLE", &item).await;

    refresh(&stack, &token)
        .await
        .problem(401, "invalid-refresh-token");
}

#[tokio::test]
async fn what_is_no_refresh_token_is_refused_like_one_that_is_spent() {
    let stack = Stack::connect().await;
    let unknown = base64::Engine::encode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, [7; 64]);

    for token in ["", "garbage", &unknown] {
        refresh(&stack, &json!(token))
            .await
            .problem(401, "invalid-refresh-token");
    }
    let malformed = refresh(&stack, &json!(5)).await;
    malformed.problem(422, "invalid-request");
    assert_eq!(malformed.fields_at_fault(), ["/refresh_token"]);
}

#[tokio::test]
async fn the_table_holds_nothing_that_could_be_used_as_a_token() {
    let stack = Stack::connect().await;
    let token = new_session(&stack).await;
    let key = format!("SESSION#{}", session_of(&token));

    let item = stack.item("IDENTITY_TABLE", &key).await;

    let stored = item.expect("the session is stored").to_string();
    let secret = &bytes_of(&token)[32..];
    let encoded = base64::Engine::encode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, secret);
    assert!(!stored.contains(&encoded) && !stored.contains(token.as_str().unwrap()));
}

#[tokio::test]
async fn a_role_that_was_granted_meanwhile_counts_from_the_refresh() {
    let stack = Stack::connect().await;
    let user = new_user();
    let token = session_for(&stack, &user).await;
    stack
        .invoke(
            "grant-role",
            &json!({"email": user["email"], "role": "admin"}),
        )
        .await
        .answer();

    let next = refresh(&stack, &token).await.expect(200).json();

    assert_eq!(
        Token::read(next["access_token"].as_str().unwrap()).claims["role"],
        "admin"
    );
}

#[tokio::test]
async fn the_published_keys_are_where_the_issuer_says_and_one_of_them_signs() {
    let stack = Stack::connect().await;
    let issuer = stack
        .api
        .get("/.well-known/openid-configuration")
        .send()
        .await
        .expect(200);
    let keys = stack
        .api
        .get("/.well-known/jwks.json")
        .send()
        .await
        .expect(200);
    let access_token = stack.new_customer().await.token;

    assert_eq!(
        issuer.json()["issuer"],
        Token::read(&access_token).claims["iss"]
    );
    assert_eq!(
        issuer.json()["jwks_uri"],
        format!("{}/.well-known/jwks.json", stack.setting("API_URL"))
    );
    let published: Vec<Value> = keys.json()["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["kid"].clone())
        .collect();
    let ids: Vec<&str> = stack.token_keys().into_iter().map(key_id).collect();
    assert_eq!(published, ids);
    assert!(ids.len() == 2 && ids[0] != ids[1], "{ids:?}");
    assert_eq!(Token::read(&access_token).header["kid"], ids[0]);
    assert_eq!(
        keys.header("Cache-Control"),
        Some("public, max-age=300, must-revalidate")
    );
    let tag = keys.header("ETag").expect("a validator");
    let again = stack
        .api
        .get("/.well-known/jwks.json")
        .header("If-None-Match", tag);
    again.send().await.expect(304);
}

/// Looks the keys up and verifies a token as any service would that looks an issuer up by its address.
const STOCK_LIBRARY: &str = "
import json, sys, urllib.request, jwt
issuer, token = sys.argv[1:]
about = json.load(urllib.request.urlopen(issuer + '/.well-known/openid-configuration'))
key = jwt.PyJWKClient(about['jwks_uri']).get_signing_key_from_jwt(token)
algorithms = about['id_token_signing_alg_values_supported']
claims = jwt.decode(token, key, algorithms, issuer=about['issuer'], audience='oxcart')
print(claims['sub'])
";

#[tokio::test]
async fn a_stock_library_verifies_our_tokens_and_refuses_a_strangers() {
    let stack = Stack::connect().await;
    let person = stack.new_customer().await;

    assert_verified(&stack, &person.token, &person.id);

    let strangers = Token::read(&person.token).signed_by_a_stranger();
    let strangers = by_stock_library(&stack, &strangers);
    let said = String::from_utf8_lossy(&strangers.stderr);
    assert!(
        !strangers.status.success() && said.contains("InvalidSignatureError"),
        "{said}"
    );
}

#[tokio::test]
async fn while_the_keys_change_places_a_token_of_either_is_good() {
    let stack = Stack::connect().await;
    let account = stack.new_account().await;
    let mut keys = stack.token_keys();
    keys.reverse();

    let rotated = stack
        .copy_function("login", "TOKEN_KEY_ARNS", &keys.join(","))
        .await;
    let login = stack
        .log_in_through(&rotated, &new_address(), &account.email, PASSWORD)
        .await;
    stack.remove_copy(&rotated).await;

    let session = login.expect(200).json();
    let (before, after) = (
        account.person.token.as_str(),
        session["access_token"].as_str().unwrap(),
    );
    for (token, key) in [(before, keys[1]), (after, keys[0])] {
        assert_eq!(Token::read(token).header["kid"], key_id(key));
        let me = stack.api.get("/users/me").bearer(token).send().await;
        assert_eq!(me.expect(200).json(), account.user);
        assert_verified(&stack, token, &account.person.id);
    }
    refresh(&stack, &session["refresh_token"]).await.expect(200);
}

fn assert_verified(stack: &Stack, token: &str, subject: &str) {
    let verified = by_stock_library(stack, token);
    let said = String::from_utf8_lossy(&verified.stderr);
    assert_eq!(
        String::from_utf8_lossy(&verified.stdout).trim(),
        subject,
        "{said}"
    );
}

fn by_stock_library(stack: &Stack, token: &str) -> Output {
    Command::new(workspace::root().join(".local/tools/emulator/bin/python"))
        .args(["-c", STOCK_LIBRARY, stack.setting("TOKEN_ISSUER"), token])
        .output()
        .expect("cargo xtask setup installs it")
}

pub(crate) async fn new_session(stack: &Stack) -> Value {
    session_for(stack, &new_user()).await
}

/// Registers the user and answers the refresh token of their first session.
async fn session_for(stack: &Stack, user: &Value) -> Value {
    stack.first_session(user).await["refresh_token"].clone()
}

pub(crate) async fn refresh(stack: &Stack, token: &Value) -> Answer {
    let body = json!({"refresh_token": token});
    stack.api.post("/auth/refresh").json(&body).send().await
}

async fn log_out(stack: &Stack, token: &Value) -> Answer {
    let body = json!({"refresh_token": token});
    stack.api.post("/auth/logout").json(&body).send().await
}

/// The contract calls a refresh token opaque; its bytes are the ids of user and session and the secret.
fn bytes_of(token: &Value) -> Vec<u8> {
    let token = token.as_str().expect("a refresh token");
    base64::Engine::decode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, token).expect("base64url")
}

pub(crate) fn session_of(token: &Value) -> String {
    let bytes = bytes_of(token)[16..32].try_into().expect("16 bytes");
    uuid::Uuid::from_bytes(bytes).to_string()
}
