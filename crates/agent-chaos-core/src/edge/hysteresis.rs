//! Hysteresis: whether it matters on which way a load was reached.
//!
//! ```text
//! goodput │        ╭─●──●──●╮ up: from fresh, each value held for a while
//!         │     ●──╯        ●
//!         │  ●─╯    ╭──●    ╰─●
//!         │ ╱   ●──●╯ down: from the highest value, in the state it led to
//!         └──────────────────── field
//! ```
//!
//! Each seed has two runs, one upward and one downward. In each the field has its first value at the start
//! and then, by interventions of the timeline, one after the other, each for `hold_seconds`. What is
//! measured at a value is its second half, so that what the step itself does has passed. Where both
//! runs of a seed differ at one value, the system remembers.

use std::ops::RangeInclusive;

use serde_json::{Value, json};

use super::{Place, Question, Tried};
use crate::detector::State;
use crate::profile::{Profile, SetField};
use crate::statistics::Moments;
use crate::sweep::Axis;
use crate::telemetry::Counts;
use crate::units::Instant;
use crate::wire::{self, Node, ProfileError};
use crate::{Limit, Run};

/// More values than this are no staircase any more.
const MOST_VALUES: usize = 200;

/// More seeds than this are none that anybody waits for.
const MOST_SEEDS: u64 = 100_000;

/// Not a field that a timeline can set, yet what a closed loop is varied by: further agents come and go.
const AGENTS: &str = "agents.count";

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the lowest value to the highest.
    Up,
    /// From the highest to the lowest.
    Down,
}

/// What is measured at a value: good answers per second, failed of ended, requests waiting, and the p95.
pub const MEASURES: [&str; 4] = [
    "goodput_per_second",
    "error_rate",
    "queue.mean",
    "latency_seconds.p95",
];

/// One value of one run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// In the order of [`MEASURES`]; none where it is undefined.
    pub measures: [Option<f64>; MEASURES.len()],
    /// The worst state in the measured time; none without a detector.
    pub worst_state: Option<State>,
}

/// Values of a field, up and down. See the [module](self).
#[derive(Clone, Debug)]
pub struct Staircase {
    base: Value,
    axis: Axis,
    /// In ascending order.
    values: Vec<f64>,
    hold_seconds: f64,
    seeds: RangeInclusive<u32>,
}

impl Staircase {
    /// The values of this axis, each held for so long, under all these seeds.
    ///
    /// # Errors
    ///
    /// [`ProfileError`] unless the field can change in a run, there are at least two values, each is held for
    /// twenty ticks at the least, there are two seeds or more, and the profile has no timeline of its own.
    pub fn new(
        base: &Profile,
        axis: Axis,
        hold_seconds: f64,
        seeds: RangeInclusive<u32>,
    ) -> Result<Self, ProfileError> {
        let refused = |field: &str, found: &str, accepted: &str| {
            Err(ProfileError::refused(field, found, accepted))
        };
        if axis.path() != AGENTS && !SetField::may_be_set(axis.path()) {
            let accepted = format!(
                "a field that may change in a run: {AGENTS}, {}",
                SetField::settable()
            );
            return refused(axis.pointer(), "a field that may not", &accepted);
        }
        let mut values = axis.values().to_vec();
        values.sort_by(f64::total_cmp);
        if !(2..=MOST_VALUES).contains(&values.len()) {
            let found = format!("{} values", values.len());
            let accepted = format!("2 to {MOST_VALUES} values");
            return refused(axis.pointer(), &found, &accepted);
        }
        if !base.timeline.is_empty() {
            let found = format!("{} entries", base.timeline.len());
            let accepted = "an empty timeline: its entries would be measured with the steps";
            return refused("/timeline", &found, accepted);
        }
        let least = 20.0 * base.telemetry.interval_seconds;
        if !(least..=1.0e6).contains(&hold_seconds) {
            let found = format!("each value held for {hold_seconds} s");
            let accepted = format!("{least} s (20 ticks) to 1000000 s");
            return refused("/run/duration_seconds", &found, &accepted);
        }
        let count = (u64::from(*seeds.end()) + 1).saturating_sub(u64::from(*seeds.start()));
        if !(2..=MOST_SEEDS).contains(&count) {
            let found = format!("seeds from {} to {}", seeds.start(), seeds.end());
            return refused("/seed", &found, &format!("2 to {MOST_SEEDS} seeds"));
        }
        let made = Self {
            base: wire::to_value(base),
            axis,
            values,
            hold_seconds,
            seeds,
        };
        made.profile(Way::Up, *made.seeds.start())?;
        made.profile(Way::Down, *made.seeds.start())?;
        Ok(made)
    }

