//! A run: every stage of one experiment, tied together. Only this file names them all.
//!
//! ```text
//!  agents, generators ──► queue ──► workers (faults) ──► events ──► telemetry ──► detector ──► report
//!          ▲                                                                         │
//!          └──────────────────────────────── throttle ◄──────────────────────────────┘
//! ```

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures::StreamExt;
use futures::future::LocalBoxFuture;
use futures::stream::FuturesUnordered;

use crate::arrival::{self, Horizon, Load};
use crate::detector::{Detector, State, Transition};
use crate::event::{Digest, Emit, Event, Fact};
use crate::executor::{Crews, Crowd, Executor, Four, Paused, VirtualTime};
use crate::fault::Injector;
use crate::profile::{Profile, RunUntil};
use crate::queue::Queue;
use crate::random::Randomness;
use crate::report::{Report, Tally};
use crate::request::{Answers, Register, Work};
use crate::runtime::Runtime;
use crate::telemetry::{self, Counts, Sample, Series, Telemetry};
use crate::throttle::Throttle;
use crate::units::{Instant, Span};
use crate::worker::{self, Pool, ServiceTime};

/// Polls between two looks at the outside when a run is awaited as a future.
const POLLS_PER_SLICE: u64 = 10_000;

/// Sees every record of the event stream, in order.
pub type Observer = Box<dyn FnMut(&Event<'_>)>;

/// One run of an experiment in virtual time.
///
/// Drive it in slices with [`advance`](Self::advance), or await it: it is an ordinary future that
/// any executor can poll, and the digest is the same under all of them.
///
/// ```
/// use agent_chaos_core::{Run, wire};
///
/// let profile = wire::parse(r#"{"version": 1, "run": {"duration_seconds": 20, "warmup_seconds": 5}}"#)?;
/// let report = Run::new(&profile).finish();
/// assert_eq!(report.requests.in_flight, 0);
/// # Ok::<(), wire::ProfileError>(())
/// ```
pub struct Run {
    profile: Profile,
    time: VirtualTime,
    executor: Box<dyn Advance>,
    system: System<VirtualTime, Observation>,
}

/// How far to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Up to and including this moment.
    pub until: Instant,
    /// With at most so many polls of tasks.
    pub polls: u64,
}

impl Limit {
    /// To the end.
    pub const NONE: Self = Self {
        until: Instant::NEVER,
        polls: u64::MAX,
    };
}

impl Run {
    /// A run of this profile that has not begun.
    #[must_use]
    pub fn new(profile: &Profile) -> Self {
        Self::observed(profile, None)
    }

    /// As [`new`](Self::new), with somebody who sees every event.
    #[must_use]
    pub fn observed(profile: &Profile, observer: Option<Observer>) -> Self {
        let time = VirtualTime::new();
        let observation = Observation::new(profile, observer);
        let (system, stages) = System::build(profile, time.clone(), observation);
        Self {
            profile: profile.clone(),
            executor: stages.staff(time.clone()),
            time,
            system,
        }
    }

    /// Goes on, up to the limit. Whether the run has finished now.
    pub fn advance(&mut self, limit: Limit) -> bool {
        match self.executor.advance(limit.until, limit.polls) {
            Paused::Finished => true,
            Paused::Until | Paused::Budget => false,
            Paused::Waiting => unreachable!("every stage waits for another stage or for a timer"),
        }
    }

    /// Goes on to the next record of the event stream, or to the end. Whether the run has finished.
    pub fn advance_one_event(&mut self) -> bool {
        let before = self.counts().events();
        while self.counts().events() == before {
            if self.advance(Limit {
                polls: 1,
                ..Limit::NONE
            }) {
                return true;
            }
        }
        self.is_finished()
    }

    /// Goes on to the end.
    pub fn finish(mut self) -> Report {
        while !self.advance(Limit::NONE) {}
        self.report()
    }

