//! What holds at every event of every run, under random profiles.

mod support;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use agent_chaos_core::event::{Event, Fact};
use agent_chaos_core::profile::Admission;
use agent_chaos_core::request::{FailureMode, Sender};
use agent_chaos_core::units::Instant;
use agent_chaos_core::{Profile, Run, wire};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Watches a run, record by record, and panics at the first that breaks a law.
#[derive(Default)]
struct Watch {
    at: Instant,
    created: u64,
    refused: u64,
    entrance: u64,
    admitted: u64,
    started: u64,
    completed: u64,
    /// Stage of every open request: 0 created, 1 at the entrance, 2 queued, 3 in service.
    open: BTreeMap<u64, u8>,
    agents_waiting: BTreeMap<u32, u64>,
    workers_busy: BTreeMap<u32, u64>,
    queued_order: std::collections::VecDeque<u64>,
    failed: u64,
}

impl Watch {
    fn see(&mut self, profile: &Profile, event: &Event<'_>) {
        assert!(event.at >= self.at, "time never goes back");
        self.at = event.at;
        let capacity = profile.queue.capacity.map_or(u64::MAX, u64::from);
        match event.fact {
            Fact::Created(request) => {
                assert!(
                    event.at < Instant::from_seconds(profile.run.duration_seconds),
                    "no request after the horizon"
                );
                assert_eq!((request.number, request.created), (self.created, event.at));
                assert!(
                    profile
                        .run
                        .max_requests
                        .is_none_or(|most| self.created < u64::from(most))
                );
                self.created += 1;
                self.open.insert(request.number, 0);
                if let Some(agent) = request.sender.waiting_agent() {
                    let other = self.agents_waiting.insert(agent, request.number);
                    assert_eq!(other, None, "an agent has one request at a time");
                }
            }
            Fact::Blocked(request) => {
                assert_eq!(self.open.insert(request.number, 1), Some(0));
                assert_eq!(
                    self.queue(),
                    capacity,
                    "senders wait for a full queue alone"
                );
                self.entrance += 1;
            }
            Fact::Throttled { request, mode } => {
                assert_eq!(self.open.remove(&request.number), Some(0));
                match mode {
                    FailureMode::QueueOverflow => assert_eq!(self.queue(), capacity),
                    FailureMode::CongestionFailure => assert!(self.queue() > 0),
                    other => panic!("the queue does not refuse with {other:?}"),
                }
                self.refused += 1;
                self.failed += 1;
                self.answered(request.sender, request.number);
            }
            Fact::Admitted { request, waiting } => {
                let before = self
                    .open
                    .insert(request.number, 2)
                    .expect("only open requests are admitted");
                assert!(before < 2);
                self.entrance -= u64::from(before);
                self.admitted += 1;
                self.queued_order.push_back(request.number);
                // Handed straight to an idle worker, it is admitted without waiting.
                assert!(self.queue() == u64::from(waiting) || (waiting == 0 && self.queue() == 1));
                assert!(
                    u64::from(waiting) <= capacity,
                    "the queue is never above its capacity"
                );
            }
            Fact::Started {
                request,
                worker,
                waiting,
            } => {
                assert_eq!(self.open.insert(request.number, 3), Some(2));
                assert_eq!(
                    self.queued_order.pop_front(),
                    Some(request.number),
                    "first in, first out"
                );
                assert_eq!(
                    self.workers_busy.insert(worker, request.number),
                    None,
                    "a worker serves one request at a time"
                );
                assert!(worker < profile.workers.count);
                self.started += 1;
                assert_eq!(self.queue(), u64::from(waiting));
            }
            Fact::Fault { request, .. } => assert_eq!(self.open.get(&request.number), Some(&3)),
            Fact::Completed {
                request,
                worker,
                started,
                outcome,
            } => {
                assert_eq!(self.open.remove(&request.number), Some(3));
                assert_eq!(self.workers_busy.remove(&worker), Some(request.number));
                assert!(request.created <= started && started <= event.at);
                self.completed += 1;
                self.failed += u64::from(!outcome.is_good());
                self.answered(request.sender, request.number);
            }
            Fact::Transition { from, to, .. } => assert_ne!(from, to),
            Fact::Adapted { .. } => assert!(profile.throttle.enabled),
            // What mechanisms bring about that these profiles have not; `ledgers.rs` has them.
            _ => {}
        }
        // The ledgers, at every event.
        let created_only = self.open.values().filter(|&&stage| stage == 0).count() as u64;
        assert!(
            created_only <= 1,
            "a request is offered in the instant of its creation"
        );
        assert_eq!(
            self.created,
            self.refused + self.admitted + self.entrance + created_only
        );
        assert_eq!(self.admitted, self.queue() + self.busy() + self.completed);
        assert!(self.busy() <= u64::from(profile.workers.count));
    }

