//! The autoscaler: how many workers there should be, found from how busy they are.
//!
//! ```text
//!   mean of the metric over the period ──► decide(now, workers, metric), every so many seconds
//!                                                │
//!      ⌈n · metric / target⌉  ──► unless within the tolerance: n
//!                             ──► down only to the highest wish of the scale-down window
//!                             ──► not during the cooldown; by the step at the most; min … max
//! ```
//!
//! The caller asks every `every_seconds`, brings the workers up after `lag_seconds`, and brings the
//! metric: busy worker-seconds of the period, or the mean number of requests waiting, divided by the
//! workers there are to be. Those ordered and not yet ready count among them, as idle: if they did
//! not, the autoscaler would order them again at every period of the lag.
//!
//! The wishes of the window include the number there was at the first call, so that nothing is
//! taken away before a whole window has passed, as in Kubernetes. There too, scaling up is not
//! delayed. Kubernetes by default adds at most as many as there are, or four, per 15 s, whichever is
//! more; here the step is a number, and without limit by default. It has no cooldown now; earlier
//! versions had.
//!
//! With a load of a busy workers, utilization settles where `|a/(n·target) − 1|` is within the tolerance:
//! within 10 % of the target, and what rounding up to a whole worker adds.
//!
//! Source: Kubernetes, *Horizontal Pod Autoscaling* (the algorithm, its tolerance of 0.1, period of
//! 15 s, and downscale stabilization of 300 s) and its controller.

use std::collections::VecDeque;

use crate::profile;
use crate::units::{Instant, Span};

/// What rounding errors may add before a worker more is asked for.
const NEGLIGIBLE: f64 = 1e-9;

/// How many workers there should be.
#[derive(Clone, Debug)]
pub struct Autoscaler {
    target: f64,
    tolerance: f64,
    window: Span,
    cooldown: Span,
    step: u32,
    min: u32,
    max: u32,
    /// The wishes within the window that no later one exceeds, and when they were: the highest first.
    wishes: VecDeque<(Instant, u32)>,
    asked: bool,
    rests_until: Instant,
}

impl Autoscaler {
    /// An autoscaler that has not been asked.
    #[must_use]
    pub fn new(rules: &profile::Autoscaler) -> Self {
        let min = rules.min.max(1);
        Self {
            target: rules.target,
            tolerance: rules.tolerance,
            window: Span::from_seconds(rules.scale_down_window_seconds),
            cooldown: Span::from_seconds(rules.cooldown_seconds),
            step: rules.step.map_or(u32::MAX, |step| step.max(1)),
            min,
            max: rules.max.max(min),
            wishes: VecDeque::new(),
            asked: false,
            rests_until: Instant::ZERO,
        }
    }

    /// How many workers there should be, of which `current` have been ordered so far.
    ///
    /// `metric` is the mean over the last period, per worker of `current`: utilization, or requests
    /// waiting. An undefined one changes nothing.
    pub fn decide(&mut self, now: Instant, current: u32, metric: f64) -> u32 {
        if !self.asked {
            self.asked = true;
            self.wish(now, current);
        }
        let wanted = self.wanted(current, metric);
        self.wish(now, wanted);
        let wanted = if wanted < current {
            let highest = self.wishes.front().map_or(wanted, |&(_, wish)| wish);
            highest.min(current)
        } else {
            wanted
        };
        let wanted = if now < self.rests_until {
            current
        } else {
            let least = current.saturating_sub(self.step);
            wanted.clamp(least, current.saturating_add(self.step))
        };
        let decided = wanted.clamp(self.min, self.max);
        if decided != current {
            self.rests_until = now + self.cooldown;
        }
        decided
    }

    /// What this metric alone asks for.
    fn wanted(&self, current: u32, metric: f64) -> u32 {
        let ratio = metric / self.target;
        if !ratio.is_finite() || (ratio - 1.0).abs() <= self.tolerance + NEGLIGIBLE {
            return current;
        }
        let workers = f64::from(current) * ratio;
        // A cast saturates, and takes what is negative for none.
        (workers * (1.0 - NEGLIGIBLE)).ceil() as u32
    }