    /// The values in ascending order.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The seeds, each of which has a run upward and one downward.
    #[must_use]
    pub fn seeds(&self) -> RangeInclusive<u32> {
        self.seeds.clone()
    }

    /// The values in the order of a way.
    fn order(&self, way: Way) -> Vec<f64> {
        let mut values = self.values.clone();
        if way == Way::Down {
            values.reverse();
        }
        values
    }

    /// The profile of a run.
    ///
    /// # Errors
    ///
    /// [`ProfileError`] if a value is not accepted.
    pub fn profile(&self, way: Way, seed: u32) -> Result<Profile, ProfileError> {
        let mut whole = self.base.clone();
        whole["seed"] = json!(seed);
        let (hold, count) = (self.hold_seconds, self.values.len());
        whole["run"]["duration_seconds"] = json!(hold * count as f64);
        whole["run"]["warmup_seconds"] = json!(0.0);
        whole["run"]["until"] = json!("duration");
        whole["run"]["max_requests"] = Value::Null;
        let path = self.axis.path();
        let order = self.order(way);
        let begins = |step: usize| hold * step as f64;
        let (first, timeline): (f64, Vec<Value>) = if path == AGENTS {
            // Those beyond the fewest come when their step begins and leave when it ends.
            let pairs = self.values.windows(2).enumerate();
            let entries = pairs.map(|(index, pair)| {
                let [at, lasts] = match way {
                    Way::Up => [json!(begins(index + 1)), Value::Null],
                    Way::Down => [json!(0.0), json!(begins(count - 1 - index))],
                };
                json!({
                    "at_seconds": at,
                    "for_seconds": lasts,
                    "traffic": { "arrivals_factor": 1.0, "extra_agents": self.axis.json(pair[1] - pair[0]) },
                })
            });
            (self.values[0], entries.collect())
        } else {
            let later = order[1..].iter().enumerate();
            let entries = later.map(|(index, &value)| {
                json!({ "at_seconds": begins(index + 1), "set": { "path": path, "value": value } })
            });
            (order[0], entries.collect())
        };
        wire::set_value(&mut whole, path, self.axis.json(first))?;
        whole["timeline"] = Value::Array(timeline);
        wire::from_value(whole)
    }

    /// A run that has not begun.
    ///
    /// # Errors
    ///
    /// As [`Staircase::profile`].
    pub fn climb(&self, way: Way, seed: u32) -> Result<Climb, ProfileError> {
        let profile = self.profile(way, seed)?;
        Ok(Climb {
            settles: profile.has_clients(),
            run: Run::new(&profile).alone(),
            hold_seconds: self.hold_seconds,
            count: self.values.len(),
            is_down: way == Way::Down,
            middle: None,
            steps: Vec::new(),
        })
    }

    /// What the runs of all seeds come to: for each seed its steps upward and downward, both in the order of
    /// [`Staircase::values`]. `question` is about the worst state in the measured time.
    ///
    /// # Panics
    ///
    /// If a run has other steps than there are values.
    #[must_use]
    pub fn outcome(&self, runs: &[[Vec<Step>; 2]], question: Question) -> Hysteresis {
        let path = self.axis.path().to_owned();
        let count = self.values.len();
        assert!(runs.iter().flatten().all(|steps| steps.len() == count));
        let branch = |way: usize| {
            let line = self.values.iter().enumerate().map(|(index, &value)| {
                let answers = runs.iter().map(|run| {
                    let worst = run[way][index].worst_state?;
                    match question {
                        Question::WorstState(state) | Question::State(state) => {
                            Some(worst >= state)
                        }
                        _ => None,
                    }
                });
                answers
                    .collect::<Option<Vec<bool>>>()
                    .map(|answers| Tried { value, answers })
            });
            let line: Option<Vec<Tried>> = line.collect();
            line.filter(|_| !runs.is_empty())
        };
        let levels = self.values.iter().enumerate().map(|(index, &value)| {
            let measured = (0..MEASURES.len()).map(|measure| {
                let mut sums = [Moments::NONE; 3];
                for run in runs {
                    let [up, down] = [0, 1].map(|way: usize| run[way][index].measures[measure]);
                    for (sum, value) in sums.iter_mut().zip([up, down]) {
                        if let Some(value) = value {
                            sum.add(value);
                        }
                    }
                    // Within the seed: what chance does to both cancels.
                    if let (Some(up), Some(down)) = (up, down) {
                        sums[2].add(down - up);
                    }
                }
                sums.map(|sum| Mean {
                    mean: sum.mean(),
                    ci95: sum.half_width(),
                })
            });
            Level {
                value,
                measures: measured.collect(),
            }
        });
        Hysteresis {
            path,
            question,
            levels: levels.collect(),
            branches: [branch(0), branch(1)],
        }
    }
}

