//! The profile: one experiment, with every parameter of the model as an ordinary field.
//!
//! The sections stand in the order of a request's path. The defaults together are the preset
//! `exp-001`; `{"version": 1}` alone is a valid profile. [`crate::wire`] reads and writes the JSON
//! form; the JSON Schema (`profile.schema.json`) is generated from the types below, and it is what
//! a profile is checked against, so that a bound stands in one place only.

use std::fmt::Display;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::arrival::Expected;

mod admission;
mod arrivals;
mod client;
mod fields;
mod load;
mod policies;
mod queue;
mod run;
mod timeline;
mod watch;
mod workers;

pub use admission::Admission;
pub use arrivals::{ArrivalProcess, Arrivals, Bursty, Diurnal, Mix, Ramp, Replay, Spike, Stage};
pub use client::{
    Client, ConnectionPool, Downstream, DownstreamDistribution, Hedge, LatencyJitter, Network,
};
pub(crate) use fields::Part;
pub use load::{Agents, Backoff, HeavyClass, LightClass, Requests};
pub use policies::{
    Autoscaler, BackoffGrowth, Breaker, ClientThrottle, Codel, ConcurrencyLimit, Jitter, LimitKind,
    QueueTimeout, Retry, RetryBudget, RetryBudgetKind, ScalingMetric, TokenBucket,
};
pub use queue::{Discipline, EarlyDrop, QueueSection, WhenFull};
pub use run::{Drain, RunSection, RunUntil};
pub use timeline::{
    Intervention, Loss, PoolOf, PoolShrink, SetField, Slowdown, Stall, Traffic, WorkerCrash,
};
pub use watch::{
    DelayDistribution, DetectorMethod, DetectorSection, InstantRules, LatencyOf, SustainedRules,
    TelemetrySection, ThrottleSection,
};
pub use workers::{
    Bulkheads, CrashFault, ErrorFault, ErrorShows, Faults, Service, ServiceDistribution,
    SpikeFault, StallFault, Workers,
};

/// The written form this code reads and writes.
pub const PROFILE_VERSION: u32 = 1;

