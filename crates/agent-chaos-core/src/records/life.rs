//! The life of a request, read from its records: what it waited for, and how long.
//!
//! ```text
//! created ─► [between sends] ─► sent ─► connection, network ─► entrance ─► queue ─► service ─► network ─► answered
//!                  ▲                                                                              │
//!                  └──────────────────────────── failed, or timed out ◄───────────────────────────┘
//! ```
//!
//! The phases of a request from its creation to its end add up to exactly the time between: where
//! several sends are under way at once, the one that is furthest on counts. What the server does
//! for a send that its client has given up counts as done in vain, and not into the request's time.

use super::{Kind, Record, Word, time};
use crate::profile::{Profile, WhenFull};
use crate::request::FailureMode;
use crate::units::{Instant, Span};

/// What a request, or a send of it, is at. Of several, the later one is further on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Phase {
    /// Nothing is under way: the client waits before it sends again.
    Between = 0,
    /// The message was lost, or dropped in silence: the client waits for what will not come.
    Unanswered = 1,
    /// No connection is free.
    Connection = 2,
    /// Waits for a connection, then is on its way; the records do not tell which.
    ConnectionAndNetwork = 3,
    /// On its way there, or back.
    Network = 4,
    /// The queue is full, and its sender waits for a place.
    Entrance = 5,
    /// In the queue.
    Queue = 6,
    /// A worker serves it.
    Service = 7,
}

/// How many phases there are.
pub const PHASES: usize = 8;

/// What a phase is a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Waiting.
    Waiting,
    /// On its way.
    Network,
    /// Being served.
    Service,
}

impl Phase {
    /// All of them, by their numbers.
    pub const ALL: [Self; PHASES] = [
        Self::Between,
        Self::Unanswered,
        Self::Connection,
        Self::ConnectionAndNetwork,
        Self::Network,
        Self::Entrance,
        Self::Queue,
        Self::Service,
    ];

    /// The name for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Between => "between",
            Self::Unanswered => "unanswered",
            Self::Connection => "connection",
            Self::ConnectionAndNetwork => "connection_and_network",
            Self::Network => "network",
            Self::Entrance => "entrance",
            Self::Queue => "queue",
            Self::Service => "service",
        }
    }

    /// The words for people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Between => "between sends",
            Self::Unanswered => "waiting for an answer that will not come",
            Self::Connection => "waiting for a connection",
            Self::ConnectionAndNetwork => "waiting for a connection, and on the way",
            Self::Network => "on the way",
            Self::Entrance => "waiting at the entrance",
            Self::Queue => "waiting in the queue",
            Self::Service => "in service",
        }
    }

    /// What it is a part of.
    #[must_use]
    pub const fn part(self) -> Part {
        match self {
            Self::Service => Part::Service,
            Self::Network => Part::Network,
            Self::Between
            | Self::Unanswered
            | Self::Connection
            | Self::ConnectionAndNetwork
            | Self::Entrance
            | Self::Queue => Part::Waiting,
        }
    }
}

impl Part {
    /// The name for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Network => "network",
            Self::Service => "service",
        }
    }
}

/// A stretch of time in one phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Which.
    pub phase: Phase,
    /// From this moment …
    pub from: Instant,
    /// … to this one.
    pub to: Instant,
    /// Whether its client had given it up by then.
    pub in_vain: bool,
}

/// One send of a request; where there are no client policies, its only way through the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its number, from 0.
    pub number: u8,
    /// Why it was sent: `first`, `retry` or `hedge`; [`Word::NONE`] where nothing is sent.
    pub sending: Word,
    /// When it began.
    pub from: Instant,
    /// When it ended for its client; none while it is under way.
    pub ended: Option<Instant>,
    /// How it ended: a failure mode, or [`Word::NONE`] of one that was needed no more or is under way.
    pub outcome: Word,
    /// By which record it ended for its client.
    pub end: Option<Kind>,
    /// Who served it.
    pub worker: Option<u32>,
    /// How long its service was paused.
    pub paused: Span,
    /// How much longer a latency spike made its service.
    pub spiked: Span,
    /// What it was at, in order; stretches of no length are left out.
    pub segments: Vec<Segment>,
    /// What it is at, since when.
    at: Option<(Phase, Instant)>,
    arrived: bool,
    /// The server has nothing more to do with it, and never will have.
    is_through: bool,
}

