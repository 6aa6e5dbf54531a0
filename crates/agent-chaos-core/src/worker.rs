//! The worker pool: each worker takes a request, serves it with whatever the fault injector adds,
//! and sends the answer back.

use std::rc::Rc;

use futures::StreamExt;

use crate::event::{Emit, Event, Fact, Fault};
use crate::fault::Injector;
use crate::profile::{ErrorShows, Requests, Service};
use crate::queue::{Queue, Taken};
use crate::random::Randomness;
use crate::request::{Answers, FailureMode, Register, Request, Ticket};
use crate::runtime::Runtime;
use crate::units::{Instant, Ratio, Span};

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
    /// The open requests.
    pub register: Rc<Register>,
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
    while let Some(taken) = requests.next().await {
        let ticket = taken.ticket;
        let started = pool.runtime.now();
        let (ends, error) = pool.begin(taken, started);
        pool.runtime.rest_until(ends).await;
        pool.end(ticket, index, started, error);
    }
}

impl<R: Runtime, E: Emit> Pool<R, E> {
    /// When the service that starts now will end, and whether in an error.
    #[inline]
    fn begin(&self, Taken { ticket, pressure }: Taken, started: Instant) -> (Instant, bool) {
        self.register.with(ticket, |request| {
            let injected = self
                .injector
                .inject(&self.randomness, request.draws, pressure);
            let span = self.service.span(request, pressure, injected.error);
            let mut ends = started + span;
            if let Some(by) = injected.spike {
                ends += by;
                let fault = Fault::Spike(by);
                self.emit_rarely(Fact::Fault { request, fault });
            }
            (ends, injected.error.is_some())
        })
    }

    /// Ends a service and sends the answer back.
    #[inline]
    fn end(&self, ticket: Ticket, worker: u32, started: Instant, error: bool) {
        let (awaited, outcome) = self.register.with(ticket, |request| {
            let outcome = if error {
                let fault = Fault::Error;
                self.emit_rarely(Fact::Fault { request, fault });
                FailureMode::FaultPropagationSpike
            } else {
                FailureMode::NominalOperation
            };
            self.emit(Fact::Completed {
                request,
                worker,
                started,
                outcome,
            });
            (request.sender.waiting_agent().is_some(), outcome)
        });
        if awaited {
            self.answers.deliver(&self.runtime, ticket, outcome);
        } else {
            self.register.leave(ticket);
        }
    }

    /// As [`emit`](Self::emit), where there is little to emit: the stage's own code stays short.
    #[cold]
    #[inline(never)]
    fn emit_rarely(&self, fact: Fact<'_>) {
        self.emit(fact);
    }

    #[inline(always)]
    fn emit(&self, fact: Fact<'_>) {
        self.events.emit(Event {
            at: self.runtime.now(),
            fact,
        });
    }
}

/// Service time: `(base + per_weight · weight) · ratio · (1 + slowdown · pressure)`, where the ratio
/// is the request's own.
pub struct ServiceTime {
    /// Mean at no pressure, in seconds, by class; then that of an error before the weighted work.
    means: [f64; 3],
    slowdown: f64,
}

/// Stands behind the classes in [`ServiceTime::means`].
const CUT_SHORT: usize = 2;

impl ServiceTime {
    /// Service by these rules, for this mix of requests.
    #[must_use]
    pub fn new(rules: &Service, mix: &Requests) -> Self {
        let mean = |weight| rules.base_seconds + rules.per_weight_seconds * weight;
        Self {
            means: [mix.light.weight, mix.heavy.weight, 0.0].map(mean),
            slowdown: rules.slowdown_per_pressure,
        }
    }

    /// How long this request takes. An error before the weighted work cuts that part.
    #[inline]
    fn span(&self, request: &Request, pressure: Ratio, error: Option<ErrorShows>) -> Span {
        let mean = self.means[match error {
            Some(ErrorShows::BeforeWork) => CUT_SHORT,
            _ => request.class as usize,
        }];
        Span::from_seconds(mean * request.work_ratio * (1.0 + self.slowdown * pressure.value()))
    }
}
