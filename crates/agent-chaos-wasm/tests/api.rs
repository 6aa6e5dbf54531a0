//! The contract with the page, checked where it holds: in node, and in a browser.
#![cfg(target_arch = "wasm32")]

use agent_chaos_core::{presets as core_presets, wire};
use agent_chaos_wasm::{
    Edge, Replications, Run, Sweep, check, decode_link, differences, edge_questions, encode_link,
    fluid, new_seed, presets, schema, seed_of, vary,
};
use js_sys::{Array, Float64Array, Function, Object, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

/// Digests of the shortened presets, as the golden reports have them.
const GOLDEN: &[(&str, &str)] = &[
    (
        "exp-001",
        include_str!("../../../tests/golden/exp-001.json"),
    ),
    (
        "exp-002",
        include_str!("../../../tests/golden/exp-002.json"),
    ),
    (
        "exp-003",
        include_str!("../../../tests/golden/exp-003.json"),
    ),
    (
        "published-001",
        include_str!("../../../tests/golden/published-001.json"),
    ),
    (
        "published-002",
        include_str!("../../../tests/golden/published-002.json"),
    ),
    (
        "published-003",
        include_str!("../../../tests/golden/published-003.json"),
    ),
    ("mm1", include_str!("../../../tests/golden/mm1.json")),
    ("mm4-80", include_str!("../../../tests/golden/mm4-80.json")),
    (
        "mg1-heavy-tail",
        include_str!("../../../tests/golden/mg1-heavy-tail.json"),
    ),
    (
        "flash-crowd",
        include_str!("../../../tests/golden/flash-crowd.json"),
    ),
    (
        "ramp-to-collapse",
        include_str!("../../../tests/golden/ramp-to-collapse.json"),
    ),
    (
        "diurnal-day",
        include_str!("../../../tests/golden/diurnal-day.json"),
    ),
    (
        "bursty-mmpp",
        include_str!("../../../tests/golden/bursty-mmpp.json"),
    ),
    ("replay", include_str!("../../../tests/golden/replay.json")),
    (
        "two-tenants",
        include_str!("../../../tests/golden/two-tenants.json"),
    ),
    (
        "retry-storm",
        include_str!("../../../tests/golden/retry-storm.json"),
    ),
    (
        "retry-storm-budget",
        include_str!("../../../tests/golden/retry-storm-budget.json"),
    ),
    (
        "retry-storm-lifo",
        include_str!("../../../tests/golden/retry-storm-lifo.json"),
    ),
    (
        "retry-storm-jitter",
        include_str!("../../../tests/golden/retry-storm-jitter.json"),
    ),
    (
        "retry-storm-breaker",
        include_str!("../../../tests/golden/retry-storm-breaker.json"),
    ),
    (
        "retry-storm-shedding",
        include_str!("../../../tests/golden/retry-storm-shedding.json"),
    ),
    (
        "metastable",
        include_str!("../../../tests/golden/metastable.json"),
    ),
    (
        "metastable-backoff",
        include_str!("../../../tests/golden/metastable-backoff.json"),
    ),
    (
        "hedging",
        include_str!("../../../tests/golden/hedging.json"),
    ),
    (
        "deadline",
        include_str!("../../../tests/golden/deadline.json"),
    ),
    (
        "client-throttle",
        include_str!("../../../tests/golden/client-throttle.json"),
    ),
    (
        "flaky-network",
        include_str!("../../../tests/golden/flaky-network.json"),
    ),
    (
        "pool-exhaustion",
        include_str!("../../../tests/golden/pool-exhaustion.json"),
    ),
    (
        "lifo-overload",
        include_str!("../../../tests/golden/lifo-overload.json"),
    ),
    (
        "adaptive-lifo",
        include_str!("../../../tests/golden/adaptive-lifo.json"),
    ),
    (
        "priority",
        include_str!("../../../tests/golden/priority.json"),
    ),
    (
        "weighted",
        include_str!("../../../tests/golden/weighted.json"),
    ),
    ("codel", include_str!("../../../tests/golden/codel.json")),
    (
        "queue-timeout",
        include_str!("../../../tests/golden/queue-timeout.json"),
    ),
    (
        "token-bucket",
        include_str!("../../../tests/golden/token-bucket.json"),
    ),
    (
        "concurrency-limit",
        include_str!("../../../tests/golden/concurrency-limit.json"),
    ),
    (
        "gradient-limit",
        include_str!("../../../tests/golden/gradient-limit.json"),
    ),
    (
        "one-pool",
        include_str!("../../../tests/golden/one-pool.json"),
    ),
    (
        "bulkheads",
        include_str!("../../../tests/golden/bulkheads.json"),
    ),
    (
        "autoscaler",
        include_str!("../../../tests/golden/autoscaler.json"),
    ),
    (
        "gc-stalls",
        include_str!("../../../tests/golden/gc-stalls.json"),
    ),
    (
        "worker-crash",
        include_str!("../../../tests/golden/worker-crash.json"),
    ),
    (
        "slow-downstream",
        include_str!("../../../tests/golden/slow-downstream.json"),
    ),
    (
        "game-day",
        include_str!("../../../tests/golden/game-day.json"),
    ),
];

fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap()
}

