//! The profile: one experiment, with every parameter of the model as an ordinary field.
//!
//! The sections stand in the order of a request's path. The defaults together are the preset
//! `exp-001`; `{"version": 1}` alone is a valid profile. [`crate::wire`] reads and writes the JSON
//! form; the JSON Schema (`profile.schema.json`) is generated from the types below, and it is what
//! a profile is checked against, so that a bound stands in one place only.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

/// How long the experiment lasts and what of it is counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct RunSection {
    /// No request is created at or after this moment; what is under way is finished.
    #[cfg_attr(feature = "schema", schemars(title = "Duration", range(min = 0.1, max = 10_000_000.0), extend("x-unit" = "s", "x-scale" = "log")))]
    pub duration_seconds: f64,
    /// Requests created before this moment are served but not counted.
    #[cfg_attr(feature = "schema", schemars(title = "Warm-up", range(min = 0.0, max = 10_000_000.0), extend("x-unit" = "s")))]
    pub warmup_seconds: f64,
    /// The run also ends once this many requests have been created.
    #[cfg_attr(feature = "schema", schemars(title = "Request limit", range(min = 1, max = 1_000_000_000), extend("x-unit" = "{request}", "x-scale" = "log", "x-null-title" = "no limit")))]
    pub max_requests: Option<u32>,
    /// Whether the run lasts its whole duration or ends as soon as every agent is done and every request is answered.
    #[cfg_attr(feature = "schema", schemars(title = "Ends", extend("x-enum-titles" = ["after the duration", "when all work is done"])))]
    pub until: RunUntil,
}

/// When a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RunUntil {
    #[allow(missing_docs)]
    Duration,
    #[allow(missing_docs)]
    Idle,
}

/// Cooperative clients in a closed loop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Agents {
    /// How many agents there are.
    #[cfg_attr(feature = "schema", schemars(title = "Agents", range(min = 1, max = 1_000_000), extend("x-unit" = "{agent}", "x-scale" = "log")))]
    pub count: u32,
    /// Earliest moment at which an agent wakes for the first time; each draws its own, uniformly.
    #[cfg_attr(feature = "schema", schemars(title = "First wake, from", range(min = 0.0, max = 10_000_000.0), extend("x-unit" = "s")))]
    pub first_wake_min_seconds: f64,
    /// Latest moment at which an agent wakes for the first time.
    #[cfg_attr(feature = "schema", schemars(title = "First wake, to", range(min = 0.0, max = 10_000_000.0), extend("x-unit" = "s")))]
    pub first_wake_max_seconds: f64,
    /// Mean of the exponential time between a good answer and the next wake.
    #[cfg_attr(feature = "schema", schemars(title = "Think time, mean", range(min = 0.001, max = 100_000.0), extend("x-unit" = "s", "x-scale" = "log")))]
    pub think_seconds: f64,
    /// An agent stops after this many requests.
    #[cfg_attr(feature = "schema", schemars(title = "Requests per agent", range(min = 1, max = 1_000_000_000), extend("x-unit" = "{request}", "x-scale" = "log", "x-null-title" = "no limit")))]
    pub requests_each: Option<u32>,
    /// How long an agent waits after failures in a row; without it, it thinks as after a good answer.
    #[cfg_attr(feature = "schema", schemars(title = "Back-off", extend("x-template" = Backoff::default())))]
    pub backoff: Option<Backoff>,
}

