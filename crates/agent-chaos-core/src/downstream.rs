//! The dependency downstream: what a worker calls while it serves, and waits for.
//!
//! ```text
//! worker ─► connection? ─► request leg ─► service ─► answer leg ─► worker goes on
//!               │              │ lost, reset                │ lost
//!               └─ none in time└────────► the request fails ◄┘
//! ```

use std::cell::{Cell, RefCell};

use crate::event::Emit;
use crate::network::{Connections, TO_DOWNSTREAM, Wire};
use crate::profile::{Downstream, DownstreamDistribution};
use crate::random::{Chance, Draws, Purpose, Randomness};
use crate::request::FailureMode;
use crate::runtime::{Alarm, Runtime};
use crate::supervisor::Supervisor;
use crate::units::{Instant, Ratio, Span};

/// The dependency, and the way to it.
pub struct Dependency<R: Runtime> {
    runtime: R,
    wire: Wire,
    connections: Option<RefCell<Connections<u32>>>,
    /// Workers that have been given a connection they waited for.
    granted: RefCell<Vec<bool>>,
    rules: Cell<Rules>,
}

#[derive(Clone, Copy)]
struct Rules {
    service_seconds: f64,
    distribution: DownstreamDistribution,
    error: Chance,
}

impl Rules {
    fn new(rules: &Downstream, factor: f64) -> Self {
        Self {
            service_seconds: factor * rules.service_seconds,
            distribution: rules.distribution,
            error: Chance::new(rules.error_ratio, 0.0),
        }
    }
}

impl<R: Runtime> Dependency<R> {
    /// A dependency by these rules, for so many workers.
    #[must_use]
    pub fn new(runtime: R, rules: &Downstream, workers: u32) -> Self {
        Self {
            runtime,
            wire: Wire::new(&rules.network, TO_DOWNSTREAM),
            connections: rules
                .network
                .pool
                .as_ref()
                .map(|pool| RefCell::new(Connections::new(pool))),
            granted: RefCell::new(vec![false; workers as usize]),
            rules: Cell::new(Rules::new(rules, 1.0)),
        }
    }

    /// Goes by these rules from now on, `factor` times as slowly.
    pub fn follow<E: Emit>(&self, rules: &Downstream, factor: f64, supervisor: &Supervisor<R, E>) {
        self.rules.set(Rules::new(rules, factor));
        self.wire.follow(&rules.network);
        if let (Some(connections), Some(pool)) = (&self.connections, &rules.network.pool) {
            let granted = connections.borrow_mut().follow(pool);
            self.grant(granted, supervisor);
        }
    }

    /// The pool has so many connections from now on.
    pub fn resize_pool<E: Emit>(&self, size: u32, supervisor: &Supervisor<R, E>) {
        if let Some(connections) = &self.connections {
            let granted = connections.borrow_mut().resize(size);
            self.grant(granted, supervisor);
        }
    }

    fn grant<E: Emit>(
        &self,
        workers: impl IntoIterator<Item = u32>,
        supervisor: &Supervisor<R, E>,
    ) {
        for worker in workers {
            self.granted.borrow_mut()[worker as usize] = true;
            supervisor.ring(worker);
        }
    }

    /// Connections in use, and workers that wait for one; none without a pool.
    #[must_use]
    pub fn connections(&self) -> Option<(u32, usize)> {
        let connections = self.connections.as_ref()?.borrow();
        Some((connections.in_use(), connections.waiting()))
    }

    /// Connections there may be at present; none without a pool.
    #[must_use]
    pub fn pool_size(&self) -> Option<u32> {
        let connections = self.connections.as_ref()?.borrow();
        Some(connections.size())
    }

    /// Calls the dependency for a request with these draws. How the call ended; none if the worker
    /// was stopped meanwhile.
    pub async fn call<E: Emit>(
        &self,
        supervisor: &Supervisor<R, E>,
        worker: u32,
        (randomness, draws): (&Randomness, Draws),
        alarm: &mut Alarm<'_, R>,
    ) -> Option<FailureMode> {
        match self.connect(supervisor, worker, alarm).await {
            Connected::Stopped => return None,
            Connected::TooLate => return Some(FailureMode::PoolExhausted),
            Connected::Yes => {}
        }
        let (span, outcome) = self.plan(randomness, draws);
        let until = self.runtime.now() + span;
        let mut serves = true;
        while serves && self.runtime.now() < until {
            serves = supervisor.wait(worker, Some(until), alarm).await;
        }
        if let Some(connections) = &self.connections {
            let next = connections.borrow_mut().give_back();
            self.grant(next, supervisor);
        }
        serves.then_some(outcome)
    }

    async fn connect<E: Emit>(
        &self,
        supervisor: &Supervisor<R, E>,
        worker: u32,
        alarm: &mut Alarm<'_, R>,
    ) -> Connected {
        let Some(connections) = &self.connections else {
            return Connected::Yes;
        };
        if connections.borrow_mut().try_take() {
            return Connected::Yes;
        }
        let entered = connections.borrow_mut().wait(worker, self.runtime.now());
        let Some(until) = entered else {
            return Connected::TooLate;
        };
        loop {
            let timer = (until < Instant::NEVER).then_some(until);
            let serves = supervisor.wait(worker, timer, alarm).await;
            let granted = std::mem::take(&mut self.granted.borrow_mut()[worker as usize]);
            if serves && granted {
                return Connected::Yes;
            }
            if granted {
                // Stopped in the instant in which a connection became free: the next one gets it.
                let next = connections.borrow_mut().give_back();
                self.grant(next, supervisor);
                return Connected::Stopped;
            }
            if !serves || self.runtime.now() >= until {
                connections.borrow_mut().give_up(worker);
                return if serves {
                    Connected::TooLate
                } else {
                    Connected::Stopped
                };
            }
        }
    }

    /// How long a call takes from the connection on, and how it ends.
    fn plan(&self, randomness: &Randomness, draws: Draws) -> (Span, FailureMode) {
        let rules = self.rules.get();
        let legs = self.wire.legs();
        let there = self.wire.latency(legs.request, randomness, draws);
        let patience = self.wire.socket_timeout();
        if self.wire.resets(randomness, draws) {
            return (there, FailureMode::NetworkFailure);
        }
        let lost = self.wire.loses(legs.request, randomness, draws)
            || self.wire.loses(legs.answer, randomness, draws);
        let ratio = match rules.distribution {
            DownstreamDistribution::Deterministic => 1.0,
            DownstreamDistribution::Exponential => {
                randomness.exponential(draws, Purpose::DownstreamService)
            }
        };
        let service = Span::from_seconds(rules.service_seconds * ratio);
        let back = self.wire.latency(legs.answer, randomness, draws);
        let whole = Span::from_nanos(
            there
                .nanos()
                .saturating_add(service.nanos())
                .saturating_add(back.nanos()),
        );
        match patience {
            Some(patience) if lost || patience < whole => (patience, FailureMode::NetworkFailure),
            _ => {
                let error = rules.error.happens(
                    randomness,
                    draws,
                    Purpose::DownstreamError,
                    Ratio::default(),
                );
                let outcome = if error {
                    FailureMode::FaultPropagationSpike
                } else {
                    FailureMode::NominalOperation
                };
                (whole, outcome)
            }
        }
    }
}

enum Connected {
    Yes,
    TooLate,
    Stopped,
}
