//! Telemetry: folds the event stream into what can be measured at a moment.
//!
//! Every rate is over a trailing window of `telemetry.window_seconds`, every rolling latency over
//! one of `telemetry.latency_window_seconds`. λ is given twice, as offered and as accepted: with
//! what workers took as μ, the change of the queue's length is accepted − taken at every tick,
//! exactly; with what was offered it is not.

pub mod grid;
mod rolling;
mod series;

use std::collections::VecDeque;
use std::rc::Rc;

pub use rolling::{RollingLatency, quantile_sorted};
pub use series::{COLUMNS, News, Seen, Series};

use crate::arrival::Horizon;
use crate::detector::State;
use crate::event::{Event, Fact};
use crate::profile::{DetectorMethod, Profile};
use crate::runtime::Runtime;
use crate::units::{Instant, Rate, Span};

/// Counts since the start of the run, and sums of moments that integrals over time are made of.
///
/// At every event: created = refused + admitted + those whose senders wait at the entrance, and
/// admitted = waiting + busy + completed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests created.
    pub created: u64,
    /// Requests refused by the gate or the full queue.
    pub refused: u64,
    /// Requests whose senders were made to wait at the entrance, for however long.
    pub blocked: u64,
    /// Requests taken in by the queue.
    pub admitted: u64,
    /// Requests taken by workers.
    pub started: u64,
    /// Services ended, well or not.
    pub completed: u64,
    /// Services ended well.
    pub succeeded: u64,
    /// Faults injected.
    pub faults: u64,
    /// Changes of the detector's state and of the throttle.
    pub adaptations: u64,
    /// Sum of the moments of admission, in nanoseconds.
    admitted_at: u128,
    /// Sum of the moments at which workers took requests, in nanoseconds.
    started_at: u128,
    /// Sum of the moments at which services ended, in nanoseconds.
    completed_at: u128,
}

impl Counts {
    /// Requests waiting in the queue.
    #[inline]
    #[must_use]
    pub fn waiting(&self) -> u32 {
        (self.admitted - self.started) as u32
    }

    /// Workers at work.
    #[inline]
    #[must_use]
    pub fn busy(&self) -> u32 {
        (self.started - self.completed) as u32
    }

    /// Records in the event stream.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.created
            + self.refused
            + self.blocked
            + self.admitted
            + self.started
            + self.completed
            + self.faults
            + self.adaptations
    }

    /// The number waiting, integrated over time up to `now`, in request-nanoseconds; `now` is no
    /// earlier than what has been counted.
    ///
    /// Everyone who waits at `now` has waited since admission: `∫ Q dt = Σ started − Σ admitted +
    /// Q · now`, over moments.
    #[must_use]
    pub fn waiting_nanos(&self, now: Instant) -> u128 {
        integral(self.started_at, self.admitted_at, self.waiting(), now)
    }

    /// The number of busy workers, integrated over time up to `now`, in worker-nanoseconds.
    #[must_use]
    pub fn busy_nanos(&self, now: Instant) -> u128 {
        integral(self.completed_at, self.started_at, self.busy(), now)
    }
}

fn integral(left: u128, came: u128, there: u32, now: Instant) -> u128 {
    left + u128::from(now.nanos()) * u128::from(there) - came
}

