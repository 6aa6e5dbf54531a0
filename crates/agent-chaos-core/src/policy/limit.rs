//! Concurrency limits: how many requests may be in the server at a time, found from its latency.
//!
//! ```text
//!   arrives ──► in flight < limit? ──► yes: queue, service ──► answer ──┐
//!                   ▲          └─────► no: refused                      │
//!                   └───────────── limit ◄── on_sample(rtt, in flight, dropped)
//! ```
//!
//! In flight are the requests queued and in service, L is the limit, and one sample per answer
//! moves it (rtt is the time from admission to the answer):
//!
//! | kind | rule, at each sample |
//! | --- | --- |
//! | fixed | L = `initial` |
//! | aimd | dropped, or rtt > timeout: L ← ⌊L · backoff ratio⌋; else if 2 · in flight ≥ L: L ← L + 1 |
//! | vegas | with q = ⌈L (1 − rtt₀/rtt)⌉ and l = max(1, ⌊log₁₀ L⌋): see below |
//! | gradient2 | g = tolerance · long/rtt within 0.5 … 1; L ← (1 − s) L + s (g L + queue size) |
//!
//! all within `min` … `max`.
//!
//! *AIMD* saws: up by one per answer, down to 0.9 L per drop.
//!
//! *Vegas* takes the least rtt seen for the rtt without a queue, rtt₀; by Little's law q is then what
//! waits. A drop: L − l. Otherwise, unless fewer than half of L are in flight: q ≤ l: L + βl; q < αl:
//! L + l; q > βl: L − l; in between nothing. A sample that lowers rtt₀ does nothing else. After
//! ¾ · probe multiplier · L samples rtt₀ is set to the sample at hand, in case the service has become
//! slower; the source draws that factor from 0.5 to 1 each time, here it is the mean. If a queue is
//! standing then, it is taken for no queue, and the limit grows by what waited.
//!
//! *Gradient2* compares each rtt with its long average: the mean of the first ten samples, from then
//! on exponential with weight 2/(long window + 1). If that average is more than twice the rtt, it
//! shrinks by 5 % at each sample. While fewer than L/2 are in flight, L stays. A constant g < 1 leads
//! to L = queue size / (1 − g). As the long average follows the rtt, a standing queue is forgotten
//! after some long windows: it answers to changes of latency, not to latency. Drops do not count.
//!
//! Source: Netflix concurrency-limits, `FixedLimit`, `AIMDLimit`, `VegasLimit`, `Gradient2Limit`. There
//! `WindowedLimit` may stand in front, which averages the samples of one second; here every
//! answer is a sample. Its limits are 20 to 200, for Vegas 1 to 1000.

use crate::profile::{ConcurrencyLimit, LimitKind};
use crate::units::{Instant, Span};

/// Samples whose plain mean the long average of Gradient2 begins with.
const WARM_UP: u32 = 10;

/// How many requests may be in the server at a time.
#[derive(Clone, Debug)]
pub struct Limit {
    limit: u32,
    min: u32,
    max: u32,
    law: Law,
}

#[derive(Clone, Debug)]
enum Law {
    Fixed,
    Aimd {
        backoff_ratio: f64,
        timeout: Span,
    },
    Vegas {
        alpha: u32,
        beta: u32,
        probe_multiplier: u32,
        /// The least rtt, in nanoseconds; 0 before the first sample.
        no_load: u64,
        samples: u64,
    },
    Gradient2 {
        estimate: f64,
        long: LongAverage,
        queue_size: f64,
        smoothing: f64,
        tolerance: f64,
    },
}

impl Limit {
    /// The limit at the start.
    #[must_use]
    pub fn new(rules: &ConcurrencyLimit) -> Self {
        let min = rules.min.max(1);
        let max = rules.max.max(min);
        let initial = rules.initial.max(1);
        let law = match rules.kind {
            LimitKind::Fixed => Law::Fixed,
            LimitKind::Aimd => Law::Aimd {
                backoff_ratio: rules.backoff_ratio,
                timeout: Span::from_seconds(rules.timeout_seconds),
            },
            LimitKind::Vegas => Law::Vegas {
                alpha: rules.alpha,
                beta: rules.beta,
                probe_multiplier: rules.probe_multiplier,
                no_load: 0,
                samples: 0,
            },
            LimitKind::Gradient2 => Law::Gradient2 {
                estimate: f64::from(initial.clamp(min, max)),
                long: LongAverage::new(rules.long_window),
                queue_size: f64::from(rules.queue_size),
                smoothing: rules.smoothing,
                tolerance: rules.tolerance,
            },
        };
        Self {
            limit: match law {
                Law::Fixed => initial,
                _ => initial.clamp(min, max),
            },
            min,
            max,
            law,
        }
    }

