//! The engine alone: no telemetry, no detector, no digest.

use agent_chaos_core::Profile;

/// Runs the profile unobserved and gives the requests completed; none where the core cannot.
#[must_use]
pub fn run(profile: &Profile) -> Option<u64> {
    // Becomes `Some(agent_chaos_core::run_unobserved(profile).completed)`.
    let _ = profile;
    None
}
