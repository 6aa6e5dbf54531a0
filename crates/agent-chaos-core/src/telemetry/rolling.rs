//! Latencies of a trailing window: their mean and exact quantiles, at a cost per latency that does
//! not grow with the window.
//!
//! ```text
//! ring, in the order of completion:  … 0.031  0.012  0.030  0.012 …
//!                                               ▲────earlier───┘
//! cells of a log-linear grid:        count, latest ──► members by way of `earlier`
//! ```
//!
//! Each latency belongs to a cell of a log-linear grid (4096 cells per doubling). Cells are counted
//! by themselves, by the 64, and by the doubling; a quantile is found by counting down these
//! levels, then by looking at the few latencies of one cell. A completion only writes into the
//! ring; the cells are brought up to date once a tick, many latencies at a time.

use super::grid;
use crate::units::{Instant, Span};

const CELL_BITS: u32 = 12;
/// Cells in a group, and groups in a doubling.
const FEW_BITS: u32 = 6;
const FEW: usize = 1 << FEW_BITS;

#[inline]
fn cell_of(nanos: u64) -> usize {
    grid::cell_of::<CELL_BITS>(nanos)
}

#[derive(Clone, Copy, Default)]
struct Done {
    at: Instant,
    nanos: u64,
}

/// The window.
pub struct RollingLatency {
    span: Span,
    /// A power of two of places; those from `head` on are taken, `len` of them.
    ring: Vec<Done>,
    /// For each place, that of the one before in the same cell; stale where there is none.
    earlier: Vec<u32>,
    head: usize,
    len: usize,
    /// How many, from `head` on, the cells know of.
    known: usize,
    /// How many a cell has, and the place of the latest.
    cells: Vec<[u32; 2]>,
    groups: Vec<u32>,
    doublings: Vec<u32>,
    /// Of those that the cells know of.
    sum_nanos: u128,
    members: Vec<u64>,
}

const COUNT: usize = 0;
const LATEST: usize = 1;

impl RollingLatency {
    /// An empty window of this length.
    #[must_use]
    pub fn new(span: Span) -> Self {
        let cells = grid::cells::<CELL_BITS>();
        Self {
            span,
            ring: Vec::new(),
            earlier: Vec::new(),
            head: 0,
            len: 0,
            known: 0,
            cells: vec![[0; 2]; cells],
            groups: vec![0; cells >> FEW_BITS],
            doublings: vec![0; cells >> (2 * FEW_BITS)],
            sum_nanos: 0,
            members: Vec::new(),
        }
    }

    /// Adds a latency that was complete at `at`, no earlier than those before.
    #[inline]
    pub fn add(&mut self, at: Instant, latency: Span) {
        if self.len == self.ring.len() {
            self.grow();
        }
        let place = (self.head + self.len) & (self.ring.len() - 1);
        self.ring[place] = Done {
            at,
            nanos: latency.nanos(),
        };
        self.len += 1;
    }

    /// Goes to `now`: forgets what was complete at or before the start of the window that ends then.
    pub fn settle(&mut self, now: Instant) {
        let mask = self.ring.len().wrapping_sub(1);
        let mut added = 0_u128;
        for i in self.known..self.len {
            let place = (self.head + i) & mask;
            let nanos = self.ring[place].nanos;
            added += u128::from(nanos);
            let index = cell_of(nanos);
            let cell = &mut self.cells[index];
            self.earlier[place] = cell[LATEST];
            *cell = [cell[COUNT] + 1, place as u32];
            self.groups[index >> FEW_BITS] += 1;
            self.doublings[index >> (2 * FEW_BITS)] += 1;
        }
        self.known = self.len;
        let mut forgotten = 0_u128;
        while self.len > 0 {
            let Done { at, nanos } = self.ring[self.head];
            if at + self.span > now {
                break;
            }
            forgotten += u128::from(nanos);
            // The oldest of all is the last that its cell leads to: counting one less leaves it out.
            let index = cell_of(nanos);
            self.cells[index][COUNT] -= 1;
            self.groups[index >> FEW_BITS] -= 1;
            self.doublings[index >> (2 * FEW_BITS)] -= 1;
            self.head = (self.head + 1) & mask;
            self.len -= 1;
        }
        self.known = self.len;
        self.sum_nanos = self.sum_nanos + added - forgotten;
    }

    /// How many latencies there were when the window was last settled.
    #[must_use]
    pub fn count(&self) -> usize {
        self.known
    }

