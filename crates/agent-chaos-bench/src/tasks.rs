//! What is measured in every round.

use std::path::Path;

use agent_chaos_core::wire;
use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::native::BARE_REQUESTS;
use crate::report::{Row, Unit, short};
use crate::stats::Summary;
use crate::workloads;

pub const IN_PROCESS: &str = "Native, in one process";
pub const PROCESS: &str = "Native, a whole process each (agent-chaos run … --json)";
pub const CHROMIUM: &str = "Chromium, on the page's thread";
pub const PLAYING: &str = "Chromium, playing at full speed";
pub const START: &str = "Start";

const REQUESTS: u32 = 1_000_000;

/// One thing that is measured in every round.
pub struct Task {
    pub part: &'static str,
    pub name: &'static str,
    pub work: Work,
    pub unit: Unit,
    pub target: Option<f64>,
    /// Requests of one measurement; none where a request is not what is counted.
    pub requests: Option<u32>,
    /// The first measurement, which is not counted.
    pub cold: Option<Sample>,
    pub samples: Vec<Sample>,
    pub failed: Option<String>,
}

/// How it is measured.
pub enum Work {
    /// Asked of the native process.
    Native(Value),
    /// Arguments of the command line.
    Process(Vec<String>),
    /// Asked of the browser.
    Browser(Value),
}

/// One measurement between two runs of the bare loop.
pub struct Sample {
    pub seconds: f64,
    pub bare_seconds: f64,
    pub answer: Value,
}

impl Task {
    pub fn ratio(&self, sample: &Sample) -> f64 {
        let requests = f64::from(self.requests.unwrap_or(BARE_REQUESTS));
        (sample.seconds / requests) / (sample.bare_seconds / f64::from(BARE_REQUESTS))
    }

    pub fn value(&self, sample: &Sample) -> f64 {
        match self.unit {
            Unit::Ratio => self.ratio(sample),
            _ => sample.seconds * 1e3,
        }
    }

    pub fn row(&self) -> Row {
        let missing = || {
            let reason = self.failed.clone();
            reason.unwrap_or_else(|| "not measured".to_owned())
        };
        let result = Summary::of(self.samples.iter().map(|sample| self.value(sample)));
        Row {
            part: self.part,
            name: self.name.to_owned(),
            unit: self.unit,
            target: self.target,
            result: result.ok_or_else(missing),
            note: self.note(),
        }
    }

    fn note(&self) -> String {
        let mut notes = Vec::new();
        let nanos = |requests: u32| {
            Summary::of(
                self.samples
                    .iter()
                    .map(|s| s.seconds * 1e9 / f64::from(requests)),
            )
        };
        if let Some(nanos) = self.requests.and_then(nanos) {
            notes.push(format!("{} ns per request", short(nanos.median)));
        } else if let (IN_PROCESS | CHROMIUM, Some(ratio)) = (
            self.part,
            Summary::of(self.samples.iter().map(|s| self.ratio(s))),
        ) {
            notes.push(format!("{} × a run of the bare loop", short(ratio.median)));
        }
        if self.part == PROCESS && self.requests.is_some() {
            let seconds = Summary::of(self.samples.iter().map(|sample| sample.seconds));
            notes.extend(seconds.map(|s| format!("{} s", short(s.median))));
        }
        if let Some(peak) = self.figure("peak_bytes") {
            notes.push(format!("peak {} MB", short(peak.median / 1e6)));
        }
        if let Some(frames) = self.figure("frames") {
            notes.push(format!("{:.0} frames", frames.median));
        }
        if let (CHROMIUM, Some(cold)) = (self.part, &self.cold) {
            notes.push(format!(
                "cold {} {}",
                short(self.value(cold)),
                self.unit.symbol()
            ));
        }
        if self
            .samples
            .iter()
            .any(|sample| sample.answer["how"] == "play")
        {
            notes.push("played: the module has no Run.finish()".to_owned());
        }
        if let (Some(reason), false) = (&self.failed, self.samples.is_empty()) {
            notes.push(format!("only {} measured: {reason}", self.samples.len()));
        }
        notes.join(", ")
    }

    pub fn figure(&self, name: &str) -> Option<Summary> {
        Summary::of(
            self.samples
                .iter()
                .filter_map(|sample| sample.answer[name].as_f64()),
        )
    }

