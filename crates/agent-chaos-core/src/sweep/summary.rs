//! What a sweep comes to: each point over its seeds.
//!
//! The unit is the run. Means have their 95 % interval by Student's t, shares of runs have Wilson's.

use std::borrow::Cow;

use super::{FIGURES, Kind, METASTABLE, Plan, RECOVERED, Row, STATE, WORST_STATE};
use crate::detector::State;
use crate::statistics::{Estimate, Moments, Proportion};
use crate::wire::Node;

/// Which of [`FIGURES`] have a mean.
fn is_measured(index: usize) -> bool {
    matches!(FIGURES[index].kind, Kind::Whole | Kind::Real)
}

const MEASURED: usize = {
    let (mut index, mut count) = (0, 0);
    while index < FIGURES.len() {
        if matches!(FIGURES[index].kind, Kind::Whole | Kind::Real) {
            count += 1;
        }
        index += 1;
    }
    count
};

/// One figure over the runs of a point.
#[derive(Clone, Copy, Debug)]
struct Measured {
    moments: Moments,
    min: f64,
    max: f64,
}

const NOTHING: Measured = Measured {
    moments: Moments::NONE,
    min: f64::INFINITY,
    max: f64::NEG_INFINITY,
};

/// What is remembered of each run, in two bits each: no answer is 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome(u8);

impl Outcome {
    pub fn of(row: &Row) -> Self {
        let figures = row.figures();
        let state = |index: usize| match &figures[index] {
            Node::Text(name) => State::ALL.iter().position(|state| state.name() == name),
            _ => None,
        };
        let flag = |index: usize| match figures[index] {
            Node::Bool(answer) => Some(usize::from(answer)),
            _ => None,
        };
        let answers = [
            state(STATE),
            state(WORST_STATE),
            flag(RECOVERED),
            flag(METASTABLE),
        ];
        Self(answers.iter().fold(0, |all, answer| {
            all << 2 | answer.map_or(3, |answer| answer as u8)
        }))
    }

    fn answer(self, place: u8) -> Option<u8> {
        let answer = self.0 >> (6 - 2 * place) & 3;
        (answer < 3).then_some(answer)
    }

    pub fn state(self) -> Option<State> {
        self.answer(0).map(|state| State::ALL[usize::from(state)])
    }

    pub fn worst_state(self) -> Option<State> {
        self.answer(1).map(|state| State::ALL[usize::from(state)])
    }

    pub fn recovered(self) -> Option<bool> {
        self.answer(2).map(|answer| answer == 1)
    }

    pub fn metastable(self) -> Option<bool> {
        self.answer(3).map(|answer| answer == 1)
    }
}

/// Rows so far, by point. Memory goes with the points, and a byte for each run.
///
/// Rows may come in any order; that of the cells gives the same means to the last bit.
#[derive(Clone, Debug)]
pub struct Summary {
    seeds: usize,
    figures: Vec<[Measured; MEASURED]>,
    /// By cell; none before its row has come.
    outcomes: Vec<Option<Outcome>>,
    rows: u64,
}

impl Summary {
    /// Nothing yet.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        Self {
            seeds: plan.seeds as usize,
            figures: vec![[NOTHING; MEASURED]; plan.points as usize],
            outcomes: vec![None; plan.cells() as usize],
            rows: 0,
        }
    }

    /// Takes in the row of a cell; a cell counts once.
    ///
    /// # Panics
    ///
    /// If the row is one of another plan with more cells.
    pub fn add(&mut self, row: &Row) {
        let cell = row.cell as usize;
        if self.outcomes[cell].is_some() {
            return;
        }
        self.outcomes[cell] = Some(Outcome::of(row));
        self.rows += 1;
        let measured = row.figures().iter().enumerate();
        let measured = measured.filter(|&(index, _)| is_measured(index));
        for (slot, (_, node)) in self.figures[cell / self.seeds].iter_mut().zip(measured) {
            let value = match *node {
                Node::Whole(number) => number as f64,
                Node::Real(number) => number,
                _ => continue,
            };
            slot.moments.add(value);
            slot.min = slot.min.min(value);
            slot.max = slot.max.max(value);
        }
    }

    /// How many rows have come.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// What the rows of a point come to.
    ///
    /// # Panics
    ///
    /// If there is no such point.
    #[must_use]
    pub fn point(&self, point: u64) -> PointSummary<'_> {
        let first = point as usize * self.seeds;
        PointSummary {
            figures: &self.figures[point as usize],
            outcomes: &self.outcomes[first..first + self.seeds],
        }
    }

    /// Every point with its values, as plain data:
    /// `[{"values", "runs", "states", "worst_states", "recovered", "metastable", "figures"}]`.
    #[must_use]
    pub fn node(&self, plan: &Plan) -> Node {
        let points = (0..plan.points).map(|point| {
            let values = plan.axes.iter().zip(plan.values(point));
            let values =
                values.map(|(axis, value)| (axis.path().to_owned().into(), axis.node(value)));
            let mut fields = vec![("values".into(), Node::Fields(values.collect()))];
            fields.extend(self.point(point).fields());
            Node::Fields(fields)
        });
        Node::List(points.collect())
    }
}

