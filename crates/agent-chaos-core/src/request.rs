//! A request, from its agent to its answer.
//!
//! ```text
//! created ─► [refused] ─► admitted ─► started ─► completed
//!    │           │                                   │
//!  agent ◄───────┴───────── answer ◄─────────────────┘
//! ```

use std::cell::{Cell, RefCell};
use std::task::{Context, Poll};

use crate::profile::{Requests, Service, ServiceDistribution};
use crate::random::{Draws, Factor, Purpose, Randomness};
use crate::runtime::Runtime;
use crate::units::Instant;

/// How much work a request brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Class {
    /// Little work.
    Light = 0,
    /// Much work.
    Heavy = 1,
}

impl Class {
    /// The published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Light => "LIGHT",
            Self::Heavy => "HEAVY",
        }
    }
}

/// How a request ended, by the published names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum FailureMode {
    /// A good answer (200).
    NominalOperation = 0,
    /// Dropped early by the gate (503).
    CongestionFailure = 1,
    /// Failed while all workers were stalled or down.
    WorkerStarvation = 2,
    /// Refused by a full queue (503).
    QueueOverflow = 3,
    /// Given up by its client.
    LatencyCascade = 4,
    /// Failed in service (500), or lost when its worker crashed.
    FaultPropagationSpike = 5,
    /// Not sent: the client's circuit breaker or its own throttle held it back.
    CircuitOpen = 6,
    /// The connection was reset, or nothing came over it in time.
    NetworkFailure = 7,
    /// No connection of the pool became free in time.
    PoolExhausted = 8,
}

impl FailureMode {
    /// All of them, in the order of their codes; the first [`PUBLISHED`](Self::PUBLISHED) have
    /// published names.
    pub const ALL: [Self; 9] = [
        Self::NominalOperation,
        Self::CongestionFailure,
        Self::WorkerStarvation,
        Self::QueueOverflow,
        Self::LatencyCascade,
        Self::FaultPropagationSpike,
        Self::CircuitOpen,
        Self::NetworkFailure,
        Self::PoolExhausted,
    ];

    /// How many there are without the client's policies and the network.
    pub const PUBLISHED: usize = 6;

    /// The published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NominalOperation => "NOMINAL_OPERATION",
            Self::CongestionFailure => "CONGESTION_FAILURE",
            Self::WorkerStarvation => "WORKER_STARVATION",
            Self::QueueOverflow => "QUEUE_OVERFLOW",
            Self::LatencyCascade => "LATENCY_CASCADE",
            Self::FaultPropagationSpike => "FAULT_PROPAGATION_SPIKE",
            Self::CircuitOpen => "CIRCUIT_OPEN",
            Self::NetworkFailure => "NETWORK_FAILURE",
            Self::PoolExhausted => "POOL_EXHAUSTED",
        }
    }

    /// Whether this is no failure at all.
    #[must_use]
    pub const fn is_good(self) -> bool {
        matches!(self, Self::NominalOperation)
    }
}

/// Who sent a request, and who waits for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sender(u32);

impl Sender {
    /// An open-loop generator; nobody waits.
    pub const GENERATOR: Self = Self(u32::MAX);

    /// This agent, which waits.
    ///
    /// # Panics
    ///
    /// For the number 2³² − 1, which no agent has.
    #[inline]
    #[must_use]
    pub const fn agent(index: u32) -> Self {
        assert!(index < u32::MAX, "fewer agents than 2³² − 1");
        Self(index)
    }

    /// The agent that waits, if one does.
    #[inline]
    #[must_use]
    pub const fn waiting_agent(self) -> Option<u32> {
        if self.0 == u32::MAX {
            None
        } else {
            Some(self.0)
        }
    }
}

/// How much work requests bring: the mix of classes, and how the work varies within a class.
pub struct Work {
    light_share: Cell<f64>,
    shares: Cell<f64>,
    variation: Variation,
}

/// How work varies within a class: by which factor of mean 1.
enum Variation {
    None,
    Uniform { spread: f64 },
    Exponential,
    Other(Factor),
}

impl Work {
    /// Work of this mix, which varies by this distribution.
    #[must_use]
    pub fn new(mix: &Requests, service: &Service) -> Self {
        Self {
            light_share: Cell::new(mix.light.share),
            shares: Cell::new(mix.light.share + mix.heavy.share),
            variation: Variation::new(service),
        }
    }

    /// Is of this mix from now on.
    pub fn follow(&self, mix: &Requests) {
        self.light_share.set(mix.light.share);
        self.shares.set(mix.light.share + mix.heavy.share);
    }

    /// The ratio of another send of a request: how many times the mean, by chance.
    #[must_use]
    pub fn draw_again(&self, randomness: &Randomness, draws: Draws) -> f64 {
        self.draw(randomness, draws).1
    }

    /// The work of the request that these draws belong to: its class, and how many times the mean.
    #[inline(always)]
    #[must_use]
    pub fn draw(&self, randomness: &Randomness, draws: Draws) -> (Class, f64) {
        let drawn = randomness.uniform(draws, Purpose::Class) * self.shares.get();
        let class = if drawn < self.light_share.get() {
            Class::Light
        } else {
            Class::Heavy
        };
        let ratio = match &self.variation {
            Variation::None => 1.0,
            Variation::Uniform { spread } => {
                let drawn = randomness.uniform(draws, Purpose::Service);
                1.0 - spread + 2.0 * spread * drawn
            }
            Variation::Exponential => randomness.exponential(draws, Purpose::Service),
            Variation::Other(factor) => draw_other(factor, randomness, draws),
        };
        (class, ratio)
    }
}

