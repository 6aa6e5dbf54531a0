//! Recovery: whether a run came back after its trigger, by comparison with its twin.
//!
//! ```text
//! run   ──────── trigger ────────┬──── healthy again? since when? what sustains it? ───►
//! twin  ─────────────────────────┴─────────────────────────────────────────────────────►
//! ```
//!
//! The trigger is every entry of the timeline that ends; the twin is the same run, with the same
//! seed, without them. At a moment the run is *healthy* when, over the trailing five seconds, its
//! goodput is at least 0.9 times, and its p95 at most twice, that of the twin. It has *recovered* at
//! the first moment after the trigger from which on it is healthy for five seconds. It is
//! *metastable* when the twin is healthy throughout, the load is back at its base, and it has not
//! recovered within the greater of a minute and ten times its longest time constant. A run that is
//! metastable is run once more, and on from its end: with the load at zero until it is empty, then with
//! its base load. If that makes it healthy, the load alone had kept it down, which confirms it.
//!
//! Sources: Bronson, Aghayev, Charapko, Zhu, *Metastable Failures in Distributed Systems* (`HotOS`
//! 2021), for trigger, sustaining effect and the name.

use serde::Serialize;

use super::quality::{DetectorQuality, Look};
use crate::arrival::Rest;
use crate::detector::State;
use crate::event::{Event, Fact};
use crate::profile::{Drain, Intervention, Profile, RunUntil, Traffic};
use crate::telemetry::{Counts, RollingLatency};
use crate::units::{Instant, Span};

/// Goodput and p95 are compared over this many trailing seconds, and must hold as long.
const WINDOW_SECONDS: f64 = 5.0;
const LEAST_GOODPUT: f64 = 0.9;
const MOST_P95: f64 = 2.0;
/// What is this many times what the twin shows is named as a sustaining effect.
const REMARKABLE: f64 = 1.2;
/// A smaller share than this is not remarkable, whatever the twin has.
const LEAST_SHARE: f64 = 0.05;
/// More moments than this are not kept.
const MOST_MOMENTS: f64 = 100_000.0;

/// Whether a run came back after its trigger.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recovery {
    /// When the trigger began and when its last part ended, in seconds.
    pub trigger_seconds: [f64; 2],
    /// Whether the twin answered at least 0.9 of its requests well from the trigger's start on.
    pub twin_healthy: bool,
    /// Whether it recovered; none if the trigger lasted to the end, or too little was left to tell.
    pub recovered: Option<bool>,
    /// How long after the trigger's end it was healthy again.
    pub seconds_after_trigger: Option<f64>,
    /// How long it was watched after the trigger's end; a recovery that was not seen takes longer.
    pub censored_at_seconds: f64,
    /// Whether it is metastable; none if it was not watched for long enough to say so.
    pub metastable: Option<bool>,
    /// How long it must be watched to be called metastable.
    pub metastable_after_seconds: f64,
    /// Whether draining at zero load restores it; none unless it is metastable, or if it could not be
    /// tried.
    pub confirmed_by_draining: Option<bool>,
    /// How that was tried.
    pub draining: Option<Draining>,
    /// Good answers from the trigger's end to the end of the run, as a share of the twin's.
    pub goodput_ratio: Option<f64>,
    /// Sends per request from then on; none without clients.
    pub amplification: Option<f64>,
    /// Worker-seconds at work for each useful one from then on; none without any useful.
    pub work_amplification: Option<f64>,
    /// Share of the worker-seconds at work that nobody had any use of, from then on.
    pub stale_work: Option<f64>,
    /// What kept it down, in words.
    pub sustained_by: Vec<String>,
    /// All of it as a sentence or two.
    pub text: String,
}

/// The load at zero for a while, and the base load again.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Draining {
    /// From when on the load was at zero, in seconds.
    pub from_seconds: f64,
    /// Until when: the base load came again.
    pub to_seconds: f64,
    /// Whether nothing was left by then.
    pub emptied: bool,
    /// When it was as healthy as its twin for five seconds, by the first of them.
    pub healthy_seconds: Option<f64>,
    /// How long it was watched under the base load at the most.
    pub watched_seconds: f64,
}