    fn queue(&self) -> u64 {
        self.admitted - self.started
    }

    fn busy(&self) -> u64 {
        self.started - self.completed
    }

    fn answered(&mut self, sender: Sender, request: u64) {
        if let Some(agent) = sender.waiting_agent() {
            assert_eq!(self.agents_waiting.remove(&agent), Some(request));
        }
    }
}

fn watch(profile: &Profile) {
    let state = Rc::new(RefCell::new(Watch::default()));
    let (sink, rules) = (Rc::clone(&state), profile.clone());
    let report = Run::observed(
        profile,
        Some(Box::new(move |event| sink.borrow_mut().see(&rules, event))),
    )
    .finish();
    let end = state.borrow();
    assert!(end.open.is_empty(), "what is under way is finished");
    assert!(end.workers_busy.is_empty() && end.agents_waiting.is_empty());
    assert_eq!(end.created, end.completed + end.refused);
    let requests = report.requests;
    assert_eq!(
        requests.created,
        requests.completed + requests.failed + requests.abandoned + requests.in_flight
    );
    assert_eq!(requests.in_flight, 0);
    if profile.run.warmup_seconds == 0.0 {
        assert_eq!(
            (requests.created, requests.failed),
            (end.created, end.failed)
        );
    }
    let modes: u64 = report
        .failures
        .values()
        .filter_map(serde_json::Value::as_u64)
        .sum();
    assert_eq!(modes, requests.failed);
    assert!(
        (0.0..=1.0 + 1e-9).contains(&report.utilization),
        "{}",
        report.utilization
    );
    let share = report.state_share;
    let shares = share.stable + share.degraded + share.collapsed;
    assert!(report.state.is_none() || (shares - 1.0).abs() < 1e-9);
}

const DISTRIBUTIONS: [&str; 8] = [
    "deterministic",
    "uniform",
    "exponential",
    "erlang",
    "hyperexponential",
    "lognormal",
    "bounded_pareto",
    "empirical",
];

/// A shape, with its name, that fits into four seconds; or none.
fn shape() -> impl Strategy<Value = Option<(&'static str, Value)>> {
    let stage = (0.0..2.0, 0.0..400.0)
        .prop_map(|(s, r)| json!({ "duration_seconds": s, "target_per_second": r }));
    prop::option::of(prop_oneof![
        prop::collection::vec(stage, 1..4).prop_map(|stages| ("ramp", json!({ "stages": stages }))),
        (0.0..4.0, 0.0..1.0, 0.0..5.0).prop_map(|(at, long, factor)| ("spike", json!({
            "at_seconds": at, "rise_seconds": long, "hold_seconds": long, "fall_seconds": 0, "factor": factor }))),
        (0.1..9.0, 0.0..=1.0).prop_map(|(period, amplitude)| ("diurnal", json!({
            "period_seconds": period, "amplitude_ratio": amplitude }))),
        (0.01..2.0, 0.01..2.0, 0.1..5.0).prop_map(|(high, low, factor)| ("bursty", json!({
            "high_factor": factor, "low_factor": 0, "high_mean_seconds": high, "low_mean_seconds": low }))),
        (prop::collection::vec(0.0..300.0, 1..9), 0.05..1.0, any::<bool>()).prop_map(|(rates, interval, repeat)| ("replay", json!({
            "interval_seconds": interval, "rates_per_second": rates, "repeat": repeat }))),
    ])
}

fn generator(rate: u32, even: bool, shape: &Option<(&str, Value)>) -> Value {
    let mut section =
        json!({ "rate_per_second": rate, "process": if even { "even" } else { "poisson" } });
    if let Some((name, rules)) = shape {
        section[name] = rules.clone();
    }
    section
}

