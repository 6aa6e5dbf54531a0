//! Who sends what: agents and the mix of requests.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Conflicts, RunUntil};

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
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
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
            /// Priority of this class; 0 is served first where the queue goes by priority.
            #[serde(skip_serializing_if = "is_zero")]
            #[cfg_attr(feature = "schema", schemars(title = "Priority", range(min = 0, max = 7), extend("default" = 0)))]
            pub priority: u8,
        }

        impl Default for $name {
            fn default() -> Self {
                Self { share: $share, weight: $weight, priority: 0 }
            }
        }
    };
}

#[allow(clippy::trivially_copy_pass_by_ref)] // As serde calls it.
fn is_zero(number: &u8) -> bool {
    *number == 0
}

class_section!(LightClass, "The LIGHT class of requests.", 2.0, 1.0);
class_section!(HeavyClass, "The HEAVY class of requests.", 1.0, 2.0);

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

#[allow(clippy::derivable_impls)] // The other sections' defaults stand here too.
impl Default for Requests {
    fn default() -> Self {
        Self {
            light: LightClass::default(),
            heavy: HeavyClass::default(),
        }
    }
}

impl Agents {
    pub(super) fn conflicts(&self, until: RunUntil, conflicts: &mut Conflicts) {
        conflicts.refuse(
            self.first_wake_max_seconds < self.first_wake_min_seconds,
            "/agents/first_wake_max_seconds",
            self.first_wake_max_seconds,
            format_args!(
                "at least first_wake_min_seconds, {} s",
                self.first_wake_min_seconds
            ),
        );
        conflicts.refuse(
            until == RunUntil::Idle && self.requests_each.is_none(),
            "/run/until",
            "\"idle\"",
            "\"duration\", or a number in agents.requests_each: agents without a limit are never done",
        );
    }
}

impl Requests {
    pub(super) fn conflicts(&self, conflicts: &mut Conflicts) {
        conflicts.refuse(
            self.light.share + self.heavy.share <= 0.0,
            "/requests/light/share",
            "0",
            "a share above 0 for at least one class",
        );
    }
}
