//! Measures what a refused login costs: for an address that nobody has, for a wrong password, and for an
//! account that is locked. The three should be one distribution; there is nothing to pass or fail.
//!
//! Run it against a stack that does nothing else: `cargo run -p oxcart-tests --profile local --example login_cost`.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a measurement that fails has nothing to clean up"
)]

use std::time::{Duration, Instant};

use oxcart_tests::{shop::new_user, stack::Stack};
use serde_json::Value;

/// How many accounts of each kind are tried, and how often each: less than what locks it.
const ACCOUNTS: usize = 60;
const TRIES: usize = 4;
/// Attempts that lock an account.
const LOCKING: usize = 5;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let stack = Stack::connect().await;
    let mut kinds =
        [("unknown", 401), ("wrong password", 401), ("locked", 429)].map(|(name, status)| Kind {
            name,
            status,
            emails: Vec::new(),
            took: Vec::new(),
        });
    for _ in 0..ACCOUNTS {
        kinds[0].emails.push(new_user()["email"].clone());
        kinds[1].emails.push(registered(&stack).await);
        let locked = registered(&stack).await;
        for _ in 0..LOCKING {
            attempt(&stack, &locked).await;
        }
        kinds[2].emails.push(locked);
        // Interleaved, so that whatever else the machine does befalls all three alike.
        for _ in 0..TRIES {
            for kind in &mut kinds {
                let email = kind.emails.last().expect("one was added above");
                let (status, took) = attempt(&stack, email).await;
                assert_eq!(status, kind.status, "{}", kind.name);
                kind.took.push(took);
            }
        }
    }

    println!("| refused login | p5 | p50 | p95 | slower than a wrong password |");
    println!("|---|---|---|---|---|");
    let [.., wrong, _] = &kinds;
    for kind in &kinds {
        let [low, middle, high] = [5, 50, 95].map(|percent| quantile(&kind.took, percent));
        let slower = 100.0 * share_slower(&kind.took, &wrong.took);
        println!(
            "| {} | {low:.1} ms | {middle:.1} ms | {high:.1} ms | {slower:.0} % |",
            kind.name
        );
    }
}

struct Kind {
    name: &'static str,
    status: u16,
    emails: Vec<Value>,
    took: Vec<Duration>,
}

async fn registered(stack: &Stack) -> Value {
    let user = new_user();
    stack.register(&user).await;
    user["email"].clone()
}

async fn attempt(stack: &Stack, email: &Value) -> (u16, Duration) {
    let email = email.as_str().expect("an address");
    let started = Instant::now();
    let answer = stack.log_in(email, "certainly not the password").await;
    (answer.status, started.elapsed())
}

fn quantile(took: &[Duration], percent: usize) -> f64 {
    let mut sorted = took.to_vec();
    sorted.sort_unstable();
    sorted[(sorted.len() - 1) * percent / 100].as_secs_f64() * 1000.0
}

/// How likely one of `some` is slower than one of `others`: 50 % where nothing tells them apart.
fn share_slower(some: &[Duration], others: &[Duration]) -> f64 {
    let slower: f64 = some
        .iter()
        .flat_map(|one| others.iter().map(move |other| one.cmp(other)))
        .map(|order| match order {
            std::cmp::Ordering::Less => 0.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Greater => 1.0,
        })
        .sum();
    #[expect(clippy::cast_precision_loss, reason = "some ten thousand pairs")]
    let pairs = (some.len() * others.len()) as f64;
    slower / pairs
}
