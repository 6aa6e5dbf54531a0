//! Who is let in, and who is taken out unserved.

use std::collections::BTreeMap;

use agent_chaos_core::event::{Event, Fact, Removal, Resource};
use agent_chaos_core::request::FailureMode;
use agent_chaos_core::theory;
use agent_chaos_core::{Profile, Run};
use serde_json::{Value, json};

use crate::{agrees, clockwork, mean, near, replicate, served, server, watch};

/// What a concurrency limit was set to, and when.
fn limits(profile: &Profile) -> Vec<(f64, u32)> {
    let (all, _) = watch(profile, |all: &mut Vec<(f64, u32)>, event: &Event<'_>| {
        if let Fact::Resized {
            resource: Resource::ConcurrencyLimit,
            to,
        } = event.fact
        {
            all.push((event.at.seconds(), to));
        }
    });
    all
}

#[test]
fn a_fixed_limit_blocks_and_waits_as_a_queue_of_that_many_places_less_the_workers() {
    // L = 20, c = 4: K = 16.
    let profile = |limit: Value, capacity: Value| {
        server(json!({
            "run": {"duration_seconds": 60},
            "arrivals": {"rate_per_second": 4660},
            "workers": {"count": 4},
            "queue": {"capacity": capacity},
            "admission": {"limit": limit},
        }))
    };
    let limited = profile(json!({"kind": "fixed", "initial": 20}), Value::Null);
    let reports = replicate(&limited);
    let steady = theory::mmck(4660.0, 1000.0, 4, 16);
    let of = |what: &dyn Fn(&agent_chaos_core::Report) -> f64| -> Vec<f64> {
        reports.iter().map(what).collect()
    };
    agrees("blocked", &of(&|r| r.error_rate.unwrap()), steady.blocking);
    agrees(
        "sojourn",
        &of(&|r| r.latency_seconds.unwrap().mean),
        steady.sojourn_seconds,
    );
    agrees("queue", &of(&|r| r.queue.mean), steady.queue);
    // Not only in the mean: the very same requests are served, at the same nanoseconds.
    let full = profile(Value::Null, json!(16));
    assert_eq!(served(&limited).0, served(&full).0);
}

/// On every interval, and as many as that allows: bursts of 5000/s at a bucket of 300/s and 50.
#[test]
fn a_token_bucket_lets_in_its_burst_and_its_rate_on_every_interval() {
    let profile = server(json!({
        "run": {"duration_seconds": 60, "warmup_seconds": 0},
        "arrivals": {"rate_per_second": 1000, "bursty": {"high_factor": 5, "low_factor": 0,
            "high_mean_seconds": 0.2, "low_mean_seconds": 0.8}},
        "admission": {"token_bucket": {"rate_per_second": 300, "burst": 50}},
    }));
    let (admitted, report) = watch(&profile, |all: &mut Vec<f64>, event: &Event<'_>| {
        if matches!(event.fact, Fact::Admitted { .. }) {
            all.push(event.at.seconds());
        }
    });
    // n admitted from t_i to t_j obey n = j − i + 1 ≤ b + r·(t_j − t_i): with x_i = i − r·t_i, the
    // most of x_j + 1 − min x_i is at most b. Times are rounded to nanoseconds.
    let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
    for (index, at) in admitted.iter().enumerate() {
        let x = index as f64 - 300.0 * at;
        least = least.min(x);
        most = most.max(x + 1.0 - least);
    }
    assert!(most <= 50.0 + 1e-6, "{most}");
    assert!(most > 49.0, "{most}: a burst after a rest uses it up");
    let refused = report.failures["CONGESTION_FAILURE"].as_u64().unwrap();
    assert_eq!(refused, report.requests.failed);
    // Under a steady overload nothing of the rate is lost: b + r·t, give or take a token.
    let steady = server(json!({
        "run": {"duration_seconds": 60, "warmup_seconds": 0},
        "arrivals": {"rate_per_second": 2000},
        "admission": {"token_bucket": {"rate_per_second": 300, "burst": 50}},
    }));
    let report = Run::new(&steady).finish();
    near(
        "admitted",
        report.requests.completed as f64,
        50.0 + 300.0 * 60.0,
        1.0,
    );
}