fn text(object: &JsValue, name: &str) -> String {
    get(object, name).as_string().unwrap()
}

fn number(object: &JsValue, name: &str) -> f64 {
    get(object, name).as_f64().unwrap()
}

fn profile(name: &str) -> String {
    wire::to_text(&core_presets::find(name).unwrap().profile())
}

async fn played(run: &Run) -> String {
    let ignore = Function::new_no_args("");
    JsFuture::from(run.play(ignore, JsValue::UNDEFINED))
        .await
        .unwrap()
        .as_string()
        .unwrap()
}

#[wasm_bindgen_test]
async fn every_preset_gives_its_golden_report_byte_for_byte() {
    for &(name, golden) in GOLDEN {
        let golden: serde_json::Value = serde_json::from_str(golden).unwrap();
        let run = Run::new(&golden["profile"].to_string()).unwrap();
        assert_eq!(played(&run).await, "finished");
        assert_eq!(run.report_json(), golden.to_string(), "{name}");
        assert_eq!(run.digest(), golden["digest"].as_str().unwrap(), "{name}");
    }
}

/// wasm-bindgen-futures drives the core's own future as well as the sliced loop does.
#[wasm_bindgen_test]
async fn the_run_awaited_as_a_future_is_the_same_run() {
    let profile = core_presets::find("published-002").unwrap().profile();
    let awaited = agent_chaos_core::Run::new(&profile).await;
    let run = Run::new(&wire::to_text(&profile)).unwrap();
    played(&run).await;
    assert_eq!(awaited.digest, run.digest());
}

#[wasm_bindgen_test]
fn presets_and_schema_are_there() {
    let list: Array = presets().unwrap().unchecked_into();
    assert_eq!(list.length() as usize, core_presets::PRESETS.len());
    assert_eq!(text(&list.get(1), "name"), "exp-002");
    assert!(schema().contains("\"x-unit\""));
    assert!(check(&text(&list.get(1), "profile")).is_ok());
}

#[wasm_bindgen_test]
fn a_refused_profile_is_an_error_that_names_the_field() {
    let error = check(r#"{"agents": {"count": -1}, "nonsense": 1}"#).unwrap_err();
    assert!(error.is_instance_of::<js_sys::Error>());
    assert_eq!(text(&error, "name"), "ProfileError");
    assert_eq!(text(&error, "field"), "/agents/count");
    assert_eq!(text(&error, "found"), "-1");
    assert!(text(&error, "accepted").contains("from 1"));
    assert!(text(&error, "message").contains("/agents/count"));
    assert_eq!(get(&error, "errors").unchecked_into::<Array>().length(), 2);
    assert!(Run::new("{").is_err());
}

#[wasm_bindgen_test]
fn the_fluid_model_predicts_or_says_why_not() {
    let times = [0.0, 10.0, 60.0];
    let answer = fluid(&profile("exp-002"), &times).unwrap();
    let core = core_presets::find("exp-002").unwrap().profile();
    let expected = agent_chaos_core::theory::predicted_queue(&core, &times).unwrap();
    let queue = get(&answer, "queue").unchecked_into::<Float64Array>();
    assert_eq!(queue.to_vec(), expected);
    assert!(get(&answer, "reason").is_null());
    assert!(text(&answer, "about").contains("400 agents"));
    assert!((number(&answer, "capacity_per_second") - 4.0 / 0.012).abs() < 1e-9);
    let answer = fluid(&profile("retry-storm"), &times).unwrap();
    assert!(get(&answer, "queue").is_null());
    assert!(text(&answer, "reason").contains("send again"));
    for wrong in [&[2.0, 1.0][..], &[-1.0], &[0.0, f64::NAN]] {
        let error = fluid(&profile("exp-002"), wrong).unwrap_err();
        assert_eq!(text(&error, "name"), "RangeError");
    }
    assert!(fluid("{", &times).is_err());
}

#[wasm_bindgen_test]
async fn frames_bring_all_columns_and_every_row_once() {
    let run = Run::new(&profile("exp-002")).unwrap();
    let mut rows = 0;
    for _ in 0..40 {
        let frame = run.step("second").unwrap();
        let columns = get(&frame, "columns");
        let lengths: Vec<_> = Object::values(columns.unchecked_ref::<Object>())
            .iter()
            .map(|column| column.unchecked_into::<Float64Array>().length())
            .collect();
        assert!(lengths.len() > 15 && lengths.iter().all(|&length| length == lengths[0]));
        rows += lengths[0];
    }
    assert_eq!(rows, 40 * 20);
    let frame = run.step("tick").unwrap();
    assert_eq!(
        get(&get(&frame, "columns"), "time")
            .unchecked_into::<Float64Array>()
            .to_vec(),
        [40.05]
    );
    assert!(number(&get(&frame, "picture"), "workers") == 4.0);
    let before = number(&frame, "events");
    // What comes about in one instant of one stage comes at once: a fault and the end it leads to.
    let after = number(&run.step("event").unwrap(), "events");
    assert!((1.0..=3.0).contains(&(after - before)), "{before} {after}");
    assert!(run.step("moon").is_err());
}

/// A retry storm with every part that a picture has a place for.
const STORM: &str = r#"{
    "run": {"duration_seconds": 60, "warmup_seconds": 5}, "agents": null, "arrivals": {"rate_per_second": 80},
    "client": {"timeout_seconds": 0.5, "retry": {"backoff": "none"}, "breaker": {"open_seconds": 0}},
    "network": {"pool": {"size": 40}}, "admission": {"token_bucket": {}, "limit": {}},
    "queue": {"capacity": 200}, "downstream": {"service_seconds": 0.1, "network": {"pool": {"size": 2}}},
    "workers": {"count": 4, "service": {"base_seconds": 0.01}},
    "timeline": [
        {"at_seconds": 10, "for_seconds": 10, "traffic": {"arrivals_factor": 6}},
        {"at_seconds": 12, "for_seconds": 4, "crash": {"workers": 1}},
        {"at_seconds": 14, "set": {"path": "queue.capacity", "value": 50}}
    ]}"#;