/// The wait after the k-th failure in a row: `base · factor^min(k−1, max_doublings) · U(1−jitter, 1+jitter)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Backoff {
    /// Mean wait after the first failure.
    #[cfg_attr(feature = "schema", schemars(title = "Base", range(min = 0.001, max = 100_000.0), extend("x-unit" = "s", "x-scale" = "log")))]
    pub base_seconds: f64,
    /// By how much the wait grows with each further failure in a row; 1 keeps it flat.
    #[cfg_attr(
        feature = "schema",
        schemars(title = "Growth factor", range(min = 1.0, max = 10.0))
    )]
    pub factor: f64,
    /// After this many steps the wait grows no further.
    #[cfg_attr(
        feature = "schema",
        schemars(title = "Growth steps", range(min = 0, max = 20))
    )]
    pub max_steps: u32,
    /// The wait is multiplied by a uniform number between 1 minus and 1 plus this.
    #[cfg_attr(feature = "schema", schemars(title = "Jitter", range(min = 0.0, max = 1.0), extend("x-unit" = "ratio")))]
    pub jitter_ratio: f64,
}

/// An open-loop arrival process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Arrivals {
    /// Mean number of requests that arrive per second.
    #[cfg_attr(feature = "schema", schemars(title = "Arrival rate λ", range(min = 0.001, max = 1_000_000.0), extend("x-unit" = "1/s", "x-scale" = "log")))]
    pub rate_per_second: f64,
    /// How the arrivals are spaced: Poisson has exponential gaps, even has equal ones.
    #[cfg_attr(feature = "schema", schemars(title = "Spacing", extend("x-enum-titles" = ["Poisson", "even"])))]
    pub process: ArrivalProcess,
}

/// How arrivals are spaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ArrivalProcess {
    #[allow(missing_docs)]
    Poisson,
    #[allow(missing_docs)]
    Even,
}

/// The mix of requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Requests {
    /// The LIGHT class.
    #[cfg_attr(feature = "schema", schemars(title = "Light"))]
    pub light: LightClass,
    /// The HEAVY class.
    #[cfg_attr(feature = "schema", schemars(title = "Heavy"))]
    pub heavy: HeavyClass,
}

macro_rules! class_section {
    ($name:ident, $about:literal, $share:literal, $weight:literal) => {
        #[doc = $about]
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(JsonSchema))]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            /// How many parts of the mix are of this class.
            #[cfg_attr(feature = "schema", schemars(title = "Share", range(min = 0.0, max = 1_000_000.0), extend("x-unit" = "parts")))]
            pub share: f64,
            /// How much work a request of this class brings.
            #[cfg_attr(feature = "schema", schemars(title = "Weight", range(min = 0.0, max = 1_000_000.0)))]
            pub weight: f64,
        }

        impl Default for $name {
            fn default() -> Self {
                Self { share: $share, weight: $weight }
            }
        }
    };
}
class_section!(LightClass, "The LIGHT class of requests.", 2.0, 1.0);
class_section!(HeavyClass, "The HEAVY class of requests.", 1.0, 2.0);

/// The bounded queue and the gate in front of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct QueueSection {
    /// Waiting places; requests in service do not count.
    #[cfg_attr(feature = "schema", schemars(title = "Capacity", range(min = 1, max = 10_000_000), extend("x-unit" = "{request}", "x-scale" = "log", "x-null-title" = "unbounded")))]
    pub capacity: Option<u32>,
    /// What a full queue does with the next request: refuse it, or make its sender wait for a place (backpressure).
    #[cfg_attr(feature = "schema", schemars(title = "When full", extend("x-enum-titles" = ["reject", "make the sender wait"])))]
    pub when_full: WhenFull,
    /// Drops a request at the gate before the queue is full, more often the fuller it is.
    #[cfg_attr(feature = "schema", schemars(title = "Early drop", extend("x-template" = EarlyDrop::default())))]
    pub early_drop: Option<EarlyDrop>,
}

/// What a full queue does with the next request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum WhenFull {
    #[allow(missing_docs)]
    Reject,
    #[allow(missing_docs)]
    Wait,
}

