//! The simulation agrees with queueing theory: at least 20 replications, their confidence interval.

mod support;

use agent_chaos_core::random::{Purpose, Randomness, SourceKind};
use agent_chaos_core::shape::Pace;
use agent_chaos_core::theory;
use agent_chaos_core::units::Instant;
use agent_chaos_core::{Limit, Profile, Report, Run};
use support::{mean_and_error, preset, profile};

/// Student's t for 99.9 % and 19 degrees of freedom: each test is wrong about once in a thousand
/// changes of the engine, not once in twenty.
const T_999_19: f64 = 3.883;
const REPLICATIONS: u32 = 20;

#[track_caller]
fn agrees(what: &str, reports: &[Report], of: fn(&Report) -> f64, expected: f64) {
    agree(what, &reports.iter().map(of).collect::<Vec<_>>(), expected);
}

#[track_caller]
fn agree(what: &str, values: &[f64], expected: f64) {
    assert_eq!(values.len(), REPLICATIONS as usize);
    let (mean, error) = mean_and_error(values);
    // Start-up from empty biases by less than one part in a thousand over runs this long.
    let within = T_999_19 * error + 0.001 * expected;
    assert!(
        (mean - expected).abs() <= within,
        "{what}: {mean} ± {within}, theory {expected}"
    );
}

fn replicate(text: &str) -> Vec<Report> {
    (1..=REPLICATIONS)
        .map(|seed| {
            let mut profile = profile(text);
            profile.seed = seed;
            Run::new(&profile).finish()
        })
        .collect()
}

fn mean(r: &Report) -> f64 {
    r.latency_seconds.unwrap().mean
}

/// A plain open-loop system: λ per second, service of mean 1 ms.
fn open(rate: f64, workers: u32, capacity: &str, distribution: &str) -> String {
    format!(
        r#"{{"run": {{"duration_seconds": 260, "warmup_seconds": 10}}, "agents": null,
            "arrivals": {{"rate_per_second": {rate}}},
            "queue": {{"capacity": {capacity}, "early_drop": null}},
            "workers": {{"count": {workers}, "service": {{"distribution": "{distribution}", "base_seconds": 0.001,
                "per_weight_seconds": 0, "slowdown_per_pressure": 0, "spread_ratio": 0.5}}}},
            "faults": {{"spike": null, "error": null}}, "throttle": null}}"#
    )
}

#[test]
fn mm1_waits_as_theory_says() {
    let reports = replicate(&open(800.0, 1, "null", "exponential"));
    let steady = theory::mm1(800.0, 1000.0).unwrap();
    agrees("sojourn", &reports, mean, steady.sojourn_seconds);
    agrees("queue", &reports, |r| r.queue.mean, steady.queue);
    agrees(
        "utilization",
        &reports,
        |r| r.utilization,
        steady.utilization,
    );
    // The sojourn time of M/M/1 is exponential: p95 = −ln(0.05)·W.
    agrees(
        "p95",
        &reports,
        |r| r.latency_seconds.unwrap().p95,
        2.995_732 * steady.sojourn_seconds,
    );
}

#[test]
fn the_mm1_preset_waits_as_theory_says() {
    let reports: Vec<_> = (1..=REPLICATIONS)
        .map(|seed| Run::new(&preset("mm1", seed)).finish())
        .collect();
    assert!(
        reports
            .iter()
            .all(|r| r.requests.created == 1_000_000 && r.requests.in_flight == 0)
    );
    agrees(
        "sojourn",
        &reports,
        mean,
        theory::mm1(900.0, 1000.0).unwrap().sojourn_seconds,
    );
}

#[test]
fn mm4_waits_as_erlang_c_says() {
    let reports = replicate(&open(3200.0, 4, "null", "exponential"));
    agrees(
        "sojourn",
        &reports,
        mean,
        theory::mmc(3200.0, 1000.0, 4).unwrap().sojourn_seconds,
    );
}

#[test]
fn the_mm4_80_preset_blocks_as_theory_says() {
    let reports: Vec<_> = (1..=REPLICATIONS)
        .map(|seed| Run::new(&preset("mm4-80", seed)).finish())
        .collect();
    let steady = theory::mmck(4660.0, 1000.0, 4, 80);
    agrees(
        "blocking",
        &reports,
        |r| r.error_rate.unwrap(),
        steady.blocking,
    );
    agrees("sojourn", &reports, mean, steady.sojourn_seconds);
    agrees("queue", &reports, |r| r.queue.mean, steady.queue);
    agrees(
        "utilization",
        &reports,
        |r| r.utilization,
        steady.utilization,
    );
}

