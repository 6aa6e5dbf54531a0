//! Who is served next.

use agent_chaos_core::profile::Profile;
use agent_chaos_core::theory::{self, ClassLoad};
use agent_chaos_core::{Report, Run};
use serde_json::json;

use crate::support::mean_and_error;
use crate::{agrees, clockwork, mean, near, replicate, seeds, served, server};

/// Mean wait and mean squared wait of the counted requests, by replication.
fn waits(profile: &Profile) -> (Vec<f64>, Vec<f64>) {
    seeds(profile)
        .map(|profile| {
            let (all, report) = served(&profile);
            assert_eq!(report.requests.in_flight, 0, "nobody is left out");
            let run = profile.run;
            let counted = all
                .iter()
                .filter(|one| (run.warmup_seconds..run.duration_seconds).contains(&one.created));
            let waits: Vec<f64> = counted.map(crate::Served::wait).collect();
            let squares = waits.iter().map(|wait| wait * wait);
            (mean(waits.iter().copied()), mean(squares))
        })
        .unzip()
}

/// M/M/1 at ρ = 0.7. The square of LIFO's wait varies much more than FIFO's, and so does its mean
/// over a run: the test can tell a factor of 1/(1 − ρ) = 3.3 from 1, not one of 1.1.
#[test]
fn lifo_waits_as_long_as_fifo_on_average_and_varies_more() {
    let steady = theory::mm1(700.0, 1000.0).unwrap();
    let square = theory::mg1_wait_second_moment(700.0, [1e-3, 2e-6, 6e-9]).unwrap();
    for (discipline, square) in [("fifo", square), ("lifo", square / (1.0 - 0.7))] {
        let (means, squares) = waits(&server(json!({
            "run": {"duration_seconds": 260, "drain": "continue"},
            "queue": {"discipline": discipline},
        })));
        agrees(discipline, &means, steady.wait_seconds);
        agrees(discipline, &squares, square);
        let (_, error) = mean_and_error(&squares);
        assert!(error < 0.05 * square, "{discipline}: the test can tell");
    }
}

/// λ = 1500/s, C = 1000/s, clients that wait for `patience` and no retries.
fn overload(discipline: &str, patience: f64) -> Profile {
    server(json!({
        "run": {"duration_seconds": 40},
        "arrivals": {"rate_per_second": 1500},
        "client": {"timeout_seconds": patience},
        "queue": {"discipline": discipline},
    }))
}

/// The chance that a request of an M/M/1 queue that is never empty is done by `t` under LIFO: those
/// that come later than it go first, so that its wait is a busy period, then it is served. Worked
/// out by uniformization: state n ≥ 1 is n − 1 newer ones before it and one in service, state 0 its
/// own service.
fn done_by_under_lifo(arrivals: f64, service: f64, t: f64) -> f64 {
    const STATES: usize = 2000;
    let rate = arrivals + service;
    let (up, down) = (arrivals / rate, service / rate);
    let mut states = vec![0.0; STATES];
    states[1] = 1.0;
    let (mut done, mut total) = (0.0, 0.0);
    let mut logarithm = -rate * t;
    for jump in 1.. {
        let weight = libm::exp(logarithm);
        total += weight * done;
        if f64::from(jump) > rate * t && weight < 1e-15 {
            return total;
        }
        let mut next = vec![0.0; STATES];
        done += states[0] * down;
        next[0] = states[0] * up + states[1] * down;
        for n in 1..STATES - 1 {
            next[n] = states[n - 1] * if n > 1 { up } else { 0.0 } + states[n + 1] * down;
        }
        states = next;
        logarithm += libm::log(rate * t / f64::from(jump));
    }
    unreachable!("the weights come to an end")
}

/// The condition is that the queue is long enough for FIFO to be too late, K/C > T (here K has no
/// end, and the run has lasted longer than T·λ/(λ − C)), and that nobody takes out what is given up.
#[test]
fn in_overload_lifo_serves_those_who_still_wait_and_fifo_nobody() {
    let share = |reports: &[Report]| -> Vec<f64> {
        let good = |r: &Report| r.requests.completed as f64 / r.requests.created as f64;
        reports.iter().map(good).collect()
    };
    // Shares of what is asked for; 2/3 is all that the worker can do.
    for (patience, about) in [(0.005, 0.58), (0.02, 0.66), (0.1, 0.667)] {
        let theory = done_by_under_lifo(1500.0, 1000.0, patience);
        near("the share in words", theory, about, 0.005);
        let lifo = share(&replicate(&overload("lifo", patience)));
        agrees("lifo", &lifo, theory);
        let fifo = share(&replicate(&overload("fifo", patience)));
        assert!(fifo.iter().all(|&share| share == 0.0));
        let adaptive = share(&replicate(&overload("adaptive_lifo", patience)));
        agrees("adaptive", &adaptive, theory);
    }
}