/// Folds what recovery is judged by.
pub struct Health {
    settles: bool,
    good: RollingLatency,
    /// Every so many ticks a moment is kept.
    every: u64,
    ticks: u64,
    moments: Vec<Moment>,
    trigger: Trigger,
    /// How things stood when the trigger began, and when it ended.
    marks: [Option<Mark>; 2],
    last: Option<Mark>,
}

#[derive(Clone, Copy, Debug)]
struct Moment {
    at: Instant,
    good: usize,
    p95: Option<f64>,
    state: Option<State>,
}

impl Moment {
    /// Whether the run is as healthy as its twin at the same moment.
    fn is_as_healthy_as(&self, twin: &Self) -> bool {
        let is_fast = match (self.p95, twin.p95) {
            (Some(own), Some(other)) => own <= MOST_P95 * other,
            (None, Some(_)) => false,
            (_, None) => true,
        };
        self.good as f64 >= LEAST_GOODPUT * twin.good as f64 && is_fast
    }
}

#[derive(Clone, Copy, Debug)]
struct Mark {
    at: Instant,
    counts: Counts,
}

/// The time from the first temporary intervention to the end of the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trigger {
    from: Instant,
    to: Instant,
}

impl Trigger {
    /// The trigger of a profile, if its timeline has an entry that ends.
    #[must_use]
    pub fn of(profile: &Profile) -> Option<Self> {
        let ends = |entry: &&crate::profile::Intervention| entry.for_seconds.is_some();
        let entries = || profile.timeline.iter().filter(ends);
        let from = entries()
            .map(|entry| entry.at_seconds)
            .min_by(f64::total_cmp)?;
        let to = entries()
            .map(|entry| entry.end_seconds())
            .fold(from, f64::max);
        Some(Self {
            from: Instant::from_seconds(from),
            to: Instant::from_seconds(to),
        })
    }
}

impl Trigger {
    /// Whether it lasted at this moment.
    #[must_use]
    pub fn contains(self, at: Instant) -> bool {
        self.from <= at && at <= self.to
    }
}

/// How a metastable run is tried whose counted time ended at `from`, and which was empty at `empty`; none
/// if it is not metastable, or if its load ended by itself.
///
/// The rest is longer than the run took to get empty, since random pauses of the workers go on.
#[must_use]
pub fn rest_after(
    profile: &Profile,
    recovery: &Recovery,
    (from, empty): (Instant, Instant),
) -> Option<Rest> {
    let agents = profile.agents.as_ref();
    let ends = profile.run.until == RunUntil::Idle
        || agents.is_some_and(|agents| agents.requests_each.is_some());
    if ends || recovery.metastable != Some(true) {
        return None;
    }
    let drained = (empty.max(from) - from).seconds();
    let to = Instant::from_seconds((from.seconds() + 2.0 * drained + 1.0).ceil());
    let wakes = agents.map_or(0.0, |agents| agents.first_wake_max_seconds);
    let end = to + Span::from_seconds(recovery.metastable_after_seconds + wakes);
    Some(Rest { from, to, end })
}

/// The profile of a run that goes on through a rest, or, for the twin, without one.
#[must_use]
pub fn longer(profile: &Profile, rest: Rest, rests: bool) -> Profile {
    let mut longer = profile.clone();
    longer.run.duration_seconds = rest.end.seconds();
    longer.run.max_requests = None;
    longer.run.drain = Drain::Stop;
    if rests {
        // Generators work their arrivals out ahead, and know the timeline for that.
        longer.timeline.push(Intervention {
            at_seconds: rest.from.seconds(),
            for_seconds: Some((rest.to - rest.from).seconds()),
            traffic: Some(Traffic {
                arrivals_factor: 0.0,
                extra_agents: 0,
            }),
            ..Intervention::default()
        });
    }
    longer
}

/// The same profile without its trigger.
#[must_use]
pub fn twin(profile: &Profile) -> Option<Profile> {
    Trigger::of(profile)?;
    let mut twin = profile.clone();
    twin.timeline.retain(|entry| entry.for_seconds.is_none());
    Some(twin)
}

