//! The timeline: interventions at moments of virtual time.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Conflicts, Profile};

/// One intervention: when, for how long, and what. Exactly one of the kinds is given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Intervention {
    /// When it starts; it comes before anything else that is due at that nanosecond.
    #[cfg_attr(feature = "schema", schemars(title = "At", range(min = 0.0, max = 10_000_000.0), extend("x-unit" = "s")))]
    pub at_seconds: f64,
    /// How long it lasts; then everything is as it was.
    #[cfg_attr(feature = "schema", schemars(title = "For", range(min = 0.000_001, max = 10_000_000.0), extend("x-unit" = "s", "x-null-title" = "to the end")))]
    pub for_seconds: Option<f64>,
    /// More requests than usual.
    #[cfg_attr(feature = "schema", schemars(title = "Traffic", extend("x-template" = Traffic::default(), "default" = serde_json::Value::Null)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traffic: Option<Traffic>,
    /// Workers crash, with what they serve; they restart at the end.
    #[cfg_attr(feature = "schema", schemars(title = "Worker crash", extend("x-template" = WorkerCrash::default(), "default" = serde_json::Value::Null)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crash: Option<WorkerCrash>,
    /// All workers pause, and go on where they were at the end.
    #[cfg_attr(feature = "schema", schemars(title = "Stall", extend("x-template" = Stall::default(), "default" = serde_json::Value::Null)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stall: Option<Stall>,
    /// Every service takes longer.
    #[cfg_attr(feature = "schema", schemars(title = "Slow workers", extend("x-template" = Slowdown::default(), "default" = serde_json::Value::Null)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slow_workers: Option<Slowdown>,
    /// The dependency takes longer to answer.
    #[cfg_attr(feature = "schema", schemars(title = "Slow downstream", extend("x-template" = Slowdown::default(), "default" = serde_json::Value::Null)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slow_downstream: Option<Slowdown>,
    /// The network between clients and server loses messages.
    #[cfg_attr(feature = "schema", schemars(title = "Loss", extend("x-template" = Loss::default(), "default" = serde_json::Value::Null)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<Loss>,
    /// A connection pool has fewer connections.
    #[cfg_attr(feature = "schema", schemars(title = "Pool shrink", extend("x-template" = PoolShrink::default(), "default" = serde_json::Value::Null)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<PoolShrink>,
    /// A numeric field of the profile has another value.
    #[cfg_attr(feature = "schema", schemars(title = "Set a field", extend("x-template" = SetField::default(), "default" = serde_json::Value::Null)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set: Option<SetField>,
}

/// More requests than usual.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Traffic {
    /// Open-loop arrivals come this many times as fast.
    #[cfg_attr(feature = "schema", schemars(title = "Arrivals, factor", range(min = 0.0, max = 1_000.0), extend("x-unit" = "ratio")))]
    pub arrivals_factor: f64,
    /// So many further agents, which all wake within the first second and leave at the end.
    #[cfg_attr(feature = "schema", schemars(title = "Further agents", range(min = 0, max = 1_000_000), extend("x-unit" = "{agent}")))]
    pub extra_agents: u32,
}

impl Default for Traffic {
    fn default() -> Self {
        Self {
            arrivals_factor: 3.0,
            extra_agents: 0,
        }
    }
}

/// Workers crash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct WorkerCrash {
    /// How many of them.
    #[cfg_attr(feature = "schema", schemars(title = "Workers", range(min = 1, max = 100_000), extend("x-unit" = "{worker}")))]
    pub workers: u32,
}

impl Default for WorkerCrash {
    fn default() -> Self {
        Self { workers: 1 }
    }
}

/// All workers pause.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Stall {}

/// Something takes longer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Slowdown {
    /// How many times as long.
    #[cfg_attr(feature = "schema", schemars(title = "Factor", range(min = 0.001, max = 1_000.0), extend("x-unit" = "ratio")))]
    pub factor: f64,
}

impl Default for Slowdown {
    fn default() -> Self {
        Self { factor: 3.0 }
    }
}

/// Messages are lost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Loss {
    /// Probability that a message is lost.
    #[cfg_attr(feature = "schema", schemars(title = "Loss", range(min = 0.0, max = 1.0), extend("x-unit" = "ratio")))]
    pub ratio: f64,
}

impl Default for Loss {
    fn default() -> Self {
        Self { ratio: 0.1 }
    }
}

/// A pool has fewer connections.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct PoolShrink {
    /// Which pool: the clients' connections to the server, or the workers' to the dependency.
    #[cfg_attr(feature = "schema", schemars(title = "Of", extend("x-enum-titles" = ["clients to server", "workers to downstream"])))]
    pub of: PoolOf,
    /// How many connections are left.
    #[cfg_attr(feature = "schema", schemars(title = "Connections", range(min = 0, max = 1_000_000), extend("x-unit" = "{connection}")))]
    pub size: u32,
}

/// Which pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PoolOf {
    #[allow(missing_docs)]
    Network,
    #[allow(missing_docs)]
    Downstream,
}

impl Default for PoolShrink {
    fn default() -> Self {
        Self {
            of: PoolOf::Downstream,
            size: 1,
        }
    }
}

/// A field has another value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct SetField {
    /// Dotted path of a numeric field.
    #[cfg_attr(feature = "schema", schemars(title = "Field"))]
    pub path: String,
    /// Its value meanwhile.
    #[cfg_attr(feature = "schema", schemars(title = "Value"))]
    pub value: f64,
}

