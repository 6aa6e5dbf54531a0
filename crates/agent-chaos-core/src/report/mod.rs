//! The report: what a run comes to, over the requests created in [warm-up, horizon).

mod episodes;
mod latencies;
mod quality;
pub mod recovery;
mod verdict;

use serde::Serialize;
use serde_json::{Map, Value, json};

pub use episodes::{Episode, Episodes, Overview};
pub use latencies::Latencies;
pub use quality::DetectorQuality;
pub use recovery::Recovery;

use crate::detector::{Hold, State, Transition};
use crate::event::{Event, Fact};
use crate::profile::{Drain, LatencyOf, Profile};
use crate::request::{FailureMode, Request};
use crate::telemetry::{Counts, CrewSums, Sample};
use crate::units::{Instant, Rate, Ratio, Span};
use crate::wire::Node;
use crate::{ENGINE_REVISION, ENGINE_VERSION};

/// With fewer ticks in the counted time there is no resolved state.
pub const LEAST_TICKS: u64 = 200;

/// At most so many transitions are kept as evidence; the rest is counted.
const MOST_EVIDENCE: usize = 500;

/// What a run comes to. [`Report::to_json`] is the form that the command line and the page share.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The whole profile, every field.
    pub profile: Value,
    /// The seed of the run.
    pub seed: u32,
    /// 16 hex digits over everything that happened.
    pub digest: String,
    /// The resolved state; none with fewer than 200 counted ticks, or without a detector.
    pub state: Option<State>,
    /// Why there is no resolved state.
    pub state_note: Option<String>,
    /// The worst state at any time, warm-up included.
    pub worst_state: Option<State>,
    /// The state at the end.
    pub final_state: Option<State>,
    /// Share of the counted ticks in each state.
    pub state_share: ByState<f64>,
    /// When each state was first seen, in seconds, warm-up included.
    pub first_seconds: ByState<Option<f64>>,
    /// The detector's transitions, in order.
    pub evidence: Vec<Evidence>,
    /// Transitions beyond those kept.
    pub evidence_dropped: u64,
    /// Times in a state worse than STABLE, in order.
    pub episodes: Vec<Episode>,
    /// Episodes beyond those kept.
    pub episodes_dropped: u64,
    /// The first sentence of the verdict.
    pub headline: String,
    /// The verdict in words.
    pub verdict: String,
    /// Requests created in the counted time, and what became of them.
    pub requests: Requests,
    /// Failed requests by mode.
    pub failures: Map<String, Value>,
    /// What the failed requests failed by, the most frequent first.
    pub errors: Vec<ErrorPart>,
    /// Sends; without a retry policy each is a request of its own.
    pub attempts: u64,
    /// Latency, from creation to completion, in seconds.
    pub latency_seconds: Option<LatencySummary>,
    /// Whether the quantiles are exact, or within 0.1 %.
    pub latency_exact: bool,
    /// For how long the rolling p95 was undefined.
    pub latency_undefined: Undefined,
    /// Failed of created; none if none was created.
    pub error_rate: Option<f64>,
    /// Variance over mean of failures per second; none without failures.
    pub error_clustering_index: Option<f64>,
    /// Services ended in the counted time, of any outcome, per second.
    pub throughput_per_second: f64,
    /// Good answers in the counted time, per second.
    pub goodput_per_second: f64,
    /// Requests waiting, over the counted time.
    pub queue: QueueSummary,
    /// Busy worker-seconds of those there were in the counted time.
    pub utilization: f64,
    /// What clients and the network did in the counted time; none without them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clients: Option<ClientSummary>,
    /// What the queue took out, and what crashes lost, in the counted time; none without such rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerSummary>,
    /// What came of the workers' time in the counted time; none without such rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker_seconds: Option<WorkerSeconds>,
    /// Whether it came back after the trigger of its timeline; none without one, or before the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery: Option<Recovery>,
    /// How well the detector told what the comparison with the twin tells; none without a twin or a
    /// detector, or before the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detector_quality: Option<DetectorQuality>,
    /// The counted time.
    pub counted_seconds: Counted,
    /// Whether the run has ended.
    pub complete: bool,
    /// What computed it.
    pub engine: Engine,
    /// What the verdict knows of all episodes.
    #[serde(skip)]
    pub overview: Overview,
}

