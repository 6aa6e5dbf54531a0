//! Interventions: each changes what it says while it lasts, and everything is as before afterwards.

use std::collections::BTreeMap;

use agent_chaos_core::event::{Event, Fact, Leg, Step};
use agent_chaos_core::{Profile, Run};
use serde_json::{Value, json};

use crate::{Served, clockwork, mean, near, served, watch};

/// Four workers of 100/s each at half of that, 10 s of intervention from 10 s on, within 30 s.
fn with(kind: Value, changes: Value) -> Profile {
    let mut entry = json!({"at_seconds": 10, "for_seconds": 10});
    crate::merge(&mut entry, kind);
    scheduled(vec![entry], changes)
}

fn scheduled(timeline: Vec<Value>, changes: Value) -> Profile {
    let mut value = json!({
        "run": {"duration_seconds": 30},
        "arrivals": {"rate_per_second": 200},
        "workers": {"count": 4, "service": {"base_seconds": 0.01}},
        "timeline": timeline,
    });
    crate::merge(&mut value, changes);
    clockwork(value)
}

const BEFORE: (f64, f64) = (0.0, 10.0);
const MEANWHILE: (f64, f64) = (10.0, 20.0);
const AFTER: (f64, f64) = (20.0, 30.0);

fn within(moment: f64, (from, to): (f64, f64)) -> bool {
    from <= moment && moment < to
}

/// How many were created in each third.
fn created(all: &[Served]) -> [f64; 3] {
    [BEFORE, MEANWHILE, AFTER]
        .map(|third| all.iter().filter(|one| within(one.created, third)).count() as f64)
}

/// How long the services that were started in each third took, least and most.
fn services(all: &[Served]) -> [(f64, f64); 3] {
    [BEFORE, MEANWHILE, AFTER].map(|third| {
        let those = || {
            let started = all.iter().filter(|one| within(one.started, third));
            started.map(Served::service)
        };
        (
            those().fold(f64::INFINITY, f64::min),
            those().fold(0.0, f64::max),
        )
    })
}

#[track_caller]
fn exactly(services: [(f64, f64); 3], expected: [f64; 3]) {
    for ((least, most), expected) in services.into_iter().zip(expected) {
        near("the least", least, expected, 2e-9);
        near("the most", most, expected, 2e-9);
    }
}

#[test]
fn traffic_comes_so_many_times_as_fast() {
    for (factor, capacity_left) in [(1.5, true), (3.0, false), (0.0, true)] {
        let profile = with(json!({"traffic": {"arrivals_factor": factor}}), json!({}));
        let (all, _) = served(&profile);
        let [before, meanwhile, after] = created(&all);
        near("before", before, 2000.0, 1.0);
        near("meanwhile", meanwhile, factor * 2000.0, 1.0);
        near("after", after, 2000.0, 1.0);
        let waits = all.iter().any(|one| one.wait() > 0.01);
        assert_eq!(waits, !capacity_left);
    }
}

#[test]
fn traffic_of_further_agents_comes_and_goes() {
    let agents =
        json!({"count": 10, "think_seconds": 0.5, "first_wake_max_seconds": 1, "backoff": null});
    let profile = with(
        json!({"traffic": {"arrivals_factor": 1, "extra_agents": 30}}),
        json!({"arrivals": null, "agents": agents}),
    );
    let (all, _) = watch(&profile, |all: &mut Vec<(f64, u32)>, event: &Event<'_>| {
        if let Fact::Created(request) = event.fact {
            all.push((event.at.seconds(), request.sender.waiting_agent().unwrap()));
        }
    });
    let visits = |third| {
        all.iter()
            .filter(move |(at, who)| *who >= 10 && within(*at, third))
    };
    assert_eq!((visits(BEFORE).count(), visits(AFTER).count()), (0, 0));
    // N/(Z + S) each, from a wake in the first second on: 9.5 s · 30/0.51, four standard deviations.
    let expected = 9.5 * 30.0 / 0.51;
    near(
        "visits",
        visits(MEANWHILE).count() as f64,
        expected,
        4.0 * expected.sqrt(),
    );
    for agent in 10..40 {
        assert!(
            visits(MEANWHILE).any(|(_, who)| *who == agent),
            "{agent} came"
        );
    }
}

#[test]
fn slow_workers_are_slow_for_what_they_begin_meanwhile() {
    let (all, _) = served(&with(json!({"slow_workers": {"factor": 1.5}}), json!({})));
    exactly(services(&all), [0.01, 0.015, 0.01]);
    // Faster ones, too.
    let (all, _) = served(&with(json!({"slow_workers": {"factor": 0.25}}), json!({})));
    exactly(services(&all), [0.01, 0.0025, 0.01]);
}

