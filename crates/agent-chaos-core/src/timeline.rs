//! The timeline: what is done to a run at moments of virtual time, and what goes wrong by itself.
//!
//! ```text
//! entry ─► starts at its moment, before anything else that is due then ─► ends ─► all as before
//! ```
//!
//! Interventions that change numbers work through one profile that is in force at present: the base
//! with the values of every entry that has started and not ended, in the order of the timeline. So
//! entries may overlap and end in any order. Crashes and stalls act on the workers themselves.
//! Generators know the timeline beforehand, since they work their arrivals out ahead.

use std::cell::RefCell;
use std::rc::Rc;

use crate::agenda::Agenda;
use crate::arrival::Load;
use crate::event::{Emit, Event, Fact, Resource};
use crate::policy::autoscaler::Autoscaler;
use crate::profile::{CrashFault, PoolOf, Profile, ScalingMetric, StallFault};
use crate::queue::Queue;
use crate::random::{Purpose, Randomness, SourceKind};
use crate::runtime::{Alarm, Bell, Runtime};
use crate::supervisor::Supervisor;
use crate::throttle::Throttle;
use crate::units::{Instant, Span};
use crate::wire;
use crate::worker::Pool;

/// Everything that a timeline can change.
pub struct Levers<R: Runtime, E: Emit> {
    /// Clock and timers.
    pub runtime: R,
    /// Where facts are reported.
    pub events: Rc<E>,
    /// Everything left to chance.
    pub randomness: Randomness,
    /// The load, and the clients with it.
    pub load: Rc<Load<R, E>>,
    /// The queue.
    pub queue: Rc<Queue<R, E>>,
    /// The workers, and their dependency with them.
    pub pool: Rc<Pool<R, E>>,
    /// The feedback.
    pub throttle: Rc<Throttle>,
    /// Who stops workers.
    pub supervisor: Rc<Supervisor<R, E>>,
    /// Told when the profile in force changes.
    pub follow: Box<dyn Fn(&Profile)>,
    /// The profile as it is without interventions.
    pub base: Profile,
    /// Entries that have started and not ended.
    pub active: RefCell<Vec<bool>>,
    /// Workers that an entry has crashed.
    pub crashed: RefCell<Vec<Vec<u32>>>,
}

impl<R: Runtime, E: Emit> Levers<R, E> {
    fn start(&self, index: usize) {
        self.active.borrow_mut()[index] = true;
        self.note(index, true);
        let entry = &self.base.timeline[index];
        if let Some(crash) = &entry.crash {
            self.crashed.borrow_mut()[index] = self.supervisor.crash(crash.workers);
        } else if entry.stall.is_some() {
            self.supervisor.stall();
        } else {
            self.apply();
        }
    }

    fn end(&self, index: usize) {
        self.active.borrow_mut()[index] = false;
        self.note(index, false);
        let entry = &self.base.timeline[index];
        if entry.crash.is_some() {
            let crashed = std::mem::take(&mut self.crashed.borrow_mut()[index]);
            self.supervisor.restart(&crashed);
        } else if entry.stall.is_some() {
            self.supervisor.unstall();
        } else {
            self.apply();
        }
    }

    fn note(&self, index: usize, starts: bool) {
        self.events.emit_rarely(Event {
            at: self.runtime.now(),
            fact: Fact::Intervened {
                index: index as u32,
                starts,
            },
        });
    }

    /// Has every stage go by the profile in force.
    fn apply(&self) {
        let InForce {
            profile,
            service,
            downstream,
        } = in_force(&self.base, &self.active.borrow());
        (self.follow)(&profile);
        self.load.follow(&profile);
        self.queue.follow(&profile);
        self.pool.follow(&profile, service, downstream);
        self.throttle.follow_rules(&profile.throttle);
        if profile.workers.autoscaler.is_none() {
            self.supervisor.scale(profile.workers.count);
        }
    }
}

/// The profile in force, and how many times as long as it says services take.
pub(crate) struct InForce {
    /// The base with the values of every active entry.
    pub profile: Profile,
    /// Of workers.
    pub service: f64,
    /// Of the dependency.
    pub downstream: f64,
}

