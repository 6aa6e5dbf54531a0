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

use std::collections::VecDeque;

use crate::event::{Crew, Event, Fact, Fault, Step};
use crate::profile::Profile;
use crate::request::Request;
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

/// A record of the event stream in four numbers, half a cache line long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// When.
    pub at: Instant,
    /// The number of the request; [`NO_REQUEST`](Self::NO_REQUEST) if it is about none.
    request: u64,
    /// From the lowest byte on: kind, word, send, a further word, and in the upper half the agent.
    tag: u64,
    /// What else belongs to the kind: a length in nanoseconds, a number, or two of them ([`two`]).
    detail: u64,
}

const NOBODY: u32 = u32::MAX;

/// Two numbers in one.
#[inline(always)]
const fn two(first: u32, second: u32) -> u64 {
    (first as u64) << 32 | second as u64
}

#[inline(always)]
const fn tag(kind: Kind, word: Word) -> u64 {
    kind as u64 | (word.number() as u64) << 8
}

/// Which send of a request, and the agent that waits for it, as parts of a tag.
#[inline(always)]
fn about(request: &Request) -> u64 {
    let agent = request.sender.waiting_agent().unwrap_or(NOBODY);
    two(agent, 0) | u64::from(request.attempt) << 16
}

impl Record {
    const NO_REQUEST: u64 = u64::MAX;
    const BLANK: Self = Self {
        at: Instant::ZERO,
        request: Self::NO_REQUEST,
        tag: 0,
        detail: 0,
    };

    /// The record of an event.
    #[inline(always)]
    #[must_use]
    pub fn of(event: &Event<'_>) -> Self {
        let (request, tag, detail) = match event.fact {
            Fact::Created(request) => (request, tag(Kind::Created, Word::class(request.class)), 0),
            Fact::Admitted { request, waiting } => {
                (request, tag(Kind::Admitted, Word::NONE), two(0, waiting))
            }
            Fact::Started {
                request,
                worker,
                waiting,
            } => (
                request,
                tag(Kind::Started, Word::NONE),
                two(worker, waiting),
            ),
            Fact::Throttled { request, mode } => {
                (request, tag(Kind::Throttled, Word::mode(mode)), 0)
            }
            Fact::Completed {
                request, outcome, ..
            } => {
                let took = event.at - request.created;
                (
                    request,
                    tag(Kind::Completed, Word::mode(outcome)),
                    took.nanos(),
                )
            }
            _ => return Self::of_mechanism(event),
        };
        Self {
            at: event.at,
            request: request.number,
            tag: tag | about(request),
            detail,
        }
    }

    /// The record of a mechanism that is off in most profiles.
    #[inline(never)]
    fn of_mechanism(event: &Event<'_>) -> Self {
        let mut more = Word::NONE;
        let (word, detail) = match event.fact {
            Fact::Fault { fault, .. } => match fault {
                Fault::Spike(by) => (Word::SPIKE, by.nanos()),
                Fault::Pause(by) => (Word::PAUSE, by.nanos()),
                Fault::Error => (Word::ERROR, 0),
                Fault::Downstream(mode) => (Word::mode(mode), 0),
            },
            Fact::Transition { from, to, rule } => {
                more = Word::state(from);
                (Word::state(to), u64::from(Word::rule(rule).number()))
            }
            Fact::Adapted { delay } => (Word::THROTTLE, delay.nanos()),
            Fact::Resized { resource, to } => (Word::resource(resource), u64::from(to)),
            Fact::Attempt { step, .. } => match step {
                Step::Sent(sending) => (Word::sending(sending), 0),
                Step::Dropped(leg) => (Word::leg(leg), 0),
                Step::Answered(mode) | Step::TimedOut(mode) => (Word::mode(mode), 0),
                Step::ShortCircuited | Step::Arrived | Step::Cancelled => (Word::NONE, 0),
            },
            Fact::Settled {
                request, outcome, ..
            } => {
                let took = event.at - request.created;
                (Word::mode(outcome), took.nanos())
            }
            Fact::Removed { why, waiting, .. } => (Word::removal(why), two(0, waiting)),
            Fact::Lost {
                worker, outcome, ..
            } => (Word::mode(outcome), two(worker, 0)),
            Fact::Workers(Crew { on, down, stalled }) => {
                let word = if stalled { Word::STALLED } else { Word::NONE };
                (word, two(on, down))
            }
            Fact::Breaker { from, to } => {
                more = Word::breaker(from);
                (Word::breaker(to), 0)
            }
            Fact::Intervened { index, .. } => (Word::NONE, u64::from(index)),
            Fact::Created(_)
            | Fact::Admitted { .. }
            | Fact::Started { .. }
            | Fact::Throttled { .. }
            | Fact::Completed { .. }
            | Fact::Blocked(_) => (Word::NONE, 0),
        };
        let request = event.fact.request();
        let mut about = request.map_or(two(NOBODY, 0), about);
        if let Fact::Settled { attempts, .. } = event.fact {
            // Sends are numbered in a byte, so that their number fits into one.
            about |= u64::from(attempts & 0xff) << 16;
        }
        Self {
            at: event.at,
            request: request.map_or(Self::NO_REQUEST, |request| request.number),
            tag: tag(Kind::of(&event.fact), word) | u64::from(more.number()) << 24 | about,
            detail,
        }
    }

