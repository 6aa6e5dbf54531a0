//! The ledgers of every run, at every event: what came in is what went out and what is there, under
//! random profiles drawn from the whole schema.
//!
//! `PROPTEST_CASES` asks for more profiles than the 2,000 of an ordinary run.

mod support;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use agent_chaos_core::event::{Crew, Event, Fact, Fault, Removal, Sending, Step};
use agent_chaos_core::request::{Class, Request};
use agent_chaos_core::units::Instant;
use agent_chaos_core::{Held, Limit, Profile, Run};
use proptest::prelude::*;
use support::random_profile;

/// One send of a request.
/// A run of which more than this is expected is not audited.
const MOST_EVENTS: u64 = 1_000_000;

type Key = (u64, u8);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// On its way to the server, or lost on the way.
    Outbound,
    /// In the instant between its arrival and what the gate says.
    Gate,
    Entrance,
    Queue,
    Worker(u32),
}

/// Keeps the books of a run by itself, from the event stream alone.
#[derive(Default)]
struct Books {
    settles: bool,
    at: Instant,
    crew: Crew,
    created: u64,
    open: BTreeSet<u64>,
    good: u64,
    failed: u64,
    abandoned: u64,
    sent: BTreeMap<u64, u8>,
    pending: BTreeSet<Key>,
    sends: u64,
    answered: u64,
    errored: u64,
    timed_out: u64,
    cancelled: u64,
    place: BTreeMap<Key, At>,
    at_gate: u64,
    arrived: u64,
    refused: u64,
    left_entrance: u64,
    admitted: u64,
    ended: u64,
    removed: u64,
    lost: u64,
    busy: BTreeMap<u32, Key>,
    queued: [u64; 2],
    entrance: u64,
    outbound_lost: u64,
    interventions: BTreeSet<u32>,
    events: u64,
}

impl Books {
    fn see(&mut self, profile: &Profile, event: &Event<'_>) {
        if event.at > self.at {
            self.close_instant(profile);
        }
        assert!(event.at >= self.at, "time never goes back");
        self.at = event.at;
        self.events += 1;
        assert!(self.events < 4 * MOST_EVENTS, "a run comes to an end");
        match event.fact {
            Fact::Created(request) => {
                assert_eq!((request.number, request.created), (self.created, event.at));
                self.created += 1;
                self.open.insert(request.number);
                if !self.settles {
                    self.arrived += 1;
                    self.put(key(request), At::Gate);
                }
            }
            Fact::Attempt { request, step } => self.step(profile, request, step),
            Fact::Settled {
                request,
                outcome,
                given_up,
                attempts,
                ..
            } => {
                assert!(self.open.remove(&request.number), "settled once");
                let sent = self.sent.get(&request.number).copied().unwrap_or(0);
                assert_eq!(attempts, u32::from(sent));
                let pending = self.pending.iter().filter(|key| key.0 == request.number);
                assert_eq!(pending.count(), 0, "nobody waits for what is settled");
                self.end_request(outcome.is_good(), given_up);
            }
            Fact::Throttled { request, .. } => {
                assert_eq!(self.take(key(request)), Some(At::Gate));
                self.refused += 1;
                self.server_says(request, false);
            }
            Fact::Blocked(request) => {
                assert_eq!(self.put(key(request), At::Entrance), Some(At::Gate));
                self.entrance += 1;
            }
            Fact::Admitted { request, .. } => {
                let before = self.put(key(request), At::Queue);
                match before {
                    Some(At::Gate) => {}
                    Some(At::Entrance) => self.entrance -= 1,
                    other => panic!("admitted from {other:?}"),
                }
                self.admitted += 1;
                self.queued[request.class as usize] += 1;
            }
            Fact::Started {
                request,
                worker,
                waiting,
            } => {
                let place = At::Worker(worker);
                assert_eq!(self.put(key(request), place), Some(At::Queue));
                self.queued[request.class as usize] -= 1;
                assert_eq!(self.waiting(), u64::from(waiting));
                assert_eq!(
                    self.busy.insert(worker, key(request)),
                    None,
                    "one at a time"
                );
                assert!(!self.crew.stalled, "nobody begins while all pause");
                self.check_bulkheads(profile, request.class, worker);
            }
            Fact::Fault { request, fault } => {
                assert!(matches!(self.place.get(&key(request)), Some(At::Worker(_))));
                assert!(!matches!(fault, Fault::Pause(by) if by.is_zero()));
            }
            Fact::Completed {
                request,
                worker,
                started,
                outcome,
            } => {
                let place = At::Worker(worker);
                assert_eq!(self.take(key(request)), Some(place));
                assert_eq!(self.busy.remove(&worker), Some(key(request)));
                assert!(request.created <= started && started <= event.at);
                assert!(!self.crew.stalled, "nobody ends while all pause");
                self.ended += 1;
                self.server_says(request, outcome.is_good());
            }
            Fact::Removed {
                request,
                why,
                waiting,
                ..
            } => {
                let place = self.take(key(request));
                if why == Removal::LeftEntrance {
                    assert_eq!(place, Some(At::Entrance));
                    self.left_entrance += 1;
                    self.entrance -= 1;
                } else {
                    assert_eq!(place, Some(At::Queue));
                    self.removed += 1;
                    self.queued[request.class as usize] -= 1;
                    self.server_says(request, false);
                }
                assert_eq!(self.waiting(), u64::from(waiting));
                let expired = event.at > request.deadline;
                assert!(
                    why != Removal::Expired || expired,
                    "{why:?} before its deadline"
                );
            }
            Fact::Lost {
                request, worker, ..
            } => {
                assert_eq!(self.take(key(request)), Some(At::Worker(worker)));
                assert_eq!(self.busy.remove(&worker), Some(key(request)));
                self.lost += 1;
                self.server_says(request, false);
            }
            Fact::Workers(crew) => {
                assert_ne!(crew, self.crew, "a change changes something");
                assert!(crew.down <= crew.on && crew.on <= profile.most_workers());
                self.crew = crew;
            }
            Fact::Breaker { from, to } => assert_ne!(from, to),
            Fact::Transition { from, to, .. } => assert_ne!(from, to),
            Fact::Intervened { index, starts } => {
                let known = if starts {
                    self.interventions.insert(index)
                } else {
                    self.interventions.remove(&index)
                };
                assert!(known, "an intervention starts once and ends once");
            }
            Fact::Resized { .. } | Fact::Adapted { .. } => {}
        }
        self.balance(profile);
    }

