//! Workers that are reserved, come and go, pause, and crash.

use agent_chaos_core::event::{Crew, Event, Fact, Resource};
use agent_chaos_core::request::FailureMode;
use agent_chaos_core::{Profile, Run};
use serde_json::{Value, json};

use crate::{agrees, clockwork, mean, near, replicate, served, server, watch};

/// 200 light requests a second, and heavy ones that alone ask for more than all eight workers can do.
fn flood(bulkheads: Value, heavy: f64) -> Profile {
    server(json!({
        "run": {"duration_seconds": 40},
        "arrivals": {"rate_per_second": 200, "mix": {"light_share": 1, "heavy_share": 0}},
        "extra_arrivals": [{"rate_per_second": heavy, "mix": {"light_share": 0, "heavy_share": 1}}],
        "requests": {"light": {"weight": 1}, "heavy": {"weight": 10}},
        "workers": {"count": 8, "bulkheads": bulkheads,
            "service": {"base_seconds": 0.000001, "per_weight_seconds": 0.01}},
    }))
}

#[test]
fn bulkheads_keep_a_flood_of_one_class_from_the_other() {
    let light = |bulkheads: Value, heavy: f64| -> Vec<(f64, f64)> {
        let (all, _) = served(&flood(bulkheads, heavy));
        let light = all.iter().filter(|one| !one.heavy);
        light.map(|one| (one.created, one.ended)).collect()
    };
    let wait = |all: &[(f64, f64)]| mean(all.iter().map(|(created, ended)| ended - created));
    let halves = json!({"light": 4, "heavy": 4});
    // The flood is 160/s · 100 ms = 16 workers' work; a heavy request per second is next to nothing.
    // Every light request has the very same moments with the flood and without.
    let quiet = light(halves.clone(), 1.0);
    assert_eq!(light(halves, 160.0), quiet);
    // One pool suffers: by 40 s it is (16 + 2 − 8)/8 · 40 s = 50 s behind, in the mean half of that.
    let one_pool = wait(&light(Value::Null, 160.0));
    assert!((22.0..28.0).contains(&one_pool), "{one_pool}");
    assert!(wait(&quiet) < 0.015, "{}", wait(&quiet));
}

#[test]
fn what_is_reserved_is_lost_to_the_others() {
    // Half of the workers reserved for light requests that hardly come: the heavy ones' 60 workers'
    // work per second is twice as much as the other four can do. Shared, eight would do.
    let utilization = |bulkheads: Value| Run::new(&flood(bulkheads, 55.0)).finish().utilization;
    let split = utilization(json!({"light": 4, "heavy": 4}));
    near("2 of 4, and 4 of 4", split, 0.75, 0.03);
    let shared = utilization(Value::Null);
    near("5.5 + 2 of 8", shared, 7.5 / 8.0, 0.03);
}

/// Numbers of workers, and since when.
type Sizes = Vec<(f64, u32)>;

/// How many workers the autoscaler wanted, and how many were on duty.
fn sizes(profile: &Profile) -> (Sizes, Sizes) {
    let see = |(wanted, on): &mut (Sizes, Sizes), event: &Event<'_>| match event.fact {
        Fact::Resized {
            resource: Resource::Workers,
            to,
        } => wanted.push((event.at.seconds(), to)),
        Fact::Workers(crew) => on.push((event.at.seconds(), crew.on)),
        _ => {}
    };
    watch(profile, see).0
}

/// 100 ms of work per request, so that a = λ/10 workers are busy.
fn scaled(arrivals: Value, seconds: f64, scaler: Value) -> Profile {
    clockwork(json!({
        "run": {"duration_seconds": seconds},
        "arrivals": arrivals,
        "workers": {"count": 10, "service": {"base_seconds": 0.1}, "autoscaler": scaler},
    }))
}

