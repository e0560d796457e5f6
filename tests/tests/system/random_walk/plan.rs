//! The decisions about one order, all of them, before anything is done.

use std::time::Duration;

use fastrand::Rng;
use oxcart_tests::faults::Action;

/// The products: currency, price and stock. Some are scarce, and one can't be paid together with the others.
pub(super) const PRODUCTS: [(&str, i64, i64); 6] = [
    ("EUR", 250, 100_000),
    ("EUR", 1290, 100_000),
    ("EUR", 70, 100_000),
    ("EUR", 4900, 200),
    ("EUR", 999, 20),
    ("USD", 1500, 100_000),
];

/// How a customer pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Card {
    Good,
    Bad,
    /// Its bank asks for the customer.
    Asking,
}

/// What goes wrong, and where.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) function: &'static str,
    pub(super) gateway_only: bool,
    pub(super) writes_only: bool,
    pub(super) skip: usize,
    pub(super) times: usize,
    pub(super) action: Action,
}

/// An order, and what happens to it.
#[derive(Debug)]
pub(super) struct Plan {
    /// Which of the products, and how many of each.
    pub(super) lines: Vec<(usize, u32)>,
    pub(super) unknown_product: bool,
    /// Whether the customer expects to pay something else.
    pub(super) wrong_total: bool,
    pub(super) card: Card,
    pub(super) faults: Vec<Fault>,
    /// How often it is placed at once, under one key.
    pub(super) placings: usize,
    /// Which step is run again, if one is: a number that is larger than there are steps; and whether only
    /// after the saga has ended.
    pub(super) again: Option<(usize, bool)>,
    pub(super) cancelled_after: Option<Duration>,
    /// How long a call is held.
    pub(super) held_for: Duration,
}

/// Where things go wrong, what may, and how often in a row.
type Target = (&'static str, &'static [Action], usize);

const HANG: Action = Action::HangAfter(Duration::from_secs(3));

/// Whatever can happen to a call.
const ANYTHING: &[Action] = &[
    Action::Refuse,
    Action::LoseAnswer,
    Action::Reset,
    Action::ResetAfter,
    HANG,
    Action::Kill,
    Action::KillAfter,
    Action::Hold,
    Action::HoldAnswer,
];

/// What leaves the function alive and its batch whole.
const ONE_MESSAGE: &[Action] = &[
    Action::Refuse,
    Action::LoseAnswer,
    Action::Reset,
    Action::ResetAfter,
];

/// What a batch survives that comes again until it is done.
const ONE_BATCH: &[Action] = &[
    Action::Refuse,
    Action::LoseAnswer,
    Action::Reset,
    Action::ResetAfter,
    Action::Kill,
    Action::KillAfter,
];

/// Functions that others' orders go through in the same batches or with the same breaker are struck less:
/// three failures of a batch send all of its messages to the dead-letter queue here, and five of the
/// gateway in a row open the breaker of a function.
const TARGETS: [Target; 15] = [
    ("place-order", ANYTHING, 3),
    ("relay-events", ONE_BATCH, 1),
    ("start-order-saga", ONE_MESSAGE, 1),
    ("reserve-stock", ANYTHING, 3),
    ("charge-payment", ANYTHING, 2),
    // Twice, as for refunds, since most can happen there.
    ("charge-payment", ANYTHING, 2),
    ("request-action", ANYTHING, 3),
    ("await-action", ANYTHING, 2),
    ("confirm-order", ANYTHING, 3),
    ("abandon-order", ANYTHING, 3),
    ("refund-payment", ANYTHING, 2),
    ("refund-payment", ANYTHING, 2),
    ("release-stock", ANYTHING, 3),
    ("reject-order", ANYTHING, 3),
    ("cancel-order", ANYTHING, 2),
];

impl Plan {
    /// Decides about the next order.
    pub(super) fn draw(decisions: &mut Rng) -> Self {
        let wanted = [1, 1, 1, 2, 2, 3][decisions.usize(..6)];
        let mut products = decisions.choose_multiple(0..PRODUCTS.len(), wanted);
        products.sort_unstable();
        let lines = products.into_iter();
        let lines = lines.map(|product| (product, decisions.u32(1..=3)));
        Self {
            lines: lines.collect(),
            unknown_product: one_in(25, decisions),
            wrong_total: one_in(25, decisions),
            card: [Card::Good, Card::Good, Card::Good, Card::Bad, Card::Asking]
                [decisions.usize(..5)],
            faults: (0..decisions.usize(..3))
                .map(|_| Fault::draw(decisions))
                .collect(),
            placings: [1, 1, 1, 2, 4][decisions.usize(..5)],
            again: one_in(2, decisions).then(|| (decisions.usize(..1000), decisions.bool())),
            cancelled_after: one_in(3, decisions)
                .then(|| Duration::from_millis(decisions.u64(..3000))),
            held_for: Duration::from_millis(decisions.u64(..3000)),
        }
    }
}

impl Fault {
    fn draw(decisions: &mut Rng) -> Self {
        let (function, actions, most) = TARGETS[decisions.usize(..TARGETS.len())];
        let pays = ["charge-payment", "refund-payment"].contains(&function);
        let gateway_only = decisions.bool() && pays;
        let action = actions[decisions.usize(..actions.len())];
        let throttled = gateway_only && one_in(6, decisions);
        Self {
            function,
            gateway_only,
            writes_only: decisions.bool(),
            skip: decisions.usize(..4),
            times: decisions.usize(1..=most),
            action: if throttled { Action::Throttle } else { action },
        }
    }
}

fn one_in(count: usize, decisions: &mut Rng) -> bool {
    decisions.usize(..count) == 0
}
