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
use futures::future::{Either, LocalBoxFuture};
use futures::stream::FuturesUnordered;

use crate::arrival::{self, Demand, Generator, Horizon, Load, NextArrival, Pauses, Rest};
use crate::client::{self, Clients};
use crate::detector::{Detector, Hold, State, Transition};
use crate::downstream::Dependency;
use crate::event::{Digest, Emit, Event, Fact};
use crate::executor::{Crews, Crowd, Executor, Four, Paused, VirtualTime};
use crate::fault::Injector;
use crate::profile::{Admission, Drain, Profile, RunUntil};
use crate::queue::{Admit, Admitting, Offer, Queue};
use crate::random::Randomness;
use crate::records::Records;
use crate::reply::{Mail, Replies};
use crate::report::recovery::{self, Draining, Health, Trigger};
use crate::report::{Recovery, Report, Tally};
use crate::request::{Answers, Register, Work};
use crate::runtime::Runtime;
use crate::supervisor::Supervisor;
use crate::telemetry::{self, Counts, Gauges, Sample, Series, Telemetry};
use crate::throttle::Throttle;
use crate::timeline::{self, Levers};
use crate::units::{Instant, Span};
use crate::worker::{self, Pool, ServiceTime};

/// A run that is tried by draining is looked at so often.
const LOOKS_SECONDS: f64 = 5.0;
/// Polls of what goes on beside a run that has had its last event, before others have their turn.
const POLLS_BESIDE: u64 = 50_000;
/// Polls between two looks at the outside when a run is awaited as a future.
const POLLS_PER_SLICE: u64 = 10_000;

/// Sees every record of the event stream, in order.
pub type Observer = Box<dyn FnMut(&Event<'_>)>;

/// What a run has beside its profile.
///
/// A trait, so that where there is nothing there is no code for it either: a page counts every byte.
trait Brought<R: Runtime, O: Observe>: Sized {
    /// Senders of requests.
    fn loads(&self) -> u64 {
        0
    }

    /// A rule at the gate.
    fn admission(&mut self) -> Option<Admit> {
        None
    }

    /// The stages of the senders, whose sources are numbered from `first` on.
    fn stages(self, _: &Rc<Load<R, O>>, _first: u32) -> Vec<LocalBoxFuture<'static, ()>> {
        Vec::new()
    }
}

/// Nothing beside the profile.
struct Nothing;

impl<R: Runtime, O: Observe> Brought<R, O> for Nothing {}

/// What whoever uses this as a library brings along.
#[derive(Default)]
struct Own {
    arrivals: Vec<NextArrival>,
    admission: Option<Admit>,
}

impl Own {
    fn is_nothing(&self) -> bool {
        self.arrivals.is_empty() && self.admission.is_none()
    }
}

impl<R: Runtime, O: Observe> Brought<R, O> for Own {
    fn loads(&self) -> u64 {
        self.arrivals.len() as u64
    }

    fn admission(&mut self) -> Option<Admit> {
        self.admission.take()
    }

    fn stages(self, load: &Rc<Load<R, O>>, first: u32) -> Vec<LocalBoxFuture<'static, ()>> {
        let stage = |(index, next)| -> LocalBoxFuture<'static, ()> {
            Box::pin(arrival::own(Rc::clone(load), index, next))
        };
        (first..).zip(self.arrivals).map(stage).collect()
    }
}

/// A run that is about to begin, with whatever is to be had beside its profile.
///
/// ```
/// use agent_chaos_core::units::Span;
/// use agent_chaos_core::{Run, wire};
///
/// let profile = wire::parse(r#"{"run": {"duration_seconds": 20, "warmup_seconds": 5}}"#)?;
/// let report = Run::builder(&profile)
///     // Beside the agents, a request each 10 ms …
///     .arrivals(|last| Some(last + Span::from_seconds(0.01)))
///     // … and nobody is let in while three wait.
///     .admission(|offer| offer.waiting < 3)
///     .start()
///     .finish();
/// assert!(report.queue.max <= 3);
/// # Ok::<(), wire::ProfileError>(())
/// ```
#[must_use = "nothing runs before `start`"]
pub struct Builder {
    profile: Profile,
    observer: Option<Observer>,
    records: Option<usize>,
    own: Own,
}

