//! Open loops: arrivals come at the rate that the profile says, and generators do not mix.

mod support;

use std::cell::RefCell;
use std::rc::Rc;

use agent_chaos_core::event::{Event, Fact};
use agent_chaos_core::request::Class;
use agent_chaos_core::{Profile, Run, wire};
use serde_json::{Value, json};
use support::mean_and_error;

/// What is known of a request when it is created.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Created {
    seconds: f64,
    class: Class,
    work_ratio: f64,
    level: u8,
}

fn created(profile: &Profile) -> Vec<Created> {
    let log = Rc::new(RefCell::new(Vec::new()));
    let sink = Rc::clone(&log);
    let observer = move |event: &Event<'_>| {
        if let Fact::Created(request) = event.fact {
            sink.borrow_mut().push(Created {
                seconds: request.created.seconds(),
                class: request.class,
                work_ratio: request.work_ratio,
                level: request.level,
            });
        }
    };
    Run::observed(profile, Some(Box::new(observer))).finish();
    log.take()
}

/// 60 s of open loops and nothing else.
#[track_caller]
fn open(loads: &Value) -> Profile {
    let mut value = json!({
        "run": { "duration_seconds": 60, "warmup_seconds": 0 },
        "agents": null, "queue": { "capacity": 1 },
        "workers": { "count": 1, "service": { "base_seconds": 0.001, "distribution": "exponential" } },
    });
    for (name, section) in loads.as_object().unwrap() {
        value[name] = section.clone();
    }
    wire::from_value(value).unwrap_or_else(|error| panic!("{error}"))
}

const SEEDS: u32 = 200;
const WINDOW: f64 = 5.0;

/// ∫λ over a window, by the midpoint rule: jumps lie between its steps.
fn integral(rate: &dyn Fn(f64) -> f64, window: usize) -> f64 {
    const STEPS: u32 = 5000;
    let step = WINDOW / f64::from(STEPS);
    let from = window as f64 * WINDOW;
    let heights = (0..STEPS).map(|n| rate(from + (f64::from(n) + 0.5) * step));
    heights.sum::<f64>() * step
}

fn windows(arrivals: &[Created]) -> [u32; 12] {
    let mut counts = [0; 12];
    for one in arrivals {
        counts[(one.seconds / WINDOW) as usize] += 1;
    }
    counts
}

/// Poisson counts have the integral as mean and as variance, over many seeds and within five standard
/// errors; even ones are the integral's whole number, within one.
#[track_caller]
fn counts_follow(name: &str, arrivals: Value, rate: &dyn Fn(f64) -> f64) {
    let mut profile = open(&json!({ "arrivals": arrivals }));
    let counts: Vec<_> = (1..=SEEDS)
        .map(|seed| {
            profile.seed = seed;
            windows(&created(&profile))
        })
        .collect();
    for window in 0..12 {
        let expected = integral(rate, window);
        let counts: Vec<_> = counts.iter().map(|c| f64::from(c[window])).collect();
        let (mean, error) = mean_and_error(&counts);
        let n = f64::from(SEEDS);
        let within = 5.0 * (expected / n).sqrt() + 1e-6;
        assert!(
            (mean - expected).abs() <= within,
            "{name}, window {window}: {mean} ± {within}, ∫λ = {expected}"
        );
        if expected > 1.0 {
            // The variance of a Poisson sample's variance is (2λ² + λ)/n.
            let dispersion = error * error * n / expected;
            let within = 5.0 * ((2.0 + 1.0 / expected) / n).sqrt();
            assert!(
                (dispersion - 1.0).abs() <= within,
                "{name}, window {window}: dispersion {dispersion}"
            );
        }
    }
    let profile = wire::set(&profile, "arrivals.process", json!("even")).unwrap();
    let counts = windows(&created(&profile));
    let (mut sum, mut expected) = (0.0, 0.0);
    for (window, count) in counts.iter().enumerate() {
        sum += f64::from(*count);
        expected += integral(rate, window);
        assert!(
            (expected - 1.001..=expected + 0.001).contains(&sum),
            "{name}, window {window}: {sum} even arrivals, {expected} expected"
        );
    }
}

