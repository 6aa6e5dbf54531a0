//! Arrival: agents in a closed loop and generators in an open one; both offer to the queue.
//!
//! ```text
//!  agent:      wake ─► throttle's delay ─► send ─► answer ─► think ───┐
//!               ▲                           └─► failure ─► back off ──┤
//!               └─────────────────────────────────────────────────────┘
//!  generator:  gap ─► send ─► gap ─► send …          (whatever becomes of the earlier ones)
//! ```

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::event::{Emit, Event, Fact};
use crate::profile::{Agents, ArrivalProcess, Arrivals, Backoff};
use crate::queue::Queue;
use crate::random::{Draws, Purpose, Randomness, Source, SourceKind};
use crate::request::{Answers, FailureMode, Register, Request, Sender, Ticket, Work};
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
    /// The open requests.
    pub register: Rc<Register>,
    /// Where requests go.
    pub queue: Rc<Queue<R, E>>,
    /// Where answers come back.
    pub answers: Rc<Answers<R>>,
    /// The feedback.
    pub throttle: Rc<Throttle>,
    /// The end.
    pub horizon: Rc<Horizon>,
    /// Light and heavy, and how much.
    pub work: Work,
    /// What agents do.
    pub agents: Agents,
}

impl<R: Runtime, E: Emit> Load<R, E> {
    #[inline]
    fn is_over(&self) -> bool {
        self.is_over_at(self.runtime.now())
    }

    /// Whether no request may be created at this moment.
    #[inline]
    fn is_over_at(&self, at: Instant) -> bool {
        at >= self.horizon.at()
    }

    #[inline(always)]
    fn create(&self, sender: Sender, draws: Draws) -> Ticket {
        let now = self.runtime.now();
        let (class, work_ratio) = self.work.draw(&self.randomness, draws);
        let request = Request {
            number: self.horizon.number(now),
            created: now,
            sender,
            class,
            work_ratio,
            draws,
        };
        self.register.enter(request, |request| {
            let fact = Fact::Created(request);
            self.events.emit(Event { at: now, fact });
        })
    }

    /// The draws of an open loop's request, and the gap before it.
    #[inline(always)]
    fn arrival(&self, source: Source, ordinal: u64, rules: &Arrivals) -> (Draws, Span) {
        let draws = source.request(ordinal);
        let gap = match rules.process {
            ArrivalProcess::Poisson => self.randomness.exponential(draws, Purpose::Interarrival),
            ArrivalProcess::Even => 1.0,
        };
        (draws, Span::from_seconds(gap / rules.rate_per_second))
    }

    /// When the agent of this source wakes for the first time.
    fn first_wake(&self, source: Source) -> Instant {
        let (from, to) = (
            self.agents.first_wake_min_seconds,
            self.agents.first_wake_max_seconds,
        );
        let draws = source.request(0);
        let drawn = self.randomness.uniform(draws, Purpose::FirstWake);
        Instant::from_seconds(from + (to - from) * drawn)
    }

    /// How long an agent pauses after an answer: it thinks, or backs off after failures in a row.
    #[inline(always)]
    fn pause(&self, failures: u32, draws: Draws) -> Span {
        Span::from_seconds(match &self.agents.backoff {
            Some(backoff) if failures > 0 => back_off(backoff, failures, &self.randomness, draws),
            _ => self.agents.think_seconds * self.randomness.exponential(draws, Purpose::Think),
        })
    }

    /// Waits for the answer to a request that the queue has taken.
    #[inline]
    fn answer(&self, ticket: Ticket) -> Answer<'_, R, E> {
        Answer { load: self, ticket }
    }

    /// Offers a request to the queue; whether an answer will come.
    #[inline(always)]
    fn offer(&self, ticket: Ticket) -> bool {
        match self.queue.offer(ticket) {
            Ok(()) => true,
            Err(refused) => {
                self.register.leave(refused.ticket());
                false
            }
        }
    }
}

/// Waits for the answer to a request, which then leaves the register.
struct Answer<'a, R: Runtime, E: Emit> {
    load: &'a Load<R, E>,
    ticket: Ticket,
}

impl<R: Runtime, E: Emit> Future for Answer<'_, R, E> {
    type Output = FailureMode;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<FailureMode> {
        let Self { load, ticket } = *self;
        let answer = load.answers.poll(&load.runtime, ticket, context);
        if answer.is_ready() {
            load.register.leave(ticket);
        }
        answer
    }
}

/// One cooperative client: one request at a time, until the horizon.
// An `async fn` keeps its arguments twice, as they came and as they are used. With many agents
// their size is what counts, so this is its long form.
#[allow(clippy::manual_async_fn)]
pub fn agent<R: Runtime, E: Emit>(load: Rc<Load<R, E>>, index: u32) -> impl Future<Output = ()> {
    async move {
        let source = load.randomness.source(SourceKind::Agent, index);
        let wake = load.first_wake(source);
        if !load.is_over_at(wake) {
            load.runtime.rest_until(wake).await;
        }
        let mut sent = 0_u32;
        let mut failures_in_a_row = 0_u32;
        loop {
            let draws = source.request(u64::from(sent));
            let delay = load.throttle.delay(&load.randomness, draws);
            if !delay.is_zero() {
                load.throttle.count_delayed(true);
                load.runtime.rest_until(load.runtime.now() + delay).await;
                load.throttle.count_delayed(false);
            }
            if load.is_over() {
                break;
            }
            let ticket = load.create(Sender::agent(index), draws);
            let good = load.offer(ticket) && load.answer(ticket).await.is_good();
            sent += 1;
            failures_in_a_row = if good { 0 } else { failures_in_a_row + 1 };
            if load.agents.requests_each.is_some_and(|most| sent >= most) {
                break;
            }
            let wake = load.runtime.now() + load.pause(failures_in_a_row, draws);
            if load.is_over_at(wake) {
                break;
            }
            load.runtime.rest_until(wake).await;
        }
        load.queue.sender_left();
    }
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
    let (mut draws, gap) = load.arrival(source, 0, &rules);
    let mut next = Instant::ZERO + gap;
    // Drawn one ahead, so that nothing has to wait for the numbers when they are wanted.
    let mut after = load.arrival(source, 1, &rules);
    for ordinal in 2_u64.. {
        if load.is_over_at(next) {
            break;
        }
        load.runtime.rest_until(next).await;
        if load.is_over() {
            break;
        }
        let ticket = load.create(Sender::GENERATOR, draws);
        draws = after.0;
        next += after.1;
        after = load.arrival(source, ordinal, &rules);
        // A refused request is lost: nobody waits for its answer.
        load.offer(ticket);
    }
    load.queue.sender_left();
}
