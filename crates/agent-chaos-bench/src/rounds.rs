//! The rounds, what is measured once after them, and what is told of it all.

use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use agent_chaos_core::wire;
use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::browser::{Browser, Setup};
use crate::child::{interrupted, number};
use crate::machine::Facts;
use crate::native::{BARE_REQUESTS, Native};
use crate::peers::Peer;
use crate::process::take;
use crate::report::{Report, Row, Unit, short};
use crate::stats::{Summary, quantile};
use crate::tasks::{self, CHROMIUM, IN_PROCESS, PLAYING, PROCESS, START, Sample, Task, Work};
use crate::{parts, plot, scaling, workloads};

const MEMORY: &str = "Memory";
const PARTS: &str = "Single parts, each time (Criterion)";
const LONG: &str = "20,000,000 requests";

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

/// Measures everything and writes the reports, also after each round, so that nothing that was
/// measured is lost. Prints the table at the end.
///
/// # Errors
///
/// If the reports cannot be written. What cannot be measured is told in the table.
pub fn run(settings: Settings) -> Result<()> {
    std::fs::create_dir_all(&settings.output)?;
    let tasks = tasks::all(&settings.output)?;
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
    if session.settings.long && !interrupted() {
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
                _ if interrupted() => {}
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
        if !interrupted() {
            eprintln!("• playing at full speed while keys are pressed");
        }
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
            if !interrupted() {
                let seconds = started.elapsed().as_secs_f64();
                eprintln!("• scaling, round {round} of {SCALING_ROUNDS}: {seconds:.1} s");
            }
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
        let started = SystemTime::now();
        if let Err(reason) = parts::run(&self.settings.top) {
            let result = Err(reason);
            self.single(
                PARTS,
                "Criterion",
                Unit::Nanoseconds,
                None,
                result,
                String::new(),
            );
        }
        let target = self.settings.output.parent().unwrap_or(Path::new("."));
        for (name, nanos) in parts::results(&target.join("criterion"), started) {
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
                .map(|(whole, played)| 100.0 * finish.ratio(whole) / play.ratio(played))
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
