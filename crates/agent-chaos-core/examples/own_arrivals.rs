//! Requests at moments of one's own: a batch of ten every 200 ms, as a scheduler sends them.
//!
//! The profile has neither agents nor generators; all load comes from the closure. In the mean it is
//! 50 requests a second, a sixth of what four workers can do, and yet most of them wait.
//!
//! ```text
//! cargo run --release -p agent-chaos-core --example own_arrivals
//! ```

use agent_chaos_core::units::{Instant, Span};
use agent_chaos_core::{Profile, Run, presets};

const BATCH: u32 = 10;

fn profile() -> Profile {
    let mut profile = presets::find("exp-002").expect("it is a preset").profile();
    profile.agents = None;
    profile.queue.early_drop = None;
    profile.run.duration_seconds = 60.0;
    profile.run.warmup_seconds = 0.0;
    profile
}

/// Runs it.
pub fn main() {
    let mut sent = 0;
    let run = Run::builder(&profile()).arrivals(move |last: Instant| {
        let begins = sent % BATCH == 0 && sent > 0;
        sent += 1;
        Some(if begins {
            last + Span::from_seconds(0.2)
        } else {
            last
        })
    });
    let report = run.start().finish();
    println!("{}", report.verdict);
    println!(
        "queue: at most {}, {:.2} in the mean",
        report.queue.max, report.queue.mean
    );
    // The first batch comes at once, the last one before the end: 300 of them.
    assert_eq!(report.requests.created, 3_000);
    // Four are served at once, the rest of a batch waits.
    assert_eq!(report.queue.max, BATCH - 4);
    // As many a second, one by one.
    let even = Run::builder(&profile())
        .arrivals(evenly(50.0))
        .start()
        .finish();
    assert_eq!(even.queue.max, 0, "evenly spaced, none ever waits");
}

/// So many requests a second, one by one.
fn evenly(per_second: f64) -> impl FnMut(Instant) -> Option<Instant> {
    move |last| Some(last + Span::from_seconds(1.0 / per_second))
}