/// With saturation s = Q/K, a request that finds Q > 0 is dropped with probability `base + per_pressure · s²`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct EarlyDrop {
    /// Probability of a drop whenever something is waiting.
    #[cfg_attr(feature = "schema", schemars(title = "Base probability", range(min = 0.0, max = 1.0), extend("x-unit" = "ratio")))]
    pub base_probability: f64,
    /// Further probability at full pressure; it grows with the square of saturation.
    #[cfg_attr(feature = "schema", schemars(title = "Probability per pressure", range(min = 0.0, max = 1.0), extend("x-unit" = "ratio")))]
    pub probability_per_pressure: f64,
}

/// The worker pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Workers {
    /// How many workers there are; each serves one request at a time.
    #[cfg_attr(feature = "schema", schemars(title = "Workers", range(min = 1, max = 100_000), extend("x-unit" = "{worker}", "x-scale" = "log")))]
    pub count: u32,
    /// How long a request takes: (base + per weight · weight) · random factor · (1 + slowdown · pressure).
    #[cfg_attr(feature = "schema", schemars(title = "Service time"))]
    pub service: Service,
}

/// How long a request takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Service {
    /// The random factor, with mean 1: none, uniform within the spread, or exponential.
    #[cfg_attr(feature = "schema", schemars(title = "Distribution", extend("x-enum-titles" = ["deterministic", "uniform", "exponential"])))]
    pub distribution: ServiceDistribution,
    /// Mean time that every request takes.
    #[cfg_attr(feature = "schema", schemars(title = "Base time", range(min = 0.000_001, max = 100_000.0), extend("x-unit" = "s", "x-scale" = "log")))]
    pub base_seconds: f64,
    /// Mean further time per unit of weight.
    #[cfg_attr(feature = "schema", schemars(title = "Time per weight", range(min = 0.0, max = 100_000.0), extend("x-unit" = "s")))]
    pub per_weight_seconds: f64,
    /// The uniform factor lies between 1 minus and 1 plus this.
    #[cfg_attr(feature = "schema", schemars(title = "Spread", range(min = 0.0, max = 1.0), extend("x-unit" = "ratio", "x-when" = serde_json::json!({"workers.service.distribution": "uniform"}))))]
    pub spread_ratio: f64,
    /// How much longer service takes at full pressure, which is the square of the queue's saturation.
    #[cfg_attr(feature = "schema", schemars(title = "Slowdown per pressure", range(min = 0.0, max = 1_000.0), extend("x-unit" = "ratio")))]
    pub slowdown_per_pressure: f64,
}

/// The random factor of a service time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ServiceDistribution {
    #[allow(missing_docs)]
    Deterministic,
    #[allow(missing_docs)]
    Uniform,
    #[allow(missing_docs)]
    Exponential,
}

/// What goes wrong while a request is served.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Now and then a service takes much longer.
    #[cfg_attr(feature = "schema", schemars(title = "Latency spike", extend("x-template" = SpikeFault::default())))]
    pub spike: Option<SpikeFault>,
    /// Now and then a service ends in an error (500).
    #[cfg_attr(feature = "schema", schemars(title = "Error", extend("x-template" = ErrorFault::default())))]
    pub error: Option<ErrorFault>,
}

/// A latency spike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct SpikeFault {
    /// Probability of a spike, whatever the pressure.
    #[cfg_attr(feature = "schema", schemars(title = "Base probability", range(min = 0.0, max = 1.0), extend("x-unit" = "ratio")))]
    pub base_probability: f64,
    /// Further probability at full pressure; it grows with the square of saturation.
    #[cfg_attr(feature = "schema", schemars(title = "Probability per pressure", range(min = 0.0, max = 1.0), extend("x-unit" = "ratio")))]
    pub probability_per_pressure: f64,
    /// By how much the spike lengthens the service.
    #[cfg_attr(feature = "schema", schemars(title = "Length", range(min = 0.0, max = 100_000.0), extend("x-unit" = "s")))]
    pub seconds: f64,
}

