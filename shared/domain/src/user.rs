//! Users and what they may do.

use serde::{Deserialize, Serialize};

use crate::{CustomerId, DomainEvent, Event, Timestamp, credentials::Email, text::Text};

/// A person's name as they write it.
pub type PersonName = Text<100>;

/// What a user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Buys; sees only their own things.
    Customer,
    /// Answers customers' questions: sees every order and payment and what became of them, and changes nothing but
    /// that it may give part of a payment back.
    Support,
    /// Keeps the catalogue and the stock, and operates the shop: sees what became of every order, and mends it. As a
    /// customer, sees only their own.
    Admin,
}

impl Role {
    /// Whether they may place orders.
    #[must_use]
    pub const fn may_buy(self) -> bool {
        match self {
            Self::Customer | Self::Admin => true,
            Self::Support => false,
        }
    }

    /// Whether they may change products and stock.
    #[must_use]
    pub const fn may_keep_the_catalogue(self) -> bool {
        match self {
            Self::Admin => true,
            Self::Customer | Self::Support => false,
        }
    }

    /// Whether they may give part of anybody's payment back.
    #[must_use]
    pub const fn may_refund(self) -> bool {
        match self {
            Self::Support | Self::Admin => true,
            Self::Customer => false,
        }
    }

    /// Whether they may search the orders of the whole shop, and see what became of one across the services.
    #[must_use]
    pub const fn may_examine_orders(self) -> bool {
        match self {
            Self::Support | Self::Admin => true,
            Self::Customer => false,
        }
    }

    /// Whether they may operate the shop: see what was given up and whether the books agree, and have things tried
    /// again.
    #[must_use]
    pub const fn may_operate(self) -> bool {
        match self {
            Self::Admin => true,
            Self::Customer | Self::Support => false,
        }
    }

    /// Whether they may see the orders and payments of others.
    #[must_use]
    pub const fn may_see_every_order(self) -> bool {
        match self {
            Self::Support => true,
            Self::Customer | Self::Admin => false,
        }
    }
}

/// A registered user, as the API shows one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The user's id, the `sub` of their tokens.
    pub id: CustomerId,
    /// Unique in its lower-case form.
    pub email: Email,
    /// Display name.
    pub name: PersonName,
    /// What they may do, from the next login on.
    pub role: Role,
    /// When they registered.
    pub created_at: Timestamp,
}

/// How often a user was changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(u64);

impl Revision {
    /// The one after the next change.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl User {
    /// A new customer under a fresh `id`, and the event that tells of it.
    #[must_use]
    pub fn register(
        id: CustomerId,
        email: Email,
        name: PersonName,
        now: Timestamp,
    ) -> (Self, Event) {
        let user = Self {
            id,
            email,
            name,
            role: Role::Customer,
            created_at: now,
        };
        let event = DomainEvent::UserRegistered {
            user_id: id,
            email: user.email.clone(),
            name: user.name.clone(),
            role: user.role,
        };
        (user, Event::once(event, now))
    }

    /// The event that tells of the change that made the user this one, in that revision.
    #[must_use]
    pub fn updated(&self, revision: Revision, now: Timestamp) -> Event {
        let event = DomainEvent::UserUpdated {
            user_id: self.id,
            email: self.email.clone(),
            name: self.name.clone(),
            role: self.role,
        };
        Event::repeatable(event, &revision.0.to_string(), now)
    }

    /// The event that tells that all that was known of the person is gone.
    #[must_use]
    pub fn erased(id: CustomerId, now: Timestamp) -> Event {
        Event::once(DomainEvent::UserErased { user_id: id }, now)
    }
}
