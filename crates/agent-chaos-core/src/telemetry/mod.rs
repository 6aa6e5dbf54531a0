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
pub(crate) use series::merge_rows;
pub use series::{COLUMNS, News, Seen, Series};

use crate::arrival::Horizon;
use crate::detector::State;
use crate::event::{Crew, Event, Fact, Fault, Removal, Resource, Sending, Step};
use crate::policy::breaker::BreakerState;
use crate::profile::{DetectorMethod, Profile};
use crate::runtime::Runtime;
use crate::units::{Instant, Rate, Span};

/// Counts since the start of the run, and sums of moments that integrals over time are made of.
///
/// At every event: arrived = refused + admitted + those whose senders wait at the entrance, or have
/// left it, and admitted = waiting + busy + completed + removed + lost. Without client policies and
/// network every request arrives when it is created.
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
    /// Changes of the detector's state, of the throttle, of the workers, and of whatever controllers
    /// and interventions change.
    pub adaptations: u64,
    /// Requests taken out of the queue unserved.
    pub removed: u64,
    /// Requests whose senders left the entrance without having been let in.
    pub left_entrance: u64,
    /// Requests lost in a crash of the worker that served them.
    pub lost: u64,
    /// The workers' time.
    pub crew: CrewTime,
    /// What clients and the network did.
    pub clients: ClientCounts,
    /// Sum of the moments of removal, in nanoseconds.
    removed_at: u128,
    /// Sum of the moments of loss, in nanoseconds.
    lost_at: u128,
    /// Sum of the moments of admission, in nanoseconds.
    admitted_at: u128,
    /// Sum of the moments at which workers took requests, in nanoseconds.
    started_at: u128,
    /// Sum of the moments at which services ended, in nanoseconds.
    completed_at: u128,
}

/// What clients and the network did, in counts since the start of the run.
///
/// At every event: sent = answered + errored + timed out + cancelled + pending, and requests created
/// = settled well + failed + given up + open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientCounts {
    /// Sends.
    pub sent: u64,
    /// Of these, sends after a failure.
    pub retries: u64,
    /// Of these, copies beside another send.
    pub hedges: u64,
    /// Sends that a breaker or throttle of the client did not let happen.
    pub refused: u64,
    /// Sends that reached the server.
    pub arrived: u64,
    /// Messages lost by the network.
    pub dropped: u64,
    /// Good answers to clients that waited for them.
    pub answered: u64,
    /// Bad ones, and connections that failed.
    pub errored: u64,
    /// Sends whose clients waited no longer.
    pub timed_out: u64,
    /// Sends that nobody needed any more.
    pub cancelled: u64,
    /// Requests settled well.
    pub succeeded: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Requests given up by their clients.
    pub abandoned: u64,
    /// Sends of the requests that have been settled.
    pub settled_attempts: u64,
}

/// The workers' time, in worker-nanoseconds since the start of the run.
///
/// On duty = useful + wasted + idle + stalled + down: wasted and idle are what the others leave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CrewTime {
    crew: Crew,
    since: Instant,
    on: u128,
    down: u128,
    stalled: u128,
    /// Time in which a service was under way and its worker paused.
    paused: u128,
    /// Service time behind the answers that counted.
    pub useful_nanos: u64,
}

impl CrewTime {
    /// Brings the sums up to `now`, `busy` workers having been at work since the last time.
    fn settle(&mut self, now: Instant, busy: u32) {
        let span = u128::from((now - self.since).nanos());
        let Crew { on, down, stalled } = self.crew;
        self.on += span * u128::from(on);
        self.down += span * u128::from(down);
        if stalled {
            self.stalled += span * u128::from(on - down);
            self.paused += span * u128::from(busy);
        }
        self.since = now;
    }
}

/// The workers' time by what came of it, in worker-nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CrewSums {
    /// On duty.
    pub on: u128,
    /// Of that, crashed and not restarted.
    pub down: u128,
    /// Of that, paused, at work or not.
    pub stalled: u128,
    /// Of that, at work.
    pub working: u128,
}

impl ClientCounts {
    fn fold(&mut self, step: Step) {
        match step {
            Step::Sent(sending) => {
                self.sent += 1;
                self.retries += u64::from(sending == Sending::Retry);
                self.hedges += u64::from(sending == Sending::Hedge);
            }
            Step::ShortCircuited => self.refused += 1,
            Step::Arrived => self.arrived += 1,
            Step::Dropped(_) => self.dropped += 1,
            Step::Answered(outcome) if outcome.is_good() => self.answered += 1,
            Step::Answered(_) => self.errored += 1,
            Step::TimedOut(_) => self.timed_out += 1,
            Step::Cancelled => self.cancelled += 1,
        }
    }

