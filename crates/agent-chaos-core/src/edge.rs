//! The edge: where, along one field, a run tips over.
//!
//! ```text
//! share of seeds     1 ┤              ╭───●──●     bisection on the share finds where half of the
//! that collapse        │             ●             seeds tip, more values are tried where some do and
//!                    ½ ┤· · · · · · ╱ · · ·        some do not, and a logistic curve through all of
//!                      │           ●               them gives the 50 % point and its interval
//!                    0 ┤●──────●──╯
//!                      └────────────────── field
//! ```
//!
//! A [`Search`] is pure, as a sweep is: it says which values it wants to have tried, as a [`Plan`], and
//! is told the rows. The same analysis of a line of a finished sweep is [`boundaries`].
//!
//! How the interval is made, and why: see [`fit`].

use std::fmt;
use std::ops::RangeInclusive;

use crate::detector::State;
use crate::profile::Profile;
use crate::statistics::Proportion;
use crate::sweep::{Axis, MOST_CELLS, Outcome, Plan, Row, Summary};
use crate::wire::{Node, ProfileError};

pub mod fit;
pub mod hysteresis;

/// Fewer seeds than this say nothing of where half of them tip.
pub const LEAST_SEEDS: u64 = 5;

/// Bisection ends at this part of the range, or at a step of one for whole numbers.
const FINENESS: f64 = 1024.0;

/// So many values are tried where some seeds tip and some do not.
const FILLING: u32 = 7;

/// What is asked of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Was it in this state, or a worse one, at any time?
    WorstState(State),
    /// Is its resolved state this, or a worse one?
    State(State),
    /// Had it not come back after its trigger by the end of the run?
    NotRecovered,
    /// Did it stay down although the load was back at its base?
    Metastable,
}

impl Question {
    /// All of them by their names, the usual one first.
    pub const ALL: [(&'static str, Self); 6] = [
        ("state-collapsed", Self::State(State::Collapsed)),
        ("state-degraded", Self::State(State::Degraded)),
        ("worst-collapsed", Self::WorstState(State::Collapsed)),
        ("worst-degraded", Self::WorstState(State::Degraded)),
        ("not-recovered", Self::NotRecovered),
        ("metastable", Self::Metastable),
    ];

    /// A question by its name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|(known, _)| *known == name).map(|(_, it)| it)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        let mut all = Self::ALL.into_iter();
        all.find(|(_, known)| *known == self)
            .map_or("", |(name, _)| name)
    }

    /// What a run does of which the answer is yes, after "a run".
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::WorstState(State::Collapsed) => "collapses",
            Self::WorstState(_) => "degrades",
            Self::State(State::Collapsed) => "ends up COLLAPSED",
            Self::State(_) => "ends up DEGRADED or COLLAPSED",
            Self::NotRecovered => "does not recover",
            Self::Metastable => "is metastable",
        }
    }

    /// What a run needs to have an answer.
    fn needs(self) -> &'static str {
        match self {
            Self::WorstState(_) | Self::State(_) => {
                "runs with a detector and at least 200 counted ticks"
            }
            Self::NotRecovered | Self::Metastable => {
                "a timeline with an entry that ends, and time enough after it to tell"
            }
        }
    }

    pub(crate) fn of(self, outcome: Outcome) -> Option<bool> {
        match self {
            Self::WorstState(state) => outcome.worst_state().map(|worst| worst >= state),
            Self::State(state) => outcome.state().map(|it| it >= state),
            Self::NotRecovered => outcome.recovered().map(|came_back| !came_back),
            Self::Metastable => outcome.metastable(),
        }
    }
}

/// A value under all seeds: the answers, in the order of the seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct Tried {
    /// The value of the field.
    pub value: f64,
    /// Of each seed, whether it tipped.
    pub answers: Vec<bool>,
}

impl Tried {
    fn count(&self) -> usize {
        self.answers.iter().filter(|&&answer| answer).count()
    }

    /// Whether it is so in more than half of the runs.
    fn is_beyond_half(&self) -> bool {
        2 * self.count() > self.answers.len()
    }

    /// The share of runs that tipped.
    #[must_use]
    pub fn share(&self) -> Proportion {
        Proportion::of(self.count() as u64, self.answers.len() as u64)
    }
}

