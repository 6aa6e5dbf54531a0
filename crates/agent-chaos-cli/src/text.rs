//! Results for people: aligned, with units, the most important first.

use std::io::Write;
use std::ops::RangeInclusive;
use std::time::Duration;

use agent_chaos_core::presets::Preset;
use agent_chaos_core::replication::Summary;
use agent_chaos_core::report::{Engine, Report};
use agent_chaos_core::wire::{self, Change};
use agent_chaos_core::{ENGINE_REVISION, ENGINE_VERSION};
use agent_chaos_link::{Opened, Outcome};
use serde_json::Value;

use crate::failure::Stop;
use crate::input::Experiment;
use crate::running::Finished;

/// The table of the published experiments.
const RECORDED: &str = include_str!("../../../tests/recorded.json");

/// Sentences are wrapped to this.
const WIDTH: usize = 88;

/// The label column.
const LABEL: usize = 13;

/// More transitions than this are counted, not listed.
const MOST_EVIDENCE: usize = 8;

/// One run.
pub fn report(
    out: &mut impl Write,
    experiment: &Experiment,
    finished: &Finished,
) -> Result<(), Stop> {
    heading(
        out,
        experiment,
        &format!("seed {}", experiment.profile.seed),
    )?;
    body(out, finished, experiment.unmodified_preset())
}

/// Many runs.
pub fn summary(
    out: &mut impl Write,
    experiment: &Experiment,
    seeds: &RangeInclusive<u32>,
    summary: &Summary,
    took: Duration,
) -> Result<(), Stop> {
    let (first, last) = (seeds.start(), seeds.end());
    let runs = counted(summary.runs(), "run");
    heading(out, experiment, &format!("{runs}, seeds {first}..{last}"))?;
    let states: Vec<_> = summary
        .states()
        .iter()
        .filter(|(_, count)| count.as_u64() != Some(0))
        .map(|(state, count)| format!("{state} in {}", counted(count.as_u64().unwrap_or(0), "run")))
        .collect();
    line(out, "State", &states.join("   "))?;
    let recorded = experiment.unmodified_preset().and_then(recorded_row);
    let last = if recorded.is_some() { "recorded" } else { "" };
    writeln!(
        out,
        "\n{:<24}{:>12}{:>14}{:>12}{:>12}{last:>12}",
        "", "mean", "± 95 % CI", "min", "max"
    )?;
    for (label, path, scale, known) in FIGURES {
        let Some(figure) = summary.figures().get(path) else {
            continue;
        };
        let shown = |value: f64| significant(value * scale);
        let interval = figure.ci95().map_or("–".to_owned(), shown);
        let known = recorded
            .as_ref()
            .and_then(|row| row.pointer(known)?.as_f64())
            .map_or(String::new(), shown);
        let text = format!(
            "{label:<24}{:>12}{interval:>14}{:>12}{:>12}{known:>12}",
            shown(figure.mean()),
            shown(figure.min),
            shown(figure.max)
        );
        writeln!(out, "{}", text.trim_end())?;
    }
    writeln!(out)?;
    let seconds = took.as_secs_f64();
    line(
        out,
        "Engine",
        &format!("{ENGINE_VERSION}, revision {ENGINE_REVISION}, {seconds:.2} s in all"),
    )
}

/// Label, path in the report, scale, path in the recorded row.
const FIGURES: &[(&str, &str, f64, &str)] = &[
    (
        "Latency, mean [s]",
        "latency_seconds.mean",
        1.0,
        "/latency_seconds/mean",
    ),
    ("Latency, p50 [s]", "latency_seconds.p50", 1.0, "/-"),
    (
        "Latency, p95 [s]",
        "latency_seconds.p95",
        1.0,
        "/latency_seconds/p95",
    ),
    ("Latency, p99 [s]", "latency_seconds.p99", 1.0, "/-"),
    ("Failed [%]", "error_rate", 100.0, "/error_rate"),
    ("Throughput [1/s]", "throughput_per_second", 1.0, "/-"),
    ("Goodput [1/s]", "goodput_per_second", 1.0, "/-"),
    ("Queue, mean", "queue.mean", 1.0, "/-"),
    ("Queue, most", "queue.max", 1.0, "/-"),
    ("Utilization [%]", "utilization", 100.0, "/-"),
    ("STABLE [% of time]", "state_share.STABLE", 100.0, "/-"),
    ("DEGRADED [% of time]", "state_share.DEGRADED", 100.0, "/-"),
    (
        "COLLAPSED [% of time]",
        "state_share.COLLAPSED",
        100.0,
        "/-",
    ),
];

