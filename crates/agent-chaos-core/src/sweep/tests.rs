use serde_json::json;

use super::*;
use crate::statistics::Moments;
use crate::{Run, presets};

fn base() -> Profile {
    let mut profile = presets::find("exp-002").unwrap().profile();
    profile.run.duration_seconds = 12.0;
    profile.run.warmup_seconds = 1.0;
    profile
}

fn plan(axes: &[&str], seeds: RangeInclusive<u32>) -> Plan {
    let axes = axes.iter().map(|axis| Axis::parse(axis).unwrap());
    Plan::new(&base(), axes.collect(), seeds, MOST_CELLS).unwrap()
}

#[track_caller]
fn values(axis: &str, expected: &[f64]) {
    assert_eq!(Axis::parse(axis).unwrap().values(), expected, "{axis}");
}

#[track_caller]
fn refused(axis: &str, field: &str, found: &str, accepted: &str) {
    let error = Axis::parse(axis).unwrap_err();
    let problem = error.first();
    assert_eq!(problem.field, field, "{axis}: {problem:?}");
    assert!(problem.found.contains(found), "{axis}: {problem:?}");
    assert!(problem.accepted.contains(accepted), "{axis}: {problem:?}");
}

#[test]
fn a_range_has_both_its_ends() {
    values("agents.count=100..400:100", &[100.0, 200.0, 300.0, 400.0]);
    values("workers.count=2..4", &[2.0, 3.0, 4.0]);
    values("workers.count=4..4", &[4.0]);
    values("agents.count=100..250:100", &[100.0, 200.0, 250.0]);
    values(" agents.count = 100 .. 200 : 100 ", &[100.0, 200.0]);
    values(
        "agents.think_seconds=0.1..0.5:0.1",
        &[0.1, 0.2, 0.3, 0.4, 0.5],
    );
    values("agents.think_seconds=0.1..0.5", &[0.1, 0.5]);
    values("agents.think_seconds=1e-1..3e-1:0.1", &[0.1, 0.2, 0.3]);
    values("agents.count=3,1,2", &[3.0, 1.0, 2.0]);
    values("agents.count=7", &[7.0]);
}

#[test]
fn a_logarithmic_range_grows_by_one_factor() {
    values("agents.count=1..1000:log4", &[1.0, 10.0, 100.0, 1000.0]);
    // Whole numbers that round to the same stand once.
    values("workers.count=1..4:log6", &[1.0, 2.0, 3.0, 4.0]);
    let axis = Axis::parse("agents.think_seconds=0.01..2:log5").unwrap();
    let values = axis.values();
    assert_eq!((values.len(), values[0], values[4]), (5, 0.01, 2.0));
    // 200 to the power of a quarter, to six digits.
    let factor = 200.0_f64.sqrt().sqrt();
    for pair in values.windows(2) {
        assert!(
            (pair[1] / pair[0] / factor - 1.0).abs() < 1e-5,
            "{values:?}"
        );
    }
}

#[test]
fn what_is_no_range_is_refused_with_what_would_be() {
    let field = "/agents/count";
    refused("agents.count=", field, "nothing", "A..B:STEP");
    refused("agents.count=400..100", field, "400..100", "100..400");
    refused("agents.count=1..9:0", field, "1..9:0", "above 0");
    refused("agents.count=1..9:-2", field, "1..9:-2", "above 0");
    refused("agents.count=1..9:x", field, "x in 1..9:x", "a number");
    refused("agents.count=1..9:log1", field, "log1", "from 2");
    refused("agents.count=0..9:log3", field, "0..9", "above 0");
    refused("agents.count=1..inf", field, "inf", "a number");
    refused("agents.count=1,,3", field, "nothing", "a number");
    refused("agents.count=1,2,1", field, "1 twice", "once");
    refused("agents.count=1..1e9", field, "1000000000 values", "1000000");
    refused("agents.count=1..1e300:1e-300", field, "values", "1000000");
    refused("agents.count", "", "agents.count", "path=values");
}

#[test]
fn what_holds_no_number_cannot_vary() {
    refused("agent.count=1..2", "/agent", "unknown", "agents");
    refused("agents.counts=1..2", "/agents/counts", "unknown", "count");
    refused("agents=1..2", "/agents", "a section", "agents.count");
    refused(
        "queue.discipline=1..2",
        "/queue/discipline",
        "a choice",
        "number",
    );
    refused(
        "throttle.enabled=0..1",
        "/throttle/enabled",
        "a switch",
        "number",
    );
    refused("timeline=1..2", "/timeline", "a list", "number");
    refused(
        "timeline.x.at_seconds=1",
        "/timeline/x",
        "unknown",
        "from 0",
    );
    refused("agents.count.x=1", "/agents/count/x", "unknown", "before");
    refused("seed=1..9", "/seed", "seed", "another field");
}