/// An overload of twice the capacity of ten workers of 100/s, without chance.
fn limited(limit: Value, seconds: f64) -> Profile {
    clockwork(json!({
        "run": {"duration_seconds": seconds},
        "arrivals": {"rate_per_second": 2000},
        "workers": {"count": 10, "service": {"base_seconds": 0.01}},
        "admission": {"limit": limit},
    }))
}

/// An answer is late if more than T·C = 50 were in the server when it came in. By the time at which
/// the first such answer is out, 50 more answers have raised the limit to 2·T·C = 100; then they
/// follow each other, and the limit falls to its least.
#[test]
fn aimd_saws() {
    let limits = limits(&limited(
        json!({"kind": "aimd", "initial": 20, "min": 5, "max": 1000, "timeout_seconds": 0.05}),
        20.0,
    ));
    let mut before = 20;
    let (mut cuts, mut peaks, mut troughs) = (0, Vec::new(), Vec::new());
    let mut fell = false;
    for &(_, limit) in &limits {
        let falls = limit < before;
        if falls {
            assert_eq!(
                limit,
                ((f64::from(before) * 0.9) as u32).max(5),
                "L → 0.9 L"
            );
            cuts += 1;
        } else {
            assert_eq!(limit, before + 1);
        }
        if falls != fell {
            (if falls { &mut peaks } else { &mut troughs }).push(before);
        }
        (before, fell) = (limit, falls);
    }
    assert!(cuts > 100 && peaks.len() > 20, "{cuts} {}", peaks.len());
    assert!(
        peaks.iter().all(|peak| (90..=100).contains(peak)),
        "{peaks:?}"
    );
    assert!(troughs[1..].iter().all(|&least| least == 5), "{troughs:?}");
}

/// Without a queue an answer takes 10 ms, so that ten are in service and L − 10 wait.
#[test]
fn vegas_keeps_as_many_waiting_as_it_is_told() {
    let vegas = |alpha: u32, beta: u32, probe: u32| {
        let limit = json!({"kind": "vegas", "initial": 20, "min": 1, "max": 1000,
            "alpha": alpha, "beta": beta, "probe_multiplier": probe});
        limits(&limited(limit, 30.0))
    };
    let settled = |limits: &[(f64, u32)]| -> (u32, u32) {
        let before = limits.iter().rposition(|limit| limit.0 < 10.0);
        let settled = || limits[before.unwrap()..].iter().map(|limit| limit.1);
        (settled().min().unwrap(), settled().max().unwrap())
    };
    // No probe for 75,000 · L answers, so none at all.
    for (alpha, beta) in [(8, 12), (20, 40)] {
        let (least, most) = settled(&vegas(alpha, beta, 100_000));
        assert!(10 + alpha <= least && most <= 10 + beta, "{least} {most}");
    }
    // Every answer moves the limit, and shows what it was L answers ago. With the source's narrow
    // band, and a step of β = 6 upwards, it swings about the band without end: between the ten in
    // service and less than twice 10 + β.
    let limits = vegas(3, 6, 100_000);
    let (least, most) = settled(&limits);
    assert!(least <= 13 && (16..32).contains(&most), "{least} {most}");
    // A probe in a standing queue takes the queue for none, and the limit drifts upwards.
    let (_, most) = settled(&vegas(8, 12, 30));
    assert!(most > 60, "{most}");
}

