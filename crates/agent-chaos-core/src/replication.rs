//! Replications: one profile under several seeds, and what they come to together.
//!
//! ```text
//!              ┌─ baseline ─► report ─┐
//! next seed ──►│                      ├─► paired difference
//!              └─ profile ──► report ─┴─► figures, states
//!                       └───► series ───► band
//! ```
//!
//! Runs follow one another; a seed counts when everything that belongs to it has been run, so that
//! whoever stops part-way has whole seeds. With a baseline both runs of a seed share their draws, and
//! the difference is taken seed by seed: what chance does to both cancels.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::detector::State;
use crate::statistics::{Estimate, Moments, Proportion};
use crate::telemetry::{self, COLUMNS, Series};
use crate::{Limit, Profile, Run};

/// Fewer runs say nothing of how much they differ.
pub const LEAST_RUNS: u32 = 2;
/// More are for the command line.
pub const MOST_RUNS: u32 = 200;

/// Parts of a report that no mean makes sense of.
const NOT_FIGURES: &[&str] = &["profile", "seed", "evidence", "engine.revision"];

/// How a run is counted that has no resolved state.
const UNRESOLVED: &str = "unresolved";

/// A band has at most so many rows.
const MOST_ROWS: usize = 2048;

/// One figure over all runs so far.
#[derive(Clone, Debug)]
pub struct Figure {
    /// Dotted path within the report.
    pub path: String,
    moments: Moments,
    /// The least.
    pub min: f64,
    /// The most.
    pub max: f64,
}

impl Figure {
    /// Runs in which it is defined.
    #[must_use]
    pub fn runs(&self) -> u64 {
        self.moments.runs()
    }

    /// Their mean.
    #[must_use]
    pub fn mean(&self) -> f64 {
        // A figure is entered with its first value.
        self.moments.mean().unwrap_or(f64::NAN)
    }

    /// Half the width of the 95 % confidence interval of the mean; none for a single run.
    #[must_use]
    pub fn ci95(&self) -> Option<f64> {
        self.moments.half_width()
    }

    /// The figure as plain data.
    #[must_use]
    pub fn estimate(&self) -> Estimate {
        Estimate {
            mean: self.mean(),
            ci95: self.ci95(),
            min: self.min,
            max: self.max,
            runs: self.runs(),
        }
    }
}

/// Figures by their paths, in the order in which they were first seen.
#[derive(Clone, Debug, Default)]
pub struct Figures(Vec<Figure>);

impl Figures {
    fn add(&mut self, path: &str, value: f64) {
        let known = self.0.iter().position(|figure| figure.path == path);
        let index = known.unwrap_or_else(|| {
            self.0.push(Figure {
                path: path.to_owned(),
                moments: Moments::default(),
                min: f64::INFINITY,
                max: f64::NEG_INFINITY,
            });
            self.0.len() - 1
        });
        let figure = &mut self.0[index];
        figure.moments.add(value);
        figure.min = figure.min.min(value);
        figure.max = figure.max.max(value);
    }

    /// A figure by its path, if it was defined in any run.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Figure> {
        self.0.iter().find(|figure| figure.path == path)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Figure> {
        self.0.iter()
    }
}