#[wasm_bindgen_test]
fn a_picture_tells_of_what_the_profile_has_and_of_nothing_else() {
    let parts = ["clients", "network", "admission", "crew", "downstream"];
    let run = Run::new(&profile("exp-002")).unwrap();
    let picture = get(&run.step("second").unwrap(), "picture");
    for name in parts {
        assert!(get(&picture, name).is_null(), "{name}");
    }

    let run = Run::new(STORM).unwrap();
    let mut frame = JsValue::NULL;
    for _ in 0..15 {
        frame = run.step("second").unwrap();
    }
    let picture = get(&frame, "picture");
    for name in parts {
        assert!(get(&picture, name).is_object(), "{name}");
    }
    let under_way: Array = get(&picture, "interventions").unchecked_into();
    let under_way: Vec<_> = under_way.iter().filter_map(|one| one.as_f64()).collect();
    assert_eq!(under_way, [0.0, 1.0, 2.0]);
    assert_eq!(number(&picture, "capacity"), 50.0, "as the timeline has it");
    let crew = get(&picture, "crew");
    assert_eq!((number(&crew, "able"), number(&crew, "down")), (3.0, 1.0));
    for (part, size) in [("network", 40.0), ("downstream", 2.0)] {
        let pool = get(&get(&picture, part), "pool");
        assert_eq!(number(&pool, "size"), size, "{part}");
        assert!(number(&pool, "in_use") > 0.0, "{part}");
    }
    let admission = get(&picture, "admission");
    assert!(number(&admission, "over_limit") > 0.0);
    let clients = get(&picture, "clients");
    assert!(number(&clients, "retries") > 0.0);
    assert!(number(&clients, "open") >= 0.0 && number(&picture, "failed") > 0.0);
    assert!(get(&clients, "breaker").is_string());
    // Looking at it has changed nothing.
    run.finish().unwrap();
    let unseen = Run::new(STORM).unwrap();
    unseen.finish().unwrap();
    assert_eq!(run.digest(), unseen.digest());
    let picture = get(&run.step("tick").unwrap(), "picture");
    let over: Array = get(&picture, "interventions").unchecked_into();
    assert_eq!(over.length(), 1, "the last one goes on to the end");
}

#[wasm_bindgen_test]
fn a_check_says_which_fields_a_timeline_may_set() {
    let checked = check(STORM).unwrap();
    let settable: Array = get(&checked, "settable").unchecked_into();
    let paths: Vec<_> = settable.iter().filter_map(|one| one.as_string()).collect();
    for path in ["queue.capacity", "network.pool.size", "workers.count"] {
        assert!(paths.iter().any(|one| one == path), "{path}");
    }
    let whole: serde_json::Value = serde_json::from_str(STORM).unwrap();
    for path in paths {
        let mut whole = whole.clone();
        let value = wire::parse(STORM).unwrap();
        let value = path
            .split('.')
            .fold(&wire::to_value(&value), |place, name| &place[name])
            .clone();
        whole["timeline"] = serde_json::json!([{"set": {"path": path, "value": value}}]);
        assert!(check(&whole.to_string()).is_ok(), "{path}");
    }
}

/// A filter, or options.
fn object(fields: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in fields {
        Reflect::set(&object, &(*name).into(), value).unwrap();
    }
    object.into()
}

fn floats(object: &JsValue, name: &str) -> Vec<f64> {
    get(object, name).unchecked_into::<Float64Array>().to_vec()
}

fn recorded(profile: &str, most: u32) -> Run {
    Run::with(profile, Some(object(&[("records", most.into())]))).unwrap()
}