impl Health {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(profile: &Profile, trigger: Trigger) -> Self {
        let ticks = profile.run.duration_seconds / profile.telemetry.interval_seconds;
        Self {
            settles: profile.has_clients(),
            good: RollingLatency::new(Span::from_seconds(WINDOW_SECONDS)),
            every: (ticks / MOST_MOMENTS).ceil().max(1.0) as u64,
            ticks: 0,
            moments: Vec::new(),
            trigger,
            marks: [None; 2],
            last: None,
        }
    }

    /// Folds one event.
    pub fn fold(&mut self, event: &Event<'_>) {
        let created = match event.fact {
            Fact::Settled {
                request, outcome, ..
            } if outcome.is_good() => request.created,
            Fact::Completed {
                request, outcome, ..
            } if outcome.is_good() && !self.settles => request.created,
            _ => return,
        };
        self.good.add(event.at, event.at - created);
    }

    /// Takes note of a tick.
    pub fn tick(&mut self, now: Instant, counts: &Counts, state: Option<State>) {
        let mark = Mark {
            at: now,
            counts: *counts,
        };
        for (place, at) in self
            .marks
            .iter_mut()
            .zip([self.trigger.from, self.trigger.to])
        {
            if now >= at {
                place.get_or_insert(mark);
            }
        }
        self.last = Some(mark);
        self.ticks += 1;
        if self.ticks.is_multiple_of(self.every) {
            self.good.settle(now);
            let p95 = self.good.quantiles([0.95]).map(|[p95]| p95);
            self.moments.push(Moment {
                at: now,
                good: self.good.count(),
                p95,
                state,
            });
        }
    }

    /// What has come since the trigger's end.
    fn since(&self) -> Option<Since> {
        let (from, to) = (self.marks[1]?, self.last?);
        (to.at > from.at).then_some(Since { from, to })
    }
}

/// What came between two moments.
struct Since {
    from: Mark,
    to: Mark,
}

impl Since {
    fn count(&self, of: impl Fn(&Counts) -> u64) -> f64 {
        (of(&self.to.counts) - of(&self.from.counts)) as f64
    }

    fn good(&self, settles: bool) -> f64 {
        if settles {
            self.count(|counts| counts.clients.succeeded)
        } else {
            self.count(|counts| counts.succeeded)
        }
    }

    /// Worker-seconds at work.
    fn working(&self) -> f64 {
        let at = |mark: &Mark| mark.counts.crew_sums(mark.at).working;
        (at(&self.to) - at(&self.from)) as f64 / 1e9
    }

    fn useful(&self) -> f64 {
        self.count(|counts| counts.crew.useful_nanos) / 1e9
    }

    /// Sends per request settled; none without clients.
    fn amplification(&self) -> Option<f64> {
        let sent = self.count(|c| c.clients.settled_attempts);
        let settled = self.count(|c| c.clients.settled());
        (settled > 0.0).then(|| sent / settled)
    }

    fn work_amplification(&self) -> Option<f64> {
        let useful = self.useful();
        (useful > 0.0).then(|| self.working() / useful)
    }

    /// Mean worker-time per service ended.
    fn service(&self) -> Option<f64> {
        let ended = self.count(|c| c.completed + c.lost);
        (ended > 0.0).then(|| self.working() / ended)
    }
}

/// The longest time that anything in a profile takes to play out, in seconds.
fn longest_time_constant(profile: &Profile) -> f64 {
    let capacity = f64::from(profile.workers.count) / profile.mean_service_seconds();
    let drains = profile.queue.capacity.map_or(0.0, f64::from) / capacity;
    let agents = profile.agents.as_ref().map_or(0.0, |agents| {
        let backs_off = agents.backoff.as_ref().map_or(0.0, |b| {
            (0..b.max_steps).fold(b.base_seconds, |wait, _| wait * b.factor)
        });
        agents.think_seconds.max(backs_off)
    });
    let client = profile.client.as_ref().map_or(0.0, |client| {
        let times_out = client.timeout_seconds.unwrap_or(0.0);
        let opens = client.breaker.as_ref().map_or(0.0, |b| b.open_seconds);
        times_out.max(opens)
    });
    drains.max(agents).max(client)
}

/// The moments of a run beside those of its twin.
fn pairs<'a>(run: &'a Health, twin: &'a Health) -> impl Iterator<Item = (&'a Moment, &'a Moment)> {
    let both = run.moments.iter().zip(&twin.moments);
    both.take_while(|(own, other)| own.at == other.at)
}

