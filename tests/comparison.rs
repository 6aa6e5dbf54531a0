//! Theory beside the run: where a formula applies the runs agree, where a profile is another one they
//! do not, and where it does not apply the table says why.
//!
//! 20 replications with the seeds 1 to 20. The tolerance is that of the table itself: the 99.5 %
//! interval of the mean by Student's t, so that a change of the engine is wrongly called a disagreement
//! once in 200 rows.

mod support;

use agent_chaos_core::Profile;
use agent_chaos_core::presets::PRESETS;
use agent_chaos_core::theory::{Measured, Outcome, Row, Table, Witnessed, compare};
use support::{preset, profile, short_presets};

fn runs(profile: &Profile, count: u32) -> Vec<Measured> {
    let run = |seed| {
        let mut profile = profile.clone();
        profile.seed = seed;
        Witnessed::new(&profile).finish()
    };
    (1..=count).map(run).collect()
}

fn table(profile: &Profile) -> Table {
    compare(profile, &runs(profile, 20)).expect("enough runs")
}

#[track_caller]
fn row<'a>(table: &'a Table, id: &str) -> &'a Row {
    let found = table.rows.iter().find(|row| row.id == id);
    found.unwrap_or_else(|| panic!("no row {id}"))
}

/// All rows that are held against something agree, and these are among them.
#[track_caller]
fn agrees(table: &Table, ids: &[&str]) {
    for row in &table.rows {
        assert!(
            !matches!(row.outcome, Outcome::Disagrees | Outcome::Unsettled),
            "{row:#?}"
        );
    }
    for id in ids {
        assert_eq!(
            row(table, id).outcome,
            Outcome::Agrees,
            "{:#?}",
            row(table, id)
        );
    }
}

#[track_caller]
fn says_why(table: &Table, id: &str, words: &str) {
    let row = row(table, id);
    assert_eq!(row.outcome, Outcome::DoesNotApply, "{row:#?}");
    assert!(row.note.contains(words), "{id}: {}", row.note);
}

const EXACT: [&str; 3] = ["little_waiting", "little_serving", "conservation"];

fn open(rate: f64, workers: u32, capacity: &str, service: &str) -> Profile {
    profile(&format!(
        r#"{{"run": {{"duration_seconds": 130, "warmup_seconds": 10}}, "agents": null,
            "arrivals": {{"rate_per_second": {rate}}},
            "queue": {{"capacity": {capacity}, "early_drop": null}},
            "workers": {{"count": {workers}, "service": {{"base_seconds": 0.001,
                "per_weight_seconds": 0, "slowdown_per_pressure": 0, {service}}}}},
            "faults": {{"spike": null, "error": null}}, "throttle": null}}"#
    ))
}

