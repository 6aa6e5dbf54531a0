//! The worker pool: each worker takes a request, serves it with whatever the fault injector adds,
//! and sends the answer back.

use std::rc::Rc;

use futures::StreamExt;

use crate::event::{Emit, Event, Fact, Fault};
use crate::fault::Injector;
use crate::profile::{ErrorShows, Requests, Service, ServiceDistribution};
use crate::queue::{Queue, Taken};
use crate::random::{Purpose, Randomness};
use crate::request::{Answers, Class, FailureMode, Request};
use crate::runtime::Runtime;
use crate::units::{Ratio, Span};

/// What the workers of a run share.
pub struct Pool<R: Runtime, E: Emit> {
    /// Clock and timers.
    pub runtime: R,
    /// Where facts are reported.
    pub events: Rc<E>,
    /// Everything left to chance.
    pub randomness: Randomness,
    /// Where requests come from.
    pub queue: Rc<Queue<R, E>>,
    /// Where answers go.
    pub answers: Rc<Answers<R>>,
    /// How long a service takes.
    pub service: ServiceTime,
    /// What goes wrong.
    pub injector: Injector,
}

/// One worker: serves until the queue has closed and is empty.
pub async fn worker<R: Runtime, E: Emit>(pool: Rc<Pool<R, E>>, index: u32) {
    let mut requests = pool.queue.requests(index);
    while let Some(Taken { request, pressure }) = requests.next().await {
        let started = pool.runtime.now();
        let injected = pool
            .injector
            .inject(&pool.randomness, request.draws, pressure);
        let mut span = pool
            .service
            .span(&pool.randomness, &request, pressure, injected.error);
        if let Some(by) = injected.spike {
            span = Span::from_nanos(span.nanos().saturating_add(by.nanos()));
            pool.emit(Fact::Fault {
                request: &request,
                fault: Fault::Spike(by),
            });
        }
        pool.runtime.rest_until(started + span).await;
        let outcome = if injected.error.is_some() {
            pool.emit(Fact::Fault {
                request: &request,
                fault: Fault::Error,
            });
            FailureMode::FaultPropagationSpike
        } else {
            FailureMode::NominalOperation
        };
        pool.emit(Fact::Completed {
            request: &request,
            worker: index,
            started,
            outcome,
        });
        pool.answers.deliver(&pool.runtime, request.sender, outcome);
    }
}

impl<R: Runtime, E: Emit> Pool<R, E> {
    fn emit(&self, fact: Fact<'_>) {
        self.events.emit(Event {
            at: self.runtime.now(),
            fact,
        });
    }
}

/// Service time: `(base + per_weight · weight) · factor · (1 + slowdown · pressure)`.
pub struct ServiceTime {
    rules: Service,
    light_weight: f64,
    heavy_weight: f64,
}

impl ServiceTime {
    /// Service by these rules, for this mix of requests.
    #[must_use]
    pub fn new(rules: Service, mix: &Requests) -> Self {
        Self {
            rules,
            light_weight: mix.light.weight,
            heavy_weight: mix.heavy.weight,
        }
    }

    /// How long this request takes. An error before the weighted work cuts that part.
    fn span(
        &self,
        randomness: &Randomness,
        request: &Request,
        pressure: Ratio,
        error: Option<ErrorShows>,
    ) -> Span {
        let weight = match request.class {
            _ if error == Some(ErrorShows::BeforeWork) => 0.0,
            Class::Light => self.light_weight,
            Class::Heavy => self.heavy_weight,
        };
        let mean = self.rules.base_seconds + self.rules.per_weight_seconds * weight;
        let factor = match self.rules.distribution {
            ServiceDistribution::Deterministic => 1.0,
            ServiceDistribution::Uniform => {
                let spread = self.rules.spread_ratio;
                1.0 - spread + 2.0 * spread * randomness.uniform(request.draws, Purpose::Service)
            }
            ServiceDistribution::Exponential => {
                randomness.exponential(request.draws, Purpose::Service)
            }
        };
        Span::from_seconds(
            mean * factor * (1.0 + self.rules.slowdown_per_pressure * pressure.value()),
        )
    }
}
