//! Sweeps: one profile with some fields varied, each point of the grid under several seeds.
//!
//! ```text
//! base profile ┐
//! axes         ├─► Plan ─► cell 0, 1, 2, … ─► (a run of each) ─► Row ─► Summary
//! seeds        ┘             any of them, anywhere, in any order
//! ```
//!
//! A plan is pure: no thread, no clock, no file. Whoever has it can run any of its cells by itself, and
//! rows that were made on different machines are those of one sweep when their plans have the same
//! [`id`](Plan::id).
//!
//! **Order of the cells.** The first axis is the slowest, then the second, and so on; seeds are the
//! fastest. With axes of `n₁, n₂` values and `s` seeds, the cell of values `(i₁, i₂)` and the `k`-th
//! seed has the number `(i₁ · n₂ + i₂) · s + k`. The values of an axis are in the order in which they
//! were given. A *point* is a combination of values: its cells are neighbours.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

use serde_json::Value;

use crate::profile::Profile;
use crate::report::Report;
use crate::wire::{self, Node, ProfileError};
use crate::{ENGINE_REVISION, ENGINE_VERSION};

mod axis;
mod cells;
mod summary;

pub use axis::Axis;
pub use cells::Cells;
pub(crate) use summary::Outcome;
pub use summary::{PointSummary, Summary};

/// A plan has at most so many cells.
pub const MOST_CELLS: u64 = 1_000_000;

/// A plan has at most so many axes.
pub const MOST_AXES: usize = 8;

/// What a column of a row holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Whole numbers from 0 on.
    Whole,
    /// Numbers.
    Real,
    /// Texts.
    Text,
    /// Yes or no.
    Flag,
}

/// A column of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column<'a> {
    /// The dotted path within the profile or the report.
    pub name: &'a str,
    /// `s`, `1/s`, `ratio`, `{request}`, …; empty where there is none.
    pub unit: &'static str,
    /// What it holds. Every column of figures may also hold nothing: what is undefined.
    pub kind: Kind,
    /// What it is.
    pub about: &'static str,
}

const fn column(
    name: &'static str,
    unit: &'static str,
    kind: Kind,
    about: &'static str,
) -> Column<'static> {
    Column {
        name,
        unit,
        kind,
        about,
    }
}

/// What comes first in each row, before the values of the axes.
const PLACE: [Column<'static>; 3] = [
    column("plan", "", Kind::Text, "Which sweep the row belongs to"),
    column("cells", "", Kind::Whole, "How many cells that sweep has"),
    column("cell", "", Kind::Whole, "The number of the cell, from 0"),
];

/// What follows the values.
const SEED: Column<'static> = column("seed", "", Kind::Whole, "The seed of the run");

/// What a run comes to, as the report names it. [`measures`] gives the values in the same order.
pub const FIGURES: [Column<'static>; 23] = [
    column("digest", "", Kind::Text, "Over everything that happened"),
    column("state", "", Kind::Text, "The resolved state"),
    column("worst_state", "", Kind::Text, "The worst state at any time"),
    column("final_state", "", Kind::Text, "The state at the end"),
    column(
        "state_share.STABLE",
        "ratio",
        Kind::Real,
        "Share of the counted time",
    ),
    column(
        "state_share.DEGRADED",
        "ratio",
        Kind::Real,
        "Share of the counted time",
    ),
    column(
        "state_share.COLLAPSED",
        "ratio",
        Kind::Real,
        "Share of the counted time",
    ),
    column(
        "requests.created",
        "{request}",
        Kind::Whole,
        "Created in the counted time",
    ),
    column("error_rate", "ratio", Kind::Real, "Failed of created"),
    column(
        "throughput_per_second",
        "1/s",
        Kind::Real,
        "Services ended, of any outcome",
    ),
    column("goodput_per_second", "1/s", Kind::Real, "Good answers"),
    column("latency_seconds.mean", "s", Kind::Real, "Mean latency"),
    column("latency_seconds.p50", "s", Kind::Real, "Median latency"),
    column("latency_seconds.p95", "s", Kind::Real, "95 % are faster"),
    column("latency_seconds.p99", "s", Kind::Real, "99 % are faster"),
    column(
        "queue.mean",
        "{request}",
        Kind::Real,
        "Waiting, time average",
    ),
    column("queue.max", "{request}", Kind::Whole, "Waiting at the most"),
    column(
        "utilization",
        "ratio",
        Kind::Real,
        "Busy of available worker-seconds",
    ),
    column(
        "clients.amplification",
        "ratio",
        Kind::Real,
        "Sends per request; nothing without clients",
    ),
    column(
        "worker_seconds.amplification",
        "ratio",
        Kind::Real,
        "Work per useful work; nothing without mechanisms beyond the plain queue",
    ),
    column(
        "recovery.recovered",
        "",
        Kind::Flag,
        "Whether it came back after its trigger; nothing without one",
    ),
    column(
        "recovery.seconds_after_trigger",
        "s",
        Kind::Real,
        "How long that took",
    ),
    column(
        "recovery.metastable",
        "",
        Kind::Flag,
        "Whether it stayed down although the load was back at its base",
    ),
];

