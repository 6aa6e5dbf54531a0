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
