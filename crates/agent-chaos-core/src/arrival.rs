//! Arrival: agents in a closed loop and generators in an open one; both offer to the queue.
//!
//! ```text
//!  agent:      wake ─► throttle's delay ─► send ─► answer ─► think ───┐
//!               ▲                           └─► failure ─► back off ──┤
//!               └─────────────────────────────────────────────────────┘
//!  generator:  gap ─► send ─► gap ─► send …          (whatever becomes of the earlier ones)
//!               ▲ how long, the rate's shape says
//! ```

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::client::Clients;
use crate::event::{Emit, Event, Fact};
use crate::profile::{Agents, ArrivalProcess, Arrivals, Backoff, Profile, Requests, Service};
use crate::queue::Queue;
use crate::random::{Draws, Purpose, Randomness, Source, SourceKind};
use crate::request::{Answers, FailureMode, Register, Request, Sender, Ticket, Work};
use crate::runtime::Runtime;
use crate::shape::{Pace, Shape};
use crate::throttle::Throttle;
use crate::units::{Instant, Span};

/// When no more requests may be created: at a fixed moment, or once there have been enough.
///
/// The load may go on for a while after the end of the counted time.
pub struct Horizon {
    at: Cell<Instant>,
    load_stops: Cell<Instant>,
    created: Cell<u64>,
    most: u64,
    /// The load is at zero for a while, and comes again; until then it stops where the rest begins.
    rest: Cell<Option<Rest>>,
}

/// The load at zero between two moments, and what comes after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rest {
    /// From when on no request is created.
    pub from: Instant,
    /// From when on the load comes again.
    pub to: Instant,
    /// The end of the run.
    pub end: Instant,
}

impl Horizon {
    /// No counted request at or after `at`, none at all from `after` later on, and none beyond the
    /// first `most`.
    #[must_use]
    pub fn new(at: Instant, after: Span, most: Option<u32>) -> Self {
        Self {
            at: Cell::new(at),
            load_stops: Cell::new(at + after),
            created: Cell::new(0),
            most: most.map_or(u64::MAX, u64::from),
            rest: Cell::new(None),
        }
    }

    /// No request during this rest; then the load comes again.
    pub fn rest(&self, rest: Rest) {
        self.rest.set(Some(rest));
        self.stop_load(rest.from);
    }

    /// When whoever would have sent at `at`, and finds that the load has stopped, does so after a rest;
    /// never, if there is none to come, or only after the end.
    ///
    /// Who is kept from it comes `late` after the rest.
    #[cold]
    #[inline(never)]
    fn after_rest(&self, at: Instant, late: impl FnOnce() -> Span) -> Option<Instant> {
        let rest = self.rest.get()?;
        let at = if at < rest.to { rest.to + late() } else { at };
        (at < rest.end).then_some(at)
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
        self.stop_load(at);
    }

    /// No request at or after `at`.
    pub fn stop_load(&self, at: Instant) {
        self.load_stops.set(self.load_stops.get().min(at));
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
    /// Who sends requests and sees to their answers, where there are client policies or a network.
    pub clients: Option<Rc<Clients<R, E>>>,
    /// The feedback.
    pub throttle: Rc<Throttle>,
    /// The end.
    pub horizon: Rc<Horizon>,
    /// What requests are like, where their generator does not say otherwise.
    pub demand: Demand,
    /// What agents do.
    pub agents: Agents,
    /// How long they think and back off, which a timeline may change.
    pub pauses: Pauses,
}

/// How long agents pause between requests.
pub struct Pauses {
    think_seconds: Cell<f64>,
    backoff: Cell<Option<Backoff>>,
}

impl Pauses {
    /// Pauses by these rules.
    #[must_use]
    pub fn new(rules: &Agents) -> Self {
        Self {
            think_seconds: Cell::new(rules.think_seconds),
            backoff: Cell::new(rules.backoff),
        }
    }
}

/// What requests are like: light or heavy, how much work, and how urgent.
pub struct Demand {
    work: Work,
    /// By class.
    levels: [u8; 2],
}

impl Demand {
    /// Requests of this mix and of its priorities, whose work varies as the service time does.
    #[must_use]
    pub fn new(requests: &Requests, service: &Service) -> Self {
        Self {
            work: Work::new(requests, service),
            levels: [requests.light.priority, requests.heavy.priority],
        }
    }

    /// The requests of a generator, if it says more of them than the profile.
    fn of(rules: &Arrivals, profile: &Profile) -> Option<Self> {
        if rules.mix.is_none() && rules.priority.is_none() {
            return None;
        }
        let mut requests = profile.requests.clone();
        if let Some(mix) = &rules.mix {
            requests.light.share = mix.light_share;
            requests.heavy.share = mix.heavy_share;
        }
        if let Some(priority) = rules.priority {
            requests.light.priority = priority;
            requests.heavy.priority = priority;
        }
        Some(Self::new(&requests, &profile.workers.service))
    }
}

impl<R: Runtime, E: Emit> Load<R, E> {
    #[inline]
    fn is_over(&self) -> bool {
        self.is_over_at(self.runtime.now())
    }

