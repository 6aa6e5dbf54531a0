//! What clients do about failures, whom a server lets in, and what it drops while it waits.
//!
//! The defaults are those of the sources that [`crate::policy`] names, file by file.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Conflicts;

/// The path of the retry budget in a profile.
#[cfg(feature = "schema")]
const BUDGET: &str = "client.budget";

/// The path of the concurrency limit in a profile.
#[cfg(feature = "schema")]
const LIMIT: &str = "admission.limit";

/// The field is shown where the section's `field` has this value.
#[cfg(feature = "schema")]
fn when(section: &str, field: &str, value: &str) -> serde_json::Value {
    let path = format!("{section}.{field}");
    serde_json::json!({ path: value })
}

/// Retries: how often a client tries, and how long it waits between two attempts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Retry {
    /// How often a request is tried at the most, the first attempt included.
    #[cfg_attr(feature = "schema", schemars(title = "Attempts", range(min = 1, max = 50), extend("x-unit" = "{attempt}")))]
    pub max_attempts: u32,
    /// How the wait grows with each further retry: not at all and no wait, a fixed wait, or twice as long each time.
    #[cfg_attr(feature = "schema", schemars(title = "Back-off", extend("x-enum-titles" = ["no wait", "fixed", "exponential"])))]
    pub backoff: BackoffGrowth,
    /// The wait before the first retry, before jitter.
    #[cfg_attr(feature = "schema", schemars(title = "Base", range(min = 0.001, max = 100_000.0), extend("x-unit" = "s", "x-scale" = "log")))]
    pub base_seconds: f64,
    /// No wait is longer than this.
    #[cfg_attr(feature = "schema", schemars(title = "Cap", range(min = 0.001, max = 100_000.0), extend("x-unit" = "s", "x-scale" = "log")))]
    pub cap_seconds: f64,
    /// How the wait x is spread: not at all, over 0 to x, over x/2 to x, or over the base to three times the last wait.
    #[cfg_attr(feature = "schema", schemars(title = "Jitter", extend("x-enum-titles" = ["none", "full", "equal", "decorrelated"])))]
    pub jitter: Jitter,
}

/// How the wait grows with each further retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum BackoffGrowth {
    #[allow(missing_docs)]
    None,
    #[allow(missing_docs)]
    Fixed,
    #[allow(missing_docs)]
    Exponential,
}

/// How a wait is spread, so that clients that failed together do not come back together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Jitter {
    #[allow(missing_docs)]
    None,
    #[allow(missing_docs)]
    Full,
    #[allow(missing_docs)]
    Equal,
    #[allow(missing_docs)]
    Decorrelated,
}

/// A retry budget: how many retries a client may afford, over all of its requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct RetryBudget {
    /// What a retry is paid from: the requests of a trailing window, the requests under way, or tokens that failures take.
    #[cfg_attr(feature = "schema", schemars(title = "Kind", extend("x-enum-titles" = ["requests of a window (Finagle)", "requests under way (Envoy)", "tokens (gRPC)"])))]
    pub kind: RetryBudgetKind,
    /// How many retries each request of the window pays for.
    #[cfg_attr(feature = "schema", schemars(title = "Retries per request", range(min = 0.0, max = 10.0), extend("x-unit" = "ratio", "x-when" = when(BUDGET, "kind", "windowed"))))]
    pub ratio: f64,
    /// Retries that are allowed whatever the number of requests, as many per window as this rate gives.
    #[cfg_attr(feature = "schema", schemars(title = "Retries on top", range(min = 0.0, max = 1_000_000.0), extend("x-unit" = "1/s", "x-when" = when(BUDGET, "kind", "windowed"))))]
    pub min_per_second: f64,
    /// Requests and retries count for this long.
    #[cfg_attr(feature = "schema", schemars(title = "Window", range(min = 0.001, max = 100_000.0), extend("x-unit" = "s", "x-scale" = "log", "x-when" = when(BUDGET, "kind", "windowed"))))]
    pub window_seconds: f64,
    /// How many retries may be under way for each request under way.
    #[cfg_attr(feature = "schema", schemars(title = "Retries per request under way", range(min = 0.0, max = 10.0), extend("x-unit" = "ratio", "x-when" = when(BUDGET, "kind", "active"))))]
    pub active_ratio: f64,
    /// So many retries may be under way, however few the requests are.
    #[cfg_attr(feature = "schema", schemars(title = "Retries under way, at least", range(min = 0, max = 1_000_000), extend("x-unit" = "{attempt}", "x-when" = when(BUDGET, "kind", "active"))))]
    pub min_active: u32,
    /// Tokens at the start and at the most; a failed attempt takes one, and retries need more than half.
    #[cfg_attr(feature = "schema", schemars(title = "Tokens, at most", range(min = 1, max = 1_000), extend("x-unit" = "{token}", "x-when" = when(BUDGET, "kind", "tokens"))))]
    pub max_tokens: u32,
    /// Tokens that a successful attempt gives back, in thousandths.
    #[cfg_attr(feature = "schema", schemars(title = "Tokens per success", range(min = 0.001, max = 100.0), extend("x-unit" = "{token}", "x-when" = when(BUDGET, "kind", "tokens"))))]
    pub token_ratio: f64,
}