#[test]
fn counts_follow_a_constant_rate() {
    counts_follow("constant", json!({ "rate_per_second": 20 }), &|_| 20.0);
}

#[test]
fn counts_follow_a_ramp() {
    let stages = json!([
        { "duration_seconds": 12, "target_per_second": 50 }, { "duration_seconds": 13, "target_per_second": 0 },
        { "duration_seconds": 5, "target_per_second": 0 }, { "duration_seconds": 0, "target_per_second": 30 },
        { "duration_seconds": 10, "target_per_second": 30 }, { "duration_seconds": 10, "target_per_second": 10 },
    ]);
    let ramp = json!({ "rate_per_second": 10, "ramp": { "stages": stages } });
    counts_follow("ramp", ramp, &|t| match t {
        ..12.0 => 10.0 + 40.0 * t / 12.0,
        ..25.0 => 50.0 * (25.0 - t) / 13.0,
        ..30.0 => 0.0,
        ..40.0 => 30.0,
        ..50.0 => 30.0 - 2.0 * (t - 40.0),
        _ => 10.0,
    });
}

#[test]
fn counts_follow_a_spike() {
    let spike = json!({ "at_seconds": 11, "rise_seconds": 3, "hold_seconds": 8, "fall_seconds": 20, "factor": 6 });
    let spike = json!({ "rate_per_second": 10, "spike": spike });
    counts_follow("spike", spike, &|t| match t {
        ..11.0 => 10.0,
        ..14.0 => 10.0 + 50.0 * (t - 11.0) / 3.0,
        ..22.0 => 60.0,
        ..42.0 => 60.0 - 50.0 * (t - 22.0) / 20.0,
        _ => 10.0,
    });
}

#[test]
fn counts_follow_a_day() {
    for amplitude in [0.7, 1.0] {
        let diurnal =
            json!({ "period_seconds": 37, "amplitude_ratio": amplitude, "phase_seconds": 4 });
        let diurnal = json!({ "rate_per_second": 30, "diurnal": diurnal });
        counts_follow("diurnal", diurnal, &|t| {
            let turns = (t - 4.0) / 37.0;
            30.0 * (1.0 + amplitude * libm::sin(std::f64::consts::TAU * turns))
        });
    }
}

#[test]
fn counts_follow_a_recording() {
    let rates = [10.0, 40.0, 0.0, 20.0];
    for repeat in [true, false] {
        let replay = json!({ "interval_seconds": 4, "rates_per_second": rates, "repeat": repeat });
        // The arrival rate above it plays no part.
        let replay = json!({ "rate_per_second": 12345, "replay": replay });
        counts_follow("replay", replay, &|t| {
            if repeat || t < 16.0 {
                rates[(t / 4.0) as usize % 4]
            } else {
                0.0
            }
        });
    }
}

/// Over many seeds, bursts have the mean rate in every window, from the first on.
#[test]
fn counts_of_bursts_have_the_mean_that_is_documented() {
    let bursty =
        json!({ "high_factor": 5, "low_factor": 0, "high_mean_seconds": 2, "low_mean_seconds": 6 });
    let mut profile =
        open(&json!({ "arrivals": { "rate_per_second": 20, "bursty": bursty.clone() } }));
    let counts: Vec<_> = (1..=1000)
        .map(|seed| {
            profile.seed = seed;
            windows(&created(&profile))
        })
        .collect();
    let mean_rate = 20.0 * (5.0 * 2.0) / 8.0;
    for window in 0..12 {
        let counts: Vec<_> = counts.iter().map(|c| f64::from(c[window])).collect();
        let (mean, error) = mean_and_error(&counts);
        let expected = mean_rate * WINDOW;
        assert!(
            (mean - expected).abs() <= 5.0 * error,
            "window {window}: {mean} ± {error}, {expected}"
        );
        assert!(
            error * error * 1000.0 > 5.0 * mean,
            "far more spread than Poisson"
        );
    }
}

