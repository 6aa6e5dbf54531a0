//! The queue, and the gate in front of it.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Codel, Conflicts, QueueTimeout};

/// The bounded queue and the gate in front of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct QueueSection {
    /// Waiting places; requests in service do not count.
    #[cfg_attr(feature = "schema", schemars(title = "Capacity", range(min = 1, max = 10_000_000), extend("x-unit" = "{request}", "x-scale" = "log", "x-null-title" = "unbounded")))]
    pub capacity: Option<u32>,
    /// What a full queue does with the next request: refuse it, make its sender wait for a place (backpressure), or drop it in silence, so that its client learns of it by a timeout.
    #[cfg_attr(feature = "schema", schemars(title = "When full", extend("x-enum-titles" = ["reject", "make the sender wait", "drop in silence"])))]
    pub when_full: WhenFull,
    /// Drops a request at the gate before the queue is full, more often the fuller it is.
    #[cfg_attr(feature = "schema", schemars(title = "Early drop", extend("x-template" = EarlyDrop::default())))]
    pub early_drop: Option<EarlyDrop>,
    /// Which of the waiting requests is served next. Adaptive LIFO serves in order while few wait, and the newest first while many do.
    #[cfg_attr(feature = "schema", schemars(title = "Discipline", extend("x-enum-titles" = ["first in, first out", "last in, first out", "adaptive LIFO", "strict priority", "weighted by priority"], "default" = "fifo")))]
    #[serde(skip_serializing_if = "is_default")]
    pub discipline: Discipline,
    /// Adaptive LIFO serves the newest first while more than this many wait.
    #[cfg_attr(feature = "schema", schemars(title = "LIFO above", range(min = 0, max = 10_000_000), extend("x-unit" = "{request}", "x-when" = serde_json::json!({"queue.discipline": "adaptive_lifo"}), "default" = LIFO_ABOVE)))]
    #[serde(skip_serializing_if = "is_default_lifo_above")]
    pub lifo_above: u32,
    /// Turns that the priorities 0, 1, 2 … get in proportion to each other; 1 where the list ends.
    #[cfg_attr(feature = "schema", schemars(title = "Weights of the priorities", length(max = 8), inner(range(min = 0.001, max = 1_000.0)), extend("x-when" = serde_json::json!({"queue.discipline": "weighted"}), "default" = Vec::<f64>::new())))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub weights: Vec<f64>,
    /// Takes requests out unserved when their client's deadline has passed.
    #[cfg_attr(feature = "schema", schemars(title = "Drops what has expired", extend("default" = false)))]
    #[serde(skip_serializing_if = "is_default")]
    pub drops_expired: bool,
    /// Drops requests that waited, if waits have been too long for a while (CoDel, RFC 8289).
    #[cfg_attr(feature = "schema", schemars(title = "CoDel", extend("x-template" = Codel::default(), "default" = serde_json::Value::Null)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codel: Option<Codel>,
    /// Drops requests that waited longer than a limit, a short one while the queue has not been empty for a while.
    #[cfg_attr(feature = "schema", schemars(title = "Queue timeout", extend("x-template" = QueueTimeout::default(), "default" = serde_json::Value::Null)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<QueueTimeout>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The usual threshold of adaptive LIFO.
const LIFO_ABOVE: u32 = 10;

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde calls it
fn is_default_lifo_above(value: &u32) -> bool {
    *value == LIFO_ABOVE
}

/// Which of the waiting requests is served next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Discipline {
    #[allow(missing_docs)]
    #[default]
    Fifo,
    #[allow(missing_docs)]
    Lifo,
    #[allow(missing_docs)]
    AdaptiveLifo,
    #[allow(missing_docs)]
    Priority,
    #[allow(missing_docs)]
    Weighted,
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
    #[allow(missing_docs)]
    Drop,
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
            discipline: Discipline::Fifo,
            lifo_above: LIFO_ABOVE,
            weights: Vec::new(),
            drops_expired: false,
            codel: None,
            timeout: None,
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

impl QueueSection {
    pub(super) fn conflicts(&self, somebody_times_out: bool, conflicts: &mut Conflicts) {
        conflicts.refuse(
            self.when_full == WhenFull::Drop && !somebody_times_out,
            "/queue/when_full",
            "\"drop\"",
            "\"reject\" or \"wait\", or a timeout or deadline of the client: else nobody learns of the drop",
        );
    }

    /// Whether it is more than first in, first out, with an answer to whoever is refused.
    #[must_use]
    pub fn has_rules(&self) -> bool {
        self.discipline != Discipline::Fifo
            || self.drops_expired
            || self.codel.is_some()
            || self.timeout.is_some()
            || self.when_full == WhenFull::Drop
    }
}
