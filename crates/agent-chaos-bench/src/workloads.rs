//! The work that is timed, as ordinary profiles.

use agent_chaos_core::{Profile, presets, wire};
use serde_json::json;

/// The preset `mm4-80` with this many requests: an open-loop M/M/4 queue with 80 waiting places
/// at 1.165 times its capacity.
#[must_use]
pub fn open_loop(requests: u32) -> Profile {
    let mut profile = presets::find("mm4-80").expect("a preset").profile();
    profile.run.max_requests = Some(requests);
    profile
}

/// The preset `mm1` with this many requests: an open-loop M/M/1 queue at 0.9 of its capacity.
#[must_use]
pub fn single_worker(requests: u32) -> Profile {
    let mut profile = presets::find("mm1").expect("a preset").profile();
    profile.run.max_requests = Some(requests);
    profile
}

/// The queue of [`open_loop`] with this many agents, each its own task, which think and then send. Their
/// thinking offers as much as the open loop does.
///
/// # Panics
///
/// With more agents than a profile may have.
#[must_use]
pub fn agents(agents: u32, requests: u32) -> Profile {
    let think_seconds = f64::from(agents) / 4660.0;
    let text = json!({
        "version": 1,
        "run": { "duration_seconds": 1_000_000, "warmup_seconds": 0, "max_requests": requests },
        "agents": {
            "count": agents,
            "first_wake_max_seconds": think_seconds,
            "think_seconds": think_seconds,
            "backoff": null,
        },
        "queue": { "capacity": 80, "early_drop": null },
        "workers": {
            "count": 4,
            "service": {
                "distribution": "exponential",
                "base_seconds": 0.001,
                "per_weight_seconds": 0,
                "slowdown_per_pressure": 0,
            },
        },
        "faults": { "spike": null, "error": null },
        "throttle": { "enabled": false },
    });
    wire::parse(&text.to_string()).expect("a profile within the bounds")
}

/// The preset `exp-002`: 120 s with faults, spikes, early drop and throttle.
#[must_use]
pub fn congestion() -> Profile {
    presets::find("exp-002").expect("a preset").profile()
}