/// Places within [`FIGURES`].
pub(crate) const STATE: usize = 1;
pub(crate) const WORST_STATE: usize = 2;
pub(crate) const RECOVERED: usize = 20;
pub(crate) const METASTABLE: usize = 22;

fn whole(number: impl Into<u64>) -> Node {
    Node::Whole(number.into())
}

fn real(number: Option<f64>) -> Node {
    number.map_or(Node::Null, Node::Real)
}

fn flag(answer: Option<bool>) -> Node {
    answer.map_or(Node::Null, Node::Bool)
}

/// The values of a report in the order of [`FIGURES`].
#[must_use]
pub fn measures(report: &Report) -> [Node; FIGURES.len()] {
    let state = |state: Option<crate::detector::State>| {
        state.map_or(Node::Null, |state| Node::Text(state.name().into()))
    };
    let latency = report.latency_seconds;
    let shares = report.worst_state.map(|_| report.state_share);
    let clients = report.clients.as_ref();
    let work = report.worker_seconds.as_ref();
    let recovery = report.recovery.as_ref();
    [
        Node::Text(report.digest.clone().into()),
        state(report.state),
        state(report.worst_state),
        state(report.final_state),
        real(shares.map(|shares| shares.stable)),
        real(shares.map(|shares| shares.degraded)),
        real(shares.map(|shares| shares.collapsed)),
        whole(report.requests.created),
        real(report.error_rate),
        real(Some(report.throughput_per_second)),
        real(Some(report.goodput_per_second)),
        real(latency.map(|latency| latency.mean)),
        real(latency.map(|latency| latency.p50)),
        real(latency.map(|latency| latency.p95)),
        real(latency.map(|latency| latency.p99)),
        real(Some(report.queue.mean)),
        whole(report.queue.max),
        real(Some(report.utilization)),
        real(clients.and_then(|clients| clients.amplification)),
        real(work.and_then(|work| work.amplification)),
        flag(recovery.and_then(|recovery| recovery.recovered)),
        real(recovery.and_then(|recovery| recovery.seconds_after_trigger)),
        flag(recovery.and_then(|recovery| recovery.metastable)),
    ]
}

/// What a run of a cell came to: one value for each column of the plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The number of its cell.
    pub cell: u64,
    /// In the order of [`Plan::columns`].
    pub values: Vec<Node>,
}

impl Row {
    /// The figures, in the order of [`FIGURES`].
    #[must_use]
    pub fn figures(&self) -> &[Node] {
        &self.values[self.values.len() - FIGURES.len()..]
    }
}

/// The columns of the rows of a sweep over these fields: which sweep and which cell, the values, the
/// seed, and [`FIGURES`]. Every written form has these columns in this order.
#[must_use]
pub fn columns(axes: &[Axis]) -> Vec<Column<'_>> {
    let fields = axes.iter().map(Axis::column);
    let place = PLACE.into_iter().chain(fields);
    place.chain([SEED]).chain(FIGURES).collect()
}

/// One run of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Its number.
    pub number: u64,
    /// A value of each axis.
    pub values: Vec<f64>,
    /// The seed.
    pub seed: u32,
    /// All of it, ready to be run.
    pub profile: Profile,
}