    /// Whether no request may be created at this moment.
    #[inline]
    #[must_use]
    pub fn is_over_at(&self, at: Instant) -> bool {
        at >= self.horizon.load_stops.get()
    }

    /// Whether no request may be created at this moment or later.
    #[must_use]
    pub fn has_ended_at(&self, at: Instant) -> bool {
        self.is_over_at(at) && self.horizon.after_rest(at, || Span::ZERO).is_none()
    }

    /// When an agent that finds the load stopped comes again, as late after a rest as it came after the
    /// beginning; none if it does not.
    #[cold]
    #[inline(never)]
    fn comes_again(&self, at: Instant, draws: Draws) -> Option<Instant> {
        self.horizon.after_rest(at, || {
            let drawn = self.randomness.uniform(draws, Purpose::FirstWake);
            let Agents {
                first_wake_min_seconds: from,
                first_wake_max_seconds: to,
                ..
            } = self.agents;
            Span::from_seconds(from + (to - from) * drawn)
        })
    }

    #[inline(always)]
    fn create(&self, sender: Sender, draws: Draws, demand: &Demand) -> Ticket {
        let now = self.runtime.now();
        let (class, work_ratio) = demand.work.draw(&self.randomness, draws);
        let request = Request {
            number: self.horizon.number(now),
            created: now,
            deadline: Instant::NEVER,
            sender,
            attempt: 0,
            class,
            level: demand.levels[class as usize],
            work_ratio,
            draws,
        };
        self.register.enter(request, |request| {
            let fact = Fact::Created(request);
            self.events.emit(Event { at: now, fact });
        })
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
        let pauses = &self.pauses;
        Span::from_seconds(match pauses.backoff.get() {
            Some(backoff) if failures > 0 => back_off(&backoff, failures, &self.randomness, draws),
            _ => {
                let think = pauses.think_seconds.get();
                think * self.randomness.exponential(draws, Purpose::Think)
            }
        })
    }

    /// One agent or generator will create nothing more.
    fn leave(&self) {
        match &self.clients {
            Some(clients) => clients.load_left(),
            None => self.queue.sender_left(),
        }
    }

    /// Goes by the numbers of this profile from now on.
    pub fn follow(&self, profile: &Profile) {
        if let Some(rules) = &profile.agents {
            self.pauses.think_seconds.set(rules.think_seconds);
            self.pauses.backoff.set(rules.backoff);
        }
        if let Some(clients) = &self.clients {
            clients.follow(profile);
        }
        self.demand.work.follow(&profile.requests);
    }

    /// Waits for the answer to a request that the queue has taken.
    #[inline]
    fn answer(&self, ticket: Ticket) -> Answer<'_, R, E> {
        Answer { load: self, ticket }
    }

    /// Offers a request to the queue; whether an answer will come.
    #[inline(always)]
    fn offer(&self, ticket: Ticket) -> bool {
        if let Some(clients) = &self.clients {
            clients.call(ticket);
            return true;
        }
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

    #[inline(always)]
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
        'living: loop {
            let draws = source.request(u64::from(sent));
            let delay = load.throttle.delay(&load.randomness, draws);
            if !delay.is_zero() {
                load.throttle.count_delayed(true);
                load.runtime.rest_until(load.runtime.now() + delay).await;
                load.throttle.count_delayed(false);
            }
            let wake = 'sending: {
                if load.is_over() {
                    let now = load.runtime.now();
                    match load.comes_again(now, draws) {
                        None => break 'living,
                        Some(again) if again > now => break 'sending again,
                        Some(_) => {}
                    }
                }
                let ticket = load.create(Sender::agent(index), draws, &load.demand);
                let good = load.offer(ticket) && load.answer(ticket).await.is_good();
                sent += 1;
                failures_in_a_row = if good { 0 } else { failures_in_a_row + 1 };
                if load.agents.requests_each.is_some_and(|most| sent >= most) {
                    break 'living;
                }
                let wake = load.runtime.now() + load.pause(failures_in_a_row, draws);
                if load.is_over_at(wake) {
                    match load.comes_again(wake, draws) {
                        None => break 'living,
                        Some(again) => again,
                    }
                } else {
                    wake
                }
            };
            load.runtime.rest_until(wake).await;
        }
        load.leave();
    }
}