/// What is measured at a tick.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// When.
    pub at: Instant,
    /// λ as offered: requests created.
    pub offered: Rate,
    /// λ as accepted: requests admitted to the queue.
    pub accepted: Rate,
    /// μ: requests taken by workers.
    pub taken: Rate,
    /// Services ended, of any outcome.
    pub throughput: Rate,
    /// Good answers.
    pub goodput: Rate,
    /// dQ/dt over the rate window, in requests per second; 0 until there is a whole window.
    pub derivative: f64,
    /// dQ/dt since the last tick, in requests per second.
    pub derivative_tick: f64,
    /// Requests waiting.
    pub queue: u32,
    /// The fewest waiting since the last tick.
    pub queue_min: u32,
    /// The most waiting since the last tick.
    pub queue_max: u32,
    /// Q/K; none for an unbounded queue.
    pub saturation: Option<f64>,
    /// Workers at work.
    pub busy: u32,
    /// Rolling latency, in seconds; none with too few completions in the window.
    pub latency_mean: Option<f64>,
    /// Rolling median.
    pub latency_p50: Option<f64>,
    /// Rolling 95th percentile.
    pub latency_p95: Option<f64>,
    /// Rolling 99th percentile.
    pub latency_p99: Option<f64>,
    /// Completions in the latency window.
    pub latency_samples: usize,
    /// p95 of the latencies among the latest events, where the detector's method wants it.
    pub recent_p95: Option<f64>,
    /// Requests that ended badly, of those that ended, over the rate window.
    pub error_ratio: f64,
    /// Age of the oldest request in the queue, in seconds.
    pub oldest: Option<f64>,
    /// The detector's state after this tick.
    pub state: Option<State>,
    /// The throttle's mean delay after this tick.
    pub throttle_delay: Span,
}

/// Folds events; gives a [`Sample`] at each tick.
pub struct Telemetry {
    counts: Counts,
    capacity: Option<u32>,
    window_ticks: usize,
    latency_min_samples: usize,
    /// Counts at the latest ticks, as many as the window is long, and one more.
    ticks: VecDeque<(Instant, Counts)>,
    latency: RollingLatency,
    /// Latencies among the latest events, for the instant method.
    recent: Option<Recent>,
    queue_min: u32,
    queue_max: u32,
}

struct Recent {
    most: usize,
    events: VecDeque<Option<Span>>,
}

impl Recent {
    fn push(&mut self, latency: Option<Span>) {
        if self.events.len() == self.most {
            self.events.pop_front();
        }
        self.events.push_back(latency);
    }

    fn p95(&self) -> Option<f64> {
        let mut latencies: Vec<f64> = self
            .events
            .iter()
            .flatten()
            .map(|span| span.seconds())
            .collect();
        latencies.sort_by(f64::total_cmp);
        quantile_sorted(&latencies, 0.95)
    }
}

impl Telemetry {
    /// Telemetry as the profile wants it.
    #[must_use]
    pub fn new(profile: &Profile) -> Self {
        let rules = &profile.telemetry;
        let instant =
            profile.detector.enabled && profile.detector.method == DetectorMethod::Instant;
        Self {
            counts: Counts::default(),
            capacity: profile.queue.capacity,
            window_ticks: window_ticks(profile),
            latency_min_samples: rules.latency_min_samples as usize,
            ticks: VecDeque::new(),
            latency: RollingLatency::new(Span::from_seconds(rules.latency_window_seconds)),
            recent: instant.then(|| Recent {
                most: profile.detector.instant.recent_events as usize,
                events: VecDeque::new(),
            }),
            queue_min: 0,
            queue_max: 0,
        }
    }

    /// The counts so far.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Folds one event.
    #[inline(always)]
    pub fn fold(&mut self, event: &Event<'_>) {
        let counts = &mut self.counts;
        let mut recent = None;
        match event.fact {
            Fact::Created(_) => {
                counts.created += 1;
                recent = Some(None);
            }
            Fact::Blocked(_) => counts.blocked += 1,
            Fact::Throttled { .. } => {
                counts.refused += 1;
                recent = Some(None);
            }
            Fact::Admitted { waiting, .. } => {
                counts.admitted += 1;
                counts.admitted_at += u128::from(event.at.nanos());
                self.queue_max = self.queue_max.max(waiting);
            }
            Fact::Started { waiting, .. } => {
                counts.started += 1;
                counts.started_at += u128::from(event.at.nanos());
                self.queue_min = self.queue_min.min(waiting);
            }
            Fact::Completed {
                request, outcome, ..
            } => {
                counts.completed += 1;
                counts.completed_at += u128::from(event.at.nanos());
                counts.succeeded += u64::from(outcome.is_good());
                let latency = event.at - request.created;
                self.latency.add(event.at, latency);
                recent = Some((!latency.is_zero()).then_some(latency));
            }
            Fact::Fault { .. } => counts.faults += 1,
            Fact::Transition { .. } | Fact::Adapted { .. } => counts.adaptations += 1,
        }
        if let (Some(ring), Some(latency)) = (&mut self.recent, recent) {
            ring.push(latency);
        }
    }