    /// The profile.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The present moment of virtual time.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.time.now()
    }

    /// When the last request may be created, as far as is known.
    #[must_use]
    pub fn horizon(&self) -> Instant {
        self.system.horizon.at()
    }

    /// Whether everything has been done.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.executor.is_finished()
    }

    /// How much of the run is done, from 0 to 1: by time, or by requests if their number ends it.
    #[must_use]
    pub fn progress(&self) -> f64 {
        if self.is_finished() {
            return 1.0;
        }
        let by_time = self.now().seconds() / self.profile.run.duration_seconds;
        let by_requests = self.profile.run.max_requests.map_or(0.0, |most| {
            self.system.horizon.created() as f64 / f64::from(most)
        });
        by_time.max(by_requests).min(1.0)
    }

    /// Counts so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        *self.system.observation.inner.borrow().telemetry.counts()
    }

    /// The digest of everything that has happened so far.
    #[must_use]
    pub fn digest(&self) -> String {
        self.system.observation.inner.borrow().digest.text()
    }

    /// The report as of now.
    #[must_use]
    pub fn report(&self) -> Report {
        self.system
            .report(&self.profile, self.now(), self.is_finished())
    }

    /// Reads the recorded series.
    pub fn with_series<T>(&self, read: impl FnOnce(&Series) -> T) -> T {
        read(&self.system.observation.inner.borrow().series)
    }

    /// The detector's transitions from the `from`-th on, and how many there have been.
    #[must_use]
    pub fn transitions_from(&self, from: usize) -> Vec<Transition> {
        let observation = self.system.observation.inner.borrow();
        observation
            .transitions
            .get(from..)
            .unwrap_or_default()
            .to_vec()
    }

    /// The moment as a picture.
    #[must_use]
    pub fn picture(&self) -> Picture {
        let observation = self.system.observation.inner.borrow();
        let counts = *observation.telemetry.counts();
        let blocked = self.system.queue.blocked() as u32;
        let agents = self
            .profile
            .agents
            .as_ref()
            .map_or(0, |agents| agents.count);
        let delayed = self.system.throttle.delayed();
        Picture {
            counts,
            blocked,
            agents,
            delayed,
            last: observation.last.clone(),
            state: observation.detector.as_ref().map(Detector::state),
            throttle_delay: self.system.throttle.mean_delay(),
        }
    }
}

/// The moment as a picture: what happens where.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Counts so far.
    pub counts: Counts,
    /// Senders that wait at the entrance of the full queue.
    pub blocked: u32,
    /// Agents in all.
    pub agents: u32,
    /// Agents that the throttle holds back.
    pub delayed: u32,
    /// What was measured at the last tick.
    pub last: Option<Sample>,
    /// The detector's state; none if it is off.
    pub state: Option<State>,
    /// The throttle's mean delay.
    pub throttle_delay: Span,
}

impl Future for Run {
    type Output = Report;

    /// Goes on for a slice, then lets the host do something else.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Report> {
        if self.advance(Limit {
            polls: POLLS_PER_SLICE,
            ..Limit::NONE
        }) {
            return Poll::Ready(self.report());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Runs the same stages on another runtime's clock and timers.
///
/// Under a coarser clock than nanoseconds the statistics agree with those of a [`Run`], the digest
/// need not.
pub async fn drive<R: Runtime>(profile: &Profile, runtime: R) -> Report {
    let (system, stages) = System::build(profile, runtime.clone(), Observation::new(profile, None));
    let mut all = FuturesUnordered::new();
    stages.for_each(&mut |stage| all.push(stage));
    while all.next().await.is_some() {}
    system.report(profile, runtime.now(), true)
}

/// Runs the stages in virtual time with nobody watching: no telemetry, no detector and so no
/// throttle, no digest, no report. It is there to tell what watching costs.
#[must_use]
pub fn run_unobserved(profile: &Profile) -> Unobserved {
    let time = VirtualTime::new();
    let (system, stages) = System::build(profile, time.clone(), Uncounted::default());
    let mut executor = stages.staff(time);
    while executor.advance(Instant::NEVER, u64::MAX) != Paused::Finished {}
    let Uncounted {
        refused, completed, ..
    } = &*system.observation;
    Unobserved {
        created: system.horizon.created(),
        refused: refused.get(),
        completed: completed.get(),
    }
}

/// What is known of a run that nobody watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unobserved {
    /// Requests created.
    pub created: u64,
    /// Requests refused by the gate or the full queue.
    pub refused: u64,
    /// Services ended.
    pub completed: u64,
}

/// Whoever folds the event stream, and looks at each tick.
trait Observe: Emit {
    /// Takes note of a tick. The detector's state from now on, where there is a detector.
    fn tick(&self, now: Instant, oldest: Option<Instant>, throttle: &Throttle) -> Option<State>;

