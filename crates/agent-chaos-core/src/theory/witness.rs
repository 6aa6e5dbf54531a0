//! A witness of a run: measures for itself, from the event stream, what theory is held against.
//!
//! Little's law in its exact form needs no steady state: over any stretch of time, the number there
//! integrated over time is the sum of the times that each was there within it, to the nanosecond. One
//! side is kept by the length that the queue reports, the other request by request.
//!
//! Source: Little, *Little's law as viewed on its 50th anniversary*, Operations Research 59 (2011).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::event::{Event, Fact, Removal, Step};
use crate::profile::Profile;
use crate::request::{FailureMode, Request};
use crate::units::Instant;
use crate::{Limit, Run};

/// What a run under observation came to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Measured {
    /// Its seed.
    pub seed: u32,
    /// 16 hex digits over everything that happened.
    pub digest: String,
    /// Length of the counted time, in seconds.
    pub counted_seconds: f64,
    /// Counted requests created.
    pub created: u64,
    /// Of these, failed or given up.
    pub failed: u64,
    /// Of these, turned away for want of a connection.
    pub without_connection: u64,
    /// Of these, refused by the server.
    pub refused: u64,
    /// Mean time from creation to a good answer, in seconds.
    pub sojourn_seconds: Option<f64>,
    /// Mean time from admission to the start of service, in seconds.
    pub wait_seconds: Option<f64>,
    /// Of those that were served, the share that had to wait.
    pub waited_ratio: Option<f64>,
    /// Services ended per second.
    pub throughput_per_second: f64,
    /// Busy share of the workers' time.
    pub utilization: f64,
    /// Time average of the requests waiting.
    pub queue_mean: f64,
    /// `∫ N dt − Σ residence` of those waiting and of those served, in request-nanoseconds.
    pub little_nanos: [i128; 2],
    /// Requests and moments that do not add up.
    pub unaccounted: u64,
    /// Whether the throttle held agents back at any time.
    pub throttled: bool,
    /// Time between two rows of the queue's series, in seconds.
    pub row_seconds: f64,
    /// The queue's length at the end of each row.
    pub queue: Vec<f64>,
    /// The number of busy workers then.
    pub busy: Vec<f64>,
}

/// A run with its witness.
pub struct Witnessed {
    run: Run,
    witness: Rc<RefCell<Witness>>,
}

impl Witnessed {
    /// A run of this profile that has not begun.
    #[must_use]
    pub fn new(profile: &Profile) -> Self {
        let witness = Rc::new(RefCell::new(Witness::new(profile)));
        let sees = Rc::clone(&witness);
        let observer = Box::new(move |event: &Event<'_>| sees.borrow_mut().see(event));
        Self {
            run: Run::observed(profile, Some(observer)).alone(),
            witness,
        }
    }

    /// Goes on, up to the limit. Whether the run has finished now.
    pub fn advance(&mut self, limit: Limit) -> bool {
        self.run.advance(limit)
    }

    /// How much of the run is done, from 0 to 1.
    #[must_use]
    pub fn progress(&self) -> f64 {
        self.run.progress()
    }

    /// Goes on to the end. What it came to.
    #[must_use]
    pub fn finish(mut self) -> Measured {
        while !self.run.advance(Limit::NONE) {}
        let report = self.run.report();
        let witness = self.witness.borrow();
        let counted = report.counted_seconds;
        let ratio = |part: f64| (witness.started > 0).then(|| part / witness.started as f64);
        let interval = self.run.profile().telemetry.interval_seconds;
        let [queue, busy] = ["queue", "busy"].map(|name| {
            self.run.with_series(|series| {
                let column = series.column(name).unwrap_or_default();
                column[..series.closed_rows()].to_vec()
            })
        });
        let row_seconds = self
            .run
            .with_series(|series| f64::from(series.ticks_per_row()) * interval);
        Measured {
            seed: report.seed,
            counted_seconds: counted.to - counted.from,
            created: report.requests.created,
            failed: report.requests.failed + report.requests.abandoned,
            without_connection: report
                .errors
                .iter()
                .filter(|part| part.mode == FailureMode::PoolExhausted.name())
                .map(|part| part.requests)
                .sum(),
            refused: witness.refused,
            sojourn_seconds: report.latency_seconds.map(|latency| latency.mean),
            wait_seconds: ratio(witness.waits_nanos as f64 / 1e9),
            waited_ratio: ratio(witness.waited as f64),
            throughput_per_second: report.throughput_per_second,
            utilization: report.utilization,
            queue_mean: report.queue.mean,
            little_nanos: [witness.waiting.residual(), witness.serving.residual()],
            unaccounted: witness.unaccounted + witness.left(),
            throttled: witness.throttled,
            row_seconds,
            queue,
            busy,
            digest: report.digest,
        }
    }
}

/// Both sides of Little's law for one place, over the time from a moment on.
#[derive(Default)]
struct Place {
    /// `∫ N dt`, in request-nanoseconds.
    area: i128,
    /// `Σ residence`.
    residences: i128,
    /// The number there by its own account, and since when.
    there: i128,
    since: Instant,
}

impl Place {
    fn reaches(&mut self, now: Instant, there: u32) {
        self.area += self.there * i128::from((now - self.since).nanos());
        self.since = self.since.max(now);
        self.there = i128::from(there);
    }