#[test]
fn the_first_axis_is_the_slowest_and_seeds_are_the_fastest() {
    let plan = plan(&["agents.count=100..300:100", "workers.count=8,2"], 5..=6);
    assert_eq!((plan.points(), plan.cells()), (6, 12));
    let mut cells = plan.each_cell().map(Result::unwrap);
    for (point, expected) in [
        [100.0, 8.0],
        [100.0, 2.0],
        [200.0, 8.0],
        [200.0, 2.0],
        [300.0, 8.0],
        [300.0, 2.0],
    ]
    .into_iter()
    .enumerate()
    {
        for (index, seed) in (5..=6).enumerate() {
            let cell = cells.next().unwrap();
            assert_eq!(cell.number, 2 * point as u64 + index as u64);
            assert_eq!((&cell.values[..], cell.seed), (&expected[..], seed));
            let mut profile = base();
            profile.agents.as_mut().unwrap().count = expected[0] as u32;
            profile.workers.count = expected[1] as u32;
            profile.seed = seed;
            assert_eq!(cell.profile, profile);
        }
    }
    assert!(cells.next().is_none());
}

#[test]
fn a_section_that_was_off_is_switched_on() {
    let plan = plan(&["client.timeout_seconds=1,2"], 1..=1);
    let profile = plan.profile(1).unwrap();
    assert_eq!(profile.client.unwrap().timeout_seconds, Some(2.0));
}

#[test]
fn every_point_keeps_the_rules_of_profiles() {
    let check = |axes: &[&str]| plan(axes, 1..=3).check().map(|_| ()).unwrap_err();
    let below = check(&["agents.count=100,200", "workers.count=2,0"]);
    let problem = below.first();
    assert_eq!(problem.field, "/workers/count");
    assert_eq!(
        problem.found,
        "0 (in cell 3, agents.count = 100, workers.count = 0)"
    );
    assert!(problem.accepted.contains("from 1"), "{problem:?}");
    let parts = check(&["workers.count=1..3:0.5"]);
    assert!(parts.first().found.starts_with("1.5 (in cell 3"), "{parts}");
    // Fields that contradict each other, each of them within its bounds.
    let warmup = check(&["run.duration_seconds=60,0.5"]);
    assert!(warmup.first().found.contains("in cell 3"), "{warmup}");
}

#[test]
fn too_much_is_refused_before_it_begins() {
    let new = |axes: &[&str], seeds, most| {
        let axes = axes.iter().map(|axis| Axis::parse(axis).unwrap());
        Plan::new(&base(), axes.collect(), seeds, most).map(|plan| plan.cells())
    };
    let message = |error: Result<u64, ProfileError>| error.unwrap_err().to_string();
    assert_eq!(new(&["workers.count=1..3"], 1..=2, 6).unwrap(), 6);
    assert!(message(new(&["workers.count=1..3"], 1..=2, 5)).contains("at most 5"));
    let many = [
        "agents.count=1..1e5",
        "workers.count=1..1e5",
        "queue.capacity=1..1e5",
    ];
    assert!(message(new(&many, 0..=u32::MAX, u64::MAX)).contains("at most 1000000"));
    assert!(message(new(&[], 1..=2, 9)).contains("1 to 8"));
    let twice = ["workers.count=1", "workers.count=2"];
    assert!(message(new(&twice, 1..=2, 9)).contains("/workers/count"));
    #[allow(clippy::reversed_empty_ranges)] // That is what is refused.
    let none = new(&["workers.count=1"], 2..=1, 9);
    assert!(message(none).contains("/seed"));
}

#[test]
fn a_plan_is_known_by_what_decides_its_rows() {
    let id = |axes: &[&str], seeds| plan(axes, seeds).id().to_owned();
    let one = id(&["workers.count=1..3"], 1..=2);
    assert_eq!(id(&["workers.count=1,2,3"], 1..=2), one);
    for other in [
        id(&["workers.count=1..4"], 1..=2),
        id(&["workers.count=3,2,1"], 1..=2),
        id(&["queue.capacity=1..3"], 1..=2),
        id(&["workers.count=1..3"], 1..=3),
        id(&["workers.count=1..3"], 2..=3),
    ] {
        assert_ne!(other, one);
    }
    // The profile's own seed decides nothing, everything else of it does.
    let axis = || vec![Axis::parse("workers.count=1..3").unwrap()];
    let mut profile = base();
    profile.seed = 77;
    let seeded = Plan::new(&profile, axis(), 1..=2, MOST_CELLS).unwrap();
    assert_eq!(seeded.id(), one);
    profile.queue.capacity = Some(81);
    let changed = Plan::new(&profile, axis(), 1..=2, MOST_CELLS).unwrap();
    assert_ne!(changed.id(), one);
}