    /// The limit at present, at least 1.
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// An answer has come, or its request was dropped; the new limit, if it is another one now.
    ///
    /// `rtt` is the time since the request was admitted, `inflight` how many were in flight when it
    /// was, itself included.
    pub fn on_sample(
        &mut self,
        _now: Instant,
        rtt: Span,
        inflight: u32,
        dropped: bool,
    ) -> Option<u32> {
        let limit = self.limit;
        // No answer takes no time; the least there is keeps the ratios finite.
        let nanos = rtt.nanos().max(1);
        let wanted = match &mut self.law {
            Law::Fixed => return None,
            Law::Aimd {
                backoff_ratio,
                timeout,
            } => {
                if dropped || rtt > *timeout {
                    (f64::from(limit) * *backoff_ratio) as u32
                } else if inflight.saturating_mul(2) >= limit {
                    limit.saturating_add(1)
                } else {
                    limit
                }
            }
            Law::Vegas {
                alpha,
                beta,
                probe_multiplier,
                no_load,
                samples,
            } => {
                *samples += 1;
                let period = 3 * u64::from(*probe_multiplier) * u64::from(limit);
                if *samples * 4 >= period {
                    *samples = 0;
                    *no_load = nanos;
                    return None;
                }
                if *no_load == 0 || nanos < *no_load {
                    *no_load = nanos;
                    return None;
                }
                let step = limit.checked_ilog10().unwrap_or(0).max(1);
                // ⌈L (rtt − rtt₀) / rtt⌉ is at most L.
                let waiting = u128::from(limit) * u128::from(nanos - *no_load);
                let queue = waiting.div_ceil(u128::from(nanos)) as u32;
                let (alpha, beta) = (step.saturating_mul(*alpha), step.saturating_mul(*beta));
                if dropped {
                    limit.saturating_sub(step)
                } else if inflight.saturating_mul(2) < limit {
                    limit
                } else if queue <= step {
                    limit.saturating_add(beta)
                } else if queue < alpha {
                    limit.saturating_add(step)
                } else if queue > beta {
                    limit.saturating_sub(step)
                } else {
                    limit
                }
            }
            Law::Gradient2 {
                estimate,
                long,
                queue_size,
                smoothing,
                tolerance,
            } => {
                let short = nanos as f64;
                let baseline = long.follow(short);
                if baseline / short > 2.0 {
                    long.shrink();
                }
                if f64::from(inflight) < *estimate / 2.0 {
                    return None;
                }
                let gradient = (*tolerance * baseline / short).clamp(0.5, 1.0);
                let wanted = *estimate * gradient + *queue_size;
                let smooth = *estimate * (1.0 - *smoothing) + wanted * *smoothing;
                *estimate = smooth.clamp(f64::from(self.min), f64::from(self.max));
                *estimate as u32
            }
        };
        self.limit = wanted.clamp(self.min, self.max);
        (self.limit != limit).then_some(self.limit)
    }
}

/// An exponential average that begins as a plain mean.
#[derive(Clone, Debug)]
struct LongAverage {
    weight: f64,
    samples: u32,
    sum: f64,
    value: f64,
}

impl LongAverage {
    fn new(window: u32) -> Self {
        Self {
            weight: 2.0 / (f64::from(window) + 1.0),
            samples: 0,
            sum: 0.0,
            value: 0.0,
        }
    }

    fn follow(&mut self, sample: f64) -> f64 {
        if self.samples < WARM_UP {
            self.samples += 1;
            self.sum += sample;
            self.value = self.sum / f64::from(self.samples);
        } else {
            self.value = self.value * (1.0 - self.weight) + sample * self.weight;
        }
        self.value
    }

