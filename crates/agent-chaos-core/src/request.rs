//! A request, from its agent to its answer.
//!
//! ```text
//! created ─► [refused] ─► admitted ─► started ─► completed
//!    │           │                                   │
//!  agent ◄───────┴───────── answer ◄─────────────────┘
//! ```

use std::cell::Cell;
use std::future::poll_fn;
use std::task::Poll;

use crate::random::Draws;
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
pub enum Sender {
    /// This agent, which waits.
    Agent(u32),
    /// An open-loop generator; nobody waits.
    Generator,
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
    /// How much work it brings.
    pub class: Class,
    /// Everything about it that is left to chance.
    pub draws: Draws,
}

/// The answers on their way back, one place per agent.
pub struct Answers<R: Runtime> {
    places: Vec<Cell<Place<R>>>,
}

enum Place<R: Runtime> {
    Empty,
    Awaited(R::Parked),
    Arrived(FailureMode),
}

impl<R: Runtime> Answers<R> {
    /// Places for `agents` agents.
    #[must_use]
    pub fn new(agents: u32) -> Self {
        Self {
            places: (0..agents).map(|_| Cell::new(Place::Empty)).collect(),
        }
    }

    /// Brings an answer back to its sender; where nobody waits, nothing happens.
    #[inline]
    pub fn deliver(&self, runtime: &R, sender: Sender, outcome: FailureMode) {
        let Sender::Agent(agent) = sender else { return };
        let before = self.places[agent as usize].replace(Place::Arrived(outcome));
        if let Place::Awaited(parked) = before {
            runtime.unpark(parked);
        }
    }

    /// Waits for the answer to `agent`'s request.
    pub async fn receive(&self, runtime: &R, agent: u32) -> FailureMode {
        let place = &self.places[agent as usize];
        poll_fn(|context| match place.replace(Place::Empty) {
            Place::Arrived(outcome) => Poll::Ready(outcome),
            Place::Empty | Place::Awaited(_) => {
                place.set(Place::Awaited(runtime.park(context)));
                Poll::Pending
            }
        })
        .await
    }
}