#[test]
fn a_row_is_what_the_report_of_that_run_says() {
    let plan = plan(&["workers.count=2,4"], 1..=2);
    let cell = plan.cell(3).unwrap();
    let run = Run::new(&cell.profile).finish();
    let row = plan.row(3, &run);
    let columns = plan.columns();
    assert_eq!(row.values.len(), columns.len());
    let report = run.to_json();
    for (column, node) in columns.iter().zip(&row.values) {
        let value = serde_json::Value::from(node.clone());
        let expected = match column.name {
            "plan" => json!(plan.id()),
            "cells" => json!(4),
            "cell" => json!(3),
            "workers.count" => json!(4),
            // Of what the profile does not have there is nothing.
            path => path
                .split('.')
                .try_fold(&report, |place, name| place.get(name))
                .cloned()
                .unwrap_or_default(),
        };
        assert_eq!(value, expected, "{}", column.name);
        let fits = match node {
            Node::Null => true,
            Node::Whole(_) => column.kind == Kind::Whole,
            Node::Real(_) => column.kind == Kind::Real,
            Node::Text(_) => column.kind == Kind::Text,
            Node::Bool(_) => column.kind == Kind::Flag,
            _ => false,
        };
        assert!(fits, "{}: {node:?}", column.name);
    }
}

#[test]
fn a_point_has_its_means_and_shares_over_its_seeds() {
    let plan = plan(&["agents.count=20,900"], 1..=4);
    let mut summary = Summary::new(&plan);
    let reports: Vec<_> = plan
        .each_cell()
        .map(|cell| Run::new(&cell.unwrap().profile).finish())
        .collect();
    // In any order, and one of them twice.
    for cell in [3, 0, 1, 2, 7, 6, 5, 4, 0] {
        summary.add(&plan.row(cell, &reports[cell as usize]));
    }
    assert_eq!(summary.rows(), 8);
    for point in 0..2 {
        let told = summary.point(point);
        let mut expected = Moments::default();
        let mut worst = 0;
        for report in &reports[point as usize * 4..][..4] {
            expected.add(report.queue.mean);
            worst += u64::from(report.worst_state == Some(crate::detector::State::Collapsed));
        }
        let queue = told.figure("queue.mean").unwrap();
        assert_eq!(told.runs(), 4);
        assert!((queue.mean - expected.mean().unwrap()).abs() < 1e-9);
        assert!((queue.ci95.unwrap() - expected.half_width().unwrap()).abs() < 1e-9);
        let share = told.worst_state(crate::detector::State::Collapsed);
        assert_eq!((share.count, share.runs), (worst, 4));
        // There is no trigger to recover from, and there are no clients that send again.
        assert_eq!(told.recovered().runs, 0);
        assert!(told.figure("clients.amplification").is_none());
    }
    let shares = [0, 1].map(|point| {
        summary
            .point(point)
            .worst_state(crate::detector::State::Stable)
    });
    assert_eq!(shares.map(|share| share.count), [4, 0]);
    let node = serde_json::Value::from(summary.node(&plan));
    assert_eq!(node[1]["values"], json!({ "agents.count": 900 }));
    assert_eq!(node[0]["worst_states"]["STABLE"]["count"], 4);
    assert_eq!(node[0]["figures"]["queue.mean"]["runs"], 4);
}

#[test]
fn cells_in_slices_are_the_runs_they_would_be_alone() {
    let plan = plan(&["workers.count=2,4"], 1..=2);
    let whole: Vec<_> = plan
        .each_cell()
        .map(|cell| {
            let cell = cell.unwrap();
            plan.row(cell.number, &Run::new(&cell.profile).finish())
        })
        .collect();
    let mut cells = Cells::new(plan);
    let slice = crate::Limit {
        polls: 1000,
        ..crate::Limit::NONE
    };
    let (mut rows, mut before) = (Vec::new(), 0.0);
    while !cells.is_finished() {
        rows.extend(cells.advance(slice).unwrap());
        assert!(cells.progress() >= before);
        before = cells.progress();
    }
    assert_eq!(rows, whole);
    assert_eq!((cells.progress(), cells.done()), (1.0, 4));
    assert_eq!(cells.advance(slice), Ok(None));
}
