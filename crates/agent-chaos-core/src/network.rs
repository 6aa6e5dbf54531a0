//! The network: how long a message takes, whether it arrives at all, and the connections it needs.
//!
//! ```text
//! client ─► connection? ─► request leg ─► server ─► answer leg ─► client
//!               │              ├─ reset ──► the client learns of it after one way
//!               │              └─ lost ───► the client learns of it by a timeout
//!               └─ none within the wait limit ─► failed
//! ```

use std::cell::Cell;
use std::collections::VecDeque;

use crate::profile::{ConnectionPool, LatencyJitter, Network};
use crate::random::{Chance, Draws, Purpose, Randomness};
use crate::units::{Instant, Ratio, Span};

/// One leg and the draws it uses.
#[derive(Clone, Copy, Debug)]
pub struct LegDraws {
    latency: Purpose,
    loss: Purpose,
}

/// The two legs of a call, and whether it is reset.
#[derive(Clone, Copy, Debug)]
pub struct CallDraws {
    /// There.
    pub request: LegDraws,
    /// And back.
    pub answer: LegDraws,
    reset: Purpose,
}

/// Draws of a call from a client to the server.
pub const TO_SERVER: CallDraws = CallDraws {
    request: LegDraws {
        latency: Purpose::RequestLatency,
        loss: Purpose::RequestLoss,
    },
    answer: LegDraws {
        latency: Purpose::AnswerLatency,
        loss: Purpose::AnswerLoss,
    },
    reset: Purpose::Reset,
};

/// Draws of a call from a worker to the dependency.
pub const TO_DOWNSTREAM: CallDraws = CallDraws {
    request: LegDraws {
        latency: Purpose::DownstreamRequestLatency,
        loss: Purpose::DownstreamRequestLoss,
    },
    answer: LegDraws {
        latency: Purpose::DownstreamAnswerLatency,
        loss: Purpose::DownstreamAnswerLoss,
    },
    reset: Purpose::DownstreamReset,
};

/// Messages on their way.
#[derive(Debug)]
pub struct Wire {
    rules: Cell<Rules>,
    draws: CallDraws,
}

#[derive(Clone, Copy, Debug)]
struct Rules {
    latency_seconds: f64,
    jitter: LatencyJitter,
    jitter_seconds: f64,
    loss: Chance,
    reset: Chance,
    socket_timeout: Option<Span>,
}

impl Rules {
    fn new(rules: &Network) -> Self {
        Self {
            latency_seconds: rules.latency_seconds,
            jitter: rules.jitter,
            jitter_seconds: rules.jitter_seconds,
            loss: Chance::new(rules.loss_ratio, 0.0),
            reset: Chance::new(rules.reset_ratio, 0.0),
            socket_timeout: rules.socket_timeout_seconds.map(Span::from_seconds),
        }
    }
}

impl Wire {
    /// A network by these rules.
    #[must_use]
    pub fn new(rules: &Network, draws: CallDraws) -> Self {
        Self {
            rules: Cell::new(Rules::new(rules)),
            draws,
        }
    }

    /// Goes by other rules from now on.
    pub fn follow(&self, rules: &Network) {
        self.rules.set(Rules::new(rules));
    }

    /// How long a message of this leg takes.
    ///
    /// Uniform jitter lies between minus and plus its size; normal jitter has it as standard
    /// deviation, cut at no time at all; Pareto jitter (Lomax, tail index 1.5) adds it on average.
    #[must_use]
    pub fn latency(&self, leg: LegDraws, randomness: &Randomness, draws: Draws) -> Span {
        let rules = self.rules.get();
        let varies = match rules.jitter {
            _ if rules.jitter_seconds <= 0.0 => 0.0,
            LatencyJitter::None => 0.0,
            LatencyJitter::Uniform => 2.0 * randomness.uniform(draws, leg.latency) - 1.0,
            LatencyJitter::Normal => randomness.normal(draws, leg.latency),
            LatencyJitter::Pareto => randomness.lomax(draws, leg.latency),
        };
        Span::from_seconds(rules.latency_seconds + rules.jitter_seconds * varies)
    }

    /// Whether a message of this leg is lost.
    #[must_use]
    pub fn loses(&self, leg: LegDraws, randomness: &Randomness, draws: Draws) -> bool {
        let loss = self.rules.get().loss;
        loss.happens(randomness, draws, leg.loss, Ratio::default())
    }

    /// Whether the connection is reset before the request has arrived.
    #[must_use]
    pub fn resets(&self, randomness: &Randomness, draws: Draws) -> bool {
        let reset = self.rules.get().reset;
        reset.happens(randomness, draws, self.draws.reset, Ratio::default())
    }

    /// The legs of a call.
    #[must_use]
    pub fn legs(&self) -> CallDraws {
        self.draws
    }

    /// How long whoever waits for an answer waits at most.
    #[must_use]
    pub fn socket_timeout(&self) -> Option<Span> {
        self.rules.get().socket_timeout
    }
}

/// The connections of a pool, and who waits for one.
#[derive(Debug)]
pub struct Connections<T> {
    size: u32,
    in_use: u32,
    wait: Option<Span>,
    waiting: VecDeque<T>,
}

impl<T: Copy + PartialEq> Connections<T> {
    /// A pool by these rules, all connections free.
    #[must_use]
    pub fn new(rules: &ConnectionPool) -> Self {
        Self {
            size: rules.size,
            in_use: 0,
            wait: rules.wait_seconds.map(Span::from_seconds),
            waiting: VecDeque::new(),
        }
    }

    /// Goes by other rules from now on; whoever gets a connection thereby.
    pub fn follow(&mut self, rules: &ConnectionPool) -> Vec<T> {
        self.wait = rules.wait_seconds.map(Span::from_seconds);
        self.resize(rules.size)
    }

    /// Has another number of connections from now on; whoever gets one thereby. Connections in use
    /// beyond the number are closed when they are given back.
    pub fn resize(&mut self, size: u32) -> Vec<T> {
        self.size = size;
        let mut granted = Vec::new();
        while self.in_use < self.size
            && let Some(next) = self.waiting.pop_front()
        {
            self.in_use += 1;
            granted.push(next);
        }
        granted
    }

    /// Takes a connection if one is free.
    pub fn try_take(&mut self) -> bool {
        let free = self.in_use < self.size && self.waiting.is_empty();
        self.in_use += u32::from(free);
        free
    }

    /// Waits for a connection; until when, at most. Whoever may not wait at all is not entered.
    pub fn wait(&mut self, who: T, now: Instant) -> Option<Instant> {
        let until = self.wait.map_or(Instant::NEVER, |wait| now + wait);
        (until > now).then(|| {
            self.waiting.push_back(who);
            until
        })
    }

    /// Waits no longer; whether it still did.
    pub fn give_up(&mut self, who: T) -> bool {
        let place = self.waiting.iter().position(|&waiting| waiting == who);
        place.is_some_and(|place| self.waiting.remove(place).is_some())
    }

    /// Gives a connection back; who gets it next.
    pub fn give_back(&mut self) -> Option<T> {
        self.in_use -= 1;
        if self.in_use >= self.size {
            return None;
        }
        let next = self.waiting.pop_front();
        self.in_use += u32::from(next.is_some());
        next
    }

    /// Connections there may be at present.
    #[must_use]
    pub fn size(&self) -> u32 {
        self.size
    }

    /// Connections in use.
    #[must_use]
    pub fn in_use(&self) -> u32 {
        self.in_use
    }

    /// How many wait for one.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }
}