#[test]
fn a_slow_dependency_is_slow_for_calls_that_begin_meanwhile() {
    let (all, _) = served(&with(
        json!({"slow_downstream": {"factor": 4}}),
        json!({"workers": {"count": 20}, "downstream": {"service_seconds": 0.01,
            "distribution": "deterministic", "network": {"latency_seconds": 0.002}}}),
    ));
    // The call begins 10 ms after the service: what started shortly before an edge is left aside.
    let inside: Vec<Served> = all
        .into_iter()
        .filter(|one| (one.started / 10.0).fract() < 0.998)
        .collect();
    exactly(services(&inside), [0.024, 0.054, 0.024]);
}

#[test]
fn loss_loses_its_share_of_messages_meanwhile() {
    let profile = with(
        json!({"loss": {"ratio": 0.25}}),
        json!({"network": {"latency_seconds": 0.001, "socket_timeout_seconds": 0.2}}),
    );
    let (legs, _) = watch(
        &profile,
        |legs: &mut Vec<(f64, bool, bool)>, event: &Event<'_>| {
            if let Fact::Attempt { step, .. } = event.fact {
                let at = event.at.seconds();
                match step {
                    Step::Sent(_) => legs.push((at, true, false)),
                    Step::Dropped(leg) => legs.push((at, leg == Leg::Request, true)),
                    _ => {}
                }
            }
        },
    );
    let count = |third, request: bool, lost: bool| {
        let those = legs.iter().filter(|leg| (leg.1, leg.2) == (request, lost));
        those.filter(|leg| within(leg.0, third)).count() as f64
    };
    let sent = count(MEANWHILE, true, false);
    // Four standard deviations of a binomial share of 2,000 requests, then of what is answered.
    near(
        "requests",
        count(MEANWHILE, true, true),
        0.25 * sent,
        4.0 * (sent * 0.1875).sqrt(),
    );
    near(
        "answers",
        count(MEANWHILE, false, true),
        0.1875 * sent,
        4.0 * (sent * 0.1524).sqrt(),
    );
    for third in [BEFORE, AFTER] {
        assert_eq!(count(third, true, true) + count(third, false, true), 0.0);
    }
}

#[test]
fn a_pool_shrinks_and_grows_back() {
    // Ten connections at 200/s and 15 ms each are enough, two are not.
    let profile = with(
        json!({"pool": {"of": "downstream", "size": 2}}),
        json!({"workers": {"count": 20}, "queue": {"capacity": 10},
            "downstream": {"service_seconds": 0.015, "distribution": "deterministic",
            "network": {"latency_seconds": 0, "pool": {"size": 10, "wait_seconds": 0.1}}}}),
    );
    let (all, report) = served(&profile);
    assert!(report.failures["POOL_EXHAUSTED"].as_u64().unwrap() > 100);
    let good = |(from, to): (f64, f64)| {
        let good = all.iter().filter(|one| one.outcome.is_good());
        good.filter(|one| within(one.ended, (from, to))).count() as f64
    };
    near("before", good(BEFORE), 2000.0, 6.0);
    near("2/15 ms", good((10.1, 20.0)), 9.9 * 2.0 / 0.015, 5.0);
    near("after", good((20.5, 29.5)), 1800.0, 6.0);

    // The clients' pool: an attempt holds its connection for 10 ms + 2 · 5 ms.
    let profile = with(
        json!({"pool": {"of": "network", "size": 1}}),
        json!({"network": {"latency_seconds": 0.005, "pool": {"size": 10, "wait_seconds": 0.1}}}),
    );
    let (all, report) = served(&profile);
    assert!(report.failures["POOL_EXHAUSTED"].as_u64().unwrap() > 100);
    let count = |third| all.iter().filter(|one| within(one.started, third)).count() as f64;
    near("before", count(BEFORE), 2000.0, 6.0);
    near("1/20 ms", count((10.1, 20.0)), 9.9 * 50.0, 3.0);
    near("after", count((20.5, 29.5)), 1800.0, 6.0);
}