impl Builder {
    /// Has somebody see every event.
    pub fn observer(mut self, observer: impl FnMut(&Event<'_>) + 'static) -> Self {
        self.observer = Some(Box::new(observer));
        self
    }

    /// Keeps the latest `most` records.
    pub fn records(mut self, most: usize) -> Self {
        self.records = Some(most);
        self
    }

    /// Has requests arrive at moments of one's own, beside those of the profile, which need not have any.
    ///
    /// `next` is called with the last moment, the start of the run at first, and says when the next
    /// request arrives; none ends it. Moments must go on: one that gives the same for ever keeps the run
    /// from ever ending. There may be several. What requests are like is the profile's.
    pub fn arrivals(mut self, next: impl FnMut(Instant) -> Option<Instant> + 'static) -> Self {
        self.own.arrivals.push(Box::new(next));
        self
    }

    /// Asks a rule of one's own before all others whether a request is let in. Who is not has been
    /// dropped by the gate (`CONGESTION_FAILURE`).
    ///
    /// The profile that is run, and that the report shows, has a section `admission` then, if need be an
    /// empty one.
    pub fn admission(mut self, admits: impl FnMut(&Offer) -> bool + 'static) -> Self {
        self.own.admission = Some(Box::new(admits));
        if !self.profile.has_rules() {
            self.profile.admission = Some(Admission::default());
        }
        self
    }

    /// The run, which has not begun.
    ///
    /// With arrivals or a rule of one's own it has no twin, and so no judgement of recovery: they cannot
    /// be had twice.
    #[must_use]
    pub fn start(self) -> Run {
        let run = if self.own.is_nothing() {
            Run::observed(&self.profile, self.observer)
        } else {
            Run::begin(&self.profile, self.observer, self.own).alone()
        };
        match self.records {
            Some(most) => run.keep_records(most),
            None => run,
        }
    }
}

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
    /// The same run without its trigger, which goes along to be compared with.
    twin: Option<Twin>,
    trial: Trial,
}

struct Twin {
    executor: Box<dyn Advance>,
    system: System<VirtualTime, Observation>,
}

impl Twin {
    fn new(profile: &Profile, trigger: Option<Trigger>) -> Self {
        let time = VirtualTime::new();
        let observation = Observation::new(profile, None, trigger);
        let (system, stages) = System::build(profile, time.clone(), observation);
        Self {
            executor: stages.staff(time),
            system,
        }
    }

    /// Whether every request has ended.
    fn is_empty(&self) -> bool {
        let folds = self.system.observation.inner.borrow();
        folds.telemetry.counts().is_idle()
    }
}

/// Whether draining restores a metastable run, which it takes two more runs to tell.
enum Trial {
    /// Not known yet whether there is to be one.
    Open,
    /// There is none: the run is not metastable, or cannot be tried.
    None,
    /// It is under way.
    Goes(Box<Tried>),
    /// It has shown this.
    Done(Draining),
}

/// The same run once more, which goes on beyond its end: with no load until it is empty, then with its
/// base load; and its twin, which has its load all the time.
struct Tried {
    rest: Rest,
    run: Twin,
    twin: Twin,
    /// Both go on up to here, and are then looked at.
    next: Instant,
    emptied: bool,
}

impl Tried {
    fn new(profile: &Profile, rest: Rest) -> Option<Self> {
        let trigger = Trigger::of(profile);
        let twin = recovery::twin(profile)?;
        let run = Twin::new(&recovery::longer(profile, rest, true), trigger);
        run.system.horizon.rest(rest);
        Some(Self {
            rest,
            run,
            twin: Twin::new(&recovery::longer(&twin, rest, false), trigger),
            // Right before the load comes again.
            next: Instant::from_nanos(rest.to.nanos() - 1),
            emptied: false,
        })
    }