/// Where the edge lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place {
    /// In none of the runs, or in no more than half of them, at every value. The highest share, and
    /// where it is.
    Never {
        /// A value at which the share is highest.
        value: f64,
        /// The highest share.
        highest: Proportion,
    },
    /// In all of the runs, or in more than half of them, at every value.
    Always {
        /// A value at which the share is lowest.
        value: f64,
        /// The lowest share.
        lowest: Proportion,
    },
    /// Outcomes part so sharply that there is no best logistic curve: the steeper, the better. All that
    /// is known is an interval.
    Between {
        /// The last value on the low side at which all runs agree.
        from: f64,
        /// The first value on the high side at which all runs agree.
        to: f64,
        /// Whether it tips above; else below.
        above: bool,
    },
    /// The 50 % point of a logistic curve.
    At {
        /// The point.
        value: f64,
        /// Half the width of its 95 % interval.
        half_width: f64,
        /// How far it is from 10 % to 90 %.
        width: f64,
        /// Whether it tips above; else below.
        above: bool,
    },
    /// The share neither rises nor falls along the field beyond what chance does.
    Unclear,
}

impl Place {
    /// Where the edge lies on a line of values in ascending order.
    ///
    /// # Panics
    ///
    /// Without a value.
    #[must_use]
    pub fn of(line: &[Tried]) -> Self {
        let by_share = |one: &&Tried, other: &&Tried| one.count().cmp(&other.count());
        let lowest = line.iter().min_by(by_share).expect("a line has values");
        let highest = line.iter().max_by(by_share).expect("a line has values");
        if !highest.is_beyond_half() {
            return Self::Never {
                value: highest.value,
                highest: highest.share(),
            };
        }
        if lowest.is_beyond_half() {
            return Self::Always {
                value: lowest.value,
                lowest: lowest.share(),
            };
        }
        if let Some((above, [from, to])) = parted(line) {
            return Self::Between { from, to, above };
        }
        match fit::logistic(line) {
            Some(curve) if curve.is_steep() => Self::At {
                value: curve.middle,
                half_width: curve.half_width,
                width: curve.width,
                above: curve.rises,
            },
            _ => Self::Unclear,
        }
    }

    /// As plain data.
    #[must_use]
    pub fn node(&self) -> Node {
        let real = Node::Real;
        let fields: Vec<(&'static str, Node)> = match *self {
            Self::Never { value, highest } => vec![
                ("kind", Node::Text("never".into())),
                ("value", real(value)),
                ("highest", Node::of(&highest)),
            ],
            Self::Always { value, lowest } => vec![
                ("kind", Node::Text("always".into())),
                ("value", real(value)),
                ("lowest", Node::of(&lowest)),
            ],
            Self::Between { from, to, above } => vec![
                ("kind", Node::Text("between".into())),
                ("from", real(from)),
                ("to", real(to)),
                ("above", Node::Bool(above)),
            ],
            Self::At {
                value,
                half_width,
                width,
                above,
            } => vec![
                ("kind", Node::Text("at".into())),
                ("value", real(value)),
                ("ci95", real(half_width)),
                ("width_10_to_90", real(width)),
                ("above", Node::Bool(above)),
            ],
            Self::Unclear => vec![("kind", Node::Text("unclear".into()))],
        };
        Node::Fields(
            fields
                .into_iter()
                .map(|(name, node)| (name.into(), node))
                .collect(),
        )
    }