/// An experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[cfg_attr(feature = "schema", schemars(title = "Agent Chaos profile"))]
#[serde(default, deny_unknown_fields)]
pub struct Profile {
    /// The written form of this profile.
    #[cfg_attr(
        feature = "schema",
        schemars(title = "Version", range(min = 1, max = 1))
    )]
    pub version: u32,
    /// Decides every draw of the run: the same profile with the same seed gives the same result, bit for bit.
    #[cfg_attr(
        feature = "schema",
        schemars(title = "Seed", range(min = 0, max = 4_294_967_295_u64))
    )]
    pub seed: u32,
    /// How long the experiment lasts and what of it is counted.
    #[cfg_attr(feature = "schema", schemars(title = "Run"))]
    pub run: RunSection,
    /// Cooperative clients in a closed loop: each has one request at a time and waits for its answer.
    #[cfg_attr(feature = "schema", schemars(title = "Agents (closed loop)", extend("x-template" = Agents::default())))]
    pub agents: Option<Agents>,
    /// Requests that arrive whatever becomes of the earlier ones.
    #[cfg_attr(feature = "schema", schemars(title = "Arrivals (open loop)", extend("x-template" = Arrivals::default())))]
    pub arrivals: Option<Arrivals>,
    /// Further open loops beside the first, each with a rate, a shape and a mix of its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(title = "More arrivals (open loops)", length(max = 16), extend("default" = [])))]
    pub extra_arrivals: Vec<Arrivals>,
    /// The mix of light and heavy requests.
    #[cfg_attr(feature = "schema", schemars(title = "Requests"))]
    pub requests: Requests,
    /// What a client does for each request: how long it waits, and what it does when it fails.
    #[cfg_attr(feature = "schema", schemars(title = "Client policies", extend("x-template" = Client::default(), "default" = serde_json::Value::Null)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<Client>,
    /// The network between clients and server.
    #[cfg_attr(feature = "schema", schemars(title = "Network", extend("x-template" = Network::default(), "default" = serde_json::Value::Null)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// What the server lets in, before the queue is looked at.
    #[cfg_attr(feature = "schema", schemars(title = "Admission", extend("x-template" = Admission::default(), "default" = serde_json::Value::Null)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admission: Option<Admission>,
    /// The bounded queue and the gate in front of it.
    #[cfg_attr(feature = "schema", schemars(title = "Queue"))]
    pub queue: QueueSection,
    /// The workers that serve the queue.
    #[cfg_attr(feature = "schema", schemars(title = "Workers"))]
    pub workers: Workers,
    /// What goes wrong while a request is served.
    #[cfg_attr(feature = "schema", schemars(title = "Faults"))]
    pub faults: Faults,
    /// Something that a worker calls while it serves, and waits for.
    #[cfg_attr(feature = "schema", schemars(title = "Downstream dependency", extend("x-template" = Downstream::default(), "default" = serde_json::Value::Null)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub downstream: Option<Downstream>,
    /// Interventions at moments of virtual time.
    #[cfg_attr(feature = "schema", schemars(title = "Timeline", length(max = 1_000), extend("default" = Vec::<Intervention>::new())))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub timeline: Vec<Intervention>,
    /// What is measured, how often and over which trailing windows.
    #[cfg_attr(feature = "schema", schemars(title = "Telemetry"))]
    pub telemetry: TelemetrySection,
    /// Tells STABLE, DEGRADED and COLLAPSED apart.
    #[cfg_attr(feature = "schema", schemars(title = "Collapse detector", extend("x-null" = "disabled")))]
    pub detector: DetectorSection,
    /// Slows the agents down while the detector says DEGRADED or COLLAPSED.
    #[cfg_attr(feature = "schema", schemars(title = "Throttle", extend("x-null" = "disabled")))]
    pub throttle: ThrottleSection,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            version: PROFILE_VERSION,
            seed: 1,
            run: RunSection::default(),
            agents: Some(Agents::default()),
            arrivals: None,
            extra_arrivals: Vec::new(),
            requests: Requests::default(),
            client: None,
            network: None,
            admission: None,
            queue: QueueSection::default(),
            workers: Workers::default(),
            faults: Faults::default(),
            downstream: None,
            timeline: Vec::new(),
            telemetry: TelemetrySection::default(),
            detector: DetectorSection::default(),
            throttle: ThrottleSection::default(),
        }
    }
}

/// A rule that ties fields together was broken.
#[derive(Clone, Debug, PartialEq)]
pub struct Conflict {
    /// JSON pointer to the field to change.
    pub field: String,
    /// What it is now.
    pub found: String,
    /// What would be accepted.
    pub accepted: String,
}

/// The rules broken so far.
pub(crate) struct Conflicts(Vec<Conflict>);

impl Conflicts {
    /// Notes a rule that ties fields together, if it is broken.
    pub fn refuse(
        &mut self,
        broken: bool,
        field: impl Display,
        found: impl Display,
        accepted: impl Display,
    ) {
        if broken {
            self.note(&field, &found, &accepted);
        }
    }

    #[cold]
    #[inline(never)]
    fn note(&mut self, field: &dyn Display, found: &dyn Display, accepted: &dyn Display) {
        self.0.push(Conflict {
            field: field.to_string(),
            found: found.to_string(),
            accepted: accepted.to_string(),
        });
    }
}

/// The bound of a single rate, which the peaks of all generators together keep too.
const MAX_ARRIVALS_PER_SECOND: f64 = 1_000_000.0;

/// What a run is expected to cost, before it runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// Requests created, an upper estimate.
    pub requests: f64,
    /// Records in the event stream, ticks included.
    pub events: f64,
    /// Memory while it runs, in bytes.
    pub memory_bytes: f64,
}