    /// The last completion, if nothing waits and nothing is served.
    fn idle_since(&self) -> Option<Instant>;
}

/// Nobody: counts only what tells whether the work is done.
#[derive(Default)]
struct Uncounted {
    created: Cell<u64>,
    refused: Cell<u64>,
    completed: Cell<u64>,
    last_completion: Cell<Instant>,
}

impl Emit for Uncounted {
    #[inline]
    fn emit(&self, event: Event<'_>) {
        let count = match event.fact {
            Fact::Created(_) => &self.created,
            Fact::Throttled { .. } => &self.refused,
            Fact::Completed { .. } => {
                self.last_completion.set(event.at);
                &self.completed
            }
            _ => return,
        };
        count.set(count.get() + 1);
    }
}

impl Observe for Uncounted {
    fn tick(&self, _: Instant, _: Option<Instant>, _: &Throttle) -> Option<State> {
        None
    }

    fn idle_since(&self) -> Option<Instant> {
        let idle = self.created.get() == self.refused.get() + self.completed.get();
        idle.then(|| self.last_completion.get())
    }
}

/// What the stages of a run share.
struct System<R: Runtime, O: Observe> {
    observation: Rc<O>,
    queue: Rc<Queue<R, O>>,
    throttle: Rc<Throttle>,
    horizon: Rc<Horizon>,
}

/// The stages of a run, in the order in which they are started.
struct Stages<R: Runtime, O: Observe> {
    load: Rc<Load<R, O>>,
    pool: Rc<Pool<R, O>>,
    profile: Profile,
    ticker: LocalBoxFuture<'static, ()>,
}

/// An executor of stages, whatever the kinds of its crews.
trait Advance {
    fn advance(&mut self, until: Instant, budget: u64) -> Paused;
    fn is_finished(&self) -> bool;
}

impl<C: Crews> Advance for Executor<C> {
    fn advance(&mut self, until: Instant, budget: u64) -> Paused {
        Executor::advance(self, until, budget)
    }