fn profiles() -> impl Strategy<Value = Profile> {
    let load = (
        prop::option::of(1_u32..60),
        prop::option::weighted(0.4, 1_u32..400),
        any::<bool>(),
        prop::option::weighted(0.2, 1_u32..5),
        shape(),
        prop::collection::vec((1_u32..100, shape()), 0..3),
    );
    let queue = (
        prop::option::weighted(0.9, 1_u32..30),
        any::<bool>(),
        prop::option::of((0.0..0.5, 0.0..=1.0)),
    );
    let pool = (1_u32..8, 0..DISTRIBUTIONS.len(), 0.0..3.0);
    let faults = (
        prop::option::of((0.0..0.3, 0.0..=1.0, 0.0..0.5)),
        prop::option::of((0.0..0.3, 0.0..=1.0, any::<bool>())),
    );
    let rest = (
        any::<u32>(),
        prop::option::weighted(0.3, 1_u32..300),
        0.0..2.0,
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
    );
    (load, queue, pool, faults, rest).prop_map(|(load, queue, pool, faults, rest)| {
        let (agents, arrivals, even, each, shape, more) = load;
        let agents = if arrivals.is_none() { agents.or(Some(5)) } else { agents };
        let (seed, most, warmup, detector, throttle, instant) = rest;
        let distribution = DISTRIBUTIONS[pool.1];
        let value = json!({
            "seed": seed,
            "run": { "duration_seconds": 4, "warmup_seconds": warmup, "max_requests": most,
                     "until": if each.is_some() && arrivals.is_none() { "idle" } else { "duration" } },
            "agents": agents.map(|count| json!({
                "count": count, "first_wake_max_seconds": 1, "think_seconds": 0.05, "requests_each": each,
                "backoff": even.then(|| json!({ "base_seconds": 0.1 })),
            })),
            "arrivals": arrivals.map(|rate| generator(rate, even, &shape)),
            "extra_arrivals": more.iter().map(|(rate, shape)| generator(*rate, !even, shape)).collect::<Vec<_>>(),
            "queue": { "capacity": queue.0, "when_full": if queue.1 { "wait" } else { "reject" },
                       "early_drop": queue.2.map(|(base, per)| json!({ "base_probability": base, "probability_per_pressure": per })) },
            "workers": { "count": pool.0, "service": {
                "distribution": distribution, "base_seconds": 0.01, "slowdown_per_pressure": pool.2 } },
            "faults": {
                "spike": faults.0.map(|(base, per, seconds)| json!({ "base_probability": base, "probability_per_pressure": per, "seconds": seconds })),
                "error": faults.1.map(|(base, per, early)| json!({ "base_probability": base, "probability_per_pressure": per,
                    "shows": if early { "before_work" } else { "after_service" } })),
            },
            "detector": { "enabled": detector, "method": if instant { "instant" } else { "sustained" } },
            "throttle": { "enabled": throttle },
        });
        wire::from_value(value).unwrap_or_else(|error| panic!("{error}"))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn the_ledgers_hold_at_every_event(profile in profiles()) {
        watch(&profile);
    }

    /// The path with rules, all of them at rest, is the plain path.
    #[test]
    fn a_hall_at_rest_does_what_the_plain_queue_does(profile in profiles()) {
        let with_hall = Profile { admission: Some(Admission::default()), ..profile.clone() };
        prop_assert!(with_hall.has_rules() && !profile.has_rules());
        let digest = |profile: &Profile| Run::new(profile).finish().digest;
        prop_assert_eq!(digest(&with_hall), digest(&profile));
    }
}

#[test]
fn the_ledgers_hold_through_every_preset() {
    // Those with mechanisms keep more books, in `ledgers.rs`.
    let plain = |(_, profile): &(_, Profile)| !profile.has_rules();
    for (_, profile) in support::short_presets(20_000).filter(plain) {
        watch(&profile);
    }
}

/// A burst at one instant finds every idle worker.
#[test]
fn a_burst_uses_every_idle_worker_at_once() {
    let profile = support::profile(
        r#"{"run": {"duration_seconds": 1, "warmup_seconds": 0, "until": "idle"},
            "agents": {"count": 20, "first_wake_min_seconds": 0.5, "first_wake_max_seconds": 0.5, "requests_each": 1},
            "workers": {"count": 8}}"#,
    );
    let (records, _) = support::records(&profile);
    let starts: Vec<_> = records
        .iter()
        .filter(|r| r.contains("REQUEST_STARTED") && r.contains("\"at_seconds\":0.5,"))
        .collect();
    assert_eq!(starts.len(), 8);
    let workers: std::collections::BTreeSet<_> = starts
        .iter()
        .map(|r| r.split("\"worker\":").nth(1))
        .collect();
    assert_eq!(workers.len(), 8);
}

/// Switching a mechanism off and never switching it on are the same run.
#[test]
fn what_is_off_costs_and_draws_nothing() {
    let digest = |text: &str| Run::new(&support::profile(text)).finish().digest;
    let plain = digest(
        r#"{"run": {"duration_seconds": 20, "warmup_seconds": 1}, "queue": {"early_drop": null}, "faults": {"spike": null, "error": null}}"#,
    );
    let idle = digest(
        r#"{"run": {"duration_seconds": 20, "warmup_seconds": 1},
            "queue": {"early_drop": {"base_probability": 0, "probability_per_pressure": 0}},
            "faults": {"spike": {"base_probability": 0, "probability_per_pressure": 0}, "error": {"base_probability": 0, "probability_per_pressure": 0}}}"#,
    );
    assert_eq!(plain, idle);
}
