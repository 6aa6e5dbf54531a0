//! The queue over time as the fluid model of a profile has it: flows in place of requests, means in
//! place of draws.
//!
//! ```text
//!  generators ── λ(t) ──►┬─► in the system: n = waiting + served ──► min(n, c) / E[S]
//!  agents outside ── /Z ─►┘ gate: early drop, K places                  │
//!     ▲   ▲── refused: wait for the back-off, level by level ◄── gate   │
//!     └───────────────────── answered ◄────────────────────────────────┘
//! ```
//!
//! `dn/dt = λ(t)·(1 − p(Q)) − min(n, c)/E[S](Q)` with `Q = max(n − c, 0) ≤ K`. An open loop brings
//! its own λ(t). A closed loop is a population: each of the agents outside asks again after Z in the
//! mean, so that in equilibrium λ = N/(Z + R). Who was refused waits for the mean back-off of so
//! many failures in a row. The early drop p, and the slowdown and the faults in `E[S]`, are those of
//! the profile at this Q. Interventions on traffic, workers, and fields are in force while they last.
//!
//! Sources: Newell, *Applications of Queueing Theory* (1971), ch. 2, for the fluid model; Mandelbaum,
//! Massey, Reiman, *Strong approximations for Markovian service networks*, Queueing Systems 30
//! (1998), for many servers and for customers that come again.

use std::fmt;

use crate::profile::{
    Arrivals, Drain, ErrorShows, Faults, LatencyJitter, Network, Profile, WhenFull,
};
use crate::shape::Shape;
use crate::timeline::in_force;

/// The fluid model does not hold for a profile, for this reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotModelled(pub &'static str);

impl fmt::Display for NotModelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for NotModelled {}

/// More steps than this are not taken.
const MOST_STEPS: f64 = 200_000.0;
/// More interventions than this are not followed.
const MOST_ENTRIES: usize = 200;

/// The length of the queue at these moments, which ascend, in seconds.
///
/// # Errors
///
/// [`NotModelled`] where the profile has something that the model does not.
pub fn predicted_queue(profile: &Profile, times: &[f64]) -> Result<Vec<f64>, NotModelled> {
    if let Some(reason) = unmodelled(profile) {
        return Err(NotModelled(reason));
    }
    let end = times.last().copied().unwrap_or(0.0);
    let periods = Period::all(profile);
    let mut model = Model::new(profile);
    let finest = periods.iter().map(|period| model.step(period));
    let step = finest.fold(f64::INFINITY, f64::min);
    if end / step + times.len() as f64 > MOST_STEPS {
        return Err(NotModelled(
            "the run is too long for the short steps that it would need",
        ));
    }
    let mut current = 0;
    let queue = times.iter().map(|&until| {
        while model.now < until {
            while periods
                .get(current + 1)
                .is_some_and(|p| p.from <= model.now)
            {
                model.leave(&periods[current], &periods[current + 1]);
                current += 1;
            }
            let change = periods.get(current + 1).map_or(f64::INFINITY, |p| p.from);
            let target = until.min(change);
            // Steps of one length up to the target, so that none is left over.
            let left = ((target - model.now) / step).ceil().max(1.0);
            let next = if left <= 1.0 {
                target
            } else {
                model.now + (target - model.now) / left
            };
            model.advance(&periods[current], next);
        }
        model.queue(&periods[current])
    });
    Ok(queue.collect())
}

/// What this prediction takes for granted, in a few words.
#[must_use]
pub fn assumptions(profile: &Profile) -> String {
    let mut words = vec!["mean flows, without chance".to_owned()];
    if let Some(agents) = &profile.agents {
        words.push(format!(
            "{} agents that ask again {} s after an answer",
            agents.count, agents.think_seconds
        ));
        if profile.throttle.enabled && profile.detector.enabled {
            words.push("without the throttle".to_owned());
        }
    }
    if profile
        .generators()
        .any(|(_, rules)| rules.bursty.is_some())
    {
        words.push("bursts at their mean rate".to_owned());
    }
    if profile.faults.stalls.is_some() || profile.faults.crashes.is_some() {
        words.push("pauses and crashes by chance as their mean share".to_owned());
    }
    words.join("; ")
}

