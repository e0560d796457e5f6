//! What a random test is told from outside: what its decisions follow from, and how long it goes on.

use std::{env, time::Duration};

/// How long a random test goes on unless it is told otherwise.
const USUAL: u64 = 20;

/// The seed and the length of a random test.
#[derive(Debug, Clone, Copy)]
pub struct Chance {
    /// The same seed makes the same decisions: that of `OXCART_SEED`, or a new one.
    pub seed: u64,
    /// How long it goes on: `OXCART_WALK_SECONDS`, or some seconds.
    pub length: Duration,
}

impl Chance {
    /// As this process was told.
    pub fn told() -> Self {
        Self {
            seed: number("OXCART_SEED").unwrap_or_else(|| fastrand::u64(..)),
            length: Duration::from_secs(number("OXCART_WALK_SECONDS").unwrap_or(USUAL)),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the tests' start-up")]
fn number(name: &str) -> Option<u64> {
    let told = env::var(name).ok().filter(|told| !told.is_empty())?;
    let number = told.parse();
    Some(number.unwrap_or_else(|_| panic!("{name} is no whole number: {told}")))
}
