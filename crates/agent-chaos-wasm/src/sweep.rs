//! Sweeps: some fields varied, each point of the grid under several seeds.
//!
//! ```text
//! a worker of the page:  Sweep ─► run(cells) ─► rows, as lines of text ──┐
//! the page:              Sweep ◄─ add(row) ◄─────────────────────────────┘
//!                          └─► figure, shares, csv, ndjson
//! ```
//!
//! The same profile, fields and seeds make the same plan everywhere, so that any worker can run any cell.
//! Where a page may have no workers it runs the cells itself, in slices.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::rc::Rc;

use agent_chaos_core::detector::State;
use agent_chaos_core::statistics::{Estimate, Proportion};
use agent_chaos_core::sweep::{Axis, Cost, Kind, Plan, Row, Summary};
use agent_chaos_core::units::Instant;
use agent_chaos_core::wire::Node;
use agent_chaos_core::{Limit, Run, wire};
use js_sys::{Float64Array, Function, Object, Promise, Reflect};
use serde::Serialize;
use serde_json::{Number, Value};
use wasm_bindgen::prelude::*;

use crate::error;
use crate::frame::plain;
use crate::work::{POLLS, Work};

/// A sweep in a page has at most so many runs: their rows take some 25 MB.
const MOST_CELLS: u64 = 50_000;

/// Some fields of one experiment varied, each point under the same seeds.
#[wasm_bindgen]
pub struct Sweep {
    plan: Rc<Plan>,
    found: RefCell<Found>,
    work: Work,
}

/// What has come of the plan so far.
struct Found {
    summary: Summary,
    /// The rows as they came, by cell.
    lines: Vec<Option<String>>,
    /// How many rows have come.
    rows: u64,
    /// How many seeds of each point have been counted.
    counted: Vec<u64>,
    /// Rows whose point misses an earlier seed: sums in another order differ in their last digits.
    early: BTreeMap<u64, Row>,
}

#[derive(Serialize)]
struct About<'a> {
    id: &'a str,
    points: u64,
    seeds: u64,
    cells: u64,
    axes: Vec<AxisInfo<'a>>,
    columns: Vec<ColumnInfo<'a>>,
}

#[derive(Serialize)]
struct AxisInfo<'a> {
    path: &'a str,
    title: &'a str,
    unit: &'a str,
    values: &'a [f64],
}

#[derive(Serialize)]
struct ColumnInfo<'a> {
    name: &'a str,
    unit: &'a str,
    about: &'a str,
}

#[derive(Serialize)]
struct SweepCost {
    events: f64,
    memory_bytes: f64,
}

#[wasm_bindgen]
impl Sweep {
    /// The fields, each as `path=values` where values are `A..B:STEP`, `A..B`, `A..B:logN` or `A,B,C`,
    /// over this profile, each point under `count` seeds from `first_seed` on. Nothing has been run.
    ///
    /// # Errors
    ///
    /// A `ProfileError` that names the field; a `RangeError` unless all seeds are seeds.
    #[wasm_bindgen(constructor)]
    pub fn new(
        profile: &str,
        fields: Vec<String>,
        first_seed: f64,
        count: f64,
    ) -> Result<Sweep, JsValue> {
        let refused = |refused| error::profile(&refused);
        let profile = wire::parse(profile).map_err(refused)?;
        let axes: Result<Vec<_>, _> = fields.iter().map(|text| Axis::parse(text)).collect();
        let seeds = seeds(first_seed, count)?;
        let plan =
            Plan::new(&profile, axes.map_err(refused)?, seeds, MOST_CELLS).map_err(refused)?;
        let found = Found {
            summary: Summary::new(&plan),
            lines: vec![None; plan.cells() as usize],
            rows: 0,
            counted: vec![0; plan.points() as usize],
            early: BTreeMap::new(),
        };
        Ok(Self {
            plan: Rc::new(plan),
            found: RefCell::new(found),
            work: Work::default(),
        })
    }

