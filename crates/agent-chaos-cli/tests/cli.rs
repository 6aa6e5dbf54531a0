//! The command line's contract: what it prints, and with which status it ends.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn agent_chaos(parameters: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_agent-chaos"))
        .args(parameters)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command line starts");
    // It may refuse before it has read everything.
    let _ = child.stdin.take().expect("a pipe").write_all(input);
    child.wait_with_output().expect("it ends")
}

#[track_caller]
fn json(parameters: &[&str]) -> Value {
    let output = agent_chaos(parameters, b"");
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("one JSON value")
}

#[track_caller]
fn refused(parameters: &[&str], input: &[u8], field: &str) {
    let output = agent_chaos(parameters, input);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{parameters:?}: {said}");
    assert!(output.stdout.is_empty());
    assert!(!said.contains("panicked"), "{said}");
    if parameters.contains(&"--json") {
        let error: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}"));
        assert_eq!(error["error"]["field"], field, "{said}");
        for name in ["found", "accepted", "message"] {
            assert!(
                error["error"][name]
                    .as_str()
                    .is_some_and(|text| !text.is_empty()),
                "{name}: {said}"
            );
        }
    } else {
        assert!(said.contains(field), "{said}");
    }
}

#[test]
fn a_run_as_json_has_every_field_of_the_contract() {
    let report = json(&["run", "exp-002", "--json"]);
    for pointer in [
        "/profile/agents/count",
        "/seed",
        "/digest",
        "/state",
        "/worst_state",
        "/state_share/STABLE",
        "/state_share/DEGRADED",
        "/state_share/COLLAPSED",
        "/evidence/0/rule",
        "/requests/created",
        "/requests/completed",
        "/requests/failed",
        "/requests/abandoned",
        "/requests/in_flight",
        "/attempts",
        "/latency_seconds/mean",
        "/latency_seconds/p50",
        "/latency_seconds/p95",
        "/latency_seconds/p99",
        "/error_rate",
        "/throughput_per_second",
        "/goodput_per_second",
        "/queue/mean",
        "/queue/max",
        "/utilization",
        "/engine/version",
        "/engine/revision",
        "/engine/wall_seconds",
        "/engine/events",
    ] {
        assert!(
            report
                .pointer(pointer)
                .is_some_and(|value| !value.is_null()),
            "{pointer}"
        );
    }
    assert_eq!(report["state"], "DEGRADED");
    assert_eq!(report["digest"].as_str().map(str::len), Some(16));
}

#[test]
fn the_same_run_twice_is_the_same_apart_from_its_wall_time() {
    let once = || {
        let mut report = json(&["run", "exp-003", "--seed", "5", "--json"]);
        report["engine"]["wall_seconds"] = Value::Null;
        report
    };
    assert_eq!(once(), once());
}

#[test]
fn seeds_include_both_ends_and_are_summed_up() {
    let all = json(&["run", "published-002", "--seeds", "3..7", "--json"]);
    let runs = all["runs"].as_array().unwrap();
    let seeds: Vec<_> = runs
        .iter()
        .map(|run| run["seed"].as_u64().unwrap())
        .collect();
    assert_eq!(seeds, [3, 4, 5, 6, 7]);
    assert_eq!(
        runs[2]["digest"],
        json(&["run", "published-002", "--seed", "5", "--json"])["digest"]
    );
    let values: Vec<f64> = runs
        .iter()
        .map(|run| run["error_rate"].as_f64().unwrap())
        .collect();
    let mean = values.iter().sum::<f64>() / 5.0;
    let sd = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 4.0).sqrt();
    let summary = &all["summary"]["error_rate"];
    assert!((summary["mean"].as_f64().unwrap() - mean).abs() < 1e-12);
    // Student's t, 97.5 %, 4 degrees of freedom.
    assert!((summary["ci95"].as_f64().unwrap() - 2.776_445 * sd / 5_f64.sqrt()).abs() < 1e-6);
    assert!(summary["min"].as_f64().unwrap() <= mean && mean <= summary["max"].as_f64().unwrap());
}

