//! An agenda: what is due when. Entries due at one moment come in the order in which they were made.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use crate::units::Instant;

/// What is due when.
#[derive(Debug)]
pub struct Agenda<T> {
    entries: BinaryHeap<Reverse<Entry<T>>>,
    made: u64,
}

#[derive(Debug)]
struct Entry<T> {
    at: Instant,
    order: u64,
    what: T,
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

impl<T> Default for Agenda<T> {
    fn default() -> Self {
        Self {
            entries: BinaryHeap::new(),
            made: 0,
        }
    }
}

impl<T> Agenda<T> {
    /// Enters something that is due at `at`.
    pub fn enter(&mut self, at: Instant, what: T) {
        let order = self.made;
        self.made += 1;
        self.entries.push(Reverse(Entry { at, order, what }));
    }

    /// When the next entry is due.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        self.entries.peek().map(|Reverse(entry)| entry.at)
    }

    /// Takes the next entry, if it is due by `now`.
    pub fn take_due(&mut self, now: Instant) -> Option<T> {
        if self.next()? > now {
            return None;
        }
        self.entries.pop().map(|Reverse(entry)| entry.what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_due_together_come_in_the_order_they_were_made() {
        let mut agenda = Agenda::default();
        for (at, what) in [(5, "a"), (3, "b"), (5, "c"), (3, "d")] {
            agenda.enter(Instant::from_nanos(at), what);
        }
        assert_eq!(agenda.next(), Some(Instant::from_nanos(3)));
        let mut due = |now| agenda.take_due(Instant::from_nanos(now));
        assert_eq!([due(4), due(4), due(4)], [Some("b"), Some("d"), None]);
        assert_eq!([due(5), due(5), due(5)], [Some("a"), Some("c"), None]);
    }
}