/// A further agent of an intervention: comes within a second of `from`, and leaves at `to`.
///
/// Its number is counted on from those of the agents who are there all the time.
pub async fn visitor<R: Runtime, E: Emit>(
    load: Rc<Load<R, E>>,
    index: u32,
    (from, to): (Instant, Instant),
) {
    let source = load.randomness.source(SourceKind::ExtraAgent, index);
    let drawn = load
        .randomness
        .uniform(source.request(0), Purpose::FirstWake);
    let mut wake = from + Span::from_seconds(drawn);
    let mut failures_in_a_row = 0;
    for sent in 0.. {
        let draws = source.request(sent);
        if !load.has_ended_at(wake) {
            load.runtime.rest_until(wake).await;
        }
        let delay = load.throttle.delay(&load.randomness, draws);
        if !delay.is_zero() {
            load.throttle.count_delayed(true);
            load.runtime.rest_until(load.runtime.now() + delay).await;
            load.throttle.count_delayed(false);
        }
        let now = load.runtime.now();
        if now >= to {
            break;
        }
        if load.is_over_at(now.max(wake)) {
            match load.comes_again(now.max(wake), draws) {
                Some(again) if again <= now => {}
                Some(again) if again < to => load.runtime.rest_until(again).await,
                _ => break,
            }
        }
        let ticket = load.create(Sender::agent(index), draws, &load.demand);
        let good = load.offer(ticket) && load.answer(ticket).await.is_good();
        failures_in_a_row = if good { 0 } else { failures_in_a_row + 1 };
        wake = load.runtime.now() + load.pause(failures_in_a_row, draws);
        if load.is_over_at(wake) {
            match load.comes_again(wake, draws) {
                Some(again) => wake = again,
                None => break,
            }
        }
        if wake >= to {
            break;
        }
    }
    load.leave();
}

/// Requests at moments of one's own: called with the last one, the start of the run at first, it says
/// when the next arrives, or that none does any more.
pub type NextArrival = Box<dyn FnMut(Instant) -> Option<Instant>>;