/// One run, up or down.
pub struct Climb {
    run: Run,
    settles: bool,
    hold_seconds: f64,
    count: usize,
    is_down: bool,
    /// How things stood in the middle of the present value.
    middle: Option<Counts>,
    steps: Vec<Step>,
}

impl Climb {
    /// Goes on with at most so many polls. Whether it has ended.
    pub fn advance(&mut self, polls: u64) -> bool {
        if self.steps.len() == self.count {
            return true;
        }
        let half = self.hold_seconds / 2.0;
        let begins = self.hold_seconds * self.steps.len() as f64;
        let goal = if self.middle.is_some() { 2.0 } else { 1.0 };
        // What is due at the moment of the next step belongs to that.
        let at = Instant::from_seconds(begins + goal * half);
        let until = Instant::from_nanos(at.nanos() - 1);
        self.run.advance(Limit { until, polls });
        if self.run.now() < until && !self.run.is_finished() {
            return false;
        }
        match self.middle.take() {
            None => self.middle = Some(self.run.counts()),
            Some(middle) => self.finish_step(begins + half, begins + 2.0 * half, &middle),
        }
        self.steps.len() == self.count
    }

    fn finish_step(&mut self, from: f64, to: f64, middle: &Counts) {
        let counts = self.run.counts();
        let good = counts.ended_well(self.settles) - middle.ended_well(self.settles);
        let ended = counts.ended(self.settles) - middle.ended(self.settles);
        let (queue, p95, worst_state) = self.run.with_series(|series| {
            let column = |name: &str| series.column(name).unwrap_or_default();
            let times = column("time");
            let first = times.partition_point(|&time| time <= from);
            let last = times.partition_point(|&time| time < to);
            let mean = |name: &str| {
                let mut moments = Moments::NONE;
                let values = column(name).get(first..last).unwrap_or_default();
                for &value in values.iter().filter(|value| !value.is_nan()) {
                    moments.add(value);
                }
                moments.mean()
            };
            let states = column("state").get(first..last).unwrap_or_default();
            let worst = states.iter().copied().fold(f64::NAN, f64::max);
            let worst = (!worst.is_nan()).then(|| State::ALL[worst as usize]);
            (mean("queue"), mean("latency_p95"), worst)
        });
        self.steps.push(Step {
            measures: [
                Some(good as f64 / (to - from)),
                (ended > 0).then(|| (ended - good) as f64 / ended as f64),
                queue,
                p95,
            ],
            worst_state,
        });
    }

    /// How much is done, from 0 to 1.
    #[must_use]
    pub fn progress(&self) -> f64 {
        self.run.progress()
    }

    /// What was measured, in ascending order of the values, whichever way it went.
    #[must_use]
    pub fn into_steps(mut self) -> Vec<Step> {
        if self.is_down {
            self.steps.reverse();
        }
        self.steps
    }
}

/// A mean over seeds with half the width of its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mean {
    /// None if it is undefined in every run.
    pub mean: Option<f64>,
    /// None with fewer than two runs.
    pub ci95: Option<f64>,
}

impl Mean {
    fn is_beyond_chance(&self) -> bool {
        let differs = self.mean.zip(self.ci95);
        differs.is_some_and(|(mean, half)| mean.abs() > half)
    }

    fn node(self) -> Node {
        let real = |value: Option<f64>| value.map_or(Node::Null, Node::Real);
        Node::Fields(vec![
            ("mean".into(), real(self.mean)),
            ("ci95".into(), real(self.ci95)),
        ])
    }
}

/// A value on both ways.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    /// The value.
    pub value: f64,
    /// For each of [`MEASURES`]: upward, downward, and the difference downward − upward within seeds.
    pub measures: Vec<[Mean; 3]>,
}

/// Both branches.
#[derive(Clone, Debug, PartialEq)]
pub struct Hysteresis {
    /// The field.
    pub path: String,
    /// What was asked of each step.
    pub question: Question,
    /// By value, ascending.
    pub levels: Vec<Level>,
    /// Upward and downward, by value; none if steps have no answer.
    pub branches: [Option<Vec<Tried>>; 2],
}