/// What the model does not know, if the profile has any of it.
fn unmodelled(profile: &Profile) -> Option<&'static str> {
    let client = profile.client.as_ref();
    let has = |of: fn(&crate::profile::Client) -> bool| client.is_some_and(of);
    let closed = profile.agents.is_some();
    let network = profile.network.as_ref();
    let loses = network.is_some_and(|n| n.loss_ratio > 0.0)
        || profile.timeline.iter().any(|entry| entry.loss.is_some());
    let gives_up = has(|c| c.timeout_seconds.is_some() || c.deadline_seconds.is_some());
    let dependency = profile.downstream.as_ref();
    [
        (
            has(|c| c.retry.is_some() || c.hedge.is_some()),
            "it does not know what clients send again",
        ),
        (
            has(|c| c.breaker.is_some() || c.throttle.is_some()),
            "it does not know what clients hold back",
        ),
        (
            has(|c| c.withdraws) || profile.queue.drops_expired,
            "it does not know when clients take requests back",
        ),
        (
            profile.queue.codel.is_some() || profile.queue.timeout.is_some(),
            "it does not know how long each request has waited",
        ),
        (
            closed && (gives_up || loses),
            "it does not know when agents give up waiting",
        ),
        (
            closed
                && profile
                    .agents
                    .as_ref()
                    .is_some_and(|a| a.requests_each.is_some()),
            "it does not know when each agent has sent its last request",
        ),
        (
            profile.admission.is_some(),
            "it does not know the limits of admission",
        ),
        (
            profile.workers.autoscaler.is_some(),
            "it does not know what the autoscaler will do",
        ),
        (
            profile.workers.bulkheads.is_some(),
            "it does not know which workers are reserved",
        ),
        (
            network.is_some_and(|n| n.pool.is_some())
                || dependency.is_some_and(|d| d.network.pool.is_some()),
            "it does not know who waits for a connection",
        ),
        (
            dependency.is_some_and(|d| d.network.loss_ratio > 0.0 || d.network.reset_ratio > 0.0),
            "it does not know which calls to the dependency are lost",
        ),
        (
            profile.timeline.len() > MOST_ENTRIES,
            "there are too many interventions to follow",
        ),
    ]
    .into_iter()
    .find_map(|(holds, reason)| holds.then_some(reason))
}

/// Mean time of a message, in seconds.
fn leg(network: &Network) -> f64 {
    network.latency_seconds
        + if network.jitter == LatencyJitter::Pareto {
            network.jitter_seconds
        } else {
            0.0
        }
}

/// A stretch of time in which the same entries of the timeline are active, and what holds then.
struct Period {
    from: f64,
    profile: Profile,
    /// How many times as fast as usual each generator is.
    factors: Vec<f64>,
    /// How many times as long services take.
    slower: f64,
    /// What a call to the dependency takes, in seconds.
    call: f64,
    /// Workers that are there, and those of them that work.
    present: f64,
    working: f64,
    /// Which entries of the timeline are active.
    active: Vec<bool>,
}

impl Period {
    fn all(profile: &Profile) -> Vec<Self> {
        let ends = profile.timeline.iter().map(|entry| entry.end_seconds());
        let starts = profile.timeline.iter().map(|entry| entry.at_seconds);
        let moments = starts.chain(ends).chain([0.0, load_end(profile)]);
        // None is below 0, so that they ascend as their bits do.
        let finite = moments.filter(|moment| moment.is_finite());
        let mut moments: Vec<u64> = finite.map(f64::to_bits).collect();
        moments.sort_unstable();
        moments.dedup();
        moments
            .into_iter()
            .map(|at| Self::at(profile, f64::from_bits(at)))
            .collect()
    }