/// A service that ends in an error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ErrorFault {
    /// Probability of an error, whatever the pressure.
    #[cfg_attr(feature = "schema", schemars(title = "Base probability", range(min = 0.0, max = 1.0), extend("x-unit" = "ratio")))]
    pub base_probability: f64,
    /// Further probability at full pressure; it grows with the square of saturation.
    #[cfg_attr(feature = "schema", schemars(title = "Probability per pressure", range(min = 0.0, max = 1.0), extend("x-unit" = "ratio")))]
    pub probability_per_pressure: f64,
    /// Whether the error shows at the end of the service, or before the part of the work that depends on weight.
    #[cfg_attr(feature = "schema", schemars(title = "Shows", extend("x-enum-titles" = ["after the service", "before the weighted work"])))]
    pub shows: ErrorShows,
}

/// When an error shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ErrorShows {
    #[allow(missing_docs)]
    AfterService,
    #[allow(missing_docs)]
    BeforeWork,
}

/// What is measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct TelemetrySection {
    /// Time between two ticks; the detector looks at every tick.
    #[cfg_attr(feature = "schema", schemars(title = "Interval", range(min = 0.001, max = 100_000.0), extend("x-unit" = "s", "x-scale" = "log")))]
    pub interval_seconds: f64,
    /// Trailing window of the rates and of dQ/dt, in whole intervals.
    #[cfg_attr(feature = "schema", schemars(title = "Rate window", range(min = 0.001, max = 100_000.0), extend("x-unit" = "s", "x-scale" = "log")))]
    pub window_seconds: f64,
    /// Trailing window of the rolling latency mean and quantiles.
    #[cfg_attr(feature = "schema", schemars(title = "Latency window", range(min = 0.001, max = 100_000.0), extend("x-unit" = "s", "x-scale" = "log")))]
    pub latency_window_seconds: f64,
    /// With fewer completions in the window the rolling latency is undefined.
    #[cfg_attr(feature = "schema", schemars(title = "Latency, least samples", range(min = 1, max = 1_000_000), extend("x-unit" = "{request}")))]
    pub latency_min_samples: u32,
    /// Whose latency the report gives: that of good answers alone, or of every completed service.
    #[cfg_attr(feature = "schema", schemars(title = "Latency of", extend("x-enum-titles" = ["good answers", "every completed service"])))]
    pub latency_of: LatencyOf,
}

/// Whose latency the report gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LatencyOf {
    #[allow(missing_docs)]
    Succeeded,
    #[allow(missing_docs)]
    Completed,
}

/// The collapse detector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct DetectorSection {
    /// Whether the detector watches at all.
    #[cfg_attr(feature = "schema", schemars(title = "On"))]
    pub enabled: bool,
    /// Sustained: both rules over windows, with hysteresis. Instant: thresholds at each tick, as in the published package.
    #[cfg_attr(feature = "schema", schemars(title = "Method", extend("x-enum-titles" = ["sustained", "instant"])))]
    pub method: DetectorMethod,
    /// Thresholds of the sustained method.
    #[cfg_attr(feature = "schema", schemars(title = "Sustained", extend("x-when" = serde_json::json!({"detector.method": "sustained"}))))]
    pub sustained: SustainedRules,
    /// Thresholds of the instant method.
    #[cfg_attr(feature = "schema", schemars(title = "Instant", extend("x-when" = serde_json::json!({"detector.method": "instant"}))))]
    pub instant: InstantRules,
}

/// How the detector decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DetectorMethod {
    #[allow(missing_docs)]
    Sustained,
    #[allow(missing_docs)]
    Instant,
}

