//! What records are called: names for programs as in the event stream, and words for people.

use crate::detector::{Rule, State};
use crate::event::{Fact, Leg, Removal, Resource, Sending, Step};
use crate::policy::breaker::BreakerState;
use crate::request::{Class, FailureMode};

/// The kind of a record: one for each name in the event stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs, reason = "`NAMES` says in words what each of them is")]
pub enum Kind {
    Created,
    Admitted,
    Throttled,
    Blocked,
    Started,
    Fault,
    Completed,
    Transition,
    Adapted,
    Sent,
    ShortCircuited,
    Arrived,
    Dropped,
    Answered,
    TimedOut,
    Cancelled,
    Settled,
    Removed,
    Lost,
    Workers,
    Breaker,
    InterventionStarted,
    InterventionEnded,
}

/// A name for programs, and what people read instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name {
    /// As in the event stream.
    pub name: &'static str,
    /// For people.
    pub words: &'static str,
}

const fn name(name: &'static str, words: &'static str) -> Name {
    Name { name, words }
}

/// The kinds by their numbers.
pub const KINDS: [Name; 23] = [
    name("REQUEST_CREATED", "created"),
    name("REQUEST_ADMITTED", "let in"),
    name("QUEUE_THROTTLED", "turned away"),
    name("SENDER_BLOCKED", "waits at the entrance"),
    name("REQUEST_STARTED", "service begins"),
    name("FAULT_INJECTED", "fault"),
    name("REQUEST_COMPLETED", "service ends"),
    name("DETECTOR_TRANSITION", "state changes"),
    name("RESOURCE_ADAPTED", "resource adapted"),
    name("ATTEMPT_SENT", "sent"),
    name("ATTEMPT_REFUSED", "not sent"),
    name("ATTEMPT_ARRIVED", "reaches the server"),
    name("ATTEMPT_DROPPED", "lost by the network"),
    name("ATTEMPT_ANSWERED", "answered"),
    name("ATTEMPT_TIMED_OUT", "times out"),
    name("ATTEMPT_CANCELLED", "needed no more"),
    name("REQUEST_SETTLED", "settled"),
    name("REQUEST_REMOVED", "taken out of the queue"),
    name("REQUEST_LOST", "lost in a crash"),
    name("WORKERS_CHANGED", "workers change"),
    name("BREAKER_TRANSITION", "breaker changes"),
    name("INTERVENTION_STARTED", "intervention starts"),
    name("INTERVENTION_ENDED", "intervention ends"),
];

impl Kind {
    /// All of them, by their numbers.
    pub const ALL: [Self; KINDS.len()] = [
        Self::Created,
        Self::Admitted,
        Self::Throttled,
        Self::Blocked,
        Self::Started,
        Self::Fault,
        Self::Completed,
        Self::Transition,
        Self::Adapted,
        Self::Sent,
        Self::ShortCircuited,
        Self::Arrived,
        Self::Dropped,
        Self::Answered,
        Self::TimedOut,
        Self::Cancelled,
        Self::Settled,
        Self::Removed,
        Self::Lost,
        Self::Workers,
        Self::Breaker,
        Self::InterventionStarted,
        Self::InterventionEnded,
    ];

    /// The kind of a fact.
    #[inline]
    #[must_use]
    pub const fn of(fact: &Fact<'_>) -> Self {
        match fact {
            Fact::Created(_) => Self::Created,
            Fact::Admitted { .. } => Self::Admitted,
            Fact::Throttled { .. } => Self::Throttled,
            Fact::Blocked(_) => Self::Blocked,
            Fact::Started { .. } => Self::Started,
            Fact::Fault { .. } => Self::Fault,
            Fact::Completed { .. } => Self::Completed,
            Fact::Transition { .. } => Self::Transition,
            Fact::Adapted { .. } | Fact::Resized { .. } => Self::Adapted,
            Fact::Attempt { step, .. } => match step {
                Step::Sent(_) => Self::Sent,
                Step::ShortCircuited => Self::ShortCircuited,
                Step::Arrived => Self::Arrived,
                Step::Dropped(_) => Self::Dropped,
                Step::Answered(_) => Self::Answered,
                Step::TimedOut(_) => Self::TimedOut,
                Step::Cancelled => Self::Cancelled,
            },
            Fact::Settled { .. } => Self::Settled,
            Fact::Removed { .. } => Self::Removed,
            Fact::Lost { .. } => Self::Lost,
            Fact::Workers(_) => Self::Workers,
            Fact::Breaker { .. } => Self::Breaker,
            Fact::Intervened { starts: true, .. } => Self::InterventionStarted,
            Fact::Intervened { starts: false, .. } => Self::InterventionEnded,
        }
    }