/// What a link changes, what its run came to, and whether that is what it promised.
pub fn opened(
    out: &mut impl Write,
    opened: &Opened,
    outcome: Outcome,
    finished: &Finished,
) -> Result<(), Stop> {
    match opened.preset {
        Some(preset) => writeln!(out, "{}  ({})", preset.title, preset.name)?,
        None => writeln!(out, "A whole profile  (compared with exp-001)")?,
    }
    writeln!(out)?;
    changes(out, &opened.changes)?;
    for (index, (key, value)) in opened.view.pairs().iter().enumerate() {
        let label = if index == 0 { "View" } else { "" };
        line(out, label, &format!("{key} = {value}"))?;
    }
    if !opened.view.pairs().is_empty() {
        writeln!(out)?;
    }
    line(out, "Outcome", outcome.words())?;
    let Engine {
        version, revision, ..
    } = finished.report.engine;
    if let Some(expected) = &opened.expected {
        line(
            out,
            "  promised",
            &format!(
                "{}…  (engine revision {})",
                expected.digest, expected.revision
            ),
        )?;
    }
    line(
        out,
        "  this run",
        &format!(
            "{}  (engine {version}, revision {revision})",
            finished.report.digest
        ),
    )?;
    let note = match outcome {
        Outcome::Reproduced => None,
        Outcome::Edited => Some(
            "The experiment is no longer the one that the link was made for; its result need not be either.",
        ),
        Outcome::Different => Some(
            "The experiment is the one that the link was made for, yet its result is not: another revision of the engine made the link, most likely.",
        ),
        Outcome::NotVerified => Some("The link does not say, or not in full, what to expect."),
    };
    if let Some(note) = note {
        line(out, "", note)?;
    }
    writeln!(out)?;
    body(out, finished, None)
}

pub fn heading(out: &mut impl Write, experiment: &Experiment, what: &str) -> Result<(), Stop> {
    let same = experiment.unmodified_preset();
    match same.or(experiment.preset) {
        Some(preset) => writeln!(out, "{}  ({}, {what})", preset.title, preset.name)?,
        None => writeln!(out, "{}  ({what})", experiment.name)?,
    }
    writeln!(out)?;
    if let (None, Some(preset)) = (same, experiment.preset) {
        let mut changed = wire::changes(&preset.profile(), &experiment.profile);
        changed.retain(|change| change.path != "seed");
        changes(out, &changed)?;
    }
    Ok(())
}

fn changes(out: &mut impl Write, changes: &[Change]) -> Result<(), Stop> {
    let width = changes.iter().map(|change| change.path.len()).max();
    let mut label = "Changed";
    if changes.is_empty() {
        line(out, label, "nothing")?;
    }
    for Change { path, from, to } in changes {
        let width = width.unwrap_or(0);
        writeln!(out, "{label:<LABEL$}{path:<width$}  {from} → {to}")?;
        label = "";
    }
    writeln!(out)?;
    Ok(())
}

/// Everything below the heading.
fn body(
    out: &mut impl Write,
    finished: &Finished,
    preset: Option<&'static Preset>,
) -> Result<(), Stop> {
    let report = &finished.report;
    for text in wrap(&report.verdict, WIDTH) {
        writeln!(out, "{text}")?;
    }
    writeln!(out)?;
    if let Some(row) = preset.and_then(recorded_row) {
        beside_recorded(out, report, &row)?;
    }
    line(out, "State", &state(report))?;
    line(out, "Requests", &requests(report))?;
    let failures = failures(report);
    if !failures.is_empty() {
        let width = failures
            .iter()
            .map(|(_, text)| text.len())
            .max()
            .unwrap_or(0);
        let mut label = "Failures";
        for (mode, count) in &failures {
            line(out, label, &format!("{count:>width$}  {mode}"))?;
            label = "";
        }
    }
    let latency = report
        .latency_seconds
        .map_or("no request was answered".to_owned(), |l| {
            let inexact = if report.latency_exact {
                ""
            } else {
                "   (within 0.1 %)"
            };
            format!(
                "mean {}   p50 {}   p95 {}   p99 {}{inexact}",
                seconds(l.mean),
                seconds(l.p50),
                seconds(l.p95),
                seconds(l.p99)
            )
        });
    line(out, "Latency", &latency)?;
    let throughput = format!(
        "{}/s   goodput {}/s",
        significant(report.throughput_per_second),
        significant(report.goodput_per_second)
    );
    line(out, "Throughput", &throughput)?;
    let capacity = report.profile["queue"]["capacity"]
        .as_u64()
        .map_or("unbounded".to_owned(), |places| {
            format!("of {} places", grouped(places))
        });
    let queue = format!(
        "mean {}   most {} {capacity}",
        significant(report.queue.mean),
        grouped(report.queue.max.into())
    );
    line(out, "Queue", &queue.replace(" unbounded", "   (unbounded)"))?;
    let workers = report.profile["workers"]["count"].as_u64().unwrap_or(0);
    let workers = counted(workers, "worker");
    let used = 100.0 * report.utilization;
    line(out, "Utilization", &format!("{used:.1} % of {workers}"))?;
    let (from, to) = (report.counted_seconds.from, report.counted_seconds.to);
    let counted_time = format!("what began from {} s to {} s", plain(from), plain(to));
    line(out, "Counted", &counted_time)?;
    writeln!(out)?;
    evidence(out, report)?;
    line(out, "Digest", &report.digest)?;
    let Engine {
        version,
        revision,
        events,
    } = report.engine;
    let (wall, events_said) = (finished.wall_seconds, grouped(events));
    let rate = events as f64 / wall.max(1e-9) / 1.0e6;
    let engine = format!(
        "{version}, revision {revision}: {events_said} events in {} ({rate:.1} million/s)",
        seconds(wall)
    );
    line(out, "Engine", &engine)
}

