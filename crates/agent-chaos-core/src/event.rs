//! The event stream: one record per fact, in the order in which the facts came about.
//!
//! Stages report facts through [`Emit`]; whoever observes folds them. The [`Digest`] of a run is a
//! fold too: two runs with the same digest had the same facts at the same nanoseconds.

use serde_json::{Value, json};
use xxhash_rust::xxh3::Xxh3Default;

use crate::detector::{Rule, State};
use crate::policy::breaker::BreakerState;
use crate::request::{FailureMode, Request};
use crate::units::{Instant, Span};

/// Where stages report.
pub trait Emit: 'static {
    /// Takes note of a fact.
    fn emit(&self, event: Event<'_>);

    /// As [`emit`](Self::emit), for facts that are rare, or come with mechanisms that most profiles do
    /// not have: the code that folds them is there once, not at every place they come from.
    #[cold]
    #[inline(never)]
    fn emit_rarely(&self, event: Event<'_>) {
        self.emit(event);
    }
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
    /// `ATTEMPT_…`: something became of one send of a request.
    Attempt {
        /// Which send of which request.
        request: &'a Request,
        /// What.
        step: Step,
    },
    /// `REQUEST_SETTLED`: its client has what it wanted, or has given up.
    Settled {
        /// Which.
        request: &'a Request,
        /// How it ended.
        outcome: FailureMode,
        /// Whether its client gave it up, having had no answer.
        given_up: bool,
        /// How often it was sent.
        attempts: u32,
        /// The service time behind the answer that counted.
        useful: Span,
    },
    /// `REQUEST_REMOVED`: taken out of the queue unserved.
    Removed {
        /// Which.
        request: &'a Request,
        /// Why.
        why: Removal,
        /// The failure mode that goes with it.
        outcome: FailureMode,
        /// How many requests wait in the queue now.
        waiting: u32,
    },
    /// `REQUEST_LOST`: the worker that served it crashed.
    Lost {
        /// Which.
        request: &'a Request,
        /// Who served it.
        worker: u32,
        /// When the service had started.
        started: Instant,
        /// The failure mode that goes with it.
        outcome: FailureMode,
    },
    /// `WORKERS_CHANGED`: how many workers can work from now on.
    Workers(Crew),
    /// `RESOURCE_ADAPTED`: a controller gives more or less of something from now on.
    Resized {
        /// Of what.
        resource: Resource,
        /// How much there is now.
        to: u32,
    },
    /// `BREAKER_TRANSITION`: the circuit breaker let through more or less from now on.
    Breaker {
        /// From this state …
        from: BreakerState,
        /// … to this.
        to: BreakerState,
    },
    /// `INTERVENTION_STARTED`, `INTERVENTION_ENDED`: an entry of the timeline.
    Intervened {
        /// Its place in the timeline, from 0.
        index: u32,
        /// Whether it starts or ends.
        starts: bool,
    },
}

/// What can become of one send of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// `ATTEMPT_SENT`: the client sends it.
    Sent(Sending),
    /// `ATTEMPT_REFUSED`: the client's own breaker or throttle does not let it be sent.
    ShortCircuited,
    /// `ATTEMPT_ARRIVED`: the server's gate sees it.
    Arrived,
    /// `ATTEMPT_DROPPED`: the network loses the request, or its answer.
    Dropped(Leg),
    /// `ATTEMPT_ANSWERED`: an answer reaches a client that still waits for it.
    Answered(FailureMode),
    /// `ATTEMPT_TIMED_OUT`: its client waits no longer.
    TimedOut(FailureMode),
    /// `ATTEMPT_CANCELLED`: nobody needs it any more.
    Cancelled,
}

/// Why a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Sending {
    /// For the first time.
    First = 0,
    /// Again, after a failure.
    Retry = 1,
    /// Beside another send that has not been answered.
    Hedge = 2,
}

/// A way through the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Leg {
    /// From the client to the server.
    Request = 0,
    /// Back.
    Answer = 1,
}

/// Why a waiting request was taken out of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Removal {
    /// Its deadline had passed.
    Expired = 0,
    /// CoDel dropped it.
    Codel = 1,
    /// It had waited longer than the queue's time limit.
    TimedOut = 2,
    /// Its client had withdrawn it.
    Cancelled = 3,
    /// Its client had withdrawn it while it waited at the entrance: it was never let in.
    LeftEntrance = 4,
}