    fn at(base: &Profile, from: f64) -> Self {
        let is_active = |entry: &crate::profile::Intervention| {
            entry.at_seconds <= from && from < entry.end_seconds()
        };
        let active: Vec<_> = base.timeline.iter().map(is_active).collect();
        let now = in_force(base, &active);
        let entries = || {
            let pairs = base.timeline.iter().zip(&active);
            pairs.filter(|&(_, &active)| active).map(|(entry, _)| entry)
        };
        let traffic: f64 = entries()
            .filter_map(|entry| entry.traffic.as_ref())
            .map(|traffic| traffic.arrivals_factor)
            .product();
        // A rate that is set changes the whole shape in proportion.
        let set = base.generators().zip(now.profile.generators());
        let factors = set
            .map(|((_, base), (_, now))| traffic * now.rate_per_second / base.rate_per_second)
            .collect();
        let down: u32 = entries()
            .filter_map(|entry| entry.crash.as_ref())
            .map(|crash| crash.workers)
            .fold(0, u32::saturating_add);
        let stalled = entries().any(|entry| entry.stall.is_some());
        let count = now.profile.workers.count;
        let Faults {
            stalls, crashes, ..
        } = &base.faults;
        let by_chance = crashes.as_ref().map_or(0.0, |c| {
            f64::from(c.workers) * c.restart_seconds / c.every_seconds
        });
        let present = (f64::from(count.saturating_sub(down)) - by_chance).max(0.0);
        let running = stalls
            .as_ref()
            .map_or(1.0, |s| s.every_seconds / (s.every_seconds + s.seconds));
        let call = base.downstream.as_ref().map_or(0.0, |d| {
            2.0 * leg(&d.network) + d.service_seconds * now.downstream
        });
        Self {
            from,
            factors,
            slower: now.service,
            call,
            present,
            working: if stalled { 0.0 } else { present * running },
            active,
            profile: now.profile,
        }
    }

    /// Places in the system: workers and waiting places.
    fn places(&self) -> f64 {
        let bounded = self.profile.queue.when_full != WhenFull::Wait;
        let capacity = self.profile.queue.capacity.filter(|_| bounded);
        self.present + capacity.map_or(f64::INFINITY, f64::from)
    }
}

/// When no more requests are created.
fn load_end(profile: &Profile) -> f64 {
    let run = &profile.run;
    run.duration_seconds
        + match run.drain {
            Drain::Stop => 0.0,
            Drain::Continue => run.drain_seconds,
        }
}

/// One open loop.
struct Open {
    shape: Shape,
    peak: f64,
    /// Mean work of its requests, in seconds of service without pressure.
    work: f64,
}

/// The state of the flows.
struct Model<'a> {
    base: &'a Profile,
    open: Vec<Open>,
    now: f64,
    /// Requests in the system, waiting or served.
    inside: f64,
    /// Their work, in seconds of service without pressure.
    work: f64,
    /// Those of them that agents wait for.
    agents: f64,
    /// Agents inside that leave for good once they are answered.
    leaving: f64,
    /// Agents that think, then those that back off, by failures in a row.
    outside: Vec<f64>,
}

/// Mean time of the requests of one mix, in seconds.
fn mean_work(profile: &Profile, light: f64, heavy: f64) -> f64 {
    let (requests, service) = (&profile.requests, &profile.workers.service);
    let weight = (light * requests.light.weight + heavy * requests.heavy.weight) / (light + heavy);
    service.base_seconds + service.per_weight_seconds * weight
}

impl<'a> Model<'a> {
    fn new(base: &'a Profile) -> Self {
        let own = |rules: &Arrivals| {
            rules.mix.as_ref().map_or_else(
                || base.mean_service_seconds(),
                |mix| mean_work(base, mix.light_share, mix.heavy_share),
            )
        };
        let open = base.generators().map(|(_, rules)| Open {
            shape: Shape::of(rules),
            peak: Shape::of(rules).peak(),
            work: own(rules),
        });
        let backoff = base
            .agents
            .as_ref()
            .and_then(|agents| agents.backoff.as_ref());
        let levels = backoff.map_or(0, |backoff| backoff.max_steps as usize + 1);
        Self {
            base,
            open: open.collect(),
            now: 0.0,
            inside: 0.0,
            work: 0.0,
            agents: 0.0,
            leaving: 0.0,
            outside: vec![0.0; 1 + levels],
        }
    }