#[test]
fn an_autoscaled_pool_settles_within_a_tenth_of_its_target() {
    // a = 3 to 55 busy workers; Poisson arrivals, so that what is measured varies.
    for rate in [30.0_f64, 140.0, 550.0] {
        let mut profile = scaled(
            json!({"rate_per_second": rate, "process": "poisson"}),
            2000.0,
            json!({}),
        );
        profile.run.warmup_seconds = 1000.0;
        let report = Run::new(&profile).finish();
        let (wanted, _) = sizes(&profile);
        let busy = rate / 10.0;
        for (at, workers) in wanted.iter().filter(|(at, _)| *at > 1000.0) {
            // 10 %, a worker by rounding up, and what Poisson arrivals add within 15 s.
            let (least, most) = (busy / 0.7 / 1.1, busy / 0.7 / 0.9 + 1.0);
            let noise = 4.0 * (rate * 15.0).sqrt() / (rate * 15.0);
            let range = least * (1.0 - noise)..=most * (1.0 + noise);
            assert!(range.contains(&f64::from(*workers)), "{workers} at {at} s");
        }
        let (least, most) = (busy / (busy / 0.63 + 1.5), 0.77);
        let got = report.utilization;
        assert!((least..=most).contains(&got), "{got} of {least} to {most}");
    }
}

/// From 70 to 140 at 300 s. The next look, at 315 s, finds ten workers busy 15 of 15 seconds and
/// orders ⌈10/0.7⌉ = 15; they are there at 345 s. Until then the queue grows by 40/s for 45 s.
#[test]
fn the_queue_of_an_autoscaled_pool_grows_for_the_lag() {
    let profile = scaled(
        json!({"rate_per_second": 70, "ramp": {"stages": [{"duration_seconds": 300, "target_per_second": 70},
            {"duration_seconds": 0, "target_per_second": 140}]}}),
        1200.0,
        json!({}),
    );
    let (wanted, on) = sizes(&profile);
    assert_eq!((wanted[0], on[0]), ((315.0, 15), (345.0, 15)));
    let mut run = Run::new(&profile);
    while !run.advance(agent_chaos_core::Limit::NONE) {}
    run.with_series(|series| {
        let time = series.column("time").unwrap();
        let queue = series.column("queue").unwrap();
        let at = |moment: f64| queue[time.iter().position(|&t| t >= moment).unwrap()];
        assert!(at(299.0) <= 1.0);
        // The series of so long a run has a row for every 0.2 s, which is 8 requests.
        near("after 15 s", at(315.0), 40.0 * 15.0, 10.0);
        near("after the lag", at(345.0), 40.0 * 45.0, 10.0);
    });
    // 140 of 150 are too many to be within a tenth, and so on: ⌈15 · 1/0.7⌉ = 22 by 390 s at the latest.
    assert!(
        on.iter().any(|&(at, workers)| at <= 390.0 && workers >= 20),
        "{on:?}"
    );
}

/// From 140 down to 20 at 600 s.
#[test]
fn an_autoscaled_pool_shrinks_only_after_its_window_and_within_its_bounds() {
    let down = json!({"rate_per_second": 140, "ramp": {"stages": [{"duration_seconds": 600, "target_per_second": 140},
        {"duration_seconds": 0, "target_per_second": 20}]}});
    let (wanted, on) = sizes(&scaled(down.clone(), 1500.0, json!({"min": 6, "max": 40})));
    let before = on.iter().rfind(|&&(at, _)| at < 600.0).unwrap().1;
    let (first, _) = *wanted
        .iter()
        .find(|&&(at, to)| at > 600.0 && to < before)
        .unwrap();
    assert!((900.0..=915.0).contains(&first), "{first}");
    // ⌈2/0.7⌉ = 3, but not below 6.
    assert_eq!(on.last().unwrap().1, 6);
    // Up to the most and no further, at once where there is no lag and no window.
    let (_, on) = sizes(&scaled(
        down,
        900.0,
        json!({"min": 1, "max": 12, "lag_seconds": 0, "scale_down_window_seconds": 0}),
    ));
    assert_eq!(on.iter().map(|on| on.1).max(), Some(12));
    // The backlog of 20/s · 600 s is worked off first: 12,000/(120 − 20) = 120 s.
    let (first, _) = *on.iter().find(|on| on.1 < 12).unwrap();
    assert!((720.0..=735.0).contains(&first), "{first}");
    assert_eq!(on.last().unwrap().1, 3);
}

