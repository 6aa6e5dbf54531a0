//! What the report says of recovery: by the twin, and by the definitions of `crates/MODEL.md`.

mod support;

use agent_chaos_core::report::recovery::twin;
use agent_chaos_core::{Limit, Profile, Report, Run, wire};
use serde_json::json;
use support::{preset, profile};

fn run(profile: &Profile) -> Report {
    Run::new(profile).finish()
}

#[test]
fn a_retry_storm_is_metastable_and_the_report_says_why() {
    // By the closed form it is for every seed: C/A < λ < C and K > C·T.
    for seed in 1..=5 {
        let recovery = run(&preset("retry-storm", seed)).recovery.unwrap();
        assert_eq!(recovery.trigger_seconds, [20.0, 30.0]);
        assert!(recovery.twin_healthy);
        assert_eq!(recovery.recovered, Some(false));
        assert_eq!(recovery.seconds_after_trigger, None);
        assert_eq!(recovery.metastable, Some(true));
        // Every request is sent three times, and hardly any is answered in time.
        assert!((recovery.amplification.unwrap() - 3.0).abs() < 0.05);
        assert!(recovery.goodput_ratio.unwrap() < 0.05);
        assert!(recovery.stale_work.unwrap() > 0.95);
        let said = recovery.sustained_by.join("; ");
        assert!(
            said.contains("retries") && said.contains("stale work"),
            "{said}"
        );
    }
}

#[test]
fn the_cures_recover_within_half_a_minute() {
    for name in ["budget", "lifo", "breaker", "shedding"] {
        let recovery = run(&preset(&format!("retry-storm-{name}"), 1))
            .recovery
            .unwrap();
        assert_eq!(recovery.recovered, Some(true), "{name}");
        assert_eq!(recovery.metastable, Some(false), "{name}");
        let after = recovery.seconds_after_trigger.unwrap();
        assert!((0.0..30.0).contains(&after), "{name}: {after} s");
        assert!(recovery.sustained_by.is_empty(), "{name}");
    }
}

#[test]
fn draining_at_zero_load_confirms_what_only_the_load_keeps_down() {
    for name in ["retry-storm", "metastable"] {
        let profile = preset(name, 1);
        let recovery = run(&profile).recovery.unwrap();
        assert_eq!(recovery.confirmed_by_draining, Some(true), "{name}");
        let draining = recovery.draining.unwrap();
        assert_eq!(draining.from_seconds, profile.run.duration_seconds);
        assert!(draining.to_seconds > draining.from_seconds && draining.emptied);
        let healthy = draining.healthy_seconds.unwrap();
        let watched = draining.to_seconds..draining.to_seconds + draining.watched_seconds;
        assert!(watched.contains(&healthy), "{name}: {healthy} s");
        assert!(recovery.text.contains("Confirmed by draining"), "{name}");
    }
}

#[test]
fn draining_does_not_confirm_what_fails_by_itself_as_well() {
    // Near the number of agents at which the queue tips over by chance; with this seed it does when the
    // agents come back, though it had not when they came first.
    let crowded = wire::set(&preset("metastable", 10), "agents.count", json!(290)).unwrap();
    let recovery = run(&crowded).recovery.unwrap();
    assert_eq!(recovery.metastable, Some(true));
    assert_eq!(recovery.confirmed_by_draining, Some(false));
    let draining = recovery.draining.unwrap();
    assert!(draining.emptied);
    assert_eq!(draining.healthy_seconds, None);
    assert!(recovery.text.contains("Not confirmed by draining"));
}

#[test]
fn a_run_that_a_number_of_requests_ends_is_drained_from_there_on() {
    let storm = wire::set(&preset("retry-storm", 1), "run.drain", json!("stop")).unwrap();
    let storm = wire::set(&storm, "run.max_requests", json!(6_500)).unwrap();
    let report = run(&storm);
    let recovery = report.recovery.unwrap();
    assert!(report.counted_seconds.to < storm.run.duration_seconds);
    assert_eq!(recovery.confirmed_by_draining, Some(true));
    let from = recovery.draining.unwrap().from_seconds;
    assert_eq!(from, report.counted_seconds.to);
}

#[test]
fn only_what_is_metastable_is_drained() {
    for name in ["retry-storm-budget", "flaky-network", "game-day"] {
        let recovery = run(&preset(name, 1)).recovery.unwrap();
        assert_ne!(recovery.metastable, Some(true), "{name}");
        assert_eq!(recovery.confirmed_by_draining, None, "{name}");
        assert_eq!(recovery.draining, None, "{name}");
    }
}

