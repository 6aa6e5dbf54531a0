//! Open loops: the base rate of a generator, the shape that changes it over time, and what its
//! requests are like. [`crate::shape`] turns it into moments.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Conflicts;
use crate::shape::Shape;

/// An open-loop arrival process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[cfg_attr(feature = "schema", schemars(title = "Open loop"))]
#[serde(default, deny_unknown_fields)]
pub struct Arrivals {
    /// Mean number of requests that arrive per second, before a shape changes it over time.
    #[cfg_attr(feature = "schema", schemars(title = "Arrival rate λ", range(min = 0.001, max = 1_000_000.0), extend("x-unit" = "1/s", "x-scale" = "log")))]
    pub rate_per_second: f64,
    /// How the arrivals are spaced: Poisson has exponential gaps, even has equal ones. Under a shape, that holds of the gaps in expected arrivals.
    #[cfg_attr(feature = "schema", schemars(title = "Spacing", extend("x-enum-titles" = ["Poisson", "even"])))]
    pub process: ArrivalProcess,
    /// The rate goes straight from one target to the next, in stages. At most one shape may be on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(title = "Shape: ramp", extend("x-template" = Ramp::default())))]
    pub ramp: Option<Ramp>,
    /// A flash crowd: the rate is multiplied for a while. At most one shape may be on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(title = "Shape: spike", extend("x-template" = Spike::default())))]
    pub spike: Option<Spike>,
    /// The rate swings as a sine, like day and night. At most one shape may be on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(title = "Shape: diurnal", extend("x-template" = Diurnal::default())))]
    pub diurnal: Option<Diurnal>,
    /// Bursts by chance: the rate jumps between two levels (a Markov-modulated process). At most one shape may be on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(title = "Shape: bursty", extend("x-template" = Bursty::default())))]
    pub bursty: Option<Bursty>,
    /// Rates as they were recorded, one after the other, in place of the arrival rate above. At most one shape may be on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(title = "Shape: replay", extend("x-template" = Replay::default())))]
    pub replay: Option<Replay>,
    /// The mix of classes that arrives here, where it is not the one of all requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(title = "Own mix", extend("x-template" = Mix::default())))]
    pub mix: Option<Mix>,
    /// Priority of what arrives here; 0 is served first where the queue goes by priority.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schema",
        schemars(
            title = "Own priority",
            range(min = 0, max = 7),
            extend("x-null-title" = "that of the class")
        )
    )]
    pub priority: Option<u8>,
}

/// How arrivals are spaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ArrivalProcess {
    #[allow(missing_docs)]
    Poisson,
    #[allow(missing_docs)]
    Even,
}

/// A rate that goes from one target to the next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Ramp {
    /// The stages in their order; the first begins at the arrival rate, and the last target holds.
    #[cfg_attr(
        feature = "schema",
        schemars(title = "Stages", length(min = 1, max = 100))
    )]
    pub stages: Vec<Stage>,
}

/// One stage of a ramp.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[cfg_attr(feature = "schema", schemars(title = "Stage"))]
#[serde(default, deny_unknown_fields)]
pub struct Stage {
    /// How long it takes to reach the target; 0 jumps.
    #[cfg_attr(feature = "schema", schemars(title = "Duration", range(min = 0.0, max = 10_000_000.0), extend("x-unit" = "s")))]
    pub duration_seconds: f64,
    /// The rate at the end of this stage.
    #[cfg_attr(feature = "schema", schemars(title = "Target", range(min = 0.0, max = 1_000_000.0), extend("x-unit" = "1/s")))]
    pub target_per_second: f64,
}

/// A rate that is multiplied for a while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Spike {
    /// When the rate begins to rise.
    #[cfg_attr(feature = "schema", schemars(title = "Begins", range(min = 0.0, max = 10_000_000.0), extend("x-unit" = "s")))]
    pub at_seconds: f64,
    /// How long it rises.
    #[cfg_attr(feature = "schema", schemars(title = "Rises for", range(min = 0.0, max = 10_000_000.0), extend("x-unit" = "s")))]
    pub rise_seconds: f64,
    /// How long it stays up.
    #[cfg_attr(feature = "schema", schemars(title = "Holds for", range(min = 0.0, max = 10_000_000.0), extend("x-unit" = "s")))]
    pub hold_seconds: f64,
    /// How long it takes to fall back.
    #[cfg_attr(feature = "schema", schemars(title = "Falls for", range(min = 0.0, max = 10_000_000.0), extend("x-unit" = "s")))]
    pub fall_seconds: f64,
    /// How many times the arrival rate it reaches; below 1 it is a lull.
    #[cfg_attr(
        feature = "schema",
        schemars(title = "Factor", range(min = 0.0, max = 1_000.0))
    )]
    pub factor: f64,
}

