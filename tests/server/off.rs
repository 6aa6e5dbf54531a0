//! A mechanism that is off, or never binds, changes nothing.

use agent_chaos_core::{Profile, Run, wire};
use serde_json::{Value, json};

use crate::support::preset;
use crate::{Served, merge, served};

/// EXP-002, cut to 30 s: agents, back-off, early drop, faults, pressure, detector and throttle, all
/// of them at work.
fn busy(changes: Value) -> Profile {
    let mut value = wire::to_value(&preset("exp-002", 7));
    merge(
        &mut value,
        json!({"run": {"duration_seconds": 30, "warmup_seconds": 5}}),
    );
    merge(&mut value, changes);
    wire::from_value(value).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn what_is_off_leaves_the_digest_as_it_is_without() {
    let digest = |changes: Value| Run::new(&busy(changes)).finish().digest;
    let plain = digest(json!({}));
    let off = [
        json!({"admission": null}),
        json!({"admission": {"token_bucket": null, "limit": null}}),
        json!({"queue": {"discipline": "fifo", "lifo_above": 3, "weights": [5, 1], "drops_expired": false,
            "codel": null, "timeout": null}}),
        json!({"workers": {"bulkheads": null, "autoscaler": null}}),
        json!({"faults": {"stalls": null, "crashes": null}}),
        json!({"client": null, "network": null, "downstream": null, "timeline": []}),
        json!({"run": {"drain": "stop", "drain_seconds": 7}}),
    ];
    // At work, but never binding, and without events of their own.
    let idle = [
        json!({"admission": {"token_bucket": {"rate_per_second": 1_000_000, "burst": 1_000_000}}}),
        json!({"admission": {"limit": {"kind": "fixed", "initial": 1_000_000}}}),
        json!({"queue": {"discipline": "adaptive_lifo", "lifo_above": 1000}}),
        json!({"queue": {"discipline": "priority"}}),
        json!({"queue": {"discipline": "weighted", "weights": [3]}}),
        json!({"queue": {"drops_expired": true}}),
        json!({"queue": {"codel": {"target_seconds": 1000}}}),
        json!({"queue": {"timeout": {"target_seconds": 1000, "interval_seconds": 1000}}}),
        json!({"workers": {"bulkheads": {"light": 0, "heavy": 0}}}),
        json!({"workers": {"autoscaler": {"min": 4, "max": 4}}}),
        json!({"faults": {"stalls": {"every_seconds": 100_000}}}),
        json!({"faults": {"crashes": {"every_seconds": 100_000}}}),
    ];
    for changes in off.into_iter().chain(idle) {
        assert_eq!(digest(changes.clone()), plain, "{changes}");
    }
    assert_ne!(
        digest(json!({"queue": {"discipline": "lifo"}})),
        plain,
        "the test can tell"
    );
}

/// What has events of its own changes the digest, but not what is done, and when.
#[test]
fn what_never_binds_leaves_every_service_as_it_is_without() {
    let services = |changes: Value| -> Vec<Served> { served(&busy(changes)).0 };
    let plain = services(json!({}));
    assert!(plain.len() > 5000);
    for changes in [
        json!({"client": {"timeout_seconds": null}}),
        json!({"network": {"latency_seconds": 0, "socket_timeout_seconds": null}}),
        json!({"client": {"timeout_seconds": 1000}, "network": {"latency_seconds": 0,
            "pool": {"size": 1_000_000}}}),
        json!({"admission": {"limit": {"kind": "gradient2", "initial": 100_000, "min": 100_000, "max": 100_000}}}),
        json!({"timeline": [
            {"at_seconds": 3, "for_seconds": 4, "set": {"path": "queue.capacity", "value": 80}},
            {"at_seconds": 4, "for_seconds": 1, "slow_workers": {"factor": 1}},
            {"at_seconds": 5, "traffic": {"arrivals_factor": 9}},
        ]}),
    ] {
        assert!(services(changes.clone()) == plain, "{changes}");
    }
}
