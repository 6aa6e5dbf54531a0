//! Arrival: agents in a closed loop and generators in an open one; both offer to the queue.
//!
//! ```text
//!  agent:      wake ─► throttle's delay ─► send ─► answer ─► think ───┐
//!               ▲                           └─► failure ─► back off ──┤
//!               └─────────────────────────────────────────────────────┘
//!  generator:  gap ─► send ─► gap ─► send …          (whatever becomes of the earlier ones)
//! ```

use std::cell::Cell;
use std::rc::Rc;

use crate::event::{Emit, Event, Fact};
use crate::profile::{Agents, ArrivalProcess, Arrivals, Backoff, Requests};
use crate::queue::Queue;
use crate::random::{Draws, Purpose, Randomness, SourceKind};
use crate::request::{Answers, Class, Request, Sender};
use crate::runtime::Runtime;
use crate::throttle::Throttle;
use crate::units::{Instant, Span};

/// When no more requests may be created: at a fixed moment, or once there have been enough.
pub struct Horizon {
    at: Cell<Instant>,
    created: Cell<u64>,
    most: u64,
}

impl Horizon {
    /// No request at or after `at`, and none beyond the first `most`.
    #[must_use]
    pub fn new(at: Instant, most: Option<u32>) -> Self {
        Self {
            at: Cell::new(at),
            created: Cell::new(0),
            most: most.map_or(u64::MAX, u64::from),
        }
    }

    /// The end of the run, as far as it is known.
    #[must_use]
    pub fn at(&self) -> Instant {
        self.at.get()
    }

    /// How many requests have been created.
    #[must_use]
    pub fn created(&self) -> u64 {
        self.created.get()
    }

    /// Moves the end forward to `at`, if it is later now.
    pub fn bring_forward(&self, at: Instant) {
        self.at.set(self.at.get().min(at));
    }

    /// The number of a request created now. The last one allowed ends the run right after itself.
    fn number(&self, now: Instant) -> u64 {
        let number = self.created.get();
        self.created.set(number + 1);
        if number + 1 >= self.most {
            self.bring_forward(now + Span::from_nanos(1));
        }
        number
    }
}

/// What every agent and generator of a run shares.
pub struct Load<R: Runtime, E: Emit> {
    /// Clock and timers.
    pub runtime: R,
    /// Where facts are reported.
    pub events: Rc<E>,
    /// Everything left to chance.
    pub randomness: Randomness,
    /// Where requests go.
    pub queue: Rc<Queue<R, E>>,
    /// Where answers come back.
    pub answers: Rc<Answers<R>>,
    /// The feedback.
    pub throttle: Rc<Throttle>,
    /// The end.
    pub horizon: Rc<Horizon>,
    /// Light and heavy.
    pub mix: Requests,
}

impl<R: Runtime, E: Emit> Load<R, E> {
    fn is_over(&self) -> bool {
        self.runtime.now() >= self.horizon.at()
    }

    fn create(&self, sender: Sender, draws: Draws) -> Request {
        let now = self.runtime.now();
        let (light, heavy) = (self.mix.light.share, self.mix.heavy.share);
        let drawn = self.randomness.uniform(draws, Purpose::Class) * (light + heavy);
        let class = if drawn < light {
            Class::Light
        } else {
            Class::Heavy
        };
        let request = Request {
            number: self.horizon.number(now),
            created: now,
            sender,
            class,
            draws,
        };
        self.events.emit(Event {
            at: now,
            fact: Fact::Created(&request),
        });
        request
    }
}

/// One cooperative client: one request at a time, until the horizon.
pub async fn agent<R: Runtime, E: Emit>(load: Rc<Load<R, E>>, rules: Rc<Agents>, index: u32) {
    let source = load.randomness.source(SourceKind::Agent, index);
    let runtime = &load.runtime;
    let (from, to) = (rules.first_wake_min_seconds, rules.first_wake_max_seconds);
    let drawn = load
        .randomness
        .uniform(source.request(0), Purpose::FirstWake);
    let wake = Instant::from_seconds(from + (to - from) * drawn);
    if wake < load.horizon.at() {
        runtime.rest_until(wake).await;
    }
    let mut sent = 0;
    let mut failures_in_a_row = 0;
    loop {
        let draws = source.request(u64::from(sent));
        let delay = load.throttle.delay(&load.randomness, draws);
        if !delay.is_zero() {
            load.throttle.count_delayed(true);
            runtime.rest_until(runtime.now() + delay).await;
            load.throttle.count_delayed(false);
        }
        if load.is_over() {
            break;
        }
        let request = load.create(Sender::Agent(index), draws);
        let good = match load.queue.offer(request) {
            Ok(()) => load.answers.receive(runtime, index).await.is_good(),
            Err(_refused) => false,
        };
        sent += 1;
        if rules.requests_each.is_some_and(|most| sent >= most) {
            break;
        }
        failures_in_a_row = if good { 0 } else { failures_in_a_row + 1 };
        let pause = match &rules.backoff {
            Some(backoff) if !good => back_off(backoff, failures_in_a_row, &load.randomness, draws),
            _ => rules.think_seconds * load.randomness.exponential(draws, Purpose::Think),
        };
        let wake = runtime.now() + Span::from_seconds(pause);
        if wake >= load.horizon.at() {
            break;
        }
        runtime.rest_until(wake).await;
    }
    load.queue.sender_left();
}

/// The wait after this many failures in a row, in seconds.
fn back_off(rules: &Backoff, failures: u32, randomness: &Randomness, draws: Draws) -> f64 {
    let steps = (failures - 1).min(rules.max_steps);
    let grown = (0..steps).fold(rules.base_seconds, |wait, _| wait * rules.factor);
    if rules.jitter_ratio <= 0.0 {
        return grown;
    }
    let drawn = randomness.uniform(draws, Purpose::Backoff);
    grown * (1.0 - rules.jitter_ratio + 2.0 * rules.jitter_ratio * drawn)
}

/// An open-loop generator: requests arrive at its own pace, until the horizon.
pub async fn generator<R: Runtime, E: Emit>(load: Rc<Load<R, E>>, rules: Arrivals) {
    let source = load.randomness.source(SourceKind::Generator, 0);
    let mut next = Instant::ZERO;
    for ordinal in 0_u64.. {
        let draws = source.request(ordinal);
        let gap = match rules.process {
            ArrivalProcess::Poisson => load.randomness.exponential(draws, Purpose::Interarrival),
            ArrivalProcess::Even => 1.0,
        };
        next += Span::from_seconds(gap / rules.rate_per_second);
        if next >= load.horizon.at() {
            break;
        }
        load.runtime.rest_until(next).await;
        if load.is_over() {
            break;
        }
        let request = load.create(Sender::Generator, draws);
        // A refused request is lost: nobody waits for its answer.
        let _ = load.queue.offer(request);
    }
    load.queue.sender_left();
}