/// A rate that swings: `λ(t) = rate · (1 + amplitude · sin(2π · (t − phase) / period))`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Diurnal {
    /// From one crest to the next.
    #[cfg_attr(feature = "schema", schemars(title = "Period", range(min = 0.01, max = 10_000_000.0), extend("x-unit" = "s", "x-scale" = "log")))]
    pub period_seconds: f64,
    /// How far the rate swings up and down, as a share of it.
    #[cfg_attr(feature = "schema", schemars(title = "Amplitude", range(min = 0.0, max = 1.0), extend("x-unit" = "ratio")))]
    pub amplitude_ratio: f64,
    /// When the rate first passes its mean on the way up; the crest is a quarter of a period later.
    #[cfg_attr(feature = "schema", schemars(title = "Phase", range(min = 0.0, max = 10_000_000.0), extend("x-unit" = "s")))]
    pub phase_seconds: f64,
}

/// A rate that jumps between two levels by chance, for exponential times. Its mean is
/// `rate · (high_factor · high_mean + low_factor · low_mean) / (high_mean + low_mean)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Bursty {
    /// How many times the arrival rate there is in a burst. By default the mean over bursts and pauses is the arrival rate itself.
    #[cfg_attr(
        feature = "schema",
        schemars(title = "Factor in a burst", range(min = 0.0, max = 1_000.0))
    )]
    pub high_factor: f64,
    /// How many times the arrival rate there is between bursts; 0 is silence.
    #[cfg_attr(
        feature = "schema",
        schemars(title = "Factor between bursts", range(min = 0.0, max = 1_000.0))
    )]
    pub low_factor: f64,
    /// Mean length of a burst.
    #[cfg_attr(feature = "schema", schemars(title = "Burst, mean", range(min = 0.001, max = 1_000_000.0), extend("x-unit" = "s", "x-scale" = "log")))]
    pub high_mean_seconds: f64,
    /// Mean time between two bursts.
    #[cfg_attr(feature = "schema", schemars(title = "Between bursts, mean", range(min = 0.001, max = 1_000_000.0), extend("x-unit" = "s", "x-scale" = "log")))]
    pub low_mean_seconds: f64,
}

/// Rates as they were recorded: each holds for one interval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Replay {
    /// How long each rate holds.
    #[cfg_attr(feature = "schema", schemars(title = "Interval", range(min = 0.001, max = 1_000_000.0), extend("x-unit" = "s", "x-scale" = "log")))]
    pub interval_seconds: f64,
    /// The rates, in order.
    #[cfg_attr(feature = "schema", schemars(title = "Rates", length(min = 1, max = 10_000), inner(range(min = 0.0, max = 1_000_000.0)), extend("x-unit" = "1/s")))]
    pub rates_per_second: Vec<f64>,
    /// Whether the list begins anew at its end; else nothing arrives from then on.
    #[cfg_attr(feature = "schema", schemars(title = "Repeat"))]
    pub repeat: bool,
}

/// The mix of classes of one generator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Mix {
    /// How many parts are light.
    #[cfg_attr(feature = "schema", schemars(title = "Light, share", range(min = 0.0, max = 1_000_000.0), extend("x-unit" = "parts")))]
    pub light_share: f64,
    /// How many parts are heavy.
    #[cfg_attr(feature = "schema", schemars(title = "Heavy, share", range(min = 0.0, max = 1_000_000.0), extend("x-unit" = "parts")))]
    pub heavy_share: f64,
}

impl Default for Arrivals {
    fn default() -> Self {
        Self {
            rate_per_second: 1000.0,
            process: ArrivalProcess::Poisson,
            ramp: None,
            spike: None,
            diurnal: None,
            bursty: None,
            replay: None,
            mix: None,
            priority: None,
        }
    }
}