#[wasm_bindgen_test]
fn a_run_keeps_as_many_records_as_it_was_asked_to() {
    let everything = object(&[]);
    for options in [
        None,
        Some(object(&[])),
        Some(object(&[("records", 0.into())])),
    ] {
        let run = Run::with(&profile("exp-002"), options).unwrap();
        run.finish().unwrap();
        let rows = run.records(everything.clone(), 0.0, 10.0, None).unwrap();
        assert!(rows.is_null() && run.life(0.0).unwrap().is_null());
        assert_eq!(run.slowest().unwrap().unchecked_into::<Array>().length(), 0);
    }
    for bad in [
        JsValue::from(-1),
        0.5.into(),
        "many".into(),
        1e9.into(),
        f64::NAN.into(),
    ] {
        let error = Run::with(&profile("exp-002"), Some(object(&[("records", bad)]))).err();
        let message = text(&error.unwrap(), "message");
        assert!(message.contains("records: found"), "{message}");
    }

    let run = recorded(&profile("exp-002"), 5_000);
    run.finish().unwrap();
    let unseen = Run::new(&profile("exp-002")).unwrap();
    unseen.finish().unwrap();
    assert_eq!(
        run.report_json(),
        unseen.report_json(),
        "watching changes nothing"
    );
    let report = run.report().unwrap();
    let written = number(&get(&report, "engine"), "events");
    let window = run
        .records(
            everything.clone(),
            -40.0,
            f64::INFINITY,
            Some(written - 7.0),
        )
        .unwrap();
    assert_eq!(number(&window, "total"), 5_000.0);
    assert_eq!(
        (number(&window, "from"), number(&window, "before")),
        (4_960.0, 4_993.0)
    );
    assert_eq!(
        (number(&window, "written"), number(&window, "kept")),
        (written, 5_000.0)
    );
    let columns = get(&window, "columns");
    let sequence = floats(&columns, "sequence");
    assert_eq!((sequence.len(), sequence[39]), (40, written - 1.0));
    let at = floats(&columns, "at");
    assert!(at.is_sorted() && at[39] <= run.now_seconds());
    let lengths: Vec<_> = Object::values(columns.unchecked_ref::<Object>())
        .iter()
        .map(|column| number(&column, "length"))
        .collect();
    assert!(lengths.len() == 12 && lengths.iter().all(|&length| length == 40.0));
    // Nothing is out of bounds.
    for (from, to) in [
        (5_000.0, 6_000.0),
        (9.0, 3.0),
        (f64::NAN, -4.0),
        (1e300, 1e301),
    ] {
        let window = run
            .records(everything.clone(), from, to, Some(-1.0))
            .unwrap();
        assert!(
            floats(&get(&window, "columns"), "at").is_empty(),
            "{from} {to}"
        );
    }
}

#[wasm_bindgen_test]
fn records_are_filtered_and_a_filter_that_is_none_is_refused() {
    let run = recorded(&profile("exp-002"), 5_000);
    run.finish().unwrap();
    let total = |fields: &[(&str, JsValue)]| {
        let window = run.records(object(fields), 0.0, 1.0, None).unwrap();
        number(&window, "total")
    };
    let names = agent_chaos_wasm::record_names().unwrap();
    let kinds: Array = get(&names, "kinds").unchecked_into();
    let kind = |wanted: &str| {
        let place = kinds.iter().position(|one| text(&one, "name") == wanted);
        JsValue::from(Array::of1(&(place.unwrap() as f64).into()))
    };
    let created = total(&[("kinds", kind("REQUEST_CREATED"))]);
    let refused = total(&[("kinds", kind("QUEUE_THROTTLED"))]);
    assert!(created > 500.0 && refused > 50.0);
    assert!(refused <= total(&[("failures", true.into())]));
    assert!(total(&[("text", "OVERFLOW".into())]) <= refused);
    let agent = total(&[("agent", 3.into())]);
    assert!(agent > 0.0 && agent < 200.0);
    assert_eq!(total(&[("text", "no such word".into())]), 0.0);
    assert_eq!(total(&[("request", 1e15.into())]), 0.0);
    for bad in [
        ("request", JsValue::from(-1)),
        ("request", "seven".into()),
        ("agent", 0.5.into()),
        ("kinds", Array::of1(&99.into()).into()),
        ("kinds", "all".into()),
        ("text", 7.into()),
    ] {
        let wanted = object(std::slice::from_ref(&bad));
        assert!(run.records(wanted, 0.0, 1.0, None).is_err(), "{bad:?}");
    }
    assert!(run.life(-1.0).is_err() && run.life(0.5).is_err());
}

#[wasm_bindgen_test]
async fn a_life_that_is_not_on_hand_is_found_by_a_search() {
    let short = recorded(STORM, 50);
    let whole = recorded(STORM, 500_000);
    short.finish().unwrap();
    whole.finish().unwrap();
    for request in [0.0, 700.0, 2_000.0] {
        assert!(short.life(request).unwrap().is_null(), "{request}");
        let search = short.search(request).unwrap();
        let ended = JsFuture::from(search.find(Function::new_no_args(""))).await;
        assert_eq!(ended.unwrap(), "finished");
        let (found, life) = (search.life().unwrap(), whole.life(request).unwrap());
        let said = |life: &JsValue| js_sys::JSON::stringify(life).unwrap().as_string();
        assert_eq!(said(&found), said(&life), "{request}");
        let split: Array = get(&life, "split").unchecked_into();
        let sum: f64 = split.iter().filter_map(|one| one.as_f64()).sum();
        assert!(
            (sum - number(&life, "took_seconds")).abs() < 1e-9,
            "{request}"
        );
    }
    let slowest: Array = whole.slowest().unwrap().unchecked_into();
    assert_eq!(slowest.length(), 10);
    let took: Vec<_> = slowest
        .iter()
        .map(|one| number(&one, "took_seconds"))
        .collect();
    assert!(took.is_sorted_by(|a, b| a >= b));

    // Once stopped, it goes on from there.
    let search = short.search(2_000.0).unwrap();
    let finding = search.find(Function::new_no_args(""));
    let busy = JsFuture::from(search.find(Function::new_no_args(""))).await;
    assert_eq!(text(&busy.unwrap_err(), "name"), "BusyError");
    search.stop();
    let ended = JsFuture::from(finding).await.unwrap().as_string().unwrap();
    assert!(["stopped", "finished"].contains(&ended.as_str()));
    let ended = JsFuture::from(search.find(Function::new_no_args(""))).await;
    assert_eq!(ended.unwrap(), "finished");
    assert!(!search.life().unwrap().is_null());
    let nobody = short.search(1e9).unwrap();
    JsFuture::from(nobody.find(Function::new_no_args("")))
        .await
        .unwrap();
    assert!(nobody.life().unwrap().is_null());
}