/// Four workers at half their capacity, stalled from 10 to 12 s.
#[test]
fn a_stall_takes_its_time_from_every_worker_and_from_nothing_else() {
    let base = json!({
        "run": {"duration_seconds": 40},
        "arrivals": {"rate_per_second": 200},
        "workers": {"count": 4, "service": {"base_seconds": 0.01}},
    });
    let mut stalled = base.clone();
    crate::merge(
        &mut stalled,
        json!({"timeline": [{"at_seconds": 10.001, "for_seconds": 2, "stall": {}}]}),
    );
    let (all, report) = served(&clockwork(stalled));
    let ledger = report.worker_seconds.as_ref().unwrap();
    near("stalled", ledger.stalled, 4.0 * 2.0, 1e-6);
    let sum = ledger.useful + ledger.wasted + ledger.idle + ledger.stalled + ledger.down;
    near("the ledger", sum, ledger.on_duty, 1e-6);
    // But for what is in service at the end.
    near("useful", ledger.useful, 200.0 * 40.0 * 0.01, 4.0 * 0.01);
    // Who was in service is 2 s late, nobody ends meanwhile, and nobody else takes longer.
    let late = all.iter().filter(|one| one.service() > 0.0101);
    let late: Vec<f64> = late.map(crate::Served::service).collect();
    assert!((1..=4).contains(&late.len()));
    for service in late {
        near("paused", service, 2.01, 1e-9);
    }
    assert!(!all.iter().any(|one| (10.001..12.001).contains(&one.ended)));
    // 2 s of arrivals wait, and are worked off by the capacity that is left: 400/(400 − 200) = 2 s.
    let wait = |from: f64, to: f64| {
        let within = all.iter().filter(|one| (from..to).contains(&one.created));
        within.map(crate::Served::wait).fold(0.0, f64::max)
    };
    near("the longest wait", wait(10.0, 12.1), 2.0, 0.01);
    assert!(wait(0.0, 10.0) < 1e-9 && wait(14.1, 40.0) < 1e-9);
}

/// By renewal and reward: the share of time in which all workers pause is s/(every + s).
#[test]
fn stalls_by_chance_take_their_share_of_time() {
    let reports = replicate(&server(json!({
        "run": {"duration_seconds": 500, "warmup_seconds": 0},
        "arrivals": {"rate_per_second": 100},
        "faults": {"stalls": {"every_seconds": 2, "seconds": 0.5}},
    })));
    let shares = reports.iter().map(|report| {
        let ledger = report.worker_seconds.as_ref().unwrap();
        ledger.stalled / ledger.on_duty
    });
    agrees("stalled", &shares.collect::<Vec<_>>(), 0.5 / 2.5);
}

/// With always a worker up, the mean number down is rate · restart time, by Little's law.
#[test]
fn crashes_by_chance_take_their_share_of_workers() {
    let reports = replicate(&server(json!({
        "run": {"duration_seconds": 500, "warmup_seconds": 20},
        "arrivals": {"rate_per_second": 100},
        "workers": {"count": 40},
        "faults": {"crashes": {"every_seconds": 2, "workers": 2, "restart_seconds": 5}},
    })));
    let down = reports
        .iter()
        .map(|r| r.worker_seconds.as_ref().unwrap().down / 480.0);
    agrees("down", &down.collect::<Vec<_>>(), 2.0 * 5.0 / 2.0);
}

/// Two of four workers crash at 10.005 s for 5 s, under an overload.
#[test]
fn a_crash_loses_what_is_in_service_and_its_share_of_capacity() {
    let profile = clockwork(json!({
        "run": {"duration_seconds": 30},
        "arrivals": {"rate_per_second": 800},
        "queue": {"capacity": 100},
        "workers": {"count": 4, "service": {"base_seconds": 0.01}},
        "timeline": [{"at_seconds": 10.005, "for_seconds": 5, "crash": {"workers": 2}}],
    }));
    #[derive(Default)]
    struct Seen {
        lost: Vec<(f64, u32)>,
        crews: Vec<(f64, Crew)>,
        started: Vec<(f64, u32)>,
        ended: Vec<f64>,
    }
    let (seen, report) = watch(&profile, |seen: &mut Seen, event: &Event<'_>| {
        let at = event.at.seconds();
        match event.fact {
            Fact::Lost {
                worker, outcome, ..
            } => {
                assert_eq!(outcome, FailureMode::FaultPropagationSpike);
                seen.lost.push((at, worker));
            }
            Fact::Workers(crew) => seen.crews.push((at, crew)),
            Fact::Started { worker, .. } => seen.started.push((at, worker)),
            Fact::Completed { .. } => seen.ended.push(at),
            _ => {}
        }
    });
    assert_eq!(seen.lost, [(10.005, 0), (10.005, 1)]);
    let crew = |down| Crew {
        on: 4,
        down,
        stalled: false,
    };
    assert_eq!(seen.crews, [(10.005, crew(2)), (15.005, crew(0))]);
    let down = |at: f64| (10.005..15.005).contains(&at);
    assert!(
        !seen
            .started
            .iter()
            .any(|&(at, worker)| down(at) && worker < 2)
    );
    let within = |from: f64, to: f64| {
        seen.ended
            .iter()
            .filter(|at| (from..to).contains(*at))
            .count()
    };
    near("before", within(5.0, 10.0) as f64, 5.0 * 400.0, 4.0);
    near("meanwhile", within(10.005, 15.005) as f64, 5.0 * 200.0, 4.0);
    near("after", within(15.1, 20.1) as f64, 5.0 * 400.0, 4.0);
    near("down", report.worker_seconds.unwrap().down, 2.0 * 5.0, 1e-6);
    assert_eq!(report.server.unwrap().lost, 2);
}

