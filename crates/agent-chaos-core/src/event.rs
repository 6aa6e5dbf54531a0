//! The event stream: one record per fact, in the order in which the facts came about.
//!
//! Stages report facts through [`Emit`]; whoever observes folds them. The [`Digest`] of a run is a
//! fold too: two runs with the same digest had the same facts at the same nanoseconds.

use serde_json::{Value, json};
use xxhash_rust::xxh3::Xxh3;

use crate::detector::{Rule, State};
use crate::request::{FailureMode, Request};
use crate::units::{Instant, Span};

/// Where stages report.
pub trait Emit: 'static {
    /// Takes note of a fact.
    fn emit(&self, event: Event<'_>);
}

/// A fact and the moment it came about.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// When.
    pub at: Instant,
    /// What.
    pub fact: Fact<'a>,
}

/// What can come about.
#[derive(Clone, Copy, Debug)]
pub enum Fact<'a> {
    /// `REQUEST_CREATED`: an agent or generator wants something done.
    Created(&'a Request),
    /// `REQUEST_ADMITTED`: the queue took it in, or handed it to an idle worker at once.
    Admitted {
        /// Which.
        request: &'a Request,
        /// How many requests wait in the queue now.
        waiting: u32,
    },
    /// `QUEUE_THROTTLED`: the gate dropped it or the full queue refused it.
    Throttled {
        /// Which.
        request: &'a Request,
        /// Which of the two.
        mode: FailureMode,
    },
    /// `SENDER_BLOCKED`: the queue is full and the sender waits for a place.
    Blocked(&'a Request),
    /// `REQUEST_STARTED`: a worker took it.
    Started {
        /// Which.
        request: &'a Request,
        /// Who serves it.
        worker: u32,
        /// How many requests wait in the queue now.
        waiting: u32,
    },
    /// `FAULT_INJECTED`: something went wrong with its service.
    Fault {
        /// Which.
        request: &'a Request,
        /// What.
        fault: Fault,
    },
    /// `REQUEST_COMPLETED`: its service has ended, well or not.
    Completed {
        /// Which.
        request: &'a Request,
        /// Who served it.
        worker: u32,
        /// When the service started.
        started: Instant,
        /// How it ended.
        outcome: FailureMode,
    },
    /// `DETECTOR_TRANSITION`: the detector changed its mind.
    Transition {
        /// From this state …
        from: State,
        /// … to this …
        to: State,
        /// … by this rule.
        rule: Rule,
    },
    /// `RESOURCE_ADAPTED`: the throttle makes agents wait differently from now on.
    Adapted {
        /// Mean delay before each request.
        delay: Span,
    },
}

/// What the fault injector does to a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It takes this much longer.
    Spike(Span),
    /// It ends in an error (500).
    Error,
}

impl Fact<'_> {
    /// The name of the record.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Created(_) => "REQUEST_CREATED",
            Self::Admitted { .. } => "REQUEST_ADMITTED",
            Self::Throttled { .. } => "QUEUE_THROTTLED",
            Self::Blocked(_) => "SENDER_BLOCKED",
            Self::Started { .. } => "REQUEST_STARTED",
            Self::Fault { .. } => "FAULT_INJECTED",
            Self::Completed { .. } => "REQUEST_COMPLETED",
            Self::Transition { .. } => "DETECTOR_TRANSITION",
            Self::Adapted { .. } => "RESOURCE_ADAPTED",
        }
    }

    /// The request it is about, if it is about one.
    #[must_use]
    pub const fn request(&self) -> Option<&Request> {
        match self {
            Self::Created(request)
            | Self::Blocked(request)
            | Self::Admitted { request, .. }
            | Self::Throttled { request, .. }
            | Self::Started { request, .. }
            | Self::Fault { request, .. }
            | Self::Completed { request, .. } => Some(request),
            Self::Transition { .. } | Self::Adapted { .. } => None,
        }
    }
}