#[wasm_bindgen_test]
async fn a_run_pauses_and_goes_on_as_if_it_had_not() {
    let run = Run::new(&profile("exp-003")).unwrap();
    run.set_speed(1.0);
    let playing = run.play(Function::new_no_args(""), JsValue::UNDEFINED);
    assert!(
        JsFuture::from(run.play(Function::new_no_args(""), JsValue::UNDEFINED))
            .await
            .is_err(),
        "it is playing already"
    );
    run.pause();
    assert_eq!(JsFuture::from(playing).await.unwrap(), "paused");
    assert!(!run.finished());
    run.set_speed(f64::INFINITY);
    assert_eq!(played(&run).await, "finished");
    let other = Run::new(&profile("exp-003")).unwrap();
    played(&other).await;
    assert_eq!(run.digest(), other.digest());
    assert_eq!(run.progress(), 1.0);
}

#[wasm_bindgen_test]
async fn what_on_frame_throws_comes_out_of_play() {
    let run = Run::new(&profile("exp-001")).unwrap();
    let throws = Function::new_no_args("throw new Error('drawing failed')");
    let error = JsFuture::from(run.play(throws, JsValue::UNDEFINED))
        .await
        .unwrap_err();
    assert_eq!(text(&error, "message"), "drawing failed");
}

#[wasm_bindgen_test]
fn a_link_goes_there_and_back() {
    let not_needed = Function::new_no_args("throw new Error('nothing is packed')");
    let token = encode_link(
        Some("exp-002".into()),
        &profile("exp-002"),
        Some("0123456789abcdef".into()),
        &pairs(&[("show", "verdict"), ("ask", "Why?")]),
        &not_needed,
    )
    .unwrap();
    let opened = decode_link(&format!("https://example.org/#{token}"), &not_needed).unwrap();
    let view = Array::from(&get(&opened, "view"));
    assert_eq!(
        view.iter()
            .map(|pair| Array::from(&pair).join("=").into())
            .collect::<Vec<String>>(),
        ["show=verdict", "ask=Why?"]
    );
    assert_eq!(text(&opened, "preset"), "exp-002");
    assert_eq!(text(&opened, "expected_digest"), "01234567");
    assert_eq!(get(&opened, "profile_matches"), JsValue::TRUE);
    let error = decode_link("v9.exp-002", &not_needed).unwrap_err();
    assert_eq!(
        (text(&error, "name"), text(&error, "kind")),
        ("LinkError".into(), "newer".into())
    );
    let error = decode_link("v1.exp-002~agents.count=0", &not_needed).unwrap_err();
    assert_eq!(
        (text(&error, "kind"), text(&error, "field")),
        ("profile".into(), "/agents/count".into())
    );
}

/// Pairs as the page gives them.
fn pairs(list: &[(&str, &str)]) -> Array {
    list.iter()
        .map(|(key, value)| Array::of2(&(*key).into(), &(*value).into()))
        .collect()
}

#[wasm_bindgen_test]
fn a_view_that_is_not_accepted_is_refused_by_name() {
    let not_needed = Function::new_no_args("throw new Error('nothing is packed')");
    let refused = |list: &[(&str, &str)]| {
        encode_link(None, &profile("exp-002"), None, &pairs(list), &not_needed).unwrap_err()
    };
    let error = refused(&[("seeds", "mine")]);
    assert_eq!(text(&error, "kind"), "view");
    assert!(text(&error, "message").contains("accepted: own"));
    assert_eq!(text(&refused(&[("__proto__", "x")]), "kind"), "view");
}

#[wasm_bindgen_test]
fn a_variant_is_the_profile_with_its_changes() {
    let varied = vary(&profile("exp-002"), "workers.count=6~seed=8").unwrap();
    let varied: serde_json::Value = serde_json::from_str(&varied).unwrap();
    assert_eq!(
        (&varied["workers"]["count"], &varied["seed"]),
        (&6.into(), &8.into())
    );
    let error = vary(&profile("exp-002"), "workers.count=none").unwrap_err();
    assert_eq!(text(&error, "field"), "/workers/count");
    assert_eq!(seed_of(" Ada  Lovelace"), seed_of("ada lovelace"));
}