/// Everything numeric in a report, by its path, in the order of the report.
fn numbers(report: &Value) -> Vec<(String, f64)> {
    fn collect(value: &Value, path: &mut String, found: &mut Vec<(String, f64)>) {
        if NOT_FIGURES.contains(&path.as_str()) {
            return;
        }
        match value {
            Value::Object(fields) => {
                for (name, inner) in fields {
                    let length = path.len();
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(name);
                    collect(inner, path, found);
                    path.truncate(length);
                }
            }
            Value::Number(number) => {
                found.push((path.clone(), number.as_f64().unwrap_or(f64::NAN)));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(report, &mut String::new(), &mut found);
    found
}

/// Everything numeric in the reports of many runs, and how often they ended in which state.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    runs: u64,
    figures: Figures,
    states: Map<String, Value>,
}

impl Summary {
    /// Takes in the report of one more run.
    pub fn add(&mut self, report: &Value) {
        if self.runs == 0 {
            for state in State::ALL {
                self.states.insert(state.name().to_owned(), json!(0));
            }
        }
        self.runs += 1;
        let state = report["state"].as_str().unwrap_or(UNRESOLVED);
        let count = self.states.get(state).and_then(Value::as_u64).unwrap_or(0);
        self.states.insert(state.to_owned(), json!(count + 1));
        for (path, value) in numbers(report) {
            self.figures.add(&path, value);
        }
    }

    /// How many runs it is about.
    #[must_use]
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// The figures of the reports.
    #[must_use]
    pub fn figures(&self) -> &Figures {
        &self.figures
    }

    /// How many runs had which state.
    #[must_use]
    pub fn states(&self) -> &Map<String, Value> {
        &self.states
    }

    /// The share of each state, and of runs that have none.
    pub fn shares(&self) -> impl Iterator<Item = (&'static str, Proportion)> {
        let names = State::ALL.into_iter().map(State::name).chain([UNRESOLVED]);
        names.map(|name| {
            let count = self.states.get(name).and_then(Value::as_u64).unwrap_or(0);
            (name, Proportion::of(count, self.runs))
        })
    }

    /// Every figure by its path; `defined_runs` is there if some runs do not have it.
    #[must_use]
    pub fn to_json(&self) -> Map<String, Value> {
        let told = self.figures.iter().map(|figure| {
            let mut told = json!({
                "mean": figure.mean(),
                "ci95": figure.ci95(),
                "min": figure.min,
                "max": figure.max,
            });
            if figure.runs() < self.runs {
                told["defined_runs"] = json!(figure.runs());
            }
            (figure.path.clone(), told)
        });
        told.collect()
    }
}

/// Differences between the reports of two profiles, seed by seed: figures that both have.
fn differences(differences: &mut Figures, report: &Value, baseline: &Value) {
    let before = numbers(baseline);
    for (path, value) in numbers(report) {
        if let Some((_, was)) = before.iter().find(|(known, _)| *known == path) {
            differences.add(&path, value - was);
        }
    }
}

/// Columns whose mean says nothing: codes of states.
const NOT_MEASURED: &[&str] = &["state", "breaker"];

/// Recorded series of many runs on one grid of times: mean and 95 % band of each column, each moment
/// for itself.
///
/// Rows of a run lie at multiples of its ticks, as many ticks apart as its length asked for; so do
/// the grid's, as many as the longest run has. Rows that are closer together are merged as [`Series`]
/// merges its own, so that the band does not depend on the order of the runs. A run that has ended,
/// and a value that is undefined at a moment, takes no part in it; where fewer than half of the runs
/// are left there is no mean, since it would be one of other runs than a moment before.
#[derive(Clone, Debug, Default)]
pub struct Band {
    ticks_per_row: usize,
    /// By run, then by column.
    runs: Vec<Vec<Vec<f64>>>,
}

impl Band {
    /// Takes in the series of one more run.
    pub fn add(&mut self, series: &Series) {
        let own = series.ticks_per_row() as usize;
        let mut ticks = self.ticks_per_row.max(own);
        while series.closed_rows() * own / ticks > MOST_ROWS {
            ticks *= 2;
        }
        if ticks > self.ticks_per_row && self.ticks_per_row > 0 {
            for run in &mut self.runs {
                *run = telemetry::merge_rows(run, ticks / self.ticks_per_row);
            }
        }
        self.ticks_per_row = ticks;
        self.runs.push(series.merged(ticks / own));
    }

    /// The moments, in seconds of virtual time.
    #[must_use]
    pub fn time(&self) -> &[f64] {
        let longest = self.runs.iter().max_by_key(|run| run[0].len());
        // The first column is the time, and equal rows have equal times.
        longest.map_or(&[], |run| &run[0])
    }

    /// The columns by name, each as mean, lower and upper end of the band; what is undefined is NaN,
    /// as are the ends of a single run.
    pub fn columns(&self) -> impl Iterator<Item = (&'static str, [Vec<f64>; 3])> {
        let rows = self.time().len();
        let all = COLUMNS.iter().enumerate().skip(1);
        all.filter(|(_, name)| !NOT_MEASURED.contains(name))
            .map(move |(index, &name)| {
                let mut column = [const { Vec::new() }; 3];
                for row in 0..rows {
                    let mut moments = Moments::default();
                    for run in &self.runs {
                        if let Some(&value) = run[index].get(row).filter(|value| !value.is_nan()) {
                            moments.add(value);
                        }
                    }
                    let enough = 2 * moments.runs() as usize >= self.runs.len();
                    let mean = moments.mean().filter(|_| enough).unwrap_or(f64::NAN);
                    let half = moments.half_width().unwrap_or(f64::NAN);
                    for (side, value) in column.iter_mut().zip([mean, mean - half, mean + half]) {
                        side.push(value);
                    }
                }
                (name, column)
            })
    }
}

/// A run that has been counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replication {
    /// Its seed.
    pub seed: u32,
    /// 16 hex digits over everything that happened.
    pub digest: String,
    /// The resolved state.
    pub state: Option<State>,
    /// The worst state at any time.
    pub worst_state: Option<State>,
}

/// Why a number of seeds was refused.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// What was refused: `count` or `first_seed`.
    pub field: &'static str,
    /// What was found.
    pub found: f64,
    /// What would be accepted.
    pub accepted: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            field,
            found,
            accepted,
        } = self;
        write!(f, "{field}: found {found}, accepted: {accepted}")
    }
}