#[test]
fn mm1_agrees_with_erlang_and_with_pollaczek_and_khinchine() {
    let table = table(&open(800.0, 1, "null", r#""distribution": "exponential""#));
    agrees(
        &table,
        &[
            "utilization",
            "mean_wait",
            "erlang_c",
            "pollaczek_khinchine",
        ],
    );
    agrees(&table, &EXACT);
    assert_eq!(row(&table, "mean_wait").predicted, Some(0.004));
    says_why(&table, "blocking", "no limit");
    says_why(&table, "closed_response", "no agents");
}

#[test]
fn the_mm4_80_preset_agrees_although_it_starts_empty() {
    let table = table(&preset("mm4-80", 1));
    agrees(&table, &["utilization", "blocking", "mean_wait"]);
    let blocked = row(&table, "blocking").predicted.unwrap();
    assert!((blocked - 0.14163).abs() < 1e-5, "{blocked}");
    says_why(&table, "pollaczek_khinchine", "more than one worker");
}

#[test]
fn mg1_agrees_with_pollaczek_and_khinchine_alone() {
    let heavy = table(&preset("mg1-heavy-tail", 1));
    agrees(&heavy, &["utilization", "pollaczek_khinchine"]);
    says_why(&heavy, "mean_wait", "not exponential");
    let even = table(&open(
        800.0,
        1,
        "null",
        r#""distribution": "deterministic""#,
    ));
    agrees(&even, &["pollaczek_khinchine"]);
    let wait = row(&even, "pollaczek_khinchine").predicted.unwrap();
    assert!((wait - 0.002).abs() < 1e-12, "{wait}");
    // Two classes with work of their own are a mix, even if the work of each is exponential.
    let mut mixed = open(300.0, 1, "null", r#""distribution": "exponential""#);
    mixed.workers.service.per_weight_seconds = 0.000_5;
    let mixed = table(&mixed);
    agrees(&mixed, &["pollaczek_khinchine"]);
    says_why(&mixed, "mean_wait", "not exponential");
}

#[test]
fn a_lifo_queue_waits_as_long_in_the_mean() {
    let mut profile = open(2800.0, 4, "null", r#""distribution": "exponential""#);
    profile.queue.discipline = agent_chaos_core::profile::Discipline::Lifo;
    agrees(&table(&profile), &["mean_wait", "erlang_c"]);
}

const CLOSED: &str = r#"{"run": {"duration_seconds": 320, "warmup_seconds": 20},
    "agents": {"count": 40, "think_seconds": 0.5, "first_wake_max_seconds": 2},
    "queue": {"capacity": null, "early_drop": null},
    "workers": {"count": 3, "service": {"distribution": "exponential", "base_seconds": 0.05,
        "per_weight_seconds": 0, "slowdown_per_pressure": 0}},
    "faults": {"spike": null, "error": null}, "throttle": null}"#;

#[test]
fn agents_that_think_and_wait_agree_with_the_finite_source() {
    let table = table(&profile(CLOSED));
    agrees(
        &table,
        &[
            "closed_throughput",
            "closed_response",
            "response_law",
            "throughput_bound",
        ],
    );
    says_why(&table, "utilization", "agents wait for their answers");
}

#[test]
fn a_pool_without_waiting_loses_what_erlang_b_says() {
    // Losses come in clusters, and long calls make them longer: 60 seeds, since 20 are few for that.
    let profile = profile(
        r#"{"run": {"duration_seconds": 520, "warmup_seconds": 20}, "agents": null,
            "arrivals": {"rate_per_second": 90},
            "network": {"latency_seconds": 0.02, "pool": {"size": 8, "wait_seconds": 0}},
            "workers": {"count": 8, "service": {"distribution": "lognormal", "base_seconds": 0.02,
                "per_weight_seconds": 0}}, "throttle": null}"#,
    );
    let table = compare(&profile, &runs(&profile, 60)).unwrap();
    agrees(&table, &["erlang_b"]);
    says_why(&table, "utilization", "network");
}

#[test]
fn the_response_law_holds_in_the_control_experiment_and_not_where_requests_fail() {
    let control = table(&preset("exp-001", 1));
    agrees(&control, &["response_law", "throughput_bound"]);
    says_why(&control, "utilization", "early");
    let congested = table(&preset("exp-002", 1));
    agrees(&congested, &["throughput_bound"]);
    says_why(&congested, "response_law", "back off");
}

/// The power of the comparison: 3 % more work, or one place in three less, are found out.
#[test]
fn runs_of_another_system_disagree() {
    let profile = open(3200.0, 4, "20", r#""distribution": "exponential""#);
    let measured = runs(&profile, 20);
    agrees(
        &compare(&profile, &measured).unwrap(),
        &["blocking", "mean_wait"],
    );
    let mut slower = profile.clone();
    slower.workers.service.base_seconds *= 1.03;
    let table = compare(&slower, &measured).unwrap();
    for id in ["utilization", "blocking", "mean_wait"] {
        assert_eq!(row(&table, id).outcome, Outcome::Disagrees, "{id}");
    }
    let mut fewer = profile;
    fewer.queue.capacity = Some(14);
    let table = compare(&fewer, &measured).unwrap();
    assert_eq!(row(&table, "blocking").outcome, Outcome::Disagrees);

    let closed = profile_of_closed(0.5);
    let table = compare(&profile_of_closed(0.52), &runs(&closed, 20)).unwrap();
    for id in ["closed_response", "response_law"] {
        assert_eq!(row(&table, id).outcome, Outcome::Disagrees, "{id}");
    }
}

fn profile_of_closed(think_seconds: f64) -> Profile {
    let mut closed = profile(CLOSED);
    closed.agents.as_mut().expect("it has agents").think_seconds = think_seconds;
    closed
}

#[test]
fn a_short_run_from_empty_is_unsettled_and_a_warm_up_settles_it() {
    let mut profile = open(970.0, 1, "null", r#""distribution": "exponential""#);
    profile.run.warmup_seconds = 0.0;
    profile.run.duration_seconds = 5.0;
    let measured = runs(&profile, 60);
    let table = compare(&profile, &measured).unwrap();
    for id in ["mean_wait", "pollaczek_khinchine"] {
        let row = row(&table, id);
        assert_eq!(row.outcome, Outcome::Unsettled, "{row:#?}");
        assert!(row.note.contains("warmup_seconds"), "{}", row.note);
        // What it may be too low by is no less than what it is too low by.
        assert!(row.simulated.unwrap().mean < row.predicted.unwrap());
    }
    profile.run.warmup_seconds = 30.0;
    profile.run.duration_seconds = 90.0;
    agrees(
        &compare(&profile, &runs(&profile, 20)).unwrap(),
        &["mean_wait", "pollaczek_khinchine"],
    );
}

#[test]
fn an_overload_without_a_limit_has_no_steady_state() {
    let mut profile = open(1100.0, 1, "null", r#""distribution": "exponential""#);
    profile.run.duration_seconds = 20.0;
    let table = table(&profile);
    for id in ["utilization", "mean_wait", "pollaczek_khinchine"] {
        says_why(&table, id, "no steady state");
    }
    says_why(&table, "warmup", "does not settle");
    // The fluid model is at home here: 100/s are left over.
    let gap = row(&table, "fluid").simulated.unwrap().mean;
    assert!(gap < 150.0, "{gap} of 2,000 requests");
    agrees(&table, &EXACT);
}

#[test]
fn each_reason_is_in_plain_words() {
    let base = || open(800.0, 1, "50", r#""distribution": "exponential""#);
    let cases: [(&str, &str, &str); 9] = [
        (
            "workers.service.slowdown_per_pressure",
            "1",
            "slowed by pressure",
        ),
        ("queue.discipline", r#""priority""#, "different priority"),
        ("arrivals.process", r#""even""#, "evenly spaced"),
        ("arrivals.bursty", "{}", "bursts"),
        ("arrivals.diurnal", "{}", "changes over time"),
        ("client", r#"{"retry": {}}"#, "send again"),
        ("queue.codel", "{}", "waited for too long"),
        ("faults.stalls", "{}", "pause"),
        (
            "timeline",
            r#"[{"at_seconds": 5, "for_seconds": 1, "stall": {}}]"#,
            "timeline",
        ),
    ];
    for (path, value, words) in cases {
        let mut whole = agent_chaos_core::wire::to_value(&base());
        let value = serde_json::from_str(value).unwrap();
        agent_chaos_core::wire::set_value(&mut whole, path, value).unwrap();
        let mut profile = agent_chaos_core::wire::from_value(whole).unwrap();
        profile.run.duration_seconds = 12.0;
        let table = compare(&profile, &runs(&profile, 10)).unwrap();
        says_why(&table, "mean_wait", words);
    }
}

/// Little's law and the ledgers need no assumptions: they hold to the nanosecond in every preset.
#[test]
fn what_is_exact_is_exact_in_every_preset() {
    let mut seen = 0;
    for (name, mut profile) in short_presets(20_000) {
        profile.run.duration_seconds = profile.run.duration_seconds.min(70.0);
        profile.run.warmup_seconds = profile.run.warmup_seconds.min(7.0);
        profile.timeline.retain(|entry| entry.end_seconds() < 70.0);
        let table = compare(&profile, &runs(&profile, 10)).unwrap();
        for id in EXACT {
            assert_eq!(row(&table, id).outcome, Outcome::Agrees, "{name}: {id}");
        }
        for row in &table.rows {
            assert!(!row.note.is_empty(), "{name}: {}", row.id);
            assert_eq!(
                row.outcome == Outcome::DoesNotApply,
                row.predicted.is_none() && row.simulated.is_none(),
                "{name}: {row:#?}"
            );
        }
        seen += 1;
    }
    assert_eq!(seen, PRESETS.len());
}
