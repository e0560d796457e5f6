//! The one place that asks what time it is. Rules take the time as an argument.

use oxcart_domain::Timestamp;
use time::OffsetDateTime;

/// Now, in whole milliseconds.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub fn now() -> Timestamp {
    Timestamp::new(OffsetDateTime::now_utc())
}
