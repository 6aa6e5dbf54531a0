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

/// A valid profile drawn from the whole schema: short, and with every kind of mechanism now and then.
///
/// What contradicts another field is set back to its default, as an error message would have it.
pub fn random_profile(seed: u64) -> Profile {
    let mut dice = Dice(seed);
    let mut value = dice.node(wire::schema(), "");
    for tries in 0..200 {
        match wire::from_value(value.clone()) {
            Ok(profile) => return profile,
            Err(error) => {
                let field = &error.first().field;
                dice.mend(&mut value, field, tries);
            }
        }
    }
    panic!("seed {seed}: no valid profile");
}

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn chance(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// A value that the schema accepts, most often of a size that makes a short run.
    fn node(&mut self, node: &Value, path: &str) -> Value {
        let types: Vec<&str> = match &node["type"] {
            Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
            one => one.as_str().into_iter().collect(),
        };
        if types.contains(&"null") && self.chance(0.55) {
            return Value::Null;
        }
        if let Some(properties) = node["properties"].as_object() {
            let mut fields = serde_json::Map::new();
            for (name, inner) in properties {
                let path = format!("{path}/{name}");
                let fixed = FIXED.iter().find(|(known, _)| *known == path);
                let value = match fixed {
                    Some(&(_, text)) => serde_json::from_str(text).expect("a fixed value"),
                    None => self.node(inner, &path),
                };
                fields.insert(name.clone(), value);
            }
            if path.starts_with("/timeline/") {
                self.one_kind(&mut fields, node);
            }
            return Value::Object(fields);
        }
        if types.contains(&"array") {
            let least = node["minItems"].as_u64().unwrap_or(0);
            let most = node["maxItems"].as_u64().unwrap_or(3).min(least + 3);
            let count = least + self.next() % (most - least + 1);
            return (0..count)
                .map(|index| self.node(&node["items"], &format!("{path}/{index}")))
                .collect();
        }
        if let Some(known) = node["enum"].as_array() {
            return known[self.next() as usize % known.len()].clone();
        }
        if types.contains(&"boolean") {
            return Value::Bool(self.chance(0.5));
        }
        if types.contains(&"string") {
            let known = [
                "queue.capacity",
                "workers.count",
                "network.latency_seconds",
                "arrivals.rate_per_second",
            ];
            return Value::from(known[self.next() as usize % known.len()]);
        }
        self.number(node, path, types.contains(&"integer"))
    }

    fn number(&mut self, node: &Value, path: &str, whole: bool) -> Value {
        let low = node["minimum"].as_f64().unwrap_or(0.0);
        let high = node["maximum"].as_f64().unwrap_or(1e3);
        // As large as makes sense in a run of two seconds.
        let sensible = match node["x-unit"].as_str() {
            Some("s") => 2.0,
            Some("1/s") => 250.0,
            Some("ratio") => 3.0,
            Some("{agent}") => 30.0,
            Some("{worker}") => 6.0,
            Some("{connection}") => 8.0,
            Some("{request}") => 60.0,
            _ => 10.0,
        };
        let high = high.min(f64::max(sensible, low));
        let drawn = match self.next() % 8 {
            0 => low,
            1 => high,
            2 | 3 => {
                let small = self.uniform() * self.uniform();
                low + (high - low) * small * small
            }
            _ => low + (high - low) * self.uniform(),
        };
        if whole || path.ends_with("/value") {
            Value::from(drawn.round() as u64)
        } else {
            Value::from(drawn)
        }
    }

    /// Exactly one kind of intervention.
    fn one_kind(&mut self, fields: &mut serde_json::Map<String, Value>, node: &Value) {
        let kinds: Vec<String> = fields
            .keys()
            .filter(|name| !name.ends_with("_seconds"))
            .cloned()
            .collect();
        let chosen = self.next() as usize % kinds.len();
        for (index, kind) in kinds.iter().enumerate() {
            let mut inner = node["properties"][kind].clone();
            let value = if index == chosen {
                inner["type"] = Value::from("object");
                self.node(&inner, &format!("/intervention/{kind}"))
            } else {
                Value::Null
            };
            fields.insert(kind.clone(), value);
        }
    }

    /// Sets back what an error names: the field itself, or the section or entry around it.
    fn mend(&mut self, value: &mut Value, field: &str, tries: u32) {
        let mut pointer = field.to_owned();
        // Sooner or later something larger, so that two that contradict each other do not take turns.
        let larger = (0.1 + 0.03 * f64::from(tries)).min(0.8);
        while self.chance(larger) && pointer.matches('/').count() > 1 {
            pointer.truncate(pointer.rfind('/').expect("counted"));
        }
        let Some((around, name)) = pointer.rsplit_once('/') else {
            return;
        };
        match value.pointer_mut(around) {
            Some(Value::Object(fields)) => {
                fields.remove(name);
            }
            Some(Value::Array(items)) => {
                let index = name.parse::<usize>().expect("the number of an entry");
                if index < items.len() {
                    items.remove(index);
                }
            }
            _ => {}
        }
        // Runs stay short, whatever was set back.
        for (path, text) in FIXED
            .iter()
            .filter(|(path, _)| !path.starts_with("/agents"))
        {
            let fixed = serde_json::from_str(text).expect("a fixed value");
            let path = path[1..].replace('/', ".");
            wire::set_value(value, &path, fixed).expect("a known path");
        }
    }
}

/// What is the same in every random profile, so that runs are short.
const FIXED: &[(&str, &str)] = &[
    ("/version", "1"),
    ("/run/duration_seconds", "2"),
    ("/run/warmup_seconds", "0.3"),
    ("/run/drain_seconds", "3"),
    ("/agents/first_wake_min_seconds", "0"),
    ("/agents/first_wake_max_seconds", "0.5"),
    ("/telemetry/interval_seconds", "0.05"),
    ("/telemetry/window_seconds", "0.5"),
    ("/telemetry/latency_window_seconds", "1"),
];