    /// The longest step that follows every flow of this period.
    fn step(&self, period: &Period) -> f64 {
        let mut step = period.profile.telemetry.interval_seconds.max(0.05);
        let mut rate = self
            .open
            .iter()
            .zip(&period.factors)
            .map(|(o, f)| o.peak * f)
            .sum::<f64>();
        if let Some(agents) = &period.profile.agents {
            let extra = period
                .profile
                .timeline
                .iter()
                .filter_map(|e| e.traffic.as_ref());
            let extra: f64 = extra.map(|traffic| f64::from(traffic.extra_agents)).sum();
            let pauses = agents.backoff.map_or(agents.think_seconds, |b| {
                b.base_seconds.min(agents.think_seconds)
            });
            step = step.min(0.25 * pauses);
            rate += (f64::from(agents.count) + extra) / pauses;
        }
        let Some(capacity) = period.profile.queue.capacity else {
            return step;
        };
        // Where flows depend on the queue's length, they must not overshoot it.
        let feeds_back = period.profile.queue.early_drop.is_some()
            || period.profile.workers.service.slowdown_per_pressure > 0.0
            || period.profile.faults.spike.is_some();
        if feeds_back {
            let served = period.present / self.base.mean_service_seconds();
            step = step.min(0.2 * f64::from(capacity) / (rate + served).max(f64::MIN_POSITIVE));
        }
        step
    }

    fn queue(&self, period: &Period) -> f64 {
        let waiting = (self.inside - period.present).max(0.0);
        let capacity = period.profile.queue.capacity;
        waiting.min(capacity.map_or(f64::INFINITY, f64::from))
    }

    /// Agents that have woken for the first time up to a moment, and those of these that visit.
    fn woken(&self, period: &Period, seconds: f64) -> f64 {
        let Some(agents) = &self.base.agents else {
            return 0.0;
        };
        let (first, last) = (agents.first_wake_min_seconds, agents.first_wake_max_seconds);
        let share = if last > first {
            ((seconds - first) / (last - first)).clamp(0.0, 1.0)
        } else {
            f64::from(u8::from(seconds >= first))
        };
        let entries = self.base.timeline.iter().zip(&period.active);
        let visitors = entries.filter(|&(_, &active)| active).map(|(entry, _)| {
            let extra = entry
                .traffic
                .as_ref()
                .map_or(0, |traffic| traffic.extra_agents);
            f64::from(extra) * (seconds - entry.at_seconds).clamp(0.0, 1.0)
        });
        share * f64::from(agents.count) + visitors.sum::<f64>()
    }

    /// The visitors whose intervention ends go: at once from outside, from inside when answered.
    fn leave(&mut self, before: &Period, after: &Period) {
        let ends = before.active.iter().zip(&after.active);
        let visitors = self
            .base
            .timeline
            .iter()
            .zip(ends)
            .map(|(entry, (&was, &is))| {
                let extra = entry
                    .traffic
                    .as_ref()
                    .map_or(0, |traffic| traffic.extra_agents);
                let here = (after.from - entry.at_seconds).clamp(0.0, 1.0);
                f64::from(extra) * here * f64::from(u8::from(was && !is))
            });
        let going = visitors.sum::<f64>();
        let all = self.outside.iter().sum::<f64>() + self.agents - self.leaving;
        if going > 0.0 && all > 0.0 {
            let share = (going / all).min(1.0);
            self.outside
                .iter_mut()
                .for_each(|here| *here *= 1.0 - share);
            self.leaving += (self.agents - self.leaving) * share;
        }
    }