    fn residual(&self) -> i128 {
        self.area - self.residences
    }
}

/// Folds the event stream.
struct Witness {
    /// The counted time.
    from: Instant,
    to: Instant,
    /// When each send of a request that waits was let in.
    entered: BTreeMap<(u64, u8), Instant>,
    waiting: Place,
    serving: Place,
    busy: u32,
    waits_nanos: u128,
    waited: u64,
    started: u64,
    refused: u64,
    unaccounted: u64,
    throttled: bool,
    /// Requests that have been created and have not ended.
    open: i64,
    settles: bool,
    /// Sends that the gate has seen, and those of which it has not said anything yet.
    at_gate: i64,
}

impl Witness {
    fn new(profile: &Profile) -> Self {
        let from = Instant::from_seconds(profile.run.warmup_seconds);
        let place = || Place {
            since: from,
            ..Place::default()
        };
        Self {
            from,
            to: Instant::from_seconds(profile.run.duration_seconds),
            entered: BTreeMap::new(),
            waiting: place(),
            serving: place(),
            busy: 0,
            waits_nanos: 0,
            waited: 0,
            started: 0,
            refused: 0,
            unaccounted: 0,
            throttled: false,
            open: 0,
            settles: profile.has_clients(),
            at_gate: 0,
        }
    }

    fn is_counted(&self, request: &Request) -> bool {
        self.from <= request.created && request.created < self.to
    }

    fn see(&mut self, event: &Event<'_>) {
        let now = event.at;
        match event.fact {
            Fact::Created(_) => {
                self.open += 1;
                self.at_gate += i64::from(!self.settles);
            }
            Fact::Attempt { step, .. } => self.at_gate += i64::from(step == Step::Arrived),
            Fact::Throttled { request, .. } => {
                self.at_gate -= 1;
                self.refused += u64::from(self.is_counted(request));
                self.ends();
            }
            Fact::Admitted { request, waiting } => {
                self.at_gate -= 1;
                self.unaccounted += u64::from(self.entered.insert(key(request), now).is_some());
                self.waiting.reaches(now, waiting);
            }
            Fact::Started {
                request, waiting, ..
            } => {
                let entered = self.leaves(request, now, waiting);
                self.busy += 1;
                self.serving.reaches(now, self.busy);
                if self.is_counted(request) {
                    let wait = (now - entered).nanos();
                    self.started += 1;
                    self.waits_nanos += u128::from(wait);
                    self.waited += u64::from(wait > 0);
                }
            }
            Fact::Removed {
                why: Removal::LeftEntrance,
                ..
            } => {
                self.at_gate -= 1;
                self.ends();
            }
            Fact::Removed {
                request, waiting, ..
            } => {
                self.leaves(request, now, waiting);
                self.ends();
            }
            Fact::Completed { started, .. } | Fact::Lost { started, .. } => {
                self.unaccounted += u64::from(self.busy == 0);
                self.busy = self.busy.saturating_sub(1);
                self.serving.residences += self.within(started, now);
                self.serving.reaches(now, self.busy);
                self.ends();
            }
            Fact::Settled { .. } => self.open -= 1,
            Fact::Adapted { delay } => self.throttled |= !delay.is_zero(),
            _ => {}
        }
    }

