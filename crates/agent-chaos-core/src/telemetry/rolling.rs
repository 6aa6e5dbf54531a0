//! Latencies of a trailing window: their mean and exact quantiles, at a cost per latency that does
//! not grow with the window.
//!
//! Latencies lie in a ring in the order of completion, and each belongs to a cell of a log-linear
//! grid (256 cells per doubling, so a cell is at most 0.4 % wide). A quantile is found by counting
//! cells from below (in two levels), then by looking at the latencies of one cell alone, which are
//! chained through the ring.

use crate::units::{Instant, Span};

const CELL_BITS: u32 = 8;
const CELLS_PER_DOUBLING: usize = 1 << CELL_BITS;
/// Every u64 has a cell: values below 256 ns one each, then 256 cells per doubling.
const CELLS: usize = (64 - CELL_BITS as usize + 1) * CELLS_PER_DOUBLING;
const GROUP: usize = 128;
const NONE: u32 = u32::MAX;

/// The grid cell of a latency in nanoseconds. Monotone.
fn cell_of(nanos: u64) -> usize {
    if nanos < CELLS_PER_DOUBLING as u64 {
        return nanos as usize;
    }
    let doubling = 63 - nanos.leading_zeros();
    let within = (nanos >> (doubling - CELL_BITS)) as usize & (CELLS_PER_DOUBLING - 1);
    ((doubling - CELL_BITS + 1) as usize) * CELLS_PER_DOUBLING + within
}

#[derive(Clone, Copy)]
struct Entry {
    at: Instant,
    nanos: u64,
    /// The next entry of the same cell, by its place in the ring.
    next: u32,
}

#[derive(Clone, Copy)]
struct Cell {
    count: u32,
    first: u32,
    last: u32,
}

/// The window.
pub struct RollingLatency {
    span: Span,
    ring: Vec<Entry>,
    head: usize,
    len: usize,
    cells: Vec<Cell>,
    groups: Vec<u32>,
    sum_nanos: u128,
    scratch: Vec<u64>,
}

impl RollingLatency {
    /// An empty window of this length.
    #[must_use]
    pub fn new(span: Span) -> Self {
        Self {
            span,
            ring: Vec::new(),
            head: 0,
            len: 0,
            cells: vec![
                Cell {
                    count: 0,
                    first: NONE,
                    last: NONE
                };
                CELLS
            ],
            groups: vec![0; CELLS / GROUP],
            sum_nanos: 0,
            scratch: Vec::new(),
        }
    }

    /// Adds a latency that was complete at `at`, no earlier than those before.
    pub fn add(&mut self, at: Instant, latency: Span) {
        if self.len == self.ring.len() {
            self.grow();
        }
        let place = (self.head + self.len) & (self.ring.len() - 1);
        self.len += 1;
        self.ring[place] = Entry {
            at,
            nanos: latency.nanos(),
            next: NONE,
        };
        self.link(place);
        self.sum_nanos += u128::from(latency.nanos());
    }

    /// Forgets what was complete at or before the start of the window that ends at `now`.
    pub fn forget(&mut self, now: Instant) {
        while self.len > 0 {
            let Entry { at, nanos, next } = self.ring[self.head];
            if at + self.span > now {
                break;
            }
            // The oldest of all is also the oldest of its cell.
            let cell = cell_of(nanos);
            self.cells[cell].count -= 1;
            self.cells[cell].first = next;
            if next == NONE {
                self.cells[cell].last = NONE;
            }
            self.groups[cell / GROUP] -= 1;
            self.sum_nanos -= u128::from(nanos);
            self.head = (self.head + 1) & (self.ring.len() - 1);
            self.len -= 1;
        }
    }

