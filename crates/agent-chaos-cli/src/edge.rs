//! `edge`: where, along one field, half of the seeds tip over.

use std::io::Write;
use std::time::Instant;

use agent_chaos_core::edge::Search;
use agent_chaos_core::sweep::Axis;
use serde_json::Value;

use crate::arguments::EdgeOptions;
use crate::failure::{Failure, Stop};
use crate::input;
use crate::pool::{self, Pool};
use crate::progress::Progress;
use crate::running;
use crate::sweep;
use crate::text;

/// `A..B`, the ends of what is searched.
fn range(text: &str) -> Result<(String, [f64; 2]), Failure> {
    let refused = || {
        let accepted = "path=A..B such as agents.count=100..1000, without a step";
        Failure::new("", format!("--vary {text}"), accepted)
    };
    let (path, ends) = text.split_once('=').ok_or_else(refused)?;
    let path = path.trim();
    // A field that is none is said before a range that is none.
    Axis::of_values(path, &[1.0])?;
    let (low, high) = ends.split_once("..").ok_or_else(refused)?;
    let number = |text: &str| text.trim().parse::<f64>().map_err(|_| refused());
    Ok((path.to_owned(), [number(low)?, number(high)?]))
}

/// `edge`
pub fn edge(options: &EdgeOptions, out: &mut impl Write) -> Result<(), Stop> {
    let started = Instant::now();
    let experiment = sweep::base(&options.input, &options.set)?;
    let question = sweep::question(&options.until)?;
    let (path, ends) = range(&options.vary)?;
    let seeds = input::seed_range(&options.seeds)?;
    let (first, last) = (*seeds.start(), *seeds.end());
    let mut search =
        Search::new(&experiment.profile, &path, ends, seeds, question).map_err(Failure::from)?;
    let mut memory: f64 = 0.0;
    if let Some(plan) = search.plan() {
        let cost = plan.check().map_err(Failure::from)?;
        running::check_memory(&plan.profile(cost.hungriest).map_err(Failure::from)?)?;
        memory = cost.memory_bytes;
    }
    let pool = Pool::new(options.jobs.as_deref(), memory)?;
    pool::heed_interruptions();
    let mut progress = Progress::new();
    let mut done = 0;
    while let Some(plan) = search.plan() {
        let mut rows = Vec::new();
        let most = done + search.runs_left();
        pool.run(
            plan,
            0..plan.cells(),
            |row| {
                rows.push(row);
                Ok(())
            },
            |now| {
                progress
                    .show(|| format!("{}: {} of at most {most} runs", experiment.name, done + now));
            },
        )?;
        if (rows.len() as u64) < plan.cells() {
            progress.clear();
            let tried: Vec<_> = search
                .tried()
                .iter()
                .map(|tried| {
                    let share = tried.share();
                    format!("{} of {} at {}", share.count, share.runs, tried.value)
                })
                .collect();
            let tried = if tried.is_empty() {
                "nothing".into()
            } else {
                tried.join(", ")
            };
            return Err(Failure::said(
                "",
                format!(
                    "interrupted after {} runs, before there is an edge to tell; so far: {tried}",
                    done + rows.len() as u64
                ),
                "the same command again",
            )
            .into());
        }
        done += plan.cells();
        search.tell(&rows).map_err(Failure::from)?;
    }
    progress.clear();
    let Some(edge) = search.edge() else {
        return Err(Failure::said("", "the search has no end", "another range").into());
    };
    if options.json {
        writeln!(out, "{:#}", Value::from(edge.node()))?;
        return Ok(());
    }
    text::heading(out, &experiment, &format!("seeds {first}..{last}"))?;
    text::line(out, "Edge", &edge.sentence())?;
    writeln!(out)?;
    let mut lines = vec![vec![
        path.clone(),
        format!("a run {} [%]", question.words()),
        "95 % interval".to_owned(),
    ]];
    for tried in &edge.tried {
        let share = tried.share();
        lines.push(vec![
            text::plain(tried.value),
            format!("{:.0}", 100.0 * share.share),
            format!("{:.0}…{:.0}", 100.0 * share.low, 100.0 * share.high),
        ]);
    }
    text::table(out, &lines)?;
    writeln!(out)?;
    let seconds = started.elapsed().as_secs_f64();
    let runs = text::counted(edge.runs() as u64, "run");
    text::line(out, "Time", &format!("{runs}, {seconds:.1} s"))
}