/// One way in which counted requests failed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ErrorPart {
    /// The failure mode.
    pub mode: &'static str,
    /// What brings it about with this profile, in words.
    pub cause: String,
    /// How many requests.
    pub requests: u64,
    /// Of all that were created: this many times 100 points of the error rate.
    pub share_of_created: f64,
}

/// For how long, in the counted time, there was no rolling p95.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Undefined {
    /// With fewer answers in the latency window than its least number of samples, in seconds.
    pub seconds: f64,
    /// Of that, without any answer, while requests waited or were served.
    pub stalled_seconds: f64,
}

/// One value per state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs)]
#[serde(rename_all = "UPPERCASE")]
pub struct ByState<T> {
    pub stable: T,
    pub degraded: T,
    pub collapsed: T,
}

/// Requests by what became of them: created = completed + failed + abandoned + in flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Requests {
    /// All.
    pub created: u64,
    /// Answered well.
    pub completed: u64,
    /// Refused, dropped or failed in service.
    pub failed: u64,
    /// Given up by their clients.
    pub abandoned: u64,
    /// Still under way.
    pub in_flight: u64,
}

/// Latency in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct LatencySummary {
    pub mean: f64,
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
}

/// Requests waiting.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct QueueSummary {
    /// Time average.
    pub mean: f64,
    /// The most at any time.
    pub max: u32,
}

/// What clients and the network did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClientSummary {
    /// Sends in the counted time.
    pub sent: u64,
    /// Of these, sends after a failure.
    pub retries: u64,
    /// Of these, copies beside another send.
    pub hedges: u64,
    /// Sends that a breaker or throttle of the client did not let happen.
    pub refused: u64,
    /// Good answers to clients that waited for them.
    pub answered: u64,
    /// Bad ones, and connections that failed.
    pub errored: u64,
    /// Sends whose clients waited no longer.
    pub timed_out: u64,
    /// Sends that nobody needed any more.
    pub cancelled: u64,
    /// Messages lost by the network.
    pub dropped: u64,
    /// Sends of the counted requests that have been settled, per request; none without any.
    pub amplification: Option<f64>,
    /// Time from the creation of a counted request to its being settled, well or not.
    pub settle_seconds: Option<LatencySummary>,
}

/// What the server did beside serving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ServerSummary {
    /// Sends that its gate has seen.
    pub arrived: u64,
    /// Of these, turned away.
    pub refused: u64,
    /// Of these, let in.
    pub admitted: u64,
    /// Taken out of the queue unserved.
    pub removed: u64,
    /// Lost in a crash.
    pub lost: u64,
    /// Services ended.
    pub completed: u64,
}

/// The workers' time, in seconds: on duty = useful + wasted + idle + stalled + down.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct WorkerSeconds {
    /// On duty.
    pub on_duty: f64,
    /// Behind the answers that counted.
    pub useful: f64,
    /// Behind answers that nobody waited for, or that were bad, or lost; and under way.
    pub wasted: f64,
    /// Without work.
    pub idle: f64,
    /// Paused, at work or not.
    pub stalled: f64,
    /// Crashed, and not restarted.
    pub down: f64,
    /// At work, for each second of useful work; none without any.
    pub amplification: Option<f64>,
}

/// The counted time, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct Counted {
    pub from: f64,
    pub to: f64,
}

/// What computed a report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Engine {
    /// Of the crate.
    pub version: &'static str,
    /// Goes up whenever digests change on purpose.
    pub revision: u32,
    /// Records in the event stream.
    pub events: u64,
}