#[test]
fn every_path_of_the_contract_can_be_set() {
    for (set, pointer) in [
        ("version=1", "/version"),
        ("seed=9", "/seed"),
        ("run.duration_seconds=70", "/run/duration_seconds"),
        ("run.warmup_seconds=5", "/run/warmup_seconds"),
        ("agents.count=20", "/agents/count"),
        ("workers.count=3", "/workers/count"),
        ("queue.capacity=9", "/queue/capacity"),
        ("queue.when_full=wait", "/queue/when_full"),
        (
            "telemetry.interval_seconds=0.1",
            "/telemetry/interval_seconds",
        ),
        ("detector.enabled=false", "/detector/enabled"),
        ("throttle.enabled=false", "/throttle/enabled"),
    ] {
        let report = json(&["run", "exp-001", "--set", set, "--json"]);
        let value = &report["profile"]
            .pointer(pointer)
            .unwrap()
            .to_string()
            .replace('"', "");
        assert_eq!(
            value.parse::<f64>().ok(),
            set.split_once('=').unwrap().1.parse::<f64>().ok(),
            "{set}: {value}"
        );
        assert!(
            set.ends_with(value.as_str()) || value.parse::<f64>().is_ok(),
            "{set}: {value}"
        );
    }
    let off = json(&[
        "run",
        "exp-001",
        "--set",
        "throttle=null",
        "--set",
        "faults.spike=null",
        "--json",
    ]);
    assert_eq!(off["profile"]["throttle"]["enabled"], false);
    assert_eq!(off["profile"]["faults"]["spike"], Value::Null);
}

