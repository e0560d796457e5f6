//! What was read a short while ago, kept in the execution environment so that it needn't be read again.

use std::{
    hash::Hash,
    time::{Duration, Instant},
};

use oxcart_domain::Timestamp;
use oxcart_lambda::clock;
use quick_cache::sync::Cache;

/// Values by the key that they were read by, each for the same short time.
#[derive(Debug)]
pub struct Recent<K, V> {
    kept: Cache<K, (V, Moment)>,
    time_to_live: Duration,
}

/// A value and how long it may still be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fresh<V> {
    /// The value.
    pub value: V,
    /// For how many whole seconds anybody may keep it.
    pub max_age: u32,
}

/// A point in time on two clocks. The monotonic one may stand still while the environment is frozen, the
/// other one may be set back: what either of them calls old is old.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    monotonic: Instant,
    wall: Timestamp,
}

impl Moment {
    /// Now.
    #[must_use]
    pub fn now() -> Self {
        Self {
            monotonic: Instant::now(),
            wall: clock::now(),
        }
    }

    /// How long ago it was, by the clock on which that is longer; none if one of them was set back.
    fn age(self, now: Self) -> Option<Duration> {
        let monotonic = now.monotonic.saturating_duration_since(self.monotonic);
        Some(monotonic.max(self.wall.duration_until(now.wall)?))
    }
}

impl<K: Eq + Hash, V: Clone> Recent<K, V> {
    /// Keeps about `capacity` values for `time_to_live` each; for no time at all, none.
    #[must_use]
    pub fn new(capacity: usize, time_to_live: Duration) -> Self {
        Self {
            kept: Cache::new(capacity),
            time_to_live,
        }
    }

    /// The value under `key` if it was read recently enough.
    pub fn get(&self, key: &K, now: Moment) -> Option<Fresh<V>> {
        let (value, read) = self.kept.get(key)?;
        let left = self.left(read, now)?;
        Some(Fresh {
            value,
            max_age: whole_seconds(left),
        })
    }

    /// Keeps a value that was read by a call begun at `read`: whatever changed since may not be in it.
    pub fn keep(&self, key: K, value: V, read: Moment) -> Fresh<V> {
        let left = self.left(read, Moment::now()).unwrap_or_default();
        if !left.is_zero() {
            self.kept.insert(key, (value.clone(), read));
        }
        Fresh {
            value,
            max_age: whole_seconds(left),
        }
    }

    fn left(&self, read: Moment, now: Moment) -> Option<Duration> {
        let left = self.time_to_live.checked_sub(read.age(now)?)?;
        (!left.is_zero()).then_some(left)
    }
}

fn whole_seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME_TO_LIVE: Duration = Duration::from_secs(5);

    fn later(moment: Moment, monotonic: u64, wall: i64) -> Moment {
        Moment {
            monotonic: moment.monotonic + Duration::from_millis(monotonic),
            wall: moment.wall.plus_seconds(wall),
        }
    }

    fn keeping() -> (Recent<&'static str, u32>, Moment) {
        let recent = Recent::new(10, TIME_TO_LIVE);
        let read = Moment::now();
        recent.keep("tea", 450, read);
        (recent, read)
    }

    #[test]
    fn what_was_read_is_shown_for_its_time_and_no_longer() {
        let (recent, read) = keeping();
        for (after, max_age) in [(0, 5), (1, 4), (1000, 4), (1001, 3), (4999, 0)] {
            let shown = recent.get(&"tea", later(read, after, 0));
            let value = 450;
            assert_eq!(shown, Some(Fresh { value, max_age }), "after {after} ms");
        }
        assert_eq!(recent.get(&"tea", later(read, 5000, 0)), None);
    }

    #[test]
    fn time_passes_while_the_environment_is_frozen() {
        let (recent, read) = keeping();
        assert_eq!(recent.get(&"tea", later(read, 1, 5)), None);
    }

    #[test]
    fn a_clock_that_is_set_back_makes_nothing_young_again() {
        let (recent, read) = keeping();
        assert_eq!(recent.get(&"tea", later(read, 1, -1)), None);
    }

    #[test]
    fn a_read_that_took_its_time_is_as_old_as_its_beginning() {
        let recent = Recent::new(10, TIME_TO_LIVE);
        let begun = later(Moment::now(), 0, -4);
        assert!(recent.keep("tea", 450, begun).max_age <= 1);
        let begun = later(Moment::now(), 0, -6);
        assert_eq!(recent.keep("tea", 450, begun).max_age, 0);
    }

    #[test]
    fn without_a_time_nothing_is_kept() {
        let recent = Recent::new(10, Duration::ZERO);
        let read = Moment::now();
        assert_eq!(recent.keep("tea", 450, read).max_age, 0);
        assert_eq!(recent.get(&"tea", read), None);
    }
}