    /// Goes on with so many polls of each. What it has shown, once that is known.
    ///
    /// It is looked at at the same moments however it is sliced.
    fn advance(&mut self, polls: u64) -> Option<Draining> {
        let pause = |twin: &mut Twin| twin.executor.advance(self.next, polls);
        let paused = [pause(&mut self.run), pause(&mut self.twin)];
        if paused.contains(&Paused::Budget) {
            return None;
        }
        let is_first = self.next < self.rest.to;
        self.emptied |= is_first && self.run.is_empty();
        let own = self.run.system.observation.inner.borrow();
        let other = self.twin.system.observation.inner.borrow();
        let both = own.health.as_ref().zip(other.health.as_ref());
        let healthy = both.and_then(|(own, other)| recovery::restored(self.rest, own, other));
        let is_over = !self.emptied || healthy.is_some() || self.next >= self.rest.end;
        let Rest { from, to, end } = self.rest;
        self.next = if is_first { to } else { self.next } + Span::from_seconds(LOOKS_SECONDS);
        is_over.then(|| Draining {
            from_seconds: from.seconds(),
            to_seconds: to.seconds(),
            emptied: self.emptied,
            healthy_seconds: healthy.map(Instant::seconds),
            watched_seconds: (end - to).seconds(),
        })
    }
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
        Self::begin(profile, observer, Nothing)
    }

    /// A run of this profile with more than it says: arrivals and rules of one's own.
    pub fn builder(profile: &Profile) -> Builder {
        Builder {
            profile: profile.clone(),
            observer: None,
            records: None,
            own: Own::default(),
        }
    }

    fn begin(
        profile: &Profile,
        observer: Option<Observer>,
        own: impl Brought<VirtualTime, Observation>,
    ) -> Self {
        let time = VirtualTime::new();
        let trigger = Trigger::of(profile);
        let observation = Observation::new(profile, observer, trigger);
        let (system, stages) = System::build_with(profile, time.clone(), observation, own);
        let twin = recovery::twin(profile).map(|profile| Twin::new(&profile, trigger));
        Self {
            trial: if twin.is_some() {
                Trial::Open
            } else {
                Trial::None
            },
            profile: profile.clone(),
            executor: stages.staff(time.clone()),
            time,
            system,
            twin,
        }
    }

    /// As [`observed`](Self::observed), and keeps the latest `most` records.
    #[must_use]
    pub fn recorded(profile: &Profile, observer: Option<Observer>, most: usize) -> Self {
        Self::observed(profile, observer).keep_records(most)
    }

    fn keep_records(self, most: usize) -> Self {
        {
            let folds = &mut *self.system.observation.inner.borrow_mut();
            folds.records = Some(Box::new(Records::new(&self.profile, most)));
            folds.is_watched = true;
        }
        self
    }

    /// Reads the records that are kept; none unless this is a run that [keeps](Self::recorded) them.
    pub fn with_records<T>(&self, read: impl FnOnce(&Records) -> T) -> Option<T> {
        let folds = self.system.observation.inner.borrow();
        folds.records.as_deref().map(read)
    }

    /// The same run without its twin: for whoever looks at what happens, not at whether it recovers.
    #[must_use]
    pub fn alone(mut self) -> Self {
        self.twin = None;
        self.trial = Trial::None;
        self
    }

    /// Goes on, up to the limit. Whether the run has finished now.
    ///
    /// A run with a trigger has a twin without it, which goes along with as many polls of its own. One
    /// that turns out metastable is then tried by draining, which takes two more runs.
    pub fn advance(&mut self, limit: Limit) -> bool {
        let finished = go_on(&mut *self.executor, limit);
        let Some(twin) = &mut self.twin else {
            return finished;
        };
        let until = if finished {
            Instant::NEVER
        } else {
            self.time.now()
        };
        let both = go_on(&mut *twin.executor, Limit { until, ..limit }) && finished;
        both && self.try_draining(limit.polls)
    }

    /// Whether it is known what draining shows, or that there is nothing to try.
    fn try_draining(&mut self, polls: u64) -> bool {
        if let Trial::Open = self.trial {
            let ended = (self.horizon(), self.now());
            let rest = self
                .judge()
                .and_then(|recovery| recovery::rest_after(&self.profile, &recovery, ended));
            let tried = rest.and_then(|rest| Tried::new(&self.profile, rest));
            self.trial = tried.map_or(Trial::None, |tried| Trial::Goes(Box::new(tried)));
        }
        let Trial::Goes(tried) = &mut self.trial else {
            return true;
        };
        let shown = tried.advance(polls);
        if let Some(draining) = shown {
            self.trial = Trial::Done(draining);
        }
        shown.is_some()
    }

    /// Goes on to the next record of the event stream, or to the end. Whether the run has finished.
    pub fn advance_one_event(&mut self) -> bool {
        let before = self.counts().events();
        while self.counts().events() == before {
            // After its last event only what goes on beside it is left, which has no events to show.
            let polls = if self.executor.is_finished() {
                POLLS_BESIDE
            } else {
                1
            };
            let finished = self.advance(Limit {
                polls,
                ..Limit::NONE
            });
            if finished || polls > 1 {
                return finished;
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
        let twin = self.twin.as_ref();
        self.executor.is_finished()
            && twin.is_none_or(|twin| twin.executor.is_finished())
            && matches!(self.trial, Trial::None | Trial::Done(_))
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
        let finished = self.is_finished();
        let mut report = self.system.report(&self.profile, self.now(), finished);
        if finished {
            report.recovery = self.judge();
            report.detector_quality = self
                .with_both(|own, other| recovery::quality(&self.profile, own, other))
                .flatten();
            report.tell(&self.profile);
        }
        report
    }

    /// Whether it came back after its trigger; none without one.
    fn judge(&self) -> Option<Recovery> {
        let judge = |own: &Health, other: &Health| recovery::judge(&self.profile, own, other);
        let mut recovery = self.with_both(judge)?;
        if let Trial::Done(draining) = self.trial {
            recovery.confirm(draining);
        }
        Some(recovery)
    }

    /// Compares the run with its twin.
    fn with_both<T>(&self, compare: impl FnOnce(&Health, &Health) -> T) -> Option<T> {
        let own = self.system.observation.inner.borrow();
        let other = self.twin.as_ref()?.system.observation.inner.borrow();
        let both = own.health.as_ref().zip(other.health.as_ref());
        both.map(|(own, other)| compare(own, other))
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

    /// What is held at present: nothing of it once the run has finished.
    #[must_use]
    pub fn held(&self) -> Held {
        let used = |connections: Option<(u32, u32)>| {
            connections.map_or(0, |(used, waiting)| used + waiting)
        };
        let gauges = (self.system.gauge)();
        Held {
            requests: self.system.register.open(),
            waiting: self.system.queue.waiting(),
            blocked: self.system.queue.blocked(),
            connections: used(gauges.connections),
            downstream_connections: used(gauges.downstream_connections),
        }
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
        let under_way = observation.telemetry.under_way().to_vec();
        let visitors: u32 = under_way
            .iter()
            .filter_map(|&index| self.profile.timeline[index as usize].traffic.as_ref())
            .map(|traffic| traffic.extra_agents)
            .sum();
        let mechanisms = (self.system.mechanisms)();
        let workers = self.profile.workers.count;
        Picture {
            counts,
            blocked,
            capacity: self.system.queue.capacity(),
            workers: mechanisms.gauges.crew.map_or(workers, |crew| crew.on),
            mechanisms,
            wanted_workers: observation.telemetry.wanted(),
            interventions: under_way,
            agents: agents + visitors,
            delayed,
            last: observation.last.clone(),
            state: observation.detector.as_ref().map(Detector::state),
            throttle_delay: self.system.throttle.mean_delay(),
        }
    }
}

/// Goes on, up to the limit. Whether everything has been done.
fn go_on(executor: &mut dyn Advance, limit: Limit) -> bool {
    match executor.advance(limit.until, limit.polls) {
        Paused::Finished => true,
        Paused::Until | Paused::Budget => false,
        Paused::Waiting => unreachable!("every stage waits for another stage or for a timer"),
    }
}

/// What a run holds on to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Requests, and sends of them, in the register.
    pub requests: usize,
    /// Requests in the queue.
    pub waiting: u32,
    /// Requests whose sender waits at the entrance.
    pub blocked: usize,
    /// Connections from clients to the server, and sends that wait for one.
    pub connections: u32,
    /// Connections from workers to the dependency, and workers that wait for one.
    pub downstream_connections: u32,
}

/// The moment as a picture: what happens where.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Counts so far.
    pub counts: Counts,
    /// Senders that wait at the entrance of the full queue.
    pub blocked: u32,
    /// Waiting places at present; none if they are unbounded.
    pub capacity: Option<u32>,
    /// Workers on duty, those that are down included.
    pub workers: u32,
    /// What mechanisms show.
    pub mechanisms: Mechanisms,
    /// Workers that the autoscaler asked for last; none if it has not asked for any.
    pub wanted_workers: Option<u32>,
    /// Interventions under way: their places in the timeline, in order.
    pub interventions: Vec<u32>,
    /// Agents in all, those that an intervention has brought included.
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

/// What mechanisms show at a moment; all of it absent where the profile has none of them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Mechanisms {
    /// What is also recorded at every tick.
    pub gauges: Gauges,
    /// Connections from clients to the server there may be at present.
    pub connections: Option<u32>,
    /// Connections from workers to the dependency there may be at present.
    pub downstream_connections: Option<u32>,
    /// Sends on their way to the server.
    pub in_transit: u64,
    /// What admission shows.
    pub admission: Option<Admitting>,
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
    let (system, stages) = System::build(
        profile,
        runtime.clone(),
        Observation::new(profile, None, None),
    );
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
    let (system, stages) = System::build(profile, time.clone(), Uncounted::new(profile));
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
    fn tick(&self, tick: &Tick<'_>) -> Option<State>;

    /// The last completion, if nothing waits, nothing is served and every request has ended.
    fn idle_since(&self) -> Option<Instant>;

    /// Counted requests that have not ended; none before the end of the counted time.
    fn counted_under_way(&self) -> Option<u64>;

    /// Measures by the numbers of this profile from now on.
    fn follow(&self, profile: &Profile);
}

/// What a tick is measured by, beside the events.
struct Tick<'a> {
    now: Instant,
    oldest: Option<Instant>,
    gauges: Gauges,
    throttle: &'a Throttle,
}

