//! How many agents does it take for the congested experiment to collapse?
//!
//! The state is asked for the majority of five seeds, and the number is found by halving.
//!
//! ```text
//! cargo run --release -p agent-chaos-core --example smallest_collapse
//! ```

use agent_chaos_core::detector::State;
use agent_chaos_core::{Run, presets};

/// Whether most of five runs with so many agents collapse.
fn collapses(agents: u32) -> bool {
    let mut profile = presets::find("exp-002").expect("it is a preset").profile();
    profile.agents.as_mut().expect("it has agents").count = agents;
    // Without the throttle, which would hold the agents back in time.
    profile.throttle.enabled = false;
    profile.run.duration_seconds = 60.0;
    profile.run.warmup_seconds = 20.0;
    let runs = (1..=5).filter(|&seed| {
        profile.seed = seed;
        Run::new(&profile).finish().state == Some(State::Collapsed)
    });
    runs.count() >= 3
}

/// Runs it.
pub fn main() {
    let (mut most_that_hold, mut collapsed) = (40, 800);
    assert!(!collapses(most_that_hold) && collapses(collapsed));
    while collapsed - most_that_hold > 5 {
        let middle = u32::midpoint(most_that_hold, collapsed);
        if collapses(middle) {
            collapsed = middle;
        } else {
            most_that_hold = middle;
        }
    }
    println!("{most_that_hold} agents hold, {collapsed} collapse");
    assert!((40..800).contains(&most_that_hold) && most_that_hold < collapsed);
}
