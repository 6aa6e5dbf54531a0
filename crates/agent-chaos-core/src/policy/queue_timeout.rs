//! The queue's time limit: long while the queue empties now and then, short once it stands.
//!
//! ```text
//!   arrives ──► limit(now) goes with it ──► waits ──► waited longer? ──► yes: removed
//!                   ▲                                        └─────────► no:  served
//!   the queue is empty ──► on_empty(now)
//! ```
//!
//! If the queue has not been empty for longer than the interval, a request that comes may wait for
//! the target only, otherwise for the interval. The limit is set when the request comes, and holds
//! for it however the queue fares from then on. A burst that the server works off within an
//! interval loses nothing; under overload those who are served have waited no longer than the
//! target, whatever the load, and the rest are dropped unserved instead of served too late.
//!
//! It tells a standing queue from a useful one as CoDel does, with no state but one moment, and needs
//! no tuning to capacity.
//!
//! Source: Maurer, *Fail at Scale*, ACM Queue 13(8) (2015), *Controlled delay*, with its values of
//! 5 ms and 100 ms.

use crate::profile;
use crate::units::{Instant, Span};

/// How long a request may wait in the queue.
#[derive(Clone, Debug)]
pub struct QueueTimeout {
    interval: Span,
    target: Span,
    last_empty: Instant,
}

impl QueueTimeout {
    /// For a queue that is empty at the start.
    #[must_use]
    pub fn new(rules: &profile::QueueTimeout) -> Self {
        Self {
            interval: Span::from_seconds(rules.interval_seconds),
            target: Span::from_seconds(rules.target_seconds),
            last_empty: Instant::ZERO,
        }
    }

    /// The queue is empty at this moment. To be said when a take leaves it empty, and when a request
    /// comes to an empty queue, before its limit is asked for: it has been empty until then.
    pub fn on_empty(&mut self, now: Instant) {
        self.last_empty = self.last_empty.max(now);
    }

    /// How long a request that comes now may wait.
    #[must_use]
    pub fn limit(&self, now: Instant) -> Span {
        if now.since(self.last_empty) > self.interval {
            self.target
        } else {
            self.interval
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use proptest::prelude::*;

    const MICROSECOND: u64 = 1_000;

    /// One server of 1 ms per request, evenly spaced arrivals: for each request served, when it
    /// came, how long it waited and its limit; and how many came.
    struct Served {
        came: Vec<(u64, Span, Span)>,
        arrivals: usize,
    }

    fn simulate(gap: impl Fn(u64) -> u64, end: u64) -> Served {
        let mut timeout = QueueTimeout::new(&profile::QueueTimeout::default());
        let (mut queue, mut served) = (VecDeque::new(), Vec::new());
        let (mut next, mut idle_at, mut arrivals) = (0, 0, 0);
        loop {
            // What comes first: the next arrival, or the server turning to the queue.
            if !queue.is_empty() && idle_at <= next {
                let now = Instant::from_nanos(idle_at * MICROSECOND);
                let (came, limit) = queue.pop_front().unwrap();
                let waited = now.since(Instant::from_nanos(came * MICROSECOND));
                if waited <= limit {
                    served.push((came, waited, limit));
                    idle_at += 1000;
                }
                if queue.is_empty() {
                    timeout.on_empty(now);
                }
                continue;
            }
            if next >= end {
                break Served {
                    came: served,
                    arrivals,
                };
            }
            let now = Instant::from_nanos(next * MICROSECOND);
            if queue.is_empty() {
                timeout.on_empty(now);
            }
            queue.push_back((next, timeout.limit(now)));
            arrivals += 1;
            idle_at = idle_at.max(next);
            next += gap(next);
        }
    }

    #[test]
    fn nobody_served_has_waited_longer_than_the_limit() {
        for gap in [1500, 1000, 900, 667, 500, 100] {
            let run = simulate(|_| gap, 2_000_000);
            assert!(
                run.came.iter().all(|&(_, waited, limit)| waited <= limit),
                "{gap}"
            );
        }
    }

    #[test]
    fn under_overload_waits_stay_at_the_target_and_the_server_stays_busy() {
        // Load 1.5 and 10. The first 100 ms pass with the long limit, and what came then waits.
        for gap in [667, 100] {
            let run = simulate(|_| gap, 10_000_000);
            let settled: Vec<_> = run
                .came
                .iter()
                .filter(|&&(came, ..)| came > 200_000)
                .collect();
            let target = Span::from_seconds(0.005);
            assert!(
                settled
                    .iter()
                    .all(|&&(_, waited, limit)| waited <= target && limit == target)
            );
            let of_capacity = run.came.len() as f64 / 10_000.0;
            assert!((0.99..1.01).contains(&of_capacity), "{gap}: {of_capacity}");
        }
    }

    #[test]
    fn a_burst_that_is_worked_off_within_the_interval_loses_nothing() {
        // Bursts of 90 at once every 200 ms: load 0.45, waits of up to 89 ms.
        let gap = |now: u64| {
            if now % 200_000 == 89 { 200_000 - 89 } else { 1 }
        };
        let run = simulate(gap, 4_000_000);
        assert_eq!(run.came.len(), run.arrivals);
        let longest = run.came.iter().map(|&(_, waited, _)| waited).max().unwrap();
        assert!(longest > Span::from_seconds(0.088));
    }

    #[test]
    fn below_capacity_nothing_is_lost() {
        let run = simulate(|_| 1001, 2_000_000);
        assert_eq!(run.came.len(), run.arrivals);
    }

    #[test]
    fn the_limit_falls_when_the_queue_has_not_been_empty_for_an_interval() {
        let mut timeout = QueueTimeout::new(&profile::QueueTimeout::default());
        let at = Instant::from_seconds;
        assert_eq!(timeout.limit(at(0.1)), Span::from_seconds(0.1));
        assert_eq!(timeout.limit(at(0.100_001)), Span::from_seconds(0.005));
        timeout.on_empty(at(5.0));
        assert_eq!(timeout.limit(at(5.1)), Span::from_seconds(0.1));
        // A moment told late does not count backwards.
        timeout.on_empty(at(1.0));
        assert_eq!(timeout.limit(at(5.1)), Span::from_seconds(0.1));
    }

    proptest! {
        #[test]
        fn the_limit_is_one_of_two_whatever_happens(
            (target, interval) in (0.0..=1e5_f64, 0.0..=1e5_f64),
            calls in prop::collection::vec((any::<u64>(), any::<bool>()), 0..50),
        ) {
            let mut timeout = QueueTimeout::new(&profile::QueueTimeout {
                target_seconds: target, interval_seconds: interval,
            });
            for (now, empty) in calls {
                let now = Instant::from_nanos(now);
                if empty {
                    timeout.on_empty(now);
                }
                let limit = timeout.limit(now);
                prop_assert!(limit == Span::from_seconds(target) || limit == Span::from_seconds(interval));
            }
        }
    }
}
