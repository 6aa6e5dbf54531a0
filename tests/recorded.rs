//! The recorded table comes out of the presets, and the published package's means out of its own.

mod support;

use support::{mean_and_error, preset, recorded};

use agent_chaos_core::{Report, Run};

struct Means {
    mean: (f64, f64),
    p95: (f64, f64),
    error_rate: (f64, f64),
    reports: Vec<Report>,
}

fn runs(name: &str, seeds: u32) -> Means {
    let reports: Vec<Report> = (1..=seeds)
        .map(|seed| Run::new(&preset(name, seed)).finish())
        .collect();
    let over = |of: fn(&Report) -> f64| mean_and_error(&reports.iter().map(of).collect::<Vec<_>>());
    Means {
        mean: over(|r| r.latency_seconds.unwrap().mean),
        p95: over(|r| r.latency_seconds.unwrap().p95),
        error_rate: over(|r| r.error_rate.unwrap()),
        reports,
    }
}

fn check_recorded(name: &str) {
    let table = recorded();
    let number = |pointer: &str| table.pointer(pointer).unwrap().as_f64().unwrap();
    let rows = table["rows"].as_array().unwrap();
    let row = rows.iter().find(|row| row["preset"] == name).unwrap();
    let (relative, seeds) = (
        number("/tolerance/latency_relative"),
        number("/tolerance/seeds") as u32,
    );
    let least_in_state = number("/tolerance/least_seeds_in_state") as usize;

    let got = runs(name, seeds);
    for (what, got, expected) in [
        ("mean", got.mean.0, &row["latency_seconds"]["mean"]),
        ("p95", got.p95.0, &row["latency_seconds"]["p95"]),
    ] {
        let expected = expected.as_f64().unwrap();
        assert!(
            (got / expected - 1.0).abs() <= relative,
            "{name} {what}: {got}, recorded {expected}"
        );
    }
    let (expected, within) = (
        row["error_rate"].as_f64().unwrap(),
        row["error_rate_absolute"].as_f64().unwrap(),
    );
    assert!(
        (got.error_rate.0 - expected).abs() <= within,
        "{name} error rate: {:?}, recorded {expected}",
        got.error_rate
    );
    let in_state = got
        .reports
        .iter()
        .filter(|r| r.state.is_some_and(|s| row["state"] == s.name()))
        .count();
    assert!(
        in_state >= least_in_state,
        "{name}: the recorded state in {in_state} of {seeds} seeds"
    );
}

#[test]
fn control_is_as_recorded() {
    check_recorded("exp-001");
}

#[test]
fn congestion_is_as_recorded() {
    check_recorded("exp-002");
}

#[test]
fn saturation_is_as_recorded() {
    check_recorded("exp-003");
}

#[test]
fn the_table_names_the_parameters_of_the_presets() {
    for row in recorded()["rows"].as_array().unwrap() {
        let profile = preset(row["preset"].as_str().unwrap(), 1);
        assert_eq!(row["agents"], profile.agents.unwrap().count);
        assert_eq!(row["workers"], profile.workers.count);
        assert_eq!(row["capacity"], profile.queue.capacity.unwrap());
    }
}

/// The published package measured under a virtual-time event loop, 200 seeds: mean and half-width
/// of the 95 % interval of mean latency, p95 latency and error rate.
fn check_published(
    name: &str,
    expected: [(f64, f64); 3],
    collapsed_share: std::ops::RangeInclusive<f64>,
) {
    let seeds = 400;
    let got = runs(name, seeds);
    for (what, (got, error), (expected, half_width)) in [
        ("mean", got.mean, expected[0]),
        ("p95", got.p95, expected[1]),
        ("error rate", got.error_rate, expected[2]),
    ] {
        // Both intervals, and 2 % for what a virtual-time event loop does to the original.
        let within = 1.96 * error + half_width + 0.02 * expected;
        assert!(
            (got - expected).abs() <= within,
            "{name} {what}: {got}, measured {expected} ± {half_width}"
        );
    }
    let worst = |state| {
        got.reports
            .iter()
            .filter(|r| r.worst_state.unwrap().name() == state)
            .count() as f64
            / f64::from(seeds)
    };
    assert!(
        collapsed_share.contains(&worst("COLLAPSED")),
        "{name}: {}",
        worst("COLLAPSED")
    );
    assert!(worst("DEGRADED") == 0.0, "{name}: never worst at DEGRADED");
}

#[test]
fn the_published_code_at_80_agents() {
    // "About two of three": the 95 % interval of 400 trials at 2/3 is ± 0.046; as much again for "about".
    check_published(
        "published-001",
        [(0.2216, 0.0059), (0.4650, 0.0094), (0.1043, 0.0048)],
        0.57..=0.76,
    );
}

#[test]
fn the_published_code_at_400_agents() {
    check_published(
        "published-002",
        [(0.8944, 0.0126), (1.6126, 0.0237), (0.7849, 0.0017)],
        1.0..=1.0,
    );
}

#[test]
fn the_published_code_at_1000_agents() {
    check_published(
        "published-003",
        [(1.1319, 0.0226), (2.0624, 0.0395), (0.9476, 0.0005)],
        1.0..=1.0,
    );
}