fn recorded_row(preset: &'static Preset) -> Option<Value> {
    let recorded: Value = serde_json::from_str(RECORDED).ok()?;
    let rows = recorded["rows"].as_array()?;
    rows.iter()
        .find(|row| row["preset"] == preset.name)
        .cloned()
}

fn beside_recorded(out: &mut impl Write, report: &Report, row: &Value) -> Result<(), Stop> {
    let number = |path: &str| row.pointer(path).and_then(Value::as_f64).unwrap_or(0.0);
    // As many digits as a single seed's spread makes sense of.
    let digits = if number("/spread/mean") < 1e-4 { 5 } else { 4 };
    let header = format!(
        "{:<LABEL$}{:>14}{:>14}{:>12}   state",
        "", "mean latency", "p95 latency", "error rate"
    );
    writeln!(out, "{header}")?;
    let mut put = |label: &str, sign: &str, figures: [Option<f64>; 3], state: &str| {
        let [mean, p95, failed] = figures;
        let time = |value: Option<f64>| {
            value.map_or("–".to_owned(), |value| {
                format!("{sign}{value:.digits$} s")
            })
        };
        let failed = failed.map_or("–".to_owned(), |ratio| {
            format!("{sign}{:.2} %", 100.0 * ratio)
        });
        let text = format!(
            "{label:<LABEL$}{:>14}{:>14}{failed:>12}   {state}",
            time(mean),
            time(p95)
        );
        writeln!(out, "{}", text.trim_end())
    };
    let latency = report.latency_seconds;
    put(
        "This run",
        "",
        [
            latency.map(|l| l.mean),
            latency.map(|l| l.p95),
            report.error_rate,
        ],
        report.state.map_or("no verdict", |state| state.name()),
    )?;
    let recorded = [
        "/latency_seconds/mean",
        "/latency_seconds/p95",
        "/error_rate",
    ];
    put(
        "Recorded",
        "",
        recorded.map(|path| Some(number(path))),
        row["state"].as_str().unwrap_or_default(),
    )?;
    let spread = ["/spread/mean", "/spread/p95", "/spread/error_rate"];
    put(
        "One seed",
        "± ",
        spread.map(|path| Some(number(path))),
        "(spread between seeds)",
    )?;
    writeln!(out)?;
    Ok(())
}

fn state(report: &Report) -> String {
    let share = &report.state_share;
    if report.worst_state.is_none() {
        return "the detector is off".to_owned();
    }
    let mut said = format!(
        "STABLE {:.1} %   DEGRADED {:.1} %   COLLAPSED {:.1} %",
        100.0 * share.stable,
        100.0 * share.degraded,
        100.0 * share.collapsed
    );
    if let (Some(worst), Some(last)) = (report.worst_state, report.final_state) {
        said.push_str(&format!(
            "   (worst {}, at the end {})",
            worst.name(),
            last.name()
        ));
    }
    said
}

fn requests(report: &Report) -> String {
    let r = &report.requests;
    let mut said = format!(
        "{} created = {} completed + {} failed",
        grouped(r.created),
        grouped(r.completed),
        grouped(r.failed)
    );
    for (count, what) in [(r.abandoned, "abandoned"), (r.in_flight, "in flight")] {
        if count > 0 {
            said.push_str(&format!(" + {} {what}", grouped(count)));
        }
    }
    if let Some(rate) = report.error_rate {
        said.push_str(&format!("   ({:.2} % failed)", 100.0 * rate));
    }
    said
}

