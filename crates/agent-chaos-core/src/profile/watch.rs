//! What is measured, what is made of it, and what is done about it.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Conflicts;

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
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
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

/// More ticks than this are refused.
const MAX_TICKS: f64 = 20_000_000.0;
/// A longer rate window, in ticks, is refused.
const MAX_WINDOW_TICKS: f64 = 100_000.0;

impl TelemetrySection {
    pub(super) fn conflicts(&self, duration_seconds: f64, conflicts: &mut Conflicts) {
        conflicts.refuse(
            duration_seconds / self.interval_seconds > MAX_TICKS,
            "/telemetry/interval_seconds",
            self.interval_seconds,
            format_args!(
                "at least {} s, so that the run has at most {MAX_TICKS} ticks",
                duration_seconds / MAX_TICKS
            ),
        );
        conflicts.refuse(
            self.window_seconds < self.interval_seconds,
            "/telemetry/window_seconds",
            self.window_seconds,
            format_args!("at least one interval, {} s", self.interval_seconds),
        );
        conflicts.refuse(
            self.window_seconds / self.interval_seconds > MAX_WINDOW_TICKS,
            "/telemetry/window_seconds",
            self.window_seconds,
            format_args!("at most {MAX_WINDOW_TICKS} intervals"),
        );
    }
}

impl SustainedRules {
    pub(super) fn conflicts(&self, conflicts: &mut Conflicts) {
        conflicts.refuse(
            self.degraded_release_saturation > self.degraded_saturation,
            "/detector/sustained/degraded_release_saturation",
            self.degraded_release_saturation,
            format_args!("at most degraded_saturation, {}", self.degraded_saturation),
        );
        conflicts.refuse(
            self.collapsed_release_saturation > self.collapsed_saturation,
            "/detector/sustained/collapsed_release_saturation",
            self.collapsed_release_saturation,
            format_args!(
                "at most collapsed_saturation, {}",
                self.collapsed_saturation
            ),
        );
    }
}
