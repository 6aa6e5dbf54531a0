//! Timers in the order in which they fire: by time, and those of one time in the order in which
//! they were set.
//!
//! ```text
//!   set ──► front (sorted, a few dozen at most, before `edge`) ──► fire
//!     └───► far (at or after `edge`) ──► the nearest buckets become the next front
//! ```
//!
//! With a few dozen timers there is only the front, a sorted list. Beyond that, times at or after
//! `edge` wait in a monotone radix heap: 64 buckets for each group of six bits, a timer lying by the
//! highest group in which its time differs from `base`. No order number is kept: each list is
//! filled in the order of setting, and every move keeps that order.
//!
//! Source: Ahuja, Mehlhorn, Orlin, Tarjan, *Faster algorithms for the shortest path problem*
//! (J. ACM 37, 1990), for the radix heap.

use std::collections::VecDeque;

/// Timers in the front at most.
const FRONT: usize = PLACES - 1;
/// Buckets are taken into the front until it has so many timers.
const ENOUGH: usize = 32;
/// A bucket with at most so many timers is announced as it is spread over smaller ones.
const SOON: usize = 1024;
const BITS: u32 = 6;
const DIGITS: usize = 1 << BITS;
const LEVELS: usize = 64usize.div_ceil(BITS as usize);
/// Later than any timer.
const NEVER: u64 = u64::MAX;

/// A timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// When it fires, in nanoseconds.
    pub at: u64,
    /// What it fires.
    pub what: u32,
}

/// The timers of one executor.
pub struct Timers {
    front: Front,
    /// What the front is filled from.
    next: Ascending,
    /// A crowd of timers of the one time `edge`, in the order set; while there is one, timers of
    /// that time join it.
    crowd: VecDeque<u32>,
    /// Timers at or after this time are not in the front.
    edge: u64,
    far: Far,
    /// When the last timer fired: nothing is set before that.
    fired: u64,
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            front: Front::default(),
            next: Ascending::default(),
            crowd: VecDeque::new(),
            edge: NEVER,
            far: Far::default(),
            fired: 0,
        }
    }
}

impl Timers {
    /// Sets a timer. It may not be earlier than the last one that fired.
    #[inline(always)]
    pub fn set(&mut self, due: Due) {
        if due.at >= self.edge || !self.front.insert(due) {
            self.set_elsewhere(due);
        }
    }

    /// Sets a timer that does not belong into the front, or has no room there.
    #[inline(never)]
    fn set_elsewhere(&mut self, due: Due) {
        if due.at < self.edge {
            self.spill(due);
        } else if due.at == self.edge || due.at == NEVER {
            self.set_at_edge(due);
        } else {
            self.far.push(due);
        }
    }

    /// Takes the next timer if it is due at or before `until`. `soon` is told what will fire before
    /// long, some time ahead, and in no particular order.
    #[inline(always)]
    pub fn pop_until(&mut self, until: u64, soon: impl FnMut(u32)) -> Option<Due> {
        let mut due = self.front.first();
        if due.at == NEVER {
            if !self.refill(soon) {
                return self.pop_crowd(until);
            }
            due = self.front.first();
        }
        if due.at > until {
            return None;
        }
        self.front.remove_first();
        self.fired = due.at;
        Some(due)
    }

    /// No timer fires before this; it may be long before the first one does.
    #[inline]
    pub fn none_before(&self) -> u64 {
        self.front.first().at.min(self.edge)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.front.first().at == NEVER && self.crowd.is_empty() && self.far.is_empty()
    }

    #[cold]
    fn set_at_edge(&mut self, due: Due) {
        if due.at == NEVER {
            // No edge lies beyond the end of time: what never comes, comes just before it.
            let at = NEVER - 1;
            self.set(Due { at, ..due });
        } else if self.crowd.is_empty() {
            self.far.push(due);
        } else {
            self.crowd.push_back(due.what);
        }
    }

    /// Makes room in a full front for one more: the later half moves away.
    #[cold]
    fn spill(&mut self, one_more: Due) {
        let soonest = self.front.first().at.min(one_more.at);
        if soonest < self.far.base {
            // The next front had been made, and then timers were set before it.
            self.far.rebase(self.fired);
        }
        // Nothing of the crowd's time lies elsewhere, so that its order stays what it is.
        for what in self.crowd.drain(..) {
            self.far.push(Due {
                at: self.edge,
                what,
            });
        }
        let timers: Vec<Due> = self.front.drain().collect();
        // All of one time stay together, so that later ones of that time come behind them.
        let middle = timers[FRONT / 2].at;
        let all_of_one_time = timers.iter().all(|due| due.at == one_more.at);
        self.edge = if all_of_one_time {
            // Too many for the front, however it is cut.
            self.crowd.extend(timers.iter().map(|due| due.what));
            soonest
        } else {
            middle.max(soonest + 1)
        };
        if !all_of_one_time {
            timers.into_iter().for_each(|due| self.set(due));
        }
        self.set(one_more);
    }