/// The first ten answers take 10 ms and set the long average, which looks back so far that it stays
/// there. From then on an answer takes L/C = L ms, so that g = 1.5 · 10/L, and L = g·L + 4 has the
/// solution 1.5·10 + 4 = 19 = 4/(1 − g). Each answer tells of the limit L answers ago and moves it by
/// smoothing · 15/L of what is amiss: a loop with gain times delay 15 · smoothing, which is stable
/// below π/2. At a smoothing of 0.05 that is 0.75, at the source's 0.2 it is 3.
#[test]
fn gradient2_comes_to_its_fixed_point_and_forgets_it() {
    let gradient = |smoothing: f64, long_window: u32, seconds: f64| {
        let limit = json!({"kind": "gradient2", "initial": 40, "min": 1, "max": 200,
            "long_window": long_window, "smoothing": smoothing});
        limits(&limited(limit, seconds))
    };
    let limits = gradient(0.05, 1_000_000, 10.0);
    let settled: Vec<u32> = limits.iter().filter(|l| l.0 > 2.0).map(|l| l.1).collect();
    assert!(
        settled.iter().all(|limit| (18..=20).contains(limit)),
        "{settled:?}"
    );
    assert!((18..=20).contains(&limits.last().unwrap().1));
    // From 11 to 28 about the same point, without end.
    let limits = gradient(0.2, 1_000_000, 10.0);
    let late = || limits.iter().filter(|l| l.0 > 5.0).map(|l| l.1);
    let (least, most) = (late().min().unwrap(), late().max().unwrap());
    assert!(
        (10..14).contains(&least) && (25..32).contains(&most),
        "{least} {most}"
    );
    // With the source's window what has lasted for some hundred answers is as usual, and the limit
    // grows until it ends …
    assert_eq!(gradient(0.05, 600, 10.0).last().unwrap().1, 200);
    // … unless the swings of a smoothing of 0.2 keep the average short.
    let limits = gradient(0.2, 600, 60.0);
    let late = || limits.iter().filter(|l| l.0 > 30.0).map(|l| l.1);
    let (least, most) = (late().min().unwrap(), late().max().unwrap());
    assert!(
        (10..20).contains(&least) && (60..90).contains(&most),
        "{least} {most}"
    );
}

/// More than one worker's 1000/s, without chance.
fn overloaded(rate: f64, queue: Value) -> Profile {
    clockwork(json!({
        "run": {"duration_seconds": 60},
        "arrivals": {"rate_per_second": rate},
        "queue": queue,
    }))
}

fn removals(profile: &Profile, wanted: Removal) -> Vec<f64> {
    let (all, _) = watch(profile, move |all: &mut Vec<f64>, event: &Event<'_>| {
        if let Fact::Removed { why, .. } = event.fact
            && why == wanted
        {
            all.push(event.at.seconds());
        }
    });
    all
}

/// The n-th drop comes Σ interval/√k after the first, give or take the service after which a worker
/// asks; in t seconds that is ((t + 1.46·interval)/(2·interval))² drops, since Σ 1/√k up to n is 2·√n −
/// 1.46. By 2·interval²·s = 4 s at a surplus of s = 200/s they come as fast as the surplus; the queue is
/// longest then, with s·(interval + 4 s) − (4 s/(2·interval))² = 420 requests, and waits 420 ms.
#[test]
fn codel_drops_ever_faster_until_the_overload_is_made_up_for() {
    let profile = overloaded(1200.0, json!({"codel": {"target_seconds": 0.01}}));
    let drops = removals(&profile, Removal::Codel);
    let mut due = drops[0];
    for (n, at) in drops.iter().take(400).enumerate().skip(1) {
        due += 0.1 / (n as f64).sqrt();
        near("a drop", *at, due, 0.002);
    }
    let by = |t: f64| drops.iter().filter(|at| **at <= drops[0] + t).count() as f64;
    for t in [1.0, 2.0, 4.0] {
        let expected = ((t + 0.146) / 0.2) * ((t + 0.146) / 0.2);
        near("drops", by(t), expected, 1.0 + 0.02 * expected);
    }
    let (all, report) = served(&profile);
    let longest = all.iter().map(crate::Served::wait).fold(0.0, f64::max);
    let late = mean(
        all.iter()
            .filter(|one| one.created > 30.0)
            .map(crate::Served::wait),
    );
    near(
        "the longest queue",
        f64::from(report.queue.max),
        420.0,
        21.0,
    );
    // It moves up by what is served and by what is dropped, 1200/s.
    near("the longest wait", longest, 420.0 / 1200.0, 0.0175);
    // Clients that do not slow down make the queue stand again as soon as it has been short; each
    // time it takes an interval until that shows. So waits are about the interval, not the target.
    assert!((0.05..0.2).contains(&late), "{late}");
    let share = report.requests.completed as f64 / report.requests.created as f64;
    near("share served", share, 1.0 / 1.2, 0.01);
}

