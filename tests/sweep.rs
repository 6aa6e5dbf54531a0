//! Sweeps and edges of whole runs: that they agree with what is known in other ways.

use agent_chaos_core::Limit;
use agent_chaos_core::Profile;
use agent_chaos_core::detector::State;
use agent_chaos_core::edge::{Place, Question, Search, boundaries};
use agent_chaos_core::presets;
use agent_chaos_core::replication::Replications;
use agent_chaos_core::sweep::{Axis, Cells, MOST_CELLS, Plan, Row, Summary};

fn preset(name: &str) -> Profile {
    presets::find(name).unwrap().profile()
}

fn rows(plan: &Plan) -> Vec<Row> {
    let mut cells = Cells::new(plan.clone());
    let mut rows = Vec::new();
    while !cells.is_finished() {
        rows.extend(cells.advance(Limit::NONE).unwrap());
    }
    rows
}

fn edge(
    profile: &Profile,
    path: &str,
    range: [f64; 2],
    seeds: [u32; 2],
    question: Question,
) -> Place {
    let mut search = Search::new(profile, path, range, seeds[0]..=seeds[1], question).unwrap();
    while let Some(plan) = search.plan().cloned() {
        search.tell(&rows(&plan)).unwrap();
    }
    search.edge().unwrap().place
}

/// A point of a sweep is the same seeds of the same profile: every mean and interval is that of the
/// replications, to the last bit.
#[test]
fn a_point_is_its_replications() {
    let mut base = preset("exp-002");
    base.run.duration_seconds = 30.0;
    base.run.warmup_seconds = 10.0;
    let axis = Axis::parse("agents.count=100..300:200").unwrap();
    let plan = Plan::new(&base, vec![axis], 3..=8, MOST_CELLS).unwrap();
    let mut summary = Summary::new(&plan);
    rows(&plan).iter().for_each(|row| summary.add(row));
    for point in 0..plan.points() {
        let profile = plan.profile(point).unwrap();
        let mut replications = Replications::new(&profile, 3.0, 6.0, None).unwrap();
        while !replications.advance(Limit::NONE) {}
        let (figures, mut compared) = (replications.summary().figures(), 0);
        for (name, estimate) in summary.point(point).figures() {
            assert_eq!(figures.get(name).unwrap().estimate(), estimate, "{name}");
            compared += 1;
        }
        assert!(compared >= 14, "{compared}");
        for (name, share) in replications.summary().shares().take(3) {
            let states = agent_chaos_core::detector::State::ALL;
            let state = states
                .into_iter()
                .find(|state| state.name() == name)
                .unwrap();
            assert_eq!(summary.point(point).state(state), share);
        }
    }
}

/// Two edges of the same thing by seeds that have nothing in common (1 to 20, 21 to 40): they differ by no
/// more than the interval of a difference, √(h₁² + h₂²), which holds for 95 of 100 pairs; for these two it
/// does.
#[test]
fn edges_by_other_seeds_agree_within_their_intervals() {
    let mut base = preset("exp-002");
    base.run.duration_seconds = 60.0;
    base.run.warmup_seconds = 10.0;
    let question = Question::WorstState(State::Collapsed);
    let found = [[1, 20], [21, 40]]
        .map(|seeds| edge(&base, "agents.count", [50.0, 1000.0], seeds, question));
    let [(one, h1), (other, h2)] = found.map(|place| match place {
        Place::At {
            value,
            half_width,
            above: true,
            ..
        } => (value, half_width),
        place => panic!("{place:?}"),
    });
    assert!(
        (one - other).abs() <= (h1 * h1 + h2 * h2).sqrt(),
        "{one} ± {h1}, {other} ± {h2}"
    );
    // An interval that says nothing would agree with everything.
    assert!(h1 < one / 4.0 && h2 < other / 4.0, "{h1} {h2}");
}

/// One worker serves 100 per second and 50 arrive; during the trigger it is 200, so that the queue grows by 100
/// per second. Work is in vain once the wait is longer than the timeout of 1 s, that is with 100 waiting:
/// not before a second of trigger has passed in the mean (the count of 200 arrivals and 100 services has a
/// standard deviation of √300 = 17, or 0.17 s). From then on every request is sent three times. So the longest
/// trigger that half of the seeds recover from is a little over 1 s: between 1 s and 1.5 s.
#[test]
fn the_longest_rush_that_is_survived_fills_the_queue_to_the_timeout() {
    let storm = preset("retry-storm");
    let path = "timeline.0.for_seconds";
    let place = edge(&storm, path, [0.25, 8.0], [1, 10], Question::NotRecovered);
    let Place::At {
        value,
        half_width,
        above,
        ..
    } = place
    else {
        panic!("{place:?}");
    };
    assert!(
        above && value > 1.0 - half_width && value < 1.5 + half_width,
        "{place:?}"
    );
    assert!(half_width < 0.3, "{place:?}");
}

/// The edge of a sweep's line is that of the same values in a search's analysis, and each line has its own.
#[test]
fn a_sweep_has_an_edge_on_each_of_its_lines() {
    let mut base = preset("exp-002");
    base.run.duration_seconds = 30.0;
    base.run.warmup_seconds = 10.0;
    let axes = ["agents.count=25..325:50", "workers.count=2,8"];
    let axes = axes.map(|axis| Axis::parse(axis).unwrap());
    let plan = Plan::new(&base, axes.into(), 1..=10, MOST_CELLS).unwrap();
    let mut summary = Summary::new(&plan);
    let rows = rows(&plan);
    rows.iter().for_each(|row| summary.add(row));
    let all = boundaries(&plan, &summary, 0, Question::WorstState(State::Collapsed));
    assert_eq!(all.len(), 2);
    let middles = all.iter().map(|line| match line.place {
        Place::At { value, .. } => value,
        Place::Between { from, to, .. } => f64::midpoint(from, to),
        Place::Never { .. } => f64::INFINITY,
        place => panic!("{place:?}"),
    });
    let middles: Vec<_> = middles.collect();
    // Four times the workers bear more agents.
    assert!(middles[0] < middles[1], "{all:?}");
    // Points of which a run is missing are left out.
    let mut part = Summary::new(&plan);
    rows.iter().skip(1).for_each(|row| part.add(row));
    let lines = boundaries(&plan, &part, 0, Question::WorstState(State::Collapsed));
    assert_eq!(lines.len(), 2);
    assert_eq!(part.point(0).runs(), 9);
}
