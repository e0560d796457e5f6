//! Who tries to log in, and under what their failures are counted.

use std::net::IpAddr;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use oxcart_domain::{CustomerId, credentials::Email};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// An attempt to prove who one is, before anything is known of it.
#[derive(Debug)]
pub struct Attempt {
    /// Tells this attempt's own writes from those of others.
    pub id: Uuid,
    /// What names the account: what was given as the e-mail address, in lower case, be it an address or
    /// not; or the user's id.
    account: String,
    email: Option<Email>,
    source: String,
}

/// What failures are counted under, and the key of the item that counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counter {
    /// `ATTEMPTS#ACCOUNT#<digest of the e-mail address>`: an account, be there one or not. A digest,
    /// because what people mistype or guess are other people's addresses.
    Account,
    /// `ATTEMPTS#PLACE#<digest of address and source>`: an account at one source. Where it was signed in
    /// to before, this count decides and not the account's, so nobody elsewhere can lock its user out.
    Place,
    /// `ATTEMPTS#SOURCE#<source>`: where attempts come from, whatever the account.
    Source,
}

impl Attempt {
    /// An attempt with the e-mail address `email`, which may be none, from `source`.
    #[must_use]
    pub fn new(email: &str, source: Option<IpAddr>) -> Self {
        Self {
            id: Uuid::new_v4(),
            account: email.trim().to_ascii_lowercase(),
            email: Email::try_from(email.to_owned()).ok(),
            source: source.map_or_else(|| "unknown".to_owned(), network),
        }
    }

    /// An attempt of a signed-in user, who has the address `email`. It counts under their id: neither
    /// failed logins of others nor a new address make a difference to it.
    #[must_use]
    pub fn of_user(user: CustomerId, email: &Email, source: Option<IpAddr>) -> Self {
        Self {
            account: user.to_string(),
            ..Self::new(email.as_str(), source)
        }
    }

    /// The e-mail address, if it can be one.
    #[must_use]
    pub const fn email(&self) -> Option<&Email> {
        self.email.as_ref()
    }

    /// The key under which `counter` counts the attempt.
    #[must_use]
    pub fn key(&self, counter: Counter) -> String {
        match counter {
            Counter::Account => format!("ATTEMPTS#ACCOUNT#{}", digest(&self.account)),
            Counter::Place => {
                let place = format!("{} {}", self.account, self.source);
                format!("ATTEMPTS#PLACE#{}", digest(&place))
            }
            Counter::Source => format!("ATTEMPTS#SOURCE#{}", self.source),
        }
    }
}

fn digest(text: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(text))
}

/// What one subscriber has of the address space: an IPv4 address, or an IPv6 network of 64 bits.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let network = address.to_bits() & (u128::MAX << 64);
            format!("{}/64", std::net::Ipv6Addr::from_bits(network))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(email: &str, source: &str) -> [String; 3] {
        let attempt = Attempt::new(email, source.parse().ok());
        [Counter::Account, Counter::Place, Counter::Source].map(|counter| attempt.key(counter))
    }

    #[test]
    fn an_address_is_counted_as_one_in_whatever_case() {
        assert_eq!(
            keys("Ada@Example.ORG", "192.0.2.1"),
            keys("ada@example.org", "192.0.2.1")
        );
    }

    #[test]
    fn no_key_tells_an_address() {
        let keys = keys("ada@example.org", "192.0.2.1").concat();
        assert!(!keys.contains("ada") && !keys.contains("example"), "{keys}");
    }

    #[test]
    fn the_account_counts_alike_from_everywhere_and_its_places_apart() {
        let [account, place, source] = keys("ada@example.org", "192.0.2.1");
        let [same, other_place, other_source] = keys("ada@example.org", "192.0.2.2");
        assert_eq!(account, same);
        assert!(place != other_place && source != other_source);
    }

    #[test]
    fn neighbours_in_an_ipv6_network_of_64_bits_are_one_source() {
        let source = |address| keys("ada@example.org", address)[2].clone();
        assert_eq!(source("2001:db8:1:2::3"), source("2001:db8:1:2:ffff::4"));
        assert_ne!(source("2001:db8:1:2::3"), source("2001:db8:1:3::3"));
        assert_eq!(
            source("2001:db8:1:2::3"),
            "ATTEMPTS#SOURCE#2001:db8:1:2::/64"
        );
        assert_eq!(source("::ffff:192.0.2.1"), source("192.0.2.1"));
    }
}