/// Thresholds of the sustained method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct SustainedRules {
    /// Queue-growth rule: the queue is at least this full …
    #[cfg_attr(feature = "schema", schemars(title = "Collapse at saturation", range(min = 0.0, max = 1.0), extend("x-unit" = "ratio")))]
    pub collapsed_saturation: f64,
    /// … and dQ/dt has been positive for this many ticks in a row.
    #[cfg_attr(feature = "schema", schemars(title = "Growth, ticks in a row", range(min = 1, max = 100_000), extend("x-unit" = "{tick}")))]
    pub growth_ticks: u32,
    /// Latency-growth rule: the rolling p95 is this many times what it was one rate window ago.
    #[cfg_attr(feature = "schema", schemars(title = "Collapse at p95 growth", range(min = 1.0, max = 1_000.0), extend("x-unit" = "ratio")))]
    pub latency_growth_ratio: f64,
    /// STABLE becomes DEGRADED when the mean saturation over the rate window reaches this.
    #[cfg_attr(feature = "schema", schemars(title = "Degraded at saturation", range(min = 0.0, max = 1.0), extend("x-unit" = "ratio")))]
    pub degraded_saturation: f64,
    /// COLLAPSED steps down to DEGRADED once the mean saturation has stayed below this for the hold time.
    #[cfg_attr(feature = "schema", schemars(title = "Collapse released below", range(min = 0.0, max = 1.0), extend("x-unit" = "ratio")))]
    pub collapsed_release_saturation: f64,
    /// DEGRADED steps down to STABLE once the mean saturation has stayed below this for the hold time.
    #[cfg_attr(feature = "schema", schemars(title = "Degraded released below", range(min = 0.0, max = 1.0), extend("x-unit" = "ratio")))]
    pub degraded_release_saturation: f64,
    /// How long the mean saturation must stay below the release threshold.
    #[cfg_attr(feature = "schema", schemars(title = "Hold time", range(min = 0.0, max = 100_000.0), extend("x-unit" = "s")))]
    pub hold_seconds: f64,
}

/// Thresholds of the instant method, which has no hysteresis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct InstantRules {
    /// The p95 is that of the latencies among this many latest events.
    #[cfg_attr(feature = "schema", schemars(title = "Events looked back at", range(min = 2, max = 100_000), extend("x-unit" = "{event}")))]
    pub recent_events: u32,
    /// COLLAPSED when the p95 is more than this many times that of the tick before.
    #[cfg_attr(feature = "schema", schemars(title = "Collapse at p95 growth", range(min = 1.0, max = 1_000.0), extend("x-unit" = "ratio")))]
    pub latency_growth_ratio: f64,
    /// COLLAPSED when the queue is at least this full.
    #[cfg_attr(feature = "schema", schemars(title = "Collapse at saturation", range(min = 0.0, max = 1.0), extend("x-unit" = "ratio")))]
    pub collapsed_saturation: f64,
    /// COLLAPSED when dQ/dt since the last tick is above this …
    #[cfg_attr(feature = "schema", schemars(title = "Collapse at growth", range(min = 0.0, max = 1_000_000.0), extend("x-unit" = "1/s")))]
    pub growth_per_second: f64,
    /// … while the queue is fuller than this.
    #[cfg_attr(feature = "schema", schemars(title = "Growth counts above saturation", range(min = 0.0, max = 1.0), extend("x-unit" = "ratio")))]
    pub growth_saturation: f64,
    /// DEGRADED when the queue is at least this full.
    #[cfg_attr(feature = "schema", schemars(title = "Degraded at saturation", range(min = 0.0, max = 1.0), extend("x-unit" = "ratio")))]
    pub degraded_saturation: f64,
}

/// The throttle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ThrottleSection {
    /// Whether agents are slowed down at all.
    #[cfg_attr(feature = "schema", schemars(title = "On"))]
    pub enabled: bool,
    /// Whether each delay is drawn from the exponential distribution or always the mean.
    #[cfg_attr(feature = "schema", schemars(title = "Delay", extend("x-enum-titles" = ["fixed", "exponential"])))]
    pub distribution: DelayDistribution,
    /// Mean delay before each request while DEGRADED.
    #[cfg_attr(feature = "schema", schemars(title = "Delay while degraded", range(min = 0.0, max = 100_000.0), extend("x-unit" = "s")))]
    pub degraded_seconds: f64,
    /// Mean delay before each request while COLLAPSED.
    #[cfg_attr(feature = "schema", schemars(title = "Delay while collapsed", range(min = 0.0, max = 100_000.0), extend("x-unit" = "s")))]
    pub collapsed_seconds: f64,
}

