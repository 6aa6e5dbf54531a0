//! Records: the latest of the event stream, the slowest requests, and the life of any one request.
//!
//! ```text
//! events ──► Records ─┬─ a ring of the latest ──► Selection (a filtered list) ──► rows
//!                     │        └─► Life of a request ◄── Replay, where its records have left the ring
//!                     └─ the ten slowest, each with its own records
//! ```
//!
//! All of it is bounded: the ring by its length, the rest by a number of requests and of records
//! for each.

pub mod life;
mod replay;
mod words;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use crate::event::{Crew, Event, Fact, Fault, Step};
use crate::profile::Profile;
use crate::run::Observer;
use crate::units::{Instant, Span};

pub use life::Life;
pub use replay::Replay;
pub use words::{KINDS, Kind, Name, WORDS, Word};

/// So many of the slowest requests are kept.
pub const SLOWEST: usize = 10;
/// The longest ring there may be.
pub const MOST_RECORDS: usize = 2_000_000;
/// Records kept of one request: many times what the longest life has.
const MOST_OF_ONE: usize = 4096;

/// A record of the event stream in plain numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// When.
    pub at: Instant,
    /// The number of the request; [`NO_REQUEST`](Self::NO_REQUEST) if it is about none.
    request: u64,
    /// A length in nanoseconds, or a number, as the kind has it.
    detail: u64,
    agent: u32,
    worker: u32,
    waiting: u32,
    /// What came about.
    pub kind: Kind,
    /// What it says beside that.
    pub word: Word,
    /// What else it says: from which state, by which rule.
    more: Word,
    /// Which send of the request, from 0.
    pub attempt: u8,
}

const NOBODY: u32 = u32::MAX;

impl Record {
    const NO_REQUEST: u64 = u64::MAX;
    const BLANK: Self = Self {
        at: Instant::ZERO,
        request: Self::NO_REQUEST,
        detail: 0,
        agent: NOBODY,
        worker: NOBODY,
        waiting: NOBODY,
        kind: Kind::Created,
        word: Word::NONE,
        more: Word::NONE,
        attempt: 0,
    };

    /// The record of an event.
    #[inline]
    #[must_use]
    pub fn of(event: &Event<'_>) -> Self {
        let mut record = Self {
            at: event.at,
            kind: Kind::of(&event.fact),
            ..Self::BLANK
        };
        if let Some(request) = event.fact.request() {
            record.request = request.number;
            record.attempt = request.attempt;
            record.agent = request.sender.waiting_agent().unwrap_or(NOBODY);
        }
        match event.fact {
            Fact::Created(request) => record.word = Word::class(request.class),
            Fact::Admitted { waiting, .. } => record.waiting = waiting,
            Fact::Started {
                worker, waiting, ..
            } => {
                record.worker = worker;
                record.waiting = waiting;
            }
            Fact::Throttled { mode, .. } => record.word = Word::mode(mode),
            Fact::Completed {
                request,
                worker,
                outcome,
                ..
            } => {
                record.worker = worker;
                record.word = Word::mode(outcome);
                record.detail = (event.at - request.created).nanos();
            }
            _ => record.fill_rarely(event),
        }
        record
    }

