//! One's own account: changing it, its password, and erasing it.

use std::collections::BTreeSet;

use crate::{
    lockout::{WRONG_PASSWORD, told_to_wait},
    sessions::refresh,
};
use futures::future::{join, join_all};
use oxcart_tests::{
    accounts::{Account, new_email},
    api::Answer,
    attempts::{new_address, of_account},
    shop::{GOOD_CARD, PASSWORD, new_user, order_of},
    stack::Stack,
    subscription::Subscription,
    tokens::Token,
};
use serde_json::{Value, json};

pub(crate) const NEW_PASSWORD: &str = "staple battery horse correct";

#[tokio::test]
async fn a_user_changes_their_name_and_sees_it() {
    let stack = Stack::connect().await;
    let account = stack.new_account().await;

    let changes = json!({"name": "Ada Lovelace"});
    let answer = stack.update_user(&account.person, &changes).await;

    let mut expected = account.user.clone();
    expected["name"] = json!("Ada Lovelace");
    assert_eq!(answer.expect(200).json(), expected);
    assert_eq!(stack.me(&account.person).await.expect(200).json(), expected);
}

#[tokio::test]
async fn a_change_that_changes_nothing_is_answered_and_not_told_of() {
    let stack = Stack::connect().await;
    let mut listener = Subscription::open(&stack).await;
    let account = stack.new_account().await;
    let same = json!({"name": account.user["name"], "email": account.email.to_uppercase()});

    for changes in [json!({}), same] {
        let answer = stack.update_user(&account.person, &changes).await;
        assert_eq!(answer.expect(200).json(), account.user);
    }
    // What is told later shows that nothing was told before.
    rename(&stack, &account, "Ada at last").await;

    let told = listener
        .wait_for(&account.person.id, &["user.updated"])
        .await;
    let names: Vec<Value> = updates(&told)
        .iter()
        .map(|data| data["name"].clone())
        .collect();
    assert_eq!(names, ["Ada at last"]);
    listener.close().await;
}

#[tokio::test]
async fn a_change_that_breaks_a_rule_is_refused_with_the_field_at_fault() {
    let stack = Stack::connect().await;
    let account = stack.new_account().await;

    for (changes, at_fault) in [
        (json!({"name": null}), "/name"),
        (json!({"name": ""}), "/name"),
        (json!({"name": "x".repeat(101)}), "/name"),
        (json!({"email": null}), "/email"),
        (json!({"email": "no-at-sign"}), "/email"),
        (json!({"email": 7}), "/email"),
        (json!({"role": "admin"}), "/role"),
        (json!({"password": NEW_PASSWORD}), "/password"),
        (json!({"name": "Eve", "id": account.user["id"]}), "/id"),
    ] {
        let answer = stack.update_user(&account.person, &changes).await;
        assert_eq!(answer.fields_at_fault(), [at_fault], "{}", answer.text());
    }
    let unchanged = stack.me(&account.person).await.expect(200);
    assert_eq!(unchanged.json(), account.user);
}

#[tokio::test]
async fn a_new_address_takes_the_place_of_the_old_one() {
    let stack = Stack::connect().await;
    let account = stack.new_account().await;
    let email = new_email();

    let changes = json!({"email": email.to_uppercase()});
    let answer = stack.update_user(&account.person, &changes).await;

    let mut expected = account.user.clone();
    expected["email"] = json!(email);
    assert_eq!(answer.expect(200).json(), expected);
    assert_eq!(who_logs_in(&stack, &email).await, account.person.id);
    let old = stack.log_in(&account.email, PASSWORD).await;
    old.problem(401, "invalid-credentials");
    refresh(&stack, &account.refresh_token).await.expect(200);
}

#[tokio::test]
async fn an_address_that_was_left_is_free_for_others() {
    let stack = Stack::connect().await;
    let account = stack.new_account().await;
    move_to(&stack, &account, &new_email()).await.expect(200);

    let mut other = new_user();
    other["email"] = json!(account.email);
    let other = stack.register(&other).await;

    assert_ne!(other["id"], account.user["id"]);
    assert_eq!(who_logs_in(&stack, &account.email).await, other["id"]);
    let back = move_to(&stack, &account, &account.email).await;
    back.problem(409, "email-taken");
}