/// Out of line, so that the short draws stay short.
#[cold]
#[inline(never)]
fn draw_other(factor: &Factor, randomness: &Randomness, draws: Draws) -> f64 {
    factor.draw(randomness, draws, Purpose::Service)
}

impl Variation {
    fn new(service: &Service) -> Self {
        Self::Other(match service.distribution {
            ServiceDistribution::Deterministic => return Self::None,
            ServiceDistribution::Uniform => {
                return Self::Uniform {
                    spread: service.spread_ratio,
                };
            }
            ServiceDistribution::Exponential => return Self::Exponential,
            ServiceDistribution::Erlang => Factor::erlang(service.erlang_shape),
            ServiceDistribution::Hyperexponential => Factor::hyperexponential(service.scv),
            ServiceDistribution::Lognormal => Factor::lognormal(service.scv),
            ServiceDistribution::BoundedPareto => {
                Factor::bounded_pareto(service.pareto_alpha, service.pareto_ratio)
            }
            ServiceDistribution::Empirical => Factor::empirical(&service.empirical_ratios),
        })
    }
}

/// What an agent wants done; where there are client policies, also one send of it.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// Its place in the order of creation, from 0; every send of it has the same.
    pub number: u64,
    /// When it was created, or this send of it was sent.
    pub created: Instant,
    /// After this moment nobody wants it any more.
    pub deadline: Instant,
    /// Who sent it.
    pub sender: Sender,
    /// Which send of it this is, from 0.
    pub attempt: u8,
    /// How urgent it is: 0 comes first where the queue goes by priority.
    pub level: u8,
    /// How much work it brings: its class …
    pub class: Class,
    /// … and how many times the mean of its class, by chance.
    pub work_ratio: f64,
    /// Everything about it that is left to chance.
    pub draws: Draws,
}

/// The open requests: each lies in a place of its own from its creation to its end. Stages hand
/// only its [`Ticket`] on, so that a request is written once and never copied.
#[derive(Default)]
pub struct Register(RefCell<Places>);

#[derive(Default)]
struct Places {
    requests: Vec<Request>,
    free: Vec<Ticket>,
}

/// Stands for an open request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(u32);

impl Ticket {
    /// Stands for no request.
    pub const NONE: Self = Self(u32::MAX);

    /// A place for what a stage keeps about the request, in a list of its own.
    #[inline]
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl Register {
    /// Enters a new request, and looks at it where it lies.
    #[inline(always)]
    pub fn enter(&self, request: Request, look: impl FnOnce(&Request)) -> Ticket {
        let Places { requests, free } = &mut *self.0.borrow_mut();
        // Memory ends long before 2³² requests.
        let ticket = free.pop().unwrap_or(Ticket(requests.len() as u32));
        match requests.get_mut(ticket.0 as usize) {
            Some(place) => {
                *place = request;
                look(place);
            }
            None => {
                requests.push(request);
                look(&requests[ticket.0 as usize]);
            }
        }
        ticket
    }

    /// Looks at an open request.
    #[inline(always)]
    pub fn with<T>(&self, ticket: Ticket, look: impl FnOnce(&Request) -> T) -> T {
        look(&self.0.borrow().requests[ticket.0 as usize])
    }

    /// How many requests are open.
    #[must_use]
    pub fn open(&self) -> usize {
        let places = self.0.borrow();
        places.requests.len() - places.free.len()
    }

    /// Strikes a request out. Its ticket stands for nothing from then on.
    #[inline]
    pub fn leave(&self, ticket: Ticket) {
        self.0.borrow_mut().free.push(ticket);
    }
}

/// The answers on their way back, one place for each open request.
pub struct Answers<R: Runtime> {
    places: RefCell<Vec<Place<R>>>,
}

enum Place<R: Runtime> {
    Empty,
    Awaited(R::Parked),
    Arrived(FailureMode),
}

impl<R: Runtime> Default for Answers<R> {
    fn default() -> Self {
        Self {
            places: RefCell::default(),
        }
    }
}

impl<R: Runtime> Answers<R> {
    /// Brings the answer to a request whose sender waits for it, or will.
    #[inline(always)]
    pub fn deliver(&self, runtime: &R, ticket: Ticket, outcome: FailureMode) {
        let before = self.at(ticket, |place| {
            std::mem::replace(place, Place::Arrived(outcome))
        });
        if let Place::Awaited(parked) = before {
            runtime.unpark(parked);
        }
    }

    /// Polls for the answer to a request.
    #[inline(always)]
    pub fn poll(
        &self,
        runtime: &R,
        ticket: Ticket,
        context: &mut Context<'_>,
    ) -> Poll<FailureMode> {
        self.at(ticket, |place| {
            if let Place::Arrived(outcome) = *place {
                *place = Place::Empty;
                return Poll::Ready(outcome);
            }
            *place = Place::Awaited(runtime.park(context));
            Poll::Pending
        })
    }

    #[inline(always)]
    fn at<T>(&self, Ticket(index): Ticket, with: impl FnOnce(&mut Place<R>) -> T) -> T {
        let mut places = self.places.borrow_mut();
        let index = index as usize;
        if places.len() <= index {
            grow(&mut places, index + 1);
        }
        with(&mut places[index])
    }
}

#[cold]
fn grow<R: Runtime>(places: &mut Vec<Place<R>>, len: usize) {
    places.resize_with(len, || Place::Empty);
}
