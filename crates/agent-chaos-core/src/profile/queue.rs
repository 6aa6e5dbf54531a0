//! The queue, and the gate in front of it.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