#[test]
fn bad_input_names_its_field_and_ends_with_2() {
    for (set, field) in [
        ("agents.cuont=3", "/agents/cuont"),
        ("agents.count=many", "/agents/count"),
        ("agents.count=NaN", "/agents/count"),
        ("agents.count=-3", "/agents/count"),
        ("agents.count=1e300", "/agents/count"),
        ("run.warmup_seconds=500", "/run/warmup_seconds"),
    ] {
        refused(&["run", "exp-001", "--set", set, "--json"], b"", field);
        refused(&["run", "exp-001", "--set", set], b"", field);
    }
    for (text, field) in [
        (r#"{"queue": {"capacty": 1}}"#, "/queue/capacty"),
        (r#"{"seed": "x"}"#, "/seed"),
        (r#"{"seed": NaN}"#, "/seed"),
        (r#"{"workers": {"count": -1}}"#, "/workers/count"),
        (r#"{"workers": {"count": 3"#, "/workers/count"),
        (r#"{"version": 2}"#, "/version"),
    ] {
        refused(&["run", "-", "--json"], text.as_bytes(), field);
    }
    refused(&["run", "-", "--json"], &vec![b' '; 10_000_000], "");
    refused(&["run", "-", "--json"], b"\xff\xfe{}", "");
    refused(&["run", "no-such-preset"], b"", "exp-001");
    refused(&["run", "exp-001", "--seeds", "5..1"], b"", "5..1");
    refused(&["run", "exp-001", "--seed", "-1"], b"", "-1");
    refused(&["open", "v9.exp-001"], b"", "newer");
    refused(&["open", "v1.exp-001~agents.count=0"], b"", "/agents/count");
    refused(&["open", "hello"], b"", "hello");
}

#[test]
fn the_event_stream_is_written_in_order_and_whole() {
    let folder = std::env::temp_dir().join(format!("agent-chaos-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("events.ndjson");
    let path = file.to_str().unwrap();
    let report = json(&["run", "published-003", "--events", path, "--json"]);
    let text = std::fs::read_to_string(&file).unwrap();
    let records: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        records.len() as u64,
        report["engine"]["events"].as_u64().unwrap()
    );
    assert!(
        records
            .windows(2)
            .all(|pair| pair[0]["at_seconds"].as_f64() <= pair[1]["at_seconds"].as_f64())
    );
    let created = records
        .iter()
        .filter(|record| record["event"] == "REQUEST_CREATED")
        .count();
    assert_eq!(
        created as u64,
        report["requests"]["created"].as_u64().unwrap()
    );
    refused(
        &[
            "run",
            "published-003",
            "--events",
            folder.join("none/here").to_str().unwrap(),
        ],
        b"",
        "none",
    );
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_link_says_how_it_is_shown() {
    let view = [
        "--view",
        "show=verdict,charts",
        "--view",
        "ask=Warum?",
        "--view",
        "vs=workers.count=6,queue.capacity=40",
    ];
    let whole: Vec<_> = ["link", "exp-002"].iter().chain(&view).copied().collect();
    let link = agent_chaos(&whole, b"");
    let link = String::from_utf8(link.stdout).unwrap();
    assert!(
        link.starts_with("v1.exp-002~view.show=verdict,charts~view.ask=Warum%3F~view.vs=workers.count=6,queue.capacity=40~h="),
        "{link}"
    );
    let opened = json(&["open", link.trim(), "--json"]);
    assert_eq!(opened["outcome"], "reproduced");
    assert_eq!(
        opened["view"],
        serde_json::json!([
            ["show", "verdict,charts"],
            ["ask", "Warum?"],
            ["vs", "workers.count=6~queue.capacity=40"]
        ])
    );
    let said = agent_chaos(&["open", link.trim()], b"");
    assert!(String::from_utf8_lossy(&said.stdout).contains("ask = Warum?"));
    refused(&["link", "exp-002", "--view", "show"], b"", "key=value");
    refused(&["link", "exp-002", "--view", "looks=good"], b"", "looks");
    refused(&["link", "exp-002", "--view", "seeds=mine"], b"", "own");
    for (wrong, words) in [
        ("show=verdct", "verdict"),
        ("charts=foo", "queue"),
        ("lock=workers.cuont", "a field or a section"),
        ("free=all", "a field or a section"),
        ("sweep=zzz", "seeds=A..B"),
        ("sweep=agents.cuont=1..3;seeds=1..2", "unknown field"),
    ] {
        refused(
            &["link", "exp-002", "--view", wrong, "--no-run"],
            b"",
            words,
        );
    }
    for good in [
        "lock=all,workers",
        "free=timeline.0.at_seconds,seed",
        "sweep=agents.count=1..3;seeds=1..2",
    ] {
        let said = agent_chaos(&["link", "exp-002", "--view", good, "--no-run"], b"");
        assert!(said.status.success(), "{good}");
    }
    refused(
        &["link", "exp-002", "--view", "vs=workers.count=many"],
        b"",
        "/workers/count",
    );
}

#[test]
fn a_student_has_the_seed_of_their_name() {
    let seed = |name: &str| json(&["run", "mm1", "--seed", name, "--json"])["seed"].clone();
    assert_eq!(seed("name:Ada Lovelace"), seed("name: ada  lovelace "));
    assert_ne!(seed("name:Ada"), seed("name:Bob"));
}

#[test]
fn a_link_opens_as_reproduced_and_a_file_runs_as_its_preset() {
    let link = agent_chaos(
        &[
            "link",
            "exp-002",
            "--set",
            "workers.count=6",
            "--seed",
            "7",
            "--base",
            "https://example.org/",
        ],
        b"",
    );
    let link = String::from_utf8(link.stdout).unwrap();
    assert!(
        link.starts_with("https://example.org/#v1.exp-002~workers.count=6~seed=7~h="),
        "{link}"
    );
    let opened = agent_chaos(&["open", link.trim()], b"");
    assert_eq!(opened.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&opened.stdout).contains("reproduced ✓"));
    let token = link.trim();
    let wrong = format!(
        "{}{}",
        &token[..token.len() - 1],
        if token.ends_with('0') { '1' } else { '0' }
    );
    let different = agent_chaos(&["open", &wrong], b"");
    assert_eq!(different.status.code(), Some(1));
    let by_link = json(&["run", token, "--json"]);
    assert_eq!(
        by_link["digest"],
        json(&[
            "run",
            "exp-002",
            "--set",
            "workers.count=6",
            "--seed",
            "7",
            "--json"
        ])["digest"]
    );
}

#[test]
fn presets_schema_and_the_report_for_people_are_printed() {
    let said = |parameters: &[&str]| {
        let output = agent_chaos(parameters, b"");
        assert_eq!(output.status.code(), Some(0), "{parameters:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    for preset in agent_chaos_core::presets::PRESETS {
        assert!(said(&["presets"]).contains(preset.name));
    }
    let schema: Value = serde_json::from_str(&said(&["schema"])).unwrap();
    let shipped: Value = serde_json::from_str(agent_chaos_core::wire::SCHEMA).unwrap();
    assert_eq!(schema, shipped);
    let report = said(&["run", "exp-002"]);
    let golden: Value =
        serde_json::from_str(include_str!("../../../tests/golden/exp-002.json")).unwrap();
    let digest = golden["digest"].as_str().unwrap();
    for words in [
        "DEGRADED",
        "Recorded",
        "14.20 %",
        "CONGESTION_FAILURE",
        digest,
    ] {
        assert!(report.contains(words), "{words} in {report}");
    }
    assert!(said(&["--help"]).contains("run"));
}