    fn step(&mut self, profile: &Profile, request: &Request, step: Step) {
        let key = key(request);
        match step {
            Step::Sent(sending) => {
                let sent = self.sent.entry(request.number).or_insert(0);
                assert_eq!(request.attempt, *sent, "sends are numbered");
                assert_eq!(sending == Sending::First, *sent == 0);
                *sent += 1;
                assert!(self.open.contains(&request.number));
                let policies = profile.client.as_ref();
                let most = policies.map_or(1, |client| client.most_attempts());
                assert!(u32::from(*sent) <= most);
                self.sends += 1;
                self.pending.insert(key);
                self.put(key, At::Outbound);
            }
            Step::ShortCircuited => assert!(!self.pending.contains(&key)),
            Step::Arrived => {
                assert_eq!(self.put(key, At::Gate), Some(At::Outbound));
                self.arrived += 1;
            }
            Step::Dropped(_) => self.outbound_lost += 1,
            Step::Answered(outcome) => {
                self.let_go(key);
                if outcome.is_good() {
                    self.answered += 1;
                } else {
                    self.errored += 1;
                }
            }
            Step::TimedOut(_) => {
                self.let_go(key);
                self.timed_out += 1;
            }
            Step::Cancelled => {
                self.let_go(key);
                self.cancelled += 1;
            }
        }
    }

    fn let_go(&mut self, key: Key) {
        assert!(self.pending.remove(&key), "somebody waited for {key:?}");
    }

    /// Without clients the server's word is the last.
    fn server_says(&mut self, request: &Request, good: bool) {
        if !self.settles {
            assert!(self.open.remove(&request.number), "ended once");
            self.end_request(good, false);
        }
    }

    fn end_request(&mut self, good: bool, given_up: bool) {
        match (good, given_up) {
            (true, _) => self.good += 1,
            (false, true) => self.abandoned += 1,
            (false, false) => self.failed += 1,
        }
    }

    /// Where a send is from now on; where it was before.
    fn put(&mut self, key: Key, at: At) -> Option<At> {
        let before = self.place.insert(key, at);
        self.at_gate += u64::from(at == At::Gate);
        self.at_gate -= u64::from(before == Some(At::Gate));
        before
    }

    /// Where a send was that is nowhere from now on.
    fn take(&mut self, key: Key) -> Option<At> {
        let before = self.place.remove(&key);
        self.at_gate -= u64::from(before == Some(At::Gate));
        before
    }

    fn waiting(&self) -> u64 {
        self.queued.iter().sum()
    }

    /// A worker that is reserved for a class serves nothing else.
    fn check_bulkheads(&self, profile: &Profile, class: Class, worker: u32) {
        if let Some(reserved) = &profile.workers.bulkheads {
            let for_light = worker < reserved.light;
            let for_heavy = !for_light && worker < reserved.light + reserved.heavy;
            assert!(!(for_light && class == Class::Heavy));
            assert!(!(for_heavy && class == Class::Light));
        }
    }