/// What all cells of a plan cost together, an upper estimate.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Requests created.
    pub requests: f64,
    /// Records in the event streams.
    pub events: f64,
    /// Memory of the hungriest run, in bytes.
    pub memory_bytes: f64,
    /// Which point that is.
    pub hungriest: u64,
}

/// What is to be run: a profile, the fields that vary, the seeds. See the [module](self).
#[derive(Clone, Debug)]
pub struct Plan {
    base: Value,
    axes: Vec<Axis>,
    first_seed: u32,
    seeds: u64,
    points: u64,
    id: String,
}

impl Plan {
    /// A plan of these axes over this profile, each point under each of these seeds, whatever the
    /// profile's own seed is. Fields that the axes lead to are switched on if they were off. Nothing
    /// is known yet of the profiles of its points: [`Plan::check`] looks at all of them.
    ///
    /// # Errors
    ///
    /// [`ProfileError`] without an axis or with too many, if two axes vary one field, if the seeds are
    /// none, or if there are more than `most_cells` cells ([`MOST_CELLS`] at the most).
    pub fn new(
        base: &Profile,
        axes: Vec<Axis>,
        seeds: RangeInclusive<u32>,
        most_cells: u64,
    ) -> Result<Self, ProfileError> {
        let count = axes.len();
        if count == 0 || count > MOST_AXES {
            let accepted = format!("1 to {MOST_AXES} fields to vary");
            return Err(ProfileError::refused("", format!("{count}"), accepted));
        }
        for (index, axis) in axes.iter().enumerate() {
            if axes[..index]
                .iter()
                .any(|other| other.path() == axis.path())
            {
                return Err(ProfileError::refused(
                    axis.pointer(),
                    "a field that is varied twice",
                    "each field once",
                ));
            }
        }
        let (first, last) = (*seeds.start(), *seeds.end());
        if seeds.is_empty() {
            return Err(ProfileError::refused(
                "/seed",
                format!("seeds from {first} to {last}"),
                "A..B with 0 <= A <= B <= 4294967295",
            ));
        }
        let seeds = u64::from(last - first) + 1;
        let most_cells = most_cells.min(MOST_CELLS);
        // Of many long axes, the product is more than any number holds; it does not have to be exact.
        let points = axes.iter().fold(1_u64, |all, axis| {
            all.saturating_mul(axis.values().len() as u64)
        });
        let cells = points.saturating_mul(seeds);
        if cells > most_cells {
            return Err(ProfileError::refused(
                "",
                format!("{cells} runs: {points} points under {seeds} seeds each"),
                format!("at most {most_cells}"),
            ));
        }
        let base = wire::to_value(base);
        let mut plan = Self {
            base,
            axes,
            first_seed: first,
            seeds,
            points,
            id: String::new(),
        };
        plan.id = format!("{:016x}", wire::hash_of(plan.identity().as_bytes()));
        Ok(plan)
    }

    /// Everything that decides the rows.
    fn identity(&self) -> String {
        let mut base = self.base.clone();
        base["seed"] = Value::from(0);
        let mut text = format!(
            "{ENGINE_VERSION} {ENGINE_REVISION} {} {} {base}",
            self.first_seed, self.seeds
        );
        for axis in &self.axes {
            let _ = write!(text, " {} {:?}", axis.path(), axis.values());
        }
        for column in &FIGURES {
            let _ = write!(text, " {}", column.name);
        }
        text
    }

    /// 16 hex digits over everything that decides the rows: the profile, the axes, the seeds, the
    /// columns, and the version of the engine.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The fields that vary.
    #[must_use]
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// The seeds of each point.
    #[must_use]
    pub fn seeds(&self) -> RangeInclusive<u32> {
        self.first_seed..=self.seed(self.seeds - 1)
    }

    /// How many combinations of values there are.
    #[must_use]
    pub fn points(&self) -> u64 {
        self.points
    }

    /// How many runs there are.
    #[must_use]
    pub fn cells(&self) -> u64 {
        self.points * self.seeds
    }

