//! The circuit breaker: a client stops asking a server that mostly fails, and probes it later.
//!
//! ```text
//!            failures ≥ ratio among the last calls (once there are enough)
//!   CLOSED ──────────────────────────────────────────────────────────────► OPEN
//!     ▲                                                                    ▲  │
//!     │ fewer failures                                                     │  │ the open time has
//!     │                            failures ≥ ratio among the probes       │  │ passed, and
//!     └───────────────── HALF-OPEN ────────────────────────────────────────┘  │ somebody asks
//!                            ▲                                                │
//!                            └────────────────────────────────────────────────┘
//! ```
//!
//! *Closed*: every call is allowed; the outcomes of the last `window_requests` are kept, and from
//! `min_requests` outcomes on the breaker opens as soon as the share of failures reaches
//! `failure_ratio`. *Open*: no call is allowed for `open_seconds`. *Half-open*: `half_open_probes`
//! calls are allowed, and no more until all of them are answered; then the share of failures among
//! them decides.
//!
//! An allowed call carries a [`Permit`], which goes back with its outcome. An answer to a call that
//! was allowed before the last transition says nothing about the state that came after it, and
//! counts nowhere. (In resilience4j such an answer counts as that of a probe.) resilience4j also
//! decides earlier than after the last probe where its minimum number of calls is smaller than the
//! number of probes.
//!
//! Source: resilience4j, `CircuitBreakerStateMachine` and `CircuitBreakerConfig`, count-based window,
//! without its slow-call rate; the pattern is from Nygard, *Release It!* (2007).

use crate::profile::Breaker;
use crate::units::{Instant, Ratio, Span};

/// What a breaker does with calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum BreakerState {
    /// It lets every call through.
    Closed = 0,
    /// It lets a few calls through, to see.
    HalfOpen = 1,
    /// It lets none through.
    Open = 2,
}

impl BreakerState {
    /// The name as reports write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "CLOSED",
            Self::HalfOpen => "HALF_OPEN",
            Self::Open => "OPEN",
        }
    }
}

/// The state before, and the state after.
pub type Transition = (BreakerState, BreakerState);

/// Allows one call; goes back by [`CircuitBreaker::record`] or [`CircuitBreaker::release`].
#[derive(Debug)]
#[must_use = "without its permit a half-open breaker waits for ever for this call's outcome"]
pub struct Permit {
    /// How many transitions had been made when it was given.
    era: u32,
}

/// A circuit breaker.
///
/// ```
/// use agent_chaos_core::policy::breaker::{BreakerState, CircuitBreaker};
/// use agent_chaos_core::profile::Breaker;
/// use agent_chaos_core::units::Instant;
///
/// let rules = Breaker { window_requests: 2, min_requests: 2, ..Breaker::default() };
/// let mut breaker = CircuitBreaker::new(&rules);
/// for second in 0..2 {
///     let now = Instant::from_seconds(f64::from(second));
///     let (permit, _) = breaker.allow(now);
///     breaker.record(now, permit.expect("a closed breaker allows every call"), false);
/// }
/// assert_eq!(breaker.state(), BreakerState::Open);
/// ```
#[derive(Clone, Debug)]
pub struct CircuitBreaker {
    failure_ratio: f64,
    min_requests: u32,
    open_for: Span,
    probes: u32,
    state: BreakerState,
    era: u32,
    /// While closed: the outcomes of the last calls.
    outcomes: Outcomes,
    /// While open: until when.
    open_until: Instant,
    /// While half-open: probes allowed, answered and failed.
    probing: Probing,
}

#[derive(Clone, Copy, Debug, Default)]
struct Probing {
    allowed: u32,
    answered: u32,
    failed: u32,
}