#[test]
fn adaptive_lifo_is_fifo_while_few_wait() {
    let digest = |rate: f64, discipline: &str, above: u32| {
        let report = Run::new(&server(json!({
            "arrivals": {"rate_per_second": rate},
            "queue": {"discipline": discipline, "lifo_above": above},
        })));
        let report = report.finish();
        (report.digest, report.queue.max)
    };
    let (fifo, most) = digest(500.0, "fifo", 10);
    assert!(most > 10, "{most} wait now and then");
    assert_eq!(digest(500.0, "adaptive_lifo", most).0, fifo);
    assert_ne!(digest(500.0, "adaptive_lifo", 10).0, fifo);
    assert_eq!(
        digest(500.0, "adaptive_lifo", 0).0,
        digest(500.0, "lifo", 10).0
    );
}

/// Light requests of 1 ms at 300/s and heavy ones of 2 ms at 200/s, exponential: ρ = 0.3 + 0.4.
fn two_classes(discipline: &str, priorities: [u8; 2]) -> Profile {
    server(json!({
        "run": {"duration_seconds": 260, "drain": "continue"},
        "arrivals": {"rate_per_second": 300, "priority": priorities[0],
            "mix": {"light_share": 1, "heavy_share": 0}},
        "extra_arrivals": [{"rate_per_second": 200, "priority": priorities[1],
            "mix": {"light_share": 0, "heavy_share": 1}}],
        "queue": {"discipline": discipline},
        "requests": {"light": {"weight": 1}, "heavy": {"weight": 3}},
        "workers": {"service": {"base_seconds": 0.0005, "per_weight_seconds": 0.0005}},
    }))
}

#[test]
fn priorities_wait_as_cobham_says_and_share_out_one_amount_of_waiting() {
    let light = ClassLoad {
        arrivals: 300.0,
        service_seconds: 1e-3,
        second_moment: 2e-6,
    };
    let heavy = ClassLoad {
        arrivals: 200.0,
        service_seconds: 2e-3,
        second_moment: 8e-6,
    };
    let first = theory::cobham(&[light, heavy]).unwrap();
    let last = theory::cobham(&[heavy, light]).unwrap();
    let fcfs = theory::mg1(500.0, 0.7 / 500.0, 2.2e-3 / 500.0 - 1.4e-3 * 1.4e-3).unwrap();
    let fcfs = fcfs.wait_seconds;
    for (discipline, priorities, expected) in [
        ("priority", [0, 1], [first[0], first[1]]),
        ("priority", [5, 2], [last[1], last[0]]),
        ("priority", [3, 3], [fcfs, fcfs]),
        ("fifo", [0, 1], [fcfs, fcfs]),
    ] {
        let profile = two_classes(discipline, priorities);
        let mut waits = [Vec::new(), Vec::new(), Vec::new()];
        for profile in seeds(&profile) {
            let (all, _) = served(&profile);
            let of = |heavy: bool| {
                let counted = all
                    .iter()
                    .filter(|one| (10.0..260.0).contains(&one.created));
                mean(
                    counted
                        .filter(|one| one.heavy == heavy)
                        .map(crate::Served::wait),
                )
            };
            let [light, heavy] = [of(false), of(true)];
            waits[0].push(light);
            waits[1].push(heavy);
            waits[2].push(0.3 * light + 0.4 * heavy);
        }
        let what = format!("{discipline} {priorities:?}");
        agrees(&what, &waits[0], expected[0]);
        agrees(&what, &waits[1], expected[1]);
        agrees(&what, &waits[2], 0.7 * fcfs);
    }
}