impl Default for SetField {
    fn default() -> Self {
        Self {
            path: "workers.service.slowdown_per_pressure".into(),
            value: 0.0,
        }
    }
}

impl SetField {
    /// The value as JSON writes it: a whole number without a fraction.
    #[must_use]
    pub fn json(&self) -> Value {
        Value::from(self.value)
    }
}

/// What a timeline may set: stages look at these anew whenever one changes.
const CAN_BE_SET: &[&str] = &[
    "agents.think_seconds",
    "agents.backoff.",
    "arrivals.rate_per_second",
    "requests.light.share",
    "requests.light.weight",
    "requests.heavy.share",
    "requests.heavy.weight",
    "client.timeout_seconds",
    "client.deadline_seconds",
    "client.retry.",
    "client.hedge.",
    "network.",
    "admission.token_bucket.rate_per_second",
    "queue.capacity",
    "queue.early_drop.",
    "queue.lifo_above",
    "workers.count",
    "workers.service.",
    "faults.spike.",
    "faults.error.",
    "downstream.",
    "throttle.degraded_seconds",
    "throttle.collapsed_seconds",
];

impl SetField {
    /// Whether a timeline may set this field.
    pub(crate) fn may_be_set(path: &str) -> bool {
        let later_rate = path
            .strip_prefix("extra_arrivals.")
            .is_some_and(|rest| rest.ends_with(".rate_per_second"));
        later_rate
            || CAN_BE_SET
                .iter()
                .any(|known| known.ends_with('.') && path.starts_with(known) || path == *known)
    }

    /// What a timeline may set, in words.
    pub(crate) fn settable() -> String {
        CAN_BE_SET
            .iter()
            .map(|known| {
                if known.ends_with('.') {
                    format!("{known}…")
                } else {
                    (*known).to_owned()
                }
            })
            .collect::<Vec<_>>()
            .join(", ")
    }
}

impl Intervention {
    /// The name of each kind that is given.
    pub(crate) fn kinds(&self) -> Vec<&'static str> {
        [
            ("traffic", self.traffic.is_some()),
            ("crash", self.crash.is_some()),
            ("stall", self.stall.is_some()),
            ("slow_workers", self.slow_workers.is_some()),
            ("slow_downstream", self.slow_downstream.is_some()),
            ("loss", self.loss.is_some()),
            ("pool", self.pool.is_some()),
            ("set", self.set.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, given)| given.then_some(name))
        .collect()
    }

    /// When it ends; never, if it lasts to the end of the run.
    #[must_use]
    pub fn end_seconds(&self) -> f64 {
        self.for_seconds
            .map_or(f64::INFINITY, |span| self.at_seconds + span)
    }
}

impl Profile {
    pub(super) fn timeline_conflicts(&self, conflicts: &mut Conflicts) {
        let client_times_out = self.client.as_ref().is_some_and(|client| {
            client.timeout_seconds.is_some() || client.deadline_seconds.is_some()
        });
        for (index, entry) in self.timeline.iter().enumerate() {
            let at = format!("/timeline/{index}");
            let kinds = entry.kinds();
            conflicts.refuse(
                kinds.len() != 1,
                &at,
                if kinds.is_empty() {
                    "no kind of intervention".to_owned()
                } else {
                    kinds.join(" and ")
                },
                "exactly one of traffic, crash, stall, slow_workers, slow_downstream, loss, pool, set",
            );
            conflicts.refuse(
                entry.at_seconds >= self.run.duration_seconds,
                format_args!("{at}/at_seconds"),
                entry.at_seconds,
                format_args!("less than the duration, {} s", self.run.duration_seconds),
            );
            let must_end = entry.crash.is_some()
                || entry.stall.is_some()
                || entry.pool.as_ref().is_some_and(|pool| pool.size == 0);
            conflicts.refuse(
                must_end && entry.for_seconds.is_none(),
                format_args!("{at}/for_seconds"),
                "null",
                "how long it lasts: work that nobody can do is never done",
            );
            conflicts.refuse(
                entry.slow_downstream.is_some() && self.downstream.is_none(),
                format_args!("{at}/slow_downstream"),
                "a section in braces",
                "null, or a dependency in downstream",
            );
            if let Some(loss) = &entry.loss {
                let network = self.network.as_ref();
                let times_out =
                    client_times_out || network.is_some_and(|n| n.socket_timeout_seconds.is_some());
                conflicts.refuse(
                    network.is_none() || (loss.ratio > 0.0 && !times_out),
                    format_args!("{at}/loss"),
                    "a section in braces",
                    "null, or a network with a socket timeout or a client with a timeout",
                );
            }
            if let Some(shrink) = &entry.pool {
                let network = match shrink.of {
                    PoolOf::Network => self.network.as_ref(),
                    PoolOf::Downstream => self.downstream.as_ref().map(|d| &d.network),
                };
                conflicts.refuse(
                    network.is_none_or(|network| network.pool.is_none()),
                    format_args!("{at}/pool/of"),
                    match shrink.of {
                        PoolOf::Network => "network",
                        PoolOf::Downstream => "downstream",
                    },
                    "a side that has a connection pool",
                );
            }
            if let Some(set) = &entry.set {
                conflicts.refuse(
                    set.path == "workers.count" && self.workers.autoscaler.is_some(),
                    format_args!("{at}/set/path"),
                    "workers.count",
                    "another field, or no autoscaler, which decides on the number of workers",
                );
            }
        }
    }
}