/// Nobody: counts only what tells whether the work is done.
struct Uncounted {
    settles: bool,
    created: Cell<u64>,
    refused: Cell<u64>,
    completed: Cell<u64>,
    /// Taken out of the queue, or lost in a crash.
    gone: Cell<u64>,
    settled: Cell<u64>,
    last_completion: Cell<Instant>,
}

impl Uncounted {
    fn new(profile: &Profile) -> Self {
        Self {
            settles: profile.has_clients(),
            created: Cell::default(),
            refused: Cell::default(),
            completed: Cell::default(),
            gone: Cell::default(),
            settled: Cell::default(),
            last_completion: Cell::default(),
        }
    }
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
            Fact::Removed { .. } | Fact::Lost { .. } => &self.gone,
            Fact::Settled { .. } => &self.settled,
            _ => return,
        };
        count.set(count.get() + 1);
    }
}

impl Observe for Uncounted {
    fn tick(&self, _: &Tick<'_>) -> Option<State> {
        None
    }

    fn idle_since(&self) -> Option<Instant> {
        let ended = if self.settles {
            self.settled.get()
        } else {
            self.refused.get() + self.completed.get() + self.gone.get()
        };
        (self.created.get() == ended).then(|| self.last_completion.get())
    }

    fn counted_under_way(&self) -> Option<u64> {
        Some(0)
    }

