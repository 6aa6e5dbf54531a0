//! CoDel: drops at the head of the queue while waiting stays too long, more often the longer it does.
//!
//! ```text
//!                     above the target for an interval: drop
//!   ┌───► WATCHING ──────────────────────────────────────────► DROPPING ──┐ one drop, and the next
//!   │        ▲                                                    │    ▲  │ interval/√count later
//!   └────────┘ below the target       below the target            │    └──┘
//!            └────────────────────────────────────────────────────┘
//! ```
//!
//! It is asked at the head of the queue, with the time the request has waited there. A queue that
//! is short now and then does its work, however long it is in between; only one whose waits have
//! stayed at or above the target for a whole interval is a standing queue. Then the n-th drop comes
//! `interval/√n` after the one before, so that drops grow denser until waits fall below the target:
//! t seconds after the first there have been about `(t / 2·interval)²`, at a rate of
//! `t / (2·interval²)` per second. That rate is remembered for a while: if the queue stands again
//! within 16 intervals of where the last drop would have been, dropping starts with the count that
//! was added last time.
//!
//! With at most one request left behind, nothing is dropped: this is the RFC's rule for a queue of
//! at most one full packet, every request counting as one. The request behind the first drop of a
//! series is served whatever it has waited, as in the RFC.
//!
//! A sender that slows down at a drop, as TCP does, makes the queue short with few drops. Clients in
//! an open loop do not slow down: then CoDel drops ever more until capacity is reached.
//!
//! Source: RFC 8289 (Nichols, Jacobson, McGregor, Iyengar, 2018), §4 and the pseudocode of §5.

use crate::profile;
use crate::units::{Instant, Span};

/// Drops while waiting stays too long.
///
/// ```
/// use agent_chaos_core::policy::codel::Codel;
/// use agent_chaos_core::units::{Instant, Span};
///
/// let mut codel = Codel::new(&Default::default());
/// // Requests that have waited 20 ms, one per millisecond: the first drop comes after 100 ms.
/// let first = (0..).find(|&n| {
///     let now = Instant::from_nanos(n * 1_000_000);
///     codel.on_dequeue(now, Span::from_seconds(0.02), 20)
/// });
/// assert_eq!(first, Some(100));
/// ```
#[derive(Clone, Debug)]
pub struct Codel {
    target: Span,
    interval: Span,
    /// When waits will have been above the target for an interval, while they are.
    above_at: Option<Instant>,
    dropping: bool,
    /// When the next drop is due, while dropping; else when it would have been.
    drop_next: Instant,
    /// Drops of this series, and what that began with.
    count: u32,
    first_count: u32,
    last: Last,
}

/// What the last call decided, which the request behind is still subject to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Last {
    Served,
    BeganToDrop,
    Dropped,
}

impl Codel {
    /// A queue that has never stood.
    #[must_use]
    pub fn new(rules: &profile::Codel) -> Self {
        Self {
            target: Span::from_seconds(rules.target_seconds),
            interval: Span::from_seconds(rules.interval_seconds),
            above_at: None,
            dropping: false,
            drop_next: Instant::ZERO,
            count: 0,
            first_count: 0,
            last: Last::Served,
        }
    }

    /// A request comes to the head of the queue, to be served: whether to drop it. If so, ask again
    /// for the next one at once.
    ///
    /// `sojourn` is how long it has been in the queue, `remaining` how many are left behind it.
    pub fn on_dequeue(&mut self, now: Instant, sojourn: Span, remaining: u32) -> bool {
        let standing = self.is_standing(now, sojourn, remaining);
        let last = std::mem::replace(&mut self.last, Last::Served);
        match last {
            // What is behind the first drop goes through.
            Last::BeganToDrop => return false,
            Last::Dropped if standing => self.drop_next = self.after(self.drop_next),
            Last::Dropped | Last::Served => {}
        }
        if self.dropping {
            self.dropping = standing;
            if !standing || now < self.drop_next {
                return false;
            }
            self.count = self.count.saturating_add(1);
            self.last = Last::Dropped;
            return true;
        }
        if standing {
            self.begin(now);
        }
        standing
    }

    /// Whether a series of drops is under way.
    #[must_use]
    pub fn is_dropping(&self) -> bool {
        self.dropping
    }

    /// Whether waits have been at or above the target for an interval.
    fn is_standing(&mut self, now: Instant, sojourn: Span, remaining: u32) -> bool {
        if sojourn < self.target || remaining <= 1 {
            self.above_at = None;
            return false;
        }
        match self.above_at {
            None => {
                self.above_at = Some(now + self.interval);
                false
            }
            Some(at) => now >= at,
        }
    }