/// A transition, as the report tells it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evidence {
    /// When, in seconds.
    pub at_seconds: f64,
    /// From this state …
    pub from: State,
    /// … to this one.
    pub to: State,
    /// By this rule.
    pub rule: &'static str,
    /// `warm-up` or `counted`.
    pub phase: &'static str,
    /// How far the rule looked back, in seconds.
    pub window_seconds: f64,
    /// What it saw.
    pub values: Map<String, Value>,
    /// As a sentence.
    pub text: String,
}

impl Evidence {
    /// Tells a transition of a run of this profile.
    #[must_use]
    pub fn new(transition: &Transition, profile: &Profile) -> Self {
        let warmup = Instant::from_seconds(profile.run.warmup_seconds);
        Self {
            at_seconds: transition.at.seconds(),
            from: transition.from,
            to: transition.to,
            rule: transition.rule.name(),
            phase: if transition.at <= warmup {
                "warm-up"
            } else {
                "counted"
            },
            window_seconds: transition.window.seconds(),
            values: transition
                .values
                .iter()
                .map(|&(name, value)| (name.to_owned(), json!(value)))
                .collect(),
            text: verdict::sentence(transition, profile.queue.capacity.is_none()),
        }
    }
}

/// Folds events and ticks into what the report needs.
pub struct Tally {
    warmup: Instant,
    /// The end of the counted time; brought forward when the run ends early.
    end: Instant,
    /// The next of the two that no event has reached.
    boundary: Instant,
    /// How things stood at the warm-up's end and at the end.
    marks: [Option<Mark>; 2],
    /// The most waiting so far, since the warm-up's end where that has come.
    queue_max: u32,
    /// The number of requests that ends the run.
    most: u64,
    latency_of: LatencyOf,
    /// Whether clients settle requests; else the server's word is the last.
    settles: bool,
    has_rules: bool,
    /// Requests created later than this after the warm-up are not counted, though the load goes on.
    counted_nanos: u64,
    /// Whoever ends from here on counts as in flight: the drain is over.
    closes: Instant,
    settled: Settled,
    requests: Requests,
    failures: [u64; FailureMode::ALL.len()],
    latencies: Latencies,
    clustering: Clustering,
    ticks: [u64; 3],
    first: [Option<Instant>; 3],
    worst: Option<State>,
    last: Option<State>,
    transitions: Vec<Transition>,
    transitions_dropped: u64,
    episodes: Episodes,
    /// Counted ticks without a rolling p95, and of these those of a stall.
    undefined: [u64; 2],
}

/// Counted requests that their clients have settled.
#[derive(Default)]
struct Settled {
    count: u64,
    attempts: u64,
    spans: Latencies,
}

/// How things stood at a moment.
#[derive(Clone, Copy, Debug)]
struct Mark {
    at: Instant,
    counts: Counts,
    queue_max: u32,
}

/// Failures per second: a running sum of counts and of their squares.
#[derive(Clone, Copy, Debug, Default)]
struct Clustering {
    bin: u64,
    in_bin: u64,
    sum: u64,
    squares: u128,
}

impl Clustering {
    fn add(&mut self, since_warmup: Span) {
        let bin = since_warmup.nanos() / 1_000_000_000;
        if bin != self.bin {
            self.close();
            self.bin = bin;
        }
        self.in_bin += 1;
    }

    fn close(&mut self) {
        self.sum += self.in_bin;
        self.squares += u128::from(self.in_bin) * u128::from(self.in_bin);
        self.in_bin = 0;
    }

    /// Sample variance over mean of the counts in `counted` seconds; seconds without failures count.
    fn index(mut self, counted: Span) -> Option<f64> {
        self.close();
        let bins = counted.nanos().div_ceil(1_000_000_000) as f64;
        let mean = self.sum as f64 / bins;
        (self.sum > 0 && bins > 1.0)
            .then(|| (self.squares as f64 - bins * mean * mean) / (bins - 1.0) / mean)
    }
}