impl std::error::Error for Refused {}

/// One profile under several seeds, one after the other; see the [module](self).
pub struct Replications {
    profile: Profile,
    baseline: Option<Profile>,
    first: u32,
    count: u32,
    /// What is under way.
    run: Option<Run>,
    /// What the baseline came to with the present seed.
    before: Option<Value>,
    done: Vec<Replication>,
    summary: Summary,
    baseline_summary: Summary,
    paired: Figures,
    band: Band,
}

impl Replications {
    /// This profile under `count` seeds from `first` on, whatever its own seed is; with a baseline,
    /// that one under the same seeds.
    ///
    /// # Errors
    ///
    /// [`Refused`] unless the count is a whole number from 2 to 200, and all seeds are seeds. Both
    /// are numbers as a person may type them.
    pub fn new(
        profile: &Profile,
        first: f64,
        count: f64,
        baseline: Option<&Profile>,
    ) -> Result<Self, Refused> {
        let whole = |value: f64, least: u32, most: u32| {
            value.fract() == 0.0 && (f64::from(least)..=f64::from(most)).contains(&value)
        };
        if !whole(count, LEAST_RUNS, MOST_RUNS) {
            return Err(Refused {
                field: "count",
                found: count,
                accepted: format!("whole numbers from {LEAST_RUNS} to {MOST_RUNS}"),
            });
        }
        let last = u32::MAX - (count as u32 - 1);
        if !whole(first, 0, last) {
            return Err(Refused {
                field: "first_seed",
                found: first,
                accepted: format!("whole numbers from 0 to {last}"),
            });
        }
        Ok(Self {
            profile: profile.clone(),
            baseline: baseline.cloned(),
            first: first as u32,
            count: count as u32,
            run: None,
            before: None,
            done: Vec::new(),
            summary: Summary::default(),
            baseline_summary: Summary::default(),
            paired: Figures::default(),
            band: Band::default(),
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
                let baseline = self.baseline.as_ref().filter(|_| self.before.is_none());
                let mut profile = baseline.unwrap_or(&self.profile).clone();
                profile.seed = self.first + self.done.len() as u32;
                none.insert(Run::new(&profile))
            }
        };
        if run.advance(limit) {
            self.count_in();
        }
        self.is_finished()
    }

    /// Takes in the run that has ended.
    fn count_in(&mut self) {
        let Some(run) = self.run.take() else { return };
        let report = run.report();
        let told = report.to_json();
        if self.baseline.is_some() && self.before.is_none() {
            self.before = Some(told);
            return;
        }
        if let Some(before) = self.before.take() {
            self.baseline_summary.add(&before);
            differences(&mut self.paired, &told, &before);
        }
        self.summary.add(&told);
        run.with_series(|series| self.band.add(series));
        self.done.push(Replication {
            seed: report.seed,
            digest: report.digest,
            state: report.state,
            worst_state: report.worst_state,
        });
    }