/// What is in force while these entries of the timeline are active. Crashes, stalls and traffic are
/// no values of the profile.
pub(crate) fn in_force(base: &Profile, active: &[bool]) -> InForce {
    let entries: Vec<_> = base
        .timeline
        .iter()
        .zip(active)
        .filter(|&(_, &active)| active)
        .map(|(entry, _)| entry)
        .collect();
    let mut profile = base.clone();
    if entries.iter().any(|entry| entry.set.is_some()) {
        let mut value = wire::to_value(base);
        for set in entries.iter().filter_map(|entry| entry.set.as_ref()) {
            // Checked when the profile was read.
            let _ = wire::set_value(&mut value, &set.path, set.json());
        }
        profile = wire::reread(value).unwrap_or(profile);
    }
    let (mut service, mut downstream) = (1.0, 1.0);
    for entry in entries {
        if let Some(slow) = &entry.slow_workers {
            service *= slow.factor;
        }
        if let Some(slow) = &entry.slow_downstream {
            downstream *= slow.factor;
        }
        if let (Some(loss), Some(network)) = (&entry.loss, &mut profile.network) {
            network.loss_ratio = loss.ratio;
        }
        if let Some(shrink) = &entry.pool {
            let network = match shrink.of {
                PoolOf::Network => profile.network.as_mut(),
                PoolOf::Downstream => profile.downstream.as_mut().map(|d| &mut d.network),
            };
            if let Some(pool) = network.and_then(|network| network.pool.as_mut()) {
                pool.size = shrink.size;
            }
        }
    }
    InForce {
        profile,
        service,
        downstream,
    }
}

/// A bell that rings when the queue closes.
fn closing_bell<R: Runtime, E: Emit>(queue: &Queue<R, E>) -> Rc<Bell<R>> {
    let bell = Rc::<Bell<R>>::default();
    queue.ring_at_closing(Rc::clone(&bell));
    bell
}

/// Starts an entry at its moment, unless all work ends before.
pub async fn start<R: Runtime, E: Emit>(levers: Rc<Levers<R, E>>, index: usize) {
    let at = Instant::from_seconds(levers.base.timeline[index].at_seconds);
    let bell = closing_bell(&levers.queue);
    let mut alarm = Alarm::new(&levers.runtime);
    while levers.runtime.now() < at {
        if levers.queue.is_closed() {
            return;
        }
        alarm.wait(&bell, Some(at)).await;
    }
    levers.start(index);
}

/// Ends an entry at its moment, if it has started.
pub async fn end<R: Runtime, E: Emit>(levers: Rc<Levers<R, E>>, index: usize, after: f64) {
    let from = Instant::from_seconds(levers.base.timeline[index].at_seconds);
    let at = from + Span::from_seconds(after);
    let bell = closing_bell(&levers.queue);
    levers.queue.ring_at_desertion(Rc::clone(&bell));
    let mut alarm = Alarm::new(&levers.runtime);
    while levers.runtime.now() < at {
        let has_started = levers.active.borrow()[index];
        if levers.queue.is_deserted() || (levers.queue.is_closed() && !has_started) {
            return;
        }
        alarm.wait(&bell, Some(at)).await;
    }
    levers.end(index);
}

/// Pauses all workers now and then, until the load ends.
pub async fn stalls<R: Runtime, E: Emit>(levers: Rc<Levers<R, E>>, rules: StallFault) {
    let bell = closing_bell(&levers.queue);
    levers.queue.ring_at_desertion(Rc::clone(&bell));
    let source = levers.randomness.source(SourceKind::Fault, 0);
    let mut alarm = Alarm::new(&levers.runtime);
    for ordinal in 0.. {
        let draws = source.request(ordinal);
        let drawn = levers.randomness.exponential(draws, Purpose::StallGap);
        let at = levers.runtime.now() + Span::from_seconds(rules.every_seconds * drawn);
        while levers.runtime.now() < at {
            if levers.queue.is_closed() || levers.load.has_ended_at(at) {
                return;
            }
            alarm.wait(&bell, Some(at)).await;
        }
        levers.supervisor.stall();
        let until = levers.runtime.now() + Span::from_seconds(rules.seconds);
        while levers.runtime.now() < until && !levers.queue.is_deserted() {
            alarm.wait(&bell, Some(until)).await;
        }
        levers.supervisor.unstall();
    }
}