    fn shrink(&mut self) {
        self.value *= 0.95;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(kind: LimitKind) -> ConcurrencyLimit {
        ConcurrencyLimit {
            kind,
            ..ConcurrencyLimit::default()
        }
    }

    fn milliseconds(n: f64) -> Span {
        Span::from_seconds(n / 1e3)
    }

    /// So many samples of one rtt with the limit used up; the limit after each.
    fn feed(limit: &mut Limit, samples: u32, rtt: Span) -> Vec<u32> {
        let one = |_| {
            let inflight = limit.limit();
            limit.on_sample(Instant::ZERO, rtt, inflight, false);
            limit.limit()
        };
        (0..samples).map(one).collect()
    }

    #[test]
    fn a_fixed_limit_stays_whatever_happens() {
        let mut limit = Limit::new(&ConcurrencyLimit {
            initial: 7,
            ..of(LimitKind::Fixed)
        });
        for dropped in [true, false] {
            let change = limit.on_sample(Instant::ZERO, milliseconds(9e9), 7, dropped);
            assert_eq!((change, limit.limit()), (None, 7));
        }
    }

    #[test]
    fn aimd_saws_from_the_limit_to_nine_tenths_of_it() {
        let mut limit = Limit::new(&of(LimitKind::Aimd));
        // The server drops what is beyond 100.
        let mut peaks = Vec::new();
        let mut after = Vec::new();
        for _ in 0..1000 {
            let before = limit.limit();
            let dropped = before > 100;
            limit.on_sample(Instant::ZERO, milliseconds(10.0), before, dropped);
            if dropped {
                peaks.push(before);
                after.push(limit.limit());
            }
        }
        assert!(peaks.len() > 70 && peaks.iter().all(|&peak| peak == 101));
        assert!(after.iter().all(|&low| low == 90), "⌊0.9 · 101⌋");
    }

    #[test]
    fn aimd_takes_a_late_answer_for_a_drop_and_does_not_grow_unused() {
        let mut limit = Limit::new(&ConcurrencyLimit {
            initial: 100,
            ..of(LimitKind::Aimd)
        });
        let sample = |limit: &mut Limit, seconds, inflight| {
            limit.on_sample(Instant::ZERO, Span::from_seconds(seconds), inflight, false)
        };
        assert_eq!(sample(&mut limit, 5.0, 49), None);
        assert_eq!(sample(&mut limit, 5.0, 50), Some(101));
        assert_eq!(sample(&mut limit, 5.1, 1), Some(90));
        for _ in 0..100 {
            sample(&mut limit, 5.1, 1);
        }
        assert_eq!(limit.limit(), 20);
    }

    /// A server of capacity 1000/s and 50 ms without a queue, whose limit is used up: by Little's
    /// law rtt = max(50 ms, L/C), and 50 are in service.
    fn saturated(limit: u32) -> Span {
        milliseconds(f64::from(limit).max(50.0))
    }

    #[test]
    fn vegas_settles_where_alpha_to_beta_wait() {
        for initial in [20, 54, 400] {
            let mut limit = Limit::new(&ConcurrencyLimit {
                initial,
                min: 1,
                max: 1000,
                ..of(LimitKind::Vegas)
            });
            // One sample from a server at rest.
            feed(&mut limit, 1, milliseconds(50.0));
            for _ in 0..440 {
                let rtt = saturated(limit.limit());
                feed(&mut limit, 1, rtt);
            }
            // l = 1, so that 3 to 6 wait besides the 50 in service.
            assert!(
                (53..=56).contains(&limit.limit()),
                "{initial}: {}",
                limit.limit()
            );
        }
    }

    #[test]
    fn vegas_steps_by_its_table() {
        let step = |initial, queue: u32, inflight, dropped| {
            let mut limit = Limit::new(&ConcurrencyLimit {
                initial,
                min: 1,
                max: 1000,
                ..of(LimitKind::Vegas)
            });
            feed(&mut limit, 1, milliseconds(10.0));
            // rtt = rtt₀ L / (L − q), a little less, so that rounding up gives q.
            let rtt = 10.0 * f64::from(initial) / (f64::from(initial) - f64::from(queue) + 0.5);
            limit.on_sample(Instant::ZERO, milliseconds(rtt), inflight, dropped);
            i64::from(limit.limit()) - i64::from(initial)
        };
        // Below 100 the step is 1, α 3, β 6; from 100 it is 2, 6 and 12.
        for (queue, change) in [(1, 6), (2, 1), (3, 0), (6, 0), (7, -1), (40, -1)] {
            assert_eq!(step(99, queue, 99, false), change, "99, {queue}");
        }
        for (queue, change) in [(2, 12), (3, 2), (5, 2), (6, 0), (12, 0), (13, -2)] {
            assert_eq!(step(100, queue, 100, false), change, "100, {queue}");
        }
        assert_eq!(step(100, 1, 49, false), 0, "not used");
        assert_eq!(step(100, 1, 1, true), -2, "dropped");
        assert_eq!(step(9, 9, 9, true), -1, "log₁₀ 9 counts as 1");
    }

    #[test]
    fn vegas_takes_a_standing_queue_for_none_when_it_probes() {
        let mut limit = Limit::new(&ConcurrencyLimit {
            min: 1,
            max: 1000,
            ..of(LimitKind::Vegas)
        });
        feed(&mut limit, 1, milliseconds(50.0));
        let mut peak = 0;
        // Probes come every ¾ · 30 · 55 = 1237 samples or so.
        for _ in 0..5000 {
            let rtt = saturated(limit.limit());
            feed(&mut limit, 1, rtt);
            peak = peak.max(limit.limit());
        }
        assert!(peak > 60, "{peak}");
    }

    /// Long windows, so that the average stays where it began.
    fn gradient(rtt_ratio: f64, samples: u32) -> Vec<u32> {
        let mut limit = Limit::new(&ConcurrencyLimit {
            min: 1,
            long_window: 1_000_000,
            ..of(LimitKind::Gradient2)
        });
        feed(&mut limit, WARM_UP, milliseconds(10.0));
        feed(&mut limit, samples, milliseconds(10.0 * rtt_ratio))
    }

    #[test]
    fn gradient2_settles_at_the_queue_size_over_one_minus_the_gradient() {
        // g = 1.5 / ratio, cut at 0.5.
        for (ratio, gradient_of) in [(2.0, 0.75), (2.5, 0.6), (10.0, 0.5), (1.6, 0.9375)] {
            let settled = *gradient(ratio, 400).last().unwrap();
            let fixed_point = 4.0 / (1.0 - gradient_of);
            assert!(
                (f64::from(settled) - fixed_point).abs() <= 1.0,
                "{ratio}: {settled}, expected {fixed_point}"
            );
        }
    }

    #[test]
    fn gradient2_grows_by_a_fifth_of_the_queue_size_while_latency_is_tolerable() {
        let limits = gradient(1.5, 100);
        // 20 after the start, +0.8 at each of the 10 samples of the warm-up and of these.
        assert_eq!(limits[0], 28);
        assert_eq!(limits[99], 20 + (0.8 * 110.0) as u32);
        assert_eq!(*gradient(1.0, 1000).last().unwrap(), 200);
    }

    #[test]
    fn gradient2_forgets_a_standing_queue() {
        let mut limit = Limit::new(&of(LimitKind::Gradient2));
        feed(&mut limit, 200, milliseconds(10.0));
        assert_eq!(limit.limit(), 180);
        let limits = feed(&mut limit, 3000, milliseconds(40.0));
        assert!(limits.contains(&20), "cut down at first");
        assert_eq!(limits.last(), Some(&200), "and then taken for usual");
    }

    #[test]
    fn gradient2_finds_its_way_back_after_a_long_slow_time() {
        let mut limit = Limit::new(&of(LimitKind::Gradient2));
        feed(&mut limit, 5000, milliseconds(1000.0));
        feed(&mut limit, 100, milliseconds(10.0));
        let Law::Gradient2 { long, .. } = limit.law else {
            unreachable!("the kind asked for")
        };
        // 5 % a sample: from 1000 ms to twice 10 ms in 72. By its window alone it were at 720 ms.
        assert!(long.value <= 20e6, "{}", long.value);
    }

    #[test]
    fn an_unused_limit_does_not_grow() {
        for kind in [LimitKind::Aimd, LimitKind::Vegas, LimitKind::Gradient2] {
            let mut limit = Limit::new(&of(kind));
            for _ in 0..100 {
                limit.on_sample(Instant::ZERO, milliseconds(10.0), 9, false);
            }
            assert_eq!(limit.limit(), 20, "{kind:?}");
        }
    }

    proptest! {
        #[test]
        fn every_limit_stays_within_its_bounds(
            kind in 0..4_usize,
            mut bounds in prop::array::uniform3(1..=1_000_000_u32),
            (backoff_ratio, timeout) in (0.0..=1.0_f64, 0.0..=1e5_f64),
            (alpha, beta, probe) in (1..=1000_u32, 1..=1000_u32, 1..=100_000_u32),
            (smoothing, queue_size) in (0.0..=1.0_f64, 0..=1_000_000_u32),
            (tolerance, long_window) in (1.0..=1000.0_f64, 1..=1_000_000_u32),
            samples in prop::collection::vec(
                (any::<u64>(), 0..64_u32, any::<u32>(), any::<bool>()), 1..200),
        ) {
            bounds.sort_unstable();
            let [min, initial, max] = bounds;
            let kind = [LimitKind::Fixed, LimitKind::Aimd, LimitKind::Vegas, LimitKind::Gradient2][kind];
            let mut limit = Limit::new(&ConcurrencyLimit {
                kind, initial, min, max, backoff_ratio, timeout_seconds: timeout, alpha, beta,
                probe_multiplier: probe, smoothing, queue_size, tolerance, long_window,
            });
            for (rtt, shift, inflight, dropped) in samples {
                let before = limit.limit();
                let rtt = Span::from_nanos(rtt >> shift);
                let change = limit.on_sample(Instant::ZERO, rtt, inflight, dropped);
                prop_assert_eq!(change, (limit.limit() != before).then_some(limit.limit()));
                prop_assert!((min..=max).contains(&limit.limit()));
            }
        }
    }
}
