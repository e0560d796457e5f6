//! Which items are being written at the moment, and whom that is in the way of. Knows neither requests nor time.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::request::Place;

/// The writes that are going on.
#[derive(Debug, Clone, Default)]
pub(super) struct Ongoing(Arc<Mutex<Writes>>);

#[derive(Debug, Default)]
struct Writes {
    /// The items that a transaction is at.
    transacted: HashSet<Place>,
    /// How many writes of their own others have: these get along with each other.
    single: HashMap<Place, usize>,
}

/// A write that is going on until this is dropped.
#[derive(Debug)]
pub(super) struct Hold {
    ongoing: Ongoing,
    places: Vec<Place>,
    is_transaction: bool,
}

impl Ongoing {
    /// Begins a transaction. Else answers at which of its items another one is.
    pub(super) fn transact(&self, places: &[Place]) -> Result<Hold, Vec<bool>> {
        let mut writes = self.writes();
        let held = |place| writes.transacted.contains(place);
        let held: Vec<bool> = places.iter().map(held).collect();
        if held.contains(&true) {
            return Err(held);
        }
        writes.transacted.extend(places.iter().cloned());
        Ok(self.hold(places, true))
    }

    /// Begins a write, unless a transaction is at its item.
    pub(super) fn write(&self, places: &[Place]) -> Option<Hold> {
        let mut writes = self.writes();
        if places.iter().any(|place| writes.transacted.contains(place)) {
            return None;
        }
        for place in places {
            *writes.single.entry(place.clone()).or_default() += 1;
        }
        Some(self.hold(places, false))
    }

    /// Of each item, whether it is being written, be it by a transaction or by itself.
    pub(super) fn is_written(&self, places: &[Place]) -> Vec<bool> {
        let writes = self.writes();
        let is_written =
            |place| writes.transacted.contains(place) || writes.single.contains_key(place);
        places.iter().map(is_written).collect()
    }

    fn hold(&self, places: &[Place], is_transaction: bool) -> Hold {
        Hold {
            ongoing: self.clone(),
            places: places.to_vec(),
            is_transaction,
        }
    }

    fn writes(&self) -> MutexGuard<'_, Writes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut writes = self.ongoing.writes();
        for place in &self.places {
            if self.is_transaction {
                writes.transacted.remove(place);
            } else if let Some(count) = writes.single.get_mut(place) {
                *count -= 1;
                if *count == 0 {
                    writes.single.remove(place);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(keys: &[&str]) -> Vec<Place> {
        let place = |key: &&str| Place {
            table: "table".to_owned(),
            key: (*key).to_owned(),
        };
        keys.iter().map(place).collect()
    }

    #[test]
    fn a_transaction_holds_its_items_until_it_ends() {
        let ongoing = Ongoing::default();
        let first = ongoing.transact(&places(&["a", "b"])).unwrap();
        let met = ongoing.transact(&places(&["c", "b"])).unwrap_err();
        assert_eq!(met, [false, true]);
        // What was refused holds nothing.
        assert!(ongoing.transact(&places(&["c"])).is_ok());
        drop(first);
        assert!(ongoing.transact(&places(&["c", "b"])).is_ok());
    }

    #[test]
    fn a_write_gives_way_to_a_transaction_and_not_the_reverse() {
        let ongoing = Ongoing::default();
        let write = ongoing.write(&places(&["a"]));
        let transaction = ongoing.transact(&places(&["a"]));
        assert!(write.is_some() && transaction.is_ok());
        assert!(ongoing.write(&places(&["a"])).is_none());
    }

    #[test]
    fn a_transaction_that_reads_gives_way_to_every_write() {
        let ongoing = Ongoing::default();
        let holds = [
            ongoing.write(&places(&["a"])),
            ongoing.write(&places(&["a"])),
            ongoing.transact(&places(&["b"])).ok(),
        ];
        let written = || ongoing.is_written(&places(&["a", "b", "c"]));
        assert_eq!(written(), [true, true, false]);
        let [first, second, third] = holds;
        drop((first, third));
        assert_eq!(written(), [true, false, false]);
        drop(second);
        assert_eq!(written(), [false, false, false]);
    }
}
