//! The workers, their service times, and what goes wrong there.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Autoscaler, Conflicts};

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
    /// Workers that serve one class alone, so that the other cannot take them all.
    #[cfg_attr(feature = "schema", schemars(title = "Bulkheads", extend("x-template" = Bulkheads::default(), "default" = serde_json::Value::Null)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bulkheads: Option<Bulkheads>,
    /// Changes the number of workers with the load.
    #[cfg_attr(feature = "schema", schemars(title = "Autoscaler", extend("x-template" = Autoscaler::default(), "default" = serde_json::Value::Null)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub autoscaler: Option<Autoscaler>,
}

/// Workers that serve one class alone; the others serve both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Bulkheads {
    /// Workers that serve LIGHT requests alone.
    #[cfg_attr(feature = "schema", schemars(title = "Reserved for light", range(min = 0, max = 100_000), extend("x-unit" = "{worker}")))]
    pub light: u32,
    /// Workers that serve HEAVY requests alone.
    #[cfg_attr(feature = "schema", schemars(title = "Reserved for heavy", range(min = 0, max = 100_000), extend("x-unit" = "{worker}")))]
    pub heavy: u32,
}

impl Default for Bulkheads {
    fn default() -> Self {
        Self { light: 1, heavy: 0 }
    }
}

/// How long a request takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Service {
    /// The random factor of mean 1: none (deterministic), or drawn anew for each request from this distribution.
    #[cfg_attr(feature = "schema", schemars(title = "Distribution", extend("x-enum-titles" = ["deterministic", "uniform", "exponential", "Erlang", "hyperexponential", "lognormal", "bounded Pareto", "empirical"])))]
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
    /// The Erlang factor is the mean of so many exponential ones: 1 is exponential, many are nearly constant.
    #[serde(skip_serializing_if = "usual::erlang_shape")]
    #[cfg_attr(feature = "schema", schemars(title = "Erlang shape k", range(min = 1, max = 1_000), extend("default" = Service::default().erlang_shape, "x-scale" = "log", "x-when" = serde_json::json!({"workers.service.distribution": "erlang"}))))]
    pub erlang_shape: u32,
    /// Variance of the factor: the squared coefficient of variation, 1 for exponential service and at least 1 for hyperexponential.
    #[serde(skip_serializing_if = "usual::scv")]
    #[cfg_attr(feature = "schema", schemars(title = "Variation c²", range(min = 0.000_001, max = 1_000.0), extend("default" = Service::default().scv, "x-unit" = "ratio", "x-scale" = "log", "x-when" = serde_json::json!({"workers.service.distribution": ["hyperexponential", "lognormal"]}))))]
    pub scv: f64,
    /// The probability of a factor above x falls like x to the power of −α: the smaller α, the heavier the tail.
    #[serde(skip_serializing_if = "usual::pareto_alpha")]
    #[cfg_attr(feature = "schema", schemars(title = "Tail index α", range(min = 0.1, max = 10.0), extend("default" = Service::default().pareto_alpha, "x-when" = serde_json::json!({"workers.service.distribution": "bounded_pareto"}))))]
    pub pareto_alpha: f64,
    /// The largest Pareto factor over the smallest.
    #[serde(skip_serializing_if = "usual::pareto_ratio")]
    #[cfg_attr(feature = "schema", schemars(title = "Largest over smallest", range(min = 1.001, max = 1e9), extend("default" = Service::default().pareto_ratio, "x-unit" = "ratio", "x-scale" = "log", "x-when" = serde_json::json!({"workers.service.distribution": "bounded_pareto"}))))]
    pub pareto_ratio: f64,
    /// Measured times in any unit: each factor is one of them, with equal chance, over their mean.
    #[serde(skip_serializing_if = "usual::empirical_ratios")]
    #[cfg_attr(feature = "schema", schemars(title = "Measured times", length(min = 1, max = 1_000), inner(range(min = 1e-9, max = 1e12)), extend("default" = Service::default().empirical_ratios, "x-when" = serde_json::json!({"workers.service.distribution": "empirical"}))))]
    pub empirical_ratios: Vec<f64>,
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
    #[allow(missing_docs)]
    Erlang,
    #[allow(missing_docs)]
    Hyperexponential,
    #[allow(missing_docs)]
    Lognormal,
    #[allow(missing_docs)]
    BoundedPareto,
    #[allow(missing_docs)]
    Empirical,
}

/// Whether a field is as usual. Then it is not written, so that the text of a profile is the one it
/// was before the field was there, and with it the hash that links carry. The schema names these
/// defaults itself, since nothing written does.
mod usual {
    use super::Service;