impl Profile {
    /// Rules that tie fields together; bounds of single fields are the schema's.
    pub(crate) fn conflicts(&self) -> Vec<Conflict> {
        let mut conflicts = Conflicts(Vec::new());
        self.run.conflicts(&mut conflicts);
        conflicts.refuse(
            self.agents.is_none() && self.arrivals.is_none() && self.extra_arrivals.is_empty(),
            "/agents",
            "null",
            "agents, arrivals or both: without them nothing happens",
        );
        if let Some(agents) = &self.agents {
            agents.conflicts(self.run.until, &mut conflicts);
        }
        self.arrivals_conflict(&mut conflicts);
        self.requests.conflicts(&mut conflicts);
        let somebody_times_out = self.client.as_ref().is_some_and(|client| {
            client.timeout_seconds.is_some() || client.deadline_seconds.is_some()
        });
        if let Some(client) = &self.client {
            client.conflicts(&mut conflicts);
        }
        if let Some(network) = &self.network {
            network.conflicts("/network", somebody_times_out, &mut conflicts);
        }
        if let Some(admission) = &self.admission {
            admission.conflicts(&mut conflicts);
        }
        let socket_times_out = self
            .network
            .as_ref()
            .is_some_and(|network| network.socket_timeout_seconds.is_some());
        self.queue
            .conflicts(somebody_times_out || socket_times_out, &mut conflicts);
        self.workers.conflicts(&mut conflicts);
        if let Some(downstream) = &self.downstream {
            downstream.conflicts(&mut conflicts);
        }
        self.timeline_conflicts(&mut conflicts);
        self.telemetry
            .conflicts(self.run.duration_seconds, &mut conflicts);
        self.detector.sustained.conflicts(&mut conflicts);
        conflicts.0
    }

    /// Whether there are clients with policies of their own, or a network, between a request and its
    /// sends.
    #[must_use]
    pub fn has_clients(&self) -> bool {
        self.client.is_some() || self.network.is_some()
    }

    /// Whether anything is at work beyond a plain queue, its gate and its workers.
    #[must_use]
    pub fn has_rules(&self) -> bool {
        self.has_clients()
            || self.admission.is_some()
            || self.queue.has_rules()
            || self.workers.bulkheads.is_some()
            || self.workers.autoscaler.is_some()
            || self.faults.stalls.is_some()
            || self.faults.crashes.is_some()
            || self.downstream.is_some()
            || !self.timeline.is_empty()
    }

    /// The most workers there can be at any time.
    #[must_use]
    pub fn most_workers(&self) -> u32 {
        let set = self.timeline.iter().filter_map(|entry| entry.set.as_ref());
        set.filter(|set| set.path == "workers.count")
            .map(|set| set.value as u32)
            .fold(self.workers.most(), u32::max)
    }

    /// The rules that tie the generators' fields together.
    fn arrivals_conflict(&self, conflicts: &mut Conflicts) {
        let duration = self.run.duration_seconds;
        let (mut peak, mut expected) = (0.0, 0.0);
        let mut first = None;
        for (index, rules) in self.generators() {
            let pointer = match index {
                0 => "/arrivals".to_owned(),
                more => format!("/extra_arrivals/{}", more - 1),
            };
            rules.conflicts(&pointer, duration, conflicts);
            let before = peak;
            peak += rules.peak_per_second();
            expected += rules.expected(duration);
            conflicts.refuse(
                before <= MAX_ARRIVALS_PER_SECOND && peak > MAX_ARRIVALS_PER_SECOND,
                format_args!("{pointer}/rate_per_second"),
                rules.rate_per_second,
                format_args!(
                    "a rate with which all generators together never exceed {MAX_ARRIVALS_PER_SECOND}/s; it comes to {peak}/s at its peak"
                ),
            );
            first = first.or(Some(pointer));
        }
        if let Some(pointer) = first
            && self.agents.is_none()
        {
            conflicts.refuse(
                expected <= 0.0,
                pointer,
                "a rate of 0 throughout the run",
                "a rate above 0 at some time, or agents: else nothing happens",
            );
        }
    }

