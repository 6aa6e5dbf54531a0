//! `agent-chaos`: run, compare and share experiments from the command line.
//!
//! ```text
//! arguments ─► input (preset, file, link) ─► settings (--set, --seed) ─► run ─► text or JSON
//! ```
//!
//! Results go to standard output, progress and errors to standard error. Exit status: 0 done,
//! 1 a link gave a different result or an assertion does not hold, 2 bad input.

mod arguments;
mod assertion;
mod block;
mod edge;
mod exports;
mod failure;
mod hysteresis;
mod input;
mod mdbook;
mod merge;
mod part;
mod pool;
mod progress;
mod rows;
mod running;
mod sweep;
mod text;
mod theory;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;
use std::time::Instant;

use agent_chaos_core::presets::{self, PRESETS};
use agent_chaos_core::replication::Summary;
use agent_chaos_core::{ENGINE_REVISION, ENGINE_VERSION, wire};
use agent_chaos_export::prometheus;
use agent_chaos_link::{Outcome, encode_viewed, vary};
use serde_json::{Value, json};

use arguments::{Command, LinkOptions, MdbookQuestion, OpenOptions, RunOptions};
use assertion::Assertions;
use exports::Exports;
use failure::{Failure, Stop};
use input::Experiment;
use progress::Progress;