#[tokio::test]
async fn an_address_that_somebody_has_is_not_taken_over() {
    let stack = Stack::connect().await;
    let (account, other) = (stack.new_account().await, stack.new_account().await);

    for taken in [other.email.clone(), other.email.to_uppercase()] {
        let answer = move_to(&stack, &account, &taken).await;
        answer.problem(409, "email-taken");
    }

    for unmoved in [&account, &other] {
        assert_eq!(who_logs_in(&stack, &unmoved.email).await, unmoved.person.id);
        let me = stack.me(&unmoved.person).await.expect(200);
        assert_eq!(me.json(), unmoved.user);
    }
}

#[tokio::test]
async fn of_many_who_move_to_one_address_at_once_one_succeeds() {
    let stack = Stack::connect().await;
    let accounts = join_all((0..4).map(async |_| stack.new_account().await)).await;
    let email = new_email();

    let moves = accounts
        .iter()
        .map(|account| move_to(&stack, account, &email));
    let answers = join_all(moves).await;

    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409]);
    let winner = answers.iter().position(|answer| answer.status == 200);
    assert_eq!(
        who_logs_in(&stack, &email).await,
        accounts[winner.unwrap()].person.id
    );
}

#[tokio::test]
async fn each_change_of_a_user_tells_what_they_are_afterwards() {
    let stack = Stack::connect().await;
    let mut listener = Subscription::open(&stack).await;
    let account = stack.new_account().await;
    let (id, old, new) = (&account.person.id, &account.email, &new_email());

    rename(&stack, &account, "Ada Lovelace").await;
    move_to(&stack, &account, new).await.expect(200);
    // Granted twice, changed once.
    let grant = json!({"email": new, "role": "support"});
    stack.answer_of("grant-role", &grant).await;
    stack.answer_of("grant-role", &grant).await;
    rename(&stack, &account, "Ada King").await;

    let told = listener.wait_for(id, &["user.updated"; 4]).await;
    assert_eq!(
        updates(&told),
        [
            as_told(id, old, "Ada Lovelace", "customer"),
            as_told(id, new, "Ada Lovelace", "customer"),
            as_told(id, new, "Ada Lovelace", "support"),
            as_told(id, new, "Ada King", "support"),
        ]
    );
    listener.close().await;
}

#[tokio::test]
async fn a_role_goes_with_its_user_to_their_new_address() {
    let stack = Stack::connect().await;
    let account = stack.new_account().await;
    let email = new_email();
    let admin = |email: &str| json!({"email": email, "role": "admin"});
    stack.answer_of("grant-role", &admin(&account.email)).await;

    move_to(&stack, &account, &email).await.expect(200);

    let token = access_token(&stack, &email).await;
    assert_eq!(token.claims["role"], "admin");
    let nobody = stack.error_of("grant-role", &admin(&account.email)).await;
    assert_eq!(nobody, "UserNotFound");
}

#[tokio::test]
async fn a_new_password_takes_the_place_of_the_old_one() {
    let stack = Stack::connect().await;
    let account = stack.new_account().await;

    let changed = stack
        .change_password(&account.person, PASSWORD, NEW_PASSWORD)
        .await;

    assert_eq!(changed.expect(204).text(), "");
    let old = stack.log_in(&account.email, PASSWORD).await;
    old.problem(401, "invalid-credentials");
    let new = stack.log_in(&account.email, NEW_PASSWORD).await;
    let session = new.expect(200).json();
    refresh(&stack, &session["refresh_token"]).await.expect(200);
}

#[tokio::test]
async fn who_does_not_know_the_password_does_not_change_it() {
    let stack = Stack::connect().await;
    let account = stack.new_account().await;

    let answer = stack
        .change_password(&account.person, WRONG_PASSWORD, NEW_PASSWORD)
        .await;

    let problem = answer.problem(422, "wrong-password");
    assert_eq!(problem["errors"][0]["pointer"], "/current_password");
    stack.log_in(&account.email, NEW_PASSWORD).await.expect(401);
    stack.log_in(&account.email, PASSWORD).await.expect(200);
    refresh(&stack, &account.refresh_token).await.expect(200);
}