    fn is_finished(&self) -> bool {
        Executor::is_finished(self)
    }
}

impl<O: Observe> Stages<VirtualTime, O> {
    /// An executor with each kind of stage as a crew, in the order of
    /// [`for_each`](Self::for_each).
    fn staff(self, time: VirtualTime) -> Box<dyn Advance> {
        let (pool, load) = (self.pool, self.load);
        let mut ticker = Some(self.ticker);
        let ticker = Crowd::new(1, |_| ticker.take().expect("one ticker"));
        let workers = Crowd::new(self.profile.workers.count, |index| {
            worker::worker(Rc::clone(&pool), index)
        });
        let generators = self.profile.arrivals;
        let generators = Crowd::new(u32::from(generators.is_some()), |_| {
            let rules = generators.clone().expect("a generator has arrivals");
            arrival::generator(Rc::clone(&load), rules)
        });
        let agents = self.profile.agents.map_or(0, |agents| agents.count);
        let agents = Crowd::new(agents, |index| arrival::agent(Rc::clone(&load), index));
        let crews = Four(ticker, workers, generators, agents);
        Box::new(Executor::with_crews(time, crews))
    }
}

impl<R: Runtime, O: Observe> Stages<R, O> {
    fn for_each(self, start: &mut dyn FnMut(LocalBoxFuture<'static, ()>)) {
        start(self.ticker);
        for index in 0..self.profile.workers.count {
            start(Box::pin(worker::worker(Rc::clone(&self.pool), index)));
        }
        if let Some(rules) = self.profile.arrivals {
            start(Box::pin(arrival::generator(Rc::clone(&self.load), rules)));
        }
        if let Some(rules) = self.profile.agents {
            for index in 0..rules.count {
                start(Box::pin(arrival::agent(Rc::clone(&self.load), index)));
            }
        }
    }
}

impl<R: Runtime, O: Observe> System<R, O> {
    fn build(profile: &Profile, runtime: R, observation: O) -> (Self, Stages<R, O>) {
        let observation = Rc::new(observation);
        let randomness = Randomness::new(profile.seed);
        let agents = profile.agents.as_ref().map_or(0, |agents| agents.count);
        let senders = u64::from(agents) + u64::from(profile.arrivals.is_some());
        let shared = (runtime.clone(), Rc::clone(&observation), randomness.clone());
        let register = Rc::<Register>::default();
        let queue = Rc::new(Queue::new(
            shared,
            Rc::clone(&register),
            &profile.queue,
            profile.workers.count,
            senders,
        ));
        let answers = Rc::<Answers<R>>::default();
        let throttle = Rc::new(Throttle::new(profile.throttle.clone()));
        let horizon = Rc::new(Horizon::new(
            Instant::from_seconds(profile.run.duration_seconds),
            profile.run.max_requests,
        ));
        let load = Load {
            runtime: runtime.clone(),
            events: Rc::clone(&observation),
            randomness: randomness.clone(),
            register: Rc::clone(&register),
            queue: Rc::clone(&queue),
            answers: Rc::clone(&answers),
            throttle: Rc::clone(&throttle),
            horizon: Rc::clone(&horizon),
            agents: profile.agents.clone().unwrap_or_default(),
            work: Work::new(&profile.requests, &profile.workers.service),
        };
        let pool = Pool {
            runtime: runtime.clone(),
            events: Rc::clone(&observation),
            randomness,
            register,
            queue: Rc::clone(&queue),
            answers,
            service: ServiceTime::new(&profile.workers.service, &profile.requests),
            injector: Injector::new(&profile.faults),
        };
        let interval = Span::from_seconds(profile.telemetry.interval_seconds);
        let until_idle = profile.run.until == RunUntil::Idle;
        let tick = {
            let (observation, queue) = (Rc::clone(&observation), Rc::clone(&queue));
            let (throttle, horizon) = (Rc::clone(&throttle), Rc::clone(&horizon));
            move |now| {
                let state = observation.tick(now, queue.oldest(), &throttle);
                // The feedback: what the detector says decides how long agents wait from now on.
                if let Some(delay) = state.and_then(|state| throttle.follow(state)) {
                    observation.emit(Event {
                        at: now,
                        fact: Fact::Adapted { delay },
                    });
                }
                if !until_idle || !queue.is_closed() {
                    return false;
                }
                let idle = observation.idle_since();
                if let Some(last_completion) = idle {
                    horizon.bring_forward(last_completion + Span::from_nanos(1));
                }
                idle.is_some()
            }
        };
        let ticker = Box::pin(telemetry::ticks(
            runtime,
            interval,
            Rc::clone(&horizon),
            tick,
        ));
        let stages = Stages {
            load: Rc::new(load),
            pool: Rc::new(pool),
            profile: profile.clone(),
            ticker,
        };
        (
            Self {
                observation,
                queue,
                throttle,
                horizon,
            },
            stages,
        )
    }
}

impl<R: Runtime> System<R, Observation> {
    fn report(&self, profile: &Profile, now: Instant, complete: bool) -> Report {
        let mut observation = self.observation.inner.borrow_mut();
        observation.tally.end_at(self.horizon.at());
        let (digest, counts) = (observation.digest.text(), observation.telemetry.counts());
        observation
            .tally
            .report(profile, digest, now, counts, complete)
    }
}

/// Everybody who folds the event stream.
struct Observation {
    inner: RefCell<Folds>,
}

struct Folds {
    digest: Digest,
    telemetry: Telemetry,
    tally: Tally,
    detector: Option<Detector>,
    series: Series,
    transitions: Vec<Transition>,
    last: Option<Sample>,
    last_completion: Instant,
    observer: Option<Observer>,
}

/// Transitions kept for whoever watches a run.
const MOST_TRANSITIONS: usize = 10_000;

impl Observation {
    fn new(profile: &Profile, observer: Option<Observer>) -> Self {
        let folds = Folds {
            digest: Digest::default(),
            telemetry: Telemetry::new(profile),
            tally: Tally::new(profile),
            detector: Detector::new(profile),
            series: Series::default(),
            transitions: Vec::new(),
            last: None,
            last_completion: Instant::ZERO,
            observer,
        };
        Self {
            inner: RefCell::new(folds),
        }
    }
}

impl Observe for Observation {
    /// Measures, has the detector look, and records. The state from now on.
    fn tick(&self, now: Instant, oldest: Option<Instant>, throttle: &Throttle) -> Option<State> {
        let mut folds = self.inner.borrow_mut();
        let mut sample = folds.telemetry.sample(now, oldest);
        let transition = folds
            .detector
            .as_mut()
            .and_then(|detector| detector.look(&sample));
        let state = folds.detector.as_ref().map(Detector::state);
        if let Some(Transition { from, to, rule, .. }) = transition {
            folds.fold(&Event {
                at: now,
                fact: Fact::Transition { from, to, rule },
            });
        }
        folds.tally.tick(now, state, transition.as_ref());
        if folds.transitions.len() < MOST_TRANSITIONS {
            folds.transitions.extend(transition);
        }
        sample.state = state;
        sample.throttle_delay = throttle.mean_delay_in(state);
        folds.series.push(&sample);
        folds.last = Some(sample);
        state
    }