    /// What facts of mechanisms say.
    #[inline(never)]
    fn fill_rarely(&mut self, event: &Event<'_>) {
        match event.fact {
            Fact::Fault { fault, .. } => match fault {
                Fault::Spike(by) => (self.word, self.detail) = (Word::SPIKE, by.nanos()),
                Fault::Pause(by) => (self.word, self.detail) = (Word::PAUSE, by.nanos()),
                Fault::Error => self.word = Word::ERROR,
                Fault::Downstream(mode) => self.word = Word::mode(mode),
            },
            Fact::Transition { from, to, rule } => {
                self.word = Word::state(to);
                self.more = Word::state(from);
                self.detail = u64::from(Word::rule(rule).number());
            }
            Fact::Adapted { delay } => {
                (self.word, self.detail) = (Word::THROTTLE, delay.nanos());
            }
            Fact::Resized { resource, to } => {
                (self.word, self.detail) = (Word::resource(resource), u64::from(to));
            }
            Fact::Attempt { step, .. } => match step {
                Step::Sent(sending) => self.word = Word::sending(sending),
                Step::Dropped(leg) => self.word = Word::leg(leg),
                Step::Answered(mode) | Step::TimedOut(mode) => self.word = Word::mode(mode),
                Step::ShortCircuited | Step::Arrived | Step::Cancelled => {}
            },
            Fact::Settled {
                request,
                outcome,
                attempts,
                ..
            } => {
                self.word = Word::mode(outcome);
                self.waiting = attempts;
                self.detail = (event.at - request.created).nanos();
            }
            Fact::Removed { why, waiting, .. } => {
                self.word = Word::removal(why);
                self.waiting = waiting;
            }
            Fact::Lost {
                worker, outcome, ..
            } => (self.worker, self.word) = (worker, Word::mode(outcome)),
            Fact::Workers(Crew { on, down, stalled }) => {
                self.detail = u64::from(on) << 32 | u64::from(down);
                self.word = if stalled { Word::STALLED } else { Word::NONE };
            }
            Fact::Breaker { from, to } => {
                (self.word, self.more) = (Word::breaker(to), Word::breaker(from));
            }
            Fact::Intervened { index, .. } => self.detail = u64::from(index),
            Fact::Created(_)
            | Fact::Admitted { .. }
            | Fact::Started { .. }
            | Fact::Throttled { .. }
            | Fact::Completed { .. }
            | Fact::Blocked(_) => {}
        }
    }

    /// The number of the request, if it is about one.
    #[inline]
    #[must_use]
    pub const fn request(&self) -> Option<u64> {
        if self.request == Self::NO_REQUEST {
            None
        } else {
            Some(self.request)
        }
    }

    /// The agent that waits for the answer, if one does.
    #[must_use]
    pub const fn agent(&self) -> Option<u32> {
        known(self.agent)
    }

    /// The worker, where there is one.
    #[must_use]
    pub const fn worker(&self) -> Option<u32> {
        known(self.worker)
    }

    /// How many requests wait in the queue from then on, where it says so.
    #[must_use]
    pub const fn waiting(&self) -> Option<u32> {
        match self.kind {
            Kind::Admitted | Kind::Started | Kind::Removed => known(self.waiting),
            _ => None,
        }
    }

    /// How often the request was sent, of the record that it was settled.
    #[must_use]
    pub const fn sends(&self) -> Option<u32> {
        match self.kind {
            Kind::Settled => Some(self.waiting),
            _ => None,
        }
    }

    /// A length: of a spike or pause, of the throttle's delay, or of the time since the request was
    /// created or sent.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        let timed = match self.kind {
            Kind::Completed | Kind::Settled => true,
            Kind::Fault => self.word == Word::SPIKE || self.word == Word::PAUSE,
            Kind::Adapted => self.word == Word::THROTTLE,
            _ => false,
        };
        timed.then(|| Span::from_nanos(self.detail))
    }

    /// Whether it tells of a failure.
    #[must_use]
    pub const fn is_failure(&self) -> bool {
        match self.kind {
            Kind::Throttled
            | Kind::ShortCircuited
            | Kind::Dropped
            | Kind::TimedOut
            | Kind::Removed
            | Kind::Lost => true,
            Kind::Completed | Kind::Settled | Kind::Answered => self.word.is_bad(),
            Kind::Fault => self.word.is_bad() || self.word.number() == Word::ERROR.number(),
            _ => false,
        }
    }

    /// What it says beside its kind, in words.
    #[must_use]
    pub fn what(&self) -> String {
        let word = self.word.name().words;
        let send = || format!("send {}", u32::from(self.attempt) + 1);
        let after = || time(Span::from_nanos(self.detail));
        let wait = || match self.waiting {
            0 => "nobody waits".to_owned(),
            one => format!("{one} waiting"),
        };
        // Which send it is goes without saying where there is one.
        let of_send = |text: String| {
            if self.attempt > 0 {
                format!("{}; {text}", send())
            } else {
                text
            }
        };
        match self.kind {
            Kind::Created => word.to_owned(),
            Kind::Admitted => of_send(wait()),
            Kind::Throttled => of_send(word.to_owned()),
            Kind::Blocked => of_send("the queue is full".to_owned()),
            Kind::Started => of_send(format!("worker {}; {}", self.worker, wait())),
            Kind::Fault => of_send(match self.word {
                Word::SPIKE => format!("latency spike, {} longer", after()),
                Word::PAUSE => format!("paused for {} in all", after()),
                Word::ERROR => "error in service".to_owned(),
                _ => format!("the dependency: {word}"),
            }),
            Kind::Completed => of_send(format!("worker {}; {word} after {}", self.worker, after())),
            Kind::Transition => format!(
                "{} → {word}, by {}",
                self.more.name().words,
                WORDS[self.detail as usize].words
            ),
            Kind::Adapted => match self.word {
                Word::THROTTLE if self.detail == 0 => "agents are held back no longer".to_owned(),
                Word::THROTTLE => format!("agents are held back for {} in the mean", after()),
                _ => format!("{word}: {}", self.detail),
            },
            Kind::Sent | Kind::Dropped | Kind::Answered | Kind::TimedOut => {
                format!("{}; {word}", send())
            }
            Kind::ShortCircuited => "held back by its client’s breaker or throttle".to_owned(),
            Kind::Arrived | Kind::Cancelled => send(),
            Kind::Settled => {
                let sends = match self.waiting {
                    1 => "1 send".to_owned(),
                    many => format!("{many} sends"),
                };
                format!("{word} after {sends}, {}", after())
            }
            Kind::Removed => of_send(format!("{word}; {}", wait())),
            Kind::Lost => of_send(format!("worker {} crashed", self.worker)),
            Kind::Workers => {
                let (on, down) = (self.detail >> 32, self.detail & u64::from(u32::MAX));
                let pause = if self.word == Word::STALLED {
                    format!("; {word}")
                } else {
                    String::new()
                };
                format!("{on} on duty, {down} down{pause}")
            }
            Kind::Breaker => format!("{} → {word}", self.more.name().words),
            Kind::InterventionStarted | Kind::InterventionEnded => {
                format!("entry {} of the timeline", self.detail + 1)
            }
        }
    }
}