#[test]
fn fields_have_their_values_meanwhile() {
    let set = |path: &str, value: f64, changes: Value| {
        with(json!({"set": {"path": path, "value": value}}), changes)
    };
    let (all, _) = served(&set("workers.service.base_seconds", 0.015, json!({})));
    exactly(services(&all), [0.01, 0.015, 0.01]);

    let (all, _) = served(&set("arrivals.rate_per_second", 350.0, json!({})));
    for (count, expected) in created(&all).iter().zip([2000.0, 3500.0, 2000.0]) {
        near("arrivals", *count, expected, 1.0);
    }

    // Twice what the workers can do fills whatever places there are; five again at the end.
    let profile = set(
        "queue.capacity",
        40.0,
        json!({"arrivals": {"rate_per_second": 800}, "queue": {"capacity": 5}}),
    );
    let (most, _) = watch(&profile, |most: &mut [u32; 3], event: &Event<'_>| {
        if let Fact::Admitted { waiting, .. } = event.fact {
            let third = &mut most[(event.at.seconds() / 10.0).min(2.9) as usize];
            *third = waiting.max(*third);
        }
    });
    assert_eq!(most, [5, 40, 5]);

    // Under the same overload, workers that are busy at a time.
    for (value, expected) in [(7.0, [4, 7, 4]), (1.0, [4, 1, 4])] {
        let profile = set(
            "workers.count",
            value,
            json!({"arrivals": {"rate_per_second": 800}, "queue": {"capacity": 50}}),
        );
        let (all, report) = served(&profile);
        for (third, expected) in [BEFORE, MEANWHILE, AFTER].into_iter().zip(expected) {
            let ended = all
                .iter()
                .filter(|one| within(one.ended, (third.0 + 0.1, third.1)));
            let busy = ended.map(Served::service).sum::<f64>() / 9.9;
            near("busy", busy, f64::from(expected), 0.01);
        }
        near(
            "on duty",
            report.worker_seconds.unwrap().on_duty,
            80.0 + 10.0 * value,
            0.02,
        );
    }

    let profile = set(
        "network.latency_seconds",
        0.05,
        json!({"network": {"latency_seconds": 0.002}}),
    );
    let (ways, _) = watch(
        &profile,
        |ways: &mut (BTreeMap<u64, f64>, Vec<(f64, f64)>), event: &Event<'_>| {
            if let Fact::Attempt { request, step } = event.fact {
                let at = event.at.seconds();
                match step {
                    Step::Sent(_) => {
                        ways.0.insert(request.number, at);
                    }
                    Step::Arrived => {
                        let sent = ways.0[&request.number];
                        ways.1.push((sent, at - sent));
                    }
                    _ => {}
                }
            }
        },
    );
    for (sent, way) in ways.1 {
        let expected = if within(sent, MEANWHILE) { 0.05 } else { 0.002 };
        near("the way", way, expected, 2e-9);
    }
}