    pub fn to_json(&self) -> Value {
        let sample = |sample: &Sample| {
            let mut value = sample.answer.clone();
            value["bare_seconds"] = json!(sample.bare_seconds);
            value
        };
        json!({
            "part": self.part, "name": self.name, "requests": self.requests,
            "cold": self.cold.as_ref().map(sample),
            "measured": self.samples.iter().map(sample).collect::<Vec<_>>(),
        })
    }
}

/// Everything, in the order in which it is measured. Profiles of whole processes go into `output`.
///
/// # Errors
///
/// If a profile cannot be written.
pub fn all(output: &Path) -> Result<Vec<Task>> {
    let all = [
        (
            "open-loop",
            "M/M/4/80 at 1.165, open loop",
            workloads::open_loop(REQUESTS),
            Some(REQUESTS),
        ),
        (
            "agents-1000",
            "1,000 agents",
            workloads::agents(1_000, REQUESTS),
            Some(REQUESTS),
        ),
        (
            "agents-100000",
            "100,000 agents",
            workloads::agents(100_000, REQUESTS),
            Some(REQUESTS),
        ),
        ("exp-002", "exp-002", workloads::congestion(), None),
        (
            "mm1",
            "M/M/1 at 0.9, open loop",
            workloads::single_worker(REQUESTS),
            Some(REQUESTS),
        ),
    ];
    let mut tasks = Vec::new();
    let mut task = |part, name, work, requests: Option<u32>, target| {
        let unit = if requests.is_some() {
            Unit::Ratio
        } else {
            Unit::Milliseconds
        };
        tasks.push(Task {
            part,
            name,
            work,
            unit,
            target,
            requests,
            cold: None,
            samples: Vec::new(),
            failed: None,
        });
    };
    let texts = all
        .each_ref()
        .map(|(_, _, profile, _)| wire::to_text(profile));
    let alone = "M/M/4/80, the engine alone";
    // In the order of `all`; times the bare loop, or milliseconds.
    let native_targets = [Some(3.0), Some(4.5), Some(6.5), Some(12.0), None];
    let browser_targets = [Some(4.5), Some(6.5), Some(9.0), Some(20.0), None];

    for ((_, name, _, requests), (text, target)) in all.iter().zip(texts.iter().zip(native_targets))
    {
        let work = Work::Native(json!({ "do": "run", "profile": text }));
        task(IN_PROCESS, name, work, *requests, target);
    }
    let work = Work::Native(json!({ "do": "alone", "profile": texts[0] }));
    task(IN_PROCESS, alone, work, Some(REQUESTS), Some(1.9));

    for ((key, name, _, requests), text) in all.iter().zip(&texts) {
        let file = output.join(format!("{key}.json"));
        std::fs::write(&file, text).with_context(|| file.display().to_string())?;
        let file = file.to_string_lossy().into_owned();
        let arguments = ["run".to_owned(), file, "--json".to_owned()];
        task(
            PROCESS,
            name,
            Work::Process(arguments.to_vec()),
            *requests,
            None,
        );
    }
    let nothing = Work::Process(vec!["--version".to_owned()]);
    task(
        PROCESS,
        "nothing (agent-chaos --version)",
        nothing,
        None,
        None,
    );

    for ((key, name, _, requests), (text, target)) in
        all.iter().zip(texts.iter().zip(browser_targets))
    {
        let work = Work::Browser(json!({ "do": "run", "page": key, "profile": text }));
        task(CHROMIUM, name, work, *requests, target);
        if *key == "open-loop" {
            // At once after the run that it is compared with.
            let work = Work::Browser(json!({ "do": "play", "page": key, "profile": text }));
            let name = "the open loop, its frames appended to columns";
            task(PLAYING, name, work, *requests, None);
        }
    }
    let work = Work::Browser(json!({ "do": "alone", "page": "alone", "profile": texts[0] }));
    task(CHROMIUM, alone, work, Some(REQUESTS), Some(3.0));

    let instantiate = Work::Browser(json!({ "do": "instantiate" }));
    task(
        START,
        "compile and instantiate the module",
        instantiate,
        None,
        None,
    );
    let chart = Work::Browser(json!({ "do": "first_chart", "link": "v1.exp-002" }));
    task(
        START,
        "from the link to a chart with data",
        chart,
        None,
        None,
    );
    Ok(tasks)
}
