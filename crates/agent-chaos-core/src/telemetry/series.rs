//! Series for charts: one column per measure, thinned as they are recorded, so that an hour of
//! virtual time takes no more room than a minute.
//!
//! A row covers one tick at first. When the rows are full, neighbours are merged and every row
//! covers twice as many ticks: the last value stands for most columns, the smallest, the largest or
//! the sum for the columns that say so.

use super::Sample;

/// How the values of several ticks become one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Merge {
    Last,
    Least,
    Most,
    Sum,
}

macro_rules! columns {
    ($($name:literal, $merge:ident, $value:expr;)*) => {
        /// Names of the columns, in order.
        pub const COLUMNS: &[&str] = &[$($name),*];
        const MERGES: &[Merge] = &[$(Merge::$merge),*];

        fn row(sample: &Sample) -> [f64; COLUMNS.len()] {
            let read: [fn(&Sample) -> f64; COLUMNS.len()] = [$($value),*];
            read.map(|read| read(sample))
        }
    };
}

fn or_nan(value: Option<f64>) -> f64 {
    value.unwrap_or(f64::NAN)
}

columns! {
    "time", Last, |s| s.at.seconds();
    "offered", Last, |s| s.offered.per_second();
    "accepted", Last, |s| s.accepted.per_second();
    "taken", Last, |s| s.taken.per_second();
    "throughput", Last, |s| s.throughput.per_second();
    "goodput", Last, |s| s.goodput.per_second();
    "derivative", Last, |s| s.derivative;
    "queue", Last, |s| f64::from(s.queue);
    "queue_min", Least, |s| f64::from(s.queue_min);
    "queue_max", Most, |s| f64::from(s.queue_max);
    "saturation", Last, |s| or_nan(s.saturation);
    "busy", Last, |s| f64::from(s.busy);
    "latency_mean", Last, |s| or_nan(s.latency_mean);
    "latency_p50", Last, |s| or_nan(s.latency_p50);
    "latency_p95", Most, |s| or_nan(s.latency_p95);
    "latency_p99", Most, |s| or_nan(s.latency_p99);
    "latency_samples", Last, |s| s.latency_samples as f64;
    "error_ratio", Last, |s| s.error_ratio;
    "state", Most, |s| s.state.map_or(f64::NAN, |state| f64::from(state as u8));
    "throttle_delay", Most, |s| s.throttle_delay.seconds();
    "oldest", Most, |s| or_nan(s.oldest);
    "retries", Last, |s| s.retries.per_second();
    "timeouts", Last, |s| s.timeouts.per_second();
    "removed", Last, |s| s.removed.per_second();
    "amplification", Most, |s| or_nan(s.amplification);
    "drops", Sum, |s| s.drops as f64;
    "workers", Last, |s| or_nan(s.gauges.crew.map(|crew| f64::from(crew.able())));
    "limit", Last, |s| or_nan(s.gauges.limit.map(f64::from));
    "breaker", Most, |s| or_nan(s.gauges.breaker.map(|state| f64::from(state as u8)));
    "connections", Most, |s| or_nan(s.gauges.connections.map(|(used, _)| f64::from(used)));
    "connections_waiting", Most, |s| or_nan(s.gauges.connections.map(|(_, waiting)| f64::from(waiting)));
    "downstream_connections", Most, |s| or_nan(s.gauges.downstream_connections.map(|(used, _)| f64::from(used)));
    "downstream_waiting", Most, |s| or_nan(s.gauges.downstream_connections.map(|(_, waiting)| f64::from(waiting)));
}

/// When there are this many rows, neighbours are merged.
const MAX_ROWS: usize = 4096;

/// The recorded columns.
pub struct Series {
    columns: [Vec<f64>; COLUMNS.len()],
    ticks_per_row: u32,
    /// Ticks in the last row; a full row is closed.
    in_last: u32,
    thinned: u32,
}

/// How much of the series somebody has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    rows: usize,
    thinned: u32,
    open: bool,
}

/// What was recorded since somebody last looked.
pub struct News<'a> {
    /// Everything starts again from the beginning: the series have been thinned.
    pub reset: bool,
    /// The first row here takes the place of the last row seen before.
    pub replace_last: bool,
    /// One slice per column, in the order of [`COLUMNS`].
    pub columns: Vec<&'a [f64]>,
}

impl Default for Series {
    fn default() -> Self {
        Self {
            columns: std::array::from_fn(|_| Vec::new()),
            ticks_per_row: 1,
            in_last: 0,
            thinned: 0,
        }
    }
}

