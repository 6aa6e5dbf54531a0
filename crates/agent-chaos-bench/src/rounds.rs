//! What is measured, in which order, and what is told of it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Instant, SystemTime};

use agent_chaos_core::wire;
use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::browser::{Browser, Setup};
use crate::child::{interrupted, number};
use crate::machine::Facts;
use crate::native::{BARE_REQUESTS, Native};
use crate::process::take;
use crate::report::{Peer, Report, Row, Unit, short};
use crate::stats::{Summary, quantile};
use crate::{plot, scaling, workloads};

const IN_PROCESS: &str = "Native, in one process";
const PROCESS: &str = "Native, a whole process each (agent-chaos run … --json)";
const CHROMIUM: &str = "Chromium, on the page's thread";
const PLAYING: &str = "Chromium, playing at full speed";
const MEMORY: &str = "Memory";
const START: &str = "Start";
const PARTS: &str = "Single parts, each time (Criterion)";
const LONG: &str = "20,000,000 requests";

const REQUESTS: u32 = 1_000_000;
const LONG_REQUESTS: u32 = 20_000_000;
/// A link to a run of a second or more, below the number of events at which the page asks first.
const BUSY_LINK: &str = "v1.mm4-80~run.max_requests=4000000";
const SCALING_ROUNDS: usize = 3;

/// What to do.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How often everything is measured.
    pub rounds: usize,
    /// Whether what a request costs as a number grows is left out.
    pub skip_scaling: bool,
    /// Whether 20,000,000 requests are run as well.
    pub long: bool,
    /// Whether the benchmarks of single parts are run as well.
    pub criterion: bool,
    /// The top of the repository.
    pub top: PathBuf,
    /// This program.
    pub bench: PathBuf,
    /// The command line.
    pub cli: PathBuf,
    /// What drives Chromium, or why nothing does.
    pub browser: Result<Setup, String>,
    /// What other engines came to, or why nothing is known of them; none if nobody asked.
    pub peers: Option<Result<Vec<Peer>, String>>,
    /// Where the reports go.
    pub output: PathBuf,
}

/// One thing that is measured in every round.
struct Task {
    part: &'static str,
    name: &'static str,
    work: Work,
    unit: Unit,
    target: Option<f64>,
    /// Requests of one measurement; none where a request is not what is counted.
    requests: Option<u32>,
    /// The first measurement, which is not counted.
    cold: Option<Sample>,
    samples: Vec<Sample>,
    failed: Option<String>,
}

enum Work {
    /// Asked of the native process.
    Native(Value),
    /// Arguments of the command line.
    Process(Vec<String>),
    /// Asked of the browser.
    Browser(Value),
}

/// One measurement between two runs of the bare loop.
struct Sample {
    seconds: f64,
    bare_seconds: f64,
    answer: Value,
}

impl Task {
    fn ratio(&self, sample: &Sample) -> f64 {
        let requests = f64::from(self.requests.unwrap_or(BARE_REQUESTS));
        (sample.seconds / requests) / (sample.bare_seconds / f64::from(BARE_REQUESTS))
    }

    fn value(&self, sample: &Sample) -> f64 {
        match self.unit {
            Unit::Ratio => self.ratio(sample),
            _ => sample.seconds * 1e3,
        }
    }