    /// The rules of every generator and the number of its source: 0 for `arrivals`, then one for
    /// each of `extra_arrivals`.
    pub fn generators(&self) -> impl Iterator<Item = (u32, &Arrivals)> {
        let first = self.arrivals.iter().map(|rules| (0, rules));
        first.chain((1..).zip(&self.extra_arrivals))
    }

    /// Mean service time of an unhurried request of the profile's own mix, in seconds: no pressure,
    /// no fault.
    #[must_use]
    pub fn mean_service_seconds(&self) -> f64 {
        let Requests { light, heavy } = &self.requests;
        self.service_seconds(light.share, heavy.share)
    }

    /// The same of a mix of so many parts.
    fn service_seconds(&self, light: f64, heavy: f64) -> f64 {
        let weights = light * self.requests.light.weight + heavy * self.requests.heavy.weight;
        let service = &self.workers.service;
        service.base_seconds + service.per_weight_seconds * weights / (light + heavy)
    }

    /// What a run of this profile is expected to cost.
    ///
    /// Closed loop: at most `N / (Z + S)` requests per second when nothing waits, and no more than
    /// the workers serve plus what the refused ones send after their back-off. Open loops: what is
    /// expected of each by its shape.
    #[must_use]
    pub fn estimate(&self) -> Estimate {
        let duration = self.run.duration_seconds
            + match self.run.drain {
                Drain::Stop => 0.0,
                Drain::Continue => self.run.drain_seconds,
            };
        let service = self.mean_service_seconds();
        let capacity = f64::from(self.workers.count) / service;
        let agents = self.agents.as_ref().map_or(0.0, |agents| {
            let count = f64::from(agents.count);
            let unhindered = count / (agents.think_seconds + service);
            let retry = agents.backoff.as_ref().map_or(agents.think_seconds, |b| {
                b.base_seconds * (1.0 - b.jitter_ratio / 2.0)
            });
            let rate = unhindered.min(capacity + count / retry);
            let total = rate * duration;
            agents
                .requests_each
                .map_or(total, |each| total.min(count * f64::from(each)))
        });
        let arrivals: f64 = Expected::of(self)
            .map(|generator| generator.until(duration))
            .sum();
        let (visitors, surges) = self.further_agents(duration, service);
        let all = agents + arrivals + surges;
        let most = self.run.max_requests.map_or(f64::INFINITY, f64::from);
        let requests = all.min(most);
        let ran = if requests < all {
            duration * requests / all
        } else {
            duration
        };
        let ticks = ran / self.telemetry.interval_seconds;

        let rate = requests / ran.max(f64::MIN_POSITIVE);
        let backlog = if self.queue.capacity.is_none() || self.queue.when_full == WhenFull::Wait {
            self.backlog(requests, ran)
        } else {
            0.0
        };
        let held = f64::from(self.queue.capacity.unwrap_or(0)).min(requests) + backlog;
        let memory = 2.0e6
            + 240.0 * self.agents.as_ref().map_or(0.0, |a| f64::from(a.count))
            + 400.0 * f64::from(self.workers.count)
            + 48.0 * held
            + 8.0 * requests.min(2.0e6)
            + 24.0 * (rate.min(capacity) * self.telemetry.latency_window_seconds).min(requests)
            + 280.0 * ticks.min(8192.0)
            + 800.0 * visitors;
        let events = 4.0 * requests + ticks + self.troubles(ran);
        let Some(most_attempts) = self.most_attempts() else {
            return Estimate {
                requests,
                events: self.with_twin(events),
                memory_bytes: self.with_twin(memory),
            };
        };
        // What is under way: every send until its client has given it up, or its answer is there.
        let patience = [
            self.client.as_ref().and_then(|c| c.timeout_seconds),
            self.client.as_ref().and_then(|c| c.deadline_seconds),
            self.network.as_ref().and_then(|n| n.socket_timeout_seconds),
        ];
        let patience = patience.into_iter().flatten().fold(0.0, f64::max);
        let attempts = most_attempts * requests;
        let under_way = (rate * most_attempts * patience).min(attempts);
        Estimate {
            requests,
            events: self.with_twin(6.0 * attempts + 2.0 * requests + ticks + self.troubles(ran)),
            memory_bytes: self.with_twin(memory + 300.0 * under_way),
        }
    }