    /// As a sentence about this field of a profile.
    #[must_use]
    pub fn sentence(&self, path: &str, question: Question) -> String {
        let verb = question.words();
        let side = |above| if above { "above" } else { "below" };
        match *self {
            Self::Never { value, highest } if highest.count == 0 => format!(
                "In the range, no run {verb}: none of {} at any value (95 % interval up to {}), tried up to {path} = {}.",
                highest.runs,
                percent(highest.high),
                number(value, 6)
            ),
            Self::Never { value, highest } => format!(
                "In the range, never more than half of the runs {}: {} of {} at the most, at {path} = {}.",
                plural(verb),
                highest.count,
                highest.runs,
                number(value, 6)
            ),
            Self::Always { lowest, .. } if lowest.count == lowest.runs => format!(
                "In the range, every run {verb}: {} of {} at every value (95 % interval from {}).",
                lowest.count,
                lowest.runs,
                percent(lowest.low)
            ),
            Self::Always { value, lowest } => format!(
                "In the range, always more than half of the runs {}: {} of {} at the least, at {path} = {}.",
                plural(verb),
                lowest.count,
                lowest.runs,
                number(value, 6)
            ),
            Self::Between { from, to, above } => format!(
                "A run {verb} {} the edge between {path} = {} and {}. Outcomes part too sharply for a curve, so that there is no finer interval.",
                side(above),
                number(from, 6),
                number(to, 6)
            ),
            Self::At {
                value,
                half_width,
                width,
                above,
            } => {
                let [value, half] = with_its_error(value, half_width);
                format!(
                    "A run {verb} {} {path} = {value} ± {half} (95 %): there it is half of the seeds, from 10 % to 90 % within {}.",
                    side(above),
                    number(width, 3)
                )
            }
            Self::Unclear => format!(
                "How often a run {verb} neither rises nor falls with {path} beyond what chance does: there is no edge to tell."
            ),
        }
    }
}

/// "collapses" of many runs.
fn plural(verb: &str) -> String {
    let (first, rest) = verb.split_once(' ').unwrap_or((verb, ""));
    let first = match first {
        "does" => "do",
        "is" => "are",
        first => first.strip_suffix('s').unwrap_or(first),
    };
    format!("{first} {rest}").trim_end().to_owned()
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// So many significant digits at the most, without superfluous zeros.
fn number(value: f64, digits: usize) -> String {
    let rounded: f64 = format!("{value:.*e}", digits - 1).parse().unwrap_or(value);
    format!("{rounded}")
}

/// A value and its error: two digits of the latter, and as many decimals of the value.
fn with_its_error(value: f64, error: f64) -> [String; 2] {
    let (mut decimals, mut scaled) = (0, error);
    while scaled < 10.0 && scaled > 0.0 && decimals < 15 {
        decimals += 1;
        scaled *= 10.0;
    }
    [value, error].map(|number| format!("{number:.decimals$}"))
}

/// Whether all runs on one side of a value answer no and all on the other side yes, mixed at no more than
/// one value: then a curve fits the better the steeper it is. Whether yes is above, and the
/// nearest values on both sides at which all agree.
fn parted(line: &[Tried]) -> Option<(bool, [f64; 2])> {
    let all = |answer: bool, tried: &Tried| tried.answers.iter().all(|&it| it == answer);
    [true, false].into_iter().find_map(|above| {
        let before = line.iter().take_while(|tried| all(!above, tried)).count();
        let after = line
            .iter()
            .rev()
            .take_while(|tried| all(above, tried))
            .count();
        let mixed = line.len().checked_sub(before + after)?;
        // Where no value on a side is unanimous, the interval has no end there: the range is its end.
        let from = line[before.saturating_sub(1)].value;
        let to = line[(line.len() - after).min(line.len() - 1)].value;
        (mixed <= 1 && before + after > 0).then_some((above, [from, to]))
    })
}

/// The edge on one line of a sweep: the field that `axis` varies, the others as they are there.
#[derive(Clone, Debug, PartialEq)]
pub struct Boundary {
    /// Values of the other axes, in their order.
    pub others: Vec<f64>,
    /// Where the edge lies.
    pub place: Place,
}

/// Where the edge lies along an axis of a sweep, for each combination of the others' values; points of
/// which a run is still to come, or has no answer, are left out, and so is a line without any point.
///
/// # Panics
///
/// If there is no such axis.
#[must_use]
pub fn boundaries(
    plan: &Plan,
    summary: &Summary,
    axis: usize,
    question: Question,
) -> Vec<Boundary> {
    let lengths = plan.axes().iter().map(|axis| axis.values().len() as u64);
    let lengths: Vec<u64> = lengths.collect();
    // Points that differ in this axis alone are so far apart, and so many.
    let (apart, many) = (lengths[axis + 1..].iter().product::<u64>(), lengths[axis]);
    let firsts = (0..plan.points()).filter(|point| point / apart % many == 0);
    let lines = firsts.map(|first| {
        let mut others = plan.values(first);
        others.remove(axis);
        let points = (0..many).map(|index| first + index * apart);
        let line = points.filter_map(|point| {
            let outcomes = summary.point(point).outcomes();
            let answers: Option<Vec<bool>> = outcomes
                .map(|outcome| outcome.and_then(|outcome| question.of(outcome)))
                .collect();
            let value = plan.values(point)[axis];
            answers.map(|answers| Tried { value, answers })
        });
        (others, line.collect::<Vec<_>>())
    });
    lines
        .filter(|(_, line)| !line.is_empty())
        .map(|(others, mut line)| {
            line.sort_by(|one, other| one.value.total_cmp(&other.value));
            Boundary {
                others,
                place: Place::of(&line),
            }
        })
        .collect()
}

/// What a search is at.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    /// Both ends.
    Ends,
    /// Both ends agree: a few values between them.
    Looking,
    /// Half lies between these.
    Bisecting([f64; 2]),
    /// Values where some seeds tip and some do not.
    Filling,
    Done,
}