impl CircuitBreaker {
    /// A closed breaker that has seen no call.
    #[must_use]
    pub fn new(rules: &Breaker) -> Self {
        let window = rules.window_requests.max(1);
        Self {
            failure_ratio: rules.failure_ratio,
            min_requests: rules.min_requests.clamp(1, window),
            open_for: Span::from_seconds(rules.open_seconds),
            probes: rules.half_open_probes.max(1),
            state: BreakerState::Closed,
            era: 0,
            outcomes: Outcomes::new(window),
            open_until: Instant::ZERO,
            probing: Probing::default(),
        }
    }

    /// The state, as of the last call: an open breaker becomes half-open when somebody asks.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        self.state
    }

    /// Asks whether a call may be made now; if so, its permit. And the transition, if that made one.
    pub fn allow(&mut self, now: Instant) -> (Option<Permit>, Option<Transition>) {
        let transition = (self.state == BreakerState::Open && now >= self.open_until)
            .then(|| self.enter(BreakerState::HalfOpen, now));
        let allowed = match self.state {
            BreakerState::Closed => true,
            BreakerState::Open => false,
            BreakerState::HalfOpen => {
                let free = self.probing.allowed < self.probes;
                self.probing.allowed += u32::from(free);
                free
            }
        };
        (allowed.then_some(Permit { era: self.era }), transition)
    }

    /// Says what came of an allowed call; the transition, if that made one.
    pub fn record(&mut self, now: Instant, permit: Permit, success: bool) -> Option<Transition> {
        if permit.era != self.era {
            return None;
        }
        match self.state {
            // No permit is given while it is open.
            BreakerState::Open => None,
            BreakerState::Closed => {
                self.outcomes.push(success);
                let enough = self.outcomes.len >= self.min_requests;
                (enough && self.too_many(self.outcomes.failed, self.outcomes.len))
                    .then(|| self.enter(BreakerState::Open, now))
            }
            BreakerState::HalfOpen => {
                self.probing.answered += 1;
                self.probing.failed += u32::from(!success);
                (self.probing.answered >= self.probes).then(|| {
                    let failing = self.too_many(self.probing.failed, self.probing.answered);
                    let state = if failing {
                        BreakerState::Open
                    } else {
                        BreakerState::Closed
                    };
                    self.enter(state, now)
                })
            }
        }
    }

    /// Gives back the permit of a call that ended without an outcome that counts: it was cancelled,
    /// or never sent. Another probe may take its place.
    pub fn release(&mut self, permit: Permit) {
        if permit.era == self.era && self.state == BreakerState::HalfOpen {
            self.probing.allowed = self.probing.allowed.saturating_sub(1);
        }
    }

    fn too_many(&self, failed: u32, of: u32) -> bool {
        Ratio::of(failed.into(), of.into()).value() >= self.failure_ratio
    }

    fn enter(&mut self, state: BreakerState, now: Instant) -> Transition {
        let before = std::mem::replace(&mut self.state, state);
        self.era = self.era.wrapping_add(1);
        match state {
            BreakerState::Closed => self.outcomes.clear(),
            BreakerState::Open => self.open_until = now + self.open_for,
            BreakerState::HalfOpen => self.probing = Probing::default(),
        }
        (before, state)
    }
}

/// The last outcomes, one bit each.
#[derive(Clone, Debug)]
struct Outcomes {
    failures: Box<[u64]>,
    most: u32,
    len: u32,
    next: u32,
    failed: u32,
}

impl Outcomes {
    fn new(most: u32) -> Self {
        Self {
            failures: vec![0; most.div_ceil(64) as usize].into(),
            most,
            len: 0,
            next: 0,
            failed: 0,
        }
    }

    fn push(&mut self, success: bool) {
        let (word, bit) = ((self.next / 64) as usize, 1 << (self.next % 64));
        let left = self.len == self.most && self.failures[word] & bit != 0;
        self.failed = self.failed + u32::from(!success) - u32::from(left);
        if success {
            self.failures[word] &= !bit;
        } else {
            self.failures[word] |= bit;
        }
        self.len = (self.len + 1).min(self.most);
        self.next = (self.next + 1) % self.most;
    }