    /// Requests settled, well or not.
    #[must_use]
    pub fn settled(&self) -> u64 {
        self.succeeded + self.failed + self.abandoned
    }

    /// Sends under way, as far as their clients know.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.sent - self.answered - self.errored - self.timed_out - self.cancelled
    }

    fn events(&self) -> u64 {
        self.sent
            + self.refused
            + self.arrived
            + self.dropped
            + self.answered
            + self.errored
            + self.timed_out
            + self.cancelled
            + self.settled()
    }
}

impl Counts {
    /// Nothing has happened yet, and so many workers are on duty.
    fn of_workers(on: u32) -> Self {
        let mut counts = Self::default();
        counts.crew.crew.on = on;
        counts
    }

    /// Requests that the server's gate has seen.
    #[must_use]
    pub fn arrived(&self) -> u64 {
        if self.clients.sent > 0 {
            self.clients.arrived
        } else {
            self.created
        }
    }

    /// Requests that have ended, well or not: by the word of their clients where clients `settle`
    /// requests, else by the server's.
    #[must_use]
    pub fn ended(&self, settle: bool) -> u64 {
        if settle {
            self.clients.settled()
        } else {
            self.refused + self.completed + self.removed + self.left_entrance + self.lost
        }
    }

    /// Of these, those that ended well.
    #[must_use]
    pub fn ended_well(&self, settle: bool) -> u64 {
        if settle {
            self.clients.succeeded
        } else {
            self.succeeded
        }
    }

    /// Whether every request has ended, and nothing waits or is served any more.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        let ended = if self.clients.sent > 0 || self.clients.refused > 0 {
            self.clients.settled()
        } else {
            self.refused + self.completed + self.removed + self.left_entrance + self.lost
        };
        self.created == ended && self.waiting() == 0 && self.busy() == 0
    }

    /// Requests waiting in the queue.
    #[inline]
    #[must_use]
    pub fn waiting(&self) -> u32 {
        (self.admitted - self.started - self.removed) as u32
    }

    /// Workers at work.
    #[inline]
    #[must_use]
    pub fn busy(&self) -> u32 {
        (self.started - self.completed - self.lost) as u32
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
            + self.removed
            + self.left_entrance
            + self.lost
            + self.clients.events()
    }

    /// The number waiting, integrated over time up to `now`, in request-nanoseconds; `now` is no
    /// earlier than what has been counted.
    ///
    /// Everyone who waits at `now` has waited since admission: `∫ Q dt = Σ started + Σ removed −
    /// Σ admitted + Q · now`, over moments.
    #[must_use]
    pub fn waiting_nanos(&self, now: Instant) -> u128 {
        integral(
            self.started_at + self.removed_at,
            self.admitted_at,
            self.waiting(),
            now,
        )
    }

    /// The workers' time up to `now`; `now` is no earlier than what has been counted.
    #[must_use]
    pub fn crew_sums(&self, now: Instant) -> CrewSums {
        let mut crew = self.crew;
        crew.settle(now, self.busy());
        CrewSums {
            on: crew.on,
            down: crew.down,
            stalled: crew.stalled,
            working: self.busy_nanos(now) - crew.paused,
        }
    }

    /// The number of busy workers, integrated over time up to `now`, in worker-nanoseconds.
    #[must_use]
    pub fn busy_nanos(&self, now: Instant) -> u128 {
        integral(
            self.completed_at + self.lost_at,
            self.started_at,
            self.busy(),
            now,
        )
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
    /// λ as offered: requests that the server's gate sees.
    pub offered: Rate,
    /// λ as accepted: requests admitted to the queue.
    pub accepted: Rate,
    /// μ: requests taken by workers.
    pub taken: Rate,
    /// Services ended, of any outcome.
    pub throughput: Rate,
    /// Requests answered well, each once.
    pub goodput: Rate,
    /// Sends after a failure.
    pub retries: Rate,
    /// Sends whose clients waited no longer.
    pub timeouts: Rate,
    /// Requests taken out of the queue unserved.
    pub removed: Rate,
    /// Sends per request created, over the rate window; none without clients, or where none was created.
    pub amplification: Option<f64>,
    /// Requests refused by the gate or the full queue since the last tick.
    pub drops: u64,
    /// What stages show beside their events.
    pub gauges: Gauges,
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
    /// How many latencies there are among them.
    pub recent_samples: usize,
    /// Requests that ended badly, of those that ended, over the rate window.
    pub error_ratio: f64,
    /// Age of the oldest request in the queue, in seconds.
    pub oldest: Option<f64>,
    /// The detector's state after this tick.
    pub state: Option<State>,
    /// The throttle's mean delay after this tick.
    pub throttle_delay: Span,
}