/// Modes that occurred, the most frequent first.
fn failures(report: &Report) -> Vec<(&str, String)> {
    let mut found: Vec<_> = report
        .failures
        .iter()
        .filter_map(|(mode, count)| Some((mode.as_str(), count.as_u64().filter(|&n| n > 0)?)))
        .collect();
    found.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    found
        .into_iter()
        .map(|(mode, count)| (mode, grouped(count)))
        .collect()
}

fn evidence(out: &mut impl Write, report: &Report) -> Result<(), Stop> {
    let mut label = "Evidence";
    for evidence in report.evidence.iter().take(MOST_EVIDENCE) {
        line(out, label, &evidence.text)?;
        label = "";
    }
    let all = report.evidence.len() as u64 + report.evidence_dropped;
    let more = all.saturating_sub(MOST_EVIDENCE as u64);
    if more > 0 {
        line(
            out,
            "",
            &format!(
                "… and {} more transitions (--json lists them)",
                grouped(more)
            ),
        )?;
    }
    if all > 0 {
        writeln!(out)?;
    }
    Ok(())
}

/// A label and a text, wrapped under itself.
pub fn line(out: &mut impl Write, label: &str, text: &str) -> Result<(), Stop> {
    let mut label = label;
    for part in wrap_keeping_gaps(text) {
        writeln!(out, "{label:<LABEL$}{part}")?;
        label = "";
    }
    Ok(())
}

/// Lines with columns in them stay as they are; sentences are wrapped.
fn wrap_keeping_gaps(text: &str) -> Vec<String> {
    if text.contains("   ") || text.contains("  ") {
        vec![text.to_owned()]
    } else {
        wrap(text, WIDTH - LABEL)
    }
}

pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut length = 0;
    for word in text.split_whitespace() {
        let chars = word.chars().count();
        if length > 0 && length + 1 + chars > width {
            lines.push(String::new());
            length = 0;
        }
        if let Some(last) = lines.last_mut() {
            if length > 0 {
                last.push(' ');
                length += 1;
            }
            last.push_str(word);
            length += chars;
        }
    }
    lines
}

/// Four significant digits at least, no exponent: 0.01234, 1.234, 12345.
pub fn significant(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let magnitude = value.abs().log10().floor() as i32;
    let digits = (3 - magnitude).clamp(0, 9) as usize;
    format!("{value:.digits$}")
}

fn seconds(value: f64) -> String {
    format!("{} s", significant(value))
}

/// Columns side by side, numbers to the right; the first line is the header.
pub fn table(out: &mut impl Write, lines: &[Vec<String>]) -> Result<(), Stop> {
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|cells| cells.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..columns).map(width).collect();
    for cells in lines {
        let cells = cells.iter().zip(&widths);
        let line: Vec<_> = cells
            .map(|(cell, &width)| format!("{cell:>width$}"))
            .collect();
        writeln!(out, "{}", line.join("   "))?;
    }
    Ok(())
}

/// A mean with its error, as many decimals of both as the error's two digits need.
pub fn with_error(mean: f64, error: Option<f64>) -> String {
    match error {
        Some(error) if error > 0.0 => {
            let digits = (1 - error.log10().floor() as i32).clamp(0, 9) as usize;
            format!("{mean:.digits$} ± {error:.digits$}")
        }
        Some(_) => format!("{} ± 0", significant(mean)),
        None => significant(mean),
    }
}

/// Without digits that say nothing.
pub fn plain(value: f64) -> String {
    format!("{}", (value * 1.0e3).round() / 1.0e3)
}

/// 1,234,567
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut said = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            said.push(',');
        }
        said.push(digit);
    }
    said
}

/// "1 run", "2 runs"
pub fn counted(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {what}{plural}", grouped(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_easy_to_read() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(significant(0.012_345), "0.01235");
        assert_eq!(significant(12_345.6), "12346");
        assert_eq!(significant(0.0), "0");
        assert_eq!(counted(1, "run"), "1 run");
    }

    #[test]
    fn sentences_are_wrapped_at_words() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("", 7), [""]);
    }

    #[test]
    fn the_recorded_table_has_the_three_experiments() {
        for name in ["exp-001", "exp-002", "exp-003"] {
            let preset = agent_chaos_core::presets::find(name).unwrap();
            assert_eq!(recorded_row(preset).unwrap()["preset"], name);
        }
    }
}