/// What a retry is paid from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RetryBudgetKind {
    #[allow(missing_docs)]
    Windowed,
    #[allow(missing_docs)]
    Active,
    #[allow(missing_docs)]
    Tokens,
}

/// A circuit breaker: the client stops asking a server that mostly fails, and probes it later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Breaker {
    /// It opens when at least this share of the last calls failed; the same share decides about the probes.
    #[cfg_attr(feature = "schema", schemars(title = "Opens at failures of", range(min = 0.001, max = 1.0), extend("x-unit" = "ratio")))]
    pub failure_ratio: f64,
    /// How many of the last calls count.
    #[cfg_attr(feature = "schema", schemars(title = "Window", range(min = 1, max = 1_000_000), extend("x-unit" = "{attempt}", "x-scale" = "log")))]
    pub window_requests: u32,
    /// It does not open before it has seen this many calls.
    #[cfg_attr(feature = "schema", schemars(title = "Calls, at least", range(min = 1, max = 1_000_000), extend("x-unit" = "{attempt}", "x-scale" = "log")))]
    pub min_requests: u32,
    /// How long it lets no call through.
    #[cfg_attr(feature = "schema", schemars(title = "Open for", range(min = 0.0, max = 100_000.0), extend("x-unit" = "s")))]
    pub open_seconds: f64,
    /// How many calls it then lets through to see whether the server has recovered.
    #[cfg_attr(feature = "schema", schemars(title = "Probes", range(min = 1, max = 100_000), extend("x-unit" = "{attempt}", "x-scale" = "log")))]
    pub half_open_probes: u32,
}

/// A token bucket in front of the queue: lets in a rate, and a burst above it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct TokenBucket {
    /// How many requests per second are let in for long.
    #[cfg_attr(feature = "schema", schemars(title = "Rate", range(min = 0.001, max = 1_000_000.0), extend("x-unit" = "1/s", "x-scale" = "log")))]
    pub rate_per_second: f64,
    /// How many requests are let in at once after a rest.
    #[cfg_attr(feature = "schema", schemars(title = "Burst", range(min = 1, max = 1_000_000), extend("x-unit" = "{request}", "x-scale" = "log")))]
    pub burst: u32,
}