fn main() -> ExitCode {
    let (command, json) = match arguments::parse() {
        Ok(parsed) => parsed,
        Err(code) => return code,
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let done = dispatch(command, &mut out).and_then(|code| {
        out.flush()?;
        Ok(code)
    });
    match done {
        Ok(code) => code,
        // Whoever read this has had enough, as with `| head`.
        Err(Stop::PipeClosed) => {
            // What is still buffered has nowhere to go.
            let _ = out.into_parts();
            ExitCode::SUCCESS
        }
        Err(Stop::Failed(failure)) => {
            let _ = out.flush();
            failure.print(json);
            ExitCode::from(2)
        }
    }
}

fn dispatch(command: Command, out: &mut impl Write) -> Result<ExitCode, Stop> {
    match command {
        Command::Presets { name } => show_presets(name.as_deref(), out)?,
        Command::Run(options) => return run(&options, out),
        Command::Link(options) => link(&options, out)?,
        Command::Open(options) => return open(&options, out),
        Command::Sweep(options) => sweep::sweep(&options, out)?,
        Command::Merge(options) => merge::merge(&options, out)?,
        Command::Edge(options) => edge::edge(&options, out)?,
        Command::Hysteresis(options) => hysteresis::hysteresis(&options, out)?,
        Command::Completions { shell } => arguments::complete(shell, out)?,
        Command::Theory(options) => theory::run(&options, out)?,
        Command::Mdbook(options) => match options.question {
            Some(MdbookQuestion::Supports { renderer }) => return Ok(mdbook::supports(&renderer)),
            None => mdbook::preprocess(out)?,
        },
        Command::Schema => writeln!(out, "{}", wire::SCHEMA.trim_end())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn show_presets(name: Option<&str>, out: &mut impl Write) -> Result<(), Stop> {
    if let Some(name) = name {
        let preset = presets::find(name).ok_or_else(|| {
            Failure::new(
                "",
                format!("\"{name}\", which is no preset"),
                input::preset_names(),
            )
        })?;
        writeln!(out, "{}", wire::to_pretty(&preset.profile()))?;
        return Ok(());
    }
    let width = PRESETS.iter().map(|preset| preset.name.len()).max();
    let width = width.unwrap_or(0);
    for group in PRESETS.chunk_by(|one, next| one.group == next.group) {
        writeln!(out, "{}", group[0].group)?;
        for preset in group {
            writeln!(out, "  {:<width$}  {}", preset.name, preset.summary)?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn run(options: &RunOptions, out: &mut impl Write) -> Result<ExitCode, Stop> {
    let experiment = Experiment::read(&options.input)?.with(&options.settings)?;
    running::check_memory(&experiment.profile)?;
    let mut assertions = Assertions::parse(&options.assertions, &experiment.profile)?;
    if let Some(seeds) = &options.seeds {
        run_seeds(&experiment, seeds, options.json, &mut assertions, out)?;
        return assertions.end(options.json, out);
    }
    let events = options
        .events
        .as_ref()
        .map(|path| {
            File::create(path)
                .map_err(|error| Failure::file(path, "cannot be written", &error))
                .map(|file| (path.as_path(), file))
        })
        .transpose()?;
    let mut exports = Exports::new(options, &experiment.profile)?;
    let finished = running::run_exported(
        &experiment.profile,
        events,
        &experiment.name,
        Some(&mut exports),
    )?;
    let mut told = finished.to_json();
    assertions.see(&told)?;
    if options.json {
        assertions.tell(&mut told);
        writeln!(out, "{told:#}")?;
    } else if exports.prometheus_only {
        // Nothing else: it is for a program.
        write!(out, "{}", prometheus(&finished.report, &experiment.name))?;
    } else {
        text::report(out, &experiment, &finished)?;
        assertions.show(out)?;
    }
    // What does not hold is named even if the collector is dead, which then decides the status.
    let code = assertions.end(options.json, out)?;
    exports.end()?;
    Ok(code)
}

fn run_seeds(
    experiment: &Experiment,
    seeds: &str,
    json: bool,
    assertions: &mut Assertions,
    out: &mut impl Write,
) -> Result<(), Stop> {
    let seeds = input::seed_range(seeds)?;
    let started = Instant::now();
    let mut progress = Progress::new();
    let mut summary = Summary::default();
    let all = u64::from(*seeds.end()) - u64::from(*seeds.start()) + 1;
    if json {
        write!(out, "{{\"runs\": [")?;
    }
    running::run_seeds(&experiment.profile, &seeds, |report| {
        if json {
            let comma = if summary.runs() > 0 { "," } else { "" };
            write!(out, "{comma}\n{report}")?;
            // One by one, so that an interruption loses none that has finished.
            out.flush()?;
        }
        assertions.see(&report)?;
        summary.add(&report);
        progress.show(|| format!("{}: {} of {all} runs", experiment.name, summary.runs()));
        Ok(())
    })?;
    progress.clear();
    if json {
        let figures = Value::Object(summary.to_json());
        let states = Value::Object(summary.states().clone());
        write!(out, "\n], \"summary\": {figures:#}, \"states\": {states:#}")?;
        if let Some(judged) = assertions.to_json() {
            write!(out, ", \"assertions\": {judged:#}")?;
        }
        writeln!(out, "}}")?;
    } else {
        text::summary(out, experiment, &seeds, &summary, started.elapsed())?;
        assertions.show(out)?;
    }
    Ok(())
}

fn link(options: &LinkOptions, out: &mut impl Write) -> Result<(), Stop> {
    let view = input::view(&options.view)?;
    let experiment = Experiment::read(&options.input)?.with(&options.settings)?;
    input::check_view(&view, &experiment.profile)?;
    let digest = if options.no_run {
        None
    } else {
        running::check_memory(&experiment.profile)?;
        Some(
            running::run(&experiment.profile, None, &experiment.name)?
                .report
                .digest,
        )
    };
    let preset = experiment.preset.map(|preset| preset.name);
    for changes in view.variants() {
        vary(&experiment.profile, changes).map_err(Failure::from)?;
    }
    let token = encode_viewed(&experiment.profile, preset, digest.as_deref(), &view);
    match &options.base {
        Some(base) => {
            let address = base.split('#').next().unwrap_or_default();
            writeln!(out, "{address}#{token}")?;
        }
        None => writeln!(out, "{token}")?,
    }
    Ok(())
}

fn open(options: &OpenOptions, out: &mut impl Write) -> Result<ExitCode, Stop> {
    let opened = input::open_link(&options.link)?;
    running::check_memory(&opened.profile)?;
    let finished = running::run(&opened.profile, None, "link")?;
    let outcome = opened.outcome(&finished.report.digest);
    if options.json {
        let expected = opened.expected.as_ref().map(
            |expected| json!({ "profile_hash": expected.profile_hash, "digest": expected.digest, "revision": expected.revision }),
        );
        let changes = serde_json::to_value(&opened.changes).unwrap_or(Value::Null);
        let whole = json!({
            "preset": opened.preset.map(|preset| preset.name),
            "changes": changes,
            "view": opened.view.pairs(),
            "outcome": match outcome {
                Outcome::Reproduced => "reproduced",
                Outcome::Edited => "edited",
                Outcome::Different => "different",
                Outcome::NotVerified => "not_verified",
            },
            "expected": expected,
            "profile_matches": opened.profile_matches,
            "digest": finished.report.digest,
            "engine": { "version": ENGINE_VERSION, "revision": ENGINE_REVISION },
            "report": finished.to_json(),
        });
        writeln!(out, "{whole:#}")?;
    } else {
        text::opened(out, &opened, outcome, &finished)?;
    }
    Ok(ExitCode::from(u8::from(outcome == Outcome::Different)))
}