/// What stages show beside their events; none where the profile has no such mechanism.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gauges {
    /// The workers there are.
    pub crew: Option<Crew>,
    /// Requests that admission lets in at a time.
    pub limit: Option<u32>,
    /// The circuit breaker.
    pub breaker: Option<BreakerState>,
    /// Connections from clients to the server in use, and sends that wait for one.
    pub connections: Option<(u32, u32)>,
    /// Connections from workers to the dependency in use, and workers that wait for one.
    pub downstream_connections: Option<(u32, u32)>,
}

/// Folds events; gives a [`Sample`] at each tick.
pub struct Telemetry {
    counts: Counts,
    /// Whether clients settle requests; else the server's word is the last.
    settles: bool,
    /// Whether it is counted what came of the workers' time, with the server's word as the last.
    counts_work: bool,
    /// The pauses of the service that ends next.
    pause: Span,
    capacity: Option<u32>,
    window_ticks: usize,
    latency_min_samples: usize,
    /// The latest ticks, as many as the window is long, and one more.
    ticks: VecDeque<Snapshot>,
    latency: RollingLatency,
    /// Latencies among the latest events, for the instant method.
    recent: Option<Recent>,
    queue_min: u32,
    queue_max: u32,
    /// Workers that the autoscaler asked for last.
    wanted: Option<u32>,
    /// Interventions under way, in the order of the timeline.
    under_way: Vec<u32>,
}

/// Counts at a tick.
#[derive(Clone, Copy, Debug, Default)]
struct Snapshot {
    at: Instant,
    waiting: u32,
    created: u64,
    sent: u64,
    refused: u64,
    arrived: u64,
    admitted: u64,
    taken: u64,
    completed: u64,
    good: u64,
    ended: u64,
    retries: u64,
    timed_out: u64,
    removed: u64,
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

    fn samples(&self) -> usize {
        self.events.iter().flatten().count()
    }