#[test]
fn a_load_that_ends_by_itself_is_not_drained() {
    let storm = wire::set(&preset("retry-storm", 1), "run.drain", json!("stop")).unwrap();
    let storm = wire::set(&storm, "run.until", json!("idle")).unwrap();
    let recovery = run(&storm).recovery.unwrap();
    assert_eq!(recovery.metastable, Some(true));
    assert_eq!(recovery.draining, None);
}

#[test]
fn the_detector_is_held_against_the_comparison_with_the_twin() {
    let told = |name: &str| run(&preset(name, 1)).detector_quality.unwrap();
    // The rush is told within a second, and the storm after it lasts to the end.
    let storm = told("retry-storm");
    assert_eq!((storm.unhealthy, storm.misses), (1, 0));
    assert_eq!((storm.alarms, storm.false_alarms), (1, 0));
    assert!(storm.lag_seconds.unwrap().abs() < 1.0, "{}", storm.text);
    assert!(storm.unhealthy_seconds > 95.0);
    // Messages are lost on the way: the queue, at which the detector looks, sees nothing of it.
    let lossy = told("flaky-network");
    assert_eq!((lossy.unhealthy, lossy.misses, lossy.alarms), (1, 1, 0));
    assert_eq!(lossy.lag_seconds, None);
    // Without a trigger there is no twin; without a detector, nothing to judge.
    assert_eq!(run(&preset("exp-002", 1)).detector_quality, None);
    let off = wire::set(&preset("retry-storm", 1), "detector.enabled", json!(false)).unwrap();
    assert_eq!(run(&off).detector_quality, None);
}

#[test]
fn a_slow_queue_sustains_itself_without_any_retry() {
    let recovery = run(&preset("metastable", 1)).recovery.unwrap();
    assert_eq!(recovery.metastable, Some(true));
    assert_eq!(recovery.amplification, None);
    assert!(
        recovery
            .sustained_by
            .iter()
            .any(|said| said.contains("slow service"))
    );
}

#[test]
fn too_little_time_to_watch_decides_nothing() {
    let mut storm = preset("retry-storm", 1);
    storm.run.duration_seconds = 35.0;
    let recovery = run(&storm).recovery.unwrap();
    assert_eq!((recovery.recovered, recovery.metastable), (None, None));
    storm.run.duration_seconds = 60.0;
    let recovery = run(&storm).recovery.unwrap();
    assert_eq!(
        (recovery.recovered, recovery.metastable),
        (Some(false), None)
    );
}

#[test]
fn a_run_whose_twin_fails_as_well_is_not_called_metastable() {
    let mut storm = preset("retry-storm", 1);
    storm.arrivals.as_mut().unwrap().rate_per_second = 150.0;
    let recovery = run(&storm).recovery.unwrap();
    assert!(!recovery.twin_healthy);
    assert_ne!(recovery.metastable, Some(true));
}

#[test]
fn a_trigger_that_changes_nothing_leaves_the_run_as_healthy_as_its_twin() {
    let mut calm = preset("retry-storm", 1);
    calm.timeline[0].traffic.as_mut().unwrap().arrivals_factor = 1.0;
    let recovery = run(&calm).recovery.unwrap();
    assert_eq!(recovery.recovered, Some(true));
    assert!(recovery.seconds_after_trigger.unwrap() < 0.1);
    assert_eq!(recovery.goodput_ratio, Some(1.0));
}

#[test]
fn the_twin_is_the_profile_without_what_ends() {
    let storm = preset("retry-storm", 1);
    let calm = twin(&storm).unwrap();
    assert!(calm.timeline.is_empty());
    let forever = wire::set(&storm, "timeline.0.for_seconds", json!(null)).unwrap();
    assert_eq!(twin(&forever), None);
    assert!(run(&forever).recovery.is_none());
    assert!(run(&profile("{}")).recovery.is_none());
}

#[test]
fn slices_change_nothing_about_it() {
    let storm = preset("retry-storm", 3);
    let whole = run(&storm);
    let mut sliced = Run::new(&storm);
    let mut slices = 0;
    while !sliced.advance(Limit {
        polls: 777,
        ..Limit::NONE
    }) {
        assert!(sliced.report().recovery.is_none(), "not before the end");
        slices += 1;
    }
    assert!(slices > 10);
    assert_eq!(sliced.report().to_json(), whole.to_json());
}

#[test]
fn event_by_event_it_comes_to_the_same() {
    let storm = preset("retry-storm", 3);
    let mut stepped = Run::new(&storm);
    let mut steps = 0;
    while !stepped.advance_one_event() {
        steps += 1;
    }
    assert!(steps > 1_000);
    let report = stepped.report();
    assert!(report.recovery.as_ref().unwrap().draining.is_some());
    assert_eq!(report.to_json(), run(&storm).to_json());
}