const fn known(number: u32) -> Option<u32> {
    if number == NOBODY { None } else { Some(number) }
}

/// A length of time as people read it: in milliseconds below a second.
#[must_use]
pub fn time(span: Span) -> String {
    let seconds = span.seconds();
    if span.is_zero() {
        "0 s".to_owned()
    } else if seconds < 0.1 {
        format!("{:.2} ms", seconds * 1000.0)
    } else if seconds < 1.0 {
        format!("{:.1} ms", seconds * 1000.0)
    } else if seconds < 100.0 {
        format!("{seconds:.2} s")
    } else {
        format!("{seconds:.0} s")
    }
}

/// Keeps the latest records and the slowest requests of a run.
pub struct Records {
    ring: Box<[Record]>,
    /// Where the next record goes.
    head: usize,
    /// Records there have been.
    written: u64,
    /// Kinds there have been, as a set.
    occurred: u32,
    /// Whether requests end by being settled.
    settles: bool,
    slowest: Vec<Slow>,
    /// A request that took less is not one of the slowest.
    floor: Span,
    /// Up to this record those of the slowest requests have been copied.
    gathered: u64,
    /// At this record they are copied again, before any is overwritten.
    due: u64,
}

/// One of the slowest requests that have ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Slowest {
    /// Its number.
    pub request: u64,
    /// How long it took, from its creation to its end.
    pub took: Span,
    /// How it ended: a failure mode, or the reason for which it was taken out of the queue.
    pub outcome: Word,
    /// How often it was sent; none where there are no client policies.
    pub sends: Option<u32>,
    /// Its life, if all of it is on hand.
    pub life: Option<Life>,
}

/// What is kept of it.
struct Slow {
    number: u64,
    took: Span,
    outcome: Word,
    sends: Option<u32>,
    /// Its records up to [`Records::gathered`], if it was known by then.
    records: Option<Vec<Record>>,
}

impl Records {
    /// Keeps the latest `most` records of a run of this profile: at least 1, at most
    /// [`MOST_RECORDS`].
    #[must_use]
    pub fn new(profile: &Profile, most: usize) -> Self {
        let most = most.clamp(1, MOST_RECORDS);
        Self {
            ring: vec![Record::BLANK; most].into_boxed_slice(),
            head: 0,
            written: 0,
            occurred: 0,
            settles: profile.has_clients(),
            slowest: Vec::with_capacity(SLOWEST + 1),
            floor: Span::ZERO,
            gathered: 0,
            due: (most as u64).div_ceil(2),
        }
    }

