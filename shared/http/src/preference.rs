//! What a client would rather have: `Prefer: wait` (RFC 7240) and `Cache-Control: no-cache` (RFC 9111).

use std::time::Duration;

use lambda_http::{
    Request,
    http::{HeaderValue, header},
};

use crate::list::items;

/// How long a client prefers to wait for an answer that needn't be asked for again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    seconds: u32,
}

impl Wait {
    /// The `wait` preference of `request`, cut to `longest` seconds. None if there is none that can be read:
    /// preferences are never an error ([RFC 7240, section 2](https://www.rfc-editor.org/rfc/rfc7240#section-2)).
    #[must_use]
    pub fn of(request: &Request, longest: u32) -> Option<Self> {
        // Of several, the first one counts.
        let value = items(request, "prefer")
            .filter_map(|preference| preference.split(';').next()?.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("wait"))?
            .1;
        let seconds = value.trim().trim_matches('"');
        if seconds.is_empty() || !seconds.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        // Whatever doesn't fit is longer than the longest.
        let seconds = seconds.parse().unwrap_or(longest).min(longest);
        Some(Self { seconds })
    }

    /// How long to wait at most.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }

    /// What `Preference-Applied` says of it.
    pub(crate) fn applied(self) -> Option<HeaderValue> {
        HeaderValue::try_from(format!("wait={}", self.seconds)).ok()
    }
}

/// Whether the client wants nothing that was kept (RFC 9111, section 5.2.1.4).
#[must_use]
pub fn wants_fresh(request: &Request) -> bool {
    items(request, header::CACHE_CONTROL)
        .any(|directive| directive.eq_ignore_ascii_case("no-cache"))
}

#[cfg(test)]
mod tests {
    use lambda_http::{Body, http};

    use super::*;

    fn preferring(values: &[&str]) -> Option<u32> {
        let mut request = http::Request::builder();
        for value in values {
            request = request.header("prefer", *value);
        }
        let wait = Wait::of(&request.body(Body::Empty).unwrap(), 20);
        wait.map(|wait| wait.seconds)
    }

    #[test]
    fn the_first_wait_that_is_named_counts() {
        assert_eq!(preferring(&["wait=5"]), Some(5));
        assert_eq!(preferring(&["respond-async, Wait = 7; x=y"]), Some(7));
        assert_eq!(preferring(&["respond-async", "wait=1, wait=2"]), Some(1));
        assert_eq!(preferring(&["wait=0"]), Some(0));
        assert_eq!(preferring(&["wait=\"9\""]), Some(9));
    }

    #[test]
    fn nobody_waits_for_longer_than_they_may() {
        assert_eq!(preferring(&["wait=21"]), Some(20));
        assert_eq!(preferring(&["wait=99999999999999999999"]), Some(20));
    }

    #[test]
    fn what_is_no_wait_is_ignored() {
        for other in [
            "",
            "wait",
            "wait=",
            "wait=-1",
            "wait=1.5",
            "wait=soon",
            "waiting=3",
        ] {
            assert_eq!(preferring(&[other]), None, "{other}");
        }
    }

    #[test]
    fn a_client_may_ask_for_what_nobody_has_kept() {
        for (value, fresh) in [
            ("no-cache", true),
            ("max-age=0, No-Cache", true),
            ("max-age=5", false),
        ] {
            let request = http::Request::builder().header("cache-control", value);
            assert_eq!(
                wants_fresh(&request.body(Body::Empty).unwrap()),
                fresh,
                "{value}"
            );
        }
    }
}
