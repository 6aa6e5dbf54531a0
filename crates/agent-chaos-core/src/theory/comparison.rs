//! Theory beside the run: what closed forms say of a profile, held against replications of it.
//!
//! ```text
//! seeds ─► witnessed runs ─► mean, interval ─┐
//!                                            ├─► a row: agrees, disagrees, unsettled, or
//! profile ─► does the formula apply? ────────┘            why the formula does not apply
//! ```
//!
//! A prediction agrees if it lies within the 99.5 % interval of the mean over the runs: so wide that all
//! of ten true rows agree in 19 of 20 tables. A run that starts empty lacks something of the steady
//! state: how much at most is known, so that the prediction is a narrow range then, from there up to the
//! steady state. Where the range is not narrow, the row is unsettled, and says so.

use serde::Serialize;

use super::chain::Chain;
use super::witness::{Measured, Witnessed};
use super::{NotModelled, assumptions, erlang_b, mg1, mmc, mmck, predicted_queue};
use super::{factor_moment, power};
use crate::Limit;
use crate::profile::{
    ArrivalProcess, Discipline, ErrorShows, LatencyJitter, Mix, Profile, ServiceDistribution,
    WhenFull,
};
use crate::replication::{MOST_RUNS, Refused};
use crate::statistics::{Estimate, Moments, student_t_9975};

/// Fewer runs say too little of their mean to hold anything against it.
pub const LEAST_RUNS: u32 = 10;

/// A start from empty is told of where it may shift a mean by more than this share of its interval.
const TOLD_SHIFT: f64 = 0.33;

/// It leaves nothing to compare where it may shift a mean by more than this share of itself, too.
const MOST_SHIFT: f64 = 0.01;

/// Longer queues are not followed to see how soon they settle.
const MOST_STATES: u32 = 1_000_000;

/// What came of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// The prediction lies within the interval of the runs.
    Agrees,
    /// It lies outside.
    Disagrees,
    /// The counted time begins before the system has settled.
    Unsettled,
    /// A distance or a suggestion, which nothing is held against.
    Measured,
    /// The formula is not about such a profile.
    DoesNotApply,
}

/// One formula beside what the runs came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Row {
    /// The name for programs.
    pub id: &'static str,
    /// The name for people.
    pub name: &'static str,
    /// The formula.
    pub formula: &'static str,
    /// Where it is from.
    pub source: &'static str,
    /// The unit of the values.
    pub unit: &'static str,
    /// Whether the prediction is a bound from above, instead of the value itself.
    pub is_bound: bool,
    /// What the formula says.
    pub predicted: Option<f64>,
    /// The mean over the runs, with its 95 % interval.
    pub simulated: Option<Estimate>,
    /// Where the prediction has to lie to agree.
    pub interval: Option<[f64; 2]>,
    /// What came of it.
    pub outcome: Outcome,
    /// Of which system, or why the formula does not apply.
    pub note: String,
}

/// All formulas beside what the runs came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Table {
    /// The first and the last seed.
    pub seeds: [u32; 2],
    /// How many runs.
    pub runs: u32,
    /// One row for each formula, in a fixed order.
    pub rows: Vec<Row>,
}

/// One profile under several seeds, one after the other, to be held against theory.
pub struct Comparison {
    profile: Profile,
    first: u32,
    count: u32,
    run: Option<Witnessed>,
    done: Vec<Measured>,
}

impl Comparison {
    /// This profile under `count` seeds from `first` on, whatever its own seed is.
    ///
    /// # Errors
    ///
    /// [`Refused`] unless the count is a whole number from 10 to 200, and all seeds are seeds.
    pub fn new(profile: &Profile, first: f64, count: f64) -> Result<Self, Refused> {
        let whole = |value: f64, least: u32, most: u32| {
            value.fract() == 0.0 && (f64::from(least)..=f64::from(most)).contains(&value)
        };
        let refused = |field, found, least: u32, most: u32| Refused {
            field,
            found,
            accepted: format!("whole numbers from {least} to {most}"),
        };
        if !whole(count, LEAST_RUNS, MOST_RUNS) {
            return Err(refused("count", count, LEAST_RUNS, MOST_RUNS));
        }
        let last = u32::MAX - (count as u32 - 1);
        if !whole(first, 0, last) {
            return Err(refused("first_seed", first, 0, last));
        }
        Ok(Self {
            profile: profile.clone(),
            first: first as u32,
            count: count as u32,
            run: None,
            done: Vec::new(),
        })
    }

    /// Goes on, up to the limit, within one run at the most. Whether everything has been run now.
    pub fn advance(&mut self, limit: Limit) -> bool {
        if self.is_finished() {
            return true;
        }
        let run = match &mut self.run {
            Some(run) => run,
            none => {
                let mut profile = self.profile.clone();
                profile.seed = self.first + self.done.len() as u32;
                none.insert(Witnessed::new(&profile))
            }
        };
        if run.advance(limit) {
            self.done.extend(self.run.take().map(Witnessed::finish));
        }
        self.is_finished()
    }

    /// Whether everything has been run.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.done.len() == self.count as usize
    }

    /// How much of everything is done, from 0 to 1.
    #[must_use]
    pub fn progress(&self) -> f64 {
        let part = self.run.as_ref().map_or(0.0, Witnessed::progress);
        (self.done.len() as f64 + part) / f64::from(self.count)
    }

    /// How many runs have been counted.
    #[must_use]
    pub fn done(&self) -> u32 {
        self.done.len() as u32
    }

    /// The table over the runs so far; none before there are enough.
    #[must_use]
    pub fn table(&self) -> Option<Table> {
        compare(&self.profile, &self.done)
    }
}