impl Default for Ramp {
    fn default() -> Self {
        Self {
            stages: vec![Stage::default()],
        }
    }
}

impl Default for Stage {
    fn default() -> Self {
        Self {
            duration_seconds: 60.0,
            target_per_second: 2000.0,
        }
    }
}

impl Default for Spike {
    fn default() -> Self {
        Self {
            at_seconds: 60.0,
            rise_seconds: 1.0,
            hold_seconds: 10.0,
            fall_seconds: 1.0,
            factor: 4.0,
        }
    }
}

impl Default for Diurnal {
    fn default() -> Self {
        Self {
            period_seconds: 60.0,
            amplitude_ratio: 0.5,
            phase_seconds: 0.0,
        }
    }
}

impl Default for Bursty {
    fn default() -> Self {
        Self {
            high_factor: 3.0,
            low_factor: 0.5,
            high_mean_seconds: 2.0,
            low_mean_seconds: 8.0,
        }
    }
}

impl Default for Replay {
    fn default() -> Self {
        Self {
            interval_seconds: 10.0,
            rates_per_second: vec![500.0, 1000.0, 2000.0, 1000.0],
            repeat: true,
        }
    }
}

impl Default for Mix {
    fn default() -> Self {
        Self {
            light_share: 2.0,
            heavy_share: 1.0,
        }
    }
}

/// More changes between two levels than this, as expected over a run, are refused.
const MAX_BURSTS: f64 = 1_000_000.0;

impl Bursty {
    /// Mean of the factor in the long run, which is also its mean at every moment.
    #[must_use]
    pub fn mean_factor(&self) -> f64 {
        (self.high_factor * self.high_mean_seconds + self.low_factor * self.low_mean_seconds)
            / (self.high_mean_seconds + self.low_mean_seconds)
    }
}

impl Arrivals {
    /// Arrivals expected from the start up to a moment.
    #[must_use]
    pub fn expected(&self, seconds: f64) -> f64 {
        Shape::of(self).expected(seconds)
    }

    /// The highest rate there ever is.
    #[must_use]
    pub fn peak_per_second(&self) -> f64 {
        match &self.bursty {
            Some(bursty) => self.rate_per_second * bursty.high_factor.max(bursty.low_factor),
            None => Shape::of(self).peak(),
        }
    }

    /// The names of the shapes that are on.
    fn shapes(&self) -> impl Iterator<Item = &'static str> {
        [
            ("ramp", self.ramp.is_some()),
            ("spike", self.spike.is_some()),
            ("diurnal", self.diurnal.is_some()),
            ("bursty", self.bursty.is_some()),
            ("replay", self.replay.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, on)| on.then_some(name))
    }

    /// `pointer` leads to this section.
    pub(super) fn conflicts(
        &self,
        pointer: &str,
        duration_seconds: f64,
        conflicts: &mut Conflicts,
    ) {
        let mut shapes = self.shapes();
        let first = shapes.next().unwrap_or_default();
        for other in shapes {
            conflicts.refuse(
                true,
                format_args!("{pointer}/{other}"),
                "a second shape",
                format_args!("null beside {first}: a rate has at most one shape"),
            );
        }
        if let Some(bursty) = &self.bursty {
            conflicts.refuse(
                bursty.high_factor + bursty.low_factor <= 0.0,
                format_args!("{pointer}/bursty/high_factor"),
                "0",
                "above 0, or low_factor above 0: else nothing ever arrives",
            );
            let cycle = bursty.high_mean_seconds + bursty.low_mean_seconds;
            conflicts.refuse(
                duration_seconds / cycle > MAX_BURSTS,
                format_args!("{pointer}/bursty/high_mean_seconds"),
                bursty.high_mean_seconds,
                format_args!(
                    "at least {} s together with low_mean_seconds, so that the run has at most {MAX_BURSTS} bursts",
                    duration_seconds / MAX_BURSTS
                ),
            );
        }
        if let Some(mix) = &self.mix {
            conflicts.refuse(
                mix.light_share + mix.heavy_share <= 0.0,
                format_args!("{pointer}/mix/light_share"),
                "0",
                "a share above 0 for at least one class",
            );
        }
    }
}