impl Tally {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(profile: &Profile) -> Self {
        Self {
            warmup: Instant::from_seconds(profile.run.warmup_seconds),
            end: Instant::from_seconds(profile.run.duration_seconds),
            boundary: Instant::from_seconds(profile.run.warmup_seconds),
            marks: [None; 2],
            queue_max: 0,
            most: profile.run.max_requests.map_or(u64::MAX, u64::from),
            latency_of: profile.telemetry.latency_of,
            settles: profile.has_clients(),
            has_rules: profile.has_rules(),
            counted_nanos: if profile.run.drain == Drain::Continue {
                let duration = Instant::from_seconds(profile.run.duration_seconds);
                (duration - Instant::from_seconds(profile.run.warmup_seconds)).nanos()
            } else {
                Instant::NEVER.nanos() - Span::from_seconds(profile.run.warmup_seconds).nanos()
            },
            closes: if profile.run.drain == Drain::Continue {
                Instant::from_seconds(profile.run.duration_seconds)
                    + Span::from_seconds(profile.run.drain_seconds)
            } else {
                Instant::NEVER
            },
            settled: Settled::default(),
            requests: Requests::default(),
            failures: [0; FailureMode::ALL.len()],
            latencies: Latencies::default(),
            clustering: Clustering::default(),
            ticks: [0; 3],
            first: [Some(Instant::ZERO), None, None],
            worst: None,
            last: None,
            transitions: Vec::new(),
            transitions_dropped: 0,
            episodes: Episodes::default(),
            undefined: [0; 2],
        }
    }

    /// The run ends here.
    pub fn end_at(&mut self, end: Instant) {
        self.end = self.end.min(end);
        if self.marks[0].is_some() && self.marks[1].is_none() {
            self.boundary = self.end;
        }
    }

    /// The start of the counted time.
    #[must_use]
    pub fn warmup(&self) -> Instant {
        self.warmup
    }

    /// Folds one event; `before` is what had been counted before it.
    #[inline(always)]
    pub fn fold(&mut self, event: &Event<'_>, before: &Counts) {
        let at = event.at;
        if at >= self.boundary {
            self.cross(at, before);
        }
        match event.fact {
            Fact::Created(request) => {
                if request.number + 1 >= self.most {
                    self.end_at(at + Span::from_nanos(1));
                }
            }
            Fact::Throttled { request, mode } => {
                if !self.settles {
                    self.fail(at, request, mode);
                }
            }
            Fact::Admitted { waiting, .. } => self.queue_max = self.queue_max.max(waiting),
            Fact::Completed {
                request, outcome, ..
            } => {
                if self.settles {
                    return;
                }
                if outcome.is_good() {
                    self.requests.completed += u64::from(self.is_counted(request));
                } else {
                    self.fail(at, request, outcome);
                }
                let wanted = outcome.is_good() || self.latency_of == LatencyOf::Completed;
                if wanted && self.is_counted(request) {
                    self.latencies.add(at - request.created);
                }
            }
            Fact::Started { .. }
            | Fact::Blocked(_)
            | Fact::Fault { .. }
            | Fact::Transition { .. }
            | Fact::Adapted { .. } => {}
            _ => self.fold_mechanism(event),
        }
    }

    /// What only mechanisms bring about that are off in most profiles.
    #[inline(never)]
    fn fold_mechanism(&mut self, event: &Event<'_>) {
        let at = event.at;
        match event.fact {
            Fact::Settled {
                request,
                outcome,
                given_up,
                attempts,
                ..
            } => {
                if !self.is_counted(request) {
                    return;
                }
                let span = at - request.created;
                self.settled.count += 1;
                self.settled.attempts += u64::from(attempts);
                self.settled.spans.add(span);
                if outcome.is_good() {
                    self.requests.completed += 1;
                } else if given_up {
                    self.requests.abandoned += 1;
                    self.count_failure(at, outcome);
                } else {
                    self.requests.failed += 1;
                    self.count_failure(at, outcome);
                }
                if outcome.is_good() || self.latency_of == LatencyOf::Completed {
                    self.latencies.add(span);
                }
            }
            Fact::Removed {
                request, outcome, ..
            }
            | Fact::Lost {
                request, outcome, ..
            } if !self.settles => self.fail(at, request, outcome),
            _ => {}
        }
    }

