//! Driving runs: one in slices, with its events written down, or many at once, one per seed.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::RangeInclusive;
use std::path::Path;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use agent_chaos_core::event::Event;
use agent_chaos_core::records::Record;
use agent_chaos_core::{Limit, Observer, Profile, Report, Run};
use serde_json::{Value, json};

use crate::exports::Exports;
use crate::failure::{Failure, Stop};
use crate::progress::Progress;

/// Polls between two looks at the clock: a few milliseconds.
pub const POLLS_PER_SLICE: u64 = 50_000;

/// What cannot be expected to fit is refused before it begins.
pub const MAX_MEMORY_BYTES: f64 = 8.0e9;

/// A run that has finished.
pub struct Finished {
    /// What it came to.
    pub report: Report,
    /// How long it took here.
    pub wall_seconds: f64,
}

impl Finished {
    /// The report with the wall time in it.
    pub fn to_json(&self) -> Value {
        let mut report = self.report.to_json();
        report["engine"]["wall_seconds"] = json!(self.wall_seconds);
        report
    }
}

/// Refuses a profile whose run will not fit in memory.
pub fn check_memory(profile: &Profile) -> Result<(), Failure> {
    let bytes = profile.estimate().memory_bytes;
    if bytes <= MAX_MEMORY_BYTES {
        return Ok(());
    }
    Err(Failure::new(
        "/run/duration_seconds",
        format!("a run that needs about {:.0} GB of memory", bytes / 1.0e9),
        format!(
            "at most {:.0} GB: a shorter run, fewer agents or arrivals, a bounded queue, or run.max_requests",
            MAX_MEMORY_BYTES / 1.0e9
        ),
    ))
}

/// Where events go: a file that is not worth a panic.
struct EventFile {
    file: BufWriter<File>,
    failed: Option<io::Error>,
}

/// Runs it, and writes its events to a file if there is one.
pub fn run(
    profile: &Profile,
    events: Option<(&Path, File)>,
    name: &str,
) -> Result<Finished, Failure> {
    run_exported(profile, events, name, None)
}

/// As [`run`], and has it exported.
pub fn run_exported(
    profile: &Profile,
    events: Option<(&Path, File)>,
    name: &str,
    mut exports: Option<&mut Exports>,
) -> Result<Finished, Failure> {
    let started = Instant::now();
    let mut progress = Progress::new();
    let sink = events.map(|(path, file)| {
        let file = EventFile {
            file: BufWriter::with_capacity(1 << 16, file),
            failed: None,
        };
        (path, Rc::new(RefCell::new(file)))
    });
    let mut writes = sink.as_ref().map(|(_, sink)| {
        let sink = Rc::clone(sink);
        move |event: &Event<'_>| {
            let EventFile { file, failed } = &mut *sink.borrow_mut();
            if failed.is_none() {
                *failed = writeln!(file, "{}", event.to_json()).err();
            }
        }
    });
    let mut watches = exports.as_ref().and_then(|exports| exports.watcher());
    let observer = (writes.is_some() || watches.is_some()).then(|| -> Observer {
        Box::new(move |event| {
            if let Some(write) = &mut writes {
                write(event);
            }
            if let Some(watch) = &mut watches {
                watch(&Record::of(event));
            }
        })
    });
    let check = |flush: bool| {
        let Some((path, sink)) = &sink else {
            return Ok(());
        };
        let EventFile { file, failed } = &mut *sink.borrow_mut();
        if flush && failed.is_none() {
            *failed = file.flush().err();
        }
        failed.take().map_or(Ok(()), |error| {
            Err(Failure::file(path, "cannot be written", &error))
        })
    };
    let mut run = Run::observed(profile, observer);
    let slice = Limit {
        polls: POLLS_PER_SLICE,
        ..Limit::NONE
    };
    while !run.advance(slice) {
        check(false)?;
        if let Some(exports) = &mut exports {
            exports.pass_on()?;
        }
        progress.show(|| {
            let (percent, now) = (100.0 * run.progress(), run.now().seconds());
            format!("{name}: {percent:.0} %, {now:.0} s simulated")
        });
    }
    check(true)?;
    let report = run.report();
    if let Some(exports) = exports {
        exports.finish(&run, &report, name)?;
    }
    Ok(Finished {
        report,
        wall_seconds: started.elapsed().as_secs_f64(),
    })
}

/// Runs it with each seed, on every core, and hands the reports over in the order of the seeds.
pub fn run_seeds(
    profile: &Profile,
    seeds: &RangeInclusive<u32>,
    each: impl FnMut(Value) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let run = |profile: &Profile| {
        let started = Instant::now();
        let report = Run::new(profile).finish();
        let wall_seconds = started.elapsed().as_secs_f64();
        let finished = Finished {
            report,
            wall_seconds,
        };
        finished.to_json()
    };
    of_seeds(profile, seeds, run, each)
}

/// Does something with each seed, on every core, and hands over what came of it in the order of the
/// seeds.
pub fn of_seeds<T: Send>(
    profile: &Profile,
    seeds: &RangeInclusive<u32>,
    run: impl Fn(&Profile) -> T + Sync,
    mut each: impl FnMut(T) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let next = AtomicU64::new(u64::from(*seeds.start()));
    let end = u64::from(*seeds.end());
    let fitting = (MAX_MEMORY_BYTES / profile.estimate().memory_bytes) as usize;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let jobs = cores
        .min(fitting)
        .min((end - u64::from(*seeds.start()) + 1) as usize)
        .max(1);
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel(2 * jobs);
        for _ in 0..jobs {
            let (sender, next, run) = (sender.clone(), &next, &run);
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > end {
                        return;
                    }
                    let mut profile = profile.clone();
                    profile.seed = seed as u32;
                    // Nobody waits for it any more: the command is ending.
                    if sender.send((seed, run(&profile))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        // Those that finished before an earlier seed did.
        let mut early = BTreeMap::new();
        let mut due = u64::from(*seeds.start());
        for (seed, result) in receiver {
            early.insert(seed, result);
            while let Some(result) = early.remove(&due) {
                each(result)?;
                due += 1;
            }
        }
        Ok(())
    })
}