/// Arrivals at every multiple of 5 ms, so at 10 and at 20 s too.
#[test]
fn an_intervention_comes_before_all_else_of_its_nanosecond() {
    let profile = with(json!({"slow_workers": {"factor": 1.5}}), json!({}));
    let (order, _) = watch(
        &profile,
        |order: &mut Vec<(f64, &'static str)>, event: &Event<'_>| {
            order.push((event.at.seconds(), event.fact.name()));
        },
    );
    for (moment, name) in [(10.0, "INTERVENTION_STARTED"), (20.0, "INTERVENTION_ENDED")] {
        let first = order.iter().position(|(at, _)| *at == moment).unwrap();
        assert_eq!(order[first].1, name);
        assert!(order[first + 1..].contains(&(moment, "REQUEST_STARTED")));
        // The one that came 10 ms before ends at this moment, after the intervention.
        assert!(order[first..].contains(&(moment, "REQUEST_COMPLETED")));
    }
    let (all, _) = served(&profile);
    let at = |moment: f64| {
        all.iter()
            .find(|one| one.started == moment)
            .unwrap()
            .service()
    };
    near("the first", at(10.0), 0.015, 2e-9);
    near("the last", at(20.0), 0.01, 2e-9);
    // One that ends comes before one that starts: 1.5 and 2 are never both in force.
    let slow = |at: f64, factor: f64| json!({"at_seconds": at, "for_seconds": 10, "slow_workers": {"factor": factor}});
    let (all, _) = served(&scheduled(vec![slow(10.0, 1.5), slow(0.0, 0.5)], json!({})));
    exactly(services(&all), [0.005, 0.015, 0.01]);
}

#[test]
fn entries_may_overlap_and_end_in_any_order() {
    let entry = |at: f64, span: f64, kind: Value| {
        let mut entry = json!({"at_seconds": at, "for_seconds": span});
        crate::merge(&mut entry, kind);
        entry
    };
    let service = |all: &[Served], from: f64, to: f64| {
        mean(
            all.iter()
                .filter(|one| within(one.started, (from, to)))
                .map(Served::service),
        )
    };
    // Factors multiply.
    let slow = |factor: f64| json!({"slow_workers": {"factor": factor}});
    let (all, _) = served(&scheduled(
        vec![entry(5.0, 10.0, slow(1.2)), entry(10.0, 10.0, slow(1.5))],
        json!({}),
    ));
    for (from, to, expected) in [
        (0.0, 5.0, 0.01),
        (5.0, 10.0, 0.012),
        (10.0, 15.0, 0.018),
        (15.0, 20.0, 0.015),
        (20.0, 30.0, 0.01),
    ] {
        near("slow", service(&all, from, to), expected, 2e-9);
    }
    // Of two values the one further down the timeline is in force, whichever began first.
    let set = |value: f64| json!({"set": {"path": "workers.service.base_seconds", "value": value}});
    let (all, _) = served(&scheduled(
        vec![entry(10.0, 15.0, set(0.012)), entry(5.0, 10.0, set(0.015))],
        json!({}),
    ));
    for (from, to, expected) in [
        (0.0, 5.0, 0.01),
        (5.0, 15.0, 0.015),
        (15.0, 25.0, 0.012),
        (25.0, 30.0, 0.01),
    ] {
        near("set", service(&all, from, to), expected, 2e-9);
    }
    // The same of rates, and what multiplies traffic multiplies the rate in force.
    let rate = |value: f64| json!({"set": {"path": "arrivals.rate_per_second", "value": value}});
    let (all, _) = served(&scheduled(
        vec![
            entry(5.0, 15.0, rate(300.0)),
            entry(10.0, 5.0, rate(100.0)),
            entry(12.0, 10.0, json!({"traffic": {"arrivals_factor": 0.5}})),
        ],
        json!({}),
    ));
    for (from, to, expected) in [
        (0.0, 5.0, 200.0),
        (5.0, 10.0, 300.0),
        (10.0, 12.0, 100.0),
        (12.0, 15.0, 50.0),
        (15.0, 20.0, 150.0),
        (20.0, 22.0, 100.0),
        (22.0, 30.0, 200.0),
    ] {
        let count = all
            .iter()
            .filter(|one| within(one.created, (from, to)))
            .count() as f64;
        near("rate", count, expected * (to - from), 1.0);
    }
    // Crashes add up, stalls do not; a crash during a stall loses what is paused.
    let report = Run::new(&scheduled(
        vec![
            entry(5.0, 10.0, json!({"crash": {"workers": 1}})),
            entry(8.0, 4.0, json!({"crash": {"workers": 2}})),
            entry(18.001, 4.0, json!({"stall": {}})),
            entry(20.0, 1.0, json!({"stall": {}})),
            entry(21.0, 2.0, json!({"stall": {}})),
            entry(22.5, 2.0, json!({"crash": {"workers": 4}})),
        ],
        json!({}),
    ))
    .finish();
    let ledger = report.worker_seconds.unwrap();
    near("down", ledger.down, 10.0 + 2.0 * 4.0 + 4.0 * 2.0, 1e-6);
    near("stalled", ledger.stalled, 4.0 * 4.499, 1e-6);
    assert!((1..=4).contains(&(report.server.unwrap().lost - 2)));
}

/// Whatever is going on at its end, a run ends, and nothing is left under way.
#[test]
fn a_run_ends_whatever_lasts_beyond_its_end() {
    // Whether work that has come cannot be done before the intervention ends, at 525 s, and whether
    // it has to have an end.
    for (kind, holds_up, must_end) in [
        (json!({"stall": {}}), true, true),
        (json!({"crash": {"workers": 4}}), true, true),
        (json!({"crash": {"workers": 3}}), false, true),
        (json!({"slow_workers": {"factor": 100}}), false, false),
        (json!({"slow_downstream": {"factor": 100}}), false, false),
        (json!({"pool": {"of": "downstream", "size": 0}}), true, true),
        (json!({"pool": {"of": "network", "size": 0}}), false, true),
        (
            json!({"traffic": {"arrivals_factor": 5, "extra_agents": 20}}),
            false,
            false,
        ),
        (json!({"loss": {"ratio": 1}}), false, false),
        (
            json!({"set": {"path": "workers.count", "value": 1}}),
            false,
            false,
        ),
    ] {
        for for_seconds in [json!(500), Value::Null] {
            if must_end && for_seconds.is_null() {
                continue;
            }
            for drain in ["stop", "continue"] {
                let mut entry = json!({"at_seconds": 25, "for_seconds": for_seconds});
                crate::merge(&mut entry, kind.clone());
                let profile = scheduled(
                    vec![entry],
                    json!({
                        "run": {"drain": drain},
                        "network": {"pool": {"size": 20, "wait_seconds": 0.5}},
                        "downstream": {"service_seconds": 0.001, "network": {"pool": {"size": 20, "wait_seconds": null}}},
                    }),
                );
                let mut run = Run::new(&profile);
                while !run.advance(agent_chaos_core::Limit::NONE) {}
                assert_eq!(run.held(), agent_chaos_core::Held::default(), "{kind}");
                let ended = run.now().seconds();
                assert!(!holds_up || ended >= 525.0, "{kind}: {ended} s");
                assert!(ended < 540.0, "{kind}: {ended} s");
            }
        }
    }
}