/// A concurrency limit: how many requests may be in the server at a time, queued and in service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ConcurrencyLimit {
    /// How the limit is found: fixed, additive increase with multiplicative decrease, by the queue that Vegas infers, or by the gradient of latency.
    #[cfg_attr(feature = "schema", schemars(title = "Kind", extend("x-enum-titles" = ["fixed", "AIMD", "Vegas", "Gradient2"])))]
    pub kind: LimitKind,
    /// The limit at the start; a fixed limit stays there.
    #[cfg_attr(feature = "schema", schemars(title = "Limit at the start", range(min = 1, max = 1_000_000), extend("x-unit" = "{request}", "x-scale" = "log")))]
    pub initial: u32,
    /// The limit never falls below this (Netflix: 20, for Vegas 1); a fixed limit does not look at it.
    #[cfg_attr(feature = "schema", schemars(title = "Limit, at least", range(min = 1, max = 1_000_000), extend("x-unit" = "{request}", "x-scale" = "log")))]
    pub min: u32,
    /// The limit never rises above this (Netflix: 200, for Vegas 1000); a fixed limit does not look at it.
    #[cfg_attr(feature = "schema", schemars(title = "Limit, at most", range(min = 1, max = 1_000_000), extend("x-unit" = "{request}", "x-scale" = "log")))]
    pub max: u32,
    /// A drop or a late answer multiplies the limit by this.
    #[cfg_attr(feature = "schema", schemars(title = "Cut to", range(min = 0.5, max = 0.99), extend("x-unit" = "ratio", "x-when" = when(LIMIT, "kind", "aimd"))))]
    pub backoff_ratio: f64,
    /// An answer that took longer than this counts as a drop.
    #[cfg_attr(feature = "schema", schemars(title = "Late after", range(min = 0.001, max = 100_000.0), extend("x-unit" = "s", "x-scale" = "log", "x-when" = when(LIMIT, "kind", "aimd"))))]
    pub timeout_seconds: f64,
    /// The limit grows while fewer than this many times log₁₀ of the limit wait.
    #[cfg_attr(feature = "schema", schemars(title = "Queue wanted, from (α)", range(min = 1, max = 1_000), extend("x-when" = when(LIMIT, "kind", "vegas"))))]
    pub alpha: u32,
    /// The limit shrinks while more than this many times log₁₀ of the limit wait.
    #[cfg_attr(feature = "schema", schemars(title = "Queue wanted, to (β)", range(min = 1, max = 1_000), extend("x-when" = when(LIMIT, "kind", "vegas"))))]
    pub beta: u32,
    /// The latency without a queue is measured anew after about this many times the limit answers.
    #[cfg_attr(feature = "schema", schemars(title = "Probe after", range(min = 1, max = 100_000), extend("x-scale" = "log", "x-when" = when(LIMIT, "kind", "vegas"))))]
    pub probe_multiplier: u32,
    /// What part of the way to the wanted limit each answer goes.
    #[cfg_attr(feature = "schema", schemars(title = "Smoothing", range(min = 0.0, max = 1.0), extend("x-unit" = "ratio", "x-when" = when(LIMIT, "kind", "gradient2"))))]
    pub smoothing: f64,
    /// By how much the limit would grow at each answer, before smoothing, while latency is as usual.
    #[cfg_attr(feature = "schema", schemars(title = "Queue wanted", range(min = 0, max = 1_000_000), extend("x-unit" = "{request}", "x-when" = when(LIMIT, "kind", "gradient2"))))]
    pub queue_size: u32,
    /// Latency up to this many times the long average is as usual.
    #[cfg_attr(feature = "schema", schemars(title = "Tolerance", range(min = 1.0, max = 1_000.0), extend("x-unit" = "ratio", "x-when" = when(LIMIT, "kind", "gradient2"))))]
    pub tolerance: f64,
    /// How many answers the long average of latency looks back on.
    #[cfg_attr(feature = "schema", schemars(title = "Long average over", range(min = 1, max = 1_000_000), extend("x-unit" = "{request}", "x-scale" = "log", "x-when" = when(LIMIT, "kind", "gradient2"))))]
    pub long_window: u32,
}

/// How a concurrency limit is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LimitKind {
    #[allow(missing_docs)]
    Fixed,
    #[allow(missing_docs)]
    Aimd,
    #[allow(missing_docs)]
    Vegas,
    #[allow(missing_docs)]
    Gradient2,
}

/// Controlled delay: drops at the head of a queue whose waits have stayed too long, more often the longer they do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Codel {
    /// Waits from this on are too long.
    #[cfg_attr(feature = "schema", schemars(title = "Target", range(min = 0.0, max = 100_000.0), extend("x-unit" = "s")))]
    pub target_seconds: f64,
    /// Drops begin when waits have been too long for this long; the n-th further drop comes this over √n after the one before.
    #[cfg_attr(feature = "schema", schemars(title = "Interval", range(min = 0.001, max = 100_000.0), extend("x-unit" = "s", "x-scale" = "log")))]
    pub interval_seconds: f64,
}