/// The distribution of the throttle's delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DelayDistribution {
    #[allow(missing_docs)]
    Fixed,
    #[allow(missing_docs)]
    Exponential,
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

impl Default for RunSection {
    fn default() -> Self {
        Self {
            duration_seconds: 120.0,
            warmup_seconds: 60.0,
            max_requests: None,
            until: RunUntil::Duration,
        }
    }
}

impl Default for Agents {
    fn default() -> Self {
        Self {
            count: 80,
            first_wake_min_seconds: 0.0,
            first_wake_max_seconds: 10.0,
            think_seconds: 0.2,
            requests_each: None,
            backoff: Some(Backoff::default()),
        }
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            base_seconds: 7.0,
            factor: 2.0,
            max_steps: 2,
            jitter_ratio: 0.5,
        }
    }
}

impl Default for Arrivals {
    fn default() -> Self {
        Self {
            rate_per_second: 1000.0,
            process: ArrivalProcess::Poisson,
        }
    }
}

#[allow(clippy::derivable_impls)] // The other sections' defaults stand here too.
impl Default for Requests {
    fn default() -> Self {
        Self {
            light: LightClass::default(),
            heavy: HeavyClass::default(),
        }
    }
}

impl Default for QueueSection {
    fn default() -> Self {
        Self {
            capacity: Some(200),
            when_full: WhenFull::Reject,
            early_drop: Some(EarlyDrop::default()),
        }
    }
}

impl Default for EarlyDrop {
    fn default() -> Self {
        Self {
            base_probability: 0.0,
            probability_per_pressure: 1.0,
        }
    }
}

impl Default for Workers {
    fn default() -> Self {
        Self {
            count: 12,
            service: Service::default(),
        }
    }
}

impl Default for Service {
    fn default() -> Self {
        Self {
            distribution: ServiceDistribution::Uniform,
            base_seconds: 0.008,
            per_weight_seconds: 0.003,
            spread_ratio: 0.1,
            slowdown_per_pressure: 2.8,
        }
    }
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            spike: Some(SpikeFault::default()),
            error: Some(ErrorFault::default()),
        }
    }
}

impl Default for SpikeFault {
    fn default() -> Self {
        Self {
            base_probability: 0.0,
            probability_per_pressure: 0.04,
            seconds: 0.2,
        }
    }
}

impl Default for ErrorFault {
    fn default() -> Self {
        Self {
            base_probability: 0.0,
            probability_per_pressure: 0.05,
            shows: ErrorShows::AfterService,
        }
    }
}

impl Default for TelemetrySection {
    fn default() -> Self {
        Self {
            interval_seconds: 0.05,
            window_seconds: 0.5,
            latency_window_seconds: 10.0,
            latency_min_samples: 20,
            latency_of: LatencyOf::Succeeded,
        }
    }
}

impl Default for DetectorSection {
    fn default() -> Self {
        Self {
            enabled: true,
            method: DetectorMethod::Sustained,
            sustained: SustainedRules::default(),
            instant: InstantRules::default(),
        }
    }
}

impl Default for SustainedRules {
    fn default() -> Self {
        Self {
            collapsed_saturation: 0.85,
            growth_ticks: 10,
            latency_growth_ratio: 2.0,
            degraded_saturation: 0.25,
            collapsed_release_saturation: 0.5,
            degraded_release_saturation: 0.1,
            hold_seconds: 5.0,
        }
    }
}

impl Default for InstantRules {
    fn default() -> Self {
        Self {
            recent_events: 50,
            latency_growth_ratio: 2.0,
            collapsed_saturation: 0.85,
            growth_per_second: 15.0,
            growth_saturation: 0.6,
            degraded_saturation: 0.4,
        }
    }
}

