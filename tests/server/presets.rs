//! What the presets' summaries say.

use agent_chaos_core::event::{Event, Fact};
use agent_chaos_core::profile::Discipline;
use agent_chaos_core::{Limit, Profile, Report, Run};

use crate::support::preset;
use crate::{mean, near, seeds, served, watch};

fn run(profile: &Profile) -> Report {
    Run::new(profile).finish()
}

/// Goodput per second from one moment to another.
fn goodput(profile: &Profile, from: f64, to: f64) -> f64 {
    let settles = profile.has_clients();
    let (count, _) = watch(profile, move |count: &mut f64, event: &Event<'_>| {
        let good = match event.fact {
            Fact::Completed { outcome, .. } => !settles && outcome.is_good(),
            Fact::Settled { outcome, .. } => outcome.is_good(),
            _ => false,
        };
        if good && (from..to).contains(&event.at.seconds()) {
            *count += 1.0;
        }
    });
    count / (to - from)
}

#[test]
fn lifo_serves_in_time_where_fifo_does_not() {
    for profile in seeds(&preset("lifo-overload", 1)).take(5) {
        let mut fifo = profile.clone();
        fifo.queue.discipline = Discipline::Fifo;
        near("LIFO", run(&profile).goodput_per_second, 333.0, 3.0);
        assert_eq!(run(&fifo).goodput_per_second, 0.0);
    }
}

#[test]
fn light_requests_wait_a_quarter_and_heavy_ones_twice_as_long() {
    let waits = |discipline: Discipline| {
        let mut profile = preset("priority", 1);
        profile.run.duration_seconds = 1200.0;
        profile.queue.discipline = discipline;
        let (all, _) = served(&profile);
        [false, true].map(|heavy| {
            let those = all.iter().filter(|one| one.heavy == heavy);
            mean(those.map(crate::Served::wait))
        })
    };
    let (first, fifo) = (waits(Discipline::Priority), waits(Discipline::Fifo));
    near("light", first[0] / fifo[0], 0.24, 0.04);
    near("heavy", first[1] / fifo[1], 1.98, 0.2);
}

/// The overload leaves 67/s · 30 s = 2,000 waiting where nothing drops.
#[test]
fn codel_keeps_a_queue_short_that_would_be_long() {
    let profile = preset("codel", 1);
    let mut without = profile.clone();
    without.queue.codel = None;
    // 12,000 arrivals: four standard deviations.
    near("without", f64::from(run(&without).queue.max), 2000.0, 440.0);
    assert!(run(&profile).queue.max < 200);
    near("goodput", goodput(&profile, 31.0, 60.0), 333.0, 5.0);
}

#[test]
fn limits_keep_goodput_at_capacity_and_the_queue_short() {
    let limited = preset("concurrency-limit", 1);
    // At the bottom of its saw the limit lets in no more than there are workers.
    near("goodput", goodput(&limited, 31.0, 60.0), 328.0, 10.0);
    assert!(run(&limited).latency_seconds.unwrap().p99 < 0.2);
    let bucket = preset("token-bucket", 1);
    near("goodput", goodput(&bucket, 31.0, 60.0), 270.0, 5.0);
    assert!(run(&bucket).latency_seconds.unwrap().p99 < 0.05);
    // What they keep away: a queue of 200 that is full.
    let mut without = limited.clone();
    without.admission = None;
    assert!(run(&without).latency_seconds.unwrap().p99 > 0.5);
}

/// Light requests in time while the flood lasts, of 150/s.
#[test]
fn bulkheads_keep_the_flood_from_the_light_requests() {
    let light = |name: &str| {
        let (count, _) = watch(&preset(name, 1), |count: &mut f64, event: &Event<'_>| {
            if let Fact::Settled {
                request, outcome, ..
            } = event.fact
                && outcome.is_good()
                && request.class.name() == "LIGHT"
                && (42.0..80.0).contains(&event.at.seconds())
            {
                *count += 1.0;
            }
        });
        count / 38.0
    };
    near(
        "with",
        light("bulkheads"),
        150.0,
        4.0 * (150.0_f64 / 38.0).sqrt(),
    );
    assert!(light("one-pool") < 40.0, "{}", light("one-pool"));
}

#[test]
fn the_autoscaler_is_late_and_gets_there() {
    let profile = preset("autoscaler", 1);
    let mut run = Run::new(&profile);
    while !run.advance(Limit::NONE) {}
    run.with_series(|series| {
        let column = |name| series.column(name).unwrap();
        let at = |moment: f64| column("time").iter().position(|&t| t >= moment).unwrap();
        let workers = |moment| column("workers")[at(moment)];
        assert!(workers(29.0) < 6.0 && workers(60.0) >= 8.0);
        assert!(workers(75.0) >= 8.0, "they stay on for a while");
        assert!(workers(119.0) < 6.0);
        let queue = |moment| column("queue")[at(moment)];
        assert!(
            queue(38.0) > 1000.0 && queue(69.0) < 100.0,
            "{} {}",
            queue(38.0),
            queue(69.0)
        );
    });
}

#[test]
fn pauses_show_in_the_last_percentile_alone() {
    let profile = preset("gc-stalls", 1);
    let mut without = profile.clone();
    without.faults.stalls = None;
    let [with, without] = [profile, without].map(|profile| run(&profile).latency_seconds.unwrap());
    assert!(with.p50 < 1.2 * without.p50, "{} {}", with.p50, without.p50);
    assert!(
        with.p99 > 0.4 && without.p99 < 0.08,
        "{} {}",
        with.p99,
        without.p99
    );
}

#[test]
fn crashes_cost_their_capacity() {
    let profile = preset("worker-crash", 1);
    near("three of four", goodput(&profile, 31.0, 45.0), 250.0, 4.0);
    near("none", goodput(&profile, 80.1, 82.0), 0.0, 0.0);
    near("as before", goodput(&profile, 50.0, 80.0), 280.0, 15.0);
}

/// Eight connections held for 80 + 2 ms; the queue in front stays empty.
#[test]
fn a_slow_dependency_uses_up_the_pool() {
    let profile = preset("slow-downstream", 1);
    near("8/82 ms", goodput(&profile, 42.0, 80.0), 8.0 / 0.082, 6.0);
    near("before", goodput(&profile, 10.0, 40.0), 200.0, 12.0);
    let report = run(&profile);
    assert!(report.queue.mean < 5.0);
    assert_eq!(
        report.failures["POOL_EXHAUSTED"].as_u64(),
        Some(report.requests.failed)
    );
}

#[test]
fn every_trouble_of_the_game_day_shows_and_passes() {
    let profile = preset("game-day", 1);
    for entry in &profile.timeline {
        let (from, to) = (entry.at_seconds, entry.end_seconds());
        let meanwhile = failures(&profile, from, to);
        let before = failures(&profile, from - 3.0, from);
        assert!(
            meanwhile > 5.0 && before < 1.0,
            "{from} s: {before} {meanwhile}"
        );
    }
}

/// Attempts that failed or got no answer, per second.
fn failures(profile: &Profile, from: f64, to: f64) -> f64 {
    use agent_chaos_core::event::Step;
    let (count, _) = watch(profile, move |count: &mut f64, event: &Event<'_>| {
        let failed = match event.fact {
            Fact::Attempt {
                step: Step::Answered(outcome),
                ..
            } => !outcome.is_good(),
            Fact::Attempt {
                step: Step::TimedOut(_),
                ..
            } => true,
            _ => false,
        };
        if failed && (from..to).contains(&event.at.seconds()) {
            *count += 1.0;
        }
    });
    count / (to - from)
}
