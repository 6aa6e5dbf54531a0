//! `sweep`: fields varied over ranges, each point under several seeds, into a file of rows.

use std::fs;
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Instant;

use agent_chaos_core::detector::State;
use agent_chaos_core::edge::{Question, boundaries};
use agent_chaos_core::sweep::{Axis, MOST_CELLS, Plan, Summary};
use agent_chaos_core::wire::Node;
use serde_json::{Value, json};

use crate::arguments::{Settings, SweepOptions};
use crate::failure::{Failure, Stop};
use crate::input::{self, Experiment};
use crate::merge;
use crate::part::Part;
use crate::pool::{self, Pool};
use crate::progress::Progress;
use crate::rows::{Form, Layout};
use crate::running;
use crate::text;

/// More points than this are counted, not listed.
const MOST_LISTED: u64 = 60;

/// The experiment that is varied.
pub fn base(input: &str, set: &[String]) -> Result<Experiment, Failure> {
    let settings = Settings {
        set: set.to_vec(),
        seed: None,
    };
    Experiment::read(input)?.with(&settings)
}

/// A question by its name.
pub fn question(name: &str) -> Result<Question, Failure> {
    Question::find(name).ok_or_else(|| {
        let names = Question::ALL.map(|(name, _)| name);
        Failure::new("", format!("--until {name}"), names.join(", "))
    })
}

/// `I/N`, from 1/N to N/N: the cells of that part.
fn shard(text: &str, cells: u64) -> Result<(u64, Range<u64>), Failure> {
    let refused = || {
        let accepted = "I/N with 1 <= I <= N, such as 1/8";
        Failure::new("", format!("--shard {text}"), accepted)
    };
    let (index, count) = text.split_once('/').ok_or_else(refused)?;
    let number = |text: &str| text.trim().parse::<u32>().map_err(|_| refused());
    let (index, count) = (u64::from(number(index)?), u64::from(number(count)?));
    if index == 0 || index > count {
        return Err(refused());
    }
    Ok((index, cells * (index - 1) / count..cells * index / count))
}