/// Stalls, single crashes and one of all workers: nothing is blamed on starvation unless nobody
/// could work at that moment, and whatever is refused then is.
#[test]
fn starvation_is_what_happens_while_nobody_can_work() {
    let profile = server(json!({
        "run": {"duration_seconds": 60},
        "arrivals": {"rate_per_second": 3000},
        "queue": {"capacity": 20},
        "workers": {"count": 4},
        "faults": {"stalls": {"every_seconds": 3, "seconds": 0.2},
            "crashes": {"every_seconds": 2, "workers": 1, "restart_seconds": 3}},
        "timeline": [{"at_seconds": 30, "for_seconds": 1, "crash": {"workers": 4}}],
    }));
    #[derive(Default)]
    struct Seen {
        crew: Option<Crew>,
        starved: [u64; 2],
        other: [u64; 2],
    }
    let (seen, report) = watch(&profile, |seen: &mut Seen, event: &Event<'_>| {
        match event.fact {
            Fact::Workers(crew) => seen.crew = Some(crew),
            Fact::Throttled { mode, .. } | Fact::Lost { outcome: mode, .. } => {
                let nobody = seen.crew.is_some_and(Crew::is_starved);
                // A crash of the last worker is told before its loss is.
                assert_eq!(
                    mode == FailureMode::WorkerStarvation,
                    nobody,
                    "{:?}",
                    seen.crew
                );
                let lost = usize::from(matches!(event.fact, Fact::Lost { .. }));
                if nobody {
                    seen.starved[lost] += 1
                } else {
                    seen.other[lost] += 1
                }
            }
            _ => {}
        }
    });
    assert!(
        seen.starved[0] > 1000 && seen.other.iter().all(|&n| n > 0),
        "{:?}",
        seen.other
    );
    assert!(seen.starved[1] > 0, "all four crash at once");
    assert!(report.failures["WORKER_STARVATION"].as_u64().unwrap() > 1000);
}

#[test]
fn requests_that_come_in_one_instant_use_every_idle_worker() {
    for (rules, senders, workers) in [(false, 8_u32, 8), (true, 8, 8), (true, 9, 8), (false, 9, 8)]
    {
        let tenant = json!({"rate_per_second": 10, "process": "even"});
        let mut changes = json!({
            "run": {"duration_seconds": 5},
            "arrivals": tenant,
            "extra_arrivals": vec![tenant; senders as usize - 1],
            "workers": {"count": workers, "service": {"base_seconds": 0.04}},
        });
        if rules {
            crate::merge(&mut changes, json!({"queue": {"discipline": "lifo"}}));
        }
        let (all, _) = served(&clockwork(changes));
        assert_eq!(all.len(), 49 * senders as usize);
        let at_once = all.iter().filter(|one| one.wait() == 0.0).count();
        assert_eq!(at_once, 49 * workers as usize);
        let others = all.iter().filter(|one| one.wait() > 0.0);
        others.for_each(|one| near("the wait", one.wait(), 0.04, 1e-9));
    }
    // Agents too.
    let profile = clockwork(json!({
        "run": {"duration_seconds": 5},
        "agents": {"count": 6, "first_wake_min_seconds": 1, "first_wake_max_seconds": 1, "requests_each": 1},
        "arrivals": null,
        "workers": {"count": 6},
    }));
    let (all, _) = served(&profile);
    assert!(all.len() == 6 && all.iter().all(|one| one.started == 1.0));
}