    /// The name of the record, and the words for it.
    #[must_use]
    pub const fn name(self) -> Name {
        KINDS[self as usize]
    }

    /// Its place in a set of kinds.
    #[inline]
    #[must_use]
    pub const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// What a record says beside its kind: a failure mode, a reason, a class, a state …
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word(u8);

/// The words by their numbers.
pub const WORDS: [Name; 39] = [
    name("", ""),
    // Failure modes, in the order of their codes.
    name("NOMINAL_OPERATION", "good"),
    name("CONGESTION_FAILURE", "turned away, or dropped after a wait"),
    name("WORKER_STARVATION", "nobody could work"),
    name("QUEUE_OVERFLOW", "the queue was full"),
    name("LATENCY_CASCADE", "its client waited no longer"),
    name("FAULT_PROPAGATION_SPIKE", "a fault in service"),
    name("CIRCUIT_OPEN", "its client did not send it"),
    name("NETWORK_FAILURE", "reset, or no answer in time"),
    name("POOL_EXHAUSTED", "no connection became free"),
    // Classes.
    name("LIGHT", "light"),
    name("HEAVY", "heavy"),
    // Why a request is sent.
    name("first", "for the first time"),
    name("retry", "again, after a failure"),
    name("hedge", "a copy beside another"),
    // Ways through the network.
    name("request", "the request, on its way there"),
    name("answer", "the answer, on its way back"),
    // Why a request is taken out of the queue.
    name("expired", "its deadline had passed"),
    name("codel", "CoDel dropped it"),
    name("queue_timeout", "it had waited too long"),
    name("cancelled", "its client had withdrawn it"),
    name("left_entrance", "its client had left the entrance"),
    // Faults; that of a dependency is its failure mode.
    name("spike", "latency spike"),
    name("error", "error"),
    name("pause", "paused"),
    // What there is more or less of.
    name("throttle", "throttle"),
    name("workers", "workers wanted"),
    name("concurrency_limit", "concurrency limit"),
    // States of the detector.
    name("STABLE", "STABLE"),
    name("DEGRADED", "DEGRADED"),
    name("COLLAPSED", "COLLAPSED"),
    // States of the breaker.
    name("CLOSED", "closed"),
    name("OPEN", "open"),
    name("HALF_OPEN", "half-open"),
    // Rules of the detector.
    name("queue_growth", "queue growth"),
    name("latency_growth", "latency growth"),
    name("saturation", "saturation"),
    name("recovered", "recovery"),
    // Crews.
    name("stalled", "all of them pause"),
];

impl Word {
    /// Nothing to say.
    pub const NONE: Self = Self(0);
    /// A latency spike.
    pub const SPIKE: Self = Self(22);
    /// An error in service.
    pub const ERROR: Self = Self(23);
    /// A pause.
    pub const PAUSE: Self = Self(24);
    /// The throttle.
    pub const THROTTLE: Self = Self(25);
    /// Every worker pauses.
    pub const STALLED: Self = Self(38);

    /// A failure mode, or that there was none.
    #[inline]
    #[must_use]
    pub const fn mode(mode: FailureMode) -> Self {
        Self(1 + mode as u8)
    }

    /// A class of requests.
    #[inline]
    #[must_use]
    pub const fn class(class: Class) -> Self {
        Self(10 + class as u8)
    }