impl Default for ThrottleSection {
    fn default() -> Self {
        Self {
            enabled: true,
            distribution: DelayDistribution::Exponential,
            degraded_seconds: 0.02,
            collapsed_seconds: 1.8,
        }
    }
}

/// A rule that ties fields together was broken.
#[derive(Clone, Debug, PartialEq)]
pub struct Conflict {
    /// JSON pointer to the field to change.
    pub field: &'static str,
    /// What it is now.
    pub found: String,
    /// What would be accepted.
    pub accepted: String,
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
        let mut found = Vec::new();
        let mut refuse = |broken: bool, field, is: String, accepted: String| {
            if broken {
                found.push(Conflict {
                    field,
                    found: is,
                    accepted,
                });
            }
        };
        let run = &self.run;
        refuse(
            run.warmup_seconds >= run.duration_seconds,
            "/run/warmup_seconds",
            run.warmup_seconds.to_string(),
            format!("less than the duration, {} s", run.duration_seconds),
        );
        refuse(
            self.agents.is_none() && self.arrivals.is_none(),
            "/agents",
            "null".into(),
            "agents, arrivals or both: without them nothing happens".into(),
        );
        if let Some(agents) = &self.agents {
            refuse(
                agents.first_wake_max_seconds < agents.first_wake_min_seconds,
                "/agents/first_wake_max_seconds",
                agents.first_wake_max_seconds.to_string(),
                format!(
                    "at least first_wake_min_seconds, {} s",
                    agents.first_wake_min_seconds
                ),
            );
        }
        refuse(
            run.until == RunUntil::Idle && self.agents.as_ref().is_some_and(|a| a.requests_each.is_none()),
            "/run/until",
            "\"idle\"".into(),
            "\"duration\", or a number in agents.requests_each: agents without a limit are never done".into(),
        );
        refuse(
            self.requests.light.share + self.requests.heavy.share <= 0.0,
            "/requests/light/share",
            "0".into(),
            "a share above 0 for at least one class".into(),
        );
        let telemetry = &self.telemetry;
        let ticks = run.duration_seconds / telemetry.interval_seconds;
        refuse(
            ticks > MAX_TICKS,
            "/telemetry/interval_seconds",
            telemetry.interval_seconds.to_string(),
            format!(
                "at least {} s, so that the run has at most {MAX_TICKS} ticks",
                run.duration_seconds / MAX_TICKS
            ),
        );
        refuse(
            telemetry.window_seconds < telemetry.interval_seconds,
            "/telemetry/window_seconds",
            telemetry.window_seconds.to_string(),
            format!("at least one interval, {} s", telemetry.interval_seconds),
        );
        refuse(
            telemetry.window_seconds / telemetry.interval_seconds > MAX_WINDOW_TICKS,
            "/telemetry/window_seconds",
            telemetry.window_seconds.to_string(),
            format!("at most {MAX_WINDOW_TICKS} intervals"),
        );
        let rules = &self.detector.sustained;
        refuse(
            rules.degraded_release_saturation > rules.degraded_saturation,
            "/detector/sustained/degraded_release_saturation",
            rules.degraded_release_saturation.to_string(),
            format!("at most degraded_saturation, {}", rules.degraded_saturation),
        );
        refuse(
            rules.collapsed_release_saturation > rules.collapsed_saturation,
            "/detector/sustained/collapsed_release_saturation",
            rules.collapsed_release_saturation.to_string(),
            format!(
                "at most collapsed_saturation, {}",
                rules.collapsed_saturation
            ),
        );
        found
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

/// More ticks than this are refused.
const MAX_TICKS: f64 = 20_000_000.0;
/// A longer rate window, in ticks, is refused.
const MAX_WINDOW_TICKS: f64 = 100_000.0;
