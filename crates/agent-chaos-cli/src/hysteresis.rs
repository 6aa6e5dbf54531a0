//! `hysteresis`: a field up and down again, and whether the way matters.

use std::io::Write;
use std::time::Instant;

use agent_chaos_core::edge::hysteresis::{MEASURES, Staircase, Step, Way};
use agent_chaos_core::sweep::Axis;
use serde_json::Value;

use crate::arguments::HysteresisOptions;
use crate::failure::{Failure, Stop};
use crate::input;
use crate::pool::{self, Pool};
use crate::progress::Progress;
use crate::running::{self, POLLS_PER_SLICE};
use crate::sweep;
use crate::text;

/// What the table shows: a measure, its heading, and by what it is multiplied.
const SHOWN: [(usize, &str, f64); 2] = [(0, "goodput [1/s]", 1.0), (1, "failed [%]", 100.0)];

/// `hysteresis`
pub fn hysteresis(options: &HysteresisOptions, out: &mut impl Write) -> Result<(), Stop> {
    let started = Instant::now();
    let experiment = sweep::base(&options.input, &options.set)?;
    let question = sweep::question(&options.until)?;
    let axis = Axis::parse(&options.vary).map_err(Failure::from)?;
    let path = axis.path().to_owned();
    let seeds = input::seed_range(&options.seeds)?;
    let (first, last) = (*seeds.start(), *seeds.end());
    let hold = options.hold.trim().parse::<f64>().map_err(|_| {
        let found = format!("--hold {}", options.hold);
        Failure::new("", found, "seconds of virtual time, such as 30")
    })?;
    let stairs = Staircase::new(&experiment.profile, axis, hold, seeds).map_err(Failure::from)?;
    let mut memory: f64 = 0.0;
    for way in [Way::Up, Way::Down] {
        let profile = stairs.profile(way, first).map_err(Failure::from)?;
        running::check_memory(&profile)?;
        memory = memory.max(profile.estimate().memory_bytes);
    }
    let pool = Pool::new(options.jobs.as_deref(), memory)?;
    pool::heed_interruptions();
    let runs: Vec<_> = stairs
        .seeds()
        .flat_map(|seed| [(seed, Way::Up), (seed, Way::Down)])
        .collect();
    let mut progress = Progress::new();
    let all = runs.len();
    let climb = |&(seed, way): &(u32, Way)| -> Option<Result<Vec<Step>, Failure>> {
        let mut climb = match stairs.climb(way, seed) {
            Ok(climb) => climb,
            Err(error) => return Some(Err(error.into())),
        };
        while !climb.advance(POLLS_PER_SLICE) {
            if pool::is_interrupted() {
                return None;
            }
        }
        Some(Ok(climb.into_steps()))
    };
    let climbed = pool.map(&runs, climb, |done| {
        progress.show(|| format!("{}: {done} of {all} runs", experiment.name));
    });
    progress.clear();
    let climbed: Option<Vec<_>> = climbed.into_iter().collect();
    let Some(climbed) = climbed else {
        let said = "interrupted: there is nothing to tell before every run has ended";
        return Err(Failure::said("", said, "the same command again").into());
    };
    let steps = climbed.into_iter().collect::<Result<Vec<_>, _>>()?;
    let pairs: Vec<[Vec<Step>; 2]> = steps
        .chunks_exact(2)
        .map(|pair| [pair[0].clone(), pair[1].clone()])
        .collect();
    let outcome = stairs.outcome(&pairs, question);
    if options.json {
        writeln!(out, "{:#}", Value::from(outcome.node()))?;
        return Ok(());
    }
    let what = format!("seeds {first}..{last}, {hold} s each value");
    text::heading(out, &experiment, &what)?;
    text::line(out, "Hysteresis", &outcome.sentence())?;
    writeln!(out)?;
    let mut header = vec![path];
    for (_, name, _) in SHOWN {
        header.extend([format!("{name} up"), "down".to_owned()]);
    }
    header.push(format!("{} [%] up", question.words()));
    header.push("down".to_owned());
    let mut lines = vec![header];
    for (index, level) in outcome.levels.iter().enumerate() {
        let mut cells = vec![text::plain(level.value)];
        for (measure, _, scale) in SHOWN {
            let [up, down, _] = level.measures[measure];
            cells.extend([up, down].map(|mean| {
                let half = mean.ci95.map(|half| half * scale);
                let mean = mean.mean.map(|mean| mean * scale);
                mean.map_or("–".to_owned(), |mean| text::with_error(mean, half))
            }));
        }
        cells.extend(outcome.branches.iter().map(|line| {
            let share = line.as_ref().map(|line| line[index].share().share);
            share.map_or("–".to_owned(), |share| format!("{:.0}", 100.0 * share))
        }));
        lines.push(cells);
    }
    text::table(out, &lines)?;
    writeln!(out)?;
    text::line(
        out,
        "",
        &format!(
            "Measured in the second half of each value; ±: 95 % intervals over the seeds. With --json also {} and {}, and the differences within seeds.",
            MEASURES[2], MEASURES[3]
        ),
    )?;
    let seconds = started.elapsed().as_secs_f64();
    let runs = text::counted(all as u64, "run");
    text::line(out, "Time", &format!("{runs}, {seconds:.1} s"))
}