    /// Makes the nearest buckets the front; `false` if the next timers are a crowd, or there are none.
    #[inline(never)]
    fn refill(&mut self, mut soon: impl FnMut(u32)) -> bool {
        if !self.crowd.is_empty() {
            return false;
        }
        let next = &mut self.next;
        next.len = 0;
        while let Some(nearest) = self.far.nearest() {
            let start = self.far.start(nearest);
            let bucket = self.far.bucket(nearest);
            let taken = next.len;
            if taken > 0 && taken + bucket.len() > ENOUGH {
                self.edge = start;
                self.front.fill(next);
                return true;
            }
            if bucket.len() <= FRONT {
                bucket.iter().for_each(|&due| next.insert(due));
                bucket.clear();
                self.far.mark_empty(nearest);
                if taken == 0 {
                    // The base stays here while further buckets are taken, so that what the front
                    // has no room for can go back.
                    self.far.base = start;
                }
                continue;
            }
            let mut timers = std::mem::take(bucket);
            self.far.mark_empty(nearest);
            self.far.base = start;
            if nearest.level == 0 {
                self.crowd.extend(timers.iter().map(|due| due.what));
                self.edge = start;
            } else {
                if timers.len() <= SOON {
                    timers.iter().for_each(|due| soon(due.what));
                }
                timers.iter().for_each(|&due| self.far.push(due));
            }
            // The bucket keeps its room.
            timers.clear();
            *self.far.bucket(nearest) = timers;
            if nearest.level == 0 {
                return false;
            }
        }
        self.edge = NEVER;
        self.front.fill(next);
        next.len > 0
    }

    #[cold]
    fn pop_crowd(&mut self, until: u64) -> Option<Due> {
        if self.edge > until {
            return None;
        }
        let what = self.crowd.pop_front()?;
        let due = Due {
            at: self.edge,
            what,
        };
        self.fired = due.at;
        if self.crowd.is_empty() {
            self.edge = due.at + 1;
        }
        Some(due)
    }
}

/// A few timers, the latest first; of one time, the last set first.
///
/// Place 0 has one that never fires, which is the first when there is no other.
struct Front {
    timers: [Due; PLACES],
    /// The place of the soonest.
    top: usize,
}

const PLACES: usize = 64;
const BOTTOM: Due = Due { at: NEVER, what: 0 };

impl Default for Front {
    fn default() -> Self {
        Self {
            timers: [BOTTOM; PLACES],
            top: 0,
        }
    }
}

impl Front {
    /// The first timer; at `NEVER` if there is none.
    #[inline(always)]
    fn first(&self) -> Due {
        self.timers[self.top % PLACES]
    }

    /// Adds a timer before `NEVER`; `false` if there is no room.
    #[inline(always)]
    fn insert(&mut self, due: Due) -> bool {
        let top = self.top + 1;
        if top >= PLACES {
            return false;
        }
        self.top = top;
        let timers = &mut self.timers[..=top];
        let mut place = top;
        for below in (0..top).rev() {
            let before = timers[below];
            if before.at > due.at {
                break;
            }
            timers[below + 1] = before;
            place = below;
        }
        timers[place] = due;
        true
    }

    /// Fills an empty front.
    #[inline(always)]
    fn fill(&mut self, next: &Ascending) {
        self.top = next.len;
        let places = self.timers[1..].iter_mut();
        for (place, due) in places.zip(next.timers[..next.len].iter().rev()) {
            *place = *due;
        }
    }

    #[inline(always)]
    fn remove_first(&mut self) {
        self.top -= 1;
    }

    /// Takes all timers out, in order.
    fn drain(&mut self) -> impl Iterator<Item = Due> + use<'_> {
        let top = std::mem::take(&mut self.top);
        self.timers[1..=top].iter().rev().copied()
    }
}

/// Timers to fill the front with, the soonest first: buckets come in that order, so that hardly
/// any has to move for the next.
struct Ascending {
    timers: [Due; PLACES],
    len: usize,
}

impl Default for Ascending {
    fn default() -> Self {
        Self {
            timers: [BOTTOM; PLACES],
            len: 0,
        }
    }
}

impl Ascending {
    #[inline(always)]
    fn insert(&mut self, due: Due) {
        let timers = &mut self.timers[..=self.len];
        let mut place = self.len;
        for before in (0..self.len).rev() {
            if timers[before].at <= due.at {
                break;
            }
            timers[before + 1] = timers[before];
            place = before;
        }
        timers[place] = due;
        self.len += 1;
    }
}

/// The radix heap.
struct Far {
    /// By level and digit; none until the first timer comes.
    buckets: Vec<Vec<Due>>,
    /// Which digits of a level have timers.
    digits: [u64; LEVELS],
    /// Which levels have timers.
    levels: u32,
    /// No timer here is earlier.
    base: u64,
}

/// Where a bucket is.
#[derive(Clone, Copy)]
struct Place {
    level: u32,
    digit: u32,
}

