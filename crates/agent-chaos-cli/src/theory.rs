//! `theory`: what closed forms say of an experiment, beside replications of it.

use std::io::Write;
use std::ops::RangeInclusive;

use agent_chaos_core::theory::{LEAST_RUNS, Measured, Outcome, Row, Table, Witnessed, compare};
use serde_json::json;

use crate::arguments::{Settings, TheoryOptions};
use crate::failure::{Failure, Stop};
use crate::input::{self, Experiment};
use crate::progress::Progress;
use crate::{running, text};

/// Sentences are wrapped to this, and begin here.
const WIDTH: usize = 88;
const LABEL: usize = 13;

/// Runs it with every seed, and prints the table.
pub fn run(options: &TheoryOptions, out: &mut impl Write) -> Result<(), Stop> {
    let settings = Settings {
        set: options.set.clone(),
        seed: None,
    };
    let experiment = Experiment::read(&options.input)?.with(&settings)?;
    running::check_memory(&experiment.profile)?;
    let seeds = input::seed_range(&options.seeds)?;
    let all = u64::from(*seeds.end()) - u64::from(*seeds.start()) + 1;
    if all < u64::from(LEAST_RUNS) {
        let found = format!("--seeds {}, which are {all} runs", options.seeds);
        let accepted = format!("at least {LEAST_RUNS}, to tell how much they differ by chance");
        return Err(Failure::new("/seed", found, accepted).into());
    }
    let mut progress = Progress::new();
    let mut runs: Vec<Measured> = Vec::new();
    let witness = |profile: &_| Witnessed::new(profile).finish();
    running::of_seeds(&experiment.profile, &seeds, witness, |measured| {
        runs.push(measured);
        progress.show(|| format!("{}: {} of {all} runs", experiment.name, runs.len()));
        Ok(())
    })?;
    progress.clear();
    let table = compare(&experiment.profile, &runs).expect("there are enough runs");
    if options.json {
        writeln!(out, "{:#}", json!(table))?;
        return Ok(());
    }
    show(out, &experiment, &seeds, &table)
}

fn show(
    out: &mut impl Write,
    experiment: &Experiment,
    seeds: &RangeInclusive<u32>,
    table: &Table,
) -> Result<(), Stop> {
    let runs = text::counted(table.runs.into(), "run");
    let what = format!("{runs}, seeds {}..{}", seeds.start(), seeds.end());
    text::heading(out, experiment, &what)?;
    let (apply, rest): (Vec<_>, Vec<_>) = table
        .rows
        .iter()
        .partition(|row| row.outcome != Outcome::DoesNotApply);
    writeln!(
        out,
        "{:<LABEL$}{:<43}{:>14}{:>14}{:>14}",
        "", "", "predicted", "simulated", "± 95 % CI"
    )?;
    for row in apply {
        writeln!(out, "{}", values(row).trim_end())?;
        let said = format!("{}; {} [{}]", row.formula, row.note, row.source);
        for line in text::wrap(&said, WIDTH) {
            writeln!(out, "{:<LABEL$}{line}", "")?;
        }
    }
    if !rest.is_empty() {
        writeln!(out, "\nDo not apply:")?;
    }
    for group in rest.chunk_by(|one, next| one.note == next.note) {
        let names: Vec<_> = group.iter().map(|row| row.name).collect();
        let said = format!("{}: {}", names.join("; "), group[0].note);
        for (index, line) in text::wrap(&said, WIDTH).into_iter().enumerate() {
            let indent = if index == 0 { 2 } else { 4 };
            writeln!(out, "{:indent$}{line}", "")?;
        }
    }
    writeln!(out)?;
    let explained = "A prediction agrees if it lies within the 99.5 % interval of the mean over the runs (Student's t): of ten that are true, all agree in 19 of 20 tables.";
    for line in text::wrap(explained, WIDTH) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// The line of numbers.
fn values(row: &Row) -> String {
    let word = match row.outcome {
        Outcome::Agrees => "agrees",
        Outcome::Disagrees => "DISAGREES",
        Outcome::Unsettled => "unsettled",
        Outcome::Measured => "",
        _ => "–",
    };
    let number = |value: Option<f64>| value.map_or(String::new(), text::significant);
    let bound = if row.is_bound { "≤ " } else { "" };
    let unit = if row.unit == "ratio" {
        String::new()
    } else {
        format!(" [{}]", row.unit.replace("{request}", "requests"))
    };
    format!(
        "{word:<LABEL$}{:<43}{:>14}{:>14}{:>14}",
        format!("{}{unit}", row.name),
        format!("{bound}{}", number(row.predicted)),
        number(row.simulated.map(|estimate| estimate.mean)),
        number(row.simulated.and_then(|estimate| estimate.ci95)),
    )
}