/// The queue's time limit: long while the queue empties now and then, short once it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct QueueTimeout {
    /// A queue that has not been empty for longer than this stands; while it does not, this is the time limit.
    #[cfg_attr(feature = "schema", schemars(title = "Interval", range(min = 0.001, max = 100_000.0), extend("x-unit" = "s", "x-scale" = "log")))]
    pub interval_seconds: f64,
    /// The time limit of a standing queue.
    #[cfg_attr(feature = "schema", schemars(title = "Limit when it stands", range(min = 0.0, max = 100_000.0), extend("x-unit" = "s")))]
    pub target_seconds: f64,
}

/// Adaptive client throttle: the client rejects requests itself when the server accepts fewer than one in so many.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ClientThrottle {
    /// The client sends at most about this many times what the server accepts.
    #[cfg_attr(feature = "schema", schemars(title = "Multiplier K", range(min = 1.0, max = 100.0), extend("x-unit" = "ratio")))]
    pub multiplier: f64,
    /// Requests and accepts count for this long.
    #[cfg_attr(feature = "schema", schemars(title = "Window", range(min = 0.001, max = 100_000.0), extend("x-unit" = "s", "x-scale" = "log")))]
    pub window_seconds: f64,
}

/// An autoscaler: adds and takes away workers so that a metric stays at its target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Autoscaler {
    /// What it goes by: how busy the workers are, or how many requests wait for each.
    #[cfg_attr(feature = "schema", schemars(title = "Metric", extend("x-enum-titles" = ["utilization", "queue"])))]
    pub metric: ScalingMetric,
    /// What the metric should be for each worker: the share of its time that it is busy, or the requests that wait.
    #[cfg_attr(
        feature = "schema",
        schemars(title = "Target", range(min = 0.001, max = 1_000_000.0))
    )]
    pub target: f64,
    /// While the metric is off its target by no more than this share, nothing changes.
    #[cfg_attr(feature = "schema", schemars(title = "Tolerance", range(min = 0.0, max = 10.0), extend("x-unit" = "ratio")))]
    pub tolerance: f64,
    /// How often it decides, about the mean of the metric since it last did.
    #[cfg_attr(feature = "schema", schemars(title = "Every", range(min = 0.001, max = 100_000.0), extend("x-unit" = "s", "x-scale" = "log")))]
    pub every_seconds: f64,
    /// Workers are taken away only if none of the decisions of this long wanted to keep them.
    #[cfg_attr(feature = "schema", schemars(title = "Scale-down window", range(min = 0.0, max = 100_000.0), extend("x-unit" = "s")))]
    pub scale_down_window_seconds: f64,
    /// How long a new worker takes until it is ready.
    #[cfg_attr(feature = "schema", schemars(title = "Lag", range(min = 0.0, max = 100_000.0), extend("x-unit" = "s")))]
    pub lag_seconds: f64,
    /// How long nothing changes after a change.
    #[cfg_attr(feature = "schema", schemars(title = "Cooldown", range(min = 0.0, max = 100_000.0), extend("x-unit" = "s")))]
    pub cooldown_seconds: f64,
    /// By how many workers the number changes at once, at the most.
    #[cfg_attr(feature = "schema", schemars(title = "Step", range(min = 1, max = 100_000), extend("x-unit" = "{worker}", "x-scale" = "log", "x-null-title" = "no limit")))]
    pub step: Option<u32>,
    /// There are never fewer workers.
    #[cfg_attr(feature = "schema", schemars(title = "Workers, at least", range(min = 1, max = 100_000), extend("x-unit" = "{worker}", "x-scale" = "log")))]
    pub min: u32,
    /// There are never more workers.
    #[cfg_attr(feature = "schema", schemars(title = "Workers, at most", range(min = 1, max = 100_000), extend("x-unit" = "{worker}", "x-scale" = "log")))]
    pub max: u32,
}

