//! The books of the whole shop, or of a part of it, as they were read. Plain data.

use std::collections::{BTreeMap, BTreeSet};

use oxcart_domain::{OrderId, Sku};

use crate::{
    gateway::{GivenBack, Intent},
    items::{Adjustment, Order, Payment, Product, Reservation},
};

/// The books.
#[derive(Debug, Clone, Default)]
pub(super) struct Books {
    pub(super) orders: BTreeMap<OrderId, Order>,
    pub(super) reservations: BTreeMap<OrderId, Reservation>,
    pub(super) payments: BTreeMap<OrderId, Payment>,
    /// What was put in and taken out by hand, per sku.
    pub(super) adjusted: BTreeMap<Sku, i64>,
    pub(super) products: BTreeMap<Sku, Product>,
    /// The payment gateway's, unless it was not asked.
    pub(super) gateway: Option<GatewayBooks>,
    /// Items that can't be read, by key, and why.
    pub(super) unreadable: BTreeMap<String, String>,
}

/// The payment gateway's books, as far as they are about orders.
#[derive(Debug, Clone, Default)]
pub(super) struct GatewayBooks {
    /// The intents of each order.
    intents: BTreeMap<OrderId, Vec<Intent>>,
    /// What was given back of each intent.
    refunds: BTreeMap<String, i64>,
}

/// Which part of the books. All of them, if it names nothing.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// These orders, and those for the products.
    pub orders: BTreeSet<OrderId>,
    /// The stock of these products.
    pub skus: BTreeSet<Sku>,
}

impl Scope {
    /// Whether it is the whole.
    pub(super) fn is_all(&self) -> bool {
        self.orders.is_empty() && self.skus.is_empty()
    }

    /// Whether it is some orders alone, which can be read by their keys.
    pub(super) fn is_orders_alone(&self) -> bool {
        self.skus.is_empty() && !self.orders.is_empty()
    }
}

impl GatewayBooks {
    /// The books that hold these.
    pub(super) fn of(intents: Vec<Intent>, refunds: Vec<GivenBack>) -> Self {
        let mut books = Self::default();
        for intent in intents {
            // Somebody else's are none of our business.
            if let Some(order) = intent.order_id() {
                books.intents.entry(order).or_default().push(intent);
            }
        }
        for refund in refunds.into_iter().filter(GivenBack::counts) {
            if let Some(intent) = refund.payment_intent {
                *books.refunds.entry(intent).or_default() += refund.amount;
            }
        }
        books
    }

    /// An order's intents.
    pub(super) fn intents_of(&self, order: OrderId) -> &[Intent] {
        self.intents.get(&order).map_or(&[], Vec::as_slice)
    }

    /// What was given back of an intent.
    pub(super) fn refunded(&self, intent: &Intent) -> i64 {
        self.refunds.get(&intent.id).copied().unwrap_or(0)
    }

    /// What was taken for an order, and what was given back.
    pub(super) fn sums_of(&self, order: OrderId) -> (i64, i64) {
        let intents = self.intents_of(order).iter();
        intents.fold((0, 0), |(charged, refunded), intent| {
            (charged + intent.charged(), refunded + self.refunded(intent))
        })
    }

    /// How many intents and how many refunded ones there are.
    pub(super) fn size(&self) -> (usize, usize) {
        (
            self.intents.values().map(Vec::len).sum(),
            self.refunds.len(),
        )
    }

    fn replace(&mut self, order: OrderId, mut newer: Self) {
        for intent in self.intents.remove(&order).unwrap_or_default() {
            self.refunds.remove(&intent.id);
        }
        self.intents
            .insert(order, newer.intents.remove(&order).unwrap_or_default());
        self.refunds.append(&mut newer.refunds);
    }
}

impl Books {
    /// Every order that any of the books speaks of.
    pub(super) fn order_ids(&self) -> BTreeSet<OrderId> {
        let gateway = self.gateway.iter().flat_map(|books| books.intents.keys());
        let ids = self.orders.keys().chain(self.reservations.keys());
        ids.chain(self.payments.keys())
            .chain(gateway)
            .copied()
            .collect()
    }

    /// Every product that any of the books speaks of.
    pub(super) fn skus(&self) -> BTreeSet<Sku> {
        let held = self
            .reservations
            .values()
            .filter(|reservation| reservation.is_held());
        let held = held.flat_map(|reservation| reservation.lines().iter().map(|line| &line.sku));
        let skus = self.products.keys().chain(self.adjusted.keys()).chain(held);
        skus.cloned().collect()
    }

    /// The units of a product that reservations hold.
    pub(super) fn held(&self, sku: &Sku) -> i64 {
        let held = self
            .reservations
            .values()
            .filter(|reservation| reservation.is_held());
        let lines = held.flat_map(Reservation::lines);
        let lines = lines.filter(|line| line.sku == *sku);
        lines.map(|line| i64::from(line.quantity.get())).sum()
    }

    /// Leaves the part that is asked about: the products and orders that it names, and the orders for those
    /// products.
    pub(super) fn restrict(&mut self, scope: &Scope) {
        if scope.is_all() {
            return;
        }
        let mut orders = scope.orders.clone();
        let wanted = |sku: &Sku| scope.skus.contains(sku);
        let wanting = self.orders.values();
        let wanting = wanting.filter(|order| order.lines.iter().any(|line| wanted(&line.sku)));
        orders.extend(wanting.map(|order| order.id));
        let holding = self.reservations.values();
        let holding = holding.filter(|held| held.lines().iter().any(|line| wanted(&line.sku)));
        orders.extend(holding.map(|reservation| reservation.order_id));

        self.orders.retain(|id, _| orders.contains(id));
        self.reservations.retain(|id, _| orders.contains(id));
        self.payments.retain(|id, _| orders.contains(id));
        self.products.retain(|sku, _| wanted(sku));
        self.adjusted.retain(|sku, _| wanted(sku));
        if let Some(gateway) = &mut self.gateway {
            gateway.intents.retain(|id, _| orders.contains(id));
        }
        let speaks = |key: &str| {
            let (_, id) = key.split_once('#').unwrap_or_default();
            scope.orders.iter().any(|order| order.to_string() == id)
                || scope.skus.iter().any(|sku| sku.as_str() == id)
        };
        self.unreadable.retain(|key, _| speaks(key));
    }

    /// Puts what was read of an order later in the place of what was read before.
    pub(super) fn replace_order(&mut self, id: OrderId, mut newer: Self) {
        let replaced = |found: bool| !found;
        self.unreadable
            .retain(|key, _| replaced(key.ends_with(&id.to_string())));
        self.unreadable.append(&mut newer.unreadable);
        replace(&mut self.orders, id, &mut newer.orders);
        replace(&mut self.reservations, id, &mut newer.reservations);
        replace(&mut self.payments, id, &mut newer.payments);
        if let (Some(gateway), Some(newer)) = (&mut self.gateway, newer.gateway) {
            gateway.replace(id, newer);
        }
    }

    /// Adds an adjustment.
    pub(super) fn adjust(&mut self, adjustment: Adjustment) {
        *self.adjusted.entry(adjustment.sku).or_default() += adjustment.delta;
    }
}

fn replace<T>(books: &mut BTreeMap<OrderId, T>, id: OrderId, newer: &mut BTreeMap<OrderId, T>) {
    books.remove(&id);
    books.extend(newer.remove_entry(&id));
}