    /// Measures at a tick. The detector's state and the throttle's delay are filled in later.
    pub fn sample(&mut self, now: Instant, oldest: Option<Instant>) -> Sample {
        let counts = self.counts;
        let (waiting, busy) = (counts.waiting(), counts.busy());
        let last = self.ticks.back().copied().unwrap_or_default();
        self.ticks.push_back((now, counts));
        // The window's start: one window ago, or the start of the run while that is nearer.
        let whole_window = self.ticks.len() > self.window_ticks;
        let (start, before) = if whole_window {
            self.ticks[0]
        } else {
            (Instant::ZERO, Counts::default())
        };
        if whole_window {
            self.ticks.pop_front();
        }
        let span = now - start;
        let rate = |of: fn(&Counts) -> u64| Rate::of(of(&counts) - of(&before), span);
        let slope = |from: u32, span: Span| (f64::from(waiting) - f64::from(from)) / span.seconds();

        self.latency.settle(now);
        let enough = self.latency.count() >= self.latency_min_samples;
        let quantiles = if enough {
            self.latency.quantiles([0.5, 0.95, 0.99])
        } else {
            None
        };
        let [p50, p95, p99] = quantiles.map_or([None; 3], |quantiles| quantiles.map(Some));
        let ended = |c: &Counts| c.refused + c.completed;
        let bad = |c: &Counts| c.refused + c.completed - c.succeeded;
        let ended_within = ended(&counts) - ended(&before);
        let sample = Sample {
            at: now,
            offered: rate(|c| c.created),
            accepted: rate(|c| c.admitted),
            taken: rate(|c| c.started),
            throughput: rate(|c| c.completed),
            goodput: rate(|c| c.succeeded),
            derivative: if whole_window {
                slope(before.waiting(), span)
            } else {
                0.0
            },
            derivative_tick: slope(last.1.waiting(), now - last.0),
            queue: waiting,
            queue_min: self.queue_min.min(waiting),
            queue_max: self.queue_max.max(waiting),
            saturation: self
                .capacity
                .map(|capacity| f64::from(waiting) / f64::from(capacity)),
            busy,
            latency_mean: self.latency.mean().filter(|_| enough),
            latency_p50: p50,
            latency_p95: p95,
            latency_p99: p99,
            latency_samples: self.latency.count(),
            recent_p95: self.recent.as_ref().and_then(Recent::p95),
            error_ratio: if ended_within == 0 {
                f64::NAN
            } else {
                (bad(&counts) - bad(&before)) as f64 / ended_within as f64
            },
            oldest: oldest.map(|created| (now - created).seconds()),
            state: None,
            throttle_delay: Span::ZERO,
        };
        self.queue_min = waiting;
        self.queue_max = waiting;
        sample
    }
}

/// The rate window in whole ticks, at least one.
#[must_use]
pub fn window_ticks(profile: &Profile) -> usize {
    let ticks = profile.telemetry.window_seconds / profile.telemetry.interval_seconds;
    ((ticks + 0.5) as usize).max(1)
}

/// The ticking stage: calls `tick` at every multiple of the interval up to and including the
/// horizon, and until it says that all work is done.
pub async fn ticks<R: Runtime>(
    runtime: R,
    interval: Span,
    horizon: Rc<Horizon>,
    tick: impl Fn(Instant) -> bool,
) {
    let mut next = Instant::ZERO + interval;
    while next <= horizon.at() {
        runtime.rest_until(next).await;
        if next > horizon.at() || tick(next) {
            break;
        }
        next += interval;
    }
}