    fn follow(&self, _: &Profile) {}
}

/// What the stages of a run share.
struct System<R: Runtime, O: Observe> {
    observation: Rc<O>,
    queue: Rc<Queue<R, O>>,
    throttle: Rc<Throttle>,
    horizon: Rc<Horizon>,
    gauge: Rc<dyn Fn() -> Gauges>,
    register: Rc<Register>,
    mechanisms: Rc<dyn Fn() -> Mechanisms>,
}

/// The stages of a run, in the order in which they are started.
struct Stages<R: Runtime, O: Observe> {
    /// The timeline, the ticker, and what goes on beside the pipeline.
    controls: Vec<LocalBoxFuture<'static, ()>>,
    pool: Rc<Pool<R, O>>,
    load: Rc<Load<R, O>>,
    generators: Vec<Generator>,
    profile: Profile,
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
        let count = self.controls.len() as u32;
        let mut controls = self.controls.into_iter();
        let controls = Crowd::new(count, |_| controls.next().expect("as many as there are"));
        let mut generators = self.generators.into_iter();
        let generators = Crowd::new(generators.len() as u32, |_| {
            let own = generators.next().expect("as many as were counted");
            arrival::generator(Rc::clone(&load), own)
        });
        let agents = self.profile.agents.as_ref();
        let agents = agents.map_or(0, |agents| agents.count);
        let agents = Crowd::new(agents, |index| arrival::agent(Rc::clone(&load), index));
        let count = self.profile.most_workers();
        let supervised = self.profile.has_rules();
        let workers = Crowd::new(count, |index| {
            let pool = Rc::clone(&pool);
            if supervised {
                Either::Left(worker::supervised(pool, index))
            } else {
                Either::Right(worker::worker(pool, index))
            }
        });
        let crews = Four(controls, workers, generators, agents);
        Box::new(Executor::with_crews(time, crews))
    }
}