/// Holds what theory says of a profile against runs of it, whose seeds ascend; none of fewer than ten.
#[must_use]
pub fn compare(profile: &Profile, runs: &[Measured]) -> Option<Table> {
    if runs.len() < LEAST_RUNS as usize {
        return None;
    }
    let mut book = Book {
        profile,
        runs,
        rows: Vec::new(),
    };
    book.open_systems();
    book.connections();
    book.closed_systems();
    let mean_queue = MeanQueue::of(runs);
    book.fluid(&mean_queue);
    book.ledgers();
    book.warmup(&mean_queue);
    Some(Table {
        seeds: [runs[0].seed, runs[runs.len() - 1].seed],
        runs: runs.len() as u32,
        rows: book.rows,
    })
}

/// What does not change in a row.
struct Head(
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

const UTILIZATION: Head = Head(
    "utilization",
    "Utilization",
    "ρ = λ·E[S]/c of what is let in",
    "Kleinrock, Queueing Systems, vol. 1 (1975), §2.1",
    "ratio",
);
const BLOCKING: Head = Head(
    "blocking",
    "Blocking, M/M/c/K",
    "share of arrivals that find all c + K places taken: the last state of the birth–death chain",
    "Kleinrock, Queueing Systems, vol. 1 (1975), §3.6",
    "ratio",
);
const WAIT: Head = Head(
    "mean_wait",
    "Mean wait, M/M/c/K",
    "mean number waiting over the rate let in; without a limit, Erlang C: C(c, λ/μ)/(c·μ − λ)",
    "Kleinrock, Queueing Systems, vol. 1 (1975), §3.5–3.6",
    "s",
);
const ERLANG_C: Head = Head(
    "erlang_c",
    "Share that waits, Erlang C",
    "B/(1 − ρ·(1 − B)), with B of Erlang B",
    "Erlang (1917); Kleinrock, vol. 1 (1975), §3.5",
    "ratio",
);
const KHINCHINE: Head = Head(
    "pollaczek_khinchine",
    "Mean wait, M/G/1",
    "λ·E[S²]/(2·(1 − ρ)) (Pollaczek, Khinchine)",
    "Kleinrock, Queueing Systems, vol. 1 (1975), §5.6",
    "s",
);
const ERLANG_B: Head = Head(
    "erlang_b",
    "Refused for want of a connection, Erlang B",
    "aⁿ/n! over Σ aᵏ/k! up to n connections, for a load of a Erlangs, however long calls vary",
    "Erlang (1917); Sevastyanov (1957)",
    "ratio",
);
const CLOSED_THROUGHPUT: Head = Head(
    "closed_throughput",
    "Throughput, M/M/c//N",
    "busy workers over E[S], of the chain with rates (N − n)/Z up and min(n, c)/E[S] down",
    "Kleinrock, Queueing Systems, vol. 1 (1975), §3.10",
    "{request}/s",
);
const CLOSED_RESPONSE: Head = Head(
    "closed_response",
    "Mean response, M/M/c//N",
    "N/X − Z, with X of the same chain",
    "Kleinrock, Queueing Systems, vol. 1 (1975), §3.10",
    "s",
);
const RESPONSE_LAW: Head = Head(
    "response_law",
    "Response time law",
    "R = N/X − Z, with X as measured",
    "Denning and Buzen, ACM Computing Surveys 10 (1978)",
    "s",
);
const THROUGHPUT_BOUND: Head = Head(
    "throughput_bound",
    "Throughput, bound",
    "X ≤ min(N/(E[S] + Z), c/E[S])",
    "Denning and Buzen, ACM Computing Surveys 10 (1978)",
    "{request}/s",
);
const FLUID: Head = Head(
    "fluid",
    "Fluid model, largest gap",
    "largest distance between the mean queue of the runs and dQ/dt = λ(t) − μ(t)",
    "Newell, Applications of Queueing Theory (1971), ch. 2",
    "{request}",
);
const LITTLE_WAITING: Head = Head(
    "little_waiting",
    "Little's law, waiting",
    "∫ N dt − Σ residence within the time, in its exact form: 0",
    "Little, Operations Research 59 (2011)",
    "{request}·s",
);
const LITTLE_SERVING: Head = Head(
    "little_serving",
    "Little's law, in service",
    "∫ N dt − Σ residence within the time, in its exact form: 0",
    "Little, Operations Research 59 (2011)",
    "{request}·s",
);
const CONSERVATION: Head = Head(
    "conservation",
    "Conservation",
    "what came in − what went out − what is there, at every event and at the end: 0",
    "the ledgers of the model",
    "{request}",
);
const WARMUP: Head = Head(
    "warmup",
    "Warm-up, MSER-5",
    "the start without which the number waiting and served has the smallest standard error",
    "White, Cobb and Spratt, Winter Simulation Conference (2000)",
    "s",
);

/// Poisson arrivals, and the service they ask for.
struct Load {
    rate: f64,
    /// `E[S]`, `E[S²]`, `E[S³]`.
    moments: [f64; 3],
    is_exponential: bool,
}

type Why = String;

struct Book<'a> {
    profile: &'a Profile,
    runs: &'a [Measured],
    rows: Vec<Row>,
}

/// The first of these that holds.
fn first(reasons: &[(bool, &str)]) -> Result<(), Why> {
    let holds = reasons.iter().find(|(holds, _)| *holds);
    holds.map_or(Ok(()), |(_, why)| Err((*why).to_owned()))
}