/// What a generator sends does not depend on those beside it.
#[test]
fn generators_keep_their_own_arrivals_mixes_and_priorities() {
    let first = json!({ "rate_per_second": 300, "mix": { "light_share": 1, "heavy_share": 0 }, "priority": 5 });
    let second = json!({ "rate_per_second": 200, "spike": { "at_seconds": 20, "factor": 3 }, "mix": { "light_share": 1, "heavy_share": 3 } });
    let third = json!({ "rate_per_second": 100, "process": "even" });
    let heavy = json!({ "heavy": { "priority": 2 } });
    let with = |first: &Value, more: Value| {
        created(&open(
            &json!({ "arrivals": first, "extra_arrivals": more, "requests": heavy }),
        ))
    };
    let all = with(&first, json!([second, third]));
    let silent = json!({ "replay": { "rates_per_second": [0] } });
    let alone = [
        with(&first, json!([])),
        with(&Value::Null, json!([second])),
        with(&Value::Null, json!([silent, third])),
    ];
    let mut merged = alone.concat();
    merged.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    assert_eq!(all, merged);
    for (which, (arrivals, light)) in alone.iter().zip([1.0, 0.25, 2.0 / 3.0]).enumerate() {
        let n = arrivals.len() as f64;
        let lights = arrivals.iter().filter(|one| one.class == Class::Light);
        let share = lights.count() as f64 / n;
        let within = 5.0 * (light * (1.0 - light) / n).sqrt();
        assert!((share - light).abs() <= within, "{which}: {share}, {light}");
        let level = |one: &Created| match (which, one.class) {
            (0, _) => 5,
            (_, Class::Light) => 0,
            (_, Class::Heavy) => 2,
        };
        assert!(arrivals.iter().all(|one| one.level == level(one)));
    }
}

#[test]
fn agents_have_the_priority_of_their_class() {
    let profile = support::profile(
        r#"{"run": {"duration_seconds": 20, "warmup_seconds": 0}, "requests": {"light": {"priority": 7}}}"#,
    );
    let level = |class| if class == Class::Light { 7 } else { 0 };
    let all = created(&profile);
    assert!(all.len() > 1000 && all.iter().all(|one| one.level == level(one.class)));
}

/// Common random numbers: another rate or shape moves arrivals and changes nothing else of them.
#[test]
fn another_rate_leaves_the_draws_alone() {
    let draws = |arrivals: Value| -> Vec<_> {
        let all = created(&open(&json!({ "arrivals": arrivals })));
        assert!(all.len() > 500, "{}", all.len());
        let what = all.iter().take(500).map(|one| (one.class, one.work_ratio));
        what.collect()
    };
    let plain = draws(json!({ "rate_per_second": 100 }));
    for other in [
        json!({ "rate_per_second": 70 }),
        json!({ "rate_per_second": 100, "process": "even" }),
        json!({ "rate_per_second": 100, "diurnal": {} }),
        json!({ "rate_per_second": 50, "bursty": {} }),
        json!({ "replay": { "rates_per_second": [3, 80] } }),
    ] {
        assert_eq!(draws(other.clone()), plain, "{other}");
    }
}

#[test]
fn without_its_shape_a_profile_is_what_it_was() {
    let plain = open(&json!({ "arrivals": { "rate_per_second": 100 } }));
    let digest = Run::new(&plain).finish().digest;
    for (shape, value) in [
        ("ramp", json!({})),
        ("spike", json!({})),
        ("diurnal", json!({})),
        ("bursty", json!({})),
        ("replay", json!({})),
        ("mix", json!({ "light_share": 0 })),
        ("priority", json!(3)),
    ] {
        let path = format!("arrivals.{shape}");
        let shaped = wire::set(&plain, &path, value).unwrap();
        if shape != "priority" {
            // Nothing goes by priority here.
            assert_ne!(Run::new(&shaped).finish().digest, digest, "{shape}");
        }
        let back = wire::set(&shaped, &path, Value::Null).unwrap();
        assert_eq!(wire::to_text(&back), wire::to_text(&plain), "{shape}");
        assert_eq!(Run::new(&back).finish().digest, digest, "{shape}");
    }
    let more = wire::set(&plain, "extra_arrivals.0.rate_per_second", json!(5)).unwrap();
    assert_ne!(Run::new(&more).finish().digest, digest);
    let back = wire::set(&more, "extra_arrivals", json!([])).unwrap();
    assert_eq!(wire::to_text(&back), wire::to_text(&plain));
}