/// Crashes workers now and then, until the load ends; each restarts.
pub async fn crashes<R: Runtime, E: Emit>(levers: Rc<Levers<R, E>>, rules: CrashFault) {
    let bell = closing_bell(&levers.queue);
    levers.queue.ring_at_desertion(Rc::clone(&bell));
    let source = levers.randomness.source(SourceKind::Fault, 1);
    let mut alarm = Alarm::new(&levers.runtime);
    let mut restarts = Agenda::default();
    let mut ordinal = 0;
    let mut gap = || {
        let draws = source.request(ordinal);
        ordinal += 1;
        let drawn = levers.randomness.exponential(draws, Purpose::CrashGap);
        Span::from_seconds(rules.every_seconds * drawn)
    };
    let mut next = Instant::ZERO + gap();
    loop {
        let now = levers.runtime.now();
        while let Some(workers) = restarts.take_due(now) {
            let workers: Vec<u32> = workers;
            levers.supervisor.restart(&workers);
        }
        let closed = levers.queue.is_closed() || levers.load.has_ended_at(next);
        if !closed && now >= next {
            let crashed = levers.supervisor.crash(rules.workers);
            restarts.enter(now + Span::from_seconds(rules.restart_seconds), crashed);
            next = now + gap();
        }
        let restart = restarts.next();
        let until = match (closed, restart) {
            _ if levers.queue.is_deserted() => return,
            (true, None) => return,
            (true, restart) => restart,
            (false, restart) => Some(restart.map_or(next, |restart| restart.min(next))),
        };
        alarm.wait(&bell, until).await;
    }
}

/// Has more or fewer workers on duty with the load, until no more work comes.
pub async fn autoscale<R: Runtime, E: Emit>(levers: Rc<Levers<R, E>>) {
    let Some(rules) = levers.base.workers.autoscaler.clone() else {
        return;
    };
    let bell = closing_bell(&levers.queue);
    let mut alarm = Alarm::new(&levers.runtime);
    let mut scaler = Autoscaler::new(&rules);
    let (every, lag) = (
        Span::from_seconds(rules.every_seconds),
        Span::from_seconds(rules.lag_seconds),
    );
    let mut wanted = levers.base.workers.count;
    let mut ready = Agenda::default();
    let mut next = Instant::ZERO + every;
    // Worker-time since the last look, of those that have been ordered, ready or not.
    let (mut ordered, mut looked, mut busy_before) = (0_u128, Instant::ZERO, 0);
    loop {
        let now = levers.runtime.now();
        if levers.queue.is_closed() {
            return;
        }
        while let Some(to) = ready.take_due(now) {
            levers.supervisor.scale(to);
        }
        if now >= next {
            ordered += u128::from((now - looked).nanos()) * u128::from(wanted);
            looked = now;
            let busy = levers.queue.busy_nanos();
            let metric = match rules.metric {
                ScalingMetric::Utilization => (busy - busy_before) as f64 / ordered.max(1) as f64,
                ScalingMetric::Queue => {
                    f64::from(levers.queue.waiting()) / f64::from(wanted.max(1))
                }
            };
            (ordered, busy_before) = (0, busy);
            let to = scaler.decide(now, wanted, metric);
            if to != wanted {
                wanted = to;
                levers.events.emit_rarely(Event {
                    at: now,
                    fact: Fact::Resized {
                        resource: Resource::Workers,
                        to,
                    },
                });
                ready = Agenda::default();
                let on = levers.queue.crew().on;
                if to > on && !lag.is_zero() {
                    ready.enter(now + lag, to);
                } else {
                    levers.supervisor.scale(to);
                }
            }
            next = now + every;
        }
        let until = ready.next().map_or(next, |at: Instant| at.min(next));
        alarm.wait(&bell, Some(until)).await;
    }
}