    fn p95(&self) -> Option<f64> {
        let latencies = self.events.iter().flatten();
        let mut nanos: Vec<u64> = latencies.map(|span| span.nanos()).collect();
        nanos.sort_unstable();
        let latencies = nanos
            .into_iter()
            .map(|nanos| Span::from_nanos(nanos).seconds());
        quantile_sorted(&latencies.collect::<Vec<_>>(), 0.95)
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
            counts: Counts::of_workers(profile.workers.count),
            settles: profile.has_clients(),
            counts_work: profile.has_rules() && !profile.has_clients(),
            pause: Span::ZERO,
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
            wanted: None,
            under_way: Vec::new(),
        }
    }

    /// Workers that the autoscaler asked for last; none if it has not asked for any.
    #[must_use]
    pub fn wanted(&self) -> Option<u32> {
        self.wanted
    }

    /// Interventions under way: their places in the timeline, in order.
    #[must_use]
    pub fn under_way(&self) -> &[u32] {
        &self.under_way
    }

    /// The counts so far.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Measures by this capacity from now on.
    pub fn follow(&mut self, profile: &Profile) {
        self.capacity = profile.queue.capacity;
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
                request,
                started,
                outcome,
                ..
            } => {
                if self.counts_work {
                    let pause = std::mem::take(&mut self.pause);
                    let worked = (event.at - started).nanos() - pause.nanos();
                    counts.crew.useful_nanos += worked * u64::from(outcome.is_good());
                }
                counts.completed += 1;
                counts.completed_at += u128::from(event.at.nanos());
                counts.succeeded += u64::from(outcome.is_good());
                let latency = event.at - request.created;
                self.latency.add(event.at, latency);
                recent = Some((!latency.is_zero()).then_some(latency));
            }
            Fact::Fault { fault, .. } => {
                counts.faults += 1;
                if let Fault::Pause(by) = fault {
                    self.pause = by;
                }
            }
            Fact::Transition { .. } | Fact::Adapted { .. } => counts.adaptations += 1,
            _ => self.fold_mechanism(event),
        }
        if let (Some(ring), Some(latency)) = (&mut self.recent, recent) {
            ring.push(latency);
        }
    }

    /// What only mechanisms bring about that are off in most profiles.
    #[inline(never)]
    fn fold_mechanism(&mut self, event: &Event<'_>) {
        let counts = &mut self.counts;
        let at = u128::from(event.at.nanos());
        match event.fact {
            Fact::Attempt { step, .. } => counts.clients.fold(step),
            Fact::Settled {
                outcome,
                given_up,
                attempts,
                useful,
                ..
            } => {
                let clients = &mut counts.clients;
                clients.settled_attempts += u64::from(attempts);
                if outcome.is_good() {
                    clients.succeeded += 1;
                } else if given_up {
                    clients.abandoned += 1;
                } else {
                    clients.failed += 1;
                }
                counts.crew.useful_nanos += useful.nanos();
            }
            Fact::Removed {
                why: Removal::LeftEntrance,
                ..
            } => counts.left_entrance += 1,
            Fact::Removed { waiting, .. } => {
                counts.removed += 1;
                counts.removed_at += at;
                self.queue_min = self.queue_min.min(waiting);
            }
            Fact::Lost { .. } => {
                counts.crew.settle(event.at, counts.busy());
                counts.lost += 1;
                counts.lost_at += at;
            }
            Fact::Workers(crew) => {
                counts.crew.settle(event.at, counts.busy());
                counts.crew.crew = crew;
                counts.adaptations += 1;
            }
            Fact::Resized { resource, to } => {
                counts.adaptations += 1;
                if resource == Resource::Workers {
                    self.wanted = Some(to);
                }
            }
            Fact::Intervened { index, starts } => {
                counts.adaptations += 1;
                self.under_way.retain(|&other| other != index);
                if starts {
                    let place = self.under_way.partition_point(|&other| other < index);
                    self.under_way.insert(place, index);
                }
            }
            Fact::Breaker { .. } => counts.adaptations += 1,
            _ => unreachable!("folded by `fold`"),
        }
    }

    /// What rates are differences of.
    fn snapshot(&self, at: Instant) -> Snapshot {
        let counts = &self.counts;
        let (good, ended) = if self.settles {
            (counts.clients.succeeded, counts.clients.settled())
        } else {
            let unserved = counts.refused + counts.removed + counts.lost;
            (counts.succeeded, counts.completed + unserved)
        };
        Snapshot {
            at,
            waiting: counts.waiting(),
            created: counts.created,
            sent: counts.clients.sent,
            refused: counts.refused,
            arrived: counts.arrived(),
            admitted: counts.admitted,
            taken: counts.started,
            completed: counts.completed,
            good,
            ended,
            retries: counts.clients.retries,
            timed_out: counts.clients.timed_out,
            removed: counts.removed,
        }
    }

    /// Measures at a tick. The detector's state and the throttle's delay are filled in later.
    pub fn sample(&mut self, now: Instant, oldest: Option<Instant>) -> Sample {
        let snapshot = self.snapshot(now);
        let (waiting, busy) = (snapshot.waiting, self.counts.busy());
        let last = self.ticks.back().copied().unwrap_or_default();
        self.ticks.push_back(snapshot);
        // The window's start: one window ago, or the start of the run while that is nearer.
        let whole_window = self.ticks.len() > self.window_ticks;
        let before = if whole_window {
            self.ticks[0]
        } else {
            Snapshot::default()
        };
        if whole_window {
            self.ticks.pop_front();
        }
        let span = now - before.at;
        let rate = |of: fn(&Snapshot) -> u64| Rate::of(of(&snapshot) - of(&before), span);
        let slope = |from: u32, span: Span| (f64::from(waiting) - f64::from(from)) / span.seconds();

        self.latency.settle(now);
        let enough = self.latency.count() >= self.latency_min_samples;
        let quantiles = if enough {
            self.latency.quantiles([0.5, 0.95, 0.99])
        } else {
            None
        };
        let [p50, p95, p99] = quantiles.map_or([None; 3], |quantiles| quantiles.map(Some));
        let ended = snapshot.ended - before.ended;
        let bad = ended - (snapshot.good - before.good);
        let sample = Sample {
            at: now,
            offered: rate(|c| c.arrived),
            accepted: rate(|c| c.admitted),
            taken: rate(|c| c.taken),
            throughput: rate(|c| c.completed),
            goodput: rate(|c| c.good),
            retries: rate(|c| c.retries),
            timeouts: rate(|c| c.timed_out),
            removed: rate(|c| c.removed),
            amplification: (self.settles && snapshot.created > before.created).then(|| {
                (snapshot.sent - before.sent) as f64 / (snapshot.created - before.created) as f64
            }),
            drops: snapshot.refused - last.refused,
            gauges: Gauges::default(),
            derivative: if whole_window {
                slope(before.waiting, span)
            } else {
                0.0
            },
            derivative_tick: slope(last.waiting, now - last.at),
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
            recent_samples: self.recent.as_ref().map_or(0, Recent::samples),
            error_ratio: if ended == 0 {
                f64::NAN
            } else {
                bad as f64 / ended as f64
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
