//! The workers, their service times, and what goes wrong there.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