/// What an autoscaler goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ScalingMetric {
    #[allow(missing_docs)]
    Utilization,
    #[allow(missing_docs)]
    Queue,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            backoff: BackoffGrowth::Exponential,
            base_seconds: 0.1,
            cap_seconds: 20.0,
            jitter: Jitter::Full,
        }
    }
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self {
            kind: RetryBudgetKind::Windowed,
            ratio: 0.2,
            min_per_second: 10.0,
            window_seconds: 10.0,
            active_ratio: 0.2,
            min_active: 3,
            max_tokens: 10,
            token_ratio: 0.1,
        }
    }
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            failure_ratio: 0.5,
            window_requests: 100,
            min_requests: 100,
            open_seconds: 60.0,
            half_open_probes: 10,
        }
    }
}

impl Default for TokenBucket {
    fn default() -> Self {
        Self {
            rate_per_second: 100.0,
            burst: 10,
        }
    }
}

impl Default for ConcurrencyLimit {
    fn default() -> Self {
        Self {
            kind: LimitKind::Gradient2,
            initial: 20,
            min: 20,
            max: 200,
            backoff_ratio: 0.9,
            timeout_seconds: 5.0,
            alpha: 3,
            beta: 6,
            probe_multiplier: 30,
            smoothing: 0.2,
            queue_size: 4,
            tolerance: 1.5,
            long_window: 600,
        }
    }
}

impl Default for Codel {
    fn default() -> Self {
        Self {
            target_seconds: 0.005,
            interval_seconds: 0.1,
        }
    }
}

impl Default for QueueTimeout {
    fn default() -> Self {
        Self {
            interval_seconds: 0.1,
            target_seconds: 0.005,
        }
    }
}

impl Default for ClientThrottle {
    fn default() -> Self {
        Self {
            multiplier: 2.0,
            window_seconds: 120.0,
        }
    }
}

impl Default for Autoscaler {
    fn default() -> Self {
        Self {
            metric: ScalingMetric::Utilization,
            target: 0.7,
            tolerance: 0.1,
            every_seconds: 15.0,
            scale_down_window_seconds: 300.0,
            lag_seconds: 30.0,
            cooldown_seconds: 0.0,
            step: None,
            min: 1,
            max: 100,
        }
    }
}

// `at` is the JSON pointer to the section. Nobody calls these before the sections stand in a profile;
// `expect` says when somebody does.

impl Breaker {
    pub(super) fn conflicts(&self, at: &str, conflicts: &mut Conflicts) {
        conflicts.refuse(
            self.min_requests > self.window_requests,
            format_args!("{at}/min_requests"),
            self.min_requests,
            format_args!("at most window_requests, {}", self.window_requests),
        );
    }
}

impl ConcurrencyLimit {
    pub(super) fn conflicts(&self, at: &str, conflicts: &mut Conflicts) {
        if self.kind == LimitKind::Fixed {
            return;
        }
        conflicts.refuse(
            self.min > self.initial,
            format_args!("{at}/initial"),
            self.initial,
            format_args!("at least min, {}", self.min),
        );
        conflicts.refuse(
            self.initial > self.max,
            format_args!("{at}/initial"),
            self.initial,
            format_args!("at most max, {}", self.max),
        );
        conflicts.refuse(
            self.kind == LimitKind::Vegas && self.alpha > self.beta,
            format_args!("{at}/alpha"),
            self.alpha,
            format_args!("at most beta, {}", self.beta),
        );
    }
}