#[test]
fn codel_leaves_alone_what_does_not_stand() {
    // ρ = 0.7: waits of 5 ms and more are common, but never for 100 ms on end.
    let profile = server(json!({
        "arrivals": {"rate_per_second": 500},
        "queue": {"codel": {"target_seconds": 0.005}},
    }));
    assert!(removals(&profile, Removal::Codel).is_empty());
    let (all, _) = served(&profile);
    assert!(all.iter().any(|one| one.wait() > 0.005));
}

#[test]
fn nobody_served_has_waited_longer_than_the_queues_time_limit() {
    let profile = server(json!({
        "arrivals": {"rate_per_second": 2000},
        "queue": {"timeout": {"interval_seconds": 0.1, "target_seconds": 0.01}},
        "client": {"timeout_seconds": 0.05},
    }));
    // The limit of each, worked out here once more: the target, unless the queue was empty within
    // the 100 ms before it came.
    #[derive(Default)]
    struct Limits {
        last_empty: f64,
        of: BTreeMap<u64, f64>,
        served: u32,
        short: u32,
        most: f64,
    }
    let (limits, report) = watch(&profile, |limits: &mut Limits, event: &Event<'_>| {
        let at = event.at.seconds();
        let mut left = u32::MAX;
        match event.fact {
            Fact::Admitted { request, waiting } => {
                if waiting <= 1 {
                    limits.last_empty = at;
                }
                let stands = at - limits.last_empty > 0.1;
                limits
                    .of
                    .insert(request.number, if stands { 0.01 } else { 0.1 });
            }
            Fact::Started {
                request, waiting, ..
            } => {
                let limit = limits.of.remove(&request.number).unwrap();
                let wait = at - request.created.seconds();
                assert!(wait <= limit + 1e-9, "{wait} at {at}");
                limits.served += 1;
                if limit < 0.1 {
                    limits.short += 1;
                    limits.most = limits.most.max(wait);
                }
                left = waiting;
            }
            Fact::Removed {
                request,
                why: Removal::TimedOut,
                waiting,
                ..
            } => {
                let limit = limits.of.remove(&request.number).unwrap();
                assert!(at - request.created.seconds() > limit - 1e-9);
                left = waiting;
            }
            _ => {}
        }
        if left == 0 {
            limits.last_empty = at;
        }
    });
    assert!(
        limits.most > 0.0099,
        "the limit is used up: {}",
        limits.most
    );
    // Chance empties the queue now and then, and lets 100 ms of requests in under the long limit.
    assert!(limits.short * 10 > limits.served * 9);
    assert!(!removals(&profile, Removal::TimedOut).is_empty());
    assert!(report.utilization > 0.999);
    // Poisson: 100 s of a worker that is always busy, four standard deviations.
    near(
        "goodput",
        report.goodput_per_second,
        1000.0,
        4.0 * 10.0_f64.sqrt(),
    );
    // Without the limit everybody is served too late.
    let plain = server(json!({
        "arrivals": {"rate_per_second": 2000},
        "client": {"timeout_seconds": 0.05},
    }));
    assert_eq!(Run::new(&plain).finish().goodput_per_second, 0.0);
}

#[test]
fn nothing_starts_after_its_deadline() {
    let profile = |drops: bool, discipline: &str| {
        server(json!({
            "arrivals": {"rate_per_second": 1500},
            "queue": {"drops_expired": drops, "discipline": discipline},
            "client": {"deadline_seconds": 0.02},
        }))
    };
    let expired = removals(&profile(true, "fifo"), Removal::Expired);
    assert!(expired.len() > 10_000);
    let (all, fifo) = served(&profile(true, "fifo"));
    assert!(all.iter().all(|one| one.wait() <= 0.02));
    assert!(fifo.utilization > 0.999);
    let (_, without) = served(&profile(false, "fifo"));
    assert_eq!(without.goodput_per_second, 0.0);
    // FIFO serves what is about to expire, and a third of it ends too late; LIFO serves what is new.
    let (_, lifo) = served(&profile(true, "lifo"));
    assert!((600.0..750.0).contains(&fifo.goodput_per_second));
    assert!((970.0..1020.0).contains(&lifo.goodput_per_second));
    let mode = FailureMode::LatencyCascade.name();
    assert!(fifo.failures[mode].as_u64().unwrap() > 0);
}