/// `sweep`
pub fn sweep(options: &SweepOptions, out: &mut impl Write) -> Result<(), Stop> {
    let started = Instant::now();
    let experiment = base(&options.input, &options.set)?;
    let question = question(&options.until)?;
    let axes = options.vary.iter().map(|text| Axis::parse(text));
    let axes = axes.collect::<Result<Vec<_>, _>>().map_err(Failure::from)?;
    let seeds = input::seed_range(&options.seeds)?;
    let plan = Plan::new(&experiment.profile, axes, seeds, MOST_CELLS).map_err(Failure::from)?;
    let cost = plan.check().map_err(Failure::from)?;
    let hungriest = plan.profile(cost.hungriest).map_err(Failure::from)?;
    running::check_memory(&hungriest)?;
    let whole = 0..plan.cells();
    let (index, cells) = match &options.shard {
        Some(text) => shard(text, plan.cells())?,
        None => (1, whole.clone()),
    };
    let form = Form::of(&options.out)?;
    if form == Form::Parquet && cells != whole {
        return Err(Failure::new(
            "",
            format!("--shard {} of a Parquet file", options.shard.as_deref().unwrap_or("")),
            "parts that end in .ndjson or .csv, which `agent-chaos merge` makes one Parquet file of",
        )
        .into());
    }
    let pool = Pool::new(options.jobs.as_deref(), cost.memory_bytes)?;
    let out_file = &options.out;
    // A Parquet file cannot be gone on with; its rows are kept beside it until all are there.
    let (row_file, row_form) = if form == Form::Parquet {
        (rows_beside(out_file), Form::Ndjson)
    } else {
        (out_file.clone(), form)
    };
    if form == Form::Parquet && out_file.exists() && !row_file.exists() && out_file.is_file() {
        return Err(Failure::new(
            "",
            format!("{}, which is there already", out_file.display()),
            "a file that is not there yet: a Parquet file is written in one piece",
        )
        .into());
    }
    let (mut part, found) = Part::open(&row_file, row_form, &plan, &cells, index == 1)?;
    let mut notes = Vec::new();
    if found.cut {
        notes.push("The last line had been cut off; that cell was run again.".to_owned());
    }
    let kept = found.rows.len() as u64;
    if kept > 0 {
        let count = text::counted(kept, "row");
        notes.push(format!(
            "{count} stood there already; only the rest was run."
        ));
    }
    let mut summary = Summary::new(&plan);
    let mut rows = Vec::new();
    for row in found.rows {
        summary.add(&row);
        if form == Form::Parquet {
            rows.push(row);
        }
    }
    pool::heed_interruptions();
    let mut progress = Progress::new();
    let todo = cells.start + kept..cells.end;
    let count = cells.end - cells.start;
    pool.run(
        &plan,
        todo,
        |row| {
            part.push(&row)?;
            summary.add(&row);
            if form == Form::Parquet {
                rows.push(row);
            }
            Ok(())
        },
        |done| {
            progress.show(|| bar(&experiment.name, kept, done, count, started));
        },
    )?;
    progress.clear();
    if summary.rows() < count {
        let (done, left) = (summary.rows(), count - summary.rows());
        return Err(Failure::said(
            "",
            format!(
                "interrupted: {done} of {count} rows are in {}, {left} are missing; the same command goes on from there",
                row_file.display()
            ),
            "the same command again",
        )
        .into());
    }
    if form == Form::Parquet {
        merge::write(out_file, form, &Layout::of(plan.axes()), &rows)?;
        drop(part);
        fs::remove_file(&row_file)
            .map_err(|error| Failure::file(&row_file, "cannot be removed", &error))?;
    }
    if options.json {
        let whole = json!({
            "plan": plan.id(),
            "cells": [cells.start, cells.end],
            "of": plan.cells(),
            "question": question.name(),
            "points": of_points(&plan, &summary),
            "boundaries": if cells == whole { of_boundaries(&plan, &summary, question) } else { Value::Null },
        });
        writeln!(out, "{whole:#}")?;
        return Ok(());
    }
    let (first, last) = (plan.seed_of(0), plan.seed_of(plan.cells() - 1));
    let what = format!("{} points, seeds {first}..{last}", plan.points());
    text::heading(out, &experiment, &what)?;
    table(out, &plan, &summary)?;
    if cells == whole {
        edges(out, &plan, &summary, question)?;
    }
    for note in notes {
        text::line(out, "Note", &note)?;
    }
    let rows = format!(
        "{} in {} (sweep {})",
        text::counted(count, "row"),
        out_file.display(),
        plan.id()
    );
    text::line(out, "Written", &rows)?;
    let seconds = started.elapsed().as_secs_f64();
    text::line(out, "Time", &format!("{seconds:.1} s"))
}

fn rows_beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".rows.ndjson");
    path.with_file_name(name)
}

/// `exp-002: ━━━━━━━╌╌╌╌╌╌╌  120 of 400 runs, 12 s left`
fn bar(name: &str, kept: u64, done: u64, count: u64, started: Instant) -> String {
    const WIDTH: u64 = 24;
    let all = kept + done;
    let full = WIDTH * all / count.max(1);
    let bar = "━".repeat(full as usize) + &"╌".repeat((WIDTH - full) as usize);
    let elapsed = started.elapsed().as_secs_f64();
    let left = if done == 0 {
        String::new()
    } else {
        let seconds = elapsed / done as f64 * (count - all) as f64;
        format!(", {seconds:.0} s left")
    };
    format!("{name}: {bar}  {all} of {count} runs{left}")
}

fn of_points(plan: &Plan, summary: &Summary) -> Value {
    Value::from(summary.node(plan))
}

/// Along the first axis, for each combination of the others.
fn of_boundaries(plan: &Plan, summary: &Summary, question: Question) -> Value {
    let path = plan.axes()[0].path();
    let each = boundaries(plan, summary, 0, question)
        .into_iter()
        .map(|boundary| {
            let others = plan.axes()[1..].iter().zip(&boundary.others);
            let others =
                others.map(|(axis, &value)| (axis.path().to_owned(), axis_value(axis, value)));
            json!({
                "others": Value::Object(others.collect()),
                "path": path,
                "edge": Value::from(boundary.place.node()),
                "sentence": boundary.place.sentence(path, question),
            })
        });
    Value::Array(each.collect())
}

