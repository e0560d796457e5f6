//! Guessing passwords: how often one may, where else one still may, and what the guessed-at notice of it.
//!
//! Each test brings accounts and sources of its own, so that none waits for another's guesses. Where a
//! wait would have to be sat out, what is remembered is rewritten.

use std::net::Ipv6Addr;

use futures::future::join_all;
use oxcart_tests::{
    accounts::new_email,
    api::Answer,
    attempts::{new_address, new_network, of_account, of_place, of_source},
    shop::{PASSWORD, new_user},
    stack::Stack,
};
use serde_json::{Value, json};
use tokio::time::Instant;

/// A password that nobody has.
pub(crate) const WRONG_PASSWORD: &str = "not the right one";

/// So many failures that the next one locks for ten minutes.
const MANY: u32 = 10;

#[tokio::test]
async fn the_fifth_failure_locks_an_account_whatever_the_next_password() {
    let stack = Stack::connect().await;
    let email = registered(&stack).await;

    for _ in 0..5 {
        let guess = stack.log_in(&email.to_uppercase(), WRONG_PASSWORD).await;
        guess.problem(401, "invalid-credentials");
    }

    for password in [PASSWORD, WRONG_PASSWORD] {
        let seconds = told_to_wait(&stack.log_in(&email, password).await);
        assert!(seconds <= 10, "{seconds}");
    }
}

#[tokio::test]
async fn the_wait_doubles_with_each_failure_up_to_a_quarter_of_an_hour() {
    let stack = Stack::connect().await;
    let waits: [(u32, i64); 6] = [(4, 10), (5, 20), (7, 80), (10, 640), (11, 900), (40, 900)];
    for (failures, wait) in waits {
        let (email, source) = (new_email(), new_address());
        let key = of_account(&email);
        stack.remember_failures(&key, failures).await;

        fail(&stack, &source, &email).await;

        let seconds = told_to_wait(&stack.log_in_from(&source, &email, PASSWORD).await);
        assert!((wait - 9..=wait).contains(&seconds), "{seconds} of {wait}");
    }
}

#[tokio::test]
async fn an_attempt_that_is_refused_prolongs_nothing() {
    let stack = Stack::connect().await;
    let (email, source) = (registered(&stack).await, new_address());
    let key = of_account(&email);
    lock(&stack, &key, &source, &email).await;
    let tally = |remembered: Value| {
        ["failures", "locked_until", "expires_at"].map(|part| remembered[part].clone())
    };
    let before = tally(stack.remembered(&key).await);

    for password in [PASSWORD, WRONG_PASSWORD] {
        told_to_wait(&stack.log_in_from(&source, &email, password).await);
    }

    assert_eq!(tally(stack.remembered(&key).await), before);
}

#[tokio::test]
async fn an_address_that_nobody_has_is_locked_like_one_that_somebody_has() {
    let stack = Stack::connect().await;
    let (somebodys, nobodys) = (registered(&stack).await, new_email());

    let mut answers = Vec::new();
    for email in [&somebodys, &nobodys] {
        stack.remember_failures(&of_account(email), 4).await;
        let failed = stack.log_in(email, WRONG_PASSWORD).await;
        failed.problem(401, "invalid-credentials");
        let refused = stack.log_in(email, PASSWORD).await;
        told_to_wait(&refused);
        answers.push(refused);
    }

    assert_eq!(shape_of(&answers[0]), shape_of(&answers[1]));
}

#[tokio::test]
async fn of_many_guesses_at_once_no_more_are_admitted_than_one_after_the_other() {
    let stack = Stack::connect().await;
    let (email, source) = (registered(&stack).await, new_address());
    let began = Instant::now();

    let guesses = (0..20).map(async |guess| {
        let password = format!("guess number {guess}");
        stack.log_in_from(&source, &email, &password).await
    });
    let answers = join_all(guesses).await;

    // One more for each of the shortest waits that may have passed on a busy machine.
    let most = 5 + began.elapsed().as_secs() / 10;
    let (admitted, refused): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.status == 401);
    for answer in &refused {
        told_to_wait(answer);
    }
    let admitted = u64::try_from(admitted.len()).unwrap();
    assert!((1..=most).contains(&admitted), "{admitted} of {most}");
    let remembered = stack.remembered(&of_account(&email)).await;
    assert_eq!(remembered["failures"], admitted, "each was counted");
}