    fn clear(&mut self) {
        (self.len, self.next, self.failed) = (0, 0, 0);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::BreakerState::{Closed, HalfOpen, Open};
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: f64) -> Instant {
        Instant::from_seconds(seconds)
    }

    /// One call, allowed and answered at once.
    fn call(breaker: &mut CircuitBreaker, seconds: f64, success: bool) -> Option<Transition> {
        let (permit, before) = breaker.allow(at(seconds));
        let after = permit.and_then(|permit| breaker.record(at(seconds), permit, success));
        before.or(after)
    }

    fn opened() -> CircuitBreaker {
        let mut breaker = CircuitBreaker::new(&Breaker::default());
        for _ in 0..100 {
            call(&mut breaker, 0.0, false);
        }
        assert_eq!(breaker.state(), Open);
        breaker
    }

    #[test]
    fn it_opens_at_half_of_the_last_hundred_and_not_before_the_hundredth() {
        let mut breaker = CircuitBreaker::new(&Breaker::default());
        for n in 0..99 {
            assert_eq!(call(&mut breaker, 0.0, n % 2 == 0), None);
        }
        assert_eq!(call(&mut breaker, 0.0, true), None, "49 of 100");
        // The oldest, a success, leaves; the next, a failure, comes: 50 of 100.
        assert_eq!(call(&mut breaker, 0.0, false), Some((Closed, Open)));
    }

    #[test]
    fn old_outcomes_leave_the_window() {
        let mut breaker = CircuitBreaker::new(&Breaker::default());
        for n in 0..10_000 {
            // 49 failures in a row, then 51 successes: never 50 among any hundred.
            assert_eq!(call(&mut breaker, 0.0, n % 100 >= 49), None, "{n}");
        }
        assert_eq!(breaker.state(), Closed);
    }

    #[test]
    fn an_open_breaker_lets_nothing_through_for_a_minute_then_ten_probes() {
        let mut breaker = opened();
        assert!(breaker.allow(at(59.999)).0.is_none());
        let (first, transition) = breaker.allow(at(60.0));
        assert_eq!(transition, Some((Open, HalfOpen)));
        let mut permits: Vec<_> = first.into_iter().collect();
        permits.extend((0..50).filter_map(|_| breaker.allow(at(60.0)).0));
        assert_eq!(permits.len(), 10);
        let last = permits.pop().unwrap();
        for permit in permits {
            assert_eq!(breaker.record(at(61.0), permit, true), None);
            assert!(breaker.allow(at(61.0)).0.is_none());
        }
        assert_eq!(
            breaker.record(at(62.0), last, true),
            Some((HalfOpen, Closed))
        );
        assert!(breaker.allow(at(62.0)).0.is_some());
    }

    #[test]
    fn the_probes_decide_by_the_same_ratio() {
        for (failures, state) in [(4, Closed), (5, Open)] {
            let mut breaker = opened();
            for probe in 0..10 {
                call(&mut breaker, 60.0, probe >= failures);
            }
            assert_eq!(breaker.state(), state, "{failures} of 10");
        }
    }

    #[test]
    fn a_sustained_fault_costs_ten_attempts_a_minute_and_the_time_of_the_probes() {
        let (mut breaker, mut answers) = (opened(), VecDeque::new());
        let mut sent = Vec::new();
        // A call every millisecond, which fails 50 ms later: 60.059 s from opening to opening.
        for millisecond in 0..605_000 {
            let now = Instant::from_nanos(millisecond * 1_000_000);
            while answers.front().is_some_and(|&(due, _)| due <= now) {
                let (_, permit) = answers.pop_front().unwrap();
                breaker.record(now, permit, false);
            }
            if let Some(permit) = breaker.allow(now).0 {
                sent.push(millisecond);
                answers.push_back((now + Span::from_seconds(0.05), permit));
            }
        }
        assert_eq!(sent.len(), 10 * 10);
        let starts: Vec<_> = sent.chunks(10).map(|probes| probes[0]).collect();
        assert!(starts.windows(2).all(|pair| pair[1] - pair[0] == 60_059));
    }