#[test]
fn constant_and_uniform_service_wait_as_pollaczek_and_khinchine_say() {
    let reports = replicate(&open(800.0, 1, "null", "deterministic"));
    agrees(
        "M/D/1",
        &reports,
        mean,
        theory::md1(800.0, 0.001).unwrap().sojourn_seconds,
    );
    // A factor uniform on [0.5, 1.5] has variance 1/12.
    let reports = replicate(&open(800.0, 1, "null", "uniform"));
    agrees(
        "M/U/1",
        &reports,
        mean,
        theory::mg1(800.0, 0.001, 1e-6 / 12.0)
            .unwrap()
            .sojourn_seconds,
    );
}

/// The system of [`open`] with one worker whose service times are of this kind.
fn varied(rate: f64, distribution: &str, fields: &str) -> String {
    open(rate, 1, "null", distribution).replace("\"spread_ratio\": 0.5", fields)
}

/// Pollaczek and Khinchine's means for the service times of this profile.
fn pollaczek_khinchine(profile: &Profile) -> theory::Steady {
    let [mean, second] = [1, 2].map(|order| theory::service_moment(profile, order));
    let rate = profile.arrivals.as_ref().unwrap().rate_per_second;
    theory::mg1(rate, mean, second - mean * mean).unwrap()
}