    /// Goes on to a moment within one period.
    fn advance(&mut self, period: &Period, to: f64) {
        let profile = &period.profile;
        let span = to - self.now;
        let ended = self.now >= load_end(self.base);

        // Who comes to the gate.
        let mut came = 0.0;
        let mut brought = 0.0;
        for (open, factor) in self.open.iter().zip(&period.factors) {
            let count = factor * (open.shape.expected(to) - open.shape.expected(self.now));
            if !ended {
                came += count;
                brought += count * open.work;
            }
        }
        let mut sent = vec![0.0; self.outside.len()];
        if let Some(agents) = &profile.agents
            && !ended
        {
            let travel = profile.network.as_ref().map_or(0.0, |n| 2.0 * leg(n));
            for (level, (waiting, sent)) in self.outside.iter_mut().zip(&mut sent).enumerate() {
                let pause = match (level, &agents.backoff) {
                    (1.., Some(b)) => (1..level).fold(b.base_seconds, |wait, _| wait * b.factor),
                    _ => agents.think_seconds,
                };
                *sent = *waiting * span / (pause + travel + span);
                *waiting -= *sent;
            }
            sent[0] += self.woken(period, to) - self.woken(period, self.now);
            let agents: f64 = sent.iter().sum();
            came += agents;
            brought += agents
                * mean_work(
                    profile,
                    profile.requests.light.share,
                    profile.requests.heavy.share,
                );
        }

        // The gate.
        let queue = self.queue(period);
        let saturation = profile.queue.capacity.map_or(0.0, |k| queue / f64::from(k));
        let pressure = saturation * saturation;
        let chance =
            |base: f64, per_pressure: f64| (base + per_pressure * pressure).clamp(0.0, 1.0);
        let dropped = match &profile.queue.early_drop {
            Some(rules) if queue > 0.0 => {
                chance(rules.base_probability, rules.probability_per_pressure)
            }
            _ => 0.0,
        };
        let arrives = profile
            .network
            .as_ref()
            .map_or(1.0, |n| (1.0 - n.loss_ratio) * (1.0 - n.reset_ratio));
        let let_in = arrives * (1.0 - dropped);
        let offered = came * let_in;

        // The workers, at the mean service time of what is inside.
        let before = self.inside + offered;
        let work = self.work + brought * let_in;
        let error = profile.faults.error.as_ref();
        let bad = error.map_or(0.0, |e| {
            chance(e.base_probability, e.probability_per_pressure)
        });
        let mut out = 0.0;
        if before > 0.0 {
            let service = &profile.workers.service;
            let mut mean = work / before;
            if error.is_some_and(|e| e.shows == ErrorShows::BeforeWork) {
                mean += bad * (service.base_seconds - mean);
            }
            let spike = profile.faults.spike.as_ref().map_or(0.0, |s| {
                s.seconds * chance(s.base_probability, s.probability_per_pressure)
            });
            let takes = mean * period.slower * (1.0 + service.slowdown_per_pressure * pressure)
                + spike
                + period.call;
            let most = span * period.working / takes;
            out = if before - most >= period.working {
                most
            } else {
                // Not all workers have work: an implicit step, which does not overshoot.
                before * span / (takes + span)
            };
        }
        // Who finds no place is refused; what is inside stays, also where places were taken away.
        let over = (before - out - period.places()).clamp(0.0, offered);
        let refused = if came > 0.0 {
            1.0 - (offered - over) / came
        } else {
            0.0
        };
        let after = (before - out - over).max(0.0);
        self.work = if before > 0.0 {
            work * after / before
        } else {
            0.0
        };
        self.inside = after;

        // What becomes of agents.
        if profile.agents.is_some() {
            let last = self.outside.len() - 1;
            let answered = if before > 0.0 {
                (self.agents * out / before).min(self.agents)
            } else {
                0.0
            };
            let gone = if self.agents > 0.0 {
                answered * self.leaving / self.agents
            } else {
                0.0
            };
            self.leaving = (self.leaving - gone).max(0.0);
            let back = answered - gone;
            self.outside[0] += back * (1.0 - bad);
            self.outside[1.min(last)] += back * bad;
            for (level, sent) in sent.into_iter().enumerate() {
                self.outside[(level + 1).min(last)] += sent * refused;
                self.agents += sent * (1.0 - refused);
            }
            self.agents -= answered;
        }
        self.now = to;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limit, Run, presets, wire};

    fn series(profile: &Profile) -> (Vec<f64>, Vec<f64>) {
        let mut run = Run::new(profile);
        while !run.advance(Limit::NONE) {}
        run.with_series(|series| {
            let column = |name| series.column(name).unwrap().to_vec();
            (column("time"), column("queue"))
        })
    }