/// The workers there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Crew {
    /// Workers on duty, those that are down included.
    pub on: u32,
    /// Workers on duty that have crashed and not restarted.
    pub down: u32,
    /// Whether all workers pause.
    pub stalled: bool,
}

impl Crew {
    /// Workers that can work.
    #[must_use]
    pub const fn able(self) -> u32 {
        if self.stalled { 0 } else { self.on - self.down }
    }

    /// Whether nobody can work.
    #[must_use]
    pub const fn is_starved(self) -> bool {
        self.stalled || self.on == self.down
    }
}

/// What a controller gives more or less of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Resource {
    /// Workers that the autoscaler wants.
    Workers = 1,
    /// Requests that admission lets in at a time.
    ConcurrencyLimit = 2,
}

/// What the fault injector does to a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It takes this much longer.
    Spike(Span),
    /// It ends in an error (500).
    Error,
    /// The call to the dependency failed.
    Downstream(FailureMode),
    /// It was paused for this long in all.
    Pause(Span),
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
            Self::Adapted { .. } | Self::Resized { .. } => "RESOURCE_ADAPTED",
            Self::Attempt { step, .. } => step.name(),
            Self::Settled { .. } => "REQUEST_SETTLED",
            Self::Removed { .. } => "REQUEST_REMOVED",
            Self::Lost { .. } => "REQUEST_LOST",
            Self::Workers(_) => "WORKERS_CHANGED",
            Self::Breaker { .. } => "BREAKER_TRANSITION",
            Self::Intervened { starts: true, .. } => "INTERVENTION_STARTED",
            Self::Intervened { starts: false, .. } => "INTERVENTION_ENDED",
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
            | Self::Completed { request, .. }
            | Self::Attempt { request, .. }
            | Self::Settled { request, .. }
            | Self::Removed { request, .. }
            | Self::Lost { request, .. } => Some(request),
            Self::Transition { .. }
            | Self::Adapted { .. }
            | Self::Workers(_)
            | Self::Resized { .. }
            | Self::Breaker { .. }
            | Self::Intervened { .. } => None,
        }
    }
}

impl Step {
    /// The name of the record.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sent(_) => "ATTEMPT_SENT",
            Self::ShortCircuited => "ATTEMPT_REFUSED",
            Self::Arrived => "ATTEMPT_ARRIVED",
            Self::Dropped(_) => "ATTEMPT_DROPPED",
            Self::Answered(_) => "ATTEMPT_ANSWERED",
            Self::TimedOut(_) => "ATTEMPT_TIMED_OUT",
            Self::Cancelled => "ATTEMPT_CANCELLED",
        }
    }

    /// The code of the step in a digest, and what goes with it.
    const fn code(self) -> (u8, u8) {
        match self {
            Self::Sent(sending) => (0, sending as u8),
            Self::ShortCircuited => (1, 0),
            Self::Arrived => (2, 0),
            Self::Dropped(leg) => (3, leg as u8),
            Self::Answered(outcome) => (4, outcome as u8),
            Self::TimedOut(mode) => (5, mode as u8),
            Self::Cancelled => (6, 0),
        }
    }
}

impl Sending {
    /// The name for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Retry => "retry",
            Self::Hedge => "hedge",
        }
    }
}

impl Removal {
    /// The failure mode that goes with it.
    #[must_use]
    pub const fn mode(self) -> FailureMode {
        match self {
            Self::Codel | Self::TimedOut => FailureMode::CongestionFailure,
            Self::Expired | Self::Cancelled | Self::LeftEntrance => FailureMode::LatencyCascade,
        }
    }

    /// The name for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Codel => "codel",
            Self::TimedOut => "queue_timeout",
            Self::Cancelled => "cancelled",
            Self::LeftEntrance => "left_entrance",
        }
    }
}