    fn wish(&mut self, now: Instant, workers: u32) {
        while self.wishes.back().is_some_and(|&(_, wish)| wish <= workers) {
            self.wishes.pop_back();
        }
        self.wishes.push_back((now, workers));
        while let Some(&(at, _)) = self.wishes.front()
            && self.wishes.len() > 1
            && now.since(at) >= self.window
        {
            self.wishes.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rules() -> profile::Autoscaler {
        profile::Autoscaler::default()
    }

    /// A load of so many busy workers, which may change with time; the number of workers after each
    /// period of 15 s. New ones are ready after 30 s, and count as idle until then.
    fn run(
        rules: &profile::Autoscaler,
        start: u32,
        periods: u32,
        load: impl Fn(u32) -> f64,
    ) -> Vec<u32> {
        let mut autoscaler = Autoscaler::new(rules);
        let (mut ordered, mut ready) = (start, VecDeque::from([start, start]));
        let one = |period: u32| {
            let now = Instant::from_seconds(f64::from(period + 1) * rules.every_seconds);
            let serving = f64::from(ready.pop_front().unwrap().min(ordered));
            let utilization = load(period).min(serving) / f64::from(ordered);
            ordered = autoscaler.decide(now, ordered, utilization);
            ready.push_back(ordered);
            ordered
        };
        (0..periods).map(one).collect()
    }

    #[test]
    fn utilization_settles_within_a_tenth_of_the_target_and_rounding() {
        for start in [1, 10, 100] {
            for load in [0.5, 1.0, 3.3, 7.0, 20.0, 50.0, 69.0] {
                let workers = *run(&rules(), start, 200, |_| load).last().unwrap();
                let ratio_with = |workers| load / f64::from(workers) / 0.7;
                let place = format!("{load} from {start}: {workers}");
                assert!(ratio_with(workers) <= 1.1 + 1e-6, "{place}");
                // Below the tolerance only where one worker fewer would be above the target.
                let rounded = workers == 1 || ratio_with(workers - 1) > 1.0;
                assert!(ratio_with(workers) >= 0.9 - 1e-6 || rounded, "{place}");
            }
        }
    }

    #[test]
    fn it_asks_for_the_ceiling_of_the_ratio() {
        for (workers, metric, expected) in [
            (10, 0.76, 10),
            (10, 0.77, 10),
            (10, 0.78, 12),
            (10, 1.0, 15),
            (10, 1.4, 20),
            (7, 0.8, 8),
            (100, 5.0, 100),
            (4, f64::NAN, 4),
            (4, f64::INFINITY, 4),
        ] {
            let decided = Autoscaler::new(&rules()).decide(Instant::ZERO, workers, metric);
            assert_eq!(decided, expected, "{workers} at {metric}");
        }
    }

    #[test]
    fn it_scales_by_the_queue_too() {
        let mut autoscaler = Autoscaler::new(&profile::Autoscaler {
            target: 2.0,
            ..rules()
        });
        // 50 wait for 4 workers; 2 for each worker are wanted.
        assert_eq!(autoscaler.decide(Instant::ZERO, 4, 50.0 / 4.0), 25);
    }

    #[test]
    fn scaling_up_is_at_once_and_down_after_the_window() {
        let load = |period| {
            if (40..60).contains(&period) {
                28.0
            } else {
                7.0
            }
        };
        let workers = run(&rules(), 10, 120, load);
        assert!(workers[..40].iter().all(|&n| n == 10));
        // ⌈10 · 1/0.7⌉ = 15 in the first period; new workers begin to count two periods later.
        assert_eq!(workers[40], 15);
        let peak = *workers[40..60].iter().max().unwrap();
        assert!((37..=44).contains(&peak), "{peak}");
        // The last wish for so many is from period 59 at the latest: 20 periods are 300 s.
        assert!(workers[60..75].iter().all(|&n| n == peak));
        assert!((10..=11).contains(&workers[119]), "{}", workers[119]);
    }

    #[test]
    fn nothing_is_taken_away_within_the_first_window() {
        let workers = run(&rules(), 50, 60, |_| 7.0);
        // The first call is at 15 s; 300 s later its number is forgotten.
        assert!(workers[..20].iter().all(|&n| n == 50));
        assert_eq!(workers[20], 10);
    }

    #[test]
    fn a_step_and_a_cooldown_slow_it_down() {
        let slow = profile::Autoscaler {
            step: Some(2),
            cooldown_seconds: 60.0,
            ..rules()
        };
        let workers = run(&slow, 10, 13, |_| 70.0);
        assert_eq!(
            workers,
            [12, 12, 12, 12, 14, 14, 14, 14, 16, 16, 16, 16, 18]
        );
    }

    #[test]
    fn workers_on_their_way_are_not_ordered_twice() {
        // 14 busy at a target of 0.7 are 20 workers; if those ordered were not counted as idle
        // while they come, 10 would become 15, 22 and 32 within the 30 s.
        let workers = run(&rules(), 10, 40, |_| 14.0);
        assert!(workers.iter().all(|&n| n <= 22), "{workers:?}");
    }

    #[test]
    fn the_bounds_hold_at_once() {
        let bounded = profile::Autoscaler {
            min: 3,
            max: 5,
            ..rules()
        };
        assert_eq!(run(&bounded, 1, 1, |_| 0.7), [3]);
        assert_eq!(run(&bounded, 9, 1, |_| 6.3), [5]);
    }

    proptest! {
        #[test]
        fn every_decision_is_within_the_bounds_and_the_step(
            (target, tolerance, utilization) in (0.001..=1e6_f64, 0.0..=10.0_f64, any::<bool>()),
            (window, cooldown) in (0.0..=1e5_f64, 0.0..=1e5_f64),
            step in prop::option::of(1..=100_000_u32),
            mut bounds in prop::array::uniform2(1..=100_000_u32),
            calls in prop::collection::vec((0.0..1e5_f64, any::<u32>(), any::<f64>()), 1..60),
        ) {
            use profile::ScalingMetric::{Queue, Utilization};
            bounds.sort_unstable();
            let [min, max] = bounds;
            let mut autoscaler = Autoscaler::new(&profile::Autoscaler {
                metric: if utilization { Utilization } else { Queue },
                target, tolerance, scale_down_window_seconds: window, cooldown_seconds: cooldown,
                step, min, max, ..rules()
            });
            let mut now = Instant::ZERO;
            for (gap, current, metric) in calls {
                now += Span::from_seconds(gap);
                let decided = autoscaler.decide(now, current, metric);
                prop_assert!((min..=max).contains(&decided));
                if (min..=max).contains(&current) {
                    prop_assert!(decided.abs_diff(current) <= step.unwrap_or(u32::MAX));
                }
            }
        }

        /// Down to the highest wish of the window, by looking at all of them.
        #[test]
        fn the_highest_wish_of_the_window_holds(
            calls in prop::collection::vec((1_u64..200, 0.0..3.0_f64), 1..100),
        ) {
            let mut autoscaler = Autoscaler::new(&rules());
            let (mut now, mut current, mut wishes) = (0, 50, vec![]);
            for (gap, metric) in calls {
                now += gap;
                let wanted = autoscaler.wanted(current, metric);
                if wishes.is_empty() {
                    wishes.push((now, current));
                }
                wishes.push((now, wanted));
                let within = wishes.iter().filter(|&&(at, _)| now - at < 300);
                let highest = within.map(|&(_, wish)| wish).max().unwrap();
                let expected = if wanted < current { highest.min(current) } else { wanted };
                let at = Instant::from_nanos(now * 1_000_000_000);
                let decided = autoscaler.decide(at, current, metric);
                prop_assert_eq!(decided, expected.clamp(1, 100));
                current = decided;
            }
        }
    }
}