/// The first moment from `from` on from which on the run is healthy for five seconds.
fn healthy_from<'a>(
    pairs: impl Iterator<Item = (&'a Moment, &'a Moment)>,
    from: Instant,
) -> Option<Instant> {
    let mut since = None;
    for (own, other) in pairs.filter(|(own, _)| own.at >= from) {
        if !own.is_as_healthy_as(other) {
            since = None;
            continue;
        }
        let first = *since.get_or_insert(own.at);
        if (own.at - first).seconds() >= WINDOW_SECONDS {
            return Some(first);
        }
    }
    None
}

/// When a run that has rested was healthy again, if it was; where its twin does nothing, nothing can
/// be told by it.
#[must_use]
pub fn restored(rest: Rest, run: &Health, twin: &Health) -> Option<Instant> {
    healthy_from(
        pairs(run, twin).filter(|(_, other)| other.good > 0),
        rest.to,
    )
}

/// The detector of a run against the comparison with its twin; none without a detector.
#[must_use]
pub fn quality(profile: &Profile, run: &Health, twin: &Health) -> Option<DetectorQuality> {
    let from = Instant::from_seconds(profile.run.warmup_seconds).min(run.trigger.from);
    let looks: Option<Vec<Look>> = pairs(run, twin)
        .filter(|(own, _)| own.at >= from)
        .map(|(own, other)| {
            Some(Look {
                at: own.at,
                is_healthy: own.is_as_healthy_as(other),
                alarms: own.state? > State::Stable,
            })
        })
        .collect();
    DetectorQuality::of(&looks?, Span::from_seconds(WINDOW_SECONDS))
}

/// Judges a run by its twin; none before the trigger's end has been seen.
#[must_use]
pub fn judge(profile: &Profile, run: &Health, twin: &Health) -> Recovery {
    let Trigger { from, to } = run.trigger;
    let end = pairs(run, twin).last().map_or(Instant::ZERO, |(a, _)| a.at);
    let watched = (end - to).seconds();
    let recovered_at = healthy_from(pairs(run, twin), to);
    let twin_healthy = match (twin.marks[0], twin.last) {
        (Some(from), Some(to)) if to.at > from.at => {
            let whole = Since { from, to };
            whole.good(twin.settles) >= LEAST_GOODPUT * whole.count(|counts| counts.created)
        }
        _ => false,
    };
    let after = f64::max(60.0, 10.0 * longest_time_constant(profile));
    let recovered = if recovered_at.is_some() {
        Some(true)
    } else {
        (watched >= 2.0 * WINDOW_SECONDS).then_some(false)
    };
    let metastable = match recovered {
        Some(false) if watched >= after => Some(twin_healthy),
        Some(true) => Some(false),
        _ => None,
    };
    let (own, others) = (run.since(), twin.since());
    let goodput_ratio = own.as_ref().zip(others.as_ref()).and_then(|(own, other)| {
        let usual = other.good(twin.settles);
        (usual > 0.0).then(|| own.good(run.settles) / usual)
    });
    let mut recovery = Recovery {
        trigger_seconds: [from.seconds(), to.seconds()],
        twin_healthy,
        recovered,
        seconds_after_trigger: recovered_at.map(|at| (at - to).seconds()),
        censored_at_seconds: watched,
        metastable,
        metastable_after_seconds: after,
        confirmed_by_draining: None,
        draining: None,
        goodput_ratio,
        amplification: own.as_ref().and_then(Since::amplification),
        work_amplification: own.as_ref().and_then(Since::work_amplification),
        stale_work: own.as_ref().and_then(|own| {
            let working = own.working();
            (working > 0.0).then(|| (1.0 - own.useful() / working).max(0.0))
        }),
        sustained_by: Vec::new(),
        text: String::new(),
    };
    if recovered == Some(false)
        && let (Some(own), Some(other)) = (&own, &others)
    {
        recovery.sustained_by = sustained_by(own, other);
    }
    recovery.text = tell(&recovery);
    recovery
}

