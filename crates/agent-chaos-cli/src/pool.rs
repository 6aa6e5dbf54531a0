//! The cells of a plan on all cores, handed over in order.
//!
//! Cells are begun in order, so that what waits for an earlier one is little. When it is interrupted, cells that
//! others wait for are run to their end, and nothing that has finished is lost.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use agent_chaos_core::sweep::{Plan, Row};
use agent_chaos_core::wire::ProfileError;
use agent_chaos_core::{Limit, Profile, Run};
use rayon::iter::{IntoParallelRefIterator, ParallelBridge, ParallelIterator};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::failure::{Failure, Stop};
use crate::running::{MAX_MEMORY_BYTES, POLLS_PER_SLICE};

/// How often whoever watches is told.
const PAUSE: Duration = Duration::from_millis(200);

/// How often it is looked whether everything is done.
const GLANCE: Duration = Duration::from_millis(20);

/// More threads than this help nobody.
const MOST_JOBS: usize = 1024;

/// Somebody asked to end.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on the first interruption is a wish, and the second ends the program.
pub fn heed_interruptions() {
    let heed = || {
        if INTERRUPTED.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
    };
    // Where there are no signals, an interruption just ends the program: every row is whole then too.
    let _ = ctrlc::set_handler(heed);
}

/// Whether somebody asked to end.
pub fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// Threads that run cells.
pub struct Pool {
    threads: ThreadPool,
}

impl Pool {
    /// So many threads, or as many as there are cores; no more than fit into memory together.
    pub fn new(jobs: Option<&str>, memory_bytes: f64) -> Result<Self, Failure> {
        let jobs = match jobs {
            None => thread::available_parallelism().map_or(1, usize::from),
            Some(text) => {
                let jobs = text.trim().parse::<usize>().ok();
                jobs.filter(|jobs| (1..=MOST_JOBS).contains(jobs))
                    .ok_or_else(|| {
                        let accepted = format!("a whole number from 1 to {MOST_JOBS}");
                        Failure::new("", format!("--jobs {text}"), accepted)
                    })?
            }
        };
        let fitting = (MAX_MEMORY_BYTES / memory_bytes.max(1.0)) as usize;
        let threads = ThreadPoolBuilder::new()
            .num_threads(jobs.min(fitting).max(1))
            .build()
            .map_err(|error| {
                let said = format!("{jobs} threads cannot be had: {error}");
                Failure::said("", said, "fewer --jobs")
            })?;
        Ok(Self { threads })
    }

    /// Runs these cells and hands their rows to `each` in order; calls `watch` now and then with how
    /// many have been handed over. Ends early, with what has finished until then, when somebody interrupts.
    pub fn run(
        &self,
        plan: &Plan,
        cells: Range<u64>,
        mut each: impl FnMut(Row) -> Result<(), Stop>,
        mut watch: impl FnMut(u64),
    ) -> Result<(), Stop> {
        let begin = cells.start;
        let work = Work {
            plan,
            given_up: AtomicBool::new(false),
            waited_for: AtomicU64::new(begin),
        };
        let (sender, receiver) = mpsc::channel::<(u64, Result<Row, ProfileError>)>();
        thread::scope(|scope| {
            let (threads, work) = (&self.threads, &work);
            scope.spawn(move || {
                threads.install(|| {
                    cells.par_bridge().for_each_init(
                        || (sender.clone(), None),
                        |(sender, point), cell| {
                            if let Some(row) = work.run(cell, point) {
                                // Nobody waits for it any more: the command is ending.
                                let _ = sender.send((cell, row));
                            }
                        },
                    );
                });
            });
            let mut early = BTreeMap::new();
            let mut due = begin;
            let outcome = loop {
                match receiver.recv_timeout(PAUSE) {
                    Ok((cell, row)) => {
                        early.insert(cell, row);
                    }
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break Ok(()),
                }
                let mut taken = Ok(());
                while let Some(row) = early.remove(&due) {
                    taken = row
                        .map_err(Failure::from)
                        .map_err(Stop::from)
                        .and_then(&mut each);
                    if taken.is_err() {
                        break;
                    }
                    due += 1;
                }
                if taken.is_err() {
                    break taken;
                }
                watch(due - begin);
            };
            work.given_up.store(outcome.is_err(), Ordering::SeqCst);
            outcome
        })
    }
}

impl Pool {
    /// Works on each item, and gives the results in their order; calls `watch` now and then with how many
    /// are done.
    pub fn map<T: Sync, R: Send>(
        &self,
        items: &[T],
        work: impl Fn(&T) -> R + Sync,
        mut watch: impl FnMut(usize),
    ) -> Vec<R> {
        let done = AtomicU64::new(0);
        thread::scope(|scope| {
            let (done, work) = (&done, &work);
            let all = scope.spawn(move || {
                let count = |item| {
                    let result = work(item);
                    done.fetch_add(1, Ordering::Relaxed);
                    result
                };
                self.threads
                    .install(|| items.par_iter().map(count).collect())
            });
            while !all.is_finished() {
                watch(done.load(Ordering::Relaxed) as usize);
                thread::sleep(GLANCE);
            }
            all.join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}

struct Work<'a> {
    plan: &'a Plan,
    /// Nothing that is still under way is wanted.
    given_up: AtomicBool,
    /// Cells below this are waited for by one that has finished.
    waited_for: AtomicU64,
}

impl Work<'_> {
    /// Whether to go on with this cell.
    fn is_wanted(&self, cell: u64) -> bool {
        !self.given_up.load(Ordering::Relaxed)
            && (!is_interrupted() || cell < self.waited_for.load(Ordering::SeqCst))
    }

    /// Runs a cell, in slices; none if it was given up. `point` is the profile of the last cell.
    fn run(
        &self,
        cell: u64,
        point: &mut Option<(u64, Profile)>,
    ) -> Option<Result<Row, ProfileError>> {
        if !self.is_wanted(cell) {
            return None;
        }
        let number = self.plan.point_of(cell);
        if point.as_ref().is_none_or(|(known, _)| *known != number) {
            match self.plan.profile(number) {
                Ok(profile) => *point = Some((number, profile)),
                Err(error) => return Some(Err(error)),
            }
        }
        let (_, profile) = point.as_mut()?;
        profile.seed = self.plan.seed_of(cell);
        let mut run = Run::new(profile);
        let slice = Limit {
            polls: POLLS_PER_SLICE,
            ..Limit::NONE
        };
        while !run.advance(slice) {
            if !self.is_wanted(cell) {
                return None;
            }
        }
        self.waited_for.fetch_max(cell, Ordering::SeqCst);
        Some(Ok(self.plan.row(cell, &run.report())))
    }
}