    /// How many latencies there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.len
    }

    /// Their mean, in seconds; none of none.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.len > 0).then(|| self.sum_nanos as f64 / self.len as f64 / 1e9)
    }

    /// Their quantile by Hyndman and Fan's type 7, in seconds; none of none.
    pub fn quantile(&mut self, share: f64) -> Option<f64> {
        if self.len == 0 {
            return None;
        }
        let place = (self.len - 1) as f64 * share;
        let below = place.floor();
        let low = self.ranked(below as usize);
        let high = if place > below {
            self.ranked(below as usize + 1)
        } else {
            low
        };
        Some((low as f64 + (high as f64 - low as f64) * (place - below)) / 1e9)
    }

    /// The latency with this many smaller ones, in nanoseconds.
    fn ranked(&mut self, rank: usize) -> u64 {
        let mut left = rank;
        let mut cell = 0;
        for (group, &count) in self.groups.iter().enumerate() {
            if left < count as usize {
                cell = group * GROUP;
                break;
            }
            left -= count as usize;
        }
        while left >= self.cells[cell].count as usize {
            left -= self.cells[cell].count as usize;
            cell += 1;
        }
        self.scratch.clear();
        let mut place = self.cells[cell].first;
        while place != NONE {
            let entry = self.ring[place as usize];
            self.scratch.push(entry.nanos);
            place = entry.next;
        }
        *self.scratch.select_nth_unstable(left).1
    }

    fn link(&mut self, place: usize) {
        let index = cell_of(self.ring[place].nanos);
        let cell = &mut self.cells[index];
        let before = std::mem::replace(&mut cell.last, place as u32);
        cell.count += 1;
        if before == NONE {
            cell.first = place as u32;
        } else {
            self.ring[before as usize].next = place as u32;
        }
        self.groups[index / GROUP] += 1;
    }

    /// Doubles the ring; places change, so that the chains are made anew.
    fn grow(&mut self) {
        let old: Vec<Entry> = (0..self.len)
            .map(|i| self.ring[(self.head + i) & (self.ring.len() - 1)])
            .collect();
        let room = (self.ring.len() * 2).max(64);
        assert!(
            room < NONE as usize,
            "a latency window holds fewer than 2³² latencies"
        );
        for entry in &old {
            let cell = cell_of(entry.nanos);
            self.cells[cell] = Cell {
                count: 0,
                first: NONE,
                last: NONE,
            };
            self.groups[cell / GROUP] = 0;
        }
        self.ring = old;
        self.ring.resize(
            room,
            Entry {
                at: Instant::ZERO,
                nanos: 0,
                next: NONE,
            },
        );
        self.head = 0;
        for place in 0..self.len {
            self.ring[place].next = NONE;
            self.link(place);
        }
    }
}

/// A quantile by Hyndman and Fan's type 7 (linear interpolation between closest ranks) of values in
/// ascending order; none of none.
///
/// Source: Hyndman, Fan, *Sample quantiles in statistical packages* (1996).
#[must_use]
pub fn quantile_sorted(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = last as f64 * share;
    let below = place.floor() as usize;
    let low = sorted[below];
    let high = sorted[(below + 1).min(last)];
    Some(low + (high - low) * (place - below as f64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cells_are_monotone_and_cover_every_number() {
        let mut before = 0;
        for bits in 0..64 {
            for step in 0..1000_u64 {
                let nanos = (1_u64 << bits).saturating_add((1_u64 << bits) / 1000 * step);
                let cell = cell_of(nanos);
                assert!(cell >= before || step == 0);
                before = cell;
            }
        }
        assert!(cell_of(u64::MAX) < CELLS);
    }

    proptest! {
        #[test]
        fn the_window_agrees_with_sorting_what_is_in_it(
            latencies in prop::collection::vec((0_u64..50, prop_oneof![0_u64..600, 0_u64..1_000_000_000]), 1..400),
            span in 1_u64..400,
        ) {
            let mut window = RollingLatency::new(Span::from_nanos(span));
            let mut now = 0;
            let mut all = Vec::new();
            for (gap, latency) in latencies {
                now += gap;
                window.add(Instant::from_nanos(now), Span::from_nanos(latency));
                all.push((now, latency));
                window.forget(Instant::from_nanos(now));
                let mut inside: Vec<f64> = all.iter().filter(|(at, _)| at + span > now).map(|&(_, l)| l as f64).collect();
                inside.sort_by(f64::total_cmp);
                prop_assert_eq!(window.count(), inside.len());
                for share in [0.0, 0.5, 0.95, 0.99, 1.0] {
                    let expected = quantile_sorted(&inside, share).unwrap() / 1e9;
                    let got = window.quantile(share).unwrap();
                    prop_assert!((got - expected).abs() <= 1e-12 * expected.max(1e-9), "{} {}", got, expected);
                }
                let mean = inside.iter().sum::<f64>() / inside.len() as f64 / 1e9;
                prop_assert!((window.mean().unwrap() - mean).abs() <= 1e-12 * mean.max(1e-9));
            }
        }
    }
}