    fn row(&self) -> Row {
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
        if let (Work::Browser(_), Some(cold)) = (&self.work, &self.cold) {
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

    fn figure(&self, name: &str) -> Option<Summary> {
        Summary::of(
            self.samples
                .iter()
                .filter_map(|sample| sample.answer[name].as_f64()),
        )
    }

    fn to_json(&self) -> Value {
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

/// Measures everything and writes the reports, also after each round, so that nothing that was
/// measured is lost. Prints the table at the end.
///
/// # Errors
///
/// If the reports cannot be written. What cannot be measured is told in the table.
pub fn run(settings: Settings) -> Result<()> {
    std::fs::create_dir_all(&settings.output)?;
    let tasks = tasks(&settings)?;
    let facts = Facts::gather(&settings.top, settings.rounds);
    let mut session = Session {
        native: Native::new(settings.bench.clone()),
        browser: Browser::new(settings.browser.clone()),
        tasks,
        facts,
        singles: Vec::new(),
        scaling: Vec::new(),
        settings,
    };
    match session.browser.version() {
        Ok(version) => session.facts.0.push(("Chromium", version)),
        Err(reason) => session
            .facts
            .0
            .push(("Chromium", format!("none: {reason:#}"))),
    }
    session.rounds()?;
    session.sizes();
    session.save()?;
    session.playing();
    session.save()?;
    if !session.settings.skip_scaling {
        session.scaling()?;
    }
    if session.settings.long {
        session.long();
        session.save()?;
    }
    if session.settings.criterion && !interrupted() {
        session.criterion();
    }
    session.save()?;
    println!("{}", session.report().terminal());
    println!(
        "report: {}",
        session.settings.output.join("report.md").display()
    );
    Ok(())
}

/// The workloads as profiles: key, name, text, requests.
fn tasks(settings: &Settings) -> Result<Vec<Task>> {
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

    for ((_, name, _, requests), (text, target)) in
        all.iter().zip(texts.iter().zip([3.0, 4.5, 6.5, 12.0]))
    {
        let work = Work::Native(json!({ "do": "run", "profile": text }));
        task(IN_PROCESS, name, work, *requests, Some(target));
    }
    let work = Work::Native(json!({ "do": "alone", "profile": texts[0] }));
    task(IN_PROCESS, alone, work, Some(REQUESTS), Some(1.9));

    for ((key, name, _, requests), text) in all.iter().zip(&texts) {
        let file = settings.output.join(format!("{key}.json"));
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
        all.iter().zip(texts.iter().zip([4.5, 6.5, 9.0, 20.0]))
    {
        let work = Work::Browser(json!({ "do": "run", "page": key, "profile": text }));
        task(CHROMIUM, name, work, *requests, Some(target));
    }
    let work = Work::Browser(json!({ "do": "alone", "page": "alone", "profile": texts[0] }));
    task(CHROMIUM, alone, work, Some(REQUESTS), Some(3.0));

    let work = Work::Browser(json!({ "do": "play", "page": "open-loop", "profile": texts[0] }));
    task(
        PLAYING,
        "the open loop, its frames appended to columns",
        work,
        Some(REQUESTS),
        None,
    );

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

struct Session {
    settings: Settings,
    native: Native,
    browser: Browser,
    facts: Facts,
    tasks: Vec<Task>,
    singles: Vec<Row>,
    scaling: Vec<scaling::Series>,
}

impl Session {
    fn rounds(&mut self) -> Result<()> {
        // The first round warms up: programs come off the disk, the browser optimizes the module.
        for round in 0..=self.settings.rounds {
            let started = Instant::now();
            let mut before = None;
            for index in 0..self.tasks.len() {
                if self.tasks[index].failed.is_some() {
                    continue;
                }
                let outcome = self.paired(index, &mut before);
                let task = &mut self.tasks[index];
                match outcome {
                    Ok(sample) if round == 0 => task.cold = Some(sample),
                    Ok(sample) => task.samples.push(sample),
                    Err(error) => task.failed = Some(format!("{error:#}")),
                }
            }
            let seconds = started.elapsed().as_secs_f64();
            match round {
                0 => eprintln!("• warm-up: {seconds:.1} s"),
                _ => eprintln!(
                    "• round {round} of {}: {seconds:.1} s",
                    self.settings.rounds
                ),
            }
            self.save()?;
        }
        Ok(())
    }

    /// One measurement between two runs of the bare loop; the second is the first of the next.
    fn paired(&mut self, index: usize, before: &mut Option<f64>) -> Result<Sample> {
        if interrupted() {
            anyhow::bail!("interrupted");
        }
        let first = match before.take() {
            Some(seconds) => seconds,
            None => self.native.bare()?,
        };
        let answer = self.work(index)?;
        let second = self.native.bare()?;
        *before = Some(second);
        Ok(Sample {
            seconds: number(&answer, "seconds")?,
            bare_seconds: (first + second) / 2.0,
            answer,
        })
    }

    fn work(&mut self, index: usize) -> Result<Value> {
        match &self.tasks[index].work {
            Work::Native(question) => self.native.ask(question),
            Work::Browser(question) => self.browser.ask(question),
            Work::Process(arguments) => {
                let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
                let taken = take(&self.settings.bench, &self.settings.cli, &arguments)?;
                Ok(json!({ "seconds": taken.seconds, "peak_bytes": taken.peak_bytes }))
            }
        }
    }

    fn single(
        &mut self,
        part: &'static str,
        name: &str,
        unit: Unit,
        target: Option<f64>,
        result: Result<Summary, String>,
        note: String,
    ) {
        self.singles.push(Row {
            part,
            name: name.to_owned(),
            unit,
            target,
            result,
            note,
        });
    }

    fn sizes(&mut self) {
        let file = self.settings.top.join("web/pkg/agent_chaos_wasm_bg.wasm");
        let sizes = if self.browser.is_there() {
            std::fs::read(&file)
                .map_err(|error| format!("{}: {error}", file.display()))
                .and_then(|bytes| Ok((bytes.len(), brotli(&bytes).map_err(|e| e.to_string())?)))
        } else {
            Err("the module was not built".to_owned())
        };
        let of = |pick: fn(&(usize, usize)) -> usize| {
            let size = sizes.as_ref().map_err(Clone::clone);
            size.map(|both| Summary::one(pick(both) as f64 / 1e3))
        };
        let (raw, packed) = (of(|both| both.0), of(|both| both.1));
        self.single(
            START,
            "size of the module",
            Unit::Kilobytes,
            None,
            raw,
            String::new(),
        );
        let level = "brotli, quality 11".to_owned();
        self.single(
            START,
            "size of the module, compressed",
            Unit::Kilobytes,
            None,
            packed,
            level,
        );
    }

    /// How long a person waits while a run plays at full speed.
    fn playing(&mut self) {
        let long = wire::to_text(&workloads::open_loop(LONG_REQUESTS));
        let busy = json!({ "do": "busy", "page": "busy", "profile": long, "seconds": 4 });
        let idle = json!({ "do": "busy", "page": "idle", "profile": null, "seconds": 2 });
        eprintln!("• playing at full speed while keys are pressed");
        let (idle, busy) = (self.asked(&idle), self.asked(&busy));
        let share = busy.as_ref().map_err(Clone::clone).and_then(|answer| {
            let share = answer["share"]
                .as_f64()
                .ok_or("an answer without a share")?;
            Ok(Summary::one(share * 100.0))
        });
        let name = "the thread's time in slices of the run";
        self.single(PLAYING, name, Unit::Percent, None, share, String::new());
        self.waits("a slice of the run", &busy, "slices", None);
        self.waits(
            "key press to its handler",
            &busy,
            "keys",
            Some((&idle, "keys")),
        );
        self.waits(
            "lateness of a 4 ms timer",
            &busy,
            "late",
            Some((&idle, "late")),
        );
        let page = self.asked(&json!({ "do": "page_keys", "link": BUSY_LINK }));
        self.waits(
            "key press to its handler, in the page itself",
            &page,
            "keys",
            None,
        );
    }

    fn asked(&mut self, question: &Value) -> Result<Value, String> {
        if interrupted() {
            return Err("interrupted".to_owned());
        }
        self.browser
            .ask(question)
            .map_err(|error| format!("{error:#}"))
    }

    /// One row for waits of this kind, in milliseconds: median and range, the 99th percentile
    /// beside it, and what they are when nothing plays.
    fn waits(
        &mut self,
        name: &str,
        answer: &Result<Value, String>,
        kind: &str,
        idle: Option<(&Result<Value, String>, &str)>,
    ) {
        let p99 = |list: &[f64]| quantile(list, 0.99).map_or_else(String::new, short);
        let list = answer
            .as_ref()
            .map_err(Clone::clone)
            .map(|answer| sorted(&answer[kind]));
        let mut note = String::new();
        if let Ok(list) = &list {
            note = format!("99 % within {} ms, {} of them", p99(list), list.len());
        }
        if let Some((Ok(answer), kind)) = idle {
            let list = sorted(&answer[kind]);
            if let Some(median) = quantile(&list, 0.5) {
                note += &format!("; idle {} ms, 99 % within {} ms", short(median), p99(&list));
            }
        }
        let result =
            list.and_then(|list| Summary::of(list).ok_or_else(|| "none was seen".to_owned()));
        self.single(PLAYING, name, Unit::Milliseconds, None, result, note);
    }

    fn scaling(&mut self) -> Result<()> {
        self.scaling = scaling::all();
        for round in 1..=SCALING_ROUNDS {
            let started = Instant::now();
            for series in &mut self.scaling {
                for point in &mut series.points {
                    if interrupted() {
                        point.failed = Some("interrupted".to_owned());
                    }
                    if point.failed.is_some() {
                        continue;
                    }
                    match cost(&mut self.native, &point.profile) {
                        Ok(cost) => point.costs.push(cost),
                        Err(error) => point.failed = Some(format!("{error:#}")),
                    }
                }
            }
            eprintln!(
                "• scaling, round {round} of {SCALING_ROUNDS}: {:.1} s",
                started.elapsed().as_secs_f64()
            );
            self.save()?;
        }
        Ok(())
    }

    fn long(&mut self) {
        let profile = workloads::open_loop(LONG_REQUESTS);
        let text = wire::to_text(&profile);
        let requests = f64::from(LONG_REQUESTS);
        eprintln!("• 20,000,000 requests");
        let file = self.settings.output.join("open-loop-20000000.json");
        let native = std::fs::write(&file, &text)
            .map_err(anyhow::Error::from)
            .and_then(|()| {
                let file = file.to_string_lossy();
                take(
                    &self.settings.bench,
                    &self.settings.cli,
                    &["run", &file, "--json"],
                )
            });
        let native = native.map_err(|error| format!("{error:#}"));
        let nanos = native.as_ref().map_err(Clone::clone);
        let nanos = nanos.map(|taken| Summary::one(taken.seconds * 1e9 / requests));
        self.single(
            LONG,
            "native, time per request",
            Unit::Nanoseconds,
            None,
            nanos,
            String::new(),
        );
        let peak = native.and_then(|taken| {
            let bytes = taken.peak_bytes.ok_or("not measured on this system")?;
            Ok(Summary::one(bytes / 1e6))
        });
        self.single(
            LONG,
            "native, peak of the process",
            Unit::Megabytes,
            None,
            peak,
            String::new(),
        );
        let answer = self.asked(&json!({ "do": "run", "page": "long", "profile": text }));
        let of = |name: &str, scale: f64| {
            let answer = answer.as_ref().map_err(Clone::clone)?;
            let value = answer[name].as_f64().ok_or_else(|| format!("no {name}"))?;
            Ok(Summary::one(value * scale))
        };
        let (nanos, memory) = (of("seconds", 1e9 / requests), of("memory_bytes", 1e-6));
        self.single(
            LONG,
            "in the page, time per request",
            Unit::Nanoseconds,
            None,
            nanos,
            String::new(),
        );
        self.single(
            LONG,
            "in the page, memory of the module",
            Unit::Megabytes,
            Some(200.0),
            memory,
            String::new(),
        );
    }

    fn criterion(&mut self) {
        eprintln!("• benchmarks of single parts");
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let mut command = Command::new(cargo);
        command
            .args([
                "bench",
                "--package",
                "agent-chaos-bench",
                "--bench",
                "parts",
            ])
            .current_dir(&self.settings.top);
        let started = SystemTime::now();
        let failed = match command.status() {
            Ok(status) if status.success() => None,
            Ok(status) => Some(format!("ended with {status}")),
            Err(error) => Some(error.to_string()),
        };
        if let Some(reason) = failed {
            self.single(
                PARTS,
                "Criterion",
                Unit::Nanoseconds,
                None,
                Err(reason),
                String::new(),
            );
        }
        let mut rows = Vec::new();
        let target = self.settings.output.parent().unwrap_or(Path::new("."));
        parts(&target.join("criterion"), started, &mut rows);
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        for (name, nanos) in rows {
            self.single(
                PARTS,
                &name,
                Unit::Nanoseconds,
                None,
                Ok(nanos),
                String::new(),
            );
        }
    }

    fn report(&self) -> Report {
        let mut rows: Vec<Row> = self.tasks.iter().map(Task::row).collect();
        let place = |rows: &[Row], part| {
            rows.iter()
                .rposition(|row| row.part == part)
                .map_or(rows.len(), |last| last + 1)
        };
        let share = place(&rows, PLAYING);
        rows.insert(share, self.share());
        let start = place(&rows, PLAYING);
        let memory = self.memory();
        rows.splice(start..start, memory);
        rows.extend(self.singles.iter().cloned());
        if let Some(row) = self.disagreement() {
            rows.push(row);
        }
        Report {
            facts: self.facts.clone(),
            rows,
            scaling: self.scaling.clone(),
            peers: self.settings.peers.clone(),
            samples: self.tasks.iter().map(Task::to_json).collect(),
        }
    }

    fn find(&self, part: &str, key: usize) -> Option<&Task> {
        self.tasks.iter().filter(|task| task.part == part).nth(key)
    }

    /// How much of the time that a run takes when played it would take without giving way.
    fn share(&self) -> Row {
        let finish = self.find(CHROMIUM, 0);
        let play = self.find(PLAYING, 0);
        let shares = finish.zip(play).map(|(finish, play)| {
            let whole = finish
                .samples
                .iter()
                .filter(|sample| sample.answer["how"] == "finish");
            whole
                .zip(&play.samples)
                .map(|(finish, play)| 100.0 * finish.seconds / play.seconds)
        });
        let reason = match play.and_then(|play| play.failed.clone()) {
            Some(reason) => reason,
            None => "not available: the module has no Run.finish()".to_owned(),
        };
        Row {
            part: PLAYING,
            name: "time without giving way ÷ time when played".to_owned(),
            unit: Unit::Percent,
            target: None,
            result: shares.and_then(Summary::of).ok_or(reason),
            note: String::new(),
        }
    }

    fn memory(&self) -> [Row; 2] {
        let agents = "100,000 agents";
        let row =
            |name: String, target, result: Option<Summary>, reason: Option<&String>, note| Row {
                part: MEMORY,
                name,
                unit: Unit::Megabytes,
                target: Some(target),
                result: result
                    .map(|s| Summary {
                        median: s.median / 1e6,
                        min: s.min / 1e6,
                        max: s.max / 1e6,
                        ..s
                    })
                    .ok_or_else(|| {
                        reason
                            .cloned()
                            .unwrap_or_else(|| "not measured on this system".to_owned())
                    }),
                note,
            };
        let (native, nothing) = (self.find(PROCESS, 2), self.find(PROCESS, 4));
        let idle = nothing.and_then(|task| task.figure("peak_bytes"));
        let over = native
            .and_then(|task| task.figure("peak_bytes"))
            .zip(idle)
            .map(|(peak, idle)| Summary {
                median: peak.median - idle.median,
                min: peak.min - idle.median,
                max: peak.max - idle.median,
                ..peak
            });
        let note = idle.map_or_else(String::new, |idle| {
            format!(
                "a process that does nothing: {} MB",
                short(idle.median / 1e6)
            )
        });
        let page = self.find(CHROMIUM, 2);
        [
            row(
                format!("{agents}, native, peak over a process that does nothing"),
                64.0,
                over,
                native.and_then(|task| task.failed.as_ref()),
                note,
            ),
            Row {
                target: None,
                ..row(
                    format!("{agents}, memory of the module in the page"),
                    0.0,
                    page.and_then(|task| task.figure("memory_bytes")),
                    page.and_then(|task| task.failed.as_ref()),
                    String::new(),
                )
            },
        ]
    }

    /// A row if a workload ended in different digests natively and in Chromium.
    fn disagreement(&self) -> Option<Row> {
        let digest = |task: &Task| {
            task.samples.first()?.answer["digest"]
                .as_str()
                .map(str::to_owned)
        };
        let differ = (0..4).any(|key| {
            let pair = self.find(IN_PROCESS, key).zip(self.find(CHROMIUM, key));
            let digests = pair.and_then(|(native, page)| digest(native).zip(digest(page)));
            digests.is_some_and(|(native, page)| native != page)
        });
        differ.then(|| Row {
            part: CHROMIUM,
            name: "digests".to_owned(),
            unit: Unit::Ratio,
            target: None,
            result: Err("the page and the native engine gave different results".to_owned()),
            note: String::new(),
        })
    }

    fn save(&self) -> Result<()> {
        let report = self.report();
        let write = |name: &str, text: String| {
            let file = self.settings.output.join(name);
            std::fs::write(&file, text).with_context(|| file.display().to_string())
        };
        write("report.md", report.markdown())?;
        write("report.json", format!("{:#}\n", report.to_json()))?;
        match plot::svg(&self.scaling) {
            Some(svg) => write("scaling.svg", svg),
            None => Ok(()),
        }
    }
}

/// Time per request of one native run, in nanoseconds, and over that of the bare loop.
fn cost(native: &mut Native, profile: &str) -> Result<(f64, f64)> {
    let before = native.bare()?;
    let answer = native.ask(&json!({ "do": "run", "profile": profile }))?;
    let bare = (before + native.bare()?) / 2.0 / f64::from(BARE_REQUESTS);
    let each = number(&answer, "seconds")? / number(&answer, "requests")?;
    Ok((each * 1e9, each / bare))
}

/// What Criterion has written into this folder since then: name, and time of one element.
fn parts(folder: &Path, since: SystemTime, rows: &mut Vec<(String, Summary)>) {
    let read = |name: &str| -> Option<Value> {
        let file = folder.join("new").join(name);
        let new = file.metadata().ok()?.modified().ok()? >= since;
        let text = new.then(|| std::fs::read_to_string(file).ok())??;
        serde_json::from_str(&text).ok()
    };
    if let Some((about, found)) = read("benchmark.json").zip(read("estimates.json")) {
        let elements = about["throughput"]["Elements"].as_f64().unwrap_or(1.0);
        let nanos = |value: &Value| value.as_f64().map(|nanos| nanos / elements);
        let bounds = &found["median"]["confidence_interval"];
        let summary = || {
            Some(Summary {
                median: nanos(&found["median"]["point_estimate"])?,
                min: nanos(&bounds["lower_bound"])?,
                max: nanos(&bounds["upper_bound"])?,
                count: 30,
            })
        };
        let name = about["full_id"].as_str().unwrap_or_default().to_owned();
        rows.extend(summary().map(|summary| (name, summary)));
        return;
    }
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            parts(&entry.path(), since, rows);
        }
    }
}

fn sorted(list: &Value) -> Vec<f64> {
    let mut numbers: Vec<f64> = list
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_f64)
        .collect();
    numbers.sort_by(f64::total_cmp);
    numbers
}

/// The length of these bytes, compressed as for a page.
fn brotli(bytes: &[u8]) -> std::io::Result<usize> {
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: 11,
        lgwin: 22,
        ..Default::default()
    };
    let mut packed = Vec::new();
    brotli::BrotliCompress(&mut &bytes[..], &mut packed, &parameters)?;
    Ok(packed.len())
}

/// What is in the file that `cargo xtask bench --peers` leaves: a list of results, or the reason
/// why there is none.
///
/// # Errors
///
/// The reason, or what is wrong with the file.
pub fn read_peers(file: &Path) -> Result<Vec<Peer>, String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let value: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    if let Some(reason) = value["reason"].as_str() {
        return Err(reason.to_owned());
    }
    let peers = value["peers"].as_array().ok_or("no list of peers")?;
    let peer = |peer: &Value| {
        let text = |name: &str| peer[name].as_str().unwrap_or_default().to_owned();
        Ok(Peer {
            name: text("name"),
            version: text("version"),
            workload: text("workload"),
            nanos_per_request: number(peer, "nanos_per_request").map_err(|e| e.to_string())?,
            yardstick_nanos_per_request: number(peer, "yardstick_nanos_per_request")
                .map_err(|e| e.to_string())?,
        })
    };
    peers.iter().map(peer).collect()
}