impl Series {
    /// Records one tick.
    pub fn push(&mut self, sample: &Sample) {
        let opens = self.in_last == 0 || self.in_last == self.ticks_per_row;
        if opens && self.rows() == MAX_ROWS {
            self.thin();
        }
        for ((column, &merge), value) in self.columns.iter_mut().zip(MERGES).zip(row(sample)) {
            match column.last_mut() {
                Some(last) if !opens => *last = merged(merge, *last, value),
                _ => column.push(value),
            }
        }
        self.in_last = if opens { 1 } else { self.in_last + 1 };
    }

    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.columns[0].len()
    }

    /// How many ticks a closed row covers.
    #[must_use]
    pub fn ticks_per_row(&self) -> u32 {
        self.ticks_per_row
    }

    /// One column by its name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&[f64]> {
        COLUMNS
            .iter()
            .position(|&known| known == name)
            .map(|index| self.columns[index].as_slice())
    }

    /// How many rows have all of their ticks.
    #[must_use]
    pub fn closed_rows(&self) -> usize {
        self.rows() - usize::from(self.is_open())
    }

    /// The columns with so many closed rows merged to one, by the rule of each; rows at the end that
    /// do not make up a whole one are left out.
    #[must_use]
    pub fn merged(&self, rows: usize) -> Vec<Vec<f64>> {
        let closed = self.closed_rows();
        let columns: Vec<_> = self.columns.iter().map(|c| &c[..closed]).collect();
        merge_rows(&columns, rows)
    }

    /// Whether the last row has room for more ticks.
    fn is_open(&self) -> bool {
        self.in_last < self.ticks_per_row && self.rows() > 0
    }

    /// What was recorded since `seen`, which is brought up to date.
    pub fn news(&self, seen: &mut Seen) -> News<'_> {
        let reset = seen.thinned != self.thinned;
        let replace_last = !reset && seen.open;
        let from = if reset {
            0
        } else {
            seen.rows - usize::from(replace_last)
        };
        *seen = Seen {
            rows: self.rows(),
            thinned: self.thinned,
            open: self.is_open(),
        };
        News {
            reset,
            replace_last,
            columns: self.columns.iter().map(|column| &column[from..]).collect(),
        }
    }

    fn thin(&mut self) {
        for (column, &merge) in self.columns.iter_mut().zip(MERGES) {
            let half = column.len() / 2;
            for row in 0..half {
                column[row] = merged(merge, column[2 * row], column[2 * row + 1]);
            }
            column.truncate(half);
        }
        self.ticks_per_row = self.ticks_per_row.saturating_mul(2);
        self.in_last = self.ticks_per_row;
        self.thinned += 1;
    }
}

/// Columns in the order of [`COLUMNS`] with so many rows merged to one, by the rule of each; rows at
/// the end that do not make up a whole one are left out.
pub(crate) fn merge_rows(columns: &[impl AsRef<[f64]>], rows: usize) -> Vec<Vec<f64>> {
    let columns = columns.iter().zip(MERGES);
    let all = columns.map(|(column, &merge)| {
        let groups = column.as_ref().chunks_exact(rows);
        groups
            .map(|group| {
                let (&first, rest) = group.split_first().unwrap_or((&f64::NAN, &[]));
                rest.iter()
                    .fold(first, |before, &now| merged(merge, before, now))
            })
            .collect()
    });
    all.collect()
}

fn merged(merge: Merge, before: f64, now: f64) -> f64 {
    match merge {
        Merge::Last => now,
        // `min` and `max` pass over an undefined number.
        Merge::Least => before.min(now),
        Merge::Most => before.max(now),
        Merge::Sum => before + now,
    }
}

#[cfg(test)]
mod tests {
    use crate::{Limit, Run, presets};

    /// Rows of many ticks keep what their ticks had: the extremes, and the sums.
    #[test]
    fn thinned_rows_keep_extremes_and_sums() {
        let mut profile = presets::find("exp-002").unwrap().profile();
        profile.run.duration_seconds = 120.0;
        let recorded = |interval| {
            let mut profile = profile.clone();
            profile.telemetry.interval_seconds = interval;
            // What is watched more closely must not change what happens.
            profile.detector.enabled = false;
            let mut run = Run::new(&profile);
            while !run.advance(Limit::NONE) {}
            let refused = run.counts().refused;
            run.with_series(|series| {
                let column = |name| series.column(name).unwrap();
                let peak = column("queue_max").iter().copied().fold(0.0, f64::max);
                assert_eq!(column("drops").iter().sum::<f64>(), refused as f64);
                assert!(refused > 0);
                (series.ticks_per_row(), peak)
            })
        };
        let (ticks, peak) = recorded(0.05);
        assert_eq!(ticks, 1);
        assert_eq!(recorded(0.002), (16, peak));
    }

    /// Sends per request created: 3 where all fail three times, 1 before.
    #[test]
    fn amplification_is_attempts_per_request() {
        let profile = presets::find("retry-storm").unwrap().profile();
        let mut run = Run::new(&profile);
        while !run.advance(Limit::NONE) {}
        run.with_series(|series| {
            let (times, ratio) = (
                series.column("time").unwrap(),
                series.column("amplification").unwrap(),
            );
            let mean = |from: f64, to: f64| {
                let within = times
                    .iter()
                    .zip(ratio)
                    .filter(|(t, r)| **t > from && **t <= to && r.is_finite());
                let all: Vec<f64> = within.map(|(_, r)| *r).collect();
                all.iter().sum::<f64>() / all.len() as f64
            };
            let rush = profile.timeline[0].at_seconds;
            assert!((mean(5.0, rush) - 1.0).abs() < 0.01, "{}", mean(5.0, rush));
            let end = profile.run.duration_seconds;
            // Windows of half a second at 50/s: 25 requests each, so that the mean of ratios is a little high.
            assert!(
                (mean(end - 60.0, end) - 3.0).abs() < 0.35,
                "{}",
                mean(end - 60.0, end)
            );
        });
        let plain = presets::find("exp-001").unwrap().profile();
        let mut run = Run::new(&plain);
        while !run.advance(Limit::NONE) {}
        run.with_series(|series| {
            assert!(
                series
                    .column("amplification")
                    .unwrap()
                    .iter()
                    .all(|r| r.is_nan())
            );
        });
    }
}
