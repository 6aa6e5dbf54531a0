//! What the tests share.
#![allow(dead_code)]

use std::cell::RefCell;
use std::rc::Rc;

use agent_chaos_core::presets::{self, PRESETS};
use agent_chaos_core::{Profile, Run, wire};
use serde_json::Value;

/// The profile of a preset with another seed.
pub fn preset(name: &str, seed: u32) -> Profile {
    let mut profile = presets::find(name).expect("a known preset").profile();
    profile.seed = seed;
    profile
}

/// Every preset, cut to at most `requests` requests where it would create many more.
pub fn short_presets(requests: u32) -> impl Iterator<Item = (&'static str, Profile)> {
    PRESETS.iter().map(move |preset| {
        let mut profile = preset.profile();
        profile.run.max_requests = profile.run.max_requests.map(|most| most.min(requests));
        (preset.name, profile)
    })
}

/// A profile from what differs from the defaults.
#[track_caller]
pub fn profile(text: &str) -> Profile {
    wire::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

/// Every record of a run, as text, and the run's report.
pub fn records(profile: &Profile) -> (Vec<String>, agent_chaos_core::Report) {
    let log = Rc::new(RefCell::new(Vec::new()));
    let sink = Rc::clone(&log);
    let run = Run::observed(
        profile,
        Some(Box::new(move |event| {
            sink.borrow_mut().push(event.to_json().to_string())
        })),
    );
    let report = run.finish();
    let records = log.take();
    (records, report)
}

/// Mean and standard error of the mean.
pub fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

/// The recorded table.
pub fn recorded() -> Value {
    serde_json::from_str(include_str!("../recorded.json")).expect("the recorded table is JSON")
}
