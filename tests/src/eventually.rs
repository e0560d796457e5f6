//! Waiting for what happens elsewhere: a poll with a deadline, and the last thing seen when it passes.

use std::{future::Future, time::Duration};

use tokio::time::{Instant, sleep};

/// How long an order, an event or a message may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(90);

const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Tries until the attempt succeeds; when `within` has passed, fails with what was seen last.
pub async fn eventually<T, F, A>(what: &str, within: Duration, attempt: F) -> T
where
    F: FnMut() -> A,
    A: Future<Output = Result<T, String>>,
{
    poll(what, within, |_| PAUSE, attempt).await
}

/// As [`eventually`], but the longer it has waited the seldomer it tries: of many who wait for the same thing, none takes
/// the machine from it.
pub async fn eventually_for_many<T, F, A>(what: &str, within: Duration, attempt: F) -> T
where
    F: FnMut() -> A,
    A: Future<Output = Result<T, String>>,
{
    let pause = |waited: Duration| (waited / 5).clamp(PAUSE, LONGEST_PAUSE);
    poll(what, within, pause, attempt).await
}

async fn poll<T, F, A>(
    what: &str,
    within: Duration,
    pause: impl Fn(Duration) -> Duration,
    mut attempt: F,
) -> T
where
    F: FnMut() -> A,
    A: Future<Output = Result<T, String>>,
{
    let began = Instant::now();
    loop {
        match attempt().await {
            Ok(value) => return value,
            Err(seen) if began.elapsed() >= within => {
                panic!(
                    "{what}: not within {} s; last seen: {seen}",
                    within.as_secs()
                )
            }
            Err(_) => sleep(pause(began.elapsed())).await,
        }
    }
}
