//! The simulation agrees with queueing theory: at least 20 replications, their confidence interval.

mod support;

use agent_chaos_core::theory;
use agent_chaos_core::{Limit, Report, Run};
use support::{mean_and_error, preset, profile};

/// Student's t for 99.9 % and 19 degrees of freedom: each test is wrong about once in a thousand
/// changes of the engine, not once in twenty.
const T_999_19: f64 = 3.883;
const REPLICATIONS: u32 = 20;

#[track_caller]
fn agrees(what: &str, reports: &[Report], of: fn(&Report) -> f64, expected: f64) {
    let (mean, error) = mean_and_error(&reports.iter().map(of).collect::<Vec<_>>());
    // Start-up from empty biases by less than one part in a thousand over runs this long.
    let within = T_999_19 * error + 0.001 * expected;
    assert!(
        (mean - expected).abs() <= within,
        "{what}: {mean} ± {within}, theory {expected}"
    );
}

fn replicate(text: &str) -> Vec<Report> {
    (1..=REPLICATIONS)
        .map(|seed| {
            let mut profile = profile(text);
            profile.seed = seed;
            Run::new(&profile).finish()
        })
        .collect()
}

fn mean(r: &Report) -> f64 {
    r.latency_seconds.unwrap().mean
}

/// A plain open-loop system: λ per second, service of mean 1 ms.
fn open(rate: f64, workers: u32, capacity: &str, distribution: &str) -> String {
    format!(
        r#"{{"run": {{"duration_seconds": 260, "warmup_seconds": 10}}, "agents": null,
            "arrivals": {{"rate_per_second": {rate}}},
            "queue": {{"capacity": {capacity}, "early_drop": null}},
            "workers": {{"count": {workers}, "service": {{"distribution": "{distribution}", "base_seconds": 0.001,
                "per_weight_seconds": 0, "slowdown_per_pressure": 0, "spread_ratio": 0.5}}}},
            "faults": {{"spike": null, "error": null}}, "throttle": null}}"#
    )
}

#[test]
fn mm1_waits_as_theory_says() {
    let reports = replicate(&open(800.0, 1, "null", "exponential"));
    let steady = theory::mm1(800.0, 1000.0).unwrap();
    agrees("sojourn", &reports, mean, steady.sojourn_seconds);
    agrees("queue", &reports, |r| r.queue.mean, steady.queue);
    agrees(
        "utilization",
        &reports,
        |r| r.utilization,
        steady.utilization,
    );
    // The sojourn time of M/M/1 is exponential: p95 = −ln(0.05)·W.
    agrees(
        "p95",
        &reports,
        |r| r.latency_seconds.unwrap().p95,
        2.995_732 * steady.sojourn_seconds,
    );
}

#[test]
fn the_mm1_preset_waits_as_theory_says() {
    let reports: Vec<_> = (1..=REPLICATIONS)
        .map(|seed| Run::new(&preset("mm1", seed)).finish())
        .collect();
    assert!(
        reports
            .iter()
            .all(|r| r.requests.created == 1_000_000 && r.requests.in_flight == 0)
    );
    agrees(
        "sojourn",
        &reports,
        mean,
        theory::mm1(900.0, 1000.0).unwrap().sojourn_seconds,
    );
}

#[test]
fn mm4_waits_as_erlang_c_says() {
    let reports = replicate(&open(3200.0, 4, "null", "exponential"));
    agrees(
        "sojourn",
        &reports,
        mean,
        theory::mmc(3200.0, 1000.0, 4).unwrap().sojourn_seconds,
    );
}

#[test]
fn the_mm4_80_preset_blocks_as_theory_says() {
    let reports: Vec<_> = (1..=REPLICATIONS)
        .map(|seed| Run::new(&preset("mm4-80", seed)).finish())
        .collect();
    let steady = theory::mmck(4660.0, 1000.0, 4, 80);
    agrees(
        "blocking",
        &reports,
        |r| r.error_rate.unwrap(),
        steady.blocking,
    );
    agrees("sojourn", &reports, mean, steady.sojourn_seconds);
    agrees("queue", &reports, |r| r.queue.mean, steady.queue);
    agrees(
        "utilization",
        &reports,
        |r| r.utilization,
        steady.utilization,
    );
}

#[test]
fn constant_and_uniform_service_wait_as_pollaczek_and_khinchine_say() {
    let reports = replicate(&open(800.0, 1, "null", "deterministic"));
    agrees(
        "M/D/1",
        &reports,
        mean,
        theory::md1(800.0, 0.001).unwrap().sojourn_seconds,
    );
    // A factor uniform on [0.5, 1.5] has variance 1/12.
    let reports = replicate(&open(800.0, 1, "null", "uniform"));
    agrees(
        "M/U/1",
        &reports,
        mean,
        theory::mg1(800.0, 0.001, 1e-6 / 12.0)
            .unwrap()
            .sojourn_seconds,
    );
}

#[test]
fn a_sender_that_waits_for_a_place_waits_as_long_as_in_an_unbounded_queue() {
    let reports = replicate(
        &open(800.0, 1, "3", "exponential")
            .replace("\"early_drop\"", "\"when_full\": \"wait\", \"early_drop\""),
    );
    assert!(
        reports
            .iter()
            .all(|r| r.requests.failed == 0 && r.queue.max == 3)
    );
    agrees(
        "sojourn",
        &reports,
        mean,
        theory::mm1(800.0, 1000.0).unwrap().sojourn_seconds,
    );
}

/// ∫N dt = Σ residence, exactly, when everything has left: in nanoseconds, over every request.
#[test]
fn littles_law_holds_exactly() {
    for name in ["exp-002", "published-003"] {
        let state = std::rc::Rc::new(std::cell::RefCell::new((0_u128, 0_u128, 0_u128, 0_u64)));
        let sink = std::rc::Rc::clone(&state);
        let observer = move |event: &agent_chaos_core::event::Event<'_>| {
            use agent_chaos_core::event::Fact;
            let (area, residence, inside, since) = &mut *sink.borrow_mut();
            *area += *inside * u128::from(event.at.nanos() - *since);
            *since = event.at.nanos();
            match event.fact {
                Fact::Admitted { .. } => *inside += 1,
                Fact::Completed { request, .. } => {
                    *inside -= 1;
                    // Rejecting queues admit at creation, so that residence is latency.
                    *residence += u128::from((event.at - request.created).nanos());
                }
                _ => {}
            }
        };
        Run::observed(&preset(name, 1), Some(Box::new(observer))).finish();
        let (area, residence, inside, _) = *state.borrow();
        assert_eq!((area, inside), (residence, 0), "{name}");
    }
}

/// The fluid model on the measured series: ΔQ = accepted − taken holds exactly at every tick.
#[test]
fn the_fluid_model_follows_the_queue_exactly() {
    let mut profile = preset("exp-002", 1);
    profile.telemetry.window_seconds = profile.telemetry.interval_seconds;
    let mut run = Run::new(&profile);
    while !run.advance(Limit::NONE) {}
    run.with_series(|series| {
        let column = |name| series.column(name).unwrap();
        let rates: Vec<_> = column("accepted")
            .iter()
            .copied()
            .zip(column("taken").iter().copied())
            .collect();
        let fluid = theory::fluid(0.0, &rates, profile.telemetry.interval_seconds, None);
        assert_eq!(fluid.len(), 2400);
        for (tick, (fluid, queue)) in fluid.iter().zip(column("queue")).enumerate() {
            assert!((fluid - queue).abs() < 1e-6, "tick {tick}: {fluid} {queue}");
        }
    });
}
