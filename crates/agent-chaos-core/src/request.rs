//! A request, from its agent to its answer.
//!
//! ```text
//! created ─► [refused] ─► admitted ─► started ─► completed
//!    │           │                                   │
//!  agent ◄───────┴───────── answer ◄─────────────────┘
//! ```

use std::cell::RefCell;
use std::task::{Context, Poll};

use crate::profile::{Requests, Service, ServiceDistribution};
use crate::random::{Draws, Purpose, Randomness};
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
    /// Failed in service (500).
    FaultPropagationSpike = 5,
}

impl FailureMode {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 6] = [
        Self::NominalOperation,
        Self::CongestionFailure,
        Self::WorkerStarvation,
        Self::QueueOverflow,
        Self::LatencyCascade,
        Self::FaultPropagationSpike,
    ];

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
    light_share: f64,
    shares: f64,
    distribution: ServiceDistribution,
    spread: f64,
}

impl Work {
    /// Work of this mix, which varies by this distribution.
    #[must_use]
    pub fn new(mix: &Requests, service: &Service) -> Self {
        Self {
            light_share: mix.light.share,
            shares: mix.light.share + mix.heavy.share,
            distribution: service.distribution,
            spread: service.spread_ratio,
        }
    }

    /// The work of the request that these draws belong to: its class, and how many times the mean.
    #[inline(always)]
    #[must_use]
    pub fn draw(&self, randomness: &Randomness, draws: Draws) -> (Class, f64) {
        let drawn = randomness.uniform(draws, Purpose::Class) * self.shares;
        let class = if drawn < self.light_share {
            Class::Light
        } else {
            Class::Heavy
        };
        let ratio = match self.distribution {
            ServiceDistribution::Deterministic => 1.0,
            ServiceDistribution::Uniform => {
                let drawn = randomness.uniform(draws, Purpose::Service);
                1.0 - self.spread + 2.0 * self.spread * drawn
            }
            ServiceDistribution::Exponential => randomness.exponential(draws, Purpose::Service),
        };
        (class, ratio)
    }
}

/// What an agent wants done.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// Its place in the order of creation, from 0.
    pub number: u64,
    /// When it was created.
    pub created: Instant,
    /// Who sent it.
    pub sender: Sender,
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