impl Resource {
    /// The name for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Workers => "workers",
            Self::ConcurrencyLimit => "concurrency_limit",
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
            if request.attempt > 0 {
                record["attempt"] = json!(request.attempt);
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
            Fact::Fault {
                fault: Fault::Downstream(mode),
                ..
            } => {
                record["fault"] = json!("downstream");
                record["error.type"] = json!(mode.name());
            }
            Fact::Fault {
                fault: Fault::Pause(by),
                ..
            } => {
                record["fault"] = json!("pause");
                record["seconds"] = json!(by.seconds());
            }
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
            Fact::Attempt { step, .. } => match step {
                Step::Sent(sending) => record["sending"] = json!(sending.name()),
                Step::Dropped(Leg::Request) => record["leg"] = json!("request"),
                Step::Dropped(Leg::Answer) => record["leg"] = json!("answer"),
                Step::Answered(outcome) => record["outcome"] = json!(outcome.name()),
                Step::TimedOut(mode) => record["error.type"] = json!(mode.name()),
                Step::ShortCircuited | Step::Arrived | Step::Cancelled => {}
            },
            Fact::Settled {
                request,
                outcome,
                attempts,
                ..
            } => {
                record["outcome"] = json!(outcome.name());
                record["attempts"] = json!(attempts);
                record["latency_seconds"] = json!((self.at - request.created).seconds());
            }
            Fact::Removed { why, waiting, .. } => {
                record["reason"] = json!(why.name());
                record["queue_length"] = json!(waiting);
            }
            Fact::Lost {
                worker, started, ..
            } => {
                record["worker"] = json!(worker);
                record["service_seconds"] = json!((self.at - started).seconds());
            }
            Fact::Workers(Crew { on, down, stalled }) => {
                record["workers"] = json!(on);
                record["down"] = json!(down);
                record["stalled"] = json!(stalled);
            }
            Fact::Resized { resource, to } => record[resource.name()] = json!(to),
            Fact::Breaker { from, to } => {
                record["from"] = json!(from.name());
                record["to"] = json!(to.name());
            }
            Fact::Intervened { index, .. } => record["intervention"] = json!(index),
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
    hash: Xxh3Default,
}

/// Records are gathered up to this length before they are hashed; it does not change the digest.
const BUFFER_BYTES: usize = 8192;
const LONGEST_RECORD: usize = 24;

impl Default for Digest {
    fn default() -> Self {
        Self {
            buffer: Box::new([0; BUFFER_BYTES]),
            filled: 0,
            hash: Xxh3Default::new(),
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
            Fact::Fault {
                request,
                fault: Fault::Downstream(mode),
            } => {
                let detail = Some(mode as u64);
                self.record(event.at, 6, 3, request.number, detail);
            }
            Fact::Fault {
                request,
                fault: Fault::Pause(by),
            } => {
                self.record(event.at, 6, 4, request.number, Some(by.nanos()));
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
            _ => self.fold_mechanism(event),
        }
    }

    /// The records of mechanisms that are off in most profiles.
    #[inline(never)]
    fn fold_mechanism(&mut self, event: &Event<'_>) {
        let at = event.at;
        match event.fact {
            Fact::Attempt { request, step } => {
                let (code, with) = step.code();
                let detail = u64::from(with) << 8 | u64::from(request.attempt);
                self.record(at, 10, code, request.number, Some(detail));
            }
            Fact::Settled {
                request,
                outcome,
                attempts,
                ..
            } => {
                let detail = Some(u64::from(attempts));
                self.record(at, 11, outcome as u8, request.number, detail);
            }
            Fact::Removed { request, why, .. } => {
                let detail = Some(u64::from(request.attempt));
                self.record(at, 12, why as u8, request.number, detail);
            }
            Fact::Lost {
                request, worker, ..
            } => self.record(at, 13, 0, request.number, Some(u64::from(worker))),
            Fact::Workers(Crew { on, down, stalled }) => {
                let detail = u64::from(on) << 32 | u64::from(down);
                self.record(at, 14, u8::from(stalled), 0, Some(detail));
            }
            Fact::Resized { resource, to } => {
                self.record(at, 9, resource as u8, 0, Some(u64::from(to)));
            }
            Fact::Breaker { from, to } => {
                self.record(at, 15, 0, (from as u64) << 8 | to as u64, None);
            }
            Fact::Intervened { index, starts } => {
                self.record(at, 16, u8::from(starts), u64::from(index), None);
            }
            _ => unreachable!("folded by `fold`"),
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