impl<R: Runtime, O: Observe> Stages<R, O> {
    fn for_each(self, start: &mut dyn FnMut(LocalBoxFuture<'static, ()>)) {
        self.controls.into_iter().for_each(&mut *start);
        for index in 0..self.profile.most_workers() {
            let pool = Rc::clone(&self.pool);
            if self.profile.has_rules() {
                start(Box::pin(worker::supervised(pool, index)));
            } else {
                start(Box::pin(worker::worker(pool, index)));
            }
        }
        for own in self.generators {
            start(Box::pin(arrival::generator(Rc::clone(&self.load), own)));
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
        Self::build_with(profile, runtime, observation, Nothing)
    }

    fn build_with(
        profile: &Profile,
        runtime: R,
        observation: O,
        mut own: impl Brought<R, O>,
    ) -> (Self, Stages<R, O>) {
        let observation = Rc::new(observation);
        let randomness = Randomness::new(profile.seed);
        let visits = visits(profile);
        let agents = profile.agents.as_ref().map_or(0, |agents| agents.count);
        let generators = Generator::all(profile, &randomness);
        let own_loads = own.loads();
        let loads = u64::from(agents) + generators.len() as u64 + visits.len() as u64 + own_loads;
        let shared = (runtime.clone(), Rc::clone(&observation), randomness.clone());
        let register = Rc::<Register>::default();
        let answers = Rc::<Answers<R>>::default();
        let mail = profile.has_clients().then(Rc::<Mail<R>>::default);
        let replies = Rc::new(Replies::new(
            Rc::clone(&register),
            Rc::clone(&answers),
            mail.clone(),
        ));
        let queue = Rc::new(Queue::new(
            shared.clone(),
            (Rc::clone(&register), Rc::clone(&replies)),
            profile,
            if mail.is_some() { 1 } else { loads },
        ));
        if let Some(admits) = own.admission() {
            queue.admit_by(admits);
        }
        let work = Rc::new(Work::new(&profile.requests, &profile.workers.service));
        let clients = mail.map(|mail| {
            let ways = (Rc::clone(&register), Rc::clone(&answers), mail);
            let (queue, work) = (Rc::clone(&queue), Rc::clone(&work));
            Rc::new(Clients::new(shared, ways, queue, work, profile, loads))
        });
        let throttle = Rc::new(Throttle::new(profile.throttle));
        let horizon = Rc::new(Horizon::new(
            Instant::from_seconds(profile.run.duration_seconds),
            match profile.run.drain {
                Drain::Stop => Span::ZERO,
                Drain::Continue => Span::from_seconds(profile.run.drain_seconds),
            },
            profile.run.max_requests,
        ));
        let rules = profile.agents.clone().unwrap_or_default();
        let load = Rc::new(Load {
            runtime: runtime.clone(),
            events: Rc::clone(&observation),
            randomness: randomness.clone(),
            register: Rc::clone(&register),
            queue: Rc::clone(&queue),
            answers,
            clients,
            throttle: Rc::clone(&throttle),
            horizon: Rc::clone(&horizon),
            pauses: Pauses::new(&rules),
            agents: rules,
            demand: Demand::new(&profile.requests, &profile.workers.service),
        });
        let workers = profile.most_workers();
        let supervisor = Rc::new(Supervisor::new(
            runtime.clone(),
            Rc::clone(&observation),
            Rc::clone(&register),
            Rc::clone(&replies),
            Rc::clone(&queue),
            if profile.has_rules() { workers } else { 0 },
        ));
        let dependency = profile
            .downstream
            .as_ref()
            .map(|rules| Rc::new(Dependency::new(runtime.clone(), rules, workers)));
        let pool = Rc::new(Pool {
            runtime: runtime.clone(),
            events: Rc::clone(&observation),
            randomness: randomness.clone(),
            register: Rc::clone(&register),
            queue: Rc::clone(&queue),
            replies,
            supervisor: Rc::clone(&supervisor),
            dependency,
            service: ServiceTime::new(profile),
            injector: Injector::new(&profile.faults),
        });
        let gauge = gauge(profile, &load, &pool);
        let mechanisms = mechanisms(&gauge, &load, &pool);
        let system = Self {
            observation: Rc::clone(&observation),
            queue: Rc::clone(&queue),
            throttle: Rc::clone(&throttle),
            horizon,
            gauge,
            register,
            mechanisms,
        };
        let follower = Rc::clone(&observation);
        let levers = Rc::new(Levers {
            runtime,
            events: observation,
            randomness,
            load: Rc::clone(&load),
            queue,
            pool: Rc::clone(&pool),
            throttle,
            supervisor,
            follow: Box::new(move |profile| follower.follow(profile)),
            base: profile.clone(),
            active: RefCell::new(vec![false; profile.timeline.len()]),
            crashed: RefCell::new(vec![Vec::new(); profile.timeline.len()]),
        });
        let mut controls = system.controls(&levers, visits);
        // Numbered after the generators of the profile.
        controls.extend(own.stages(&load, 1 + profile.extra_arrivals.len() as u32));
        let stages = Stages {
            controls,
            generators,
            load,
            pool,
            profile: profile.clone(),
        };
        (system, stages)
    }

    /// What goes on beside the pipeline. The timeline comes first, so that its timers are set before
    /// all others, and what it does at a moment comes before anything else that is due then.
    fn controls(
        &self,
        levers: &Rc<Levers<R, O>>,
        visits: Vec<(u32, Instant, Instant)>,
    ) -> Vec<LocalBoxFuture<'static, ()>> {
        let profile = &levers.base;
        let mut controls: Vec<LocalBoxFuture<'static, ()>> = Vec::new();
        for (index, entry) in profile.timeline.iter().enumerate() {
            if let Some(after) = entry.for_seconds {
                controls.push(Box::pin(timeline::end(Rc::clone(levers), index, after)));
            }
        }
        for index in 0..profile.timeline.len() {
            controls.push(Box::pin(timeline::start(Rc::clone(levers), index)));
        }
        controls.push(self.ticker(levers));
        if profile.run.drain == Drain::Continue {
            controls.push(self.drain(levers));
        }
        if let Some(clients) = &levers.load.clients {
            controls.push(Box::pin(client::clerk(Rc::clone(clients))));
        }
        if let Some(rules) = &profile.faults.stalls {
            controls.push(Box::pin(timeline::stalls(Rc::clone(levers), rules.clone())));
        }
        if let Some(rules) = &profile.faults.crashes {
            controls.push(Box::pin(timeline::crashes(
                Rc::clone(levers),
                rules.clone(),
            )));
        }
        if profile.workers.autoscaler.is_some() {
            controls.push(Box::pin(timeline::autoscale(Rc::clone(levers))));
        }
        for (index, from, to) in visits {
            let load = Rc::clone(&levers.load);
            controls.push(Box::pin(arrival::visitor(load, index, (from, to))));
        }
        controls
    }

    fn ticker(&self, levers: &Levers<R, O>) -> LocalBoxFuture<'static, ()> {
        let profile = &levers.base;
        let interval = Span::from_seconds(profile.telemetry.interval_seconds);
        let until_idle = profile.run.until == RunUntil::Idle;
        let (observation, queue) = (Rc::clone(&self.observation), Rc::clone(&self.queue));
        let (throttle, horizon) = (Rc::clone(&self.throttle), Rc::clone(&self.horizon));
        let gauge = Rc::clone(&self.gauge);
        let tick = move |now| {
            let state = observation.tick(&Tick {
                now,
                oldest: queue.oldest(),
                gauges: gauge(),
                throttle: &throttle,
            });
            // The feedback: what the detector says decides how long agents wait from now on.
            if let Some(delay) = state.and_then(|state| throttle.follow(state)) {
                observation.emit_rarely(Event {
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
        };
        let (runtime, horizon) = (levers.runtime.clone(), Rc::clone(&self.horizon));
        Box::pin(telemetry::ticks(runtime, interval, horizon, tick))
    }

    /// Stops the load, which goes on after the counted time, once every counted request has ended.
    fn drain(&self, levers: &Levers<R, O>) -> LocalBoxFuture<'static, ()> {
        let interval = Span::from_seconds(levers.base.telemetry.interval_seconds);
        let (observation, queue) = (Rc::clone(&self.observation), Rc::clone(&self.queue));
        let (runtime, horizon) = (levers.runtime.clone(), Rc::clone(&self.horizon));
        Box::pin(async move {
            let mut next = horizon.at();
            while !queue.is_closed() {
                runtime.rest_until(next).await;
                if observation.counted_under_way() == Some(0) {
                    horizon.stop_load(runtime.now());
                    break;
                }
                next += interval;
            }
        })
    }
}

/// What stages show beside their events, to be read at a tick.
fn gauge<R: Runtime, O: Observe>(
    profile: &Profile,
    load: &Rc<Load<R, O>>,
    pool: &Rc<Pool<R, O>>,
) -> Rc<dyn Fn() -> Gauges> {
    if !profile.has_rules() {
        return Rc::new(Gauges::default);
    }
    let (load, pool) = (Rc::clone(load), Rc::clone(pool));
    let count = |connections: Option<(u32, usize)>| {
        connections.map(|(used, waiting)| (used, waiting as u32))
    };
    Rc::new(move || Gauges {
        crew: Some(load.queue.crew()),
        limit: load.queue.limit(),
        breaker: load.clients.as_ref().and_then(|clients| clients.breaker()),
        connections: count(load.clients.as_ref().and_then(|c| c.connections())),
        downstream_connections: count(pool.dependency.as_ref().and_then(|d| d.connections())),
    })
}

/// What mechanisms show at a moment, to be read for a picture.
fn mechanisms<R: Runtime, O: Observe>(
    gauge: &Rc<dyn Fn() -> Gauges>,
    load: &Rc<Load<R, O>>,
    pool: &Rc<Pool<R, O>>,
) -> Rc<dyn Fn() -> Mechanisms> {
    let (gauge, load, pool) = (Rc::clone(gauge), Rc::clone(load), Rc::clone(pool));
    Rc::new(move || {
        let clients = load.clients.as_ref();
        Mechanisms {
            gauges: gauge(),
            connections: clients.and_then(|clients| clients.pool_size()),
            downstream_connections: pool.dependency.as_ref().and_then(|d| d.pool_size()),
            in_transit: clients.map_or(0, |clients| clients.in_transit()),
            admission: load.queue.admission(),
        }
    })
}

/// Further agents of the timeline: number, when they come, and when they leave.
fn visits(profile: &Profile) -> Vec<(u32, Instant, Instant)> {
    let mut index = profile.agents.as_ref().map_or(0, |agents| agents.count);
    let mut visits = Vec::new();
    for entry in &profile.timeline {
        let extra = entry.traffic.as_ref().map_or(0, |t| t.extra_agents);
        let from = Instant::from_seconds(entry.at_seconds);
        let to = Instant::from_seconds(entry.end_seconds());
        for _ in 0..extra {
            visits.push((index, from, to));
            index += 1;
        }
    }
    visits
}

impl<R: Runtime> System<R, Observation> {
    fn report(&self, profile: &Profile, now: Instant, complete: bool) -> Report {
        let mut observation = self.observation.inner.borrow_mut();
        observation.tally.end_at(self.horizon.at());
        let (digest, counts) = (observation.digest.text(), observation.telemetry.counts());
        let detector = observation.detector.as_ref();
        let held = detector.map_or(Hold::default(), Detector::held);
        observation
            .tally
            .report(profile, digest, (now, complete), counts, held)
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
    health: Option<Box<Health>>,
    observer: Option<Observer>,
    records: Option<Box<Records>>,
    /// Whether there is any of the three.
    is_watched: bool,
}

/// Transitions kept for whoever watches a run.
const MOST_TRANSITIONS: usize = 10_000;

impl Observation {
    fn new(profile: &Profile, observer: Option<Observer>, trigger: Option<Trigger>) -> Self {
        let folds = Folds {
            is_watched: trigger.is_some() || observer.is_some(),
            health: trigger.map(|trigger| Box::new(Health::new(profile, trigger))),
            digest: Digest::default(),
            telemetry: Telemetry::new(profile),
            tally: Tally::new(profile),
            detector: Detector::new(profile),
            series: Series::default(),
            transitions: Vec::new(),
            last: None,
            last_completion: Instant::ZERO,
            observer,
            records: None,
        };
        Self {
            inner: RefCell::new(folds),
        }
    }
}

impl Observe for Observation {
    /// Measures, has the detector look, and records. The state from now on.
    fn tick(&self, tick: &Tick<'_>) -> Option<State> {
        let now = tick.now;
        let mut folds = self.inner.borrow_mut();
        let mut sample = folds.telemetry.sample(now, tick.oldest);
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
        folds.tally.tick(&sample, state, transition.as_ref());
        let Folds {
            health, telemetry, ..
        } = &mut *folds;
        if let Some(health) = health {
            health.tick(now, telemetry.counts(), state);
        }
        if folds.transitions.len() < MOST_TRANSITIONS {
            folds.transitions.extend(transition);
        }
        sample.state = state;
        sample.gauges = tick.gauges;
        sample.throttle_delay = tick.throttle.mean_delay_in(state);
        folds.series.push(&sample);
        folds.last = Some(sample);
        state
    }

    fn idle_since(&self) -> Option<Instant> {
        let folds = self.inner.borrow();
        let counts = folds.telemetry.counts();
        (counts.is_idle()).then_some(folds.last_completion)
    }

    fn counted_under_way(&self) -> Option<u64> {
        self.inner.borrow().tally.under_way()
    }

    fn follow(&self, profile: &Profile) {
        self.inner.borrow_mut().telemetry.follow(profile);
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
        if self.is_watched {
            if let Some(records) = &mut self.records {
                records.fold(event);
            }
            if self.health.is_some() || self.observer.is_some() {
                self.show(event);
            }
        }
    }
}

impl Folds {
    #[cold]
    #[inline(never)]
    fn show(&mut self, event: &Event<'_>) {
        if let Some(health) = &mut self.health {
            health.fold(event);
        }
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
        let observation = Observation::new(&profile, None, None);
        let (_, stages) = System::build(&profile, VirtualTime::new(), observation);
        let agent = arrival::agent(Rc::clone(&stages.load), 0);
        assert!(size_of_val(&agent) <= 64, "{} bytes", size_of_val(&agent));
    }

    #[test]
    #[cfg_attr(miri, ignore = "takes too long there")]
    fn a_run_that_is_drained_is_the_same_run_up_to_its_end() {
        for name in ["retry-storm", "metastable", "game-day"] {
            let profile = crate::presets::find(name).unwrap().profile();
            let end = profile.run.duration_seconds;
            let rest = Rest {
                from: Instant::from_seconds(end),
                to: Instant::from_seconds(end + 20.0),
                end: Instant::from_seconds(end + 40.0),
            };
            let mut tried = Tried::new(&profile, rest).unwrap();
            let mut run = Run::new(&profile);
            let last = Instant::from_nanos(rest.from.nanos() - 1);
            let up_to = |until| Limit {
                until,
                ..Limit::NONE
            };
            let counts = |twin: &Twin| *twin.system.observation.inner.borrow().telemetry.counts();
            run.advance(up_to(last));
            go_on(&mut *tried.run.executor, up_to(last));
            // The rest is one more entry of the timeline, which has not begun.
            assert_eq!(counts(&tried.run), run.counts(), "{name}");
            let created = run.counts().created;
            // No request is created during the rest, and at its end everything has ended.
            go_on(
                &mut *tried.run.executor,
                up_to(Instant::from_nanos(rest.to.nanos() - 1)),
            );
            assert_eq!(counts(&tried.run).created, created, "{name}");
            assert!(tried.run.is_empty(), "{name}");
            // Then the load comes again.
            go_on(&mut *tried.run.executor, up_to(rest.end));
            assert!(counts(&tried.run).created > created + 500, "{name}");
        }
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