/// The life of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Life {
    /// Its number.
    pub request: u64,
    /// The agent that waits for the answer, if one does.
    pub agent: Option<u32>,
    /// Light or heavy.
    pub class: Word,
    /// When it was created.
    pub created: Instant,
    /// When it ended; none while it is under way.
    pub ended: Option<Instant>,
    /// How it ended; [`Word::NONE`] while it is under way.
    pub outcome: Word,
    /// How long it has taken, from its creation to its end or to now.
    pub took: Span,
    /// How often it was sent; none where there are no client policies.
    pub sends: Option<u32>,
    /// Whether nothing can come any more.
    pub is_over: bool,
    /// How long it was in each phase, by their numbers: together, as long as it took.
    pub split: [Span; PHASES],
    /// Its sends.
    pub attempts: Vec<Attempt>,
    /// Its records.
    pub steps: Vec<Record>,
    /// In a sentence.
    pub words: String,
}

/// What of the profile decides how records are read.
struct Rules {
    clients: bool,
    network: bool,
    pool: bool,
    drops_in_silence: bool,
}

impl Life {
    /// How long it was waiting, on its way or in service: together, as long as it took.
    #[must_use]
    pub fn part(&self, part: Part) -> Span {
        let phases = Phase::ALL.into_iter().zip(self.split);
        let own = phases.filter(|(phase, _)| phase.part() == part);
        Span::from_nanos(own.map(|(_, span)| span.nanos()).sum())
    }

    /// The life that these records tell of, as of `now`; none unless they begin with its creation.
    #[must_use]
    pub fn new(steps: &[Record], profile: &Profile, now: Instant) -> Option<Self> {
        let created = steps
            .first()
            .filter(|first| first.kind() == Kind::Created)?;
        let network = profile.network.as_ref();
        let rules = Rules {
            clients: profile.has_clients(),
            network: network.is_some(),
            pool: network.is_some_and(|network| network.pool.is_some()),
            drops_in_silence: profile.queue.when_full == WhenFull::Drop,
        };
        let mut life = Self {
            request: created.request()?,
            agent: created.agent(),
            class: created.word(),
            created: created.at,
            ended: None,
            outcome: Word::NONE,
            took: Span::ZERO,
            sends: rules.clients.then_some(0),
            is_over: false,
            split: [Span::ZERO; PHASES],
            attempts: Vec::new(),
            steps: steps.to_vec(),
            words: String::new(),
        };
        if !rules.clients {
            life.attempts
                .push(Attempt::new(created, Word::NONE, &rules));
        }
        for step in steps {
            life.read(step, &rules);
        }
        let until = life.ended.unwrap_or(now.max(created.at));
        life.took = until - life.created;
        for attempt in &mut life.attempts {
            attempt.leave_open(now);
        }
        let through = |attempt: &Attempt| attempt.ended.is_some() && attempt.is_through;
        life.is_over = life.ended.is_some() && life.attempts.iter().all(through);
        life.add_up(until);
        life.words = life.describe();
        Some(life)
    }

    fn read(&mut self, step: &Record, rules: &Rules) {
        match step.kind() {
            Kind::Settled => {
                self.ended = Some(step.at);
                self.outcome = step.word();
                self.sends = step.sends();
            }
            Kind::Sent => {
                self.sends = self.sends.map(|sends| sends + 1);
                self.attempts.push(Attempt::new(step, step.word(), rules));
            }
            Kind::ShortCircuited => {
                // It has the number that the next send will have, so it is never looked up.
                let mut refused = Attempt::new(step, Word::NONE, rules);
                refused.at = None;
                refused.is_through = true;
                refused.end(step, Word::mode(FailureMode::CircuitOpen));
                self.attempts.push(refused);
            }
            _ => {
                let mut attempts = self.attempts.iter_mut().rev();
                let own = attempts.find(|attempt| {
                    attempt.number == step.attempt() && attempt.end != Some(Kind::ShortCircuited)
                });
                if let Some(attempt) = own {
                    attempt.read(step, rules);
                    if !rules.clients && self.ended.is_none() {
                        self.ended = attempt.ended;
                        self.outcome = attempt.outcome;
                    }
                }
            }
        }
    }

