//! How a state machine tries a step again: the `Retry` of one of its states.

use std::{fs, path::Path, time::Duration};

use serde::Deserialize;
use serde_json::Value;

use crate::failure::Failure;

/// The retriers of a state, in order: of those that an error concerns the first one decides.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(crate) struct Retries(Vec<Retrier>);

/// What is not said is as the Amazon States Language has it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Retrier {
    error_equals: Vec<String>,
    #[serde(default = "one_second")]
    interval_seconds: f64,
    #[serde(default = "twice")]
    backoff_rate: f64,
    #[serde(default = "three_times")]
    max_attempts: i32,
    #[serde(default = "without_end")]
    max_delay_seconds: f64,
    #[serde(default)]
    jitter_strategy: Jitter,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Jitter {
    #[default]
    None,
    /// Any time up to the delay.
    Full,
}

/// How often each retrier was used for one step.
#[derive(Debug)]
pub(crate) struct Attempts<'a> {
    retries: &'a Retries,
    used: Vec<i32>,
}

impl Retries {
    /// Those of `state` in the state machine of `file`.
    pub(crate) fn read(file: &Path, state: &str) -> Result<Self, Failure> {
        let what = Failure::machine(format!("read {}", file.display()));
        let text = fs::read(file).map_err(what)?;
        let machine: Value = serde_json::from_slice(&text).map_err(Failure::file(file))?;
        let retry = machine.pointer(&format!("/States/{state}/Retry"));
        Self::deserialize(retry.unwrap_or(&Value::Null)).map_err(Failure::file(file))
    }

    /// For a step that begins.
    pub(crate) fn begin(&self) -> Attempts<'_> {
        Attempts {
            retries: self,
            used: vec![0; self.0.len()],
        }
    }
}

impl Attempts<'_> {
    /// How long to wait before a step that failed with `error` is tried again. None if it is not.
    pub(crate) fn pause_after(&mut self, error: &str) -> Option<Duration> {
        let concerned = |retrier: &Retrier| {
            let mut errors = retrier.error_equals.iter();
            errors.any(|equals| equals == error || equals == "States.ALL")
        };
        let place = self.retries.0.iter().position(concerned)?;
        let (retrier, used) = (self.retries.0.get(place)?, self.used.get_mut(place)?);
        if *used >= retrier.max_attempts {
            return None;
        }
        let delay = retrier.interval_seconds * retrier.backoff_rate.powi(*used);
        let delay = delay.min(retrier.max_delay_seconds);
        *used += 1;
        let delay = match retrier.jitter_strategy {
            Jitter::None => delay,
            Jitter::Full => delay * fastrand::f64(),
        };
        Some(Duration::from_secs_f64(delay))
    }
}

const fn one_second() -> f64 {
    1.0
}

const fn twice() -> f64 {
    2.0
}

const fn three_times() -> i32 {
    3
}

/// Longer than any delay that a state machine may have.
const fn without_end() -> f64 {
    31_622_400.0
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn retries(json: Value) -> Retries {
        serde_json::from_value(json).unwrap()
    }

    fn pauses(retries: &Retries, errors: &[&str]) -> Vec<Option<u64>> {
        let mut attempts = retries.begin();
        let mut pause = |error: &&str| attempts.pause_after(error);
        let pauses = errors.iter().map(&mut pause);
        pauses
            .map(|pause| pause.map(|pause| pause.as_secs()))
            .collect()
    }

    #[test]
    fn each_retrier_counts_for_itself_and_waits_ever_longer_up_to_its_bound() {
        let retries = retries(json!([
            {"ErrorEquals": ["Final"], "MaxAttempts": 0},
            {"ErrorEquals": ["Busy"], "IntervalSeconds": 4, "MaxAttempts": 3, "MaxDelaySeconds": 10},
            {"ErrorEquals": ["States.ALL"], "BackoffRate": 3, "MaxAttempts": 2},
        ]));
        let errors = ["Busy", "Other", "Busy", "Busy", "Other", "Busy", "Another"];
        let expected = [Some(4), Some(1), Some(8), Some(10), Some(3), None, None];
        assert_eq!(pauses(&retries, &errors), expected);
        assert_eq!(pauses(&retries, &["Final"]), [None]);
    }

    #[test]
    fn with_jitter_any_pause_up_to_the_delay_may_come() {
        let retries = retries(json!([
            {"ErrorEquals": ["Busy"], "IntervalSeconds": 5, "MaxAttempts": 1, "JitterStrategy": "FULL"},
        ]));
        let pauses: Vec<_> = (0..100)
            .filter_map(|_| retries.begin().pause_after("Busy"))
            .collect();
        assert!(pauses.iter().all(|pause| *pause < Duration::from_secs(5)));
        assert!(
            pauses
                .iter()
                .any(|pause| *pause < Duration::from_millis(2500))
        );
        assert!(
            pauses
                .iter()
                .any(|pause| *pause > Duration::from_millis(2500))
        );
    }

    #[test]
    fn those_of_the_step_that_reserves_are_understood() {
        let file =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../statemachines/order-saga.asl.json");
        let retries = Retries::read(&file, "ReserveStock").unwrap();
        assert!(retries.begin().pause_after("StockContention").is_some());
        assert!(retries.begin().pause_after("OutOfStock").is_none());
    }
}
