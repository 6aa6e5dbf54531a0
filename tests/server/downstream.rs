//! The dependency that workers call, and the pool of connections to it.

use agent_chaos_core::theory;
use agent_chaos_core::{Profile, Report, Run};
use serde_json::{Value, json};

use crate::{agrees, clockwork, near, replicate, served, server};

#[test]
fn a_call_adds_its_way_its_service_and_its_way_back() {
    let profile = clockwork(json!({
        "arrivals": {"rate_per_second": 20},
        "downstream": {"service_seconds": 0.01, "distribution": "deterministic",
            "network": {"latency_seconds": 0.003}},
    }));
    let (all, report) = served(&profile);
    assert!(all.len() > 1000);
    for one in &all {
        near(
            "the service",
            one.service(),
            0.001 + 0.01 + 2.0 * 0.003,
            1e-9,
        );
    }
    // A worker that waits is busy.
    near("utilization", report.utilization, 20.0 * 0.017, 0.001);
}

/// 64 workers, 22 ms per call.
fn pooled(rate: f64, pool: Value) -> Profile {
    server(json!({
        "run": {"duration_seconds": 60},
        "arrivals": {"rate_per_second": rate},
        "queue": {"capacity": 100},
        "workers": {"count": 64},
        "downstream": {"service_seconds": 0.02, "distribution": "deterministic",
            "network": {"latency_seconds": 0.001, "pool": pool}},
    }))
}

fn exhausted(report: &Report) -> u64 {
    report
        .failures
        .get("POOL_EXHAUSTED")
        .and_then(Value::as_u64)
        .unwrap_or(0)
}

#[test]
fn a_pool_caps_throughput_at_its_size_over_the_time_each_connection_is_held() {
    for size in [2, 4, 8] {
        let cap = f64::from(size) / 0.022;
        let report =
            Run::new(&pooled(1000.0, json!({"size": size, "wait_seconds": 0.05}))).finish();
        // Always used up; a call more or less at either end of 50 s.
        near(
            "goodput",
            report.goodput_per_second,
            cap,
            f64::from(size) / 50.0 + 0.01,
        );
        assert!(exhausted(&report) > 0);
        // Below the cap everything passes.
        let report =
            Run::new(&pooled(0.5 * cap, json!({"size": size, "wait_seconds": 1}))).finish();
        assert_eq!((report.requests.failed, exhausted(&report)), (0, 0));
    }
    // Who waits without a limit waits for a connection, not in vain; the queue in front is full.
    let report = Run::new(&pooled(1000.0, json!({"size": 4, "wait_seconds": null}))).finish();
    assert_eq!(exhausted(&report), 0);
    near("goodput", report.goodput_per_second, 4.0 / 0.022, 0.1);
    near("utilization", report.utilization, 1.0, 0.001);
}

/// Nobody waits at all: n connections, Poisson calls, blocked as Erlang B says, whatever the
/// distribution of the time they are held. Enough workers that none is ever busy: a = 5, 64 places.
#[test]
fn a_pool_without_waiting_blocks_as_erlang_b_says() {
    for distribution in ["deterministic", "exponential"] {
        let reports = replicate(&server(json!({
            "run": {"duration_seconds": 110},
            "arrivals": {"rate_per_second": 250},
            "workers": {"count": 64},
            "downstream": {"service_seconds": 0.02, "distribution": distribution,
                "network": {"latency_seconds": 0, "pool": {"size": 6, "wait_seconds": 0}}},
        })));
        let blocked = reports.iter().map(|report| {
            assert_eq!(exhausted(report), report.requests.failed);
            report.error_rate.unwrap()
        });
        agrees(
            distribution,
            &blocked.collect::<Vec<_>>(),
            theory::erlang_b(5.0, 6),
        );
    }
}

#[test]
fn errors_and_losses_of_the_dependency_fail_the_request() {
    let profile = |downstream: Value| {
        Run::new(&server(json!({
            "arrivals": {"rate_per_second": 200}, "workers": {"count": 64}, "downstream": downstream,
        })))
        .finish()
    };
    let error = profile(json!({"service_seconds": 0.01, "error_ratio": 0.1}));
    // 20,000 requests: four standard deviations of the share.
    let within = |p: f64| 4.0 * (p * (1.0 - p) / 20_000.0).sqrt();
    near("errors", error.error_rate.unwrap(), 0.1, within(0.1));
    // Either way may lose the message.
    let lost = profile(json!({"service_seconds": 0.01,
        "network": {"loss_ratio": 0.1, "socket_timeout_seconds": 0.2}}));
    near("losses", lost.error_rate.unwrap(), 0.19, within(0.19));
    assert_eq!(
        lost.failures["NETWORK_FAILURE"].as_u64(),
        Some(lost.requests.failed)
    );
}