/// An open loop of one's own, until the horizon or until it has come to an end.
///
/// A moment that has passed is now.
pub async fn own<R: Runtime, E: Emit>(load: Rc<Load<R, E>>, index: u32, mut next: NextArrival) {
    let source = load.randomness.source(SourceKind::Generator, index);
    let mut last = Instant::ZERO;
    for ordinal in 0.. {
        let Some(at) = next(last) else { break };
        last = at.max(last);
        if load.has_ended_at(last) {
            break;
        }
        load.runtime.rest_until(last).await;
        if load.has_ended_at(load.runtime.now()) {
            break;
        }
        let ticket = load.create(Sender::GENERATOR, source.request(ordinal), &load.demand);
        // As with the profile's own generators, nobody waits for the answer.
        load.offer(ticket);
    }
    load.leave();
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

/// One open-loop generator: where it draws from, and what it sends when.
pub struct Generator {
    source: Source,
    process: ArrivalProcess,
    pace: Pace,
    demand: Option<Box<Demand>>,
    surges: Option<Box<Surges>>,
}

/// How many times as fast as usual a generator is, by interventions of the timeline: from which
/// moment on, which factor.
struct Surges {
    from: Vec<(Instant, f64)>,
    /// The next of them.
    next: usize,
    factor: f64,
}

impl Surges {
    /// What the timeline does to this generator, if it does anything.
    fn of(profile: &Profile, index: u32, rules: &Arrivals) -> Option<Box<Self>> {
        let path = match index {
            0 => "arrivals.rate_per_second".to_owned(),
            more => format!("extra_arrivals.{}.rate_per_second", more - 1),
        };
        let (mut times, mut sets) = (Vec::new(), Vec::new());
        for entry in &profile.timeline {
            let begins = Instant::from_seconds(entry.at_seconds);
            let ends = Instant::from_seconds(entry.end_seconds());
            if let Some(traffic) = &entry.traffic {
                times.push((begins, ends, traffic.arrivals_factor));
            } else if let Some(set) = entry.set.as_ref().filter(|set| set.path == path) {
                sets.push((begins, ends, set.value / rules.rate_per_second));
            }
        }
        if times.is_empty() && sets.is_empty() {
            return None;
        }
        let both = times.iter().chain(&sets);
        let mut moments: Vec<u64> = both.flat_map(|&(a, b, _)| [a.nanos(), b.nanos()]).collect();
        moments.sort_unstable();
        moments.dedup();
        // Factors multiply; of several values the last in the timeline is in force, as with every
        // other field.
        let factor_at = |moment| {
            let is_active = |&&(a, b, _): &&(Instant, Instant, f64)| a <= moment && moment < b;
            let factors = times.iter().filter(is_active).map(|entry| entry.2);
            let set = sets.iter().rfind(is_active).map_or(1.0, |entry| entry.2);
            factors.product::<f64>() * set
        };
        let moments = moments.into_iter().map(Instant::from_nanos);
        let from = moments.filter(|&at| at < Instant::NEVER);
        Some(Box::new(Self {
            from: from.map(|at| (at, factor_at(at))).collect(),
            next: 0,
            factor: 1.0,
        }))
    }

    /// As [`Pace::step`], by the factors in force: `∫ f(t)·λ(t) dt = expected`.
    fn step(&mut self, pace: &mut Pace, last: Instant, expected: f64) -> Instant {
        let (mut left, mut at) = (expected, last);
        loop {
            let change = self.from.get(self.next).copied();
            let until = change.map_or(Instant::NEVER, |(moment, _)| moment);
            if self.factor > 0.0 && at < until {
                let mut ahead = pace.clone();
                let next = ahead.step(at, left / self.factor);
                if next < until || change.is_none() {
                    *pace = ahead;
                    return next;
                }
            }
            let Some((moment, factor)) = change else {
                return Instant::NEVER;
            };
            if at < moment {
                left = (left - self.factor * pace.advance(at, moment)).max(0.0);
                at = moment;
            }
            self.factor = factor;
            self.next += 1;
        }
    }
}

/// What is expected of a generator: its shape, and what the timeline does to it.
pub struct Expected {
    shape: Shape,
    from: Vec<(Instant, f64)>,
}

impl Expected {
    /// One for each generator of the profile, in its order.
    pub fn of(profile: &Profile) -> impl Iterator<Item = Self> {
        profile.generators().map(move |(index, rules)| Self {
            shape: Shape::of(rules),
            from: Surges::of(profile, index, rules).map_or_else(Vec::new, |surges| surges.from),
        })
    }

    /// Arrivals from the beginning until then: `∫ f(t)·λ(t) dt`.
    pub fn until(&self, seconds: f64) -> f64 {
        let (mut sum, mut since, mut factor) = (0.0, 0.0, 1.0);
        let changes = self.from.iter().map(|&(at, next)| (at.seconds(), next));
        for (at, next) in changes.chain([(seconds, 1.0)]) {
            let at = at.min(seconds);
            sum += factor * (self.shape.expected(at) - self.shape.expected(since));
            (since, factor) = (at, next);
        }
        sum
    }
}

impl Generator {
    /// The generators of a profile, each with the number of its source: 0 for `arrivals`, then one
    /// for each of `extra_arrivals`.
    #[must_use]
    pub fn all(profile: &Profile, randomness: &Randomness) -> Vec<Self> {
        let end = Instant::from_seconds(profile.run.duration_seconds);
        let numbered = profile.generators();
        let generators = numbered.map(|(index, rules)| {
            let source = randomness.source(SourceKind::Generator, index);
            Self {
                source,
                process: rules.process,
                pace: Pace::new(rules, randomness, source, end),
                demand: Demand::of(rules, profile).map(Box::new),
                surges: Surges::of(profile, index, rules),
            }
        });
        generators.collect()
    }

    /// The draws of its next request, and the moment at which that arrives.
    #[inline(always)]
    fn arrival(
        &mut self,
        last: Instant,
        randomness: &Randomness,
        ordinal: u64,
    ) -> (Draws, Instant) {
        let draws = self.source.request(ordinal);
        let step = match self.process {
            ArrivalProcess::Poisson => randomness.exponential(draws, Purpose::Interarrival),
            ArrivalProcess::Even => 1.0,
        };
        let next = match &mut self.surges {
            None => self.pace.step(last, step),
            Some(surges) => surges.step(&mut self.pace, last, step),
        };
        (draws, next)
    }
}

/// An open-loop generator: requests arrive at its own pace, until the horizon or until its rate has
/// come to an end.
#[allow(clippy::manual_async_fn)] // As with `agent`.
pub fn generator<R: Runtime, E: Emit>(
    load: Rc<Load<R, E>>,
    mut own: Generator,
) -> impl Future<Output = ()> {
    async move {
        let (mut draws, mut next) = own.arrival(Instant::ZERO, &load.randomness, 0);
        // Drawn one ahead, so that nothing has to wait for the numbers when they are wanted.
        let mut after = own.arrival(next, &load.randomness, 1);
        for ordinal in 2_u64.. {
            if load.is_over_at(next) && load.has_ended_at(next) {
                break;
            }
            load.runtime.rest_until(next).await;
            if load.is_over() && load.has_ended_at(next) {
                break;
            }
            let demand = own.demand.as_deref().unwrap_or(&load.demand);
            let ticket = load.create(Sender::GENERATOR, draws, demand);
            (draws, next) = after;
            after = own.arrival(next, &load.randomness, ordinal);
            // A refused request is lost: nobody waits for its answer.
            load.offer(ticket);
        }
        load.leave();
    }
}
