//! The run itself: how long, and what of it is counted.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Conflicts;

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
    /// Whether the run lasts its whole duration or ends as soon as every agent and every open loop is done and every request is answered.
    #[cfg_attr(feature = "schema", schemars(title = "Ends", extend("x-enum-titles" = ["after the duration", "when all work is done"])))]
    pub until: RunUntil,
    /// What happens after the duration: the load stops, or it goes on uncounted until every counted request has ended, as experiments with LIFO, priorities or retries need.
    #[cfg_attr(feature = "schema", schemars(title = "After the duration", extend("x-enum-titles" = ["the load stops", "the load goes on uncounted"], "default" = "stop")))]
    #[serde(skip_serializing_if = "is_stop")]
    pub drain: Drain,
    /// For how long the load goes on at most; counted requests that have not ended by then are reported as in flight.
    #[cfg_attr(feature = "schema", schemars(title = "For at most", range(min = 0.1, max = 10_000_000.0), extend("x-unit" = "s", "x-scale" = "log", "x-when" = serde_json::json!({"run.drain": "continue"}), "default" = DRAIN_SECONDS)))]
    #[serde(skip_serializing_if = "is_default_drain_seconds")]
    pub drain_seconds: f64,
}

/// What happens after the duration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Drain {
    #[allow(missing_docs)]
    #[default]
    Stop,
    #[allow(missing_docs)]
    Continue,
}

const DRAIN_SECONDS: f64 = 60.0;

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde calls it
fn is_stop(drain: &Drain) -> bool {
    *drain == Drain::Stop
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_default_drain_seconds(seconds: &f64) -> bool {
    *seconds == DRAIN_SECONDS
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

impl Default for RunSection {
    fn default() -> Self {
        Self {
            duration_seconds: 120.0,
            warmup_seconds: 60.0,
            max_requests: None,
            until: RunUntil::Duration,
            drain: Drain::Stop,
            drain_seconds: DRAIN_SECONDS,
        }
    }
}

impl RunSection {
    pub(super) fn conflicts(&self, conflicts: &mut Conflicts) {
        conflicts.refuse(
            self.warmup_seconds >= self.duration_seconds,
            "/run/warmup_seconds",
            self.warmup_seconds,
            format_args!("less than the duration, {} s", self.duration_seconds),
        );
        conflicts.refuse(
            self.drain == Drain::Continue
                && (self.until == RunUntil::Idle || self.max_requests.is_some()),
            "/run/drain",
            "\"continue\"",
            "\"stop\", where all work or a number of requests ends the run",
        );
    }
}
