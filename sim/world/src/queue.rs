//! The queue of deadlines.
//!
//! Order is (instant, key), and a key is built from what an entry *is*: its class, its entity, and
//! that entity's own ordinal. Never from a global sequence: that would let one removed fault
//! renumber every later entry, and with equal instants reorder the run before the fault.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use tumbler_types::Instant;

/// Class of an entry; ties at one instant are settled in this order first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Nemesis = 0,
    Boot = 1,
    Store = 2,
    Wake = 3,
    Link = 4,
    Timer = 5,
    CallTimeout = 6,
}

/// Tie-breaker: class, entity (node or directed link), ordinal of that entity in that class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(u64);

impl Key {
    pub fn new(class: Class, entity: u32, ordinal: u32) -> Self {
        assert!(entity < 1 << 28, "entities fit into their field");
        Key((class as u64) << 60 | u64::from(entity) << 32 | u64::from(ordinal))
    }
}

struct Entry<T> {
    at: Instant,
    key: Key,
    what: T,
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Reversed: `BinaryHeap` gives the greatest first, and we want the earliest.
impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.key).cmp(&(self.at, self.key))
    }
}

/// What is to happen, by deadline.
pub struct Queue<T> {
    heap: BinaryHeap<Entry<T>>,
}

impl<T> Queue<T> {
    pub fn new() -> Self {
        Queue { heap: BinaryHeap::with_capacity(256) }
    }

    pub fn push(&mut self, at: Instant, key: Key, what: T) {
        self.heap.push(Entry { at, key, what });
    }

    pub fn pop(&mut self) -> Option<(Instant, T)> {
        self.heap.pop().map(|entry| (entry.at, entry.what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_are_settled_by_what_an_entry_is_and_not_by_when_it_was_pushed() {
        let keys = [
            Key::new(Class::Timer, 1, 0),
            Key::new(Class::Link, 2, 1),
            Key::new(Class::Link, 2, 0),
            Key::new(Class::Nemesis, 9, 0),
        ];
        let drain = |order: &[usize]| {
            let mut queue = Queue::new();
            for index in order {
                queue.push(Instant(5), keys[*index], *index);
            }
            queue.push(Instant(1), Key::new(Class::Timer, 7, 7), 99);
            std::iter::from_fn(|| queue.pop().map(|(_, what)| what)).collect::<Vec<_>>()
        };
        assert_eq!(drain(&[0, 1, 2, 3]), [99, 3, 2, 1, 0]);
        assert_eq!(drain(&[3, 2, 1, 0]), drain(&[0, 1, 2, 3]));
    }
}
