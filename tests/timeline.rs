//! Interventions on a run under way: what came before one stays as it was.

use agent_chaos_core::units::Instant;
use agent_chaos_core::{Limit, Profile, Run, presets, wire};
use serde_json::{Value, json};

/// The digest at a moment.
fn digest_at(profile: &Profile, at: Instant) -> String {
    let mut run = Run::new(profile);
    while run.now() < at && !run.is_finished() {
        run.advance(Limit {
            until: at,
            polls: u64::MAX,
        });
    }
    run.digest()
}

/// What can be done to this profile: every kind, as far as it has what the kind works on.
fn strikes(profile: &Profile) -> Vec<Value> {
    let mut strikes = vec![
        json!({"traffic": {"arrivals_factor": 3.0, "extra_agents": 50}}),
        json!({"crash": {"workers": 1}}),
        json!({"stall": {}}),
        json!({"slow_workers": {"factor": 3.0}}),
        json!({"slow_downstream": {"factor": 3.0}}),
        json!({"loss": {"ratio": 0.1}}),
        json!({"pool": {"of": "network", "size": 1}}),
        json!({"pool": {"of": "downstream", "size": 1}}),
    ];
    strikes.extend(
        wire::settable(profile)
            .into_iter()
            .filter(|path| path == "workers.count" || path == "queue.capacity")
            .map(|path| json!({"set": {"path": path, "value": 3}})),
    );
    strikes
}

#[test]
fn an_intervention_leaves_everything_before_it_alone() {
    let mut tried = 0;
    for preset in presets::PRESETS {
        let mut profile = preset.profile();
        profile.run.duration_seconds = profile.run.duration_seconds.min(20.0);
        profile.run.warmup_seconds = profile.run.warmup_seconds.min(5.0);
        profile.timeline.clear();
        let at = 6.789;
        let before = digest_at(&profile, Instant::from_seconds(at - 0.001));
        for strike in strikes(&profile) {
            let mut written = serde_json::to_value(&profile).unwrap();
            let mut entry = strike.clone();
            entry["at_seconds"] = json!(at);
            entry["for_seconds"] = json!(3.0);
            written["timeline"] = json!([entry]);
            // A kind that works on something this profile does not have is refused.
            let Ok(struck) = wire::parse(&written.to_string()) else {
                continue;
            };
            tried += 1;
            assert_eq!(
                digest_at(&struck, Instant::from_seconds(at - 0.001)),
                before,
                "{} with {strike}",
                preset.name
            );
        }
    }
    assert!(
        tried > 4 * presets::PRESETS.len(),
        "only {tried} were tried"
    );
}