    /// Has these records see every event of a run.
    #[must_use]
    pub fn observer(records: &Rc<RefCell<Self>>) -> Observer {
        let records = Rc::clone(records);
        Box::new(move |event| records.borrow_mut().fold(event))
    }

    /// Takes note of an event.
    #[inline]
    pub fn fold(&mut self, event: &Event<'_>) {
        let record = Record::of(event);
        self.ring[self.head] = record;
        self.head += 1;
        if self.head == self.ring.len() {
            self.head = 0;
        }
        self.written += 1;
        self.occurred |= record.kind.bit();
        let ended = match event.fact {
            Fact::Settled { request, .. } => Some(request),
            Fact::Completed { request, .. }
            | Fact::Removed { request, .. }
            | Fact::Lost { request, .. }
                if !self.settles =>
            {
                Some(request)
            }
            _ => None,
        };
        if let Some(request) = ended {
            let took = event.at - request.created;
            if took >= self.floor {
                self.rank(&record, took);
            }
        }
        if self.written == self.due {
            self.gather();
        }
    }

    /// A request has ended that may be one of the slowest.
    #[cold]
    fn rank(&mut self, end: &Record, took: Span) {
        // Of equally slow ones, whoever ended first comes first.
        let place = self.slowest.partition_point(|slow| slow.took >= took);
        let slow = Slow {
            number: end.request,
            took,
            outcome: end.word,
            sends: end.sends(),
            records: None,
        };
        self.slowest.insert(place, slow);
        self.slowest.truncate(SLOWEST);
        if self.slowest.len() == SLOWEST {
            let least = self.slowest[SLOWEST - 1].took;
            self.floor = Span::from_nanos(least.nanos() + 1);
        }
    }

    /// Copies the records of the slowest requests, before the ring forgets them.
    #[cold]
    fn gather(&mut self) {
        let gathered = self.gathered;
        let mut slowest = std::mem::take(&mut self.slowest);
        let is_new = slowest.iter().any(|slow| slow.records.is_none());
        let from = if is_new { self.oldest() } else { gathered };
        let known: Vec<_> = slowest.iter().map(|slow| slow.records.is_some()).collect();
        let numbers: Vec<_> = slowest.iter().map(|slow| slow.number).collect();
        let set = numbers.iter().fold(0_u64, |set, number| set | bit(*number));
        for (sequence, record) in self.since(from) {
            if set & bit(record.request) == 0 {
                continue;
            }
            let Some(place) = numbers.iter().position(|&number| number == record.request) else {
                continue;
            };
            // What was copied before is not copied again.
            if known[place] && sequence < gathered {
                continue;
            }
            let copy = slowest[place].records.get_or_insert_default();
            if copy.len() < MOST_OF_ONE {
                copy.push(*record);
            }
        }
        self.slowest = slowest;
        self.gathered = self.written;
        self.due = self.written + (self.ring.len() as u64 / 2).max(1);
    }

    /// Records there have been.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written
    }

    /// The first record that is kept.
    #[must_use]
    pub fn oldest(&self) -> u64 {
        self.written.saturating_sub(self.ring.len() as u64)
    }

    /// Kinds there have been, as a set of [`Kind::bit`].
    #[must_use]
    pub fn occurred(&self) -> u32 {
        self.occurred
    }

    /// A record that is kept, by its place in the event stream, from 0.
    ///
    /// # Panics
    ///
    /// If it is not kept any more, or not yet.
    #[must_use]
    pub fn at(&self, sequence: u64) -> Record {
        assert!(
            (self.oldest()..self.written).contains(&sequence),
            "record {sequence} is not kept"
        );
        let length = self.ring.len() as u64;
        self.ring[(sequence % length) as usize]
    }

    /// The records from one that is kept to the latest, each with its place in the event stream.
    fn since(&self, from: u64) -> impl Iterator<Item = (u64, &Record)> {
        let (newer, older) = self.ring.split_at(self.head);
        // A ring that is not full has nothing behind its head yet.
        let is_full = self.written >= self.ring.len() as u64;
        let older = if is_full { older } else { &[] };
        let skipped = (from - self.oldest()) as usize;
        let records = older.iter().chain(newer).skip(skipped);
        (from..).zip(records)
    }

    /// The life of a request as of `now`, if all of it is on hand.
    #[must_use]
    pub fn life(&self, number: u64, profile: &Profile, now: Instant) -> Option<Life> {
        Life::new(&self.of(number), profile, now)
    }

    /// All records of a request that are on hand, in order.
    fn of(&self, number: u64) -> Vec<Record> {
        let slow = self.slowest.iter().find(|slow| slow.number == number);
        let copied = slow.and_then(|slow| slow.records.as_ref());
        let from = if copied.is_some() {
            self.gathered
        } else {
            self.oldest()
        };
        let mut records = copied.cloned().unwrap_or_default();
        let rest = self.since(from).map(|(_, record)| record);
        records.extend(rest.filter(|record| record.request == number));
        records
    }

    /// The slowest requests that have ended, the slowest first.
    #[must_use]
    pub fn slowest(&self, profile: &Profile, now: Instant) -> Vec<Slowest> {
        self.slowest
            .iter()
            .map(|slow| Slowest {
                request: slow.number,
                took: slow.took,
                outcome: slow.outcome,
                sends: slow.sends,
                life: self.life(slow.number, profile, now),
            })
            .collect()
    }
}