    /// Why a request is sent.
    #[must_use]
    pub const fn sending(sending: Sending) -> Self {
        Self(12 + sending as u8)
    }

    /// A way through the network.
    #[must_use]
    pub const fn leg(leg: Leg) -> Self {
        Self(15 + leg as u8)
    }

    /// Why a request was taken out of the queue.
    #[must_use]
    pub const fn removal(why: Removal) -> Self {
        Self(17 + why as u8)
    }

    /// What a controller gives more or less of.
    #[must_use]
    pub const fn resource(resource: Resource) -> Self {
        Self(match resource {
            Resource::Workers => 26,
            Resource::ConcurrencyLimit => 27,
        })
    }

    /// A state of the detector.
    #[must_use]
    pub const fn state(state: State) -> Self {
        Self(match state {
            State::Stable => 28,
            State::Degraded => 29,
            State::Collapsed => 30,
        })
    }

    /// A state of the breaker.
    #[must_use]
    pub const fn breaker(state: BreakerState) -> Self {
        Self(match state {
            BreakerState::Closed => 31,
            BreakerState::Open => 32,
            BreakerState::HalfOpen => 33,
        })
    }

    /// A rule of the detector.
    #[must_use]
    pub const fn rule(rule: Rule) -> Self {
        Self(match rule {
            Rule::QueueGrowth => 34,
            Rule::LatencyGrowth => 35,
            Rule::Saturation => 36,
            Rule::Recovered => 37,
        })
    }

    /// The word of this number.
    #[inline]
    pub(super) const fn numbered(number: u8) -> Self {
        Self(number)
    }

    /// Its number.
    #[inline]
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// What it is called.
    #[must_use]
    pub const fn name(self) -> Name {
        WORDS[self.0 as usize]
    }

    /// Whether this is an outcome, and a bad one.
    #[inline]
    #[must_use]
    pub const fn is_bad(self) -> bool {
        self.0 > 1 && self.0 < 10
    }

    /// Its place in a set of words.
    #[inline]
    #[must_use]
    pub const fn bit(self) -> u64 {
        1 << self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_the_names_of_the_event_stream() {
        for (number, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, number);
        }
        for mode in FailureMode::ALL {
            assert_eq!(Word::mode(mode).name().name, mode.name());
            assert_eq!(Word::mode(mode).is_bad(), !mode.is_good());
        }
        for class in [Class::Light, Class::Heavy] {
            assert_eq!(Word::class(class).name().name, class.name());
        }
        for sending in [Sending::First, Sending::Retry, Sending::Hedge] {
            assert_eq!(Word::sending(sending).name().name, sending.name());
        }
        for why in [
            Removal::Expired,
            Removal::Codel,
            Removal::TimedOut,
            Removal::Cancelled,
            Removal::LeftEntrance,
        ] {
            assert_eq!(Word::removal(why).name().name, why.name());
        }
        for resource in [Resource::Workers, Resource::ConcurrencyLimit] {
            assert_eq!(Word::resource(resource).name().name, resource.name());
        }
        for state in [State::Stable, State::Degraded, State::Collapsed] {
            assert_eq!(Word::state(state).name().name, state.name());
        }
        for state in [
            BreakerState::Closed,
            BreakerState::Open,
            BreakerState::HalfOpen,
        ] {
            assert_eq!(Word::breaker(state).name().name, state.name());
        }
        for rule in [
            Rule::QueueGrowth,
            Rule::LatencyGrowth,
            Rule::Saturation,
            Rule::Recovered,
        ] {
            assert_eq!(Word::rule(rule).name().name, rule.name());
        }
        assert_eq!(Word::leg(Leg::Request).name().name, "request");
        assert_eq!(Word::leg(Leg::Answer).name().name, "answer");
        assert_eq!(Word::SPIKE.name().name, "spike");
        assert_eq!(Word::ERROR.name().name, "error");
        assert_eq!(Word::PAUSE.name().name, "pause");
        assert_eq!(Word::STALLED.name().name, "stalled");
        assert!(WORDS.len() <= 64, "a set of words fits into 64 bits");
    }
}