/// What was found, once everything has been tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// The field.
    pub path: String,
    /// What was asked.
    pub question: Question,
    /// Where it lies.
    pub place: Place,
    /// What was tried, in ascending order.
    pub tried: Vec<Tried>,
    /// From this value on the answers are on the first side again, which [`Edge::place`] is not about.
    pub back_at: Option<f64>,
}

impl Edge {
    /// How many runs that took.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.tried.iter().map(|tried| tried.answers.len()).sum()
    }

    /// As a sentence or two.
    #[must_use]
    pub fn sentence(&self) -> String {
        let mut text = self.place.sentence(&self.path, self.question);
        if let Place::Between { from, to, .. } = self.place {
            let ends = [from, to].map(|end| {
                let tried = self.tried.iter().find(|tried| tried.value == end);
                tried.map_or(String::new(), |tried| {
                    let Proportion { count, runs, .. } = tried.share();
                    format!("{count} of {runs} at {}", number(end, 6))
                })
            });
            text.push_str(&format!(" It was so in {}.", ends.join(" and ")));
        }
        if let Some(back_at) = self.back_at {
            text.push_str(&format!(
                " At {} it is as at the low end again: there is another edge, which this one is not about.",
                number(back_at, 6)
            ));
        }
        text
    }

    /// As plain data.
    #[must_use]
    pub fn node(&self) -> Node {
        let tried = self.tried.iter().map(|tried| {
            Node::Fields(vec![
                ("value".into(), Node::Real(tried.value)),
                ("share".into(), Node::of(&tried.share())),
            ])
        });
        Node::Fields(vec![
            ("path".into(), Node::Text(self.path.clone().into())),
            ("question".into(), Node::Text(self.question.name().into())),
            ("edge".into(), self.place.node()),
            (
                "back_at".into(),
                self.back_at.map_or(Node::Null, Node::Real),
            ),
            ("runs".into(), Node::Whole(self.runs() as u64)),
            ("sentence".into(), Node::Text(self.sentence().into())),
            ("tried".into(), Node::List(tried.collect())),
        ])
    }
}

/// Looks for the edge along one field; see the [module](self).
pub struct Search {
    base: Profile,
    path: String,
    range: [f64; 2],
    is_whole: bool,
    seeds: RangeInclusive<u32>,
    question: Question,
    stage: Stage,
    /// What is to be run now.
    plan: Option<Plan>,
    tried: Vec<Tried>,
    /// The end of what the edge is sought in, where the answers turn back beyond it.
    turns: Option<[f64; 2]>,
}

impl fmt::Debug for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, stage, .. } = self;
        write!(f, "Search {{ {path}, {stage:?} }}")
    }
}

