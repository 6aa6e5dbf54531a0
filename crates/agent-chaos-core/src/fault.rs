//! The fault injector: decides, once per service, what goes wrong with it.

use crate::profile::{ErrorShows, Faults};
use crate::random::{Chance, Draws, Purpose, Randomness};
use crate::units::{Ratio, Span};

/// Injects latency spikes and errors, more often under pressure.
pub struct Injector {
    spike: Chance,
    spike_by: Span,
    error: Chance,
    shows: ErrorShows,
}

/// What goes wrong with one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Injected {
    /// It takes this much longer.
    pub spike: Option<Span>,
    /// It ends in an error, which shows then.
    pub error: Option<ErrorShows>,
}

impl Injector {
    /// An injector by these rules; a fault that is off never happens and draws nothing.
    #[must_use]
    pub fn new(rules: &Faults) -> Self {
        let spike = rules.spike.as_ref();
        let error = rules.error.as_ref();
        Self {
            spike: spike.map_or(Chance::default(), |s| {
                Chance::new(s.base_probability, s.probability_per_pressure)
            }),
            spike_by: spike.map_or(Span::ZERO, |s| Span::from_seconds(s.seconds)),
            error: error.map_or(Chance::default(), |e| {
                Chance::new(e.base_probability, e.probability_per_pressure)
            }),
            shows: error.map_or(ErrorShows::AfterService, |e| e.shows),
        }
    }

    /// What goes wrong with the service of the request that these draws belong to.
    #[inline]
    #[must_use]
    pub fn inject(&self, randomness: &Randomness, draws: Draws, pressure: Ratio) -> Injected {
        let spike = self
            .spike
            .happens(randomness, draws, Purpose::Spike, pressure)
            .then_some(self.spike_by);
        let error = self
            .error
            .happens(randomness, draws, Purpose::Error, pressure)
            .then_some(self.shows);
        Injected { spike, error }
    }
}