/// Three tenants that each ask for more than there is: the k-th turn is given by the weights, give
/// or take one turn of each. One that asks for less than its share gets all it asks for.
#[test]
fn weights_share_out_the_turns_of_an_overloaded_server() {
    let weighted = |rates: [f64; 3]| {
        let tenant = |level: usize| json!({"rate_per_second": rates[level], "priority": level, "process": "even"});
        let profile = clockwork(json!({
            "run": {"duration_seconds": 20},
            "arrivals": tenant(0), "extra_arrivals": [tenant(1), tenant(2)],
            "queue": {"discipline": "weighted", "weights": [4, 2, 1]},
        }));
        let (all, _) = served(&profile);
        move |from: f64, to: f64| {
            let turns = |level: u8| {
                let within = all.iter().filter(|one| (from..to).contains(&one.started));
                within.filter(|one| one.level == level).count() as f64
            };
            [turns(0), turns(1), turns(2)]
        }
    };
    let within = weighted([1000.0, 1000.0, 1000.0]);
    for (from, to) in [(1.0, 8.0), (5.0, 5.7), (18.0, 20.0)] {
        let turns = within(from, to);
        let all: f64 = turns.iter().sum();
        near("all", all, 1000.0 * (to - from), 1.0);
        for (turns, weight) in turns.iter().zip([4.0, 2.0, 1.0]) {
            near("turns", *turns, all * weight / 7.0, 2.0);
        }
    }
    let [modest, second, third] = weighted([100.0, 1000.0, 1000.0])(1.0, 19.0);
    near("all it asks for", modest, 1800.0, 1.0);
    near("2/3 of the rest", second, 900.0 * 18.0 * 2.0 / 3.0, 2.0);
    near("1/3 of the rest", third, 900.0 * 18.0 / 3.0, 2.0);
}

/// One second is counted of M/M/1 at ρ = 0.9, 400 times. When the load stops, LIFO works its stack
/// off without being interrupted, so that whoever was in it waits far too short a time.
#[test]
fn a_load_that_goes_on_leaves_the_mean_wait_under_lifo_unbiased() {
    const RUNS: u32 = 400;
    let steady = theory::mm1(900.0, 1000.0).unwrap().sojourn_seconds;
    let latencies = |drain: &str| -> (f64, f64) {
        let profile = server(json!({
            "run": {"duration_seconds": 9, "warmup_seconds": 8, "drain": drain},
            "arrivals": {"rate_per_second": 900},
            "queue": {"discipline": "lifo"},
        }));
        // Per second, not per request: seconds with more requests have longer waits.
        let sums: Vec<f64> = (1..=RUNS)
            .map(|seed| {
                let report = Run::new(&Profile {
                    seed,
                    ..profile.clone()
                })
                .finish();
                assert_eq!(report.requests.in_flight, 0);
                report.latency_seconds.unwrap().mean * report.requests.completed as f64
            })
            .collect();
        mean_and_error(&sums)
    };
    // 3.29: 99.9 % of a normal distribution, which a mean of 400 has.
    let (mean, error) = latencies("continue");
    near("continue", mean, 900.0 * steady, 3.29 * error);
    let (stopped, error) = latencies("stop");
    assert!(
        stopped < 900.0 * steady - 3.29 * error,
        "{stopped} ± {error}"
    );
}

#[test]
fn under_fifo_it_makes_no_difference_to_counted_requests_whether_the_load_goes_on() {
    let latency = |drain: &str| {
        let report = Run::new(&server(json!({"run": {"drain": drain}}))).finish();
        (
            report.requests.completed,
            report.latency_seconds.unwrap().mean,
        )
    };
    assert_eq!(latency("stop"), latency("continue"));
}

#[test]
fn a_drain_ends_at_its_limit_and_says_who_has_not_been_served() {
    let profile = server(json!({
        "run": {"duration_seconds": 20, "drain": "continue", "drain_seconds": 5},
        "arrivals": {"rate_per_second": 1500},
        "queue": {"discipline": "lifo"},
    }));
    let mut run = Run::new(&profile);
    while !run.advance(agent_chaos_core::Limit::NONE) {}
    let report = run.report();
    // The load stops 5 s after the counted time, and what is under way is finished: the stack of
    // 25 s · 500/s takes 12.5 s. Poisson counts: four standard deviations.
    assert!(report.complete);
    // A wait is a busy period, which ends with probability 1/ρ; a stack of independent ones sways.
    let left = report.requests.in_flight as f64 / report.requests.created as f64;
    near("left", left, 1.0 / 3.0, 0.02);
    assert!(
        report.latency_seconds.unwrap().mean < 0.1,
        "nobody of the last counts"
    );
    let created = report.requests.created as f64;
    near("counted", created, 15_000.0, 4.0 * 15_000_f64.sqrt());
    let all = run.counts().created as f64;
    near("created", all, 37_500.0, 4.0 * 37_500_f64.sqrt());
    let ended = run.now().seconds();
    near("the end", ended, 37.5, 4.0 * 0.001 * 75_000_f64.sqrt());
}
