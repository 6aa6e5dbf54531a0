//! The core as a library: its examples hold, and what they bring along is part of the run.

use std::cell::RefCell;
use std::rc::Rc;

use agent_chaos_core::units::{Instant, Span};
use agent_chaos_core::{Profile, Run, presets};

#[path = "../crates/agent-chaos-core/examples/own_arrivals.rs"]
mod own_arrivals;
#[path = "../crates/agent-chaos-core/examples/own_policy.rs"]
mod own_policy;
#[path = "../crates/agent-chaos-core/examples/own_runtime.rs"]
mod own_runtime;
#[path = "../crates/agent-chaos-core/examples/smallest_collapse.rs"]
mod smallest_collapse;

#[test]
fn the_smallest_collapse_is_found() {
    smallest_collapse::main();
}

#[test]
fn own_arrivals_are_an_example() {
    own_arrivals::main();
}

#[test]
fn own_policies_are_an_example() {
    own_policy::main().unwrap();
}

#[test]
fn own_runtimes_are_an_example() {
    own_runtime::main().unwrap();
}

fn short(name: &str) -> Profile {
    let mut profile = presets::find(name).unwrap().profile();
    profile.run.duration_seconds = 20.0;
    profile.run.warmup_seconds = 2.0;
    profile.run.max_requests = profile.run.max_requests.map(|most| most.min(5_000));
    profile.timeline.retain(|entry| entry.end_seconds() < 20.0);
    profile
}

#[test]
fn a_builder_with_nothing_is_the_run_itself() {
    for name in ["exp-002", "mm4-80", "retry-storm", "codel", "bulkheads"] {
        let profile = short(name);
        let built = Run::builder(&profile).start().finish();
        assert_eq!(built, Run::new(&profile).finish(), "{name}");
    }
}

/// A rule that lets everybody in, and arrivals that never come, change nothing that happens.
#[test]
fn rules_at_rest_change_nothing() {
    for name in ["exp-002", "mm4-80", "codel", "priority"] {
        let profile = short(name);
        let plain = Run::new(&profile).finish();
        let run = Run::builder(&profile)
            .admission(|_| true)
            .arrivals(|_| None);
        assert_eq!(run.start().finish().digest, plain.digest, "{name}");
    }
}

/// The moments of a generator with equal gaps, as a closure: the same requests at the same moments.
#[test]
fn own_moments_are_those_of_a_generator() {
    let mut profile = short("mm4-80");
    profile.run.max_requests = None;
    profile.run.duration_seconds = 2.0;
    profile.run.warmup_seconds = 0.5;
    profile.arrivals.as_mut().unwrap().process = agent_chaos_core::profile::ArrivalProcess::Even;
    profile.arrivals.as_mut().unwrap().rate_per_second = 1_000.0;
    let plain = Run::new(&profile).finish();
    profile.arrivals = None;
    let run = Run::builder(&profile).arrivals(|last| Some(last + Span::from_seconds(0.001)));
    let own = run.start().finish();
    assert_eq!(own.requests.created, plain.requests.created);
    assert_eq!(own.error_rate, plain.error_rate);
}

#[test]
fn own_arrivals_stop_at_the_horizon_and_at_their_own_end() {
    let mut profile = short("mm4-80");
    profile.arrivals = None;
    profile.run.max_requests = Some(100);
    let every = |last: Instant| Some(last + Span::from_seconds(0.01));
    let run = Run::builder(&profile).arrivals(every).arrivals(every);
    assert_eq!(run.start().finish().requests.created, 100);
    profile.run.max_requests = None;
    let mut left = 7;
    let run = Run::builder(&profile).arrivals(move |last| {
        left -= 1;
        (left >= 0).then(|| last + Span::from_seconds(3.0))
    });
    // Six of the seven come within 20 s.
    let seen = Rc::new(RefCell::new(0));
    let sees = Rc::clone(&seen);
    let report = run
        .observer(move |_| *sees.borrow_mut() += 1)
        .records(10)
        .start()
        .finish();
    assert_eq!(report.requests.created, 6);
    assert!(*seen.borrow() > 6);
}

#[test]
fn an_own_rule_is_asked_before_all_others() {
    let profile = short("exp-002");
    let report = Run::builder(&profile)
        .admission(|offer| offer.waiting < 5)
        .start()
        .finish();
    assert!(report.queue.max <= 5, "{}", report.queue.max);
    let nobody = Run::builder(&profile).admission(|_| false).start().finish();
    assert_eq!(nobody.requests.completed, 0);
    assert_eq!(nobody.requests.failed, nobody.requests.created);
}

#[test]
fn what_cannot_be_had_twice_has_no_twin() {
    let mut profile = presets::find("retry-storm").unwrap().profile();
    profile.run.duration_seconds = 35.0;
    assert!(Run::builder(&profile).start().finish().recovery.is_some());
    assert!(
        Run::builder(&profile)
            .admission(|_| true)
            .start()
            .finish()
            .recovery
            .is_none()
    );
}