    /// What it is a sweep of.
    ///
    /// # Errors
    ///
    /// Never: it is plain data.
    #[wasm_bindgen(unchecked_return_type = "SweepInfo")]
    pub fn about(&self) -> Result<JsValue, JsValue> {
        let axes = self.plan.axes().iter().map(|axis| AxisInfo {
            path: axis.path(),
            title: axis.title(),
            unit: axis.unit(),
            values: axis.values(),
        });
        let columns = self.plan.columns();
        let columns = columns.iter().map(|column| ColumnInfo {
            name: column.name,
            unit: column.unit,
            about: column.about,
        });
        plain(&About {
            id: self.plan.id(),
            points: self.plan.points(),
            seeds: self.plan.cells() / self.plan.points(),
            cells: self.plan.cells(),
            axes: axes.collect(),
            columns: columns.collect(),
        })
    }

    /// Checks the profile of every point, and says what all of them cost.
    ///
    /// # Errors
    ///
    /// A `ProfileError` of the first point that has no valid profile.
    #[wasm_bindgen(unchecked_return_type = "SweepCost")]
    pub fn cost(&self) -> Result<JsValue, JsValue> {
        let Cost {
            events,
            memory_bytes,
            ..
        } = self
            .plan
            .check()
            .map_err(|refused| error::profile(&refused))?;
        plain(&SweepCost {
            events,
            memory_bytes,
        })
    }