    /// What came about.
    #[inline]
    #[must_use]
    pub const fn kind(&self) -> Kind {
        Kind::ALL[(self.tag & 0xff) as usize]
    }

    /// What it says beside that: a failure mode, a reason, a class …
    #[inline]
    #[must_use]
    pub const fn word(&self) -> Word {
        Word::numbered((self.tag >> 8) as u8)
    }

    /// What else it says: from which state.
    const fn more(&self) -> Word {
        Word::numbered((self.tag >> 24) as u8)
    }

    const fn byte(&self) -> u8 {
        (self.tag >> 16) as u8
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
        match (self.tag >> 32) as u32 {
            NOBODY => None,
            agent => Some(agent),
        }
    }

    /// Which send of the request it is about, from 0.
    #[must_use]
    pub const fn attempt(&self) -> u8 {
        match self.kind() {
            Kind::Settled => 0,
            _ => self.byte(),
        }
    }

    /// The worker that takes the request, or crashes.
    #[must_use]
    pub const fn worker(&self) -> Option<u32> {
        match self.kind() {
            Kind::Started | Kind::Lost => Some(self.first()),
            _ => None,
        }
    }

    /// How many requests wait in the queue from then on, where it says so.
    #[must_use]
    pub const fn waiting(&self) -> Option<u32> {
        match self.kind() {
            Kind::Admitted | Kind::Started | Kind::Removed => Some(self.second()),
            _ => None,
        }
    }

    /// How often the request was sent, of the record that it was settled.
    #[must_use]
    pub const fn sends(&self) -> Option<u32> {
        match self.kind() {
            Kind::Settled => Some(self.byte() as u32),
            _ => None,
        }
    }

    const fn first(&self) -> u32 {
        (self.detail >> 32) as u32
    }

    const fn second(&self) -> u32 {
        self.detail as u32
    }