    /// Whether everything has been run.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.done.len() == self.count as usize
    }

    /// How much of everything is done, from 0 to 1.
    #[must_use]
    pub fn progress(&self) -> f64 {
        let each = if self.baseline.is_some() { 2.0 } else { 1.0 };
        let whole = each * self.done.len() as f64 + f64::from(u8::from(self.before.is_some()));
        let part = self.run.as_ref().map_or(0.0, Run::progress);
        (whole + part) / (each * f64::from(self.count))
    }

    /// The seeds that have been run, in order.
    #[must_use]
    pub fn done(&self) -> &[Replication] {
        &self.done
    }

    /// What they came to.
    #[must_use]
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The series on one grid of times.
    #[must_use]
    pub fn band(&self) -> &Band {
        &self.band
    }

    /// What the baseline came to with the same seeds, and the differences to it, seed by seed; none
    /// without a baseline.
    #[must_use]
    pub fn against_baseline(&self) -> Option<(&Summary, &Figures)> {
        let baseline = self.baseline.as_ref();
        baseline.map(|_| (&self.baseline_summary, &self.paired))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presets;

    fn short(preset: &str) -> Profile {
        let mut profile = presets::find(preset).unwrap().profile();
        profile.run.duration_seconds = 12.0;
        profile.run.warmup_seconds = 1.0;
        profile
    }

    fn all(mut replications: Replications) -> Replications {
        while !replications.advance(Limit::NONE) {}
        replications
    }

    fn alone(profile: &Profile, seed: u32) -> Run {
        let mut profile = profile.clone();
        profile.seed = seed;
        let mut run = Run::new(&profile);
        while !run.advance(Limit::NONE) {}
        run
    }

    #[test]
    fn what_has_no_mean_is_left_out_and_what_is_missing_is_counted() {
        let mut summary = Summary::default();
        summary.add(&json!({ "state": "STABLE", "x": { "y": 1.0 }, "seed": 1 }));
        let told = summary.to_json();
        assert_eq!(
            told["x.y"],
            json!({ "mean": 1.0, "ci95": null, "min": 1.0, "max": 1.0 })
        );
        assert!(!told.contains_key("seed"));
        summary.add(&json!({ "state": null, "x": { "y": 3.0 }, "z": 5 }));
        let told = summary.to_json();
        assert_eq!(told["x.y"]["mean"], 2.0);
        assert_eq!(told["z"]["defined_runs"], 1);
        assert_eq!(summary.states()["STABLE"], 1);
        assert_eq!(summary.states()["unresolved"], 1);
        let shares: Vec<_> = summary.shares().map(|(_, one)| one.count).collect();
        assert_eq!(shares, [1, 0, 0, 1]);
    }

    #[test]
    fn every_seed_is_the_run_it_would_be_alone() {
        let profile = short("exp-002");
        let replications = all(Replications::new(&profile, 5.0, 3.0, None).unwrap());
        let mut summary = Summary::default();
        for (one, seed) in replications.done().iter().zip(5..) {
            let run = alone(&profile, seed);
            assert_eq!((one.seed, &one.digest), (seed, &run.digest()));
            summary.add(&run.report().to_json());
        }
        assert_eq!(replications.done().len(), 3);
        assert_eq!(replications.summary().to_json(), summary.to_json());
        assert_eq!(replications.progress(), 1.0);
    }

    #[test]
    fn slices_and_stops_change_nothing_and_progress_never_goes_back() {
        let (profile, baseline) = (short("exp-002"), short("exp-003"));
        let make = || Replications::new(&profile, 1.0, 2.0, Some(&baseline)).unwrap();
        let whole = all(make());
        let mut sliced = make();
        let mut before = 0.0;
        let slice = Limit {
            polls: 1000,
            ..Limit::NONE
        };
        while !sliced.advance(slice) {
            assert!(sliced.progress() >= before, "{before}");
            before = sliced.progress();
            // A seed counts with both of its runs, or not at all.
            let (of_baseline, _) = sliced.against_baseline().unwrap();
            assert_eq!(sliced.summary().runs(), of_baseline.runs());
        }
        assert_eq!(sliced.done(), whole.done());
        assert_eq!(sliced.summary().to_json(), whole.summary().to_json());
    }

    #[test]
    fn differences_are_taken_seed_by_seed() {
        let baseline = short("mm4-80");
        let mut profile = baseline.clone();
        profile.workers.count += 2;
        let replications = all(Replications::new(&profile, 1.0, 4.0, Some(&baseline)).unwrap());
        let (of_baseline, paired) = replications.against_baseline().unwrap();
        let mut expected = Moments::default();
        for seed in 1..=4 {
            let rate = |profile| alone(profile, seed).report().error_rate.unwrap();
            expected.add(rate(&profile) - rate(&baseline));
        }
        let got = paired.get("error_rate").unwrap();
        assert_eq!(got.mean(), expected.mean().unwrap());
        assert_eq!(got.ci95(), expected.half_width());
        assert!(got.mean() < 0.0, "the same arrivals find more workers");
        let means = [replications.summary(), of_baseline]
            .map(|one| one.figures().get("error_rate").unwrap().mean());
        assert!((means[0] - means[1] - got.mean()).abs() < 1e-12);

        let same = all(Replications::new(&profile, 1.0, 2.0, Some(&profile)).unwrap());
        let (_, paired) = same.against_baseline().unwrap();
        assert!(paired.iter().all(|one| one.min == 0.0 && one.max == 0.0));
    }

    #[test]
    fn the_band_is_that_of_the_recorded_series() {
        let profile = short("exp-002");
        let replications = all(Replications::new(&profile, 1.0, 3.0, None).unwrap());
        let band = replications.band();
        let (_, [mean, low, high]) = band.columns().find(|(name, _)| *name == "queue").unwrap();
        let runs: Vec<_> = (1..=3).map(|seed| alone(&profile, seed)).collect();
        for row in [0, 17, 199] {
            let mut expected = Moments::default();
            for run in &runs {
                run.with_series(|series| {
                    assert_eq!(series.column("time").unwrap()[row], band.time()[row]);
                    expected.add(series.column("queue").unwrap()[row]);
                });
            }
            let half = expected.half_width().unwrap();
            assert_eq!(mean[row], expected.mean().unwrap());
            assert_eq!([low[row], high[row]], [mean[row] - half, mean[row] + half]);
        }
        assert!(high.iter().zip(&low).any(|(high, low)| high > low));
        assert!(
            band.columns()
                .all(|(_, ends)| { ends.iter().all(|end| end.len() == band.time().len()) })
        );
    }

    #[test]
    fn runs_of_other_lengths_and_thinning_share_one_grid() {
        // 12 s are 240 ticks, 300 s are 6000: the series of the latter has two ticks a row, the
        // grid four.
        let (little, mut much) = (short("mm4-80"), short("mm4-80"));
        much.run.duration_seconds = 300.0;
        let [one, other] = [alone(&little, 1), alone(&much, 2)];
        let interval = little.telemetry.interval_seconds;
        for order in [[&one, &other], [&other, &one]] {
            let mut band = Band::default();
            for run in order {
                run.with_series(|series| band.add(series));
            }
            assert!(band.time().len() <= MOST_ROWS && band.time().len() > MOST_ROWS / 2);
            let step = band.time()[0];
            assert!((step / interval - 4.0).abs() < 1e-9, "{step}");
            let (_, [mean, low, _]) = band.columns().find(|(name, _)| *name == "queue").unwrap();
            let at = |run: &Run, time: f64| {
                run.with_series(|series| {
                    let times = series.column("time").unwrap();
                    let row = times
                        .iter()
                        .position(|&known| (known - time).abs() < 1e-9)?;
                    Some(series.column("queue").unwrap()[row])
                })
            };
            for row in [0, 20, 58] {
                let values = [&one, &other].map(|run| at(run, band.time()[row]).unwrap());
                assert_eq!(mean[row], (values[0] + values[1]) / 2.0, "row {row}");
                assert!(low[row] <= mean[row]);
            }
            // Where only the longer one still runs, there is no band around it.
            let last = mean.len() - 1;
            assert_eq!(mean[last], at(&other, band.time()[last]).unwrap());
            assert!(low[last].is_nan());
        }
    }

    #[test]
    fn senseless_numbers_of_runs_are_refused_in_words() {
        let profile = Profile::default();
        let new = |first, count| Replications::new(&profile, first, count, None).map(|_| ());
        for count in [0.0, 1.0, 2.5, 201.0, -3.0, f64::NAN, f64::INFINITY, 1e300] {
            let refused = new(1.0, count).unwrap_err();
            assert_eq!(refused.field, "count");
            assert!(refused.to_string().contains("from 2 to 200"), "{refused}");
        }
        for first in [-1.0, 0.5, f64::NAN, 4_294_967_295.0] {
            let refused = new(first, 2.0).unwrap_err();
            assert!(refused.to_string().contains("to 4294967294"), "{refused}");
        }
        assert!(new(4_294_967_294.0, 2.0).is_ok());
    }
}
