//! Moments and lengths of time: as AWS tells them, and as a person reads them.

use std::time::{Duration, SystemTime};

use aws_sdk_sqs::primitives::{DateTime, DateTimeFormat};
use oxcart_domain::Timestamp;

use crate::failure::{Failure, Outcome};

/// Now.
///
/// # Errors
/// When this machine's clock shows no time that can be written.
#[expect(
    clippy::disallowed_methods,
    reason = "this is where this program reads the time"
)]
pub fn now() -> Outcome<Timestamp> {
    let now = of(&DateTime::from(SystemTime::now()));
    now.ok_or_else(|| Failure::new("This machine's clock is wrong."))
}

/// A moment as the SDK has it. None if its year can't be written.
#[must_use]
pub fn of(at: &DateTime) -> Option<Timestamp> {
    let text = at.fmt(DateTimeFormat::DateTime).ok()?;
    Timestamp::try_from(text).ok()
}

/// A moment as SQS writes it: in milliseconds since the epoch.
#[must_use]
pub fn of_millis(text: &str) -> Option<Timestamp> {
    of(&DateTime::from_millis(text.parse().ok()?))
}

/// The time of day of a moment, in UTC: `09:30:00.250`. With its date if it is `dated`: `03-01 09:30:00.250`.
#[must_use]
pub fn time_of_day(at: Timestamp, dated: bool) -> String {
    let text = at.to_string();
    let (date, time) = text.split_once('T').unwrap_or((&text, ""));
    let time = time.trim_end_matches('Z');
    match date.split_once('-') {
        Some((_, day)) if dated => format!("{day} {time}"),
        _ => time.to_owned(),
    }
}

/// Whether two moments are of one day, in UTC.
#[must_use]
pub fn is_one_day(one: Timestamp, other: Timestamp) -> bool {
    let day = |at: Timestamp| at.unix_seconds().div_euclid(86400);
    day(one) == day(other)
}

/// How long it is from one moment to a later one; nothing if it is not later.
#[must_use]
pub fn between(earlier: Timestamp, later: Timestamp) -> Duration {
    earlier.duration_until(later).unwrap_or_default()
}

/// A moment seen from another one: `+0.812 s`, `+2 h 05 min`, `-3 s`.
#[must_use]
pub fn since(start: Timestamp, at: Timestamp) -> String {
    match start.duration_until(at) {
        Some(after) => format!("+{}", short(after)),
        None => format!("-{}", short(between(at, start))),
    }
}

/// A length of time: milliseconds where they matter, and never more than two units.
#[must_use]
pub fn short(length: Duration) -> String {
    let seconds = length.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    match seconds {
        0..60 => format!("{seconds}.{:03} s", length.subsec_millis()),
        60..3600 => format!("{minutes} min {:02} s", seconds % 60),
        3600..86400 => format!("{hours} h {:02} min", minutes % 60),
        _ => format!("{days} d {:02} h", hours % 24),
    }
}

/// An age: as [`short`], without milliseconds.
#[must_use]
pub fn age(length: Duration) -> String {
    match length.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        _ => short(length),
    }
}

/// Reads a length of time such as `90s`, `10m`, `2h` or `3d`.
pub fn parse_length(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no length of time such as 90s, 10m, 2h or 3d");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let factor = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86400,
        _ => return Err(wrong()),
    };
    let number = text.strip_suffix(unit).and_then(|text| text.parse().ok());
    let seconds = number.and_then(|number: u64| number.checked_mul(factor));
    seconds.map(Duration::from_secs).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn moments_are_read_as_the_sdk_has_them() {
        let read = of_millis("1772357400250").unwrap();
        assert_eq!(read, at("2026-03-01T09:30:00.250Z"));
        assert_eq!(time_of_day(read, false), "09:30:00.250");
        assert_eq!(time_of_day(read, true), "03-01 09:30:00.250");
        assert!(is_one_day(read, at("2026-03-01T23:59:59.999Z")));
        assert!(!is_one_day(read, at("2026-03-02T00:00:00.000Z")));
        assert_eq!(of_millis("later"), None);
        assert!(now().is_ok());
    }

    #[test]
    fn a_moment_is_told_from_where_the_story_begins() {
        let start = at("2026-03-01T09:30:00.250Z");
        for (then, told) in [
            ("2026-03-01T09:30:00.250Z", "+0.000 s"),
            ("2026-03-01T09:30:01.062Z", "+0.812 s"),
            ("2026-03-01T09:31:05.250Z", "+1 min 05 s"),
            ("2026-03-01T11:35:00.250Z", "+2 h 05 min"),
            ("2026-03-04T10:30:00.250Z", "+3 d 01 h"),
            ("2026-03-01T09:29:57.250Z", "-3.000 s"),
        ] {
            assert_eq!(since(start, at(then)), told);
        }
        assert_eq!(age(Duration::from_millis(4_999)), "4 s");
        assert_eq!(age(Duration::from_mins(10)), "10 min 00 s");
    }

    #[test]
    fn lengths_of_time_have_a_unit() {
        assert_eq!(parse_length("10m"), Ok(Duration::from_mins(10)));
        assert_eq!(parse_length("2h"), Ok(Duration::from_hours(2)));
        for wrong in ["", "m", "10", "-1m", "1.5h", "10é", "99999999999999999999d"] {
            assert!(parse_length(wrong).is_err(), "{wrong}");
        }
    }
}