    fn open(arrivals: &str, rest: &str) -> Profile {
        let text = format!(
            r#"{{"agents": null, "arrivals": {{"process": "even", {arrivals}}}, "run": {{"duration_seconds": 60, "warmup_seconds": 0}},
            "requests": {{"heavy": {{"share": 0}}}}, "faults": {{"spike": null, "error": null}}, "throttle": {{"enabled": false}},
            "workers": {{"count": 4, "service": {{"distribution": "deterministic", "base_seconds": 0.01, "per_weight_seconds": 0, "slowdown_per_pressure": 0}}}} {rest}}}"#
        );
        wire::parse(&text).unwrap()
    }

    /// Even arrivals and constant service leave nothing to chance: the queue keeps to the model within
    /// what is under way, at every tick.
    fn keeps_to_it(profile: &Profile, within: f64) {
        let (times, queue) = series(profile);
        let most = queue.iter().copied().fold(0.0, f64::max);
        assert!(most > 20.0 * within, "the test can tell: {most}");
        let predicted = predicted_queue(profile, &times).unwrap();
        for ((time, queue), predicted) in times.iter().zip(queue).zip(predicted) {
            assert!(
                (queue - predicted).abs() <= within,
                "{time} s: {queue}, predicted {predicted}"
            );
        }
    }

    const GATE_OPEN: &str = r#", "queue": {"capacity": null, "early_drop": null}"#;

    #[test]
    fn a_queue_without_chance_keeps_to_the_model() {
        let ramp = r#""rate_per_second": 200, "ramp": {"stages": [{"duration_seconds": 30, "target_per_second": 600}, {"duration_seconds": 10, "target_per_second": 0}]}"#;
        keeps_to_it(&open(ramp, GATE_OPEN), 4.0);
        let bounded = r#", "queue": {"capacity": 300, "early_drop": null}"#;
        keeps_to_it(&open(ramp, bounded), 4.0);
        let waits = r#", "queue": {"capacity": 300, "early_drop": null, "when_full": "wait"}"#;
        keeps_to_it(&open(ramp, waits), 4.0);
    }

    #[test]
    fn interventions_are_in_the_model() {
        for entry in [
            r#"{"at_seconds": 10, "for_seconds": 5, "traffic": {"arrivals_factor": 2}}"#,
            r#"{"at_seconds": 10, "for_seconds": 5, "stall": {}}"#,
            r#"{"at_seconds": 10, "for_seconds": 20, "crash": {"workers": 2}}"#,
            r#"{"at_seconds": 10, "for_seconds": 20, "slow_workers": {"factor": 2}}"#,
            r#"{"at_seconds": 10, "for_seconds": 20, "set": {"path": "workers.count", "value": 2}}"#,
            r#"{"at_seconds": 10, "for_seconds": 20, "set": {"path": "arrivals.rate_per_second", "value": 500}}"#,
        ] {
            let rest = format!(r#"{GATE_OPEN}, "timeline": [{entry}]"#);
            keeps_to_it(&open(r#""rate_per_second": 300"#, &rest), 7.0);
        }
    }

    /// Two classes of work: the mean service time is that of what is inside.
    #[test]
    fn a_mix_of_its_own_brings_its_own_work() {
        let mut profile = open(
            r#""rate_per_second": 100, "mix": {"light_share": 0, "heavy_share": 1}"#,
            GATE_OPEN,
        );
        profile.workers.service.per_weight_seconds = 0.02;
        // 50 ms each: 80 per second are served, 20 per second are left.
        let queue = predicted_queue(&profile, &[10.0, 20.0]).unwrap();
        assert!((queue[1] - queue[0] - 200.0).abs() < 0.5, "{queue:?}");
    }

    /// With agents, early drops, slowdown and faults: means over five seeds, a second's mean around
    /// each moment, within a tenth of the capacity. Means of functions are not functions of means, so
    /// that there is no sharper bound to be had.
    #[test]
    fn agents_and_feedback_come_out_as_in_runs() {
        for (name, from) in [("exp-002", 20.0), ("exp-003", 40.0), ("flash-crowd", 0.0)] {
            let mut profile = presets::find(name).unwrap().profile();
            profile.throttle.enabled = false;
            let mut mean: Vec<f64> = Vec::new();
            for seed in 1..=5 {
                profile.seed = seed;
                let (times, queue) = series(&profile);
                let seconds = profile.run.duration_seconds as usize;
                mean.resize(seconds, 0.0);
                for (time, queue) in times
                    .iter()
                    .zip(queue)
                    .filter(|(t, _)| **t < seconds as f64)
                {
                    mean[*time as usize] += queue * profile.telemetry.interval_seconds / 5.0;
                }
            }
            let middles: Vec<f64> = (0..mean.len()).map(|second| second as f64 + 0.5).collect();
            let predicted = predicted_queue(&profile, &middles).unwrap();
            let capacity = f64::from(profile.queue.capacity.unwrap());
            let counted = middles.iter().zip(mean.iter().zip(&predicted));
            let off: Vec<f64> = counted
                .filter(|(at, _)| **at > from)
                .map(|(_, (mean, predicted))| (mean - predicted).abs())
                .collect();
            let average = off.iter().sum::<f64>() / off.len() as f64;
            assert!(
                average < 0.1 * capacity,
                "{name}: off by {average} of {capacity}"
            );
        }
    }

    #[test]
    fn agents_neither_come_nor_go_but_by_the_timeline() {
        let text = r#"{"agents": {"count": 50, "first_wake_max_seconds": 2}, "run": {"duration_seconds": 40, "warmup_seconds": 0},
            "timeline": [{"at_seconds": 10, "for_seconds": 10, "traffic": {"arrivals_factor": 1, "extra_agents": 400}}]}"#;
        let profile = wire::parse(text).unwrap();
        let periods = Period::all(&profile);
        let mut model = Model::new(&profile);
        let all =
            |model: &Model<'_>| model.outside.iter().sum::<f64>() + model.agents - model.leaving;
        let mut seen = Vec::new();
        for (index, period) in periods.iter().enumerate() {
            if index > 0 {
                model.leave(&periods[index - 1], period);
            }
            let end = periods.get(index + 1).map_or(40.0, |next| next.from);
            let steps = 20_000;
            let from = model.now;
            for step in 1..=steps {
                model.advance(
                    period,
                    from + (end - from) * f64::from(step) / f64::from(steps),
                );
            }
            seen.push(all(&model));
        }
        for (seen, expected) in seen.iter().zip([50.0, 450.0, 50.0]) {
            assert!(
                (seen - expected).abs() < 1e-6,
                "{seen}, expected {expected}"
            );
        }
    }

    #[test]
    fn what_the_model_does_not_know_it_says() {
        for (name, words) in [
            ("retry-storm", "send again"),
            ("autoscaler", "autoscaler"),
            ("codel", "waited"),
            ("bulkheads", "take requests back"),
            ("published-001", "last request"),
            ("token-bucket", "admission"),
        ] {
            let profile = presets::find(name).unwrap().profile();
            let refused = predicted_queue(&profile, &[1.0]).unwrap_err();
            assert!(refused.0.contains(words), "{name}: {refused}");
        }
    }

    #[test]
    fn every_preset_is_predicted_or_refused_in_few_steps() {
        for preset in presets::PRESETS {
            let profile = preset.profile();
            let end = profile.run.duration_seconds.min(1200.0);
            let times: Vec<f64> = (0..=400).map(|i| end * f64::from(i) / 400.0).collect();
            match predicted_queue(&profile, &times) {
                Ok(queue) => {
                    let most = profile.queue.capacity.map_or(f64::INFINITY, f64::from);
                    assert!(
                        queue.iter().all(|q| (0.0..=most).contains(q)),
                        "{}",
                        preset.name
                    );
                }
                Err(NotModelled(reason)) => {
                    assert!(!reason.contains("too long"), "{}: {reason}", preset.name);
                }
            }
        }
    }

    #[test]
    fn a_run_that_would_need_too_many_steps_is_refused() {
        let mut profile = presets::find("exp-003").unwrap().profile();
        profile.run.duration_seconds = 1e6;
        let refused = predicted_queue(&profile, &[1e6]).unwrap_err();
        assert!(refused.0.contains("too long"), "{refused}");
    }
}