#[wasm_bindgen_test]
fn a_long_link_is_packed_by_whoever_can() {
    let mut long: serde_json::Value = serde_json::from_str(&profile("exp-002")).unwrap();
    let rates: Vec<_> = (0..500).map(|rate| f64::from(rate) + 0.5).collect();
    long["arrivals"] = serde_json::json!({"replay": {"rates_per_second": rates}});
    let long = long.to_string();
    let hold = "globalThis.held = given; return 'packed'";
    let pack = Function::new_with_args("given", hold);
    let token = encode_link(None, &long, None, &Array::new(), &pack).unwrap();
    assert_eq!(token, "v1z.packed");
    let unpack = Function::new_with_args("given", "return given === 'packed' && globalThis.held");
    let opened = decode_link(&token, &unpack).unwrap();
    assert_eq!(
        text(&check(&long).unwrap(), "hash"),
        text(&opened, "profile_hash")
    );
    let fails = Function::new_no_args("throw new Error('it is damaged')");
    assert!(encode_link(None, &long, None, &Array::new(), &fails).is_err());
    let error = decode_link(&token, &fails).unwrap_err();
    assert_eq!(text(&error, "kind"), "malformed");
    assert!(text(&error, "message").contains("it is damaged"));
}

#[wasm_bindgen_test]
fn a_new_seed_is_another_one() {
    let seeds: std::collections::BTreeSet<_> = (0..8).map(|_| new_seed().unwrap()).collect();
    assert!(seeds.len() > 1);
}

#[wasm_bindgen_test]
fn a_run_can_be_finished_without_giving_way() {
    for (name, golden) in GOLDEN {
        let golden: serde_json::Value = serde_json::from_str(golden).unwrap();
        let run = Run::new(&golden["profile"].to_string()).unwrap();
        run.finish().unwrap();
        assert!(run.finished(), "{name}");
        assert_eq!(golden["digest"], run.digest(), "{name}");
        // There is nothing more to do, and no harm in asking.
        run.finish().unwrap();
    }
}

#[wasm_bindgen_test]
async fn a_run_that_plays_is_not_finished_behind_its_back() {
    let run = Run::new(&profile("exp-002")).unwrap();
    run.set_speed(1.0);
    let playing = run.play(Function::new_no_args(""), JsValue::UNDEFINED);
    let refused = run.finish().unwrap_err();
    assert_eq!(text(&refused, "name"), "BusyError");
    run.pause();
    JsFuture::from(playing).await.unwrap();
    run.finish().unwrap();
    assert!(run.finished());
}

/// Plays or searches; gives how it ended.
async fn ended(promise: js_sys::Promise) -> String {
    JsFuture::from(promise).await.unwrap().as_string().unwrap()
}

#[wasm_bindgen_test]
async fn a_run_stops_at_a_moment_and_another_found_there_is_the_same() {
    let nothing = || Function::new_no_args("");
    let stepped = Run::new(&profile("exp-002")).unwrap();
    for _ in 0..7 {
        stepped.step("second").unwrap();
    }
    let played = Run::new(&profile("exp-002")).unwrap();
    assert_eq!(ended(played.play(nothing(), 7.0.into())).await, "reached");
    let sought = Run::new(&profile("exp-002")).unwrap();
    assert_eq!(ended(sought.seek(3.21, nothing())).await, "reached");
    assert_eq!(ended(sought.seek(7.0, nothing())).await, "reached");
    for run in [&played, &sought] {
        assert_eq!(run.now_seconds(), 7.0);
        assert_eq!(run.digest(), stepped.digest());
        assert_eq!(
            number(&run.frame().unwrap(), "events"),
            number(&stepped.frame().unwrap(), "events")
        );
    }
    // A moment that has passed is reached at once; one after the end ends it.
    assert_eq!(ended(sought.seek(1.0, nothing())).await, "reached");
    assert_eq!(sought.now_seconds(), 7.0);
    assert_eq!(ended(sought.seek(1e6, nothing())).await, "finished");
    for wrong in [f64::NAN, -1.0, f64::INFINITY] {
        let error = JsFuture::from(sought.seek(wrong, nothing())).await;
        assert!(error.unwrap_err().is_instance_of::<js_sys::RangeError>());
    }
    let error = JsFuture::from(sought.play(nothing(), "lunch".into())).await;
    assert!(error.unwrap_err().is_instance_of::<js_sys::RangeError>());
}

#[wasm_bindgen_test]
async fn a_run_stops_at_the_tick_that_shows_collapse_or_recovery() {
    let nothing = || Function::new_no_args("");
    let run = Run::new(&profile("exp-003")).unwrap();
    assert_eq!(
        ended(run.play(nothing(), "collapse".into())).await,
        "reached"
    );
    let last = |run: &Run| {
        let transitions =
            Array::from(&Reflect::get(&run.frame().unwrap(), &"transitions".into()).unwrap());
        transitions.get(transitions.length() - 1)
    };
    let fresh = Run::new(&profile("exp-003")).unwrap();
    assert_eq!(
        ended(fresh.seek(run.now_seconds(), nothing())).await,
        "reached"
    );
    let shown = last(&fresh);
    assert_eq!(text(&shown, "to"), "COLLAPSED");
    assert_eq!(number(&shown, "at_seconds"), run.now_seconds());
    let before = run.now_seconds();
    let end = ended(run.play(nothing(), "recovery".into())).await;
    assert!(end == "finished" || run.now_seconds() > before);
}