    fn idle_since(&self) -> Option<Instant> {
        let folds = self.inner.borrow();
        let counts = folds.telemetry.counts();
        let idle = counts.created == counts.refused + counts.completed;
        idle.then_some(folds.last_completion)
    }
}

impl Emit for Observation {
    #[inline(always)]
    fn emit(&self, event: Event<'_>) {
        self.inner.borrow_mut().fold(&event);
    }
}

impl Folds {
    #[inline(always)]
    fn fold(&mut self, event: &Event<'_>) {
        if let Fact::Completed { .. } = event.fact {
            self.last_completion = event.at;
        }
        self.digest.fold(event);
        self.tally.fold(event, self.telemetry.counts());
        self.telemetry.fold(event);
        if let Some(observer) = &mut self.observer {
            observer(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_fits_into_a_cache_line() {
        let profile = Profile::default();
        let observation = Observation::new(&profile, None);
        let (_, stages) = System::build(&profile, VirtualTime::new(), observation);
        let agent = arrival::agent(Rc::clone(&stages.load), 0);
        assert!(size_of_val(&agent) <= 64, "{} bytes", size_of_val(&agent));
    }

    #[test]
    fn a_run_does_the_same_watched_or_not_where_nothing_watches_back() {
        let mut profile = Profile::default();
        profile.run.duration_seconds = if cfg!(miri) { 0.4 } else { 20.0 };
        profile.run.warmup_seconds = 0.1;
        profile.throttle.enabled = false;
        let unobserved = run_unobserved(&profile);
        let mut run = Run::new(&profile);
        while !run.advance(Limit::NONE) {}
        let counts = run.counts();
        assert!(counts.completed > 0);
        assert_eq!(
            unobserved,
            Unobserved {
                created: counts.created,
                refused: counts.refused,
                completed: counts.completed
            }
        );
    }
}
