//! `run --assert`: what fails is named with its value, and ends in exit status 1.

mod support;

use serde_json::{Value, json};
use support::{Said, run, run_json};

const SHORT: &str = "run.duration_seconds=75";

fn asserted(more: &[&str]) -> Said {
    let mut parameters = vec!["run", "exp-002", "--set", SHORT];
    parameters.extend(more);
    run(&parameters)
}

#[test]
fn what_holds_ends_well() {
    let said = asserted(&[
        "--assert",
        "latency_seconds.p95 < 1",
        "--assert",
        "worst_state == COLLAPSED",
    ]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    assert!(
        said.out
            .contains("Assertions   holds  latency_seconds.p95 < 1"),
        "{}",
        said.out
    );
}

#[test]
fn what_fails_is_named_with_its_value() {
    let said = asserted(&["--assert", "state != DEGRADED", "--assert", "error_rate<1"]);
    assert_eq!(said.code, 1);
    assert_eq!(
        said.err,
        "error: 1 of 2 assertions failed: state != DEGRADED (DEGRADED)\n"
    );
    assert!(
        said.out.contains("FAILS  state != DEGRADED   (DEGRADED)"),
        "{}",
        said.out
    );
    assert!(said.out.contains("holds  error_rate < 1"), "{}", said.out);
}

#[test]
fn a_recovery_that_was_not_is_undefined() {
    let said = asserted(&["--assert", "recovery.seconds_after_trigger < 10"]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("(undefined)"), "{}", said.err);
}

#[test]
fn programs_find_them_under_assertions() {
    let said = asserted(&[
        "--json",
        "--assert",
        "state == STABLE",
        "--assert",
        "seed == 1",
    ]);
    assert_eq!(said.code, 1);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        report["assertions"],
        json!([
            { "assertion": "state == STABLE", "holds": false, "value": "DEGRADED" },
            { "assertion": "seed == 1", "holds": true, "value": 1 },
        ])
    );
    let error: Value = serde_json::from_str(&said.err).unwrap();
    let message = error["error"]["message"].as_str().unwrap();
    assert!(message.contains("state == STABLE (DEGRADED)"), "{message}");
    // Nothing asserted, nothing added.
    let plain = run_json(&["run", "exp-001", "--set", SHORT, "--json"]);
    assert_eq!(plain.get("assertions"), None);
}

#[test]
fn seeds_are_asserted_one_by_one_and_together() {
    let seeds = ["--seeds", "1..4", "--json"];
    let wrong = "seed != 3";
    let mut all = seeds.to_vec();
    for text in [
        wrong,
        "mean(seed) == 2.5",
        "share(seed > 1) >= 0.75",
        "share(state == STABLE) > 0.5",
    ] {
        all.extend(["--assert", text]);
    }
    let said = asserted(&all);
    assert_eq!(said.code, 1);
    let told: Value = serde_json::from_str(&said.out).unwrap();
    let judged = told["assertions"].as_array().unwrap();
    let holds: Vec<_> = judged
        .iter()
        .map(|one| one["holds"].as_bool().unwrap())
        .collect();
    assert_eq!(holds, [false, true, true, false]);
    assert_eq!(judged[0]["failures"], json!([{ "seed": 3, "value": 3 }]));
    assert_eq!(
        (&judged[1]["value"], &judged[3]["value"]),
        (&json!(2.5), &json!(0.0))
    );
    assert_eq!(told["runs"].as_array().unwrap().len(), 4);
}

#[test]
fn what_cannot_be_meant_is_refused_before_anything_runs() {
    for (text, words) in [
        ("latency_seconds.p59 < 1", "perhaps latency_seconds.p95"),
        ("state = STABLE", "one of < <= > >= == !="),
        ("state == ", "which ends there"),
        ("state > STABLE", "a number after >"),
    ] {
        let said = asserted(&["--assert", text]);
        assert_eq!(
            (said.code, said.out.as_str()),
            (2, ""),
            "{text}: {}",
            said.err
        );
        assert!(said.err.contains(words), "{text}: {}", said.err);
    }
    let said = asserted(&["--assert", "state < 3"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("state is \"DEGRADED\""), "{}", said.err);
}

#[test]
fn the_help_has_examples() {
    let said = run(&["run", "--help"]);
    for words in [
        "--assert 'latency_seconds.p95 < 0.3'",
        "share(state == COLLAPSED)",
        "undefined",
    ] {
        assert!(said.out.contains(words), "{words}");
    }
}

#[test]
fn a_state_that_there_is_not_is_refused() {
    for wrong in [
        "state != COLAPSED",
        "state != collapsed",
        "worst_state == STABLE_",
        "share(state == COLAPSED) == 0",
    ] {
        let said = asserted(&["--assert", wrong]);
        assert_eq!(said.code, 2, "{wrong}");
        let accepted = "STABLE, DEGRADED, COLLAPSED";
        assert!(said.err.contains(accepted), "{wrong}: {}", said.err);
    }
}
