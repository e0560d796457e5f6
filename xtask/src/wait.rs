//! Waits: for something to become true, with a deadline, or for another thread. The only place that sleeps.

use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use crate::failure::{Failure, Outcome};

/// Asks again and again until there is an answer, or until `deadline` has passed.
pub(crate) fn until<T>(
    deadline: Duration,
    pause: Duration,
    mut ask: impl FnMut() -> Option<T>,
) -> Option<T> {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if started.elapsed() >= deadline {
            return None;
        }
        thread::sleep(pause);
    }
}

/// Waits for another thread's result.
pub(crate) fn joined<T>(thread: ScopedJoinHandle<'_, Outcome<T>>) -> Outcome<T> {
    let panicked = |_| {
        Err(Failure::new(
            "A thread of this program panicked; its words are above.",
        ))
    };
    thread.join().unwrap_or_else(panicked)
}
