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
//! recovered within the greater of a minute and ten times its longest time constant.
//!
//! Sources: Bronson, Aghayev, Charapko, Zhu, *Metastable Failures in Distributed Systems* (`HotOS`
//! 2021), for trigger, sustaining effect and the name.

use serde::Serialize;

use crate::event::{Event, Fact};
use crate::profile::Profile;
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
    pub fn tick(&mut self, now: Instant, counts: &Counts) {
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

/// Judges a run by its twin; none before the trigger's end has been seen.
#[must_use]
pub fn judge(profile: &Profile, run: &Health, twin: &Health) -> Recovery {
    let Trigger { from, to } = run.trigger;
    let pairs: Vec<_> = run
        .moments
        .iter()
        .zip(&twin.moments)
        .take_while(|(a, b)| a.at == b.at)
        .collect();
    let end = pairs.last().map_or(Instant::ZERO, |(a, _)| a.at);
    let watched = (end - to).seconds();
    let is_healthy = |(a, b): &(&Moment, &Moment)| {
        let fast = match (a.p95, b.p95) {
            (Some(a), Some(b)) => a <= MOST_P95 * b,
            (None, Some(_)) => false,
            (_, None) => true,
        };
        a.good as f64 >= LEAST_GOODPUT * b.good as f64 && fast
    };
    let mut since = None;
    let mut recovered_at = None;
    for pair in pairs.iter().filter(|(a, _)| a.at >= to) {
        if !is_healthy(pair) {
            since = None;
            continue;
        }
        let first = *since.get_or_insert(pair.0.at);
        if (pair.0.at - first).seconds() >= WINDOW_SECONDS {
            recovered_at = Some(first);
            break;
        }
    }
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
    format!("{trigger} {outcome}{but}{because}")
}
