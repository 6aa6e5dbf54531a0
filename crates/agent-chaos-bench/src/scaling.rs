//! What a request costs as one number of the profile grows.

use agent_chaos_core::{Profile, wire};
use serde_json::{Value, json};

use crate::report::short;
use crate::stats::Summary;
use crate::workloads;

/// Requests of each run.
pub const REQUESTS: u32 = 1_000_000;

/// One number of the profile at several values.
#[derive(Clone, Debug)]
pub struct Series {
    /// What grows, with its unit if it has one.
    pub name: &'static str,
    /// What is kept the same, and what follows.
    pub about: &'static str,
    /// The unit of the values, to stand behind a number.
    pub unit: &'static str,
    /// One for each value.
    pub points: Vec<Point>,
}

/// One value, and what a request cost there.
#[derive(Clone, Debug)]
pub struct Point {
    /// The value.
    pub value: f64,
    /// The profile with this value, as text.
    pub profile: String,
    /// Time per request in nanoseconds, and over that of the bare loop.
    pub costs: Vec<(f64, f64)>,
    /// Why the last measurement failed.
    pub failed: Option<String>,
}

impl Series {
    fn new(
        name: &'static str,
        unit: &'static str,
        about: &'static str,
        values: &[f64],
        profile: impl Fn(f64) -> Profile,
    ) -> Self {
        let point = |&value: &f64| Point {
            value,
            profile: wire::to_text(&profile(value)),
            costs: Vec::new(),
            failed: None,
        };
        Self {
            name,
            about,
            unit,
            points: values.iter().map(point).collect(),
        }
    }

    /// Rows of the table: name, median, range, nothing, nothing, note.
    #[must_use]
    pub fn cells(&self) -> Vec<[String; 6]> {
        let cells = |point: &Point| {
            let name = match self.unit.strip_suffix('s') {
                // The unit of time is no plural.
                Some(singular) if point.value == 1.0 && !singular.is_empty() => {
                    format!("1 {singular}")
                }
                _ => format!("{} {}", thousands(point.value), self.unit),
            };
            match (point.ratio(), point.nanos()) {
                (Some(ratio), Some(nanos)) => [
                    name,
                    format!("{} ×", short(ratio.median)),
                    format!("{} … {}", short(ratio.min), short(ratio.max)),
                    String::new(),
                    String::new(),
                    format!("{} ns per request", short(nanos.median)),
                ],
                _ => {
                    let reason = point
                        .failed
                        .clone()
                        .unwrap_or_else(|| "not measured".to_owned());
                    [
                        name,
                        "–".to_owned(),
                        String::new(),
                        String::new(),
                        String::new(),
                        reason,
                    ]
                }
            }
        };
        self.points.iter().map(cells).collect()
    }

    /// As data.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let point = |point: &Point| {
            json!({
                "value": point.value,
                "nanos_per_request": point.nanos().map(|summary| summary.median),
                "ratio": point.ratio().map(|summary| summary.median),
                "reason": point.failed,
            })
        };
        json!({
            "name": self.name, "unit": self.unit, "about": self.about,
            "points": self.points.iter().map(point).collect::<Vec<_>>(),
        })
    }
}

impl Point {
    /// Time per request over that of the bare loop.
    #[must_use]
    pub fn ratio(&self) -> Option<Summary> {
        Summary::of(self.costs.iter().map(|&(_, ratio)| ratio))
    }

    /// Time per request, in nanoseconds.
    #[must_use]
    pub fn nanos(&self) -> Option<Summary> {
        Summary::of(self.costs.iter().map(|&(nanos, _)| nanos))
    }
}

/// Everything that is looked at.
#[must_use]
pub fn all() -> Vec<Series> {
    const DECADES: [f64; 6] = [1.0, 10.0, 100.0, 1_000.0, 10_000.0, 100_000.0];
    let open = || workloads::open_loop(REQUESTS);
    vec![
        Series::new(
            "agents",
            "agents",
            "each thinks so long that all together offer 4,660 requests/s to 4 workers, 80 places",
            &DECADES[1..],
            |value| workloads::agents(value as u32, REQUESTS),
        ),
        Series::new(
            "workers",
            "workers",
            "open loop, 4,660 requests/s; service takes (workers ÷ 4) ms, which keeps the load at 1.165",
            &DECADES[..5],
            |value| {
                let mut profile = open();
                profile.workers.count = value as u32;
                profile.workers.service.base_seconds = value / 4000.0;
                profile
            },
        ),
        Series::new(
            "queue capacity",
            "places",
            "open loop at 1.165; the longest queue fills within the run",
            &DECADES[1..],
            |value| {
                let mut profile = open();
                profile.queue.capacity = Some(value as u32);
                profile
            },
        ),
        Series::new(
            "latency window",
            "s",
            "open loop at 1.165, ten times slower (466 requests/s), so that 1,000 s fit into the run",
            &[0.1, 1.0, 10.0, 100.0, 1_000.0],
            |value| {
                let mut profile = open();
                profile.telemetry.latency_window_seconds = value;
                profile.workers.service.base_seconds = 0.01;
                if let Some(arrivals) = &mut profile.arrivals {
                    arrivals.rate_per_second /= 10.0;
                }
                profile
            },
        ),
    ]
}

/// A number with commas between thousands.
fn thousands(value: f64) -> String {
    if value < 1000.0 {
        return value.to_string();
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_is_within_the_bounds() {
        for point in all().iter().flat_map(|series| &series.points) {
            wire::parse(&point.profile).expect("a profile within the bounds");
        }
    }

    #[test]
    fn the_load_is_the_same_with_any_number_of_workers() {
        let series = all();
        let workers = series
            .iter()
            .find(|one| one.name == "workers")
            .expect("a series");
        for point in &workers.points {
            let profile = wire::parse(&point.profile).expect("a profile");
            let capacity = f64::from(profile.workers.count) / profile.workers.service.base_seconds;
            assert!((4660.0 / capacity - 1.165).abs() < 1e-9);
        }
    }

    #[test]
    fn thousands_are_parted() {
        assert_eq!(
            [0.1, 10.0, 1000.0, 100_000.0].map(thousands),
            ["0.1", "10", "1,000", "100,000"]
        );
    }
}