    /// The point that a cell belongs to.
    #[must_use]
    pub fn point_of(&self, cell: u64) -> u64 {
        cell / self.seeds
    }

    /// The seed of a cell.
    #[must_use]
    pub fn seed_of(&self, cell: u64) -> u32 {
        self.seed(cell % self.seeds)
    }

    fn seed(&self, index: u64) -> u32 {
        // No more than the last seed, which is one.
        self.first_seed + index as u32
    }

    /// The values of the axes at a point.
    #[must_use]
    pub fn values(&self, point: u64) -> Vec<f64> {
        let mut rest = point;
        let mut values: Vec<f64> = Vec::with_capacity(self.axes.len());
        for axis in self.axes.iter().rev() {
            let count = axis.values().len() as u64;
            values.push(axis.values()[(rest % count) as usize]);
            rest /= count;
        }
        values.reverse();
        values
    }

    /// The profile of a point, with the first seed.
    ///
    /// # Errors
    ///
    /// [`ProfileError`] if it is no valid profile; it names the point's first cell and its values.
    ///
    /// # Panics
    ///
    /// If there is no such point.
    pub fn profile(&self, point: u64) -> Result<Profile, ProfileError> {
        assert!(point < self.points, "point {point} of {}", self.points);
        let values = self.values(point);
        let mut whole = self.base.clone();
        whole["seed"] = Value::from(self.first_seed);
        let made = self
            .axes
            .iter()
            .zip(&values)
            .try_for_each(|(axis, &value)| {
                wire::set_value(&mut whole, axis.path(), axis.json(value))
            })
            .and_then(|()| wire::from_value(whole));
        made.map_err(|error| {
            let named = self.axes.iter().zip(&values);
            let named: Vec<_> = named
                .map(|(axis, value)| format!("{} = {value}", axis.path()))
                .collect();
            let cell = point * self.seeds;
            error.found_in(&format!("in cell {cell}, {}", named.join(", ")))
        })
    }

    /// A cell by its number.
    ///
    /// # Errors
    ///
    /// As [`Plan::profile`].
    ///
    /// # Panics
    ///
    /// If there is no such cell.
    pub fn cell(&self, number: u64) -> Result<Cell, ProfileError> {
        let point = self.point_of(number);
        let mut profile = self.profile(point)?;
        profile.seed = self.seed_of(number);
        Ok(Cell {
            number,
            values: self.values(point),
            seed: profile.seed,
            profile,
        })
    }

    /// All cells in order.
    ///
    /// # Errors
    ///
    /// Of each, as [`Plan::profile`].
    pub fn each_cell(&self) -> impl Iterator<Item = Result<Cell, ProfileError>> {
        (0..self.cells()).map(|number| self.cell(number))
    }

    /// Checks the profile of every point, and says what all of them cost together.
    ///
    /// # Errors
    ///
    /// As [`Plan::profile`], of the first point that has no valid profile.
    pub fn check(&self) -> Result<Cost, ProfileError> {
        let mut cost = Cost::default();
        for point in 0..self.points {
            let one = self.profile(point)?.estimate();
            cost.requests += one.requests * self.seeds as f64;
            cost.events += one.events * self.seeds as f64;
            if one.memory_bytes > cost.memory_bytes {
                cost.memory_bytes = one.memory_bytes;
                cost.hungriest = point;
            }
        }
        Ok(cost)
    }

    /// The columns of its rows; see [`columns`].
    #[must_use]
    pub fn columns(&self) -> Vec<Column<'_>> {
        columns(&self.axes)
    }

    /// The row of a cell whose run came to this.
    #[must_use]
    pub fn row(&self, cell: u64, report: &Report) -> Row {
        let mut values = vec![
            Node::Text(self.id.clone().into()),
            Node::Whole(self.cells()),
            Node::Whole(cell),
        ];
        let point = self.values(self.point_of(cell));
        let axes = self.axes.iter().zip(point);
        values.extend(axes.map(|(axis, value)| axis.node(value)));
        values.push(whole(self.seed_of(cell)));
        values.extend(measures(report));
        Row { cell, values }
    }
}

#[cfg(test)]
mod tests;