    macro_rules! usual {
        ($($field:ident: $kind:ty),*) => {
            $(pub fn $field(value: &$kind) -> bool {
                *value == Service::default().$field
            })*
        };
    }
    usual!(erlang_shape: u32, scv: f64, pareto_alpha: f64, pareto_ratio: f64, empirical_ratios: [f64]);
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
    /// Now and then all workers pause, as for a garbage collection.
    #[cfg_attr(feature = "schema", schemars(title = "Stalls", extend("x-template" = StallFault::default(), "default" = serde_json::Value::Null)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stalls: Option<StallFault>,
    /// Now and then workers crash, lose what they serve, and restart.
    #[cfg_attr(feature = "schema", schemars(title = "Crashes", extend("x-template" = CrashFault::default(), "default" = serde_json::Value::Null)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crashes: Option<CrashFault>,
}

/// Pauses of all workers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct StallFault {
    /// Mean of the exponential time from the end of one pause to the next.
    #[cfg_attr(feature = "schema", schemars(title = "Every", range(min = 0.001, max = 10_000_000.0), extend("x-unit" = "s", "x-scale" = "log")))]
    pub every_seconds: f64,
    /// How long each pause lasts.
    #[cfg_attr(feature = "schema", schemars(title = "Length", range(min = 0.000_1, max = 100_000.0), extend("x-unit" = "s", "x-scale" = "log")))]
    pub seconds: f64,
}

/// Crashes of workers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct CrashFault {
    /// Mean of the exponential time from one crash to the next.
    #[cfg_attr(feature = "schema", schemars(title = "Every", range(min = 0.001, max = 10_000_000.0), extend("x-unit" = "s", "x-scale" = "log")))]
    pub every_seconds: f64,
    /// How many workers crash at a time.
    #[cfg_attr(feature = "schema", schemars(title = "Workers", range(min = 1, max = 100_000), extend("x-unit" = "{worker}")))]
    pub workers: u32,
    /// How long a worker takes to restart.
    #[cfg_attr(feature = "schema", schemars(title = "Restart takes", range(min = 0.001, max = 100_000.0), extend("x-unit" = "s", "x-scale" = "log")))]
    pub restart_seconds: f64,
}

impl Default for StallFault {
    fn default() -> Self {
        Self {
            every_seconds: 10.0,
            seconds: 0.2,
        }
    }
}

impl Default for CrashFault {
    fn default() -> Self {
        Self {
            every_seconds: 30.0,
            workers: 1,
            restart_seconds: 5.0,
        }
    }
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

impl Default for Workers {
    fn default() -> Self {
        Self {
            count: 12,
            service: Service::default(),
            bulkheads: None,
            autoscaler: None,
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
            erlang_shape: 4,
            scv: 4.0,
            pareto_alpha: 1.5,
            pareto_ratio: 1000.0,
            // Their mean is 1.
            empirical_ratios: vec![0.5, 0.75, 1.0, 1.75],
            slowdown_per_pressure: 2.8,
        }
    }
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            spike: Some(SpikeFault::default()),
            error: Some(ErrorFault::default()),
            stalls: None,
            crashes: None,
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

impl Workers {
    pub(super) fn conflicts(&self, conflicts: &mut Conflicts) {
        let Service {
            distribution, scv, ..
        } = self.service;
        conflicts.refuse(
            distribution == ServiceDistribution::Hyperexponential && scv < 1.0,
            "/workers/service/scv",
            scv,
            "at least 1 for hyperexponential service, which varies no less than exponential",
        );
        let least = self.autoscaler.as_ref().map_or(self.count, |scaler| {
            conflicts.refuse(
                scaler.min > self.count || self.count > scaler.max,
                "/workers/count",
                self.count,
                format_args!(
                    "from {} to {}, as the autoscaler may",
                    scaler.min, scaler.max
                ),
            );
            scaler.conflicts("/workers/autoscaler", conflicts);
            scaler.min
        });
        if let Some(Bulkheads { light, heavy }) = self.bulkheads {
            conflicts.refuse(
                light + heavy > least,
                "/workers/bulkheads",
                format_args!("{} reserved workers", light + heavy),
                format_args!("at most {least}, as many as there are"),
            );
            conflicts.refuse(
                light + heavy == least && (light == 0 || heavy == 0),
                "/workers/bulkheads",
                format_args!("all {least} workers reserved for one class"),
                "at least one worker for either class",
            );
        }
    }

    /// The most workers there can be.
    #[must_use]
    pub fn most(&self) -> u32 {
        self.autoscaler
            .as_ref()
            .map_or(self.count, |scaler| scaler.max)
    }
}