fn indicator(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

/// A number for people: four digits that count.
fn short(value: f64) -> String {
    let mut digits = 0;
    let mut size = value.abs();
    while size < 999.5 && digits < 9 && size > 0.0 {
        size *= 10.0;
        digits += 1;
    }
    let text = format!("{value:.digits$}");
    if digits == 0 {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl Book<'_> {
    fn push(&mut self, head: &Head, outcome: Outcome, note: impl Into<String>) -> &mut Row {
        let &Head(id, name, formula, source, unit) = head;
        self.rows.push(Row {
            id,
            name,
            formula,
            source,
            unit,
            is_bound: false,
            predicted: None,
            simulated: None,
            interval: None,
            outcome,
            note: note.into(),
        });
        let last = self.rows.len() - 1;
        &mut self.rows[last]
    }

    fn skip(&mut self, head: &Head, why: impl Into<String>) {
        self.push(head, Outcome::DoesNotApply, why);
    }

    /// Holds a prediction against what each run came to, which a start from empty lowers in the mean by
    /// no more than `shift`.
    fn hold(
        &mut self,
        head: &Head,
        predicted: f64,
        shift: f64,
        note: &str,
        value: impl Fn(&Measured) -> Option<f64>,
    ) {
        let Some((simulated, half)) = self.estimate(value) else {
            self.skip(
                head,
                "some runs have no such value: nothing was served in the counted time",
            );
            return;
        };
        // Where all runs come to the same, what is left is rounding.
        let half = half.max(1e-9 * predicted.abs());
        let [low, high] = [simulated.mean - half, simulated.mean + half];
        let is_told = shift > TOLD_SHIFT * half;
        let (outcome, said) = if is_told && shift > MOST_SHIFT * predicted.abs() {
            let said = "the counted time begins before the system has settled, which may lower the mean by";
            (Outcome::Unsettled, said)
        } else if predicted >= low && predicted - shift <= high {
            (
                Outcome::Agrees,
                "the start from empty may lower the mean by",
            )
        } else {
            (
                Outcome::Disagrees,
                "the start from empty may lower the mean by",
            )
        };
        let note = match outcome {
            Outcome::Unsettled => format!(
                "{note}; {said} {}: set run.warmup_seconds higher, or run for longer",
                short(shift)
            ),
            _ if is_told => format!("{note}; {said} {}", short(shift)),
            _ => note.to_owned(),
        };
        let row = self.push(head, outcome, note);
        row.predicted = Some(predicted);
        row.interval = Some([low, high]);
        row.simulated = Some(simulated);
    }

    /// The mean over the runs, and half of its 99.5 % interval; none unless every run has a value.
    fn estimate(&self, value: impl Fn(&Measured) -> Option<f64>) -> Option<(Estimate, f64)> {
        let mut moments = Moments::default();
        let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
        for run in self.runs {
            let value = value(run).filter(|value| value.is_finite())?;
            moments.add(value);
            min = min.min(value);
            max = max.max(value);
        }
        let half = student_t_9975(moments.runs() - 1) * moments.standard_error()?;
        let estimate = Estimate {
            mean: moments.mean()?,
            ci95: moments.half_width(),
            min,
            max,
            runs: moments.runs(),
        };
        Some((estimate, half))
    }

    /// The mean of what the runs came to.
    fn mean(&self, value: impl Fn(&Measured) -> f64) -> f64 {
        self.runs.iter().map(value).sum::<f64>() / self.runs.len() as f64
    }

    /// Arrivals at a rate that does not hang on the answers, nor on time, and the work they bring.
    fn open_load(&self) -> Result<Load, Why> {
        let profile = self.profile;
        first(&[
            (
                profile.agents.is_some(),
                "agents wait for their answers, so that the load hangs on what it gets",
            ),
            (
                !profile.timeline.is_empty(),
                "the timeline changes the system while it runs",
            ),
            (
                profile.generators().any(|(_, rules)| {
                    rules.ramp.is_some()
                        || rules.spike.is_some()
                        || rules.diurnal.is_some()
                        || rules.replay.is_some()
                }),
                "the arrival rate changes over time",
            ),
        ])?;
        let service = &profile.workers.service;
        let own = Mix {
            light_share: profile.requests.light.share,
            heavy_share: profile.requests.heavy.share,
        };
        let of_weight = |weight: f64| service.base_seconds + service.per_weight_seconds * weight;
        let light = of_weight(profile.requests.light.weight);
        let heavy = of_weight(profile.requests.heavy.weight);
        let (mut rate, mut moments) = (0.0, [0.0; 3]);
        let mut has = [false; 2];
        for (_, rules) in profile.generators() {
            let factor = rules.bursty.as_ref().map_or(1.0, |b| b.mean_factor());
            let own_rate = rules.rate_per_second * factor;
            let mix = rules.mix.as_ref().unwrap_or(&own);
            let parts = mix.light_share + mix.heavy_share;
            rate += own_rate;
            for (order, moment) in (1..).zip(&mut moments) {
                let classes =
                    mix.light_share * power(light, order) + mix.heavy_share * power(heavy, order);
                *moment += own_rate * classes / parts * factor_moment(service, order);
            }
            has[0] |= mix.light_share > 0.0;
            has[1] |= mix.heavy_share > 0.0;
        }
        moments.iter_mut().for_each(|moment| *moment /= rate);
        let is_mixed = has == [true; 2] && light != heavy;
        Ok(Load {
            rate,
            moments,
            is_exponential: !is_mixed && self.is_exponential(),
        })
    }

    /// Whether the random factor of a service is exponential.
    fn is_exponential(&self) -> bool {
        let service = &self.profile.workers.service;
        match service.distribution {
            ServiceDistribution::Exponential => true,
            ServiceDistribution::Erlang => service.erlang_shape == 1,
            ServiceDistribution::Hyperexponential => service.scv == 1.0,
            _ => false,
        }
    }

    /// Whether each request is served once, by workers that are always there, in the time it asks for.
    fn plain_service(&self) -> Result<(), Why> {
        let profile = self.profile;
        let is_bounded = profile.queue.capacity.is_some();
        let client = profile.client.as_ref();
        let faults = &profile.faults;
        first(&[
            (
                client.is_some_and(|c| {
                    c.retry.is_some()
                        || c.hedge.is_some()
                        || c.breaker.is_some()
                        || c.throttle.is_some()
                }),
                "clients send again, or hold back",
            ),
            (
                client.is_some_and(|c| c.withdraws) || profile.queue.drops_expired,
                "clients take requests back",
            ),
            (
                profile.network.is_some(),
                "messages take their time on a network, or get lost there",
            ),
            (
                profile.admission.is_some(),
                "admission turns requests away before the queue is full",
            ),
            (
                profile.queue.codel.is_some() || profile.queue.timeout.is_some(),
                "the queue drops what has waited for too long",
            ),
            (
                profile.queue.early_drop.as_ref().is_some_and(|drop| {
                    drop.base_probability > 0.0
                        || (is_bounded && drop.probability_per_pressure > 0.0)
                }),
                "the gate drops requests early, before the queue is full",
            ),
            (
                is_bounded && profile.workers.service.slowdown_per_pressure > 0.0,
                "service is slowed by pressure",
            ),
            (
                faults.spike.as_ref().is_some_and(|spike| {
                    spike.base_probability > 0.0
                        || (is_bounded && spike.probability_per_pressure > 0.0)
                }),
                "faults lengthen some services",
            ),
            (
                self.has_errors()
                    && faults
                        .error
                        .as_ref()
                        .is_some_and(|e| e.shows == ErrorShows::BeforeWork),
                "services that fail end early",
            ),
            (faults.stalls.is_some(), "the workers pause now and then"),
            (faults.crashes.is_some(), "workers crash now and then"),
            (
                profile.workers.autoscaler.is_some(),
                "the number of workers changes",
            ),
            (
                profile.workers.bulkheads.is_some(),
                "some workers serve one class alone",
            ),
            (
                profile.downstream.is_some(),
                "workers wait for a dependency",
            ),
        ])
    }

    fn has_errors(&self) -> bool {
        let is_bounded = self.profile.queue.capacity.is_some();
        self.profile.faults.error.as_ref().is_some_and(|error| {
            error.base_probability > 0.0 || (is_bounded && error.probability_per_pressure > 0.0)
        })
    }

    /// Whether arrivals are Poisson, and nobody goes before others.
    fn poisson_in_turn(&self) -> Result<(), Why> {
        first(&[
            (
                self.profile
                    .generators()
                    .any(|(_, rules)| rules.process == ArrivalProcess::Even),
                "arrivals are evenly spaced, not Poisson",
            ),
            (
                self.profile
                    .generators()
                    .any(|(_, rules)| rules.bursty.is_some()),
                "arrivals come in bursts, not as a Poisson process",
            ),
            (
                self.has_priorities(),
                "the queue has classes of different priority",
            ),
        ])
    }

    fn has_priorities(&self) -> bool {
        matches!(
            self.profile.queue.discipline,
            Discipline::Priority | Discipline::Weighted
        )
    }

    /// By how much a start from empty shifts a mean over the counted time.
    ///
    /// In all it lacks `lack` of the steady state, within some `theta` seconds. Of that, what comes after
    /// `idle` seconds without load and the warm-up counts: what lacks fades by a half every `4·ln 2·θ`
    /// or sooner, as in M/M/1 near saturation, whose relaxation time is 4 θ.
    ///
    /// Source: Abate and Whitt, *Transient behavior of the M/M/1 queue: starting at the origin*,
    /// Queueing Systems 2 (1987).
    fn shift(&self, lack: f64, theta: f64, idle: f64) -> f64 {
        let halves =
            (self.profile.run.warmup_seconds - idle).max(0.0) / (2.772_588_7 * theta.max(1e-12));
        let left = power(0.5, halves.min(60.0) as u32);
        lack * left / self.mean(|run| run.counted_seconds).max(f64::MIN_POSITIVE)
    }

    /// M/M/c, M/M/c/K, M/G/1, and the utilization of whatever serves all that comes.
    fn open_systems(&mut self) {
        const ALL: [&Head; 5] = [&UTILIZATION, &BLOCKING, &WAIT, &ERLANG_C, &KHINCHINE];
        let profile = self.profile;
        let workers = profile.workers.count;
        let load = match self.plain_service().and_then(|()| self.open_load()) {
            Ok(load) => load,
            Err(why) => return ALL.iter().for_each(|head| self.skip(head, why.clone())),
        };
        let (rate, [service, second, _]) = (load.rate, load.moments);
        let offered = rate * service / f64::from(workers);
        let words = format!(
            "λ = {}/s, E[S] = {} s, {workers} worker{}",
            short(rate),
            short(service),
            if workers == 1 { "" } else { "s" }
        );
        if profile.queue.capacity.is_none() && offered >= 1.0 {
            let why = format!(
                "there is no steady state: {} of what the workers can do arrives ({words})",
                short(offered)
            );
            return ALL.iter().for_each(|head| self.skip(head, why.clone()));
        }
        let waits_outside =
            profile.queue.capacity.is_some() && profile.queue.when_full == WhenFull::Wait;
        let in_turn = self.poisson_in_turn().and_then(|()| {
            first(&[(
                waits_outside,
                "senders wait at the entrance of a full queue",
            )])
        });
        let exponential = in_turn
            .clone()
            .and_then(|()| first(&[(!load.is_exponential, "service times are not exponential")]));
        // What a start from empty lacks in busy time is the work that is there in the mean.
        let busy = offered.min(1.0) * f64::from(workers);
        let work = self.mean(|run| run.queue_mean) * service + busy * 0.5 * second / service;
        let theta = work / busy / (1.0 - offered.min(0.99));
        let lack = self.shift(work / f64::from(workers), theta, 0.0);
        let used = |run: &Measured| Some(run.utilization);
        match (profile.queue.capacity, &exponential) {
            (None, _) => self.hold(&UTILIZATION, offered, lack, &words, used),
            (Some(_), _) if waits_outside => {
                self.skip(&UTILIZATION, "senders wait at the entrance of a full queue");
            }
            (Some(places), Ok(())) => {
                let steady = mmck(rate, 1.0 / service, workers, places);
                let c = f64::from(workers);
                let chain = followed(rate, 1.0 / service, workers, Some(places));
                let lack = chain.map_or(lack, |chain| {
                    self.shift(chain.lack(|n| n.min(c) / c), theta, 0.0)
                });
                self.hold(&UTILIZATION, steady.utilization, lack, &words, used);
            }
            (Some(_), Err(why)) => self.skip(
                &UTILIZATION,
                format!("how much a full queue refuses has no closed form here: {why}"),
            ),
        }
        match exponential {
            Err(why) => [&BLOCKING, &WAIT, &ERLANG_C]
                .iter()
                .for_each(|head| self.skip(head, why.clone())),
            Ok(()) => self.many_servers(&load),
        }
        let single = in_turn.and_then(|()| {
            first(&[
                (workers > 1, "there is more than one worker"),
                (profile.queue.capacity.is_some(), "the queue has a limit"),
            ])
        });
        match single {
            Err(why) => self.skip(&KHINCHINE, why),
            Ok(()) => self.single_server(&load, words),
        }
    }

    /// Poisson arrivals, exponential service, one queue.
    fn many_servers(&mut self, load: &Load) {
        let profile = self.profile;
        let workers = profile.workers.count;
        let (rate, service) = (load.rate, load.moments[0]);
        let (c, mu) = (f64::from(workers), 1.0 / service);
        let system = match profile.queue.capacity {
            None => format!("as M/M/{workers}"),
            Some(places) => format!("as M/M/{workers} with {places} waiting places"),
        };
        let words = format!("{system}: λ = {}/s, μ = {}/s", short(rate), short(mu));
        let Some(chain) = followed(rate, mu, workers, profile.queue.capacity) else {
            let why = "the queue is too long to tell how soon it settles";
            return [&BLOCKING, &WAIT, &ERLANG_C]
                .iter()
                .for_each(|head| self.skip(head, why));
        };
        let steady = match profile.queue.capacity {
            Some(places) => mmck(rate, mu, workers, places),
            // It has been made sure that this has a steady state.
            None => match mmc(rate, mu, workers) {
                Ok(steady) => steady,
                Err(unstable) => return self.skip(&WAIT, unstable.to_string()),
            },
        };
        let queue = |n: f64| (n - c).max(0.0);
        let theta = chain.lack(queue) / chain.mean(queue).max(f64::MIN_POSITIVE);
        match profile.queue.capacity {
            None => self.skip(&BLOCKING, "the queue has no limit"),
            Some(places) => {
                let last = f64::from(workers) + f64::from(places);
                let lack = self.shift(chain.lack(|n| indicator(n == last)), theta, 0.0);
                self.hold(&BLOCKING, steady.blocking, lack, &words, |run| {
                    (run.created > 0).then(|| run.refused as f64 / run.created as f64)
                });
            }
        }
        let relative = self.shift(theta, theta, 0.0);
        self.hold(
            &WAIT,
            steady.wait_seconds,
            relative * steady.wait_seconds,
            &words,
            |run| run.wait_seconds,
        );
        match profile.queue.capacity {
            Some(_) => self.skip(&ERLANG_C, "the queue has a limit"),
            None => {
                let busy = |n: f64| indicator(n >= c);
                let lack = self.shift(chain.lack(busy), theta, 0.0);
                self.hold(&ERLANG_C, chain.mean(busy), lack, &words, |run| {
                    run.waited_ratio
                });
            }
        }
    }

    /// Poisson arrivals, one worker, any service.
    ///
    /// What the wait lacks after a start from empty is `λ·E[S³]/(6·(1−ρ)²) + λ²·E[S²]²/(4·(1−ρ)³)`,
    /// by the transform of the probability to be empty, `1/(s + λ − λ·B(s))` with the busy period's B:
    /// Kleinrock, vol. 1 (1975), §5.8–5.11.
    fn single_server(&mut self, load: &Load, words: String) {
        let (rate, [service, second, third]) = (load.rate, load.moments);
        let steady = match mg1(rate, service, second - service * service) {
            Ok(steady) => steady,
            Err(unstable) => return self.skip(&KHINCHINE, unstable.to_string()),
        };
        let free = 1.0 - steady.utilization;
        let lack = rate * third / (6.0 * free * free)
            + rate * rate * second * second / (4.0 * free * free * free);
        let scv = second / (service * service) - 1.0;
        let note = format!("{words}, c² = {}", short(scv));
        self.hold(
            &KHINCHINE,
            steady.wait_seconds,
            self.shift(lack, lack / steady.wait_seconds, 0.0),
            &note,
            |run| run.wait_seconds,
        );
    }

    /// A pool of connections for which nobody waits.
    fn connections(&mut self) {
        let profile = self.profile;
        let pool = profile.network.as_ref().and_then(|network| {
            let pool = network.pool.as_ref();
            pool.map(|pool| (network, pool))
        });
        let Some((network, pool)) = pool else {
            return self.skip(&ERLANG_B, "there is no pool of connections");
        };
        // All but the network, which this is about; with a worker for each connection nobody ever waits in
        // the queue, so that neither its limit nor its pressure matters.
        let mut without = profile.clone();
        without.network = None;
        without.queue.capacity = None;
        without.queue.early_drop = None;
        let rest = Book {
            profile: &without,
            runs: self.runs,
            rows: Vec::new(),
        };
        let client = profile.client.as_ref();
        let load = rest.plain_service().and_then(|()| {
            first(&[
                (
                    pool.wait_seconds != Some(0.0),
                    "those who find all connections taken wait for one",
                ),
                (
                    network.loss_ratio > 0.0 || network.reset_ratio > 0.0,
                    "messages get lost",
                ),
                (
                    matches!(
                        network.jitter,
                        LatencyJitter::Normal | LatencyJitter::Pareto
                    ),
                    "the mean time of a message has no closed form here",
                ),
                (
                    client.is_some_and(|c| {
                        c.timeout_seconds.is_some() || c.deadline_seconds.is_some()
                    }),
                    "clients give up waiting",
                ),
                (
                    profile.workers.count < pool.size,
                    "there are fewer workers than connections, so that requests wait for a worker",
                ),
            ])?;
            rest.poisson_in_turn()?;
            rest.open_load()
        });
        let load = match load {
            Ok(load) => load,
            Err(why) => return self.skip(&ERLANG_B, why),
        };
        let hold = 2.0 * network.latency_seconds + load.moments[0];
        let offered = load.rate * hold;
        let note = format!(
            "{} Erlangs on {} connections, each held for {} s",
            short(offered),
            pool.size,
            short(hold)
        );
        // A loss system forgets how it started within a few holding times.
        let lost = erlang_b(offered, pool.size);
        let lack = self.shift(lost * hold, hold, 0.0);
        self.hold(&ERLANG_B, lost, lack, &note, |run| {
            (run.created > 0).then(|| run.without_connection as f64 / run.created as f64)
        });
    }

    /// What holds of agents that ask, wait and think.
    fn closed_systems(&mut self) {
        let profile = self.profile;
        let agents = profile.agents.as_ref();
        let closed = first(&[
            (
                agents.is_none(),
                "there are no agents: nobody waits and thinks",
            ),
            (
                profile.generators().next().is_some(),
                "other requests arrive beside those of the agents",
            ),
            (
                !profile.timeline.is_empty(),
                "the timeline changes the system while it runs",
            ),
            (
                agents.is_some_and(|agents| agents.requests_each.is_some()),
                "agents stop after so many requests",
            ),
        ]);
        let agents = match closed.and(agents.ok_or_else(String::new)) {
            Ok(agents) => agents,
            Err(why) => {
                return [
                    &CLOSED_THROUGHPUT,
                    &CLOSED_RESPONSE,
                    &RESPONSE_LAW,
                    &THROUGHPUT_BOUND,
                ]
                .iter()
                .for_each(|head| self.skip(head, why.clone()));
            }
        };
        let (count, think) = (f64::from(agents.count), agents.think_seconds);
        let words = format!("N = {}, Z = {} s", agents.count, short(think));
        let failed = self.runs.iter().any(|run| run.failed > 0);
        let throttled = self.runs.iter().any(|run| run.throttled);
        let nobody_held_back = first(&[
            (
                failed && agents.backoff.is_some(),
                "requests failed, after which agents back off instead of thinking",
            ),
            (throttled, "the throttle held agents back"),
        ]);
        self.finite_source(&nobody_held_back);
        // Agents that have not come yet are missing from the first cycles.
        let late = (agents.first_wake_max_seconds - profile.run.warmup_seconds).max(0.0);
        match nobody_held_back.and_then(|()| {
            first(&[(
                failed,
                "requests failed: the mean response is one of good answers alone",
            )])
        }) {
            Err(why) => self.skip(&RESPONSE_LAW, why),
            Ok(()) => {
                let law = |run: &Measured| count / run.throughput_per_second - think;
                let predicted = self.mean(law);
                let bias = self.shift(late * (predicted + think), think, 0.0);
                // Each run has its own prediction: what is held against 0 is their difference.
                self.hold(&RESPONSE_LAW, predicted, bias, &words, |run| {
                    run.sojourn_seconds
                        .map(|seconds| seconds - law(run) + predicted)
                });
            }
        }
        let service = profile.mean_service_seconds();
        let faults = &profile.faults;
        let bounded = first(&[
            (
                profile.client.is_some(),
                "clients have policies: a request may be served several times",
            ),
            (
                self.has_priorities() || profile.workers.bulkheads.is_some(),
                "what is served need not be the mix that was sent",
            ),
            (
                faults.crashes.is_some(),
                "crashes end long services more often than short ones",
            ),
            (
                profile.workers.autoscaler.is_some(),
                "the number of workers changes",
            ),
            (
                self.has_errors()
                    && faults
                        .error
                        .as_ref()
                        .is_some_and(|e| e.shows == ErrorShows::BeforeWork),
                "services that fail end early",
            ),
        ]);
        if let Err(why) = bounded {
            return self.skip(&THROUGHPUT_BOUND, why);
        }
        let pause = agents.backoff.filter(|_| failed).map_or(think, |backoff| {
            think.min(backoff.base_seconds * (1.0 - backoff.jitter_ratio))
        });
        let bound = (count / (service + pause)).min(f64::from(profile.workers.count) / service);
        let Some((simulated, half)) = self.estimate(|run| Some(run.throughput_per_second)) else {
            return self.skip(&THROUGHPUT_BOUND, "nothing was served in the counted time");
        };
        let outcome = if simulated.mean - half.max(1e-9 * bound) > bound {
            Outcome::Disagrees
        } else {
            Outcome::Agrees
        };
        let note = format!(
            "{words}, E[S] = {} s, {} workers",
            short(service),
            profile.workers.count
        );
        let row = self.push(&THROUGHPUT_BOUND, outcome, note);
        row.is_bound = true;
        row.predicted = Some(bound);
        row.interval = Some([simulated.mean - half, simulated.mean + half]);
        row.simulated = Some(simulated);
    }

    /// N agents that think for exponential times, and c exponential workers.
    fn finite_source(&mut self, nobody_held_back: &Result<(), Why>) {
        let profile = self.profile;
        let Some(agents) = &profile.agents else {
            return;
        };
        let workers = profile.workers.count;
        let requests = &profile.requests;
        let is_mixed = requests.light.share > 0.0
            && requests.heavy.share > 0.0
            && requests.light.weight != requests.heavy.weight
            && profile.workers.service.per_weight_seconds > 0.0;
        let enough = |places: u32| agents.count <= places.saturating_add(workers);
        let applies = self.plain_service().and_then(|()| {
            first(&[
                (
                    is_mixed || !self.is_exponential(),
                    "service times are not exponential",
                ),
                (
                    !profile.queue.capacity.is_none_or(enough),
                    "the queue has fewer places than there are agents",
                ),
                (
                    profile.client.as_ref().is_some_and(|c| {
                        c.timeout_seconds.is_some() || c.deadline_seconds.is_some()
                    }),
                    "clients give up waiting",
                ),
                (agents.count > MOST_STATES, "there are too many agents"),
            ])?;
            nobody_held_back.clone()
        });
        if let Err(why) = applies {
            self.skip(&CLOSED_THROUGHPUT, why.clone());
            return self.skip(&CLOSED_RESPONSE, why);
        }
        let (count, c) = (f64::from(agents.count), f64::from(workers));
        let (think, service) = (agents.think_seconds, profile.mean_service_seconds());
        let chain = Chain::new(
            agents.count,
            |n| (count - n) / think,
            |n| n.min(c) / service,
        );
        let served = |n: f64| n.min(c) / service;
        let throughput = chain.mean(served);
        // The last agents come when the warm-up has to be over.
        let late = (agents.first_wake_max_seconds - profile.run.warmup_seconds).max(0.0);
        let busy = |n: f64| n.min(c);
        let queue = |n: f64| (n - c).max(0.0);
        let theta = |lack: f64, mean: f64| lack / mean.max(f64::MIN_POSITIVE);
        let theta = theta(chain.lack(busy), chain.mean(busy))
            .max(theta(chain.lack(queue), chain.mean(queue)));
        let start = agents.first_wake_max_seconds;
        let lack = self.shift(chain.lack(served) + late * throughput, theta, start);
        let words = format!(
            "as M/M/{workers}//{}: Z = {} s, E[S] = {} s",
            agents.count,
            short(think),
            short(service)
        );
        self.hold(&CLOSED_THROUGHPUT, throughput, lack, &words, |run| {
            Some(run.throughput_per_second)
        });
        let response = count / throughput - think;
        self.hold(
            &CLOSED_RESPONSE,
            response,
            lack * count / (throughput * throughput),
            &words,
            |run| run.sojourn_seconds,
        );
    }

    /// The mean queue of the runs beside the fluid one.
    fn fluid(&mut self, mean_queue: &MeanQueue) {
        if mean_queue.lengths.is_empty() {
            return self.skip(&FLUID, "the runs are too short for a series");
        }
        let predicted = match predicted_queue(self.profile, &mean_queue.times()) {
            Ok(predicted) => predicted,
            Err(NotModelled(why)) => {
                let why = why.replacen("it does", "the model does", 1);
                return self.skip(&FLUID, why);
            }
        };
        let (mut largest, mut at, mut sum) = (0.0, 0, 0.0);
        for (row, (mean, fluid)) in mean_queue.lengths.iter().zip(&predicted).enumerate() {
            let gap = (mean - fluid).abs();
            sum += gap;
            if gap > largest {
                (largest, at) = (gap, row);
            }
        }
        let note = format!(
            "at {} s, where the runs have {} in the mean and the model {}; on average they are {} apart; the model has {}",
            short(mean_queue.time(at)),
            short(mean_queue.lengths[at]),
            short(predicted[at]),
            short(sum / predicted.len() as f64),
            assumptions(self.profile),
        );
        let runs = self.runs.len() as u64;
        let row = self.push(&FLUID, Outcome::Measured, note);
        row.simulated = Some(Estimate {
            mean: largest,
            ci95: None,
            min: largest,
            max: largest,
            runs,
        });
    }

    /// What must be zero in every run.
    fn ledgers(&mut self) {
        // Of which measure, and how to read it.
        type Ledger = (&'static Head, fn(&Measured) -> f64);
        let ledgers: [Ledger; 3] = [
            (&LITTLE_WAITING, |run| run.little_nanos[0] as f64 / 1e9),
            (&LITTLE_SERVING, |run| run.little_nanos[1] as f64 / 1e9),
            (&CONSERVATION, |run| run.unaccounted as f64),
        ];
        for (head, of) in ledgers {
            let values = self.runs.iter().map(of);
            let most = values.fold(0.0, |worst: f64, value| {
                if value.abs() > worst.abs() {
                    value
                } else {
                    worst
                }
            });
            let outcome = if most == 0.0 {
                Outcome::Agrees
            } else {
                Outcome::Disagrees
            };
            let note = if most == 0.0 {
                "exactly, in every run"
            } else {
                "the worst of the runs"
            };
            let runs = self.runs.len() as u64;
            let row = self.push(head, outcome, note);
            row.predicted = Some(0.0);
            row.simulated = Some(Estimate {
                mean: most,
                ci95: None,
                min: most.min(0.0),
                max: most.max(0.0),
                runs,
            });
        }
    }

    /// How much of the start to leave out.
    fn warmup(&mut self, mean_queue: &MeanQueue) {
        let profile = self.profile;
        let stationary = first(&[
            (
                !profile.timeline.is_empty(),
                "the timeline changes the system while it runs",
            ),
            (
                profile.generators().any(|(_, rules)| {
                    rules.ramp.is_some()
                        || rules.spike.is_some()
                        || rules.diurnal.is_some()
                        || rules.replay.is_some()
                }),
                "the arrival rate changes over time, so that there is no steady state to warm up to",
            ),
            (
                profile
                    .agents
                    .as_ref()
                    .is_some_and(|a| a.requests_each.is_some()),
                "agents stop after so many requests, so that there is no steady state to warm up to",
            ),
        ]);
        if let Err(why) = stationary {
            return self.skip(&WARMUP, why);
        }
        let Some(rows) = mser5(&mean_queue.inside) else {
            return self.skip(
                &WARMUP,
                "the number in the system does not settle within the first half of the run",
            );
        };
        let suggested = rows as f64 * mean_queue.row_seconds;
        let own = profile.run.warmup_seconds;
        let note = if suggested <= own {
            format!("the run leaves out {} s, which is enough", short(own))
        } else {
            format!(
                "the run leaves out {} s: rather set run.warmup_seconds to this",
                short(own)
            )
        };
        self.push(&WARMUP, Outcome::Measured, note).predicted = Some(suggested);
    }
}

/// The chain of M/M/c/K, or of as many states of M/M/c as are ever seen; none if they are too many.
fn followed(rate: f64, mu: f64, workers: u32, places: Option<u32>) -> Option<Chain> {
    let c = f64::from(workers);
    let last = match places {
        Some(places) => places.checked_add(workers)?,
        None => {
            let (mut tail, mut states) = (1.0, workers);
            while tail > 1e-15 && states <= MOST_STATES {
                tail *= rate / (c * mu);
                states += 1;
            }
            states
        }
    };
    (last <= MOST_STATES).then(|| Chain::new(last, |_| rate, |n| n.min(c) * mu))
}

/// The queue's length over time, in the mean of the runs, as long as all of them last.
struct MeanQueue {
    row_seconds: f64,
    lengths: Vec<f64>,
    /// Those in service included.
    inside: Vec<f64>,
}

impl MeanQueue {
    fn of(runs: &[Measured]) -> Self {
        // Rows of a run cover a power of two of ticks; the longest run has the longest ones.
        let row_seconds = runs.iter().map(|run| run.row_seconds).fold(0.0, f64::max);
        let every = |run: &Measured| (row_seconds / run.row_seconds).round().max(1.0) as usize;
        let rows = runs.iter().map(|run| run.queue.len() / every(run)).min();
        let mean = |of: fn(&Measured) -> &[f64]| {
            let rows = 0..rows.unwrap_or(0);
            let at_end = |row: usize| {
                let values = runs.iter().map(|run| of(run)[(row + 1) * every(run) - 1]);
                values.sum::<f64>() / runs.len() as f64
            };
            rows.map(at_end).collect::<Vec<f64>>()
        };
        let lengths = mean(|run| &run.queue);
        let busy = mean(|run| &run.busy);
        Self {
            row_seconds,
            inside: lengths
                .iter()
                .zip(busy)
                .map(|(waiting, busy)| waiting + busy)
                .collect(),
            lengths,
        }
    }

    fn time(&self, row: usize) -> f64 {
        (row + 1) as f64 * self.row_seconds
    }

    fn times(&self) -> Vec<f64> {
        (0..self.lengths.len()).map(|row| self.time(row)).collect()
    }
}

/// How many values to leave out at the start, by batches of five: so many that the squared standard
/// error of the mean of the rest, as if its batches were independent, is the least. None if that is
/// more than half of them, or if there are too few.
///
/// Source: White, Cobb, Spratt, *A comparison of five steady-state truncation heuristics for
/// simulation*, Winter Simulation Conference (2000).
fn mser5(values: &[f64]) -> Option<usize> {
    const BATCH: usize = 5;
    let batches: Vec<f64> = values
        .chunks_exact(BATCH)
        .map(|batch| batch.iter().sum::<f64>() / BATCH as f64)
        .collect();
    let count = batches.len();
    if count < 20 {
        return None;
    }
    let mut moments = Moments::default();
    let mut best = (f64::INFINITY, 0);
    // From the end, so that each start is one more value.
    for start in (0..count).rev() {
        moments.add(batches[start]);
        let rest = count - start;
        // The last few batches may be equal by chance.
        if rest >= 10 {
            let error = moments.standard_error().unwrap_or(f64::INFINITY);
            if error <= best.0 {
                best = (error, start);
            }
        }
    }
    (best.1 <= count / 2).then_some(best.1 * BATCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presets;

    #[test]
    fn a_start_that_differs_is_left_out_and_no_more() {
        // A thousand values around 10, the first hundred of them around 0.
        let noise = |n: usize| ((n * 7919) % 101) as f64 / 101.0 - 0.5;
        let values: Vec<f64> = (0..1000)
            .map(|n| if n < 100 { 0.0 } else { 10.0 } + noise(n))
            .collect();
        let left_out = mser5(&values).unwrap();
        assert!((100..200).contains(&left_out), "{left_out}");
        let steady: Vec<f64> = (0..1000).map(noise).collect();
        assert!(mser5(&steady).unwrap() < 100);
    }

    #[test]
    fn what_never_settles_has_no_warm_up() {
        let rising: Vec<f64> = (0..1000).map(f64::from).collect();
        assert_eq!(mser5(&rising), None);
        assert_eq!(mser5(&[1.0; 99]), None);
    }

    #[test]
    fn numbers_have_four_digits_that_count() {
        for (number, text) in [
            (0.0, "0"),
            (900.0, "900"),
            (4660.0, "4660"),
            (0.012_345_6, "0.01235"),
            (1.5, "1.5"),
            (-17.751, "-17.75"),
            (999_999.4, "999999"),
        ] {
            assert_eq!(short(number), text);
        }
    }

    #[test]
    fn too_few_runs_are_no_comparison() {
        let profile = presets::find("mm1").unwrap().profile();
        for count in [0.0, 9.0, 10.5, 201.0, f64::NAN] {
            let refused = Comparison::new(&profile, 1.0, count).err().unwrap();
            assert_eq!(refused.field, "count");
            assert!(refused.to_string().contains("from 10 to 200"), "{refused}");
        }
        assert!(Comparison::new(&profile, 4_294_967_286.0, 10.0).is_ok());
        let refused = Comparison::new(&profile, 4_294_967_287.0, 10.0)
            .err()
            .unwrap();
        assert_eq!(refused.field, "first_seed");
        assert!(compare(&profile, &[]).is_none());
    }

    #[test]
    fn slices_change_nothing_and_progress_never_goes_back() {
        let mut profile = presets::find("mm4-80").unwrap().profile();
        profile.run.max_requests = Some(2_000);
        let whole = {
            let mut all = Comparison::new(&profile, 3.0, 10.0).unwrap();
            while !all.advance(Limit::NONE) {}
            all.table().unwrap()
        };
        let mut sliced = Comparison::new(&profile, 3.0, 10.0).unwrap();
        let slice = Limit {
            polls: 700,
            ..Limit::NONE
        };
        let mut before = 0.0;
        while !sliced.advance(slice) {
            assert!(sliced.table().is_none() || sliced.done() == 10);
            assert!(sliced.progress() >= before);
            before = sliced.progress();
        }
        assert_eq!(sliced.progress(), 1.0);
        assert_eq!(sliced.table().unwrap(), whole);
        assert_eq!((whole.seeds, whole.runs), ([3, 12], 10));
    }
}