impl Default for Far {
    fn default() -> Self {
        Self {
            buckets: Vec::new(),
            digits: [0; LEVELS],
            levels: 0,
            base: 0,
        }
    }
}

impl Far {
    fn is_empty(&self) -> bool {
        self.levels == 0
    }

    #[inline(always)]
    fn push(&mut self, due: Due) {
        if self.buckets.is_empty() {
            self.make_buckets();
        }
        // The highest group of bits that differs; a time equal to the base lies in level 0.
        let level = ((due.at ^ self.base) | 1).ilog2() / BITS;
        let digit = (due.at >> (level * BITS)) as u32 % DIGITS as u32;
        self.digits[level as usize] |= 1 << digit;
        self.levels |= 1 << level;
        self.bucket(Place { level, digit }).push(due);
    }

    #[cold]
    fn make_buckets(&mut self) {
        self.buckets.resize_with(LEVELS * DIGITS, Vec::new);
    }

    #[inline(always)]
    fn bucket(&mut self, Place { level, digit }: Place) -> &mut Vec<Due> {
        &mut self.buckets[level as usize * DIGITS + digit as usize]
    }

    /// The bucket with the earliest timers.
    #[inline(always)]
    fn nearest(&self) -> Option<Place> {
        if self.levels == 0 {
            return None;
        }
        let level = self.levels.trailing_zeros();
        let digit = self.digits[level as usize].trailing_zeros();
        Some(Place { level, digit })
    }

    /// The earliest time that a bucket may hold.
    #[inline(always)]
    fn start(&self, Place { level, digit }: Place) -> u64 {
        let low = level * BITS;
        // The top level has only the four bits that are left of 64.
        let above = u64::MAX.checked_shl(low + BITS).unwrap_or(0);
        self.base & above | u64::from(digit) << low
    }

    /// Takes note that the nearest bucket has no timers any more.
    #[inline(always)]
    fn mark_empty(&mut self, nearest: Place) {
        let digits = &mut self.digits[nearest.level as usize];
        *digits &= *digits - 1;
        if *digits == 0 {
            self.levels &= self.levels - 1;
        }
    }

    /// Puts every timer where it belongs with an earlier base.
    fn rebase(&mut self, base: u64) {
        self.digits = [0; LEVELS];
        self.levels = 0;
        self.base = base;
        // Timers of one time share a bucket, so that their order is kept.
        for bucket in std::mem::take(&mut self.buckets) {
            bucket.into_iter().for_each(|due| self.push(due));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What the timers are compared with: sorted by time, then by the order set.
    #[derive(Default)]
    struct Model(Vec<(u64, u32)>);

    impl Model {
        fn pop_until(&mut self, until: u64) -> Option<Due> {
            let (place, &(at, what)) = self.0.iter().enumerate().min_by_key(|(_, due)| **due)?;
            (at <= until).then(|| {
                self.0.remove(place);
                Due { at, what }
            })
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Set(u64),
        Crowd(u64, usize),
        Fire(usize),
        FireUntil(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let gap = || prop_oneof![0_u64..3, 0_u64..200, 0_u64..5_000_000, 0_u64..u64::MAX];
        prop_oneof![
            4 => gap().prop_map(Step::Set),
            1 => (gap(), 1_usize..80).prop_map(|(gap, n)| Step::Crowd(gap, n)),
            2 => (1_usize..40).prop_map(Step::Fire),
            1 => gap().prop_map(Step::FireUntil),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 2000 }))]
        #[test]
        fn timers_fire_by_time_and_then_in_the_order_set(steps in prop::collection::vec(step(), 1..120)) {
            let (mut timers, mut model) = (Timers::default(), Model::default());
            let (mut now, mut name) = (0_u64, 0);
            let mut set = |timers: &mut Timers, model: &mut Model, at| {
                timers.set(Due { at, what: name });
                model.0.push((at.min(u64::MAX - 1), name));
                name += 1;
            };
            for step in steps {
                match step {
                    Step::Set(gap) => set(&mut timers, &mut model, now.saturating_add(gap)),
                    Step::Crowd(gap, n) => {
                        for _ in 0..n {
                            set(&mut timers, &mut model, now.saturating_add(gap));
                        }
                    }
                    Step::Fire(n) => {
                        for _ in 0..n {
                            let due = timers.pop_until(u64::MAX, |_| ());
                            prop_assert_eq!(due, model.pop_until(u64::MAX));
                            now = due.map_or(now, |due| due.at);
                        }
                    }
                    Step::FireUntil(gap) => {
                        let until = now.saturating_add(gap);
                        let none_before = timers.none_before();
                        loop {
                            let due = timers.pop_until(until, |_| ());
                            prop_assert_eq!(due, model.pop_until(until));
                            let Some(due) = due else { break };
                            prop_assert!(due.at >= none_before);
                        }
                        now = until;
                    }
                }
                prop_assert_eq!(timers.is_empty(), model.0.is_empty());
            }
        }
    }
}