    /// A length: of a spike or pause, of the throttle's delay, or of the time since the request was
    /// created or sent.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        let timed = match self.kind() {
            Kind::Completed | Kind::Settled => true,
            Kind::Fault => self.word() == Word::SPIKE || self.word() == Word::PAUSE,
            Kind::Adapted => self.word() == Word::THROTTLE,
            _ => false,
        };
        timed.then(|| Span::from_nanos(self.detail))
    }

    /// Whether it tells of a failure.
    #[must_use]
    pub const fn is_failure(&self) -> bool {
        match self.kind() {
            Kind::Throttled
            | Kind::ShortCircuited
            | Kind::Dropped
            | Kind::TimedOut
            | Kind::Removed
            | Kind::Lost => true,
            Kind::Completed | Kind::Settled | Kind::Answered => self.word().is_bad(),
            Kind::Fault => self.word().is_bad() || self.word().number() == Word::ERROR.number(),
            _ => false,
        }
    }

    /// What it says beside its kind, in words.
    #[must_use]
    pub fn what(&self) -> String {
        let word = self.word().name().words;
        let send = || format!("send {}", u32::from(self.attempt()) + 1);
        let after = || time(Span::from_nanos(self.detail));
        let wait = || match self.second() {
            0 => "nobody waits".to_owned(),
            one => format!("{one} waiting"),
        };
        // Which send it is goes without saying where there is one.
        let of_send = |text: String| {
            if self.attempt() > 0 {
                format!("{}; {text}", send())
            } else {
                text
            }
        };
        match self.kind() {
            Kind::Created => word.to_owned(),
            Kind::Admitted => of_send(wait()),
            Kind::Throttled => of_send(word.to_owned()),
            Kind::Blocked => of_send("the queue is full".to_owned()),
            Kind::Started => of_send(format!("worker {}; {}", self.first(), wait())),
            Kind::Fault => of_send(match self.word() {
                Word::SPIKE => format!("latency spike, {} longer", after()),
                Word::PAUSE => format!("paused for {} in all", after()),
                Word::ERROR => "error in service".to_owned(),
                _ => format!("the dependency: {word}"),
            }),
            Kind::Completed => of_send(format!("{word} after {}", after())),
            Kind::Transition => format!(
                "{} → {word}, by {}",
                self.more().name().words,
                WORDS[self.detail as usize].words
            ),
            Kind::Adapted => match self.word() {
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
                let sends = match self.byte() {
                    1 => "1 send".to_owned(),
                    many => format!("{many} sends"),
                };
                format!("{word} after {sends}, {}", after())
            }
            Kind::Removed => of_send(format!("{word}; {}", wait())),
            Kind::Lost => of_send(format!("worker {} crashed", self.first())),
            Kind::Workers => {
                let (on, down) = (self.first(), self.second());
                let pause = if self.word() == Word::STALLED {
                    format!("; {word}")
                } else {
                    String::new()
                };
                format!("{on} on duty, {down} down{pause}")
            }
            Kind::Breaker => format!("{} → {word}", self.more().name().words),
            Kind::InterventionStarted | Kind::InterventionEnded => {
                format!("entry {} of the timeline", self.detail + 1)
            }
        }
    }
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

    /// Takes note of an event.
    #[inline(always)]
    pub fn fold(&mut self, event: &Event<'_>) {
        let Record {
            at,
            request,
            tag,
            detail,
        } = Record::of(event);
        self.push(at, request, tag, detail);
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
                self.rank(took);
            }
        }
    }

    // Four numbers go into a call as they are; the ring's bookkeeping is there once.
    #[inline(never)]
    fn push(&mut self, at: Instant, request: u64, tag: u64, detail: u64) {
        if self.written == self.due {
            self.gather();
        }
        self.ring[self.head] = Record {
            at,
            request,
            tag,
            detail,
        };
        self.occurred |= 1 << (tag & 0x1f);
        self.written += 1;
        self.head += 1;
        if self.head == self.ring.len() {
            self.head = 0;
        }
    }

    /// The request of the latest record has ended, and may be one of the slowest.
    #[cold]
    fn rank(&mut self, took: Span) {
        let end = self.at(self.written - 1);
        // Of equally slow ones, whoever ended first comes first.
        let rank = self.slowest.partition_point(|slow| slow.took >= took);
        let slow = Slow {
            number: end.request,
            took,
            outcome: end.word(),
            sends: end.sends(),
            records: None,
        };
        self.slowest.insert(rank, slow);
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
        self.gathered = self.written;
        self.due = self.written + (self.ring.len() as u64 / 2).max(1);
        let is_new = self.slowest.iter().any(|slow| slow.records.is_none());
        // Without client policies nothing comes after a request has ended.
        if !is_new && !self.settles {
            return;
        }
        let mut slowest = std::mem::take(&mut self.slowest);
        let from = if is_new { self.oldest() } else { gathered };
        let known: Vec<_> = slowest.iter().map(|slow| slow.records.is_some()).collect();
        let mut wanted = Set::default();
        for slow in &slowest {
            wanted.add(slow.number);
        }
        self.since(from).for_each(|(sequence, record)| {
            if !wanted.may_have(record.request) {
                return;
            }
            let place = slowest
                .iter()
                .position(|slow| slow.number == record.request);
            // What was copied before is not copied again.
            let Some(place) = place.filter(|&place| !known[place] || sequence >= gathered) else {
                return;
            };
            let copy = slowest[place].records.get_or_insert_default();
            if copy.len() < MOST_OF_ONE {
                copy.push(*record);
            }
        });
        self.slowest = slowest;
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

/// A set of a few requests that takes another for one of them now and then.
#[derive(Default)]
struct Set([u64; 16]);

impl Set {
    fn add(&mut self, number: u64) {
        self.0[(number / 64 % 16) as usize] |= 1 << (number % 64);
    }

    #[inline]
    fn may_have(&self, number: u64) -> bool {
        self.0[(number / 64 % 16) as usize] >> (number % 64) & 1 == 1
    }
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
        let text = filter.text.trim().to_ascii_lowercase();
        let matches = |name: &Name| {
            name.name.to_ascii_lowercase().contains(&text)
                || name.words.to_ascii_lowercase().contains(&text)
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
        (filter.kinds == 0 || filter.kinds & record.kind().bit() != 0)
            && is(filter.request, record.request())
            && is(filter.agent.map(u64::from), record.agent().map(u64::from))
            && (!filter.failures || record.is_failure())
            && (self.text_kinds & record.kind().bit() != 0
                || self.text_words & (record.word().bit() | record.more().bit()) != 0)
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
