//! Waiting for what happens elsewhere: a poll with a deadline, and the last thing seen when it passes.

use std::{future::Future, time::Duration};

use tokio::time::{Instant, sleep};

/// How long an order, an event or a message may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(90);

const INTERVAL: Duration = Duration::from_millis(100);

/// Tries until the attempt succeeds; when `within` has passed, fails with what was seen last.
pub async fn eventually<T, F, A>(what: &str, within: Duration, mut attempt: F) -> T
where
    F: FnMut() -> A,
    A: Future<Output = Result<T, String>>,
{
    let deadline = Instant::now() + within;
    loop {
        match attempt().await {
            Ok(value) => return value,
            Err(seen) if Instant::now() >= deadline => {
                panic!(
                    "{what}: not within {} s; last seen: {seen}",
                    within.as_secs()
                )
            }
            Err(_) => sleep(INTERVAL).await,
        }
    }
}