    /// Adds up how long it was in each phase until it ended, or until now.
    fn add_up(&mut self, until: Instant) {
        let counted: Vec<_> = self
            .attempts
            .iter()
            .flat_map(|attempt| &attempt.segments)
            .filter(|segment| !segment.in_vain)
            .collect();
        let mut moments: Vec<_> = counted
            .iter()
            .flat_map(|segment| [segment.from, segment.to])
            .chain([self.created, until])
            .map(|moment| moment.clamp(self.created, until).nanos())
            .collect();
        moments.sort_unstable();
        moments.dedup();
        for pair in moments.windows(2) {
            let (from, to) = (Instant::from_nanos(pair[0]), Instant::from_nanos(pair[1]));
            let under_way = counted
                .iter()
                .filter(|segment| segment.from <= from && to <= segment.to);
            let furthest = under_way.map(|segment| segment.phase).max();
            let place = &mut self.split[furthest.unwrap_or(Phase::Between) as usize];
            *place = Span::from_nanos(place.nanos() + (to - from).nanos());
        }
    }

    fn describe(&self) -> String {
        let took = time(self.took);
        let mode = self.outcome.name().words;
        let sends = match self.sends {
            None => String::new(),
            Some(0) => " without being sent".to_owned(),
            Some(1) => " after 1 send".to_owned(),
            Some(many) => format!(" after {many} sends"),
        };
        if self.ended.is_none() {
            let phase = self
                .attempts
                .iter()
                .filter_map(|attempt| attempt.segments.last())
                .filter(|segment| !segment.in_vain)
                .filter(|segment| segment.to == self.created + self.took)
                .map(|segment| segment.phase)
                .max();
            let phase = phase.unwrap_or(if self.attempts.len() > 1 || self.sends.is_some() {
                Phase::Between
            } else {
                Phase::Queue
            });
            return format!("Under way for {took}: {}.", phase.words());
        }
        if !self.outcome.is_bad() {
            return format!("Answered well{sends}, {took} from its creation.");
        }
        let last = self.attempts.last().and_then(|attempt| attempt.end);
        match (self.sends, last) {
            (None, Some(Kind::Throttled)) if self.took.is_zero() => {
                format!("Turned away at once: {mode}.")
            }
            (None, Some(Kind::Removed)) => {
                format!("Taken out of the queue unserved, {took} from its creation: {mode}.")
            }
            (None, Some(Kind::Lost)) => {
                format!("Lost when its worker crashed, {took} from its creation.")
            }
            _ => format!("Failed{sends}, {took} from its creation: {mode}."),
        }
    }
}

impl Attempt {
    /// How it ended, in words.
    #[must_use]
    pub fn words(&self) -> String {
        let mode = self.outcome.name().words;
        let good = !self.outcome.is_bad();
        match self.end {
            None => "under way".to_owned(),
            Some(Kind::Answered) if good => "answered well".to_owned(),
            Some(Kind::Answered) => format!("answered: {mode}"),
            Some(Kind::TimedOut) => format!("timed out: {mode}"),
            Some(Kind::Cancelled) => "needed no more".to_owned(),
            Some(Kind::ShortCircuited) => format!("not sent: {mode}"),
            Some(Kind::Throttled) => format!("turned away: {mode}"),
            Some(Kind::Removed) => format!("taken out of the queue: {mode}"),
            Some(Kind::Lost) => "lost when its worker crashed".to_owned(),
            Some(_) if good => "served well".to_owned(),
            Some(_) => format!("failed: {mode}"),
        }
    }

    fn new(step: &Record, sending: Word, rules: &Rules) -> Self {
        let phase = if rules.pool {
            Some(Phase::ConnectionAndNetwork)
        } else if rules.clients {
            Some(Phase::Network)
        } else {
            None
        };
        Self {
            number: step.attempt(),
            sending,
            from: step.at,
            ended: None,
            outcome: Word::NONE,
            end: None,
            worker: None,
            paused: Span::ZERO,
            spiked: Span::ZERO,
            segments: Vec::new(),
            at: phase.map(|phase| (phase, step.at)),
            // Where nothing is sent, it is with the server from the start.
            arrived: !rules.clients,
            is_through: false,
        }
    }