impl Recovery {
    /// Takes in what draining has shown.
    pub fn confirm(&mut self, draining: Draining) {
        self.confirmed_by_draining = draining
            .emptied
            .then_some(draining.healthy_seconds.is_some());
        self.draining = Some(draining);
        self.text = tell(self);
    }
}

/// What is remarkably more than with the twin.
fn sustained_by(own: &Since, twin: &Since) -> Vec<String> {
    let mut said = Vec::new();
    let mut compare = |here: Option<f64>, there: Option<f64>, tell: &dyn Fn(f64, f64) -> String| {
        if let (Some(here), Some(there)) = (here, there)
            && here >= REMARKABLE * there
        {
            said.push(tell(here, there));
        }
    };
    compare(own.amplification(), twin.amplification(), &|here, there| {
        format!("retries: {here:.2} sends for each request, {there:.2} without the trigger")
    });
    let stale = |since: &Since| {
        let working = since.working();
        (working > 0.0).then(|| (1.0 - since.useful() / working).max(LEAST_SHARE))
    };
    compare(stale(own), stale(twin), &|here, _| {
        format!(
            "stale work: {:.0} % of the workers' time went into answers that nobody waited for any more, or that were bad",
            100.0 * here
        )
    });
    compare(own.service(), twin.service(), &|here, there| {
        format!("slow service: {here:.3} s for each, {there:.3} s without the trigger")
    });
    let failing = |since: &Since| {
        let arrived = since.count(Counts::arrived);
        (arrived > 0.0).then(|| (since.count(|c| c.refused) / arrived).max(LEAST_SHARE))
    };
    compare(failing(own), failing(twin), &|here, _| {
        format!(
            "refusals: {:.0} % of what arrived was turned away",
            100.0 * here
        )
    });
    said
}

fn tell(recovery: &Recovery) -> String {
    let [from, to] = recovery.trigger_seconds;
    let trigger = format!("The trigger lasted from {from:.2} s to {to:.2} s.");
    let watched = recovery.censored_at_seconds;
    let outcome = match (recovery.recovered, recovery.seconds_after_trigger) {
        (Some(true), Some(after)) if after <= 0.0 => {
            "The run was as healthy as its twin without the trigger right after it.".to_owned()
        }
        (Some(true), after) => format!(
            "The run was as healthy again as its twin without the trigger {:.2} s after its end.",
            after.unwrap_or(0.0)
        ),
        (Some(false), _) => {
            let verdict = match recovery.metastable {
                Some(true) => "it is metastable".to_owned(),
                _ if !recovery.twin_healthy => {
                    "but its twin without the trigger is not healthy either".to_owned()
                }
                _ => format!(
                    "it takes {:.0} s to call that metastable",
                    recovery.metastable_after_seconds
                ),
            };
            format!("The run did not recover within the {watched:.1} s it was watched: {verdict}.")
        }
        (None, _) => format!(
            "It was watched for {watched:.1} s after that, too little to tell whether it recovered."
        ),
    };
    let but = if recovery.recovered == Some(true) && !recovery.twin_healthy {
        " The twin itself answers less than nine in ten of its requests well."
    } else {
        ""
    };
    let because = if recovery.sustained_by.is_empty() {
        String::new()
    } else {
        format!(" What sustained it: {}.", recovery.sustained_by.join("; "))
    };
    let tried = recovery.draining.as_ref().map_or(String::new(), drained);
    format!("{trigger} {outcome}{but}{because}{tried}")
}

/// What draining has shown.
fn drained(draining: &Draining) -> String {
    let Draining {
        from_seconds: from,
        to_seconds: to,
        watched_seconds: watched,
        ..
    } = draining;
    let tried = format!("with no load from {from:.2} s to {to:.2} s");
    match (draining.emptied, draining.healthy_seconds) {
        (false, _) => format!(
            " Whether draining restores it could not be told: {tried}, it did not get empty."
        ),
        (true, Some(healthy)) => format!(
            " Confirmed by draining: run on {tried}, and with its base load after that, it was as healthy as its twin from {healthy:.2} s on."
        ),
        (true, None) => format!(
            " Not confirmed by draining: run on {tried}, and with its base load for {watched:.0} s after that, it was not as healthy as its twin for five seconds."
        ),
    }
}
