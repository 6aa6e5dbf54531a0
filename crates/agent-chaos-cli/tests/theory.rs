//! `theory`: the table for people and for programs, and what it refuses.

mod support;

use serde_json::Value;
use support::{run, run_json};

#[test]
fn the_table_has_what_agrees_and_why_the_rest_does_not_apply() {
    let said = run(&[
        "theory",
        "mm4-80",
        "--set",
        "run.max_requests=200000",
        "--seeds",
        "1..10",
    ]);
    assert_eq!(said.code, 0, "{}", said.err);
    for words in [
        "10 runs, seeds 1..10",
        "predicted",
        "agrees       Blocking, M/M/c/K",
        "0.1416",
        "Mean wait, M/G/1: there is more than one worker",
        "Student's t",
    ] {
        assert!(said.out.contains(words), "{words}: {}", said.out);
    }
    assert!(
        said.out.lines().all(|line| line.chars().count() <= 102),
        "{}",
        said.out
    );
}

#[test]
fn programs_get_every_row() {
    let table = run_json(&[
        "theory",
        "exp-001",
        "--set",
        "run.duration_seconds=70",
        "--seeds",
        "5..14",
        "--json",
    ]);
    assert_eq!(table["seeds"], serde_json::json!([5, 14]));
    assert_eq!(table["runs"], 10);
    let row = |id: &str| -> &Value {
        let rows = table["rows"].as_array().unwrap();
        rows.iter().find(|row| row["id"] == id).unwrap()
    };
    assert_eq!(row("response_law")["outcome"], "agrees");
    assert!(row("response_law")["simulated"]["ci95"].is_f64());
    assert_eq!(row("blocking")["outcome"], "does_not_apply");
    assert_eq!(row("blocking")["predicted"], Value::Null);
    assert_eq!(row("little_waiting")["predicted"], 0.0);
}

#[test]
fn nine_runs_are_too_few() {
    let said = run(&["theory", "mm1", "--seeds", "1..9"]);
    assert_eq!(said.code, 2);
    assert!(
        said.err
            .contains("/seed: found --seeds 1..9, which are 9 runs"),
        "{}",
        said.err
    );
    assert!(said.err.contains("at least 10"), "{}", said.err);
}
