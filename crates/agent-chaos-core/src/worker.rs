//! The worker pool: each worker takes a request, serves it with whatever the fault injector adds,
//! and sends the answer back.

use std::cell::Cell;
use std::rc::Rc;

use futures::StreamExt;

use crate::downstream::Dependency;
use crate::event::{Emit, Event, Fact, Fault};
use crate::fault::Injector;
use crate::profile::{ErrorShows, Profile};
use crate::queue::{Queue, Taken};
use crate::random::Randomness;
use crate::reply::Replies;
use crate::request::{FailureMode, Register, Request, Ticket};
use crate::runtime::{Alarm, Runtime};
use crate::supervisor::Supervisor;
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
    pub replies: Rc<Replies<R>>,
    /// Who looks after workers that may be stopped.
    pub supervisor: Rc<Supervisor<R, E>>,
    /// What they call while they serve.
    pub dependency: Option<Rc<Dependency<R>>>,
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
        let (ends, error) = pool.begin::<false>(taken, started);
        pool.runtime.rest_until(ends).await;
        pool.end::<false>(ticket, index, started, outcome(error), Span::ZERO);
    }
}

/// One worker that may be paused, or stopped in the middle, and that may call a dependency.
pub async fn supervised<R: Runtime, E: Emit>(pool: Rc<Pool<R, E>>, index: u32) {
    let supervisor = &pool.supervisor;
    let mut requests = pool.queue.requests_by_rules(index);
    let mut alarm = Alarm::new(&pool.runtime);
    while let Some(taken) = requests.next().await {
        let ticket = taken.ticket;
        let started = pool.runtime.now();
        supervisor.begin(index, ticket);
        let (ends, error) = pool.begin::<true>(taken, started);
        if !supervisor.work(index, ends - started, &mut alarm).await {
            continue;
        }
        let mut outcome = outcome(error);
        if let Some(dependency) = pool.dependency.as_ref().filter(|_| !error) {
            let draws = pool.register.with(ticket, |request| request.draws);
            let draws = (&pool.randomness, draws);
            let answer = dependency.call(supervisor, index, draws, &mut alarm).await;
            if !supervisor.resume(index, &mut alarm).await {
                continue;
            }
            let Some(answer) = answer else { continue };
            outcome = answer;
        }
        let paused = supervisor.finish(index);
        pool.queue.ended(ticket);
        pool.end::<true>(ticket, index, started, outcome, paused);
    }
    pool.queue.worker_left();
}

fn outcome(error: bool) -> FailureMode {
    if error {
        FailureMode::FaultPropagationSpike
    } else {
        FailureMode::NominalOperation
    }
}

impl<R: Runtime, E: Emit> Pool<R, E> {
    /// Goes by the numbers of this profile from now on; services and the dependency take so many
    /// times as long.
    pub fn follow(&self, profile: &Profile, service: f64, downstream: f64) {
        self.service.follow(profile, service);
        self.injector.follow(&profile.faults);
        if let (Some(dependency), Some(rules)) = (&self.dependency, &profile.downstream) {
            dependency.follow(rules, downstream, &self.supervisor);
        }
    }

    /// When the service that starts now will end, and whether in an error.
    ///
    /// Plain and supervised workers have copies of their own, so that each is worth inlining.
    #[inline]
    fn begin<const SUPERVISED: bool>(
        &self,
        Taken { ticket, pressure }: Taken,
        started: Instant,
    ) -> (Instant, bool) {
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
    fn end<const SUPERVISED: bool>(
        &self,
        ticket: Ticket,
        worker: u32,
        started: Instant,
        outcome: FailureMode,
        paused: Span,
    ) {
        let awaited = self.register.with(ticket, |request| {
            if !paused.is_zero() {
                let fault = Fault::Pause(paused);
                self.emit_rarely(Fact::Fault { request, fault });
            }
            if !outcome.is_good() {
                let fault = match outcome {
                    FailureMode::FaultPropagationSpike => Fault::Error,
                    mode => Fault::Downstream(mode),
                };
                self.emit_rarely(Fact::Fault { request, fault });
            }
            self.emit(Fact::Completed {
                request,
                worker,
                started,
                outcome,
            });
            request.sender.waiting_agent().is_some()
        });
        let spent = self.runtime.now() - started;
        let served = Span::from_nanos(spent.nanos() - paused.nanos());
        self.replies
            .reply(&self.runtime, ticket, awaited, outcome, served);
    }

    /// As [`emit`](Self::emit), where there is little to emit: the stage's own code stays short.
    fn emit_rarely(&self, fact: Fact<'_>) {
        self.events.emit_rarely(Event {
            at: self.runtime.now(),
            fact,
        });
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
    means: [Cell<f64>; 3],
    slowdown: Cell<f64>,
}

/// Stands behind the classes in [`ServiceTime::means`].
const CUT_SHORT: usize = 2;

impl ServiceTime {
    /// Service by the rules of this profile, for its mix of requests.
    #[must_use]
    pub fn new(profile: &Profile) -> Self {
        let made = Self {
            means: Default::default(),
            slowdown: Cell::default(),
        };
        made.follow(profile, 1.0);
        made
    }

    /// Goes by these rules from now on; every service takes `factor` times as long.
    pub fn follow(&self, profile: &Profile, factor: f64) {
        let (rules, mix) = (&profile.workers.service, &profile.requests);
        let mean = |weight| factor * (rules.base_seconds + rules.per_weight_seconds * weight);
        let weights = [mix.light.weight, mix.heavy.weight, 0.0];
        for (place, weight) in self.means.iter().zip(weights) {
            place.set(mean(weight));
        }
        self.slowdown.set(rules.slowdown_per_pressure);
    }

    /// How long this request takes. An error before the weighted work cuts that part.
    #[inline]
    fn span(&self, request: &Request, pressure: Ratio, error: Option<ErrorShows>) -> Span {
        let mean = &self.means[match error {
            Some(ErrorShows::BeforeWork) => CUT_SHORT,
            _ => request.class as usize,
        }];
        let slowdown = 1.0 + self.slowdown.get() * pressure.value();
        Span::from_seconds(mean.get() * request.work_ratio * slowdown)
    }
}