impl Search {
    /// A search along a numeric field from `low` to `high`, each value under all these seeds, whatever the
    /// profile's own seed is.
    ///
    /// # Errors
    ///
    /// [`ProfileError`] if the field cannot vary, an end is not accepted there, the range has no length,
    /// or there are fewer than [`LEAST_SEEDS`] seeds.
    pub fn new(
        base: &Profile,
        path: &str,
        [low, high]: [f64; 2],
        seeds: RangeInclusive<u32>,
        question: Question,
    ) -> Result<Self, ProfileError> {
        let ends = Axis::of_values(path, &[low])?;
        if low >= high {
            return Err(ProfileError::refused(
                ends.pointer(),
                format!("{low}..{high}"),
                "a range A..B with A below B",
            ));
        }
        let count = seeds.clone().count() as u64;
        if count < LEAST_SEEDS {
            let found = format!("{count} {}", if count == 1 { "seed" } else { "seeds" });
            let accepted = format!("at least {LEAST_SEEDS} seeds: with fewer there is no half");
            return Err(ProfileError::refused("/seed", found, accepted));
        }
        let mut search = Self {
            base: base.clone(),
            path: path.to_owned(),
            range: [low, high],
            is_whole: ends.is_whole(),
            seeds,
            question,
            stage: Stage::Ends,
            plan: None,
            tried: Vec::new(),
            turns: None,
        };
        search.plan = search.plan_of(&[low, high])?;
        if let Some(plan) = &search.plan {
            plan.check()?;
        }
        Ok(search)
    }

    /// A plan of those values that have not been tried.
    fn plan_of(&self, values: &[f64]) -> Result<Option<Plan>, ProfileError> {
        let mut fresh: Vec<f64> = Vec::new();
        for &value in values {
            let value = if self.is_whole { value.round() } else { value };
            let is_known = self.tried.iter().any(|tried| tried.value == value);
            if !is_known && !fresh.contains(&value) {
                fresh.push(value);
            }
        }
        if fresh.is_empty() {
            return Ok(None);
        }
        let axis = Axis::of_values(&self.path, &fresh)?;
        let plan = Plan::new(&self.base, vec![axis], self.seeds.clone(), MOST_CELLS)?;
        Ok(Some(plan))
    }

    /// What is to be run now; none when everything has been tried.
    #[must_use]
    pub fn plan(&self) -> Option<&Plan> {
        self.plan.as_ref()
    }

    /// What has been tried so far, in ascending order.
    #[must_use]
    pub fn tried(&self) -> &[Tried] {
        &self.tried
    }

    /// How much is still to come, in runs, at the most.
    #[must_use]
    pub fn runs_left(&self) -> u64 {
        let bisections = |[low, high]: [f64; 2]| {
            let (mut count, mut length) = (0, high - low);
            while length > self.least_step() {
                count += 1;
                length /= 2.0;
            }
            count
        };
        let filling = u64::from(FILLING);
        let present = self.plan.as_ref().map_or(0, |plan| plan.points().max(1));
        let values = match self.stage {
            Stage::Ends | Stage::Looking => present + bisections(self.range) + filling,
            Stage::Bisecting(bounds) => present + bisections(bounds).saturating_sub(1) + filling,
            Stage::Filling => present,
            Stage::Done => 0,
        };
        values * self.seeds.clone().count() as u64
    }

    fn least_step(&self) -> f64 {
        if self.is_whole {
            1.0
        } else {
            (self.range[1] - self.range[0]) / FINENESS
        }
    }

    /// Takes in the rows of the [plan](Search::plan), all of them, and goes on to the next.
    ///
    /// # Errors
    ///
    /// [`ProfileError`] if a run has no answer, or a value between the ends is not accepted.
    ///
    /// # Panics
    ///
    /// If it has been told everything, or if rows are missing.
    pub fn tell(&mut self, rows: &[Row]) -> Result<(), ProfileError> {
        let plan = self
            .plan
            .take()
            .expect("a search is told what it asked for");
        let mut answers = vec![None; plan.cells() as usize];
        for row in rows {
            let answer = self.question.of(Outcome::of(row));
            if answer.is_none() {
                let value = plan.values(plan.point_of(row.cell))[0];
                let seed = plan.seed_of(row.cell);
                return Err(ProfileError::refused(
                    plan.axes()[0].pointer(),
                    format!(
                        "{value}, at which the run with seed {seed} has no answer to whether it {}",
                        self.question.words()
                    ),
                    self.question.needs(),
                ));
            }
            answers[row.cell as usize] = answer;
        }
        let answers: Option<Vec<bool>> = answers.into_iter().collect();
        let answers = answers.expect("every cell of the plan has its row");
        let seeds = answers.len() / plan.points() as usize;
        for (point, answers) in answers.chunks(seeds).enumerate() {
            self.tried.push(Tried {
                value: plan.values(point as u64)[0],
                answers: answers.to_vec(),
            });
        }
        self.tried
            .sort_by(|one, other| one.value.total_cmp(&other.value));
        self.go_on()
    }

