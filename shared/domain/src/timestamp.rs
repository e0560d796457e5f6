//! Points in time as the API, the tables and the events write them.

use serde::{Deserialize, Serialize};
use time::{
    OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339, macros::format_description,
};

/// A moment in UTC, written as RFC 3339 with milliseconds: `2026-03-01T09:30:00.250Z`.
///
/// All values have the same width, so their texts sort as the moments do; range keys rely on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(OffsetDateTime);

/// The text is not an RFC 3339 time, or its year is not one of 0 to 9999 in UTC.
#[derive(Debug, thiserror::Error)]
#[error("must be an RFC 3339 time")]
pub struct InvalidTimestamp;

impl Timestamp {
    /// The moment, cut to whole milliseconds.
    #[must_use]
    pub fn new(at: OffsetDateTime) -> Self {
        let at = at.to_offset(UtcOffset::UTC);
        Self(at.replace_millisecond(at.millisecond()).unwrap_or(at))
    }

    /// Seconds since the Unix epoch, as JWT claims and DynamoDB's time to live count them.
    #[must_use]
    pub fn unix_seconds(self) -> i64 {
        self.0.unix_timestamp()
    }

    /// The whole seconds from this moment until `later`, rounded up; none or negative if that has come.
    #[must_use]
    pub fn seconds_until(self, later: Self) -> i64 {
        let left = later.0 - self.0;
        left.whole_seconds() + i64::from(left.subsec_nanoseconds() > 0)
    }

    /// How long it is from this moment until `later`; none if that was before.
    #[must_use]
    pub fn duration_until(self, later: Self) -> Option<std::time::Duration> {
        (later.0 - self.0).try_into().ok()
    }

    /// Its day in UTC: `2026-03-01`.
    #[must_use]
    pub fn day(self) -> String {
        self.to_string().chars().take(10).collect()
    }

    /// When its day began in UTC.
    #[must_use]
    pub fn start_of_day(self) -> Self {
        Self(self.0.replace_time(time::Time::MIDNIGHT))
    }

    /// The moment `seconds` later, or the last one that can be written.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(time::Duration::seconds(seconds)))
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let format = format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"
        );
        f.write_str(&self.0.format(format).map_err(|_| std::fmt::Error)?)
    }
}

impl From<Timestamp> for String {
    fn from(at: Timestamp) -> Self {
        at.to_string()
    }
}

impl TryFrom<String> for Timestamp {
    type Error = InvalidTimestamp;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let at = OffsetDateTime::parse(&text, &Rfc3339).map_err(|_| InvalidTimestamp)?;
        // An offset can lead out of the years that have four digits.
        let at = at
            .checked_to_offset(UtcOffset::UTC)
            .filter(|at| (0..=9999).contains(&at.year()));
        at.map(Self::new).ok_or(InvalidTimestamp)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn texts_sort_as_the_moments_do(a in 0i64..4_000_000_000_000, b in 0i64..4_000_000_000_000) {
            let at = |ms: i64| Timestamp::new(OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).unwrap());
            prop_assert_eq!(a.cmp(&b), at(a).to_string().cmp(&at(b).to_string()));
        }

        #[test]
        fn what_is_written_reads_back(ms in 0i64..4_000_000_000_000) {
            let at = Timestamp::new(OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).unwrap());
            prop_assert_eq!(Timestamp::try_from(at.to_string()).unwrap(), at);
        }
    }

    #[test]
    fn a_day_is_that_of_utc() {
        let late = Timestamp::try_from("2026-03-01T23:59:59.999-01:00".to_owned()).unwrap();
        assert_eq!(late.day(), "2026-03-02");
        assert_eq!(late.start_of_day().to_string(), "2026-03-02T00:00:00.000Z");
    }

    #[test]
    fn a_time_whose_year_in_utc_has_no_four_digits_is_refused() {
        for bad in [
            "9999-12-31T23:59:59-00:01",
            "0000-01-01T00:00:00+00:01",
            "2026-11-22",
            "",
        ] {
            assert!(Timestamp::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
