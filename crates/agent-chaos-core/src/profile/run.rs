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

impl RunSection {
    pub(super) fn conflicts(&self, conflicts: &mut Conflicts) {
        conflicts.refuse(
            self.warmup_seconds >= self.duration_seconds,
            "/run/warmup_seconds",
            self.warmup_seconds,
            format!("less than the duration, {} s", self.duration_seconds),
        );
    }
}
