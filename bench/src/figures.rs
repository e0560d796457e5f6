//! From what was seen in several starts to one set of figures, and what they are of another's.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use crate::measure::Run;

/// What is known of a program.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Figures {
    /// Its package as it is uploaded, in MB of a million bytes.
    pub(crate) zip_mb: f64,
    /// From its start until it asked for its first event.
    pub(crate) init_ms: f64,
    /// Its first invocation.
    pub(crate) first_ms: f64,
    /// The same at the share of a CPU that Lambda would give it, where that could be arranged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) throttled_first_ms: Option<f64>,
    /// What half of the later invocations took at most.
    pub(crate) warm_p50_us: f64,
    /// What 99 of 100 of them took at most.
    pub(crate) warm_p99_us: f64,
    /// The CPU time of one of them.
    pub(crate) cpu_us: f64,
    /// The most memory that it had.
    pub(crate) memory_mb: f64,
}

impl Figures {
    /// The figures of a program from its starts, `throttled` ones apart. Of each figure that differs from start to
    /// start it is the median, which one disturbed start doesn't move; of the memory it is the most.
    #[expect(
        clippy::cast_precision_loss,
        reason = "sizes and counts are far below 2^52"
    )]
    pub(crate) fn of(zip_bytes: u64, runs: &[Run], throttled: &[Run]) -> Self {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let over = |figure: &dyn Fn(&Run) -> f64| median(runs.iter().map(figure).collect());
        let warm = |share: f64| over(&|run: &Run| micros(percentile(&run.warm, share)));
        let count: usize = runs.iter().map(|run| run.warm.len()).sum();
        let cpu: Duration = runs.iter().map(|run| run.cpu).sum();
        let kb = runs.iter().map(|run| run.memory_kb).max();
        Self {
            zip_mb: zip_bytes as f64 / 1e6,
            init_ms: over(&|run| ms(run.init)),
            first_ms: over(&|run| ms(run.first)),
            throttled_first_ms: (!throttled.is_empty())
                .then(|| median(throttled.iter().map(|run| ms(run.first)).collect())),
            warm_p50_us: warm(0.5),
            warm_p99_us: warm(0.99),
            cpu_us: micros(cpu) / count.max(1) as f64,
            memory_mb: kb.unwrap_or_default() as f64 * 1024.0 / 1e6,
        }
    }

    /// The figures that there are, by name.
    pub(crate) fn named(&self) -> BTreeMap<&'static str, f64> {
        let mut named = BTreeMap::from([
            ("zip_mb", self.zip_mb),
            ("init_ms", self.init_ms),
            ("first_ms", self.first_ms),
            ("warm_p50_us", self.warm_p50_us),
            ("warm_p99_us", self.warm_p99_us),
            ("cpu_us", self.cpu_us),
            ("memory_mb", self.memory_mb),
        ]);
        named.extend(
            self.throttled_first_ms
                .map(|figure| ("throttled_first_ms", figure)),
        );
        named
    }

    /// How many times each figure of `other` these are, by name.
    pub(crate) fn ratios(&self, other: &Self) -> Ratios {
        let others = other.named();
        let ratio = |(name, figure): (&'static str, f64)| {
            let other = others.get(name).filter(|other| **other > 0.0)?;
            Some((name.to_owned(), figure / other))
        };
        self.named().into_iter().filter_map(ratio).collect()
    }
}

/// How many times those of another program a program's figures are.
pub(crate) type Ratios = BTreeMap<String, f64>;

/// The value that `share` of `times` are at most (the nearest rank); zero if there are none.
pub(crate) fn percentile(times: &[Duration], share: f64) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let rank = (share * precise(sorted.len())).ceil().max(1.0);
    sorted.get(index(rank)).copied().unwrap_or_default()
}

/// The value in the middle, or the mean of the two that are; zero if there are none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let at = |place: usize| values.get(place).copied().unwrap_or_default();
    if values.len() % 2 == 1 {
        at(middle)
    } else {
        f64::midpoint(at(middle.saturating_sub(1)), at(middle))
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// A count to reckon with.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(crate) fn precise(count: usize) -> f64 {
    count as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rank is a small whole number, 1 or more"
)]
fn index(rank: f64) -> usize {
    rank as usize - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(millis: impl IntoIterator<Item = u64>) -> Vec<Duration> {
        millis.into_iter().map(Duration::from_millis).collect()
    }

    fn run(first: u64, warm: impl IntoIterator<Item = u64>) -> Run {
        Run {
            init: Duration::from_millis(10 * first),
            first: Duration::from_millis(first),
            warm: times(warm),
            calls: Vec::new(),
            cpu: Duration::from_millis(20),
            memory_kb: 1000 * first,
        }
    }

    fn assert_near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
    }

    #[test]
    fn a_percentile_is_one_of_the_values_whatever_their_order() {
        let hundred = times((1..=100).rev());
        assert_eq!(percentile(&hundred, 0.5), Duration::from_millis(50));
        assert_eq!(percentile(&hundred, 0.99), Duration::from_millis(99));
        assert_eq!(percentile(&times([7]), 0.99), Duration::from_millis(7));
        assert_eq!(percentile(&[], 0.5), Duration::ZERO);
    }

    #[test]
    fn a_median_of_an_even_number_lies_between_the_two_in_the_middle() {
        assert_near(median(vec![9.0, 1.0, 5.0]), 5.0);
        assert_near(median(vec![9.0, 1.0, 5.0, 2.0]), 3.5);
        assert_near(median(Vec::new()), 0.0);
    }

    #[test]
    fn one_disturbed_start_moves_no_time_but_the_memory() {
        let runs = [run(2, [1, 1]), run(90, [80, 80]), run(3, [1, 1])];
        let figures = Figures::of(2_500_000, &runs, &[]);
        assert_near(figures.zip_mb, 2.5);
        assert_near(figures.init_ms, 30.0);
        assert_near(figures.first_ms, 3.0);
        assert_near(figures.warm_p50_us, 1000.0);
        assert_near(figures.cpu_us, 10_000.0);
        assert_near(figures.memory_mb, 92.16);
        assert_eq!(figures.throttled_first_ms, None);
    }

    #[test]
    fn ratios_are_those_of_the_figures_that_both_have() {
        let hello = Figures {
            zip_mb: 1.0,
            first_ms: 2.0,
            ..Figures::default()
        };
        let ours = Figures {
            zip_mb: 2.5,
            first_ms: 3.0,
            throttled_first_ms: Some(9.0),
            ..Figures::default()
        };
        let ratios = ours.ratios(&hello);
        assert_eq!(ratios.keys().collect::<Vec<_>>(), ["first_ms", "zip_mb"]);
        assert_near(ratios["zip_mb"], 2.5);
        assert_near(ratios["first_ms"], 1.5);
    }
}