    /// Finds out what to try next.
    fn go_on(&mut self) -> Result<(), ProfileError> {
        loop {
            match self.stage {
                Stage::Ends => match self.crossing() {
                    Some(bounds) => self.stage = Stage::Bisecting(bounds),
                    None => {
                        self.stage = Stage::Looking;
                        let [low, high] = self.range;
                        let quarter = (high - low) / 4.0;
                        let values = [low + quarter, low + 2.0 * quarter, high - quarter];
                        self.plan = self.plan_of(&values)?;
                    }
                },
                Stage::Looking => {
                    self.stage = match self.crossing() {
                        Some(bounds) => Stage::Bisecting(bounds),
                        None => Stage::Done,
                    };
                }
                Stage::Bisecting(_) => {
                    // The same crossing as before, with what has been tried since.
                    let Some([low, high]) = self.crossing() else {
                        self.stage = Stage::Done;
                        continue;
                    };
                    if high - low > self.least_step() {
                        self.stage = Stage::Bisecting([low, high]);
                        let middle = low + (high - low) / 2.0;
                        let middle = if self.is_whole {
                            middle.floor()
                        } else {
                            middle
                        };
                        self.plan = self.plan_of(&[middle])?;
                    }
                    if self.plan.is_none() {
                        self.stage = Stage::Filling;
                        let values = self.mixed();
                        self.plan = self.plan_of(&values)?;
                    }
                }
                Stage::Filling => self.stage = Stage::Done,
                Stage::Done => return Ok(()),
            }
            if self.plan.is_some() {
                return Ok(());
            }
        }
    }

    /// The first two neighbours of which one is beyond half and the other is not.
    fn crossing(&mut self) -> Option<[f64; 2]> {
        let pairs = self.tried.windows(2);
        let mut pairs = pairs.filter(|pair| pair[0].is_beyond_half() != pair[1].is_beyond_half());
        let first = pairs.next()?;
        if self.stage == Stage::Looking
            && let Some(second) = pairs.next()
        {
            self.turns = Some([second[0].value, second[1].value]);
        }
        Some([first[0].value, first[1].value])
    }

    /// What the edge is sought in.
    fn line(&self) -> &[Tried] {
        let end = self.turns.map_or(f64::INFINITY, |[last, _]| last);
        let count = self.tried.partition_point(|tried| tried.value <= end);
        &self.tried[..count]
    }

    /// Values between the nearest ones at which all seeds agree.
    fn mixed(&self) -> Vec<f64> {
        let line = self.line();
        let (Some(first), Some(last)) = (line.first(), line.last()) else {
            return Vec::new();
        };
        let agree = |tried: &&Tried, as_at: &Tried| {
            let answer = as_at.is_beyond_half();
            tried.answers.iter().all(|&it| it == answer)
        };
        let low = line.iter().take_while(|it| agree(it, first)).last();
        let high = line.iter().rev().take_while(|it| agree(it, last)).last();
        let low = low.unwrap_or(first).value;
        let high = high.unwrap_or(last).value;
        let step = (high - low) / f64::from(FILLING + 1);
        if step <= 0.0 {
            return Vec::new();
        }
        (1..=FILLING)
            .map(|index| low + f64::from(index) * step)
            .collect()
    }

    /// What was found; none until everything has been tried.
    #[must_use]
    pub fn edge(&self) -> Option<Edge> {
        (self.stage == Stage::Done).then(|| Edge {
            path: self.path.clone(),
            question: self.question,
            place: Place::of(self.line()),
            tried: self.tried.clone(),
            back_at: self.turns.map(|[_, back]| back),
        })
    }
}

#[cfg(test)]
mod tests;