fn axis_value(axis: &Axis, value: f64) -> Value {
    if axis.is_whole() {
        Value::from(Node::Whole(value as u64))
    } else {
        Value::from(value)
    }
}

/// A point a line: its values, how many of its runs ended up COLLAPSED and how many were so at some time, and figures with their 95 %
/// intervals.
fn table(out: &mut impl Write, plan: &Plan, summary: &Summary) -> Result<(), Stop> {
    let mut lines: Vec<Vec<String>> = Vec::new();
    let mut header: Vec<String> = plan.axes().iter().map(|axis| axis.path().into()).collect();
    header.extend(
        [
            "runs",
            "ends up COLLAPSED [%]",
            "at some time [%]",
            "failed [%]",
            "p95 [s]",
            "goodput [1/s]",
        ]
        .map(String::from),
    );
    lines.push(header);
    let mut shown = 0;
    let mut hidden = 0;
    for point in 0..plan.points() {
        let told = summary.point(point);
        if told.runs() == 0 {
            continue;
        }
        if shown == MOST_LISTED {
            hidden += 1;
            continue;
        }
        shown += 1;
        let values = plan.values(point);
        let mut cells: Vec<String> = values.iter().map(f64::to_string).collect();
        cells.push(told.runs().to_string());
        for share in [
            told.state(State::Collapsed),
            told.worst_state(State::Collapsed),
        ] {
            cells.push(if share.runs == 0 {
                "–".into()
            } else {
                format!(
                    "{:.0} ({:.0}…{:.0})",
                    100.0 * share.share,
                    100.0 * share.low,
                    100.0 * share.high
                )
            });
        }
        for (name, scale) in [
            ("error_rate", 100.0),
            ("latency_seconds.p95", 1.0),
            ("goodput_per_second", 1.0),
        ] {
            cells.push(told.figure(name).map_or("–".into(), |figure| {
                let half = figure.ci95.map(|half| half * scale);
                text::with_error(figure.mean * scale, half)
            }));
        }
        lines.push(cells);
    }
    text::table(out, &lines)?;
    if hidden > 0 {
        writeln!(out, "… and {hidden} more points, which the file has")?;
    }
    writeln!(out)?;
    let note = "In brackets and after ±: 95 % intervals over the seeds, Wilson's for shares, Student's for means.";
    text::line(out, "", note)?;
    Ok(())
}

fn edges(
    out: &mut impl Write,
    plan: &Plan,
    summary: &Summary,
    question: Question,
) -> Result<(), Stop> {
    const MOST: usize = 40;
    let axis = &plan.axes()[0];
    if axis.values().len() < 2 {
        return Ok(());
    }
    let all = boundaries(plan, summary, 0, question);
    let mut label = "Edge";
    for boundary in all.iter().take(MOST) {
        let others = plan.axes()[1..].iter().zip(&boundary.others);
        let others: Vec<_> = others
            .map(|(axis, value)| format!("{} = {value}", axis.path()))
            .collect();
        let sentence = boundary.place.sentence(axis.path(), question);
        let text = if others.is_empty() {
            sentence
        } else {
            format!("With {}: {sentence}", others.join(", "))
        };
        text::line(out, label, &text)?;
        label = "";
    }
    if all.len() > MOST {
        text::line(out, "", &format!("… and {} more lines", all.len() - MOST))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_all_cells_once_in_order() {
        for (cells, count) in [(16_000, 7), (3, 5), (1, 1), (10, 10)] {
            let mut due = 0;
            for index in 1..=count {
                let (found, range) = shard(&format!("{index}/{count}"), cells).unwrap();
                assert_eq!((found, range.start), (index, due));
                due = range.end;
            }
            assert_eq!(due, cells);
        }
        for bad in [
            "3/2", "0/2", "1/0", "", "1", "1/2/3", "-1/2", "a/b", "1/1e3",
        ] {
            assert!(shard(bad, 10).is_err(), "{bad}");
        }
    }
}