impl Autoscaler {
    pub(super) fn conflicts(&self, at: &str, conflicts: &mut Conflicts) {
        conflicts.refuse(
            self.min > self.max,
            format_args!("{at}/min"),
            self.min,
            format_args!("at most max, {}", self.max),
        );
        conflicts.refuse(
            self.metric == ScalingMetric::Utilization && self.target > 1.0,
            format_args!("{at}/target"),
            self.target,
            "at most 1: no worker is busy for longer than all of its time",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields that a section's rules refuse.
    fn refused(conflicts: impl FnOnce(&str, &mut Conflicts)) -> Vec<String> {
        let mut found = Conflicts(Vec::new());
        conflicts("/here", &mut found);
        found.0.into_iter().map(|conflict| conflict.field).collect()
    }

    #[test]
    fn fields_that_contradict_each_other_are_refused() {
        assert!(refused(|at, found| Breaker::default().conflicts(at, found)).is_empty());
        let breaker = Breaker {
            window_requests: 99,
            ..Breaker::default()
        };
        let fields = refused(|at, found| breaker.conflicts(at, found));
        assert_eq!(fields, ["/here/min_requests"]);

        assert!(refused(|at, found| ConcurrencyLimit::default().conflicts(at, found)).is_empty());
        for (kind, initial, expected) in [
            (LimitKind::Gradient2, 19, 1),
            (LimitKind::Aimd, 201, 1),
            (LimitKind::Vegas, 20, 0),
            (LimitKind::Fixed, 4, 0),
        ] {
            let limit = ConcurrencyLimit {
                kind,
                initial,
                ..ConcurrencyLimit::default()
            };
            let fields = refused(|at, found| limit.conflicts(at, found));
            assert_eq!(fields, vec!["/here/initial"; expected], "{kind:?}");
        }
        let vegas = ConcurrencyLimit {
            kind: LimitKind::Vegas,
            alpha: 7,
            ..ConcurrencyLimit::default()
        };
        assert_eq!(
            refused(|at, found| vegas.conflicts(at, found)),
            ["/here/alpha"]
        );

        assert!(refused(|at, found| Autoscaler::default().conflicts(at, found)).is_empty());
        let autoscaler = Autoscaler {
            target: 1.5,
            min: 101,
            ..Autoscaler::default()
        };
        assert_eq!(
            refused(|at, found| autoscaler.conflicts(at, found)),
            ["/here/min", "/here/target"]
        );
    }

    /// A section as JSON and back; and, where there is a schema, what it says of each field.
    fn check<T>(name: &str)
    where
        T: Default + PartialEq + std::fmt::Debug + Serialize + for<'de> Deserialize<'de>,
        T: MaybeSchema,
    {
        let default = T::default();
        assert_eq!(serde_json::from_str::<T>("{}").unwrap(), default, "{name}");
        let text = serde_json::to_string(&default).unwrap();
        assert_eq!(serde_json::from_str::<T>(&text).unwrap(), default, "{name}");
        assert!(serde_json::from_str::<T>(r#"{"no_such_field": 1}"#).is_err());
        T::check_schema(name, &serde_json::to_value(&default).unwrap());
    }

    #[cfg(not(feature = "schema"))]
    trait MaybeSchema {
        fn check_schema(_: &str, _: &serde_json::Value) {}
    }
    #[cfg(not(feature = "schema"))]
    impl<T> MaybeSchema for T {}

    #[cfg(feature = "schema")]
    trait MaybeSchema: JsonSchema {
        /// Every field has a title and one sentence; every number has bounds, its default within.
        fn check_schema(name: &str, default: &serde_json::Value) {
            let schema = schemars::schema_for!(Self).to_value();
            let fields = schema["properties"].as_object().expect("a section");
            for (field, node) in fields {
                let place = format!("{name}.{field}");
                assert!(node["title"].is_string(), "{place} has no title");
                let about = node["description"].as_str().unwrap_or_default();
                assert!(about.ends_with('.'), "{place}: {about:?}");
                let Some(value) = default[field].as_f64() else {
                    continue;
                };
                let (least, most) = (node["minimum"].as_f64(), node["maximum"].as_f64());
                assert!(least.is_some_and(|least| least <= value), "{place}");
                assert!(most.is_some_and(|most| value <= most), "{place}");
            }
        }
    }
    #[cfg(feature = "schema")]
    impl<T: JsonSchema> MaybeSchema for T {}

    #[test]
    fn sections_are_written_as_they_are_read_and_say_what_their_fields_are() {
        check::<Retry>("retry");
        check::<RetryBudget>("budget");
        check::<Breaker>("breaker");
        check::<TokenBucket>("bucket");
        check::<ConcurrencyLimit>("limit");
        check::<Codel>("codel");
        check::<QueueTimeout>("timeout");
        check::<ClientThrottle>("throttle");
        check::<Autoscaler>("autoscaler");
    }
}