impl Hysteresis {
    /// Where the edge lies upward and downward.
    #[must_use]
    pub fn edges(&self) -> [Option<Place>; 2] {
        [0, 1].map(|way: usize| self.branches[way].as_deref().map(Place::of))
    }

    /// The values at which goodput is another on the way down than on the way up, beyond the 95 % interval of the
    /// difference within seeds.
    #[must_use]
    pub fn remembered(&self) -> Vec<f64> {
        let differ = self
            .levels
            .iter()
            .filter(|level| level.measures[0][2].is_beyond_chance());
        differ.map(|level| level.value).collect()
    }

    /// Those of them at which it is lower on the way down, or higher.
    fn differing(&self, lower: bool) -> Vec<f64> {
        let differ = self.levels.iter().filter(|level| {
            let [.., difference] = level.measures[0];
            let is_there = difference.mean.is_some_and(|mean| (mean < 0.0) == lower);
            difference.is_beyond_chance() && is_there
        });
        differ.map(|level| level.value).collect()
    }

    /// As sentences.
    #[must_use]
    pub fn sentence(&self) -> String {
        let steps = |values: &[f64]| match values {
            [] => String::new(),
            [one] => format!("{} = {one}", self.path),
            [first, .., last] => format!(
                "{} values of {} from {first} to {last}",
                values.len(),
                self.path
            ),
        };
        let told = [(true, "lower"), (false, "higher")].map(|(lower, word)| {
            let values = self.differing(lower);
            (!values.is_empty())
                .then(|| format!("at {} goodput is {word} on the way down", steps(&values)))
        });
        let told: Vec<_> = told.into_iter().flatten().collect();
        let mut text = if told.is_empty() {
            "There is no hysteresis to be seen: at no value is goodput another on the way down than on the way up, beyond the 95 % interval of the difference within seeds.".to_owned()
        } else {
            format!(
                "There is hysteresis: {}, beyond the 95 % interval of the difference within seeds (which by chance alone one value in twenty would be).",
                told.join(", and ")
            )
        };
        for (way, place) in ["up", "down"].iter().zip(self.edges()) {
            if let Some(place) = place {
                let sentence = place.sentence(&self.path, self.question);
                text.push_str(&format!(" On the way {way}: {sentence}"));
            }
        }
        text
    }

