//! What is remembered of failed attempts to log in: under which keys, and how to remember otherwise.

use std::net::{Ipv4Addr, Ipv6Addr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::stack::Stack;

/// A time that is over.
const PAST: &str = "2020-01-01T00:00:00.000Z";
/// A time that no test sees.
const FUTURE: &str = "2126-01-01T00:00:00.000Z";
/// The same in seconds.
const FUTURE_SECONDS: i64 = 4_922_899_200;

/// The key of the failures with an account, from wherever it isn't known.
pub fn of_account(email: &str) -> String {
    format!("ATTEMPTS#ACCOUNT#{}", digest(email))
}

/// The key of what is known of an account at an address from which it was signed in to.
pub fn of_place(email: &str, source: &str) -> String {
    format!("ATTEMPTS#PLACE#{}", digest(&format!("{email} {source}")))
}

/// The key of the failures of an IPv4 address, or of an IPv6 network, with whatever account.
pub fn of_source(source: &str) -> String {
    format!("ATTEMPTS#SOURCE#{source}")
}

/// An IPv4 address from which nobody has called before.
pub fn new_address() -> String {
    let [one, two, three, ..] = *Uuid::new_v4().as_bytes();
    Ipv4Addr::new(10, one, two, three).to_string()
}

/// An IPv6 network of 64 bits from which nobody has called before.
pub fn new_network() -> Ipv6Addr {
    let [one, two, three, four, ..] = *Uuid::new_v4().as_bytes();
    let [upper, lower] = [[one, two], [three, four]].map(u16::from_be_bytes);
    Ipv6Addr::new(0x2001, 0xdb8, upper, lower, 0, 0, 0, 0)
}

impl Stack {
    /// How many failures a source has free.
    pub fn failures_per_source(&self) -> u32 {
        let free = self.setting("FAILURES_PER_SOURCE");
        free.parse().expect("a whole number")
    }

    /// Makes it so that there were so many failures, and that nobody has to wait for them any more.
    pub async fn remember_failures(&self, key: &str, failures: u32) {
        let remembered = self.item("IDENTITY_TABLE", key).await;
        let mut item = remembered.unwrap_or_else(|| json!({"pk": key}));
        item["failures"] = json!(failures);
        item["locked_until"] = json!(PAST);
        item["expires_at"] = json!(FUTURE);
        item["ttl"] = json!(FUTURE_SECONDS);
        self.write_item("IDENTITY_TABLE", &item).await;
    }

    /// What is remembered under a key.
    pub async fn remembered(&self, key: &str) -> Value {
        let item = self.item("IDENTITY_TABLE", key).await;
        item.unwrap_or_else(|| panic!("nothing is remembered under {key}"))
    }

    /// Moves a time that is remembered under a key into the past.
    pub async fn let_pass(&self, key: &str, time: &str) {
        let mut item = self.remembered(key).await;
        assert!(item[time].is_string(), "no {time} in {item}");
        item[time] = json!(PAST);
        self.write_item("IDENTITY_TABLE", &item).await;
    }
}

/// SHA-256, so that the table doesn't say whose addresses are guessed at.
fn digest(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text.to_ascii_lowercase()))
}
