//! A trace for Perfetto and Chrome's trace viewer: a track for each worker, counters, and moments.
//!
//! The form is that of trace event JSON: complete events (`X`) for services, counters (`C`) for the
//! queue and the workers, instant events (`i`) for what the detector, the timeline and others do.
//! Times are in microseconds of virtual time, to the nanosecond.

use std::collections::{BTreeMap, BTreeSet};

use agent_chaos_core::records::{Kind, Record};
use agent_chaos_core::telemetry::Series;
use agent_chaos_core::units::Instant;
use serde_json::{Value, json};

/// The only process.
const PROCESS: u32 = 1;
/// The track of what is about the whole system; workers come after it.
const SYSTEM: u32 = 0;

/// Columns of the series as counters.
const COUNTERS: [(&str, &str); 5] = [
    ("queue", "queue length"),
    ("busy", "busy workers"),
    ("offered", "offered per second"),
    ("goodput", "goodput per second"),
    ("latency_p95", "latency p95, seconds"),
];

/// Makes a trace of a run as it goes: text to be written in the order in which it comes.
pub struct Perfetto {
    text: String,
    /// Services under way: since when, and by whom.
    serving: BTreeMap<(u64, u8), (Instant, u32)>,
    classes: BTreeMap<u64, &'static str>,
    workers: BTreeSet<u32>,
}

impl Default for Perfetto {
    fn default() -> Self {
        Self::new()
    }
}

/// Microseconds, with the nanoseconds behind the point.
fn microseconds(nanos: u64) -> f64 {
    nanos as f64 / 1e3
}

impl Perfetto {
    /// A trace that has begun.
    #[must_use]
    pub fn new() -> Self {
        let mut trace = Self {
            text: "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n".to_owned(),
            serving: BTreeMap::new(),
            classes: BTreeMap::new(),
            workers: BTreeSet::new(),
        };
        let name = json!({ "name": "process_name", "ph": "M", "pid": PROCESS, "tid": SYSTEM,
            "args": { "name": "agent-chaos" } });
        trace.text.push_str(&name.to_string());
        trace.name_track(SYSTEM, "system");
        trace
    }

    fn name_track(&mut self, track: u32, name: &str) {
        self.put(
            &json!({ "name": "thread_name", "ph": "M", "pid": PROCESS, "tid": track,
            "args": { "name": name } }),
        );
        self.put(
            &json!({ "name": "thread_sort_index", "ph": "M", "pid": PROCESS, "tid": track,
            "args": { "sort_index": track } }),
        );
    }

    fn put(&mut self, event: &Value) {
        self.text.push_str(",\n");
        self.text.push_str(&event.to_string());
    }

    /// Takes in the next record of the run.
    pub fn see(&mut self, record: &Record) {
        let key = record.request().map(|request| (request, record.attempt()));
        match (record.kind(), key) {
            (Kind::Created, Some((request, _))) => {
                self.classes.insert(request, record.word().name().name);
            }
            (Kind::Started, Some(key)) => {
                let worker = record.worker().unwrap_or(0);
                self.serving.insert(key, (record.at, worker));
                if self.workers.insert(worker) {
                    self.name_track(worker + 1, &format!("worker {worker}"));
                }
            }
            (Kind::Completed | Kind::Lost, Some(key)) => self.serve(key, record),
            (Kind::Settled | Kind::Throttled | Kind::Removed, Some((request, _))) => {
                self.forget(request);
            }
            (
                Kind::Transition
                | Kind::Adapted
                | Kind::Workers
                | Kind::Breaker
                | Kind::InterventionStarted
                | Kind::InterventionEnded,
                _,
            ) => {
                let name = record.kind().name().words;
                self.put(
                    &json!({ "name": format!("{name}: {}", record.what()), "ph": "i", "s": "g",
                    "cat": record.kind().name().name, "ts": microseconds(record.at.nanos()),
                    "pid": PROCESS, "tid": SYSTEM }),
                );
            }
            _ => {}
        }
    }

    /// A service has ended.
    fn serve(&mut self, key: (u64, u8), record: &Record) {
        let Some((started, worker)) = self.serving.remove(&key) else {
            return;
        };
        let class = self.classes.get(&key.0).copied().unwrap_or("request");
        let mut args = json!({ "request": key.0, "outcome": record.word().name().name });
        if key.1 > 0 {
            args["send"] = json!(u32::from(key.1) + 1);
        }
        self.put(&json!({ "name": class, "cat": "service", "ph": "X",
            "ts": microseconds(started.nanos()), "dur": microseconds((record.at - started).nanos()),
            "pid": PROCESS, "tid": worker + 1, "args": args }));
        self.forget(key.0);
    }

    /// The class of a request is kept as long as it may be served.
    fn forget(&mut self, request: u64) {
        // Other sends of it may still be on their way; they are called requests then.
        let is_served = self
            .serving
            .range((request, 0)..=(request, u8::MAX))
            .next()
            .is_some();
        if !is_served {
            self.classes.remove(&request);
        }
    }

    /// The run has ended, at this moment of its time: what was under way ends here, and counters follow.
    pub fn finish(&mut self, series: &Series, now: Instant) {
        for ((request, _), (started, worker)) in std::mem::take(&mut self.serving) {
            let class = self.classes.get(&request).copied().unwrap_or("request");
            self.put(&json!({ "name": class, "cat": "service", "ph": "X",
                "ts": microseconds(started.nanos()), "dur": microseconds((now - started).nanos()),
                "pid": PROCESS, "tid": worker + 1, "args": { "request": request, "outcome": "" } }));
        }
        let times = series.column("time").unwrap_or_default();
        for (column, name) in COUNTERS {
            let values = series.column(column).unwrap_or_default();
            for (&time, &value) in times.iter().zip(values) {
                if value.is_finite() {
                    let at = Instant::from_seconds(time).nanos();
                    self.put(&json!({ "name": name, "ph": "C", "ts": microseconds(at),
                        "pid": PROCESS, "args": { "value": value } }));
                }
            }
        }
        self.text.push_str("\n]}\n");
    }

    /// What is ready to be written; it is handed over once.
    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }
}
