//! A sum over a trailing window of time, kept in slices.
//!
//! ```text
//!        window = N slices
//!  ├───┼───┼───┼───┼───┼───┤
//!  0   1   2   3   4   5 ▲          slice k is [k·s, (k+1)·s) with s = window/N,
//!      └── dropped as ── now        counted from the start of the run
//!          slice 7 begins
//! ```
//!
//! A slice leaves as a whole when a new one begins, so that the window is between N − 1 and N
//! slices long, the one under way included. Within that, counting is exact.

use crate::units::{Instant, Span};

/// A sum over the trailing window.
#[derive(Clone, Debug)]
pub(super) struct Window {
    slice_nanos: u64,
    current: u64,
    slices: Box<[i64]>,
    sum: i64,
}

impl Window {
    /// An empty window of this length, in so many slices (at least one).
    pub(super) fn new(length: Span, slices: u32) -> Self {
        let slices = slices.max(1);
        Self {
            slice_nanos: (length.nanos() / u64::from(slices)).max(1),
            current: 0,
            slices: vec![0; slices as usize].into(),
            sum: 0,
        }
    }

    /// Adds to the slice under way.
    pub(super) fn add(&mut self, now: Instant, amount: i64) {
        self.advance(now);
        let place = self.place(self.current);
        // The sum of what is kept never saturates before a slice does, and i64 holds 9·10¹⁸.
        self.slices[place] = self.slices[place].saturating_add(amount);
        self.sum = self.sum.saturating_add(amount);
    }

    /// What was added within the window.
    pub(super) fn sum(&mut self, now: Instant) -> i64 {
        self.advance(now);
        self.sum
    }

    fn advance(&mut self, now: Instant) {
        let slice = now.nanos() / self.slice_nanos;
        let passed = slice.saturating_sub(self.current);
        if passed == 0 {
            return;
        }
        if passed >= self.slices.len() as u64 {
            self.slices.fill(0);
            self.sum = 0;
        } else {
            for one in self.current + 1..=slice {
                let place = self.place(one);
                self.sum = self.sum.saturating_sub(self.slices[place]);
                self.slices[place] = 0;
            }
        }
        self.current = slice;
    }

    fn place(&self, slice: u64) -> usize {
        (slice % self.slices.len() as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_sum_is_that_of_the_slices_within_the_window(
            slices in 1_u32..12, length in 1_u64..200,
            steps in prop::collection::vec((0_u64..60, -5_i64..=5), 0..60),
        ) {
            let mut window = Window::new(Span::from_nanos(length), slices);
            let slice = (length / u64::from(slices)).max(1);
            let (mut now, mut kept) = (0, Vec::new());
            for (gap, amount) in steps {
                now += gap;
                window.add(Instant::from_nanos(now), amount);
                kept.push((now / slice, amount));
                let within = |&&(at, _): &&(u64, i64)| at + u64::from(slices) > now / slice;
                let expected: i64 = kept.iter().filter(within).map(|&(_, amount)| amount).sum();
                prop_assert_eq!(window.sum(Instant::from_nanos(now)), expected);
            }
        }
    }

    #[test]
    fn time_that_goes_backwards_or_leaps_is_no_harm() {
        let mut window = Window::new(Span::ZERO, 0);
        window.add(Instant::NEVER, 3);
        window.add(Instant::ZERO, 4);
        assert_eq!(window.sum(Instant::from_nanos(5)), 7);
    }
}