impl Event<'_> {
    /// The record as an object for people and programs: times in seconds.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut record = json!({ "at_seconds": self.at.seconds(), "event": self.fact.name() });
        if let Some(request) = self.fact.request() {
            record["request"] = json!(request.number);
            if let Some(agent) = request.sender.waiting_agent() {
                record["agent"] = json!(agent);
            }
        }
        match self.fact {
            Fact::Created(request) => record["class"] = json!(request.class.name()),
            Fact::Blocked(_) => {}
            Fact::Admitted { waiting, .. } => record["queue_length"] = json!(waiting),
            Fact::Throttled { mode, .. } => record["error.type"] = json!(mode.name()),
            Fact::Started {
                worker,
                waiting,
                request,
            } => {
                record["worker"] = json!(worker);
                record["queue_length"] = json!(waiting);
                record["waited_seconds"] = json!((self.at - request.created).seconds());
            }
            Fact::Fault {
                fault: Fault::Spike(by),
                ..
            } => {
                record["fault"] = json!("spike");
                record["seconds"] = json!(by.seconds());
            }
            Fact::Fault {
                fault: Fault::Error,
                ..
            } => record["fault"] = json!("error"),
            Fact::Completed {
                request,
                worker,
                started,
                outcome,
            } => {
                record["worker"] = json!(worker);
                record["outcome"] = json!(outcome.name());
                record["service_seconds"] = json!((self.at - started).seconds());
                record["latency_seconds"] = json!((self.at - request.created).seconds());
            }
            Fact::Transition { from, to, rule } => {
                record["from"] = json!(from.name());
                record["to"] = json!(to.name());
                record["rule"] = json!(rule.name());
            }
            Fact::Adapted { delay } => record["throttle_delay_seconds"] = json!(delay.seconds()),
        }
        record
    }
}

/// The digest of a run: 64-bit xxh3 over its records, in the byte layout that
/// `crates/ARCHITECTURE.md` writes down.
#[derive(Clone)]
pub struct Digest {
    /// Records that have not been hashed, in the first `filled` bytes.
    buffer: Box<[u8; BUFFER_BYTES]>,
    filled: usize,
    hash: Xxh3,
}

/// Records are gathered up to this length before they are hashed; it does not change the digest.
const BUFFER_BYTES: usize = 8192;
const LONGEST_RECORD: usize = 24;

impl Default for Digest {
    fn default() -> Self {
        Self {
            buffer: Box::new([0; BUFFER_BYTES]),
            filled: 0,
            hash: Xxh3::new(),
        }
    }
}

impl Digest {
    /// Folds one record in.
    #[inline(always)]
    pub fn fold(&mut self, event: &Event<'_>) {
        match event.fact {
            Fact::Created(request) => {
                let sender = request.sender.waiting_agent().map_or(u64::MAX, u64::from);
                self.record(
                    event.at,
                    1,
                    request.class as u8,
                    request.number,
                    Some(sender),
                );
            }
            Fact::Admitted { request, .. } => self.record(event.at, 2, 0, request.number, None),
            Fact::Throttled { request, mode } => {
                self.record(event.at, 3, mode as u8, request.number, None);
            }
            Fact::Blocked(request) => self.record(event.at, 4, 0, request.number, None),
            Fact::Started {
                request, worker, ..
            } => {
                self.record(event.at, 5, 0, request.number, Some(u64::from(worker)));
            }
            Fact::Fault {
                request,
                fault: Fault::Spike(by),
            } => {
                self.record(event.at, 6, 1, request.number, Some(by.nanos()));
            }
            Fact::Fault {
                request,
                fault: Fault::Error,
            } => {
                self.record(event.at, 6, 2, request.number, None);
            }
            Fact::Completed {
                request, outcome, ..
            } => {
                self.record(event.at, 7, outcome as u8, request.number, None);
            }
            Fact::Transition { from, to, rule } => {
                let step = (from as u64) << 8 | to as u64;
                self.record(event.at, 8, rule as u8, step, None);
            }
            Fact::Adapted { delay } => self.record(event.at, 9, 0, 0, Some(delay.nanos())),
        }
    }

    #[inline]
    fn record(&mut self, at: Instant, kind: u8, code: u8, subject: u64, detail: Option<u64>) {
        let mut filled = self.filled;
        if filled > BUFFER_BYTES - LONGEST_RECORD {
            self.flush();
            filled = 0;
        }
        let tag = u64::from(kind) | u64::from(code) << 8 | subject << 16;
        let place = &mut self.buffer[filled..filled + LONGEST_RECORD];
        place[..8].copy_from_slice(&at.nanos().to_le_bytes());
        place[8..16].copy_from_slice(&tag.to_le_bytes());
        self.filled = filled + 16;
        if let Some(detail) = detail {
            place[16..].copy_from_slice(&detail.to_le_bytes());
            self.filled = filled + LONGEST_RECORD;
        }
    }

    #[inline(never)]
    fn flush(&mut self) {
        self.hash.update(&self.buffer[..self.filled]);
    }

    /// The digest of everything folded in so far.
    #[must_use]
    pub fn value(&self) -> u64 {
        let mut hash = self.hash.clone();
        hash.update(&self.buffer[..self.filled]);
        hash.digest()
    }

    /// The digest as it is written: 16 hex digits.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{:016x}", self.value())
    }
}