    #[test]
    fn answers_from_before_a_transition_count_nowhere() {
        let mut breaker = CircuitBreaker::new(&Breaker::default());
        let late: Vec<_> = (0..20).filter_map(|_| breaker.allow(at(0.0)).0).collect();
        for _ in 0..100 {
            call(&mut breaker, 0.0, false);
        }
        let probe = breaker.allow(at(60.0)).0.unwrap();
        for permit in late {
            assert_eq!(breaker.record(at(60.0), permit, false), None);
        }
        assert_eq!(breaker.state(), HalfOpen);
        breaker.record(at(60.0), probe, true);
        for _ in 0..9 {
            call(&mut breaker, 60.0, true);
        }
        assert_eq!(breaker.state(), Closed);
    }

    #[test]
    fn a_released_permit_makes_room_for_another_probe() {
        let mut breaker = opened();
        let mut permits: Vec<_> = (0..10).filter_map(|_| breaker.allow(at(60.0)).0).collect();
        assert!(breaker.allow(at(60.0)).0.is_none());
        for permit in permits.drain(..) {
            breaker.release(permit);
        }
        for probe in 0..10 {
            assert_eq!(breaker.state(), HalfOpen, "probe {probe}");
            call(&mut breaker, 61.0, true);
        }
        assert_eq!(breaker.state(), Closed);
    }

    proptest! {
        #[test]
        fn probes_are_limited_and_permits_never_leak(
            (failure_ratio, open) in (0.001..=1.0_f64, 0.0..=1e5_f64),
            (window, min, probes) in (1..=200_u32, 1..=200_u32, 1..=20_u32),
            calls in prop::collection::vec((0..4_u8, any::<u8>(), 0.0..1e5_f64), 1..400),
        ) {
            let mut breaker = CircuitBreaker::new(&Breaker {
                failure_ratio, window_requests: window, min_requests: min,
                open_seconds: open, half_open_probes: probes,
            });
            let (mut now, mut out) = (Instant::ZERO, Vec::new());
            for (what, which, gap) in calls {
                now += Span::from_seconds(gap);
                let before = breaker.state();
                let transition = if what < 2 {
                    let (permit, transition) = breaker.allow(now);
                    out.extend(permit);
                    transition
                } else if out.is_empty() {
                    None
                } else {
                    let permit = out.swap_remove(usize::from(which) % out.len());
                    if what == 2 {
                        breaker.record(now, permit, which % 2 == 0)
                    } else {
                        breaker.release(permit);
                        None
                    }
                };
                prop_assert_eq!(transition.map(|(from, _)| from), transition.map(|_| before));
                prop_assert_eq!(transition.map_or(before, |(_, to)| to), breaker.state());
                let of_now = out.iter().filter(|permit| permit.era == breaker.era).count() as u32;
                if breaker.state() == HalfOpen {
                    prop_assert!(breaker.probing.answered + of_now == breaker.probing.allowed);
                    prop_assert!(breaker.probing.allowed <= probes);
                }
            }
            // However it stands, good answers close it in the end.
            for permit in out {
                breaker.release(permit);
            }
            for _ in 0..2 * (window + probes) {
                now += Span::from_seconds(open);
                if let (Some(permit), _) = breaker.allow(now) {
                    breaker.record(now, permit, true);
                }
            }
            prop_assert_eq!(breaker.state(), Closed);
        }

        #[test]
        fn the_window_counts_the_failures_among_the_last(
            most in 1..150_u32, outcomes in prop::collection::vec(any::<bool>(), 0..500),
        ) {
            let mut window = Outcomes::new(most);
            for (n, &success) in outcomes.iter().enumerate() {
                window.push(success);
                let last = &outcomes[(n + 1).saturating_sub(most as usize)..=n];
                prop_assert_eq!(window.len as usize, last.len());
                prop_assert_eq!(window.failed as usize, last.iter().filter(|&&s| !s).count());
            }
        }
    }
}