/// A point over its seeds.
#[derive(Clone, Copy, Debug)]
pub struct PointSummary<'a> {
    figures: &'a [Measured; MEASURED],
    outcomes: &'a [Option<Outcome>],
}

impl<'a> PointSummary<'a> {
    /// How many of its runs are there.
    #[must_use]
    pub fn runs(&self) -> u64 {
        self.outcomes.iter().flatten().count() as u64
    }

    /// What is remembered of each run, by seed; none of one that is still to come.
    pub(crate) fn outcomes(&self) -> impl Iterator<Item = Option<Outcome>> + use<'a> {
        self.outcomes.iter().copied()
    }

    /// Of the runs that answer, the share with this answer.
    fn share(&self, place: u8, wanted: u8) -> Proportion {
        let answers = self.outcomes.iter().flatten();
        let (mut count, mut runs) = (0, 0);
        for answer in answers.filter_map(|outcome| outcome.answer(place)) {
            runs += 1;
            count += u64::from(answer == wanted);
        }
        Proportion::of(count, runs)
    }

    /// The share of runs with this resolved state, among those that have one.
    #[must_use]
    pub fn state(&self, state: State) -> Proportion {
        self.share(0, state as u8)
    }

    /// The share of runs whose worst state is this.
    #[must_use]
    pub fn worst_state(&self, state: State) -> Proportion {
        self.share(1, state as u8)
    }

    /// The share of runs that came back after their trigger, among those of which it is known.
    #[must_use]
    pub fn recovered(&self) -> Proportion {
        self.share(2, 1)
    }

    /// The share of metastable runs, among those of which it is known.
    #[must_use]
    pub fn metastable(&self) -> Proportion {
        self.share(3, 1)
    }

    /// The figures by their names; those that no run has are left out.
    pub fn figures(&self) -> impl Iterator<Item = (&'static str, Estimate)> + use<'a> {
        let names = FIGURES.iter().enumerate();
        let names = names.filter(|&(index, _)| is_measured(index));
        names
            .zip(self.figures)
            .filter_map(|((index, _), measured)| {
                let moments = measured.moments;
                let estimate = Estimate {
                    mean: moments.mean()?,
                    ci95: moments.half_width(),
                    min: measured.min,
                    max: measured.max,
                    runs: moments.runs(),
                };
                Some((FIGURES[index].name, estimate))
            })
    }

    /// A figure by its name.
    #[must_use]
    pub fn figure(&self, name: &str) -> Option<Estimate> {
        let mut figures = self.figures();
        figures.find(|(known, _)| *known == name).map(|(_, it)| it)
    }

    fn fields(&self) -> Vec<(Cow<'static, str>, Node)> {
        let shares = |of: &dyn Fn(State) -> Proportion| {
            let each = State::ALL
                .iter()
                .map(|&state| (state.name().into(), Node::of(&of(state))));
            Node::Fields(each.collect())
        };
        let known = |share: Proportion| {
            if share.runs == 0 {
                Node::Null
            } else {
                Node::of(&share)
            }
        };
        let figures = self
            .figures()
            .map(|(name, estimate)| (name.into(), Node::of(&estimate)));
        vec![
            ("runs".into(), Node::Whole(self.runs())),
            ("states".into(), shares(&|state| self.state(state))),
            (
                "worst_states".into(),
                shares(&|state| self.worst_state(state)),
            ),
            ("recovered".into(), known(self.recovered())),
            ("metastable".into(), known(self.metastable())),
            ("figures".into(), Node::Fields(figures.collect())),
        ]
    }
}
