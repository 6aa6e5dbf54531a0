//! The profile: one experiment, with every parameter of the model as an ordinary field.
//!
//! The sections stand in the order of a request's path. The defaults together are the preset
//! `exp-001`; `{"version": 1}` alone is a valid profile. [`crate::wire`] reads and writes the JSON
//! form; the JSON Schema (`profile.schema.json`) is generated from the types below, and it is what
//! a profile is checked against, so that a bound stands in one place only.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod load;
mod queue;
mod run;
mod watch;
mod workers;

pub use load::{Agents, ArrivalProcess, Arrivals, Backoff, HeavyClass, LightClass, Requests};
pub use queue::{EarlyDrop, QueueSection, WhenFull};
pub use run::{RunSection, RunUntil};
pub use watch::{
    DelayDistribution, DetectorMethod, DetectorSection, InstantRules, LatencyOf, SustainedRules,
    TelemetrySection, ThrottleSection,
};
pub use workers::{
    ErrorFault, ErrorShows, Faults, Service, ServiceDistribution, SpikeFault, Workers,
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
    /// The mix of light and heavy requests.
    #[cfg_attr(feature = "schema", schemars(title = "Requests"))]
    pub requests: Requests,
    /// The bounded queue and the gate in front of it.
    #[cfg_attr(feature = "schema", schemars(title = "Queue"))]
    pub queue: QueueSection,
    /// The workers that serve the queue.
    #[cfg_attr(feature = "schema", schemars(title = "Workers"))]
    pub workers: Workers,
    /// What goes wrong while a request is served.
    #[cfg_attr(feature = "schema", schemars(title = "Faults"))]
    pub faults: Faults,
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
            requests: Requests::default(),
            queue: QueueSection::default(),
            workers: Workers::default(),
            faults: Faults::default(),
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
        field: impl Into<String>,
        found: impl ToString,
        accepted: impl Into<String>,
    ) {
        if broken {
            self.0.push(Conflict {
                field: field.into(),
                found: found.to_string(),
                accepted: accepted.into(),
            });
        }
    }
}

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
            self.agents.is_none() && self.arrivals.is_none(),
            "/agents",
            "null",
            "agents, arrivals or both: without them nothing happens",
        );
        if let Some(agents) = &self.agents {
            agents.conflicts(self.run.until, &mut conflicts);
        }
        self.requests.conflicts(&mut conflicts);
        self.telemetry
            .conflicts(self.run.duration_seconds, &mut conflicts);
        self.detector.sustained.conflicts(&mut conflicts);
        conflicts.0
    }

    /// Mean service time of an unhurried request, in seconds: no pressure, no fault.
    #[must_use]
    pub fn mean_service_seconds(&self) -> f64 {
        let Requests { light, heavy } = &self.requests;
        let weight =
            (light.share * light.weight + heavy.share * heavy.weight) / (light.share + heavy.share);
        self.workers.service.base_seconds + self.workers.service.per_weight_seconds * weight
    }

    /// What a run of this profile is expected to cost.
    ///
    /// Closed loop: at most `N / (Z + S)` requests per second when nothing waits, and no more than
    /// the workers serve plus what the refused ones send after their back-off.
    #[must_use]
    pub fn estimate(&self) -> Estimate {
        let duration = self.run.duration_seconds;
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
        let arrivals = self
            .arrivals
            .as_ref()
            .map_or(0.0, |a| a.rate_per_second * duration);
        let requests = self.run.max_requests.map_or(agents + arrivals, |max| {
            (agents + arrivals).min(f64::from(max))
        });
        let ran = if requests < agents + arrivals {
            duration * requests / (agents + arrivals)
        } else {
            duration
        };
        let ticks = ran / self.telemetry.interval_seconds;

        let rate = requests / ran.max(f64::MIN_POSITIVE);
        let backlog = if self.queue.capacity.is_none() || self.queue.when_full == WhenFull::Wait {
            (requests - capacity * ran).max(0.0)
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
            + 200.0 * ticks.min(8192.0);
        Estimate {
            requests,
            events: 4.0 * requests + ticks,
            memory_bytes: memory,
        }
    }
}