    /// How many runs have come to their end.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn done(&self) -> f64 {
        self.found.borrow().rows as f64
    }

    /// The cells that have no row yet: every point with its first seed comes before the second seeds, so
    /// that the whole picture is there early.
    #[must_use]
    pub fn missing(&self) -> Vec<u32> {
        let found = self.found.borrow();
        let (points, cells) = (self.plan.points(), self.plan.cells());
        let seeds = cells / points;
        let order = (0..cells).map(|place| place % points * seeds + place / points);
        let open = order.filter(|&cell| found.lines[cell as usize].is_none());
        open.map(|cell| cell as u32).collect()
    }

    /// The profile of a cell, as text.
    ///
    /// # Errors
    ///
    /// A `RangeError` if there is no such cell; a `ProfileError` if its profile is refused.
    pub fn profile(&self, cell: u32) -> Result<String, JsValue> {
        self.known(cell)?;
        let cell = self.plan.cell(u64::from(cell));
        let cell = cell.map_err(|refused| error::profile(&refused))?;
        Ok(wire::to_pretty(&cell.profile))
    }

    fn known(&self, cell: u32) -> Result<(), JsValue> {
        if u64::from(cell) < self.plan.cells() {
            return Ok(());
        }
        let text = format!("cell: found {cell}, accepted: below {}", self.plan.cells());
        Err(js_sys::RangeError::new(&text).into())
    }

    /// Runs these cells one after the other, in slices between which the event loop has its turn. Calls
    /// `on_row` with the row of each as soon as it has ended, for [`add`](Self::add); nothing is taken in
    /// here.
    ///
    /// Resolves with `"finished"`, or with `"paused"` after [`pause`](Self::pause): the run under way is lost
    /// then. Rejects if `on_row` throws, with a `BusyError` if cells are being run already, with a
    /// `RangeError` for cells that there are not, or with a `ProfileError` if a cell's profile is refused.
    #[wasm_bindgen(unchecked_return_type = "Promise<\"finished\" | \"paused\">")]
    pub fn run(
        &self,
        cells: Vec<u32>,
        #[wasm_bindgen(unchecked_param_type = "(row: string) => void")] on_row: Function,
    ) -> Promise {
        const SLICE: Limit = Limit {
            until: Instant::NEVER,
            polls: POLLS,
        };
        for &cell in &cells {
            if let Err(error) = self.known(cell) {
                return Promise::reject(&error);
            }
        }
        let plan = Rc::clone(&self.plan);
        let busy = "cells of this sweep are being run already";
        self.work.begin(busy, async move |mut turns| {
            for cell in cells {
                let profile = plan.cell(u64::from(cell));
                let profile = profile.map_err(|refused| error::profile(&refused))?.profile;
                let mut run = Run::new(&profile);
                let mut little = || run.advance(SLICE).then_some("finished");
                let ended = turns.take(&mut little, &|| 0.0, None).await?;
                if ended.is_none() {
                    return Ok("paused");
                }
                let row = plan.row(u64::from(cell), &run.report());
                on_row.call1(&JsValue::NULL, &line(&row).into())?;
                if turns.is_stopped() {
                    return Ok("paused");
                }
            }
            Ok("finished")
        })
    }

    /// Has `run` stop after the present slice.
    pub fn pause(&self) {
        self.work.stop();
    }

    /// Takes in a row that some instance of the same sweep has made. A cell counts once.
    ///
    /// # Errors
    ///
    /// A `RangeError` if it is no row of this sweep.
    pub fn add(&self, row: &str) -> Result<(), JsValue> {
        let Some(read) = self.read(row) else {
            return Err(js_sys::RangeError::new("the row belongs to another sweep").into());
        };
        let found = &mut *self.found.borrow_mut();
        let slot = &mut found.lines[read.cell as usize];
        if slot.is_some() {
            return Ok(());
        }
        *slot = Some(row.to_owned());
        found.rows += 1;
        found.count(&self.plan, read);
        Ok(())
    }

    fn read(&self, row: &str) -> Option<Row> {
        let values: Vec<Value> = serde_json::from_str(row).ok()?;
        let columns = self.plan.columns();
        if values.len() != columns.len() || values[0].as_str()? != self.plan.id() {
            return None;
        }
        let cell = values[2]
            .as_u64()
            .filter(|&cell| cell < self.plan.cells())?;
        let nodes = columns.iter().zip(values).map(|(column, value)| {
            Some(match (column.kind, value) {
                (_, Value::Null) => Node::Null,
                (Kind::Text, Value::String(text)) => Node::Text(text.into()),
                (Kind::Flag, Value::Bool(answer)) => Node::Bool(answer),
                (Kind::Whole, Value::Number(number)) if number.is_u64() => {
                    Node::Whole(number.as_u64()?)
                }
                (Kind::Whole | Kind::Real, Value::Number(number)) => Node::Real(number.as_f64()?),
                _ => return None,
            })
        });
        Some(Row {
            cell,
            values: nodes.collect::<Option<_>>()?,
        })
    }

    /// A figure of each point over its seeds: mean, 95 % interval by Student's t over the runs, least and
    /// most, and in how many runs it is defined. NaN is undefined.
    ///
    /// # Errors
    ///
    /// Never: it is plain data.
    #[wasm_bindgen(unchecked_return_type = "SweepFigure")]
    pub fn figure(&self, name: &str) -> Result<JsValue, JsValue> {
        const NONE: f64 = f64::NAN;
        let found = self.found.borrow();
        let points = 0..self.plan.points();
        let all: Vec<Option<Estimate>> = points
            .map(|point| found.summary.point(point).figure(name))
            .collect();
        let column = |of: &dyn Fn(&Estimate) -> f64| -> Vec<f64> {
            all.iter()
                .map(|one| one.as_ref().map_or(NONE, of))
                .collect()
        };
        let half = |one: &Estimate| one.ci95.unwrap_or(NONE);
        columns(&[
            ("mean", column(&|one| one.mean)),
            ("low", column(&|one| one.mean - half(one))),
            ("high", column(&|one| one.mean + half(one))),
            ("min", column(&|one| one.min)),
            ("max", column(&|one| one.max)),
            ("runs", column(&|one| one.runs as f64)),
        ])
    }

    /// The share of each point's runs that ended in a state, or that were in it at their worst, with
    /// Wilson's 95 % interval; `half` is 1 where it is at least a half, else 0. NaN is undefined.
    ///
    /// # Errors
    ///
    /// A `RangeError` for another state.
    #[wasm_bindgen(unchecked_return_type = "SweepShare")]
    pub fn share(&self, state: &str, worst: bool) -> Result<JsValue, JsValue> {
        let Some(&state) = State::ALL.iter().find(|one| one.name() == state) else {
            let text = format!("state: found \"{state}\", accepted: STABLE, DEGRADED, COLLAPSED");
            return Err(js_sys::RangeError::new(&text).into());
        };
        let found = self.found.borrow();
        let all: Vec<Proportion> = (0..self.plan.points())
            .map(|point| {
                let point = found.summary.point(point);
                if worst {
                    point.worst_state(state)
                } else {
                    point.state(state)
                }
            })
            .collect();
        let column = |of: &dyn Fn(&Proportion) -> f64| -> Vec<f64> {
            let known = |one: &Proportion| if one.runs == 0 { f64::NAN } else { of(one) };
            all.iter().map(known).collect()
        };
        columns(&[
            ("share", column(&|one| one.share)),
            ("low", column(&|one| one.low)),
            ("high", column(&|one| one.high)),
            ("runs", column(&|one| one.runs as f64)),
            (
                "half",
                column(&|one| f64::from(u8::from(2 * one.count >= one.runs))),
            ),
        ])
    }

    /// The most frequent state of each point, as its place in STABLE, DEGRADED, COLLAPSED; the worse of two that
    /// are as frequent. NaN where no run has one.
    #[must_use]
    pub fn states(&self, worst: bool) -> Float64Array {
        let found = self.found.borrow();
        let usual = |point: u64| {
            let point = found.summary.point(point);
            let count = |state: State| {
                if worst {
                    point.worst_state(state).count
                } else {
                    point.state(state).count
                }
            };
            let most = State::ALL.into_iter().max_by_key(|&state| count(state));
            most.filter(|&state| count(state) > 0)
                .map_or(f64::NAN, |state| f64::from(state as u8))
        };
        let all: Vec<f64> = (0..self.plan.points()).map(usual).collect();
        Float64Array::from(all.as_slice())
    }

    /// All rows that have come, in the order of the cells, one JSON object a line, as the command line
    /// writes them.
    #[must_use]
    pub fn ndjson(&self) -> String {
        let found = self.found.borrow();
        let mut text = String::new();
        let columns = self.plan.columns();
        for line in found.lines.iter().flatten() {
            let Some(row) = self.read(line) else { continue };
            let fields = columns.iter().zip(row.values);
            let fields = fields.map(|(column, value)| (column.name.to_owned(), Value::from(value)));
            text.push_str(&Value::Object(fields.collect()).to_string());
            text.push('\n');
        }
        text
    }

    /// The same as a table for spreadsheets (RFC 4180), with a line of names first.
    #[must_use]
    pub fn csv(&self) -> String {
        let found = self.found.borrow();
        let columns = self.plan.columns();
        let names: Vec<_> = columns.iter().map(|column| column.name).collect();
        let mut text = names.join(",") + "\n";
        for line in found.lines.iter().flatten() {
            let Some(row) = self.read(line) else { continue };
            let cells = row.values.into_iter().map(|value| match value {
                Node::Null => String::new(),
                // Names of states and digests: nothing in them needs quotation marks.
                Node::Text(text) => text.into_owned(),
                other => Value::from(other).to_string(),
            });
            text.push_str(&cells.collect::<Vec<_>>().join(","));
            text.push('\n');
        }
        text
    }
}

