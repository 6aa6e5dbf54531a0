//! The throttle: the one feedback edge, from the detector's state back to the agents.
//!
//! detector state ─► mean delay ─► every agent waits so long, on average, before it sends

use std::cell::Cell;

use crate::detector::State;
use crate::profile::{DelayDistribution, ThrottleSection};
use crate::random::{Draws, Purpose, Randomness};
use crate::units::Span;

/// How long agents wait before they send, at present.
pub struct Throttle {
    rules: Cell<ThrottleSection>,
    state: Cell<State>,
    delayed: Cell<u32>,
}

impl Throttle {
    /// A throttle at rest.
    #[must_use]
    pub fn new(rules: ThrottleSection) -> Self {
        Self {
            rules: Cell::new(rules),
            state: Cell::new(State::Stable),
            delayed: Cell::new(0),
        }
    }

    /// Follows the detector; the new mean delay, if it is another one now.
    pub fn follow(&self, state: State) -> Option<Span> {
        let before = self.mean_delay();
        self.state.set(state);
        let now = self.mean_delay();
        (now != before).then_some(now)
    }

    /// Goes by other rules from now on.
    pub fn follow_rules(&self, rules: &ThrottleSection) {
        self.rules.set(*rules);
    }

    /// The mean delay in force.
    #[must_use]
    pub fn mean_delay(&self) -> Span {
        self.mean_delay_in(Some(self.state.get()))
    }

    /// The mean delay that goes with a state; none without a detector.
    #[must_use]
    pub fn mean_delay_in(&self, state: Option<State>) -> Span {
        let rules = self.rules.get();
        match state.filter(|_| rules.enabled) {
            None | Some(State::Stable) => Span::ZERO,
            Some(State::Degraded) => Span::from_seconds(rules.degraded_seconds),
            Some(State::Collapsed) => Span::from_seconds(rules.collapsed_seconds),
        }
    }

    /// How long the sender of this request waits; a throttle at rest draws nothing.
    #[must_use]
    pub fn delay(&self, randomness: &Randomness, draws: Draws) -> Span {
        let mean = self.mean_delay();
        match self.rules.get().distribution {
            _ if mean.is_zero() => Span::ZERO,
            DelayDistribution::Fixed => mean,
            DelayDistribution::Exponential => Span::from_seconds(
                mean.seconds() * randomness.exponential(draws, Purpose::ThrottleDelay),
            ),
        }
    }

    /// How many agents the throttle holds back at this moment.
    #[must_use]
    pub fn delayed(&self) -> u32 {
        self.delayed.get()
    }

    /// An agent begins to wait, or has waited.
    pub fn count_delayed(&self, waits: bool) {
        let change = if waits { 1 } else { u32::MAX };
        self.delayed.set(self.delayed.get().wrapping_add(change));
    }
}