    fn balance(&self, profile: &Profile) {
        let open = self.open.len() as u64;
        assert_eq!(
            self.created,
            self.good + self.failed + self.abandoned + open
        );
        let pending = self.pending.len() as u64;
        assert_eq!(
            self.sends,
            self.answered + self.errored + self.timed_out + self.cancelled + pending
        );
        assert!(self.at_gate <= 1, "the gate decides at once");
        assert_eq!(
            self.arrived,
            self.refused + self.admitted + self.entrance + self.left_entrance + self.at_gate
        );
        let serving = self.busy.len() as u64;
        assert_eq!(
            self.admitted,
            self.waiting() + serving + self.ended + self.removed + self.lost
        );
        if let (Some(capacity), true) = (profile.queue.capacity, profile.timeline.is_empty()) {
            // One more may be on its way to an idle worker.
            assert!(self.waiting() <= u64::from(capacity) + 1);
        }
        if let Some(limit) = profile.admission.as_ref().and_then(|a| a.limit.as_ref()) {
            let most = u64::from(limit.max.max(limit.initial));
            assert!(self.waiting() + serving <= most.max(1));
        }
    }

    /// Between two instants nobody is idle who could work.
    fn close_instant(&self, profile: &Profile) {
        assert_eq!(self.at_gate, 0);
        let serving = self.busy.len() as u64;
        let able = u64::from(self.crew.able());
        if profile.workers.bulkheads.is_none() && self.waiting() > 0 {
            assert!(
                serving >= able,
                "{serving} of {able} work while requests wait"
            );
        }
        if let Some(reserved) = &profile.workers.bulkheads {
            // Those that no one class is kept from.
            let kept = [reserved.heavy, reserved.light];
            for (class, kept) in kept.into_iter().enumerate() {
                let fit = able.saturating_sub(u64::from(kept));
                assert!(self.queued[class] == 0 || serving >= fit);
            }
        }
    }
}

fn key(request: &Request) -> Key {
    (request.number, request.attempt)
}

/// Runs a profile with the books kept; its digest.
fn audit(profile: &Profile, polls: u64) -> String {
    let books = Rc::new(RefCell::new(Books {
        settles: profile.has_clients(),
        crew: Crew {
            on: profile.workers.count,
            ..Crew::default()
        },
        ..Books::default()
    }));
    let (seen, rules) = (Rc::clone(&books), profile.clone());
    let observer = Box::new(move |event: &Event<'_>| seen.borrow_mut().see(&rules, event));
    let mut run = Run::observed(profile, Some(observer));
    let limit = Limit {
        polls,
        ..Limit::NONE
    };
    while !run.advance(limit) {}
    let books = books.borrow();
    assert_eq!(run.held(), Held::default(), "nothing is held at the end");
    assert!(books.open.is_empty() && books.pending.is_empty() && books.busy.is_empty());
    assert_eq!((books.waiting(), books.entrance), (0, 0));
    let on_the_way = books.place.values().all(|&at| at == At::Outbound);
    assert!(on_the_way, "only lost sends are nowhere");

    let (counts, report) = (run.counts(), run.report());
    let events = counts.events();
    assert_eq!(events, books.events + u64::from(false));
    let requests = &report.requests;
    assert_eq!(
        requests.created,
        requests.completed + requests.failed + requests.abandoned + requests.in_flight
    );
    assert_eq!(counts.clients.pending(), 0);
    assert_eq!(
        (counts.created, counts.arrived()),
        (books.created, books.arrived)
    );
    if let Some(seconds) = &report.worker_seconds {
        let parts = seconds.useful + seconds.wasted + seconds.idle + seconds.stalled + seconds.down;
        let slack = 1e-6 * seconds.on_duty.max(1.0);
        assert!((parts - seconds.on_duty).abs() < slack, "{seconds:?}");
    }
    report.digest
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, max_shrink_iters: 0,
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(2000),
        ..ProptestConfig::default() })]

    #[test]
    fn every_ledger_balances_at_every_event(seed: u64) {
        let profile = random_profile(seed);
        // Books are kept of runs that end within seconds.
        prop_assume!(profile.estimate().events < MOST_EVENTS as f64);
        let digest = audit(&profile, u64::MAX);
        if seed % 8 == 0 {
            prop_assert_eq!(audit(&profile, 1 + seed % 97), digest, "in slices");
        }
    }
}

#[test]
fn the_ledgers_of_every_preset_balance() {
    for (_, profile) in support::short_presets(5_000) {
        audit(&profile, u64::MAX);
    }
}

/// `SEED=… cargo test --test ledgers one_profile -- --nocapture` looks at one profile, `SEEDS=n` at
/// as many, and names those that fail.
#[test]
fn one_profile() {
    let asked = |name| std::env::var(name).ok()?.parse::<u64>().ok();
    if let Some(seed) = asked("SEED") {
        let profile = random_profile(seed);
        println!("{}", agent_chaos_core::wire::to_text(&profile));
        audit(&profile, u64::MAX);
    }
    let failed = (0..asked("SEEDS").unwrap_or(0)).filter(|&seed| {
        std::panic::catch_unwind(|| audit(&random_profile(seed), u64::MAX))
            .inspect_err(|_| println!("SEED={seed}"))
            .is_err()
    });
    assert_eq!(failed.count(), 0);
}
