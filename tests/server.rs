//! Every mechanism of the server does what its source predicts, in whole runs.
//!
//! Statistical tests have 20 replications, seeds 1 to 20, and a confidence interval of 99.9 %; the
//! others are exact, or say where their tolerance comes from.

mod support;

#[path = "server/admission.rs"]
mod admission;
#[path = "server/disciplines.rs"]
mod disciplines;
#[path = "server/downstream.rs"]
mod downstream;
#[path = "server/off.rs"]
mod off;
#[path = "server/presets.rs"]
mod presets;
#[path = "server/timeline.rs"]
mod timeline;
#[path = "server/workers.rs"]
mod workers;

use std::cell::RefCell;
use std::rc::Rc;

use agent_chaos_core::event::{Event, Fact};
use agent_chaos_core::request::FailureMode;
use agent_chaos_core::{Profile, Report, Run, wire};
use serde_json::{Value, json};
use support::mean_and_error;

/// Student's t for 99.9 % and 19 degrees of freedom.
const T_999_19: f64 = 3.883;
const REPLICATIONS: u32 = 20;

/// One worker of 1000/s and an unbounded queue, to which nothing happens, with these changes.
#[track_caller]
fn server(changes: Value) -> Profile {
    let mut value = json!({
        "version": 1,
        "run": {"duration_seconds": 110, "warmup_seconds": 10},
        "agents": null,
        "arrivals": {"rate_per_second": 700},
        "queue": {"capacity": null, "early_drop": null},
        "workers": {"count": 1, "service": {"distribution": "exponential", "base_seconds": 0.001,
            "per_weight_seconds": 0, "slowdown_per_pressure": 0}},
        "faults": {"spike": null, "error": null},
        "throttle": {"enabled": false},
    });
    merge(&mut value, changes);
    wire::from_value(value).unwrap_or_else(|error| panic!("{error}"))
}

/// As [`server`], but nothing is left to chance: evenly spaced arrivals, constant service.
#[track_caller]
fn clockwork(changes: Value) -> Profile {
    let mut value = json!({
        "run": {"warmup_seconds": 0},
        "arrivals": {"process": "even"},
        "workers": {"service": {"distribution": "deterministic"}},
    });
    merge(&mut value, changes);
    server(value)
}

fn merge(value: &mut Value, changes: Value) {
    match (value, changes) {
        (Value::Object(fields), Value::Object(changes)) => {
            for (name, change) in changes {
                merge(fields.entry(name).or_insert(Value::Null), change);
            }
        }
        (value, changes) => *value = changes,
    }
}

/// Runs a profile with somebody who folds its events.
fn watch<T: Default + 'static>(
    profile: &Profile,
    mut fold: impl FnMut(&mut T, &Event<'_>) + 'static,
) -> (T, Report) {
    let state = Rc::new(RefCell::new(T::default()));
    let sink = Rc::clone(&state);
    let observer = move |event: &Event<'_>| fold(&mut sink.borrow_mut(), event);
    let report = Run::observed(profile, Some(Box::new(observer))).finish();
    (state.take(), report)
}

fn seeds(profile: &Profile) -> impl Iterator<Item = Profile> {
    let profile = profile.clone();
    (1..=REPLICATIONS).map(move |seed| Profile {
        seed,
        ..profile.clone()
    })
}

fn replicate(profile: &Profile) -> Vec<Report> {
    seeds(profile)
        .map(|profile| Run::new(&profile).finish())
        .collect()
}

/// The mean over the replications agrees with theory. Start-up from empty biases by less than one
/// part in a thousand.
#[track_caller]
fn agrees(what: &str, values: &[f64], expected: f64) {
    assert_eq!(values.len(), REPLICATIONS as usize);
    let (mean, error) = mean_and_error(values);
    let within = T_999_19 * error + 0.001 * expected;
    assert!(
        (mean - expected).abs() <= within,
        "{what}: {mean} ± {within}, theory {expected}"
    );
}

/// Off by at most so much.
#[track_caller]
fn near(what: &str, value: f64, expected: f64, within: f64) {
    assert!(
        (value - expected).abs() <= within,
        "{what}: {value}, expected {expected} ± {within}"
    );
}

/// A request that was served.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Served {
    number: u64,
    level: u8,
    heavy: bool,
    created: f64,
    started: f64,
    ended: f64,
    outcome: FailureMode,
}

impl Served {
    fn wait(&self) -> f64 {
        self.started - self.created
    }

    fn service(&self) -> f64 {
        self.ended - self.started
    }
}

/// All services that have ended, in the order of their ends.
fn served(profile: &Profile) -> (Vec<Served>, Report) {
    watch(profile, |all: &mut Vec<Served>, event| {
        if let Fact::Completed {
            request,
            started,
            outcome,
            ..
        } = event.fact
        {
            all.push(Served {
                number: request.number,
                level: request.level,
                heavy: request.class.name() == "HEAVY",
                created: request.created.seconds(),
                started: started.seconds(),
                ended: event.at.seconds(),
                outcome,
            });
        }
    })
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for value in values {
        sum += value;
        count += 1.0;
    }
    sum / count
}