    /// The server is through with a request: its word is the last where there are no clients.
    fn ends(&mut self) {
        self.open -= i64::from(!self.settles);
    }

    /// A request leaves the queue, of which so many are left; when it had been let in.
    fn leaves(&mut self, request: &Request, now: Instant, left: u32) -> Instant {
        let entered = self.entered.remove(&key(request));
        let differs = entered.is_none() || self.entered.len() as u64 != u64::from(left);
        self.unaccounted += u64::from(differs);
        let entered = entered.unwrap_or(now);
        self.waiting.residences += self.within(entered, now);
        self.waiting.reaches(now, left);
        entered
    }

    /// The part of a stay that lies in the time that is looked at, in nanoseconds.
    fn within(&self, since: Instant, now: Instant) -> i128 {
        i128::from((now - since.max(self.from)).nanos())
    }

    /// What is still open although the run has finished.
    fn left(&self) -> u64 {
        self.open.unsigned_abs()
            + self.at_gate.unsigned_abs()
            + u64::from(self.busy)
            + self.entered.len() as u64
    }
}

fn key(request: &Request) -> (u64, u8) {
    (request.number, request.attempt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presets;

    /// Has a witness see a short run of M/M/4/80, but for the events that are kept from it.
    fn told(keep: impl Fn(u64, &Event<'_>) -> bool + 'static) -> (i128, i128, u64) {
        let mut profile = presets::find("mm4-80").unwrap().profile();
        profile.run.max_requests = Some(500);
        let witness = Rc::new(RefCell::new(Witness::new(&profile)));
        let (sees, mut seen) = (Rc::clone(&witness), 0);
        let observer = Box::new(move |event: &Event<'_>| {
            seen += 1;
            if keep(seen, event) {
                sees.borrow_mut().see(event);
            }
        });
        let mut run = Run::observed(&profile, Some(observer));
        while !run.advance(Limit::NONE) {}
        let witness = witness.borrow();
        let unaccounted = witness.unaccounted + witness.left();
        (
            witness.waiting.residual(),
            witness.serving.residual(),
            unaccounted,
        )
    }

    #[test]
    fn a_run_that_is_seen_whole_adds_up_and_one_with_a_gap_does_not() {
        assert_eq!(told(|_, _| true), (0, 0, 0));
        let names: [fn(&Fact<'_>) -> bool; 4] = [
            |fact| matches!(fact, Fact::Created(_)),
            |fact| matches!(fact, Fact::Admitted { .. }),
            |fact| matches!(fact, Fact::Started { .. }),
            |fact| matches!(fact, Fact::Completed { .. }),
        ];
        for is_kind in names {
            let (_, _, unaccounted) =
                told(move |number, event| !(900..=940).contains(&number) || !is_kind(&event.fact));
            assert!(unaccounted > 0);
        }
        let (_, serving, _) = told(|number, event| {
            !(900..=940).contains(&number) || !matches!(event.fact, Fact::Completed { .. })
        });
        assert_ne!(serving, 0);
        let (waiting, _, _) = told(|number, event| {
            !(900..=940).contains(&number) || !matches!(event.fact, Fact::Admitted { .. })
        });
        assert_ne!(waiting, 0);
    }
}
