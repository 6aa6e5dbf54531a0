//! A rule of one's own at the gate: heavy requests are let in only while few wait.
//!
//! The preset has a server with twice the load that it can do. With the rule, light requests hardly
//! notice that; without it, both kinds are refused alike.
//!
//! ```text
//! cargo run --release -p agent-chaos-core --example own_policy
//! ```

use std::cell::Cell;
use std::rc::Rc;

use agent_chaos_core::event::Fact;
use agent_chaos_core::request::Class;
use agent_chaos_core::{Profile, Run, wire};

const OVERLOAD: &str = r#"{"agents": null, "arrivals": {"rate_per_second": 600},
    "queue": {"capacity": 40, "early_drop": null},
    "workers": {"count": 4, "service": {"slowdown_per_pressure": 0}},
    "run": {"duration_seconds": 60, "warmup_seconds": 10}}"#;

/// Of the light requests, the share that is refused.
fn light_refused(profile: &Profile, with_rule: bool) -> f64 {
    let counts = Rc::new([const { Cell::new(0_u32) }; 2]);
    let sees = Rc::clone(&counts);
    let mut run = Run::builder(profile).observer(move |event| {
        let (which, request) = match event.fact {
            Fact::Created(request) => (0, request),
            Fact::Throttled { request, .. } => (1, request),
            _ => return,
        };
        if request.class == Class::Light {
            sees[which].set(sees[which].get() + 1);
        }
    });
    if with_rule {
        run = run.admission(|offer| offer.class == Class::Light || offer.waiting < 4);
    }
    let report = run.start().finish();
    assert_eq!(report.requests.in_flight, 0);
    f64::from(counts[1].get()) / f64::from(counts[0].get())
}

/// Runs it.
pub fn main() -> Result<(), wire::ProfileError> {
    let profile = wire::parse(OVERLOAD)?;
    let [without, with] = [false, true].map(|rule| light_refused(&profile, rule));
    println!(
        "light requests refused: {:.1} % without the rule, {:.1} % with it",
        100.0 * without,
        100.0 * with
    );
    assert!(without > 0.4, "{without}");
    assert!(with < 0.35 && with < 0.75 * without, "{with}");
    Ok(())
}