    /// Their mean, in seconds; none of none.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.known > 0).then(|| self.sum_nanos as f64 / self.known as f64 / 1e9)
    }

    /// Their quantiles by Hyndman and Fan's type 7, in seconds; none of none. The shares ascend.
    pub fn quantiles<const N: usize>(&mut self, shares: [f64; N]) -> Option<[f64; N]> {
        if self.known == 0 {
            return None;
        }
        let mut from = Level::default();
        Some(shares.map(|share| {
            let place = (self.known - 1) as f64 * share;
            let below = place.floor();
            let (low, high) = self.ranked(below as usize, &mut from);
            (low as f64 + (high as f64 - low as f64) * (place - below)) / 1e9
        }))
    }

    /// The latencies of this rank and the next, in nanoseconds; the last one stands for a next one.
    /// `from` is a doubling at or below that of the rank, and becomes that of the rank.
    fn ranked(&mut self, rank: usize, from: &mut Level) -> (u64, u64) {
        from.climb(rank, &self.doublings, |&count| count);
        let mut level = from.down();
        level.climb(rank, &self.groups, |&count| count);
        let mut level = level.down();
        level.climb(rank, &self.cells, |cell| cell[COUNT]);
        self.gather(level.at);
        let (_, &mut low, above) = self.members.select_nth_unstable(rank - level.below);
        let high = above.iter().min().copied();
        let high = high.or_else(|| self.least_above(level.at)).unwrap_or(low);
        (low, high)
    }

    /// The least latency beyond a cell.
    fn least_above(&mut self, cell: usize) -> Option<u64> {
        let next = self.next_cell(cell)?;
        self.gather(next);
        self.members.iter().min().copied()
    }

    /// The next cell that has members.
    fn next_cell(&self, cell: usize) -> Option<usize> {
        let taken = |cells: &[[u32; 2]]| cells.iter().position(|cell| cell[COUNT] > 0);
        let end = (cell / FEW + 1) * FEW;
        if let Some(near) = taken(&self.cells[cell + 1..end]) {
            return Some(cell + 1 + near);
        }
        let group = end / FEW;
        let far = self.groups[group..].iter().position(|&count| count > 0)?;
        let start = (group + far) * FEW;
        taken(&self.cells[start..]).map(|first| start + first)
    }

    /// Gathers the members of a cell.
    fn gather(&mut self, cell: usize) {
        let [count, mut place] = self.cells[cell];
        self.members.clear();
        for _ in 0..count {
            self.members.push(self.ring[place as usize].nanos);
            place = self.earlier[place as usize];
        }
    }

    /// Doubles the ring. Places change, so that the cells start anew.
    #[cold]
    fn grow(&mut self) {
        let room = (self.ring.len() * 2).max(64);
        assert!(
            u32::try_from(room).is_ok(),
            "a latency window holds fewer than 2³² latencies"
        );
        for i in 0..self.known {
            let index = cell_of(self.ring[(self.head + i) & (self.ring.len() - 1)].nanos);
            self.cells[index][COUNT] = 0;
            self.groups[index >> FEW_BITS] = 0;
            self.doublings[index >> (2 * FEW_BITS)] = 0;
        }
        self.ring.rotate_left(self.head);
        self.ring.resize(room, Done::default());
        self.earlier.resize(room, 0);
        self.head = 0;
        self.known = 0;
        self.sum_nanos = 0;
    }
}

/// A place on one level of counts, and how many latencies lie below it.
#[derive(Clone, Copy, Default)]
struct Level {
    at: usize,
    below: usize,
}

impl Level {
    /// Goes up to the place that holds this rank.
    fn climb<T>(&mut self, rank: usize, counts: &[T], count: impl Fn(&T) -> u32) {
        while rank - self.below >= count(&counts[self.at]) as usize {
            self.below += count(&counts[self.at]) as usize;
            self.at += 1;
        }
    }

    /// The first place within this one on the next finer level.
    fn down(self) -> Self {
        Self {
            at: self.at * FEW,
            ..self
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
                window.settle(Instant::from_nanos(now));
                let mut inside: Vec<f64> = all.iter().filter(|(at, _)| at + span > now).map(|&(_, l)| l as f64).collect();
                inside.sort_by(f64::total_cmp);
                prop_assert_eq!(window.count(), inside.len());
                let shares = [0.0, 0.5, 0.95, 0.99, 1.0];
                for (share, got) in shares.into_iter().zip(window.quantiles(shares).unwrap()) {
                    let expected = quantile_sorted(&inside, share).unwrap() / 1e9;
                    prop_assert!((got - expected).abs() <= 1e-12 * expected.max(1e-9), "{} {}", got, expected);
                }
                let mean = inside.iter().sum::<f64>() / inside.len() as f64 / 1e9;
                prop_assert!((window.mean().unwrap() - mean).abs() <= 1e-12 * mean.max(1e-9));
            }
        }
    }
}