impl Sweep {
    pub(crate) fn id(&self) -> &str {
        self.plan.id()
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.found.borrow().rows == self.plan.cells()
    }

    /// The rows that have come, in the order of the cells.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let found = self.found.borrow();
        let lines = found.lines.iter().flatten();
        lines.filter_map(|line| self.read(line)).collect()
    }
}

/// So many seeds from the first on.
pub(crate) fn seeds(first: f64, count: f64) -> Result<RangeInclusive<u32>, JsValue> {
    let last = first + count - 1.0;
    let is_seed = |seed: f64| seed.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&seed);
    if !is_seed(first) || !is_seed(last) || count < 1.0 {
        let text = format!(
            "seeds: found {count} from {first} on, accepted: at least one, all from 0 to 4294967295"
        );
        return Err(js_sys::RangeError::new(&text).into());
    }
    Ok(first as u32..=last as u32)
}

impl Found {
    /// Counts a row, and those after it that have waited for it.
    fn count(&mut self, plan: &Plan, row: Row) {
        let seeds = plan.cells() / plan.points();
        let point = plan.point_of(row.cell);
        let counted = &mut self.counted[point as usize];
        self.early.insert(row.cell, row);
        while let Some(row) = self.early.remove(&(point * seeds + *counted)) {
            self.summary.add(&row);
            *counted += 1;
            if *counted == seeds {
                break;
            }
        }
    }
}

/// A row on its way between two instances: a list of its values.
fn line(row: &Row) -> String {
    let values = row.values.iter().map(|value| match value {
        Node::Real(number) => Number::from_f64(*number).map_or(Value::Null, Value::Number),
        other => Value::from(other.clone()),
    });
    Value::Array(values.collect()).to_string()
}

pub(crate) fn columns(all: &[(&str, Vec<f64>)]) -> Result<JsValue, JsValue> {
    let object = Object::new();
    for (name, values) in all {
        Reflect::set(
            &object,
            &(*name).into(),
            &Float64Array::from(values.as_slice()).into(),
        )?;
    }
    Ok(object.into())
}