/// Its place in a set that tells most requests apart.
#[inline]
const fn bit(number: u64) -> u64 {
    1 << (number % 64)
}

/// Which records are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only these kinds, as a set of [`Kind::bit`]; 0 for all.
    pub kinds: u32,
    /// Only of this request.
    pub request: Option<u64>,
    /// Only of requests of this agent.
    pub agent: Option<u32>,
    /// Only failures.
    pub failures: bool,
    /// Only those that have this in their name or words, whatever the case.
    pub text: String,
}

/// A filtered list of the records that are kept, as a run goes on.
pub struct Selection {
    filter: Filter,
    text_kinds: u32,
    text_words: u64,
    /// Up to this record the list is made.
    seen: u64,
    sequences: VecDeque<u64>,
}

impl Selection {
    /// The records that pass this filter.
    #[must_use]
    pub fn new(filter: Filter) -> Self {
        let text = filter.text.trim().to_lowercase();
        let matches = |name: &Name| {
            name.name.to_lowercase().contains(&text) || name.words.to_lowercase().contains(&text)
        };
        let kinds = KINDS.iter().enumerate().filter(|(_, name)| matches(name));
        let words = WORDS.iter().enumerate().skip(1);
        let words = words.filter(|(_, name)| matches(name));
        Self {
            text_kinds: kinds.fold(0, |set, (index, _)| set | 1 << index),
            text_words: words.fold(0, |set, (index, _)| set | 1 << index),
            filter,
            seen: 0,
            sequences: VecDeque::new(),
        }
    }

    /// The filter.
    #[must_use]
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Brings the list up to date: drops what is not kept any more, adds what is new.
    pub fn follow(&mut self, records: &Records) {
        let oldest = records.oldest();
        while self.sequences.front().is_some_and(|&first| first < oldest) {
            self.sequences.pop_front();
        }
        for (sequence, record) in records.since(self.seen.max(oldest)) {
            if self.takes(record) {
                self.sequences.push_back(sequence);
            }
        }
        self.seen = records.written();
    }

    fn takes(&self, record: &Record) -> bool {
        let filter = &self.filter;
        let is = |wanted: Option<u64>, found: Option<u64>| wanted.is_none() || wanted == found;
        (filter.kinds == 0 || filter.kinds & record.kind.bit() != 0)
            && is(filter.request, record.request())
            && is(filter.agent.map(u64::from), record.agent().map(u64::from))
            && (!filter.failures || record.is_failure())
            && (self.text_kinds & record.kind.bit() != 0
                || self.text_words & (record.word.bit() | record.more.bit()) != 0)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sequences.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sequences.is_empty()
    }

    /// How many of them come before a place in the event stream.
    #[must_use]
    pub fn before(&self, sequence: u64) -> usize {
        self.sequences.partition_point(|&one| one < sequence)
    }

    /// Rows of the list, as places in the event stream; what lies beyond the list is left out.
    pub fn rows(&self, from: usize, to: usize) -> impl Iterator<Item = u64> + '_ {
        let to = to.min(self.len());
        self.sequences.range(from.min(to)..to).copied()
    }
}
