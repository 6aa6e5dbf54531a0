//! The verdict: what it says of runs whose course is known.

use agent_chaos_core::{Report, Run, presets, wire};
use serde_json::{Value, json};

/// A preset with changes, run to its end.
fn run(preset: &str, changes: &[(&str, Value)]) -> Report {
    let profile = presets::find(preset).expect(preset).profile();
    let mut written = serde_json::to_value(profile).unwrap();
    for (pointer, value) in changes {
        *written.pointer_mut(pointer).expect(pointer) = value.clone();
    }
    Run::new(&wire::parse(&written.to_string()).unwrap()).finish()
}

fn check(preset: &str, changes: &[(&str, Value)], begins: &str, says: &[&str], not: &[&str]) {
    let verdict = run(preset, changes).verdict;
    assert!(verdict.starts_with(begins), "{preset}: {verdict}");
    for words in says {
        assert!(
            verdict.contains(words),
            "{preset} lacks {words:?}: {verdict}"
        );
    }
    for words in not {
        assert!(
            !verdict.contains(words),
            "{preset} has {words:?}: {verdict}"
        );
    }
}

#[test]
fn a_stable_run_is_stable_and_nothing_holds_it() {
    check(
        "exp-001",
        &[],
        "Stable: no rule tripped in the counted time. None of 22507 requests failed.",
        &[],
        &["held because", "Tripped"],
    );
}

#[test]
fn what_tripped_in_the_start_up_is_labelled_and_what_holds_it_is_said() {
    check(
        "exp-002",
        &[],
        "Degraded at 14.15 s, during start-up: it stepped down from COLLAPSED",
        &[
            "it did not become STABLE again",
            "held because the queue, 37 % full in the mean, did not stay below 10 % full on average",
            "During start-up, which is not counted, it was COLLAPSED twice, first from 2.15 s to",
            "(n = 491)",
        ],
        &[],
    );
    check(
        "exp-003",
        &[],
        "Collapsed at 0.65 s, during start-up",
        &["it did not recover", "100 % of the counted time"],
        &["During start-up"],
    );
}

#[test]
fn the_errors_of_a_saturated_run_are_early_drops_not_overflow() {
    let report = run("exp-003", &[]);
    assert!(report.failures["CONGESTION_FAILURE"].as_u64() > Some(3000));
    assert_eq!(report.failures["QUEUE_OVERFLOW"].as_u64().unwrap_or(0), 0);
    assert!(
        report
            .verdict
            .contains("points by early drop at the gate (CONGESTION_FAILURE)"),
        "{}",
        report.verdict
    );
}

#[test]
fn a_storm_after_a_trigger_is_dated_after_it_and_names_what_sustains_it() {
    check(
        "retry-storm",
        &[],
        "Collapsed at 20.45 s, during the trigger: the rolling p95",
        &[
            "it did not recover",
            "it is metastable",
            "3.00 sends for each request",
            "Confirmed by draining",
        ],
        &["during start-up"],
    );
}

#[test]
fn too_short_a_run_has_no_verdict_but_its_worst_state() {
    check(
        "published-001",
        &[],
        "No verdict: too short: 12 ticks counted, 200 needed; it was STABLE throughout.",
        &[],
        &["of the counted time"],
    );
}

#[test]
fn without_a_detector_there_is_no_verdict() {
    check(
        "exp-002",
        &[("/detector/enabled", json!(false))],
        "No verdict: ",
        &[],
        &["throughout", "not applicable"],
    );
}

#[test]
fn an_unbounded_queue_has_no_saturation() {
    check(
        "exp-001",
        &[
            ("/queue/capacity", Value::Null),
            ("/queue/early_drop", Value::Null),
        ],
        "Stable",
        &["The queue is unbounded: saturation, and the rules made of it, are not applicable."],
        &[],
    );
}