    /// As plain data.
    #[must_use]
    pub fn node(&self) -> Node {
        let levels = self.levels.iter().enumerate().map(|(index, level)| {
            let mut fields = vec![("value".into(), Node::Real(level.value))];
            for (name, [up, down, difference]) in MEASURES.iter().zip(&level.measures) {
                let both = vec![
                    ("up".into(), up.node()),
                    ("down".into(), down.node()),
                    ("difference".into(), difference.node()),
                ];
                fields.push(((*name).into(), Node::Fields(both)));
            }
            let share = |way: usize| match &self.branches[way] {
                Some(line) => Node::of(&line[index].share()),
                None => Node::Null,
            };
            let shares = vec![("up".into(), share(0)), ("down".into(), share(1))];
            fields.push(("share".into(), Node::Fields(shares)));
            Node::Fields(fields)
        });
        let [up, down] = self
            .edges()
            .map(|place| place.map_or(Node::Null, |place| place.node()));
        Node::Fields(vec![
            ("path".into(), Node::Text(self.path.clone().into())),
            ("question".into(), Node::Text(self.question.name().into())),
            (
                "edges".into(),
                Node::Fields(vec![("up".into(), up), ("down".into(), down)]),
            ),
            (
                "remembered".into(),
                Node::List(self.remembered().into_iter().map(Node::Real).collect()),
            ),
            ("sentence".into(), Node::Text(self.sentence().into())),
            ("levels".into(), Node::List(levels.collect())),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presets;

    fn staircase(preset: &str, axis: &str, hold: f64, seeds: RangeInclusive<u32>) -> Staircase {
        let mut base = presets::find(preset).unwrap().profile();
        base.timeline = Vec::new();
        Staircase::new(&base, Axis::parse(axis).unwrap(), hold, seeds).unwrap()
    }

    fn climbed(stairs: &Staircase, question: Question) -> Hysteresis {
        let runs: Vec<_> = stairs
            .seeds()
            .map(|seed| {
                [Way::Up, Way::Down].map(|way| {
                    let mut climb = stairs.climb(way, seed).unwrap();
                    while !climb.advance(u64::MAX) {}
                    climb.into_steps()
                })
            })
            .collect();
        stairs.outcome(&runs, question)
    }

    const COLLAPSED: Question = Question::WorstState(State::Collapsed);

    /// Clients that give up after a second and ask three times keep one worker busy for nobody once its
    /// queue is longer than a second: at 50 of 100 per second both states last. Seeds 1 to 4; the
    /// difference is 50 per second of which the interval within seeds is a few.
    #[test]
    fn a_retry_storm_remembers_and_a_plain_queue_does_not() {
        let stairs = staircase(
            "retry-storm",
            "arrivals.rate_per_second=20..140:30",
            40.0,
            1..=4,
        );
        let storm = climbed(&stairs, COLLAPSED);
        assert_eq!(stairs.values(), [20.0, 50.0, 80.0, 110.0, 140.0]);
        assert!(storm.remembered().contains(&50.0), "{}", storm.sentence());
        let [up, down, difference] = storm.levels[1].measures[0];
        assert!((up.mean.unwrap() - 50.0).abs() < 3.0, "{up:?}");
        assert!(down.mean.unwrap() < 10.0, "{down:?}");
        let gap = down.mean.unwrap() - up.mean.unwrap();
        assert!((difference.mean.unwrap() - gap).abs() < 1e-9);
        assert!(storm.sentence().starts_with("There is hysteresis"));

        let stairs = staircase("mm1", "arrivals.rate_per_second=20..80:30", 60.0, 1..=4);
        let plain = climbed(&stairs, COLLAPSED);
        assert!(
            plain.sentence().starts_with("There is no hysteresis"),
            "{}",
            plain.sentence()
        );
    }

    #[test]
    fn agents_come_and_go_one_step_after_the_other() {
        let stairs = staircase("exp-002", "agents.count=300,100,200", 10.0, 1..=2);
        assert_eq!(stairs.values(), [100.0, 200.0, 300.0]);
        for way in [Way::Up, Way::Down] {
            let profile = stairs.profile(way, 1).unwrap();
            for (step, expected) in stairs.order(way).into_iter().enumerate() {
                let now = 10.0 * step as f64 + 5.0;
                let extra: u32 = profile
                    .timeline
                    .iter()
                    .filter(|entry| entry.at_seconds <= now && now < entry.end_seconds())
                    .map(|entry| entry.traffic.as_ref().unwrap().extra_agents)
                    .sum();
                assert_eq!(f64::from(100 + extra), expected, "{way:?} {step}");
            }
        }
        let both = climbed(&stairs, COLLAPSED);
        // Twice as many agents do not get twice as much from workers that are all busy.
        let failed = |index: usize| both.levels[index].measures[1][0].mean.unwrap();
        assert!(failed(0) < failed(1) && failed(1) < failed(2));
    }

    #[test]
    fn slices_change_nothing() {
        let stairs = staircase("exp-002", "workers.count=2..4", 10.0, 1..=2);
        let climb = |polls| {
            let mut climb = stairs.climb(Way::Down, 1).unwrap();
            while !climb.advance(polls) {}
            climb.into_steps()
        };
        assert_eq!(climb(100), climb(u64::MAX));
    }

    #[test]
    fn what_is_no_staircase_is_refused_with_its_field() {
        let base = presets::find("exp-002").unwrap().profile();
        let field = |axis: &str, hold, seeds, base: &Profile| {
            let made = Staircase::new(base, Axis::parse(axis).unwrap(), hold, seeds);
            made.unwrap_err().first().field.clone()
        };
        let agents = "agents.count=1..3";
        assert_eq!(
            field("telemetry.window_seconds=1..3", 9.0, 1..=2, &base),
            "/telemetry/window_seconds"
        );
        assert_eq!(field("agents.count=1", 9.0, 1..=2, &base), "/agents/count");
        assert_eq!(field(agents, 0.1, 1..=2, &base), "/run/duration_seconds");
        assert_eq!(
            field(agents, f64::NAN, 1..=2, &base),
            "/run/duration_seconds"
        );
        assert_eq!(field(agents, 9.0, 1..=1, &base), "/seed");
        assert_eq!(field(agents, 9.0, 0..=u32::MAX, &base), "/seed");
        assert_eq!(
            field("agents.count=0..2", 9.0, 1..=2, &base),
            "/agents/count"
        );
        let storm = presets::find("retry-storm").unwrap().profile();
        assert_eq!(field("workers.count=1..2", 9.0, 1..=2, &storm), "/timeline");
    }
}
