//! Identifiers. Ids of two things are two types, so that they can't be confused.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::idempotency::IdempotencyKey;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID that is known to identify such a thing.
            #[must_use]
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            /// The UUID itself.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

uuid_id! {
    /// A user; in orders and payments, the customer.
    CustomerId
}
uuid_id! {
    /// An order, and with it its reservation, its payment and its saga.
    OrderId
}
uuid_id! {
    /// A domain event. The same transition always has the same id, so a repeat is recognised.
    EventId
}
uuid_id! {
    /// One change of a product's stock by an admin.
    AdjustmentId
}

/// Namespaces of our name-based ids (RFC 9562, section 5.5). Changing one changes every id made in it.
const EVENTS: Uuid = Uuid::from_u128(0x6f1d_5c0e_52a4_4f0b_9c3e_1b60_7f8a_2d11);
const ADJUSTMENTS: Uuid = Uuid::from_u128(0x0b7c_93a2_ee7d_4a7e_8f53_c2a4_55d9_6e02);

impl OrderId {
    /// The id of the order that `customer` places under `key`.
    ///
    /// Being a function of the two, it makes the existence of the order item the idempotency check.
    #[must_use]
    pub fn derive(customer: CustomerId, key: &IdempotencyKey) -> Self {
        Self(Uuid::new_v5(&customer.0, key.as_str().as_bytes()))
    }
}

impl AdjustmentId {
    /// The id of the adjustment of `sku` that an admin makes under `key`.
    #[must_use]
    pub fn derive(sku: &crate::Sku, key: &IdempotencyKey) -> Self {
        Self(Uuid::new_v5(
            &ADJUSTMENTS,
            format!("{sku}\n{}", key.as_str()).as_bytes(),
        ))
    }
}

impl EventId {
    /// The id of the one event of type `kind` about `subject`; `occurrence` tells apart transitions
    /// that can happen more than once (empty where they can't).
    #[must_use]
    pub fn derive(kind: &str, subject: &str, occurrence: &str) -> Self {
        Self(Uuid::new_v5(
            &EVENTS,
            format!("{kind}\n{subject}\n{occurrence}").as_bytes(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> IdempotencyKey {
        IdempotencyKey::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn an_order_id_is_a_function_of_customer_and_key() {
        let (ada, bob) = (
            CustomerId::new(Uuid::from_u128(1)),
            CustomerId::new(Uuid::from_u128(2)),
        );

        assert_eq!(
            OrderId::derive(ada, &key("a")),
            OrderId::derive(ada, &key("a"))
        );
        assert_ne!(
            OrderId::derive(ada, &key("a")),
            OrderId::derive(ada, &key("b"))
        );
        assert_ne!(
            OrderId::derive(ada, &key("a")),
            OrderId::derive(bob, &key("a"))
        );
    }
}