#[test]
fn every_kind_of_service_waits_as_pollaczek_and_khinchine_say() {
    // The Pareto factors have all moments, and the largest is 37 times the mean: 260 s hold many.
    for (distribution, fields, scv) in [
        ("erlang", r#""erlang_shape": 4"#, 0.25),
        ("hyperexponential", r#""scv": 4"#, 4.0),
        ("lognormal", r#""scv": 2"#, 2.0),
        (
            "bounded_pareto",
            r#""pareto_alpha": 1.5, "pareto_ratio": 100"#,
            2.7,
        ),
        (
            "empirical",
            r#""empirical_ratios": [20, 30, 40, 70]"#,
            0.21875,
        ),
    ] {
        let text = varied(700.0, distribution, fields);
        let steady = pollaczek_khinchine(&profile(&text));
        // The formula once more, in its usual form: Wq = ρ/(1 − ρ) · (1 + c²)/2 · E[S].
        let wait = 0.7 / 0.3 * (1.0 + scv) / 2.0 * 0.001;
        assert!(
            (steady.wait_seconds / wait - 1.0).abs() < 1e-9,
            "{distribution}"
        );
        let reports = replicate(&text);
        agrees(distribution, &reports, mean, steady.sojourn_seconds);
        agrees(distribution, &reports, |r| r.queue.mean, steady.queue);
    }
}

#[test]
fn the_heavy_tailed_preset_waits_as_pollaczek_and_khinchine_say() {
    // Ten times as long as the preset: the rare long services make single runs of 120 s differ by
    // a fifth, and their mean by more than a normal distribution would have it.
    let reports: Vec<_> = (1..=REPLICATIONS)
        .map(|seed| {
            let mut profile = preset("mg1-heavy-tail", seed);
            profile.run.duration_seconds = 1200.0;
            Run::new(&profile).finish()
        })
        .collect();
    let steady = pollaczek_khinchine(&preset("mg1-heavy-tail", 1));
    // What the preset's summary says: five times the wait of exponential service.
    let exponential = theory::mm1(700.0, 1000.0).unwrap().wait_seconds;
    assert!((5.0..6.0).contains(&(steady.wait_seconds / exponential)));
    agrees("sojourn", &reports, mean, steady.sojourn_seconds);
    agrees("queue", &reports, |r| r.queue.mean, steady.queue);
}

#[test]
fn the_wait_varies_as_takacs_says() {
    use agent_chaos_core::event::{Event, Fact};
    let text = varied(700.0, "hyperexponential", r#""scv": 2"#);
    let squares: Vec<_> = (1..=REPLICATIONS)
        .map(|seed| {
            let mut profile = profile(&text);
            profile.seed = seed;
            let warmup = profile.run.warmup_seconds;
            let state = std::rc::Rc::new(std::cell::Cell::new((0.0, 0.0)));
            let sink = std::rc::Rc::clone(&state);
            let observer = move |event: &Event<'_>| {
                if let Fact::Started { request, .. } = event.fact
                    && request.created.seconds() >= warmup
                {
                    let wait = (event.at - request.created).seconds();
                    let (sum, count) = sink.get();
                    sink.set((sum + wait * wait, count + 1.0));
                }
            };
            Run::observed(&profile, Some(Box::new(observer))).finish();
            let (sum, count) = state.get();
            sum / count
        })
        .collect();
    let moments = [1, 2, 3].map(|order| theory::service_moment(&profile(&text), order));
    let expected = theory::mg1_wait_second_moment(700.0, moments).unwrap();
    agree("E[W²]", &squares, expected);
}

#[test]
fn a_sender_that_waits_for_a_place_waits_as_long_as_in_an_unbounded_queue() {
    let reports = replicate(
        &open(800.0, 1, "3", "exponential")
            .replace("\"early_drop\"", "\"when_full\": \"wait\", \"early_drop\""),
    );
    assert!(
        reports
            .iter()
            .all(|r| r.requests.failed == 0 && r.queue.max == 3)
    );
    agrees(
        "sojourn",
        &reports,
        mean,
        theory::mm1(800.0, 1000.0).unwrap().sojourn_seconds,
    );
}

/// ∫N dt = Σ residence, exactly, when everything has left: in nanoseconds, over every request.
#[test]
fn littles_law_holds_exactly() {
    for name in ["exp-002", "published-003"] {
        let state = std::rc::Rc::new(std::cell::RefCell::new((0_u128, 0_u128, 0_u128, 0_u64)));
        let sink = std::rc::Rc::clone(&state);
        let observer = move |event: &agent_chaos_core::event::Event<'_>| {
            use agent_chaos_core::event::Fact;
            let (area, residence, inside, since) = &mut *sink.borrow_mut();
            *area += *inside * u128::from(event.at.nanos() - *since);
            *since = event.at.nanos();
            match event.fact {
                Fact::Admitted { .. } => *inside += 1,
                Fact::Completed { request, .. } => {
                    *inside -= 1;
                    // Rejecting queues admit at creation, so that residence is latency.
                    *residence += u128::from((event.at - request.created).nanos());
                }
                _ => {}
            }
        };
        Run::observed(&preset(name, 1), Some(Box::new(observer))).finish();
        let (area, residence, inside, _) = *state.borrow();
        assert_eq!((area, inside), (residence, 0), "{name}");
    }
}

/// The fluid model on the measured series: ΔQ = accepted − taken holds exactly at every tick.
#[test]
fn the_fluid_model_follows_the_queue_exactly() {
    let mut profile = preset("exp-002", 1);
    profile.telemetry.window_seconds = profile.telemetry.interval_seconds;
    let mut run = Run::new(&profile);
    while !run.advance(Limit::NONE) {}
    run.with_series(|series| {
        let column = |name| series.column(name).unwrap();
        let rates: Vec<_> = column("accepted")
            .iter()
            .copied()
            .zip(column("taken").iter().copied())
            .collect();
        let fluid = theory::fluid(0.0, &rates, profile.telemetry.interval_seconds, None);
        assert_eq!(fluid.len(), 2400);
        for (tick, (fluid, queue)) in fluid.iter().zip(column("queue")).enumerate() {
            assert!((fluid - queue).abs() < 1e-6, "tick {tick}: {fluid} {queue}");
        }
    });
}

/// Poisson processes of λ/2 each are together one of λ.
#[test]
fn two_generators_of_half_the_rate_wait_as_one_of_the_whole() {
    let halves = open(800.0, 1, "null", "exponential").replace(
        r#""arrivals": {"rate_per_second": 800}"#,
        r#""arrivals": {"rate_per_second": 400}, "extra_arrivals": [{"rate_per_second": 400}]"#,
    );
    let reports = replicate(&halves);
    let steady = theory::mm1(800.0, 1000.0).unwrap();
    agrees("sojourn", &reports, mean, steady.sojourn_seconds);
    agrees("queue", &reports, |r| r.queue.mean, steady.queue);
    agrees(
        "utilization",
        &reports,
        |r| r.utilization,
        steady.utilization,
    );
}

/// Counts of a two-level process in windows of 20 s, which is 125 times its relaxation time
/// 1/(r₁ + r₂): what a finite window lacks is (IDC(∞) − 1)/125, known, and taken into account.
#[test]
fn bursts_are_dispersed_as_the_cookbook_says() {
    const WINDOWS: u32 = 1000;
    const WINDOW: f64 = 20.0;
    let text = r#"{"run": {"duration_seconds": 20000}, "telemetry": {"interval_seconds": 0.1},
        "arrivals": {"rate_per_second": 20, "bursty":
            {"high_factor": 3, "low_factor": 0.5, "high_mean_seconds": 0.2, "low_mean_seconds": 0.8}}}"#;
    let rules = profile(text).arrivals.unwrap();
    let end = f64::from(WINDOWS) * WINDOW;
    let measured: Vec<_> = (1..=REPLICATIONS)
        .map(|seed| {
            let randomness = Randomness::new(seed);
            let source = randomness.source(SourceKind::Generator, 0);
            let mut pace = Pace::new(&rules, &randomness, source, Instant::from_seconds(end));
            let mut counts = vec![0.0; WINDOWS as usize];
            let mut at = Instant::ZERO;
            for ordinal in 0.. {
                let draws = source.request(ordinal);
                at = pace.step(at, randomness.exponential(draws, Purpose::Interarrival));
                if at.seconds() >= end {
                    break;
                }
                counts[(at.seconds() / WINDOW) as usize] += 1.0;
            }
            let (mean, error) = mean_and_error(&counts);
            (mean, error * error * f64::from(WINDOWS) / mean)
        })
        .collect();
    let (mean, error) = mean_and_error(&measured.iter().map(|m| m.0).collect::<Vec<_>>());
    assert!(
        (mean - 20.0 * WINDOW).abs() <= T_999_19 * error,
        "{mean} ± {error}"
    );
    let limit = theory::mmpp2_dispersion([60.0, 10.0], [1.0 / 0.2, 1.0 / 0.8]);
    let lacking = (limit - 1.0) / (6.25 * WINDOW);
    let (index, error) = mean_and_error(&measured.iter().map(|m| m.1).collect::<Vec<_>>());
    let within = T_999_19 * error;
    assert!(
        (index - (limit - lacking)).abs() <= within,
        "{index} ± {within}, theory {limit} − {lacking}"
    );
    assert!(within < 0.1 * limit, "the test can tell: {within}");
}

/// The fluid model dQ/dt = λ(t) − μ of an even ramp from half to one and a half times the capacity:
/// nothing waits until the ramp has passed the capacity, then the queue is ∫(λ − μ) dt, give or
/// take the request in service and the one to come.
#[test]
fn the_queue_of_a_ramp_through_capacity_is_the_fluid_models() {
    let ramp = r#""process": "even", "ramp": {"stages": [{"duration_seconds": 100, "target_per_second": 1500},
        {"duration_seconds": 0, "target_per_second": 0}]}"#;
    let text = open(500.0, 1, "null", "deterministic")
        .replace("\"duration_seconds\": 260", "\"duration_seconds\": 120")
        .replace("500}", &format!("500, {ramp}}}"));
    let mut run = Run::new(&profile(&text));
    while !run.advance(Limit::NONE) {}
    run.with_series(|series| {
        let (times, queue) = (
            series.column("time").unwrap(),
            series.column("queue").unwrap(),
        );
        let step = times[0];
        let rate = |middle: f64| {
            if middle < 100.0 {
                500.0 + 10.0 * middle
            } else {
                0.0
            }
        };
        let rates = times.iter().map(|end| (rate(end - 0.5 * step), 1000.0));
        let rates: Vec<_> = rates.collect();
        let fluid = theory::fluid(0.0, &rates, step, None);
        assert!((fluid[1999] - 12_500.0).abs() < 1e-6, "½ · 50 s · 500/s");
        for ((&time, &queue), fluid) in times.iter().zip(queue).zip(fluid) {
            assert!(
                (queue - fluid).abs() <= 2.0,
                "{time} s: {queue}, fluid {fluid}"
            );
        }
        let each_second: Vec<_> = queue.iter().step_by(20).collect();
        let pairs = |from: usize, to: usize| each_second[from..to].windows(2);
        assert!(queue[..1000].iter().all(|&waiting| waiting <= 1.0));
        assert!(pairs(51, 100).all(|pair| pair[0] < pair[1]), "λ > μ");
        assert!(pairs(100, 110).all(|pair| pair[0] > pair[1]), "λ < μ");
    });
}