    fn begin(&mut self, now: Instant) {
        let added = self.count - self.first_count;
        let memory = Span::from_nanos(self.interval.nanos().saturating_mul(16));
        self.count = if added > 1 && now < self.drop_next + memory {
            added
        } else {
            1
        };
        self.first_count = self.count;
        self.drop_next = self.after(now);
        self.dropping = true;
        self.last = Last::BeganToDrop;
    }

    /// The control law. A square root is the same on every machine (IEEE 754).
    fn after(&self, at: Instant) -> Instant {
        let nanos = self.interval.nanos() as f64 / f64::from(self.count.max(1)).sqrt();
        at + Span::from_nanos(nanos as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MILLISECOND: u64 = 1_000_000;

    fn codel() -> Codel {
        Codel::new(&profile::Codel::default())
    }

    fn at(milliseconds: u64) -> Instant {
        Instant::from_nanos(milliseconds * MILLISECOND)
    }

    fn ms(milliseconds: u64) -> Span {
        Span::from_nanos(milliseconds * MILLISECOND)
    }

    /// One dequeue per millisecond of requests that have waited so long, with many behind; when the
    /// drops were. A drop is followed by the next request at once.
    fn run(codel: &mut Codel, milliseconds: std::ops::Range<u64>, sojourn: Span) -> Vec<u64> {
        let mut drops = Vec::new();
        for now in milliseconds {
            while codel.on_dequeue(at(now), sojourn, 1000) {
                drops.push(now);
            }
        }
        drops
    }

    #[test]
    fn drops_come_an_interval_over_the_root_of_their_number_apart() {
        let drops = run(&mut codel(), 0..2000, ms(20));
        let mut due = 100.0;
        for (n, &drop) in drops.iter().enumerate() {
            // Dropped at the first dequeue from then on.
            assert_eq!(drop, f64::ceil(due) as u64, "drop {n}");
            due += 100.0 / ((n + 1) as f64).sqrt() - 1e-9;
        }
    }

    #[test]
    fn above_the_target_drops_grow_with_the_square_of_time() {
        let drops = run(&mut codel(), 0..20_000, ms(20));
        for seconds in [5.0, 10.0, 19.0] {
            let until = 100.0 + seconds * 1e3;
            let n = drops.iter().filter(|&&drop| drop as f64 <= until).count() as f64;
            let law = (seconds / 0.2) * (seconds / 0.2);
            // Σ 1/√k is 2√n − 1.46: 6 % more after 5 s, less later.
            assert!(
                (0.98..1.08).contains(&(n / law)),
                "{seconds} s: {n}, law {law}"
            );
        }
        let of_second =
            |second: u64| drops.iter().filter(|&&drop| drop / 1000 == second).count() as f64;
        // t/(2·interval²) at the second's middle.
        assert!((of_second(10) / (10.4 / 0.02) - 1.0).abs() < 0.05);
    }

    #[test]
    fn a_queue_that_is_short_now_and_then_loses_nothing() {
        let mut codel = codel();
        for now in 0..10_000 {
            let wait = if now % 99 == 0 { 4 } else { 500 };
            assert!(!codel.on_dequeue(at(now), ms(wait), 1000), "{now}");
        }
    }

    #[test]
    fn waits_below_the_target_end_the_series() {
        let mut codel = codel();
        assert_eq!(run(&mut codel, 0..150, ms(20)).len(), 1);
        assert!(codel.is_dropping());
        codel.on_dequeue(at(150), ms(4), 1000);
        assert!(!codel.is_dropping());
        assert!(run(&mut codel, 151..251, ms(20)).is_empty());
        assert_eq!(run(&mut codel, 251..252, ms(20)), [251]);
    }

    #[test]
    fn the_rate_of_drops_is_remembered_for_sixteen_intervals() {
        // In 1 s after the first drop 32 more; they are remembered as 32.
        let again = |rest: u64| {
            let mut codel = codel();
            let before = run(&mut codel, 0..1100, ms(20)).len() as u64;
            codel.on_dequeue(at(1100), ms(4), 1000);
            let start = 1100 + rest;
            let drops = run(&mut codel, start..start + 201, ms(20));
            (before, drops.len())
        };
        let (before, soon) = again(10);
        // The second drop is 100/√32 = 18 ms after the first, where it would have been 100.
        assert!((28..36).contains(&before), "{before}");
        assert!(soon >= 6, "{soon}");
        let (_, late) = again(1700);
        assert_eq!(late, 2);
    }

    #[test]
    fn the_last_requests_are_never_dropped() {
        let mut codel = codel();
        for now in 0..1000 {
            assert!(!codel.on_dequeue(at(now), ms(500), 1));
        }
    }

    #[test]
    fn the_request_behind_the_first_drop_is_served() {
        let mut codel = codel();
        assert!(run(&mut codel, 0..100, ms(20)).is_empty());
        assert!(codel.on_dequeue(at(100), ms(20), 1000));
        assert!(!codel.on_dequeue(at(100), ms(20), 999));
        // Later in the series several may go at once.
        let drops = run(&mut codel, 5000..5001, ms(20));
        assert!(drops.len() > 10, "{}", drops.len());
    }

    /// The same rules as one loop that takes from the queue itself, with 0 for a time that is not set.
    struct Loop {
        target: u64,
        interval: u64,
        first_above: u64,
        drop_next: i128,
        count: u32,
        began_with: u32,
        dropping: bool,
    }

    impl Loop {
        fn head(&mut self, queue: &mut Vec<u64>, now: u64) -> (Option<u64>, bool) {
            let Some(since) = queue.pop() else {
                self.first_above = 0;
                return (None, false);
            };
            let mut ok = false;
            if now - since < self.target || queue.len() <= 1 {
                self.first_above = 0;
            } else if self.first_above == 0 {
                self.first_above = now + self.interval;
            } else if now >= self.first_above {
                ok = true;
            }
            (Some(since), ok)
        }

        fn law(&self, at: i128) -> i128 {
            at + (self.interval as f64 / f64::from(self.count).sqrt()) as i128
        }

        fn take(&mut self, queue: &mut Vec<u64>, now: u64) -> Option<u64> {
            let (mut head, mut ok) = self.head(queue, now);
            if self.dropping {
                if !ok {
                    self.dropping = false;
                }
                while i128::from(now) >= self.drop_next && self.dropping {
                    self.count += 1;
                    (head, ok) = self.head(queue, now);
                    if ok {
                        self.drop_next = self.law(self.drop_next);
                    } else {
                        self.dropping = false;
                    }
                }
            } else if ok {
                (head, _) = self.head(queue, now);
                self.dropping = true;
                let added = self.count - self.began_with;
                self.count = 1;
                if added > 1 && i128::from(now) - self.drop_next < 16 * i128::from(self.interval) {
                    self.count = added;
                }
                self.drop_next = self.law(now.into());
                self.began_with = self.count;
            }
            head
        }
    }

    proptest! {
        #[test]
        fn asking_one_by_one_serves_what_one_loop_serves(
            target in 1_u64..20, interval in 1_u64..60,
            steps in prop::collection::vec((1_u64..30, 0_usize..4, 0..3_u8), 1..600),
        ) {
            let rules = profile::Codel {
                target_seconds: target as f64 / 1e3,
                interval_seconds: interval as f64 / 1e3,
            };
            let mut codel = Codel::new(&rules);
            let (target, interval) = (target * MILLISECOND, interval * MILLISECOND);
            let mut other = Loop {
                target, interval, first_above: 0, drop_next: 0, count: 0, began_with: 0, dropping: false,
            };
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            let mut now = 0;
            for (gap, arrivals, takes) in steps {
                now += gap * MILLISECOND;
                for _ in 0..arrivals {
                    ours.insert(0, now);
                    theirs.insert(0, now);
                }
                for _ in 0..takes {
                    let served = loop {
                        let Some(since) = ours.pop() else { break None };
                        let (now, since_at) = (Instant::from_nanos(now), Instant::from_nanos(since));
                        if !codel.on_dequeue(now, now.since(since_at), ours.len() as u32) {
                            break Some(since);
                        }
                    };
                    prop_assert_eq!(served, other.take(&mut theirs, now));
                    prop_assert_eq!(&ours, &theirs);
                }
            }
        }

        #[test]
        fn nothing_in_range_panics(
            (target, interval) in (0.0..=1e5_f64, 0.0..=1e5_f64),
            calls in prop::collection::vec((any::<u64>(), any::<u64>(), any::<u32>()), 0..200),
        ) {
            let mut codel = Codel::new(&profile::Codel {
                target_seconds: target, interval_seconds: interval,
            });
            for (now, sojourn, remaining) in calls {
                let dropped = codel.on_dequeue(
                    Instant::from_nanos(now), Span::from_nanos(sojourn), remaining);
                prop_assert!(!dropped || remaining > 1);
            }
        }
    }
}