#[test]
fn a_limit_on_requests_counts_those_of_all_generators() {
    let loads = json!({
        "run": { "duration_seconds": 1000, "warmup_seconds": 0, "max_requests": 777 },
        "arrivals": { "rate_per_second": 30, "bursty": {} },
        "extra_arrivals": [{ "rate_per_second": 50, "diurnal": {} }, { "rate_per_second": 10, "process": "even" }],
        "agents": { "count": 3 },
    });
    let report = Run::new(&open(&loads)).finish();
    assert_eq!(
        (report.requests.created, report.requests.in_flight),
        (777, 0)
    );
}

/// A rate that has come to an end for good ends its generator, and with the last one the run.
#[test]
fn a_run_until_idle_ends_when_every_rate_has_come_to_an_end() {
    let loads = json!({
        "run": { "duration_seconds": 100_000, "warmup_seconds": 0, "until": "idle" },
        "arrivals": { "rate_per_second": 50, "process": "even",
            "ramp": { "stages": [{ "duration_seconds": 20, "target_per_second": 0 }, { "duration_seconds": 5, "target_per_second": 0 }] } },
        "extra_arrivals": [{ "replay": { "interval_seconds": 10, "rates_per_second": [0, 3, 0, 7, 0], "repeat": false }, "process": "even" }],
        "telemetry": { "interval_seconds": 0.5 },
    });
    let mut run = Run::new(&open(&loads));
    while !run.advance(agent_chaos_core::Limit::NONE) {}
    // ½ · 50 · 20 of the ramp, (3 + 7) · 10 of the recording; the very last arrives as its rate ends.
    assert!((599..=600).contains(&run.report().requests.created));
    let now = run.now().seconds();
    assert!((39.8..=41.0).contains(&now), "{now}");
}

#[test]
fn the_estimate_counts_every_generator_with_its_shape() {
    let loads = json!({
        "arrivals": { "rate_per_second": 100, "spike": { "at_seconds": 10, "rise_seconds": 2, "hold_seconds": 10, "fall_seconds": 2, "factor": 3 } },
        "extra_arrivals": [
            { "rate_per_second": 10, "ramp": { "stages": [{ "duration_seconds": 30, "target_per_second": 0 }] } },
            { "rate_per_second": 10, "diurnal": { "period_seconds": 60, "amplitude_ratio": 1 } },
            { "rate_per_second": 10, "bursty": { "high_factor": 4, "low_factor": 0, "high_mean_seconds": 1, "low_mean_seconds": 1 } },
            { "replay": { "interval_seconds": 1, "rates_per_second": [40, 20], "repeat": true } },
        ],
    });
    let estimate = open(&loads).estimate();
    let expected = (6000.0 + 200.0 * 12.0) + 150.0 + 600.0 + 1200.0 + 1800.0;
    assert!((estimate.requests - expected).abs() < 1e-6, "{estimate:?}");
    // What the timeline does to them counts too, whether it gives a factor or a rate.
    let surges = json!({
        "arrivals": { "rate_per_second": 100 },
        "timeline": [
            { "at_seconds": 10, "for_seconds": 5, "traffic": { "arrivals_factor": 3 } },
            { "at_seconds": 12, "for_seconds": 2, "set": { "path": "arrivals.rate_per_second", "value": 50_000 } },
            { "at_seconds": 30, "set": { "path": "arrivals.rate_per_second", "value": 0.001 } },
        ],
    });
    let estimate = open(&surges).estimate();
    let expected = 1000.0 + 3.0 * 300.0 + 2.0 * 3.0 * 50_000.0 + 1500.0 + 0.001 * 30.0;
    assert!((estimate.requests - expected).abs() < 1e-6, "{estimate:?}");
    // An endless queue holds what a spike leaves, even where the run as a whole could be served.
    let held = |factor: f64| {
        let spike = json!({ "at_seconds": 10, "hold_seconds": 5, "factor": factor });
        let loads = json!({
            "arrivals": { "rate_per_second": 1000, "spike": spike }, "queue": { "capacity": null },
            "workers": { "count": 20, "service": { "base_seconds": 0.01, "per_weight_seconds": 0 } },
        });
        open(&loads).estimate().memory_bytes
    };
    assert!(held(500.0) > held(1.0) + 48.0 * 2.0e6);
}