#[wasm_bindgen_test]
fn differences_name_the_changed_fields() {
    let changed = differences(
        &profile("exp-002"),
        r#"{"agents": {"count": 400}, "seed": 1}"#,
    )
    .unwrap();
    let changed: Array = changed.unchecked_into();
    let paths: Vec<_> = changed.iter().map(|one| text(&one, "path")).collect();
    assert_eq!(paths, ["queue.capacity", "workers.count"]);
    assert_eq!(
        (
            number(&changed.get(1), "from"),
            number(&changed.get(1), "to")
        ),
        (4.0, 12.0)
    );
    let error = differences("{}", r#"{"agents": 3}"#).unwrap_err();
    assert_eq!(text(&error, "name"), "ProfileError");
}

/// A short run: seeds are many.
const SHORT: &str = r#"{"run": {"duration_seconds": 12, "warmup_seconds": 1}, "agents": {"count": 400}, "workers": {"count": 4}}"#;

#[wasm_bindgen_test]
async fn replications_are_the_runs_of_their_seeds() {
    let replications = Replications::new(SHORT, 3.0, 2.0, None).unwrap();
    assert!(replications.result().unwrap().is_null());
    assert_eq!(
        ended(replications.play(Function::new_no_args(""))).await,
        "finished"
    );
    assert_eq!((replications.done(), replications.progress()), (2, 1.0));
    let result = replications.result().unwrap();
    let seeds: Array = get(&result, "seeds").unchecked_into();
    assert_eq!(
        (seeds.get(0).as_f64(), seeds.get(1).as_f64()),
        (Some(3.0), Some(4.0))
    );
    let runs: Array = get(&result, "runs").unchecked_into();
    let mut means = 0.0;
    for (index, seed) in [3, 4].into_iter().enumerate() {
        let one = wire::set(&wire::parse(SHORT).unwrap(), "seed", seed.into()).unwrap();
        let run = Run::new(&wire::to_text(&one)).unwrap();
        run.finish().unwrap();
        assert_eq!(text(&runs.get(index as u32), "digest"), run.digest());
        means += number(&run.report().unwrap(), "utilization") / 2.0;
    }
    let figure = get(&get(&result, "summary"), "utilization");
    assert!((number(&figure, "mean") - means).abs() < 1e-12);
    assert!(number(&figure, "ci95") > 0.0 && number(&figure, "runs") == 2.0);
    let states = get(&result, "states");
    let counted: f64 = ["STABLE", "DEGRADED", "COLLAPSED", "unresolved"]
        .map(|state| number(&get(&states, state), "count"))
        .iter()
        .sum();
    assert_eq!(counted, 2.0);
    assert!(get(&result, "paired").is_null() && get(&result, "baseline").is_null());
    let band = get(&result, "band");
    let rows = get(&band, "time").unchecked_into::<Float64Array>().length();
    assert!(rows >= 240);
    let queue = get(&get(&band, "columns"), "queue");
    for end in ["mean", "low", "high"] {
        assert_eq!(
            get(&queue, end).unchecked_into::<Float64Array>().length(),
            rows
        );
    }
}

#[wasm_bindgen_test]
async fn replications_stop_keep_what_they_have_and_go_on() {
    let baseline = r#"{"run": {"duration_seconds": 12, "warmup_seconds": 1}, "agents": {"count": 400}, "workers": {"count": 6}}"#;
    let make = || Replications::new(SHORT, 1.0, 3.0, Some(baseline.into())).unwrap();
    let stopped = make();
    // How far it comes each time is left to the machine.
    let mut pauses = 0;
    loop {
        let playing = stopped.play(Function::new_no_args(""));
        let busy = JsFuture::from(stopped.play(Function::new_no_args(""))).await;
        assert_eq!(text(&busy.unwrap_err(), "name"), "BusyError");
        stopped.pause();
        let how = ended(playing).await;
        if let Some(result) = Some(stopped.result().unwrap()).filter(|result| !result.is_null()) {
            let runs: Array = get(&result, "runs").unchecked_into();
            assert_eq!(runs.length(), stopped.done());
        }
        if how == "finished" {
            break;
        }
        pauses += 1;
    }
    assert!(pauses > 0);
    let whole = make();
    ended(whole.play(Function::new_no_args(""))).await;
    let json = |one: &Replications| {
        String::from(js_sys::JSON::stringify(&get(&one.result().unwrap(), "paired")).unwrap())
    };
    assert!(json(&whole).contains("error_rate"));
    assert_eq!(json(&whole), json(&stopped));
}

#[wasm_bindgen_test]
fn senseless_replications_are_refused_in_words() {
    for (first, count, words) in [
        (1.0, 0.0, "count"),
        (1.0, 1e300, "count"),
        (1.0, f64::NAN, "count"),
        (-1.0, 10.0, "first_seed"),
        (4_294_967_295.0, 2.0, "first_seed"),
    ] {
        let error = Replications::new(SHORT, first, count, None).err().unwrap();
        assert!(error.is_instance_of::<js_sys::RangeError>());
        assert!(text(&error, "message").contains(words), "{words}");
    }
    let error = Replications::new("{}", 1.0, 2.0, Some(r#"{"agents": 3}"#.into())).err();
    assert_eq!(text(&error.unwrap(), "name"), "ProfileError");
}

/// The rows of these cells, as another instance of the same sweep makes them.
async fn rows(sweep: &Sweep, cells: Vec<u32>) -> Vec<String> {
    let hold = Function::new_with_args("row", "(globalThis.heldRows ??= []).push(row)");
    assert_eq!(ended(sweep.run(cells, hold)).await, "finished");
    let held: Array = get(&js_sys::global(), "heldRows").unchecked_into();
    Reflect::delete_property(&js_sys::global(), &"heldRows".into()).unwrap();
    held.iter().map(|row| row.as_string().unwrap()).collect()
}

#[wasm_bindgen_test]
async fn a_sweep_takes_in_the_rows_of_another_instance_of_it() {
    let make = |agents: &str| Sweep::new(SHORT, vec![format!("agents.count={agents}")], 3.0, 2.0);
    let (page, worker) = (make("100,300").unwrap(), make("100,300").unwrap());
    let about = page.about().unwrap();
    assert_eq!(
        (number(&about, "points"), number(&about, "cells")),
        (2.0, 4.0)
    );
    assert!(number(&page.cost().unwrap(), "events") > 1000.0);
    assert_eq!(page.missing(), [0, 2, 1, 3]);
    // The second seed of a point before its first: counted in their order all the same.
    for row in rows(&worker, vec![3, 0, 1]).await {
        page.add(&row).unwrap();
        page.add(&row).unwrap();
    }
    assert_eq!((page.done(), page.missing()), (3.0, vec![2]));
    let other = make("100,200").unwrap();
    for foreign in [
        rows(&other, vec![0]).await[0].as_str(),
        "",
        "[]",
        "{}",
        "[null]",
    ] {
        let error = page.add(foreign).unwrap_err();
        assert_eq!(text(&error, "name"), "RangeError");
    }
    for row in rows(&worker, vec![2]).await {
        page.add(&row).unwrap();
    }
    let figure = page.figure("latency_seconds.p95").unwrap();
    let means: Float64Array = get(&figure, "mean").unchecked_into();
    let one = wire::set(&wire::parse(SHORT).unwrap(), "agents.count", 300.into()).unwrap();
    let mut mean = 0.0;
    for seed in [3, 4] {
        let run = Run::new(&wire::to_text(
            &wire::set(&one, "seed", seed.into()).unwrap(),
        ))
        .unwrap();
        run.finish().unwrap();
        mean += number(&get(&run.report().unwrap(), "latency_seconds"), "p95") / 2.0;
        assert!(page.ndjson().contains(&run.digest()));
    }
    assert!((means.get_index(1) - mean).abs() < 1e-12);
    let share = page.share("STABLE", true).unwrap();
    let runs: Float64Array = get(&share, "runs").unchecked_into();
    assert_eq!(runs.to_vec(), [2.0, 2.0]);
    assert_eq!(page.csv().lines().count(), 5);
    assert_eq!(page.states(false).length(), 2);
    assert!(page.share("BROKEN", true).is_err() && page.profile(4).is_err());
    assert!(page.profile(3).unwrap().contains("\"count\": 300"));
    assert!(
        ended_badly(page.run(vec![9], Function::new_no_args("")))
            .await
            .is_instance_of::<js_sys::RangeError>()
    );
}

async fn ended_badly(promise: js_sys::Promise) -> JsValue {
    JsFuture::from(promise).await.unwrap_err()
}

#[wasm_bindgen_test]
async fn an_edge_asks_for_sweeps_until_it_is_found() {
    let questions: Array = edge_questions().unwrap().unchecked_into();
    let question = text(&questions.get(0), "name");
    let edge = Edge::new(SHORT, "agents.count", 10.0, 20.0, 1.0, 5.0, &question).unwrap();
    assert!(edge.found().unwrap().is_null());
    let mut steps = 0;
    while let Some(wanted) = edge.wanted() {
        let sweep = Sweep::new(SHORT, vec![wanted], 1.0, 5.0).unwrap();
        assert!(edge.tell(&sweep).is_err());
        for row in rows(&sweep, sweep.missing()).await {
            sweep.add(&row).unwrap();
        }
        edge.tell(&sweep).unwrap();
        steps += 1;
    }
    let found = edge.found().unwrap();
    assert_eq!(text(&get(&found, "edge"), "kind"), "never");
    assert!(steps >= 2 && number(&found, "runs") >= 10.0);
    let tried = edge.tried().unwrap();
    let values: Float64Array = get(&tried, "value").unchecked_into();
    assert_eq!(values.get_index(0), 10.0);
    assert!(Edge::new(SHORT, "agents.count", 10.0, 20.0, 1.0, 5.0, "whether").is_err());
    assert!(Edge::new(SHORT, "agents.count", 20.0, 10.0, 1.0, 5.0, &question).is_err());
    assert!(Edge::new(SHORT, "agents.count", 10.0, 20.0, 1.0, 4.0, &question).is_err());
}