#[tokio::test]
async fn a_change_of_password_that_breaks_a_rule_is_refused_with_the_field_at_fault() {
    let stack = Stack::connect().await;
    let account = stack.new_account().await;
    let good = json!({"current_password": PASSWORD, "new_password": NEW_PASSWORD});

    for (member, value) in [
        ("new_password", json!("x".repeat(11))),
        ("new_password", json!("x".repeat(129))),
        ("new_password", json!(null)),
        ("current_password", json!(null)),
        ("colour", json!("red")),
    ] {
        let mut change = good.clone();
        change[member] = value;
        let call = stack.api.post("/users/me/password").json(&change);
        let answer = call.bearer(&account.person.token).send().await;
        assert_eq!(answer.fields_at_fault(), [format!("/{member}")]);
    }
    stack.log_in(&account.email, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn who_guesses_the_current_password_has_to_wait_and_who_signs_in_has_not() {
    let stack = Stack::connect().await;
    let account = stack.new_account().await;

    for _ in 0..5 {
        let guess = stack
            .change_password(&account.person, WRONG_PASSWORD, NEW_PASSWORD)
            .await;
        guess.problem(422, "wrong-password");
    }

    let right = stack
        .change_password(&account.person, PASSWORD, NEW_PASSWORD)
        .await;
    told_to_wait(&right);
    stack.log_in(&account.email, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn failed_logins_of_others_keep_nobody_from_changing_their_password() {
    let stack = Stack::connect().await;
    let account = stack.new_account().await;
    stack
        .remember_failures(&of_account(&account.email), 10)
        .await;
    let elsewhere = new_address();
    for status in [401, 429] {
        let guess = stack.log_in_from(&elsewhere, &account.email, WRONG_PASSWORD);
        guess.await.expect(status);
    }

    let change = stack.change_password(&account.person, PASSWORD, NEW_PASSWORD);
    change.await.expect(204);
}

#[tokio::test]
async fn a_change_of_password_that_is_repeated_is_done() {
    let stack = Stack::connect().await;
    let account = stack.new_account().await;

    for _ in 0..2 {
        let change = stack.change_password(&account.person, PASSWORD, NEW_PASSWORD);
        change.await.expect(204);
    }
}

#[tokio::test]
async fn an_erased_account_is_gone_for_who_had_it() {
    let stack = Stack::connect().await;
    let account = stack.new_account().await;
    let person = &account.person;

    assert_eq!(stack.erase_user(person).await.expect(204).text(), "");
    stack.erase_user(person).await.expect(204);

    stack.me(person).await.problem(404, "not-found");
    for changes in [json!({}), json!({"name": "Ada"})] {
        let answer = stack.update_user(person, &changes).await;
        answer.problem(404, "not-found");
    }
    let password = stack.change_password(person, PASSWORD, NEW_PASSWORD).await;
    password.problem(404, "not-found");
    let login = stack.log_in(&account.email, PASSWORD).await;
    login.problem(401, "invalid-credentials");
    let refreshed = refresh(&stack, &account.refresh_token).await;
    refreshed.problem(401, "invalid-refresh-token");
}

#[tokio::test]
async fn the_address_of_an_erased_account_can_be_registered_anew() {
    let stack = Stack::connect().await;
    let account = stack.new_account().await;
    stack.erase_user(&account.person).await.expect(204);

    let mut user = new_user();
    user["email"] = json!(account.email);
    let anew = stack.register(&user).await;

    assert_ne!(anew["id"], account.user["id"]);
    assert_eq!(who_logs_in(&stack, &account.email).await, anew["id"]);
    let old = stack.me(&account.person).await;
    old.problem(404, "not-found");
    stack.erase_user(&account.person).await.expect(204);
    assert_eq!(
        who_logs_in(&stack, &account.email).await,
        anew["id"],
        "the old token erases nobody else"
    );
}

#[tokio::test]
async fn what_is_left_of_an_erased_account_says_nothing_of_the_person() {
    let stack = Stack::connect().await;
    let account = stack.new_account().await;
    stack.erase_user(&account.person).await.expect(204);

    let key = format!("USER#{}", account.person.id);
    let tombstone = stack
        .item("IDENTITY_TABLE", &key)
        .await
        .expect("a tombstone");
    let members: BTreeSet<&str> = tombstone
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        members,
        BTreeSet::from(["erased_at", "id", "outbox", "pk", "session_epoch"])
    );
    assert!(tombstone.to_string().contains("user.erased"), "{tombstone}");
    for kind in ["USER#", "EMAIL#", "SESSION#", "ATTEMPTS#"] {
        for item in stack.items("IDENTITY_TABLE", kind).await {
            assert_says_nothing_of(&account, &item);
        }
    }
}

#[tokio::test]
async fn an_erasure_tells_who_keeps_copies_and_nothing_more() {
    let stack = Stack::connect().await;
    let mut listener = Subscription::open(&stack).await;
    let account = stack.new_account().await;
    let id = &account.person.id;

    stack.erase_user(&account.person).await.expect(204);

    let told = listener.wait_for(id, &["user.erased"]).await;
    let erased = told.last().unwrap();
    assert_eq!(erased["type"], "user.erased", "{told:#?}");
    assert_eq!(erased["data"], json!({"user_id": id}));
    assert_says_nothing_of(&account, erased);
    listener.close().await;
}

#[tokio::test]
async fn the_orders_of_an_erased_account_stay_and_know_its_id_alone() {
    let stack = Stack::connect().await;
    let (account, sku) = (stack.new_account().await, stack.new_product(1250, 3).await);
    let order = order_of(&[(&sku, 1)], GOOD_CARD);
    let order = stack.buy(&account.person, &order).await;

    stack.erase_user(&account.person).await.expect(204);

    let key = format!("ORDER#{}", order["id"].as_str().unwrap());
    let kept = stack.item("ORDERS_TABLE", &key).await.expect("the order");
    assert_eq!(kept["customer_id"], account.person.id);
    assert_eq!(kept["status"], "CONFIRMED");
    assert_says_nothing_of(&account, &kept);
    stack.assert_figures_agree(&[&sku]).await;
}

#[tokio::test]
async fn whatever_goes_on_during_an_erasure_no_address_stays_taken() {
    let stack = Stack::connect().await;
    let account = stack.new_account().await;
    let addresses = [account.email.clone(), new_email(), new_email()];

    let moves = addresses[1..]
        .iter()
        .map(|email| move_to(&stack, &account, email));
    let (erased, answers) = join(stack.erase_user(&account.person), join_all(moves)).await;

    // A 503 asks to try again.
    assert!(matches!(erased.status, 204 | 503), "{}", erased.text());
    for answer in answers {
        let status = answer.status;
        assert!(matches!(status, 200 | 404 | 503), "{}", answer.text());
    }
    stack.erase_user(&account.person).await.expect(204);
    stack.me(&account.person).await.expect(404);
    for email in addresses {
        let mut user = new_user();
        user["email"] = json!(email);
        stack.register(&user).await;
    }
}

async fn rename(stack: &Stack, account: &Account, name: &str) {
    let renaming = json!({"name": name});
    let answer = stack.update_user(&account.person, &renaming);
    answer.await.expect(200);
}

async fn move_to(stack: &Stack, account: &Account, email: &str) -> Answer {
    let changes = json!({"email": email});
    stack.update_user(&account.person, &changes).await
}

/// The id of the user who logs in with this address.
async fn who_logs_in(stack: &Stack, email: &str) -> Value {
    access_token(stack, email).await.claims["sub"].clone()
}

async fn access_token(stack: &Stack, email: &str) -> Token {
    let session = stack.log_in(email, PASSWORD).await.expect(200).json();
    Token::read(session["access_token"].as_str().unwrap())
}

/// What the `user.updated` among the events say, in their order.
fn updates(events: &[Value]) -> Vec<Value> {
    let updates = events
        .iter()
        .filter(|event| event["type"] == "user.updated");
    updates.map(|event| event["data"].clone()).collect()
}

fn as_told(id: &str, email: &str, name: &str, role: &str) -> Value {
    json!({"user_id": id, "email": email, "name": name, "role": role})
}

fn assert_says_nothing_of(account: &Account, found: &Value) {
    let text = found.to_string();
    for known in [&account.email, account.user["name"].as_str().unwrap()] {
        assert!(!text.contains(known), "{known} stands in {text}");
    }
}
