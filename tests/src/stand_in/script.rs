//! What is to go wrong, and what is to happen in between, in the order in which it was asked for.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use futures::future::BoxFuture;

/// What the gateway can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// `POST /v1/payment_intents`
    Create,
    /// `GET /v1/payment_intents/{id}`
    Read,
    /// `POST /v1/payment_intents/{id}/confirm`
    Confirm,
    /// `POST /v1/payment_intents/{id}/cancel`
    Cancel,
    /// `POST /v1/refunds`
    Refund,
    /// `GET /v1/refunds`
    Refunds,
}

/// What goes wrong with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It takes so long before it does anything.
    Slow(Duration),
    /// It does what it was asked and never answers.
    HangAfterCommit,
    /// It answers 500 and has done nothing.
    ErrorBeforeCommit,
    /// It answers 500 and has done what it was asked.
    ErrorAfterCommit,
    /// It closes the connection without an answer and has done nothing.
    ResetBeforeCommit,
    /// It closes the connection without an answer and has done what it was asked.
    ResetAfterCommit,
    /// It answers 429 and has done nothing.
    Throttled {
        /// How long it asks to be left alone, in whole seconds.
        retry_after: Duration,
    },
    /// The bank says no to a confirmation, with this code, whatever the card.
    Declined(&'static str),
}

/// What happens between the deed and its answer.
pub(super) type Hook = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>;

/// The faults and hooks that are yet to come.
#[derive(Default)]
pub(super) struct Script {
    faults: BTreeMap<Call, VecDeque<Fault>>,
    hooks: BTreeMap<Call, VecDeque<Hook>>,
}

impl Script {
    /// The next call of this kind goes wrong like this.
    pub(super) fn add_fault(&mut self, on: Call, fault: Fault) {
        self.faults.entry(on).or_default().push_back(fault);
    }

    /// This happens before the next call of this kind is answered.
    pub(super) fn add_hook(&mut self, on: Call, hook: Hook) {
        self.hooks.entry(on).or_default().push_back(hook);
    }

    /// What goes wrong with this call.
    pub(super) fn next_fault(&mut self, on: Call) -> Option<Fault> {
        self.faults.get_mut(&on)?.pop_front()
    }

    /// What happens before this call is answered.
    pub(super) fn next_hook(&mut self, on: Call) -> Option<Hook> {
        self.hooks.get_mut(&on)?.pop_front()
    }
}
