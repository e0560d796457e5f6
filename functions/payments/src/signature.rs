//! [Stripe's webhook signatures](https://docs.stripe.com/webhooks#verify-manually): an HMAC of the time
//! and the body, under a secret that the gateway and we share.

use hmac::{Hmac, KeyInit as _, Mac as _};
use oxcart_domain::Timestamp;
use sha2::Sha256;

/// How old a signature may be, in seconds, and how far ahead the gateway's clock.
pub const TOLERANCE: i64 = 300;

/// A `Stripe-Signature` header: when the body was signed, and with which results. There is more than one
/// while a secret is being replaced.
#[derive(Debug, PartialEq, Eq)]
pub struct Signature {
    at: i64,
    macs: Vec<Vec<u8>>,
}

impl Signature {
    /// Reads a header. None if it is none, or has no signature of the scheme `v1`.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let (mut at, mut macs) = (None, Vec::new());
        for part in header.split(',') {
            match part.trim().split_once('=')? {
                ("t", seconds) => at = Some(seconds.parse().ok()?),
                ("v1", mac) => macs.push(hex::decode(mac).ok()?),
                // Schemes of other days.
                _ => {}
            }
        }
        let at = at?;
        (!macs.is_empty()).then_some(Self { at, macs })
    }

    /// Whether `body` was signed with `secret`, not long before `now`. Takes the same time for every
    /// signature that doesn't fit.
    #[must_use]
    pub fn fits(&self, body: &[u8], secret: &str, now: Timestamp) -> bool {
        let age = now.unix_seconds().saturating_sub(self.at);
        if age.saturating_abs() > TOLERANCE {
            return false;
        }
        self.macs.iter().any(|given| {
            // HMAC takes keys of any length.
            let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
                return false;
            };
            mac.update(format!("{}.", self.at).as_bytes());
            mac.update(body);
            mac.verify_slice(given).is_ok()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"id":"evt_1"}"#;
    const AT: i64 = 1_772_357_400;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::try_from("2026-03-01T09:30:00.000Z".to_owned())
            .unwrap()
            .plus_seconds(seconds)
    }

    fn mac(body: &[u8], secret: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{AT}.").as_bytes());
        mac.update(body);
        hex::encode(mac.finalize().into_bytes())
    }

    fn fits(header: &str, body: &[u8], now: i64) -> bool {
        Signature::parse(header).is_some_and(|signature| signature.fits(body, "whsec", at(now)))
    }

    #[test]
    fn what_the_gateway_signed_fits_for_five_minutes() {
        let header = format!("t={AT},v1={}", mac(BODY, "whsec"));
        assert_eq!(at(0).unix_seconds(), AT);
        for (now, fit) in [
            (0, true),
            (300, true),
            (301, false),
            (-300, true),
            (-301, false),
        ] {
            assert_eq!(fits(&header, BODY, now), fit, "{now}");
        }
    }

    #[test]
    fn another_body_secret_or_time_does_not_fit() {
        let good = mac(BODY, "whsec");
        assert!(!fits(&format!("t={AT},v1={good}"), b"{}", 0));
        assert!(!fits(&format!("t={AT},v1={}", mac(BODY, "other")), BODY, 0));
        assert!(!fits(&format!("t={},v1={good}", AT + 1), BODY, 1));
        assert!(!fits(&format!("t={AT},v1={}", &good[..62]), BODY, 0));
    }

    #[test]
    fn one_of_several_signatures_is_enough_and_other_schemes_are_passed_over() {
        let (good, old) = (mac(BODY, "whsec"), mac(BODY, "old"));
        assert!(fits(
            &format!("t={AT},v1={old},v1={good},v0={old}"),
            BODY,
            0
        ));
        assert!(!fits(&format!("t={AT},v0={good}"), BODY, 0));
    }

    #[test]
    fn what_is_no_signature_is_none() {
        for bad in [
            "",
            "t=",
            "v1=00",
            "t=1",
            "t=x,v1=00",
            "t=1,v1=xx",
            "garbage",
        ] {
            assert_eq!(Signature::parse(bad), None, "{bad:?}");
        }
    }
}
