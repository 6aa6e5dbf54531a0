//! The fault injector: decides, once per service, what goes wrong with it.

use std::cell::Cell;

use crate::profile::{ErrorShows, Faults};
use crate::random::{Chance, Draws, Purpose, Randomness};
use crate::units::{Ratio, Span};

/// Injects latency spikes and errors, more often under pressure.
pub struct Injector {
    spike: Cell<Chance>,
    spike_by: Cell<Span>,
    error: Cell<Chance>,
    shows: Cell<ErrorShows>,
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
        let made = Self {
            spike: Cell::default(),
            spike_by: Cell::default(),
            error: Cell::default(),
            shows: Cell::new(ErrorShows::AfterService),
        };
        made.follow(rules);
        made
    }

    /// Goes by other rules from now on.
    pub fn follow(&self, rules: &Faults) {
        let chance = Chance::new;
        if let Some(spike) = &rules.spike {
            self.spike.set(chance(
                spike.base_probability,
                spike.probability_per_pressure,
            ));
            self.spike_by.set(Span::from_seconds(spike.seconds));
        }
        if let Some(error) = &rules.error {
            self.error.set(chance(
                error.base_probability,
                error.probability_per_pressure,
            ));
            self.shows.set(error.shows);
        }
    }

    /// What goes wrong with the service of the request that these draws belong to.
    #[inline]
    #[must_use]
    pub fn inject(&self, randomness: &Randomness, draws: Draws, pressure: Ratio) -> Injected {
        let spike = self
            .spike
            .get()
            .happens(randomness, draws, Purpose::Spike, pressure)
            .then(|| self.spike_by.get());
        let error = self
            .error
            .get()
            .happens(randomness, draws, Purpose::Error, pressure)
            .then(|| self.shows.get());
        Injected { spike, error }
    }
}