    /// The first event at or after the next boundary.
    #[cold]
    fn cross(&mut self, now: Instant, counts: &Counts) {
        if self.marks[0].is_none() {
            self.queue_max = counts.waiting();
            self.marks[0] = Some(self.mark(self.warmup, counts));
            self.boundary = self.end;
        }
        if self.marks[1].is_none() && now >= self.end {
            self.marks[1] = Some(self.mark(self.end, counts));
            self.boundary = self.closes;
        }
        if self.marks[1].is_some() && now >= self.closes {
            self.counted_nanos = 0;
            self.boundary = Instant::NEVER;
        }
    }

    fn mark(&self, at: Instant, counts: &Counts) -> Mark {
        Mark {
            at,
            counts: *counts,
            queue_max: self.queue_max,
        }
    }

    /// Takes note of a tick, of the detector's state from then on, and of a transition that led to it.
    pub fn tick(&mut self, sample: &Sample, state: Option<State>, transition: Option<&Transition>) {
        let at = sample.at;
        let is_counted = self.warmup < at;
        self.episodes.tick(at, is_counted, transition);
        if is_counted && sample.latency_p95.is_none() {
            let stalls = sample.latency_samples == 0 && sample.queue + sample.busy > 0;
            self.undefined[0] += 1;
            self.undefined[1] += u64::from(stalls);
        }
        self.last = state;
        self.worst = self.worst.max(state);
        if let Some(state) = state {
            let index = state as usize;
            self.first[index] = self.first[index].or(Some(at));
            self.ticks[index] += u64::from(is_counted);
        }
        if let Some(transition) = transition {
            if self.transitions.len() < MOST_EVIDENCE {
                self.transitions.push(transition.clone());
            } else {
                self.transitions_dropped += 1;
            }
        }
    }

    #[inline]
    fn is_counted(&self, request: &Request) -> bool {
        let since = request.created.nanos().wrapping_sub(self.warmup.nanos());
        since < self.counted_nanos
    }

    #[inline(never)]
    fn fail(&mut self, at: Instant, request: &Request, mode: FailureMode) {
        if self.is_counted(request) {
            self.requests.failed += 1;
            self.count_failure(at, mode);
        }
    }

    fn count_failure(&mut self, at: Instant, mode: FailureMode) {
        self.failures[mode as usize] += 1;
        if at < self.end {
            self.clustering.add(at - self.warmup);
        }
    }

    /// Counted requests under way, of which there were `counts` in all; none before the end.
    #[must_use]
    pub fn under_way(&self) -> Option<u64> {
        let [Some(from), Some(until)] = self.marks else {
            return None;
        };
        let created = until.counts.created - from.counts.created;
        let Requests {
            completed,
            failed,
            abandoned,
            ..
        } = self.requests;
        Some(created - completed - failed - abandoned)
    }