    /// The most sends of a request; none without clients.
    fn most_attempts(&self) -> Option<f64> {
        let policies = self.client.as_ref().map(|c| f64::from(c.most_attempts()));
        self.has_clients().then(|| policies.unwrap_or(1.0))
    }

    /// A run with a trigger runs twice.
    fn with_twin(&self, cost: f64) -> f64 {
        let has_trigger = self.timeline.iter().any(|e| e.for_seconds.is_some());
        if has_trigger { 2.0 * cost } else { cost }
    }

    /// Further agents, and further requests of agents, that the timeline brings.
    fn further_agents(&self, duration: f64, service: f64) -> (f64, f64) {
        let agents = self.agents.clone().unwrap_or_default();
        let count = self.agents.as_ref().map_or(0.0, |a| f64::from(a.count));
        let base = agents.backoff.as_ref().map(|b| b.base_seconds);
        let pause = base.map_or(agents.think_seconds, |base| base.min(agents.think_seconds));
        let (mut visitors, mut requests) = (0.0, 0.0);
        for entry in &self.timeline {
            let lasts = (entry.end_seconds().min(duration) - entry.at_seconds).max(0.0);
            if let Some(traffic) = &entry.traffic {
                let extra = f64::from(traffic.extra_agents);
                visitors += extra;
                requests += lasts * extra / pause;
            } else if let Some(set) = &entry.set {
                let (now, then) = match set.path.as_str() {
                    "agents.think_seconds" => (agents.think_seconds, set.value),
                    "agents.backoff.base_seconds" => (base.unwrap_or(set.value), set.value),
                    _ => continue,
                };
                let faster = 1.0 / (then + service) - 1.0 / (now + service);
                requests += lasts * count * faster.max(0.0);
            }
        }
        (visitors, requests)
    }

    /// Records of what goes wrong by itself, and of what adapts.
    fn troubles(&self, seconds: f64) -> f64 {
        let every = [
            self.faults.stalls.as_ref().map(|s| s.every_seconds),
            self.faults.crashes.as_ref().map(|c| c.every_seconds),
            self.workers.autoscaler.as_ref().map(|a| a.every_seconds),
        ];
        every
            .into_iter()
            .flatten()
            .map(|every| 4.0 * seconds / every)
            .sum()
    }

    /// The most that may wait in an endless queue, an upper estimate: what is left of all
    /// `requests` in the end, or all that arrives faster than it is served, without a time to
    /// recover.
    fn backlog(&self, requests: f64, seconds: f64) -> f64 {
        const STEPS: u32 = 256;
        let generators: Vec<_> = Expected::of(self).collect();
        let expected = |seconds| -> f64 { generators.iter().map(|one| one.until(seconds)).sum() };
        let works = self.generators().zip(&generators).map(|((_, rules), one)| {
            let service = rules.mix.as_ref().map_or_else(
                || self.mean_service_seconds(),
                |mix| self.service_seconds(mix.light_share, mix.heavy_share),
            );
            one.until(seconds) * service
        });
        let (work, arrivals): (f64, f64) = (works.sum(), expected(seconds));
        let others = (requests - arrivals).max(0.0);
        let service = (work + others * self.mean_service_seconds()) / (arrivals + others);
        let capacity = f64::from(self.workers.count) / service;
        let step = seconds / f64::from(STEPS);
        let (mut before, mut over) = (0.0, 0.0);
        for end in (1..=STEPS).map(|n| f64::from(n) * step) {
            let arrived = expected(end);
            over += (arrived - before - capacity * step).max(0.0);
            before = arrived;
        }
        let left = (requests - capacity * seconds).max(0.0);
        left.max(over).min(requests)
    }
}