#[tokio::test]
async fn a_victim_gets_in_where_they_did_before_while_an_attacker_is_locked_out() {
    let stack = Stack::connect().await;
    let (address, network) = (new_address(), new_network());
    let homes = [
        (address.clone(), address),
        (host(network, 1), host(network, u64::MAX)),
    ];
    for (before, now) in homes {
        let (email, elsewhere) = (registered(&stack).await, new_address());
        get_in(&stack, &before, &email).await;

        lock(&stack, &of_account(&email), &elsewhere, &email).await;

        let third_place = stack.log_in_from(&new_address(), &email, PASSWORD).await;
        told_to_wait(&third_place);
        get_in(&stack, &now, &email).await;
        told_to_wait(&stack.log_in_from(&elsewhere, &email, PASSWORD).await);
    }
}

#[tokio::test]
async fn failures_where_somebody_got_in_before_lock_them_out_there_as_well() {
    let stack = Stack::connect().await;
    let (email, home) = (registered(&stack).await, new_address());
    get_in(&stack, &home, &email).await;

    for _ in 0..5 {
        fail(&stack, &home, &email).await;
    }

    told_to_wait(&stack.log_in_from(&home, &email, PASSWORD).await);
}

#[tokio::test]
async fn no_answer_to_a_wrong_password_tells_from_where_somebody_gets_in() {
    let stack = Stack::connect().await;
    let (email, home, elsewhere) = (registered(&stack).await, new_address(), new_address());
    get_in(&stack, &home, &email).await;

    // Counted at home as well as with the account: elsewhere it is locked by now.
    for _ in 0..5 {
        fail(&stack, &home, &email).await;
    }
    told_to_wait(&stack.log_in_from(&elsewhere, &email, WRONG_PASSWORD).await);

    let other = registered(&stack).await;
    get_in(&stack, &home, &other).await;
    lock(&stack, &of_account(&other), &elsewhere, &other).await;
    // Here the right password would do, but a wrong one isn't told so.
    told_to_wait(&stack.log_in_from(&home, &other, WRONG_PASSWORD).await);
    get_in(&stack, &home, &other).await;
}

#[tokio::test]
async fn a_known_place_is_its_users_and_not_the_next_ones_with_the_address() {
    let stack = Stack::connect().await;
    let (former, home) = (stack.new_account().await, new_address());
    get_in(&stack, &home, &former.email).await;
    stack.erase_user(&former.person).await.expect(204);
    let mut user = new_user();
    user["email"] = json!(former.email);
    stack.register(&user).await;

    lock(
        &stack,
        &of_account(&former.email),
        &new_address(),
        &former.email,
    )
    .await;

    told_to_wait(&stack.log_in_from(&home, &former.email, PASSWORD).await);
}

#[tokio::test]
async fn a_new_address_does_not_start_a_new_count() {
    let stack = Stack::connect().await;
    let account = stack.new_account().await;
    let (moved, elsewhere) = (new_email(), new_address());
    stack
        .remember_failures(&of_account(&account.email), MANY)
        .await;

    let changes = json!({"email": moved});
    stack
        .update_user(&account.person, &changes)
        .await
        .expect(200);

    fail(&stack, &elsewhere, &moved).await;
    told_to_wait(&stack.log_in_from(&elsewhere, &moved, PASSWORD).await);
}

#[tokio::test]
async fn a_place_is_not_known_for_ever() {
    let stack = Stack::connect().await;
    let (email, home) = (registered(&stack).await, new_address());
    get_in(&stack, &home, &email).await;
    let place = of_place(&email, &home);
    lock(&stack, &of_account(&email), &new_address(), &email).await;
    get_in(&stack, &home, &email).await;

    stack.let_pass(&place, "known_until").await;

    told_to_wait(&stack.log_in_from(&home, &email, PASSWORD).await);
}

#[tokio::test]
async fn who_has_waited_may_try_again() {
    let stack = Stack::connect().await;
    let (email, source) = (registered(&stack).await, new_address());
    let key = of_account(&email);
    lock(&stack, &key, &source, &email).await;

    stack.let_pass(&key, "locked_until").await;

    get_in(&stack, &source, &email).await;
}

#[tokio::test]
async fn a_success_clears_the_count() {
    let stack = Stack::connect().await;
    let (email, home, away) = (registered(&stack).await, new_address(), new_address());

    for source in [&home, &away, &home, &home] {
        for _ in 0..4 {
            fail(&stack, source, &email).await;
        }
        get_in(&stack, source, &email).await;
    }
}