    fn read(&mut self, step: &Record, rules: &Rules) {
        let (at, back) = (step.at, rules.network.then_some(Phase::Network));
        match step.kind() {
            Kind::Arrived => {
                self.go(None, at);
                self.arrived = true;
            }
            Kind::Blocked => self.go(Some(Phase::Entrance), at),
            Kind::Admitted => self.go(Some(Phase::Queue), at),
            Kind::Started => {
                self.go(Some(Phase::Service), at);
                self.worker = step.worker();
            }
            Kind::Fault => match (step.word(), step.span()) {
                (Word::PAUSE, Some(by)) => self.paused = by,
                (Word::SPIKE, Some(by)) => self.spiked = by,
                _ => {}
            },
            Kind::Throttled => {
                let overflow = step.word() == Word::mode(FailureMode::QueueOverflow);
                let silent = rules.clients && rules.drops_in_silence && overflow;
                self.go(
                    if silent {
                        Some(Phase::Unanswered)
                    } else {
                        back
                    },
                    at,
                );
                self.served(step, rules);
            }
            Kind::Completed | Kind::Lost | Kind::Removed => {
                self.go(back, at);
                self.served(step, rules);
            }
            Kind::Dropped if step.word().name().name == "request" => {
                // A message is lost when it is sent off: until then it had no connection.
                self.call_it(Phase::ConnectionAndNetwork, Phase::Connection);
                self.go(Some(Phase::Unanswered), at);
                self.is_through = true;
            }
            Kind::Dropped => self.go(Some(Phase::Unanswered), at),
            Kind::Answered => {
                if step.word() == Word::mode(FailureMode::PoolExhausted) {
                    self.call_it(Phase::ConnectionAndNetwork, Phase::Connection);
                }
                self.go(None, at);
                // Without having arrived it never will: no connection, or a reset one.
                self.is_through |= !self.arrived;
                self.end(step, step.word());
            }
            Kind::TimedOut => self.give_up(step, step.word()),
            Kind::Cancelled => self.give_up(step, Word::NONE),
            _ => {}
        }
    }

    /// The server is done with it; without client policies that is its end.
    fn served(&mut self, step: &Record, rules: &Rules) {
        self.is_through = true;
        if !rules.clients {
            let outcome = match step.kind() {
                Kind::Removed => Word::mode(removed(step.word())),
                _ => step.word(),
            };
            self.go(None, step.at);
            self.end(step, outcome);
        } else if self.ended.is_some() {
            // Its answer is thrown away.
            self.at = None;
        }
    }

    /// Its client waits no longer.
    fn give_up(&mut self, step: &Record, outcome: Word) {
        let phase = self.at.map(|(phase, _)| phase);
        self.go(phase, step.at);
        self.end(step, outcome);
        // What is with the server, or may be on its way there, goes on; nothing else does.
        if self.is_through {
            self.at = None;
        }
    }

    fn end(&mut self, step: &Record, outcome: Word) {
        if self.ended.is_none() {
            (self.ended, self.end, self.outcome) = (Some(step.at), Some(step.kind()), outcome);
        }
    }

    /// What it has been at since is called otherwise.
    fn call_it(&mut self, not: Phase, but: Phase) {
        if let Some((phase, _)) = &mut self.at
            && *phase == not
        {
            *phase = but;
        }
    }

    /// Is at something else from this moment on.
    fn go(&mut self, next: Option<Phase>, at: Instant) {
        if let Some((phase, since)) = self.at
            && since < at
        {
            self.segments.push(Segment {
                phase,
                from: since,
                to: at,
                in_vain: self.ended.is_some(),
            });
        }
        self.at = next.map(|phase| (phase, at));
    }

    /// What it is at goes on beyond this moment.
    fn leave_open(&mut self, now: Instant) {
        // Whether a send that was given up on its way will arrive, nobody knows before it does.
        if self.ended.is_none() || self.arrived {
            self.go(self.at.map(|(phase, _)| phase), now);
        }
    }
}

/// The failure mode that goes with the reason for which a request was taken out.
fn removed(why: Word) -> FailureMode {
    use crate::event::Removal;
    let all = [
        Removal::Expired,
        Removal::Codel,
        Removal::TimedOut,
        Removal::Cancelled,
        Removal::LeftEntrance,
    ];
    let found = all.into_iter().find(|&one| Word::removal(one) == why);
    found.map_or(FailureMode::LatencyCascade, Removal::mode)
}