    /// The report as of `now`, by when `counts` has been counted; `held` is what has held the
    /// detector's present state.
    #[must_use]
    pub fn report(
        &self,
        profile: &Profile,
        digest: String,
        (now, complete): (Instant, bool),
        counts: &Counts,
        held: Hold,
    ) -> Report {
        let to = if complete {
            self.end
        } else {
            self.end.min(now)
        };
        let counted = to - self.warmup;
        // A boundary that no event has reached: things stand there as they stand now.
        let [from, until] = [(0, self.warmup), (1, to)].map(|(which, at): (usize, Instant)| {
            self.marks[which].unwrap_or_else(|| self.mark(at, counts))
        });
        let within = |count: fn(&Counts) -> u64| count(&until.counts) - count(&from.counts);
        let per_second = |count| Rate::of(within(count), counted).per_second();
        let over_time = |nanos: fn(&Counts, Instant) -> u128| {
            if counted.is_zero() {
                return 0.0;
            }
            let area = nanos(&until.counts, until.at) - nanos(&from.counts, from.at);
            area as f64 / 1e9 / counted.seconds()
        };
        let ticks: u64 = self.ticks.iter().sum();
        let share = |state: State| Ratio::of(self.ticks[state as usize], ticks).value();
        let first = |state: State| {
            self.first[state as usize]
                .map(Instant::seconds)
                .filter(|_| profile.detector.enabled)
        };
        let mut requests = self.requests;
        let created = if profile.run.drain == Drain::Continue {
            until.counts.created
        } else {
            counts.created
        };
        requests.created = created - from.counts.created;
        let unsuccessful = requests.failed + requests.abandoned;
        requests.in_flight = requests.created - requests.completed - unsuccessful;
        let [crew_from, crew_until] = [&from, &until].map(|mark| {
            if counted.is_zero() {
                return CrewSums::default();
            }
            mark.counts.crew_sums(mark.at)
        });
        let useful = within(|counts| counts.crew.useful_nanos);
        let (episodes, episodes_dropped) = self.episodes.tell(profile, held);
        let interval = profile.telemetry.interval_seconds;
        let [undefined, stalled] = self.undefined.map(|ticks| ticks as f64 * interval);
        let mut report = Report {
            profile: crate::wire::to_value(profile),
            seed: profile.seed,
            digest,
            state: self.resolved(),
            state_note: state_note(profile, ticks),
            worst_state: self.worst,
            final_state: self.last,
            state_share: ByState {
                stable: share(State::Stable),
                degraded: share(State::Degraded),
                collapsed: share(State::Collapsed),
            },
            first_seconds: ByState {
                stable: first(State::Stable),
                degraded: first(State::Degraded),
                collapsed: first(State::Collapsed),
            },
            evidence: self
                .transitions
                .iter()
                .map(|t| Evidence::new(t, profile))
                .collect(),
            evidence_dropped: self.transitions_dropped,
            episodes,
            episodes_dropped,
            headline: String::new(),
            verdict: String::new(),
            requests,
            failures: FailureMode::ALL
                .iter()
                .enumerate()
                .filter(|&(code, _)| {
                    (1..FailureMode::PUBLISHED).contains(&code) || self.failures[code] > 0
                })
                .map(|(code, mode)| (mode.name().to_owned(), json!(self.failures[code])))
                .collect(),
            errors: self.errors(profile, requests.created),
            attempts: if self.settles {
                self.settled.attempts
            } else {
                requests.created
            },
            latency_seconds: summary(&self.latencies),
            latency_exact: self.latencies.is_exact(),
            latency_undefined: Undefined {
                seconds: undefined,
                stalled_seconds: stalled,
            },
            error_rate: (requests.created > 0)
                .then(|| unsuccessful as f64 / requests.created as f64),
            error_clustering_index: self.clustering.index(counted),
            throughput_per_second: per_second(|counts| counts.completed),
            goodput_per_second: if self.settles {
                per_second(|counts| counts.clients.succeeded)
            } else {
                per_second(|counts| counts.succeeded)
            },
            queue: QueueSummary {
                mean: over_time(Counts::waiting_nanos),
                max: until.queue_max,
            },
            utilization: ratio(
                over_time(Counts::busy_nanos),
                over_time(|counts, at| counts.crew_sums(at).on),
            ),
            clients: self.settles.then(|| ClientSummary {
                sent: within(|c| c.clients.sent),
                retries: within(|c| c.clients.retries),
                hedges: within(|c| c.clients.hedges),
                refused: within(|c| c.clients.refused),
                answered: within(|c| c.clients.answered),
                errored: within(|c| c.clients.errored),
                timed_out: within(|c| c.clients.timed_out),
                cancelled: within(|c| c.clients.cancelled),
                dropped: within(|c| c.clients.dropped),
                amplification: (self.settled.count > 0)
                    .then(|| self.settled.attempts as f64 / self.settled.count as f64),
                settle_seconds: summary(&self.settled.spans),
            }),
            server: self.has_rules.then(|| ServerSummary {
                arrived: within(Counts::arrived),
                refused: within(|c| c.refused),
                admitted: within(|c| c.admitted),
                removed: within(|c| c.removed),
                lost: within(|c| c.lost),
                completed: within(|c| c.completed),
            }),
            worker_seconds: self
                .has_rules
                .then(|| WorkerSeconds::between(crew_from, crew_until, useful)),
            recovery: None,
            detector_quality: None,
            counted_seconds: Counted {
                from: self.warmup.seconds(),
                to: to.seconds(),
            },
            complete,
            engine: Engine {
                version: ENGINE_VERSION,
                revision: ENGINE_REVISION,
                events: counts.events(),
            },
            overview: self.episodes.overview(),
        };
        report.tell(profile);
        report
    }