#[tokio::test]
async fn failures_are_forgotten_when_their_time_is_over() {
    let stack = Stack::connect().await;
    let (email, source) = (registered(&stack).await, new_address());
    let key = of_account(&email);
    stack.remember_failures(&key, MANY).await;
    stack.let_pass(&key, "expires_at").await;

    fail(&stack, &source, &email).await;

    assert_eq!(stack.remembered(&key).await["failures"], 1);
    get_in(&stack, &source, &email).await;
}

#[tokio::test]
async fn a_source_that_fails_too_often_is_refused_whatever_the_account_but_to_who_got_in_there() {
    let stack = Stack::connect().await;
    let (email, source) = (registered(&stack).await, new_address());
    let regular = registered(&stack).await;
    get_in(&stack, &source, &regular).await;
    let but_one = stack.failures_per_source() - 1;
    stack.remember_failures(&of_source(&source), but_one).await;

    fail(&stack, &source, &new_email()).await;

    let seconds = told_to_wait(&stack.log_in_from(&source, &email, PASSWORD).await);
    assert!(seconds <= 10, "{seconds}");
    get_in(&stack, &new_address(), &email).await;
    get_in(&stack, &source, &regular).await;
}

#[tokio::test]
async fn neighbours_in_an_ipv6_network_are_one_source() {
    let stack = Stack::connect().await;
    let (email, network) = (registered(&stack).await, new_network());
    let but_one = stack.failures_per_source() - 1;
    let key = of_source(&format!("{network}/64"));
    stack.remember_failures(&key, but_one).await;

    fail(&stack, &host(network, 1), &new_email()).await;

    let neighbour = host(network, u64::MAX);
    told_to_wait(&stack.log_in_from(&neighbour, &email, PASSWORD).await);
    get_in(&stack, &host(new_network(), 1), &email).await;
}

#[tokio::test]
async fn a_success_does_not_clear_what_its_source_has_failed_with_other_accounts() {
    let stack = Stack::connect().await;
    let (email, source) = (registered(&stack).await, new_address());
    for _ in 0..3 {
        fail(&stack, &source, &new_email()).await;
    }

    get_in(&stack, &source, &email).await;

    let key = of_source(&source);
    assert_eq!(stack.remembered(&key).await["failures"], 3);
}

/// The whole seconds that a refused attempt is told to wait.
pub(crate) fn told_to_wait(answer: &Answer) -> i64 {
    answer.problem(429, "too-many-attempts");
    let header = answer.header("Retry-After").expect("a time to wait");
    let seconds: i64 = header.parse().expect("whole seconds");
    assert!((1..=900).contains(&seconds), "{seconds}");
    seconds
}

/// The address of a user who hasn't logged in from anywhere.
async fn registered(stack: &Stack) -> String {
    let user = stack.register(&new_user()).await;
    user["email"].as_str().unwrap().to_owned()
}

async fn fail(stack: &Stack, source: &str, email: &str) {
    let answer = stack.log_in_from(source, email, WRONG_PASSWORD).await;
    answer.problem(401, "invalid-credentials");
}

async fn get_in(stack: &Stack, source: &str, email: &str) {
    let answer = stack.log_in_from(source, email, PASSWORD).await;
    answer.expect(200);
}

/// Adds the last of many failures to those under the key, so that even the right password is refused.
async fn lock(stack: &Stack, key: &str, source: &str, email: &str) {
    stack.remember_failures(key, MANY).await;
    fail(stack, source, email).await;
    told_to_wait(&stack.log_in_from(source, email, PASSWORD).await);
}

/// The address of a host in an IPv6 network of 64 bits.
fn host(network: Ipv6Addr, number: u64) -> String {
    Ipv6Addr::from_bits(network.to_bits() | u128::from(number)).to_string()
}

/// What could tell two refusals apart: the names of the headers, and the body but for its trace and for how
/// long to wait.
fn shape_of(answer: &Answer) -> (Vec<String>, String) {
    let mut names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
    names.sort();
    let mut body = answer.json();
    body["trace_id"] = json!(null);
    let body = body.to_string();
    (
        names,
        body.chars()
            .filter(|letter| !letter.is_ascii_digit())
            .collect(),
    )
}