    /// What the failed requests failed by, the most frequent first.
    fn errors(&self, profile: &Profile, created: u64) -> Vec<ErrorPart> {
        let failed = FailureMode::ALL.into_iter().zip(self.failures);
        let mut parts: Vec<ErrorPart> = Vec::new();
        for (mode, requests) in failed.filter(|&(_, requests)| requests > 0) {
            let part = ErrorPart {
                mode: mode.name(),
                cause: verdict::cause(mode, profile),
                requests,
                share_of_created: requests as f64 / created as f64,
            };
            let place = parts.partition_point(|known| known.requests >= requests);
            parts.insert(place, part);
        }
        parts
    }

    /// COLLAPSED if at least half of the counted ticks were, else DEGRADED if at least half were
    /// that or worse, else STABLE.
    fn resolved(&self) -> Option<State> {
        let [stable, degraded, collapsed] = self.ticks;
        let all = stable + degraded + collapsed;
        if all < LEAST_TICKS {
            return None;
        }
        Some(if 2 * collapsed >= all {
            State::Collapsed
        } else if 2 * (collapsed + degraded) >= all {
            State::Degraded
        } else {
            State::Stable
        })
    }
}

impl WorkerSeconds {
    fn between(from: CrewSums, until: CrewSums, useful_nanos: u64) -> Self {
        let seconds = |nanos: u128| nanos as f64 / 1e9;
        let within = |of: fn(&CrewSums) -> u128| seconds(of(&until).saturating_sub(of(&from)));
        let (on_duty, down, stalled) =
            (within(|c| c.on), within(|c| c.down), within(|c| c.stalled));
        let working = within(|c| c.working);
        // What was begun before the counted time and ended in it may be more than was worked in it.
        let useful = seconds(u128::from(useful_nanos)).min(working);
        Self {
            on_duty,
            useful,
            wasted: working - useful,
            idle: (on_duty - down - stalled - working).max(0.0),
            stalled,
            down,
            amplification: (useful > 0.0).then(|| working / useful),
        }
    }
}

fn summary(latencies: &Latencies) -> Option<LatencySummary> {
    let quantiles = latencies.quantiles([0.5, 0.95, 0.99]);
    latencies
        .mean()
        .zip(quantiles)
        .map(|(mean, [p50, p95, p99])| LatencySummary {
            mean,
            p50,
            p95,
            p99,
        })
}

/// `part / whole`; 0 of nothing.
fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

fn state_note(profile: &Profile, ticks: u64) -> Option<String> {
    if !profile.detector.enabled {
        return Some("the detector is off".to_owned());
    }
    (ticks < LEAST_TICKS).then(|| format!("too short: {ticks} ticks counted, {LEAST_TICKS} needed"))
}

impl Report {
    /// Says what it comes to, recovery included where it has been judged.
    pub fn tell(&mut self, profile: &Profile) {
        self.headline = verdict::headline(self);
        let mut said = vec![self.headline.clone()];
        said.extend(verdict::details(profile, self));
        said.extend(self.recovery.as_ref().map(|recovery| recovery.text.clone()));
        self.verdict = said.join(" ");
    }

    /// The canonical value; the host adds its wall time.
    #[must_use]
    pub fn to_json(&self) -> Value {
        Node::of(self).into()
    }
}
